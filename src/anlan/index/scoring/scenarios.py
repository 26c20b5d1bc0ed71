"""What if it were worked out otherwise: an index done again and again, each choice drawn by itself.

Every replication takes one of the declared alternatives of each kind, normalises the values anew and puts them
together. Replications with the same choices are done side by side (children × replications × units), as many as stay
in the processor's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from anlan.index.scoring import filling
from anlan.index.scoring.aggregate import combine
from anlan.index.scoring.composite import NoPeriod, gathered
from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.groups import Labels, grouped
from anlan.index.scoring.normalise import Direction, Normalising, before, by_groups, normalise
from anlan.index.scoring.panel import Floats, Panel
from anlan.index.scoring.spec import Aggregation, Column, Imputing, Treatment

LINEAR: Final = frozenset({"identity", "goalposts", "quantiles", "minmax", "zscore", "distance_to_max",
                           "distance_to_reference", "distance_to_target", "fraction_of_max"})  # fmt: skip
"""Methods whose scores lie on a straight line over the values, but for clipping."""
CELLS: Final = 400_000
"""So many scores are worked on at a time: a few megabytes."""
NOISY: Final = frozenset({"weights", "ends"})
NOISES: Final = 1024
"""So many sets of disturbed weights are there to be drawn from."""


Anew = Callable[[Normalising, Floats], Floats]


class Scenarios(BaseModel):
    """What may be chosen otherwise. Each replication draws each kind by itself; a kind of one choice is not drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    replications: int = Field(default=1000, ge=1)
    seed: int = 1
    weights: float = Field(default=0.25, ge=0, lt=1)
    """Every weight is multiplied by something between 1 less this and 1 plus this."""
    sets: tuple[str, ...] = ()
    """Names of sets of weights, or "given" or "equal"."""
    ends: float = Field(default=0.0, ge=0, lt=0.5)
    """The values at no and full points lie off by up to this share of what is between them (of linear methods)."""
    normalising: tuple[Normalising, ...] = ()
    """In place of every leaf's own rule; where the index's own way is one of them, declare it too."""
    aggregation: tuple[Aggregation, ...] = ()
    """In place of the mean of heads that declare none of their own."""
    imputing: tuple[Imputing, ...] = ()
    treatment: tuple[Treatment, ...] = ()

    @property
    def factors(self) -> tuple[str, ...]:
        """The kinds that are drawn."""
        several = [name for name in ("sets", "normalising", "aggregation", "imputing", "treatment") if
                   len(getattr(self, name)) > 1]  # fmt: skip
        noisy = [name for name in sorted(NOISY) if getattr(self, name)]
        return (*noisy, *several)


@dataclass(frozen=True, slots=True)
class _Ready:
    """The leaves under one rule: slopes and starts where scores are linear in the values, scores where they are not."""

    rules: list[Normalising]
    value: Floats
    slope: Floats
    start: Floats
    fixed: Floats
    linear: list[int]


