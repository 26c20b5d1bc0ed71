"""From values to the index: filled, treated, normalised and put together up the tree, one period after the other.

    scored = score(framework(spec, leaves), panel, labels={"level": […], "parent": […]})
    scored.of("D1")            # units × periods
    scored.weights("2026-10")  # units × nodes: how much each node counted in the index of each unit

Nothing is left out, filled in or weighted anew without a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anlan.index.scoring import filling
from anlan.index.scoring.aggregate import combine, shares
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.groups import Labels, grouped
from anlan.index.scoring.normalise import Normalising, by_groups, normalise
from anlan.index.scoring.notes import Note
from anlan.index.scoring.panel import Codes, Floats, Panel, Status
from anlan.index.scoring.spec import Column
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Refusal


class NoColumn(Refusal):
    """The data lacks a column that a leaf needs."""

    def __init__(self, leaf: str, column: str, known: Sequence[str]) -> None:
        said = unknown("数据列", "column", column, known)
        super().__init__(f"指标“{leaf}”：{said.zh}", f"Indicator “{leaf}”: {said.en}", field="column")


class NoPeriod(Refusal):
    """A leaf is measured by the values of a period that the data does not have."""

    def __init__(self, leaf: str, period: str, known: Sequence[str]) -> None:
        said = unknown("期间", "period", period, known)
        super().__init__(f"指标“{leaf}”：{said.zh}", f"Indicator “{leaf}”: {said.en}", field="score.over")


@dataclass(frozen=True)
class Scored:
    """Scores of every node: `score` is units × periods × nodes (`framework.keys`; the first is the index itself), NaN
    where there is none. `value` and `status` are what was normalised and what stands behind it: units × periods ×
    leaves (`framework.leaves`), filled and treated by the rules of the index. `notes` tells everything out of order.
    """

    framework: Framework
    units: tuple[str, ...]
    periods: tuple[str, ...]
    score: Floats
    value: Floats
    status: Codes
    notes: tuple[Note, ...] = ()
    labels: Labels = field(default_factory=dict)

    @property
    def index(self) -> Floats:
        """The index itself: units × periods."""
        return self.score[:, :, 0]

    def of(self, key: str) -> Floats:
        """The scores of one node: units × periods. Raises ValueError when there is no such node."""
        return self.score[:, :, self.framework.place(key)]

    @property
    def leaves(self) -> Floats:
        """The normalised leaves: units × periods × leaves."""
        return self.score[:, :, list(self.framework.leaf_nodes)]

    def weights(self, period: str) -> Floats:
        """How much each node counted in the index of each unit: units × nodes, 1 for the index itself, after what was
        missing; NaN where the index has no score."""
        return effective(self.framework, self.nodes_first(period)).T

    def nodes_first(self, period: str) -> Floats:
        """The scores of a period as nodes × units."""
        return np.ascontiguousarray(self.score[:, self.periods.index(period), :].T)


def score(frame: Framework, panel: Panel, *, labels: Labels | None = None) -> Scored:
    """The scores of all units and periods of `panel`; `labels` is what is told of units, in their order.

    Raises NoColumn, NoPeriod, Incomplete, NotLog, NotReference, Unlabelled.
    """
    labels = labels or {}
    value, status = gathered(frame, panel)
    told: list[Note] = []
    spec = frame.spec
    groups = {key: grouped(peers, labels, panel.units) for key, peers in spec.peers.items()}
    screened = filling.screened(spec.screening, value, panel.units)
    for values, out in zip(value, screened, strict=True):
        values[:, out] = np.nan
    treated = [not isinstance(leaf, Column) or leaf.treated for leaf in frame.leaves]
    keys = [leaf.key for leaf in frame.leaves]
    told += filling.impute(spec.imputing, value, status, groups, treated, (keys, panel.periods))
    told += filling.treat(spec.treatment, value, treated, (keys, panel.periods))
    made = np.empty((len(panel.periods), len(frame.nodes), len(panel.units)))
    for time, period in enumerate(panel.periods):
        told += Normaliser(frame, panel, groups).into(made[time], value, time, period)
        made[time][:, screened[time]] = np.nan
        told += [Note("screened", spec.key, period, int(screened[time].sum()))] if screened[time].any() else []
        told += raised(frame, made[time], panel.units, groups, period)
    backwards = made.transpose(2, 0, 1)
    return Scored(
        frame, panel.units, panel.periods, backwards, value.transpose(2, 0, 1), status.transpose(2, 0, 1),
        tuple(told), labels,
    )  # fmt: skip


def gathered(frame: Framework, panel: Panel) -> tuple[Floats, Codes]:
    """The leaves' values and what stands behind them: periods × leaves × units. Raises NoColumn."""
    shape = (len(panel.periods), len(frame.leaves), len(panel.units))
    value, status = np.empty(shape), np.empty(shape, dtype=np.uint8)
    places = {column: place for place, column in enumerate(panel.columns)}
    at: list[int] = []
    for leaf in frame.leaves:
        column = leaf.column or leaf.key if isinstance(leaf, Column) else leaf.key
        for needed in (column, leaf.denominator if isinstance(leaf, Column) else ""):
            if needed and needed not in places:
                raise NoColumn(leaf.key, needed, panel.columns)
        at.append(places[column])
    straight = at == list(range(len(panel.columns)))
    for time in range(len(panel.periods)):
        told, behind = panel.value[:, time, :], panel.status[:, time, :]
        _turned(told if straight else told[:, at], value[time])
        _turned(behind if straight else behind[:, at], status[time])
        for number, leaf in enumerate(frame.leaves):
            if isinstance(leaf, Column) and leaf.denominator:
                below = told[:, places[leaf.denominator]]
                with np.errstate(divide="ignore", invalid="ignore"):
                    ratio = value[time, number] / below * leaf.per
                value[time, number] = np.where(np.isfinite(ratio), ratio, np.nan)
        status[time][np.isnan(value[time]) & (status[time] != Status.TOO_SMALL)] = Status.MISSING
    return value, status