class Workshop:
    """One period of an index made ready to be done again: values filled and treated, orders and ends looked up."""

    def __init__(self, frame: Framework, panel: Panel, period: str, *, labels: Labels | None = None) -> None:
        self.frame, self.labels, self.panel = frame, labels or {}, panel
        self.at = panel.periods.index(period)
        self.groups = {key: grouped(who, self.labels, panel.units) for key, who in frame.spec.peers.items()}
        self._filled: dict[tuple[Imputing | None, Treatment | None], Floats] = {}
        self._ready: dict[tuple[int, Imputing | None, Treatment | None], _Ready] = {}
        self._frames: dict[tuple[Aggregation | None, str], Framework] = {}

    @property
    def units(self) -> tuple[str, ...]:
        """The units, in their order."""
        return self.panel.units

    def nominal(self) -> Floats:
        """The index of every unit as declared."""
        found: Floats = self.again(np.zeros((1, 0)), Scenarios(weights=0.0))[0]
        return found

    def again(self, drawn: Floats, told: Scenarios) -> Floats:
        """The index of every unit in every replication: replications × units. `drawn` has a number from 0 to 1 for each
        replication and factor."""
        found = np.empty((len(drawn), len(self.units)))
        picks = {name: drawn[:, column] for column, name in enumerate(told.factors)}
        choices = np.stack([_choice(picks, told, name, len(drawn)) for name in _KINDS], axis=1)
        for chosen in np.unique(choices, axis=0):
            rows = np.flatnonzero((choices == chosen).all(axis=1))
            step = max(1, CELLS // max(1, len(self.frame.leaves) * len(self.units)))
            for first in range(0, len(rows), step):
                some = rows[first : first + step]
                noise = {name: drawn_[some] for name, drawn_ in picks.items() if name in NOISY}
                found[some] = self._some(chosen.tolist(), noise, told, len(some))
        return found

    def without(self, places: Sequence[int]) -> Floats:
        """The index of every unit with each of these nodes left out in turn: nodes × units."""
        ready = self._prepared(-1, self.frame.spec.imputing, self.frame.spec.treatment, None)
        weights: Floats = np.repeat(self.frame.weights[:, None], len(places), axis=1)
        weights[list(places), np.arange(len(places))] = 0.0
        step = max(1, CELLS // max(1, ready.value.size))
        parts = []
        for first in range(0, len(places), step):
            some = weights[:, first : first + step]
            parts.append(
                raised(self.frame, _scores(ready, in_order(self.frame), some.shape[1], None), some, self._anew)
            )
        return np.concatenate(parts)

    def _some(self, chosen: list[int], noise: dict[str, Floats], told: Scenarios, count: int) -> Floats:
        sets, way, mean, fill, treat = chosen
        spec = self.frame.spec
        imputing = told.imputing[fill] if told.imputing else spec.imputing
        treatment = told.treatment[treat] if told.treatment else spec.treatment
        rule = told.normalising[way] if told.normalising else None
        ready = self._prepared(way if rule else -1, imputing, treatment, rule)
        frame = self._framed(told.aggregation[mean] if told.aggregation else None, told.sets[sets] if told.sets else "")
        weights = np.repeat(frame.weights[:, None], count, axis=1)
        if "weights" in noise:
            table = _disturbances(told.seed, 1, told.weights, len(weights))
            weights = weights * (1 + table[_index(noise["weights"], NOISES)]).T
        ends = None
        if "ends" in noise:
            table = _disturbances(told.seed, 2, told.ends, 2 * len(ready.value))
            ends = table[_index(noise["ends"], NOISES)].reshape(count, -1, 2).transpose(1, 0, 2)
        return raised(frame, _scores(ready, in_order(frame), count, ends), weights, self._anew)

    def _framed(self, mean: Aggregation | None, sets: str) -> Framework:
        if mean is None and not sets:
            return self.frame
        if (mean, sets) not in self._frames:
            spec = self.frame.spec
            weights = spec.weights.model_copy(update={"use": sets} if sets else {})
            changed: dict[str, object] = {"weights": weights}
            if mean is not None:
                changed |= {"aggregation": mean, "by_depth": ()}
            leaves = self.frame.leaves[len(spec.columns) :]
            self._frames[mean, sets] = framework(spec.model_copy(update=changed), leaves)
        return self._frames[mean, sets]

    def with_values(self, told: Floats) -> Floats:
        """The index of every unit with other values in this period: units × the panel's columns."""
        spec, period = self.frame.spec, self.panel.periods[self.at]
        status = np.zeros((len(self.units), 1, len(self.panel.columns)), dtype=np.uint8)
        value = gathered(self.frame, Panel(self.units, (period,), self.panel.columns, told[:, None], status))[0]
        filled = self._filling(spec.imputing, None)[self.at]
        value[0] = np.where(np.isnan(value[0]) | np.isnan(filled), filled, value[0])
        filling.treat(spec.treatment, value, self._meant(), self._named((period,)))
        ready = self._made_ready(value[0], self._own(), self._filling(spec.imputing, spec.treatment))
        scores = _scores(ready, in_order(self.frame), 1, None)
        made = raised(self.frame, scores, self.frame.weights[:, None], self._anew)
        found: Floats = made[0]
        return found

    def _prepared(
        self, way: int, imputing: Imputing | None, treatment: Treatment | None, rule: Normalising | None
    ) -> _Ready:
        key = (way, imputing, treatment)
        if key not in self._ready:
            every = self._filling(imputing, treatment)
            rules = [rule or each for each in self._own()]
            self._ready[key] = self._made_ready(every[self.at], rules, every)
        return self._ready[key]

    def _anew(self, rule: Normalising, x: Floats) -> Floats:
        if rule.within:
            return by_groups(rule, x, self.groups[rule.within], better="up", units=self.units).score
        return normalise(rule, x, better="up", units=self.units).score

    def _own(self) -> list[Normalising]:
        return [self.frame.nodes[place].score or self.frame.spec.score for place in self.frame.leaf_nodes]

    def _meant(self) -> list[bool]:
        return [not isinstance(leaf, Column) or leaf.treated for leaf in self.frame.leaves]

    def _named(self, periods: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        return [leaf.key for leaf in self.frame.leaves], periods

    def _filling(self, imputing: Imputing | None, treatment: Treatment | None) -> Floats:
        """The values filled and treated: periods × leaves × units."""
        if (imputing, treatment) not in self._filled:
            value, status = gathered(self.frame, self.panel)
            for values, out in zip(value, filling.screened(self.frame.spec.screening, value, self.units), strict=True):
                values[:, out] = np.nan
            named = self._named(self.panel.periods)
            filling.impute(imputing, value, status, self.groups, self._meant(), named)
            filling.treat(treatment, value, self._meant(), named)
            self._filled[imputing, treatment] = value
        return self._filled[imputing, treatment]

    def _basis(self, rule: Normalising, every: Floats, leaf: int) -> Floats | None:
        if rule.over == "period" or rule.absolute:
            return None
        if rule.over == "panel":
            return every[:, leaf].ravel()
        if rule.over not in self.panel.periods:
            raise NoPeriod(self.frame.leaves[leaf].key, rule.over, self.panel.periods)
        found: Floats = every[self.panel.periods.index(rule.over), leaf]
        return found

    def _made_ready(self, value: Floats, rules: list[Normalising], every: Floats) -> _Ready:
        y, fixed = value.copy(), np.full_like(value, np.nan)
        slope, start, linear = np.zeros(len(value)), np.zeros(len(value)), []
        for leaf, rule in enumerate(rules):
            better, x = self.frame.leaves[leaf].better, value[leaf]
            if np.isnan(x).all():
                continue
            if rule.within:
                fixed[leaf] = by_groups(rule, x, self.groups[rule.within], better=better, units=self.units).score
                continue
            basis = self._basis(rule, every, leaf)
            fixed[leaf] = normalise(rule, x, better=better, units=self.units, basis=basis).score
            line = _line(rule, x, better, self.units, basis)
            if line is not None:
                y[leaf], slope[leaf], start[leaf] = line
                linear.append(leaf)
        return _Ready(rules, y, slope, start, fixed, linear)


def _line(
    rule: Normalising, x: Floats, better: Direction, units: Sequence[str], basis: Floats | None
) -> tuple[Floats, float, float] | None:
    """The values as they are scored, and slope and start of the line their scores lie on; None if on no line."""
    if rule.method not in LINEAR or rule.power != 1 or rule.places is not None or rule.zeros != "values":
        return None
    made = normalise(rule.model_copy(update={"clip": False}), x, better=better, units=units, basis=basis)
    y = before(rule, x)
    low, high = int(np.nanargmin(y)), int(np.nanargmax(y))
    if made.constant or y[low] == y[high]:
        return None
    slope = float((made.score[high] - made.score[low]) / (y[high] - y[low]))
    return y, slope, float(made.score[low] - slope * y[low])


_KINDS: Final = ("sets", "normalising", "aggregation", "imputing", "treatment")


def _choice(picks: dict[str, Floats], told: Scenarios, name: str, rows: int) -> NDArray[np.int64]:
    if name not in picks:
        return np.zeros(rows, dtype=np.int64)
    return _index(picks[name], len(getattr(told, name)))


def _index(drawn: Floats, count: int) -> NDArray[np.int64]:
    """Which of `count` a number from 0 to 1 picks; each as often as the others, whatever else was drawn."""
    return np.minimum((drawn * count).astype(np.int64), count - 1)


@lru_cache(maxsize=4)
def _disturbances(seed: int, kind: int, most: float, many: int) -> Floats:
    """Numbers from -`most` to `most`, the same for the same seed: sets × many."""
    return np.random.default_rng([seed, kind]).uniform(-most, most, (NOISES, many))


def _scores(ready: _Ready, order: Sequence[int], count: int, ends: Floats | None) -> Floats:
    """The normalised leaves of so many replications, in `order`: leaves × replications × units. `ends` are the shifts
    of both ends as shares of the scale: leaves × replications × 2."""
    made = np.empty((len(order), count, ready.value.shape[1]))
    for row, leaf in zip(made, order, strict=True):
        if leaf not in ready.linear:
            row[:] = ready.fixed[leaf]
            continue
        rule = ready.rules[leaf]
        slope, start = np.full(count, ready.slope[leaf]), np.full(count, ready.start[leaf])
        bottom, top = rule.scale
        if ends is not None and rule.method not in {"identity", "zscore"}:
            low, high = bottom + ends[leaf, :, 0] * (top - bottom), top + ends[leaf, :, 1] * (top - bottom)
            stretch = (top - bottom) / (high - low)
            slope, start = slope * stretch, (start - low) * stretch + bottom
        np.multiply(slope[:, None], ready.value[leaf], out=row)
        np.add(row, start[:, None], out=row)
        if rule.clipped:
            np.clip(row, min(bottom, top), max(bottom, top), out=row)
    return made


def in_order(frame: Framework) -> list[int]:
    """The leaves as they stand in the tree, so that those under one head stand together."""
    return [node.leaf for node in frame.nodes if node.leaf >= 0]


def raised(frame: Framework, leaves: Floats, weights: Floats, anew: Anew) -> Floats:
    """The index in every replication (replications × units) from leaves `in_order` (leaves × replications × units) with
    weights (nodes × replications); `anew` normalises the figures of a head among all units."""
    rows = {leaf: row for row, leaf in enumerate(in_order(frame))}
    made: dict[int, Floats] = {}
    for place in range(len(frame.nodes) - 1, -1, -1):
        node = frame.nodes[place]
        if node.leaf >= 0:
            continue
        children = list(node.children)
        at = [rows.get(frame.nodes[child].leaf, -1) for child in children]
        if min(at) >= 0 and at == list(range(at[0], at[0] + len(at))):
            x = leaves[at[0] : at[0] + len(at)]
        else:
            x = np.stack(
                [leaves[row] if row >= 0 else made.pop(child) for child, row in zip(children, at, strict=True)]
            )
        y = combine(node.aggregation, node.missing, x, weights[children], key=node.key)
        if node.score is not None:
            y = np.stack([anew(node.score, row) for row in y])
        made[place] = y if node.places is None else np.round(y, node.places)
    return made[0]