def _turned(rows: NDArray[Any], into: NDArray[Any]) -> None:
    """Rows written as columns, as many at a time as stay in the processor's memory."""
    for first in range(0, len(rows), 256):
        into[:, first : first + 256] = rows[first : first + 256].T


@dataclass(frozen=True, slots=True)
class Normaliser:
    """What leaves' values are normalised with: the tree, the units and the groups they are in."""

    frame: Framework
    panel: Panel
    groups: Mapping[str, NDArray[np.int64]]

    def into(self, made: Floats, value: Floats, time: int, period: str) -> list[Note]:
        """Fill the leaves' rows of `made` (nodes × units) with the scores of a period; what must be told of it."""
        told = []
        for place, node in enumerate(self.frame.nodes):
            if node.leaf >= 0 and node.score is not None:
                x = value[time, node.leaf]
                if np.isnan(x).all():
                    made[place] = np.nan
                    told.append(Note("empty", node.key, period, len(x)))
                    continue
                found = self._one(node.score, x, value[:, node.leaf], node.leaf)
                made[place] = found[0]
                if found[1]:
                    told.append(Note("constant", node.key, period, int(np.count_nonzero(~np.isnan(x)))))
        return told

    def _one(self, rule: Normalising, x: Floats, every: Floats, leaf: int) -> tuple[Floats, bool]:
        better, units = self.frame.leaves[leaf].better, self.panel.units
        if rule.within:
            found = by_groups(rule, x, self.groups[rule.within], better=better, units=units)
        elif rule.over == "period" or rule.absolute:
            found = normalise(rule, x, better=better, units=units)
        elif rule.over == "panel":
            found = normalise(rule, x, better=better, units=units, basis=every.ravel())
        elif rule.over in self.panel.periods:
            basis = every[self.panel.periods.index(rule.over)]
            found = normalise(rule, x, better=better, units=units, basis=basis)
        else:
            raise NoPeriod(self.frame.leaves[leaf].key, rule.over, self.panel.periods)
        return found.score, found.constant


def raised(
    frame: Framework, made: Floats, units: Sequence[str], groups: Mapping[str, NDArray[np.int64]], period: str
) -> list[Note]:
    """Fill the heads' rows of `made` (nodes × units) from the leaves' up; what must be told of it."""
    told: list[Note] = []
    weights = frame.weights
    for place in range(len(frame.nodes) - 1, -1, -1):
        node = frame.nodes[place]
        if node.leaf >= 0:
            continue
        children = list(node.children)
        x = made[children]
        y = combine(node.aggregation, node.missing, x, weights[children], key=node.key)
        gaps = np.isnan(x).any(axis=0) & ~np.isnan(y)
        lost = np.isnan(y) & ~np.isnan(x).all(axis=0)
        if gaps.any():
            told.append(Note("reweighted", node.key, period, int(gaps.sum())))
        if lost.any():
            told.append(Note("unscored", node.key, period, int(lost.sum())))
        if node.score is not None:
            rule = node.score
            if rule.within:
                y = by_groups(rule, y, groups[rule.within], better="up", units=units).score
            else:
                y = normalise(rule, y, better="up", units=units).score
        made[place] = y if node.places is None else np.round(y, node.places)
    return told


def effective(frame: Framework, made: Floats) -> Floats:
    """How much each node counted in the index of each unit, of scores as nodes × units: the same shape."""
    found = np.ones_like(made)
    weights = frame.weights
    for place, node in enumerate(frame.nodes):
        if node.children:
            children = list(node.children)
            found[children] = found[place] * shares(node.aggregation, node.missing, made[children], weights[children])
    return np.nan_to_num(found, nan=0.0) + np.where(np.isnan(made[0]), np.nan, 0.0)
