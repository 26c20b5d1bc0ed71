"""Why an index moved, or why two units differ: the exact part of every leaf, and of what counted otherwise.

At every head the change is split among its children without a remainder wherever that can be:

- the change of a quasi-arithmetic mean g⁻¹(Σ s g(x)) is Σ a Δx with a = s̄ · (Δg(x)/Δx) · (Δy/Δg(y)), s̄ the mean of the
  shares at both ends: for an arithmetic mean this is the mean share itself, for a geometric mean the logarithmic mean
  (LMDI: B. W. Ang, Energy Policy 33 (2005) 867–871), likewise for harmonic, power, sum and product;
- the penalised mean (AMPI) is one of two means, and split by the midpoints of both;
- of a minimum, maximum, median or "best of", the shares are those of the children picked;
- where a mean is 0 at one end because children are 0, those children have the whole change (the limit of LMDI).

What is left is the head's own line (`other`): the shares changed, since a child was missing at one end, another was
picked, or the head's figure was rounded or normalised anew. Leaves' parts and heads' own lines sum to the change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from anlan.index.scoring.aggregate import PLAIN, combine, scale, shares
from anlan.index.scoring.composite import Scored, raised
from anlan.index.scoring.framework import Framework, Node
from anlan.index.scoring.panel import Floats
from anlan.index.scoring.spec import Aggregation, Missing
from anlan.kernel.text import Refusal


class NoFullScore(Refusal):
    """What a unit lacks cannot be told where a head's figure depends on the other units'."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"“{key}”按其他单位重新标准化，没有满分可比。",
            f"“{key}” is normalised among all units, so that there is no full score to lack.",
            field="score",
        )


STRAIGHT: Final = frozenset({"arithmetic", "sum", "min", "max", "median"})
WILD: Final = 1e4
"""Where parts are so many times as large as the figures they are parts of, as when a head moved by next to nothing and
its place among all jumped, they would say nothing: the head's own line has the change."""
NEAR: Final = 1e-6
"""Two values nearer than this share of their size are split by the slope between them, not by their difference."""


@dataclass(frozen=True)
class Why:
    """The parts of `change` (one a row: a unit, or a pair of units), in points of the index.

    `leaf` is rows × leaves: what the leaf's score changed by, as it counts in the index. `other` is rows × nodes: a
    head's own line, 0 for leaves. Rows of which the index has no score at one end are NaN. `share` is rows × nodes: the
    points of the index that one point of the node is worth along the way from one end to the other.
    """

    framework: Framework
    rows: tuple[str, ...]
    change: Floats
    leaf: Floats
    other: Floats
    share: Floats

    def under(self, key: str) -> Floats:
        """The part of a head with all that stands under it, one a row; of the index itself this is `change`."""
        place = self.framework.place(key)
        nodes = _below(self.framework, place)
        found: Floats = self.leaf[:, self.framework.leaves_under(place)].sum(axis=1) + self.other[:, nodes].sum(axis=1)
        return found


def between_periods(scored: Scored, before: str, after: str) -> Why:
    """Why every unit's index changed from one period to another."""
    return explained(scored.framework, scored.nodes_first(before), scored.nodes_first(after), scored.units)


def steps(scored: Scored) -> Iterator[tuple[str, Why]]:
    """Why the index changed into each period from the one before, by period from the second on."""
    frame, left = scored.framework, scored.nodes_first(scored.periods[0])
    for _, period in pairwise(scored.periods):
        right = scored.nodes_first(period)
        yield period, explained(frame, left, right, scored.units)
        left = right


def between_units(scored: Scored, period: str, unit: str, other: str) -> Why:
    """Why `other` stands where it does, seen from `unit`: the parts of other's score less unit's. One row."""
    here = scored.nodes_first(period)
    at, to = scored.units.index(unit), scored.units.index(other)
    return explained(scored.framework, here[:, [at]], here[:, [to]], (f"{unit} → {other}",))


def lost(scored: Scored, period: str, *, full: float = 100.0) -> Why:
    """What every unit lacks to full points in every leaf that has a score, by leaf: its short boards.

    Raises NoFullScore.
    """
    frame, here = scored.framework, scored.nodes_first(period)
    leaves = list(frame.leaf_nodes)
    best = here.copy()
    best[leaves] = np.where(np.isnan(here[leaves]), np.nan, full)
    for node in frame.nodes:
        if node.leaf < 0 and node.score is not None and not node.score.absolute:
            raise NoFullScore(node.key)
    raised(frame, best, scored.units, {}, period)
    return explained(frame, here, best, scored.units)


def explained(frame: Framework, before: Floats, after: Floats, rows: tuple[str, ...]) -> Why:
    """Why the first node changed from `before` to `after` (nodes × rows, as scored)."""
    share = np.zeros(before.shape)
    other = np.zeros(before.shape)
    change = after[0] - before[0]
    share[0] = np.where(np.isnan(change), np.nan, 1.0)
    for place, node in enumerate(frame.nodes):
        if node.children:
            children = list(node.children)
            w = frame.weights[children]
            worth = _split(node, before[children], after[children], w)
            worth *= _rescaled(node, before, after, place, w)
            delta = np.nan_to_num(after[children] - before[children])
            if node.score is not None or node.aggregation.method not in STRAIGHT:
                size = np.nan_to_num(np.abs(before[place]) + np.abs(after[place]))
                worth = np.where(np.abs(worth * delta).sum(axis=0) > WILD * size, 0.0, worth)
            share[children] = worth * share[place]
            own = np.nan_to_num(after[place] - before[place]) - (worth * delta).sum(axis=0)
            other[place] = share[place] * own
    leaves = list(frame.leaf_nodes)
    parts = share[leaves] * np.nan_to_num(after[leaves] - before[leaves])
    return Why(frame, rows, change, parts.T, other.T, share.T)


def _below(frame: Framework, place: int) -> list[int]:
    found = [place]
    for child in frame.nodes[place].children:
        found += _below(frame, child)
    return found


def _split(node: Node, x0: Floats, x1: Floats, w: Floats) -> Floats:
    """What a point of each child is worth in the head's figure, before that is rounded or normalised (children × rows);
    0 for a child that is missing at one end."""
    rule, missing = node.aggregation, node.missing
    if rule.method == "arithmetic" and not (np.isnan(x0).any() or np.isnan(x1).any()) and not (rule.best or rule.pad):
        return np.broadcast_to((w / w.sum() * rule.factor)[:, None], x0.shape).copy()
    lenient = missing.model_copy(update={"rule": "renormalise"}) if missing.rule == "refuse" else missing
    s = np.nan_to_num((shares(rule, lenient, x0, w) + shares(rule, lenient, x1, w)) / 2)
    both = ~(np.isnan(x0) | np.isnan(x1))
    with np.errstate(all="ignore"):
        if rule.method == "ampi":
            worth = _penalised(rule, lenient, x0, x1, w, s)
        else:
            worth = _meant(rule, lenient, x0, x1, w, s)
    return np.where(both & np.isfinite(worth), worth, 0.0)


def _meant(rule: Aggregation, missing: Missing, x0: Floats, x1: Floats, w: Floats, s: Floats) -> Floats:
    """The worth of children of a quasi-arithmetic mean with mean shares `s`."""
    g = scale(rule)
    if g is PLAIN:
        return s * rule.factor
    y0, y1 = (combine(rule, missing, x, w) / rule.factor for x in (x0, x1))
    worth = s * _slope(g.into, g.slope, x0, x1) / _slope(g.into, g.slope, y0, y1)
    fallen = (s > 0) & ((x0 == 0) != (x1 == 0))
    one = (y0 == 0) != (y1 == 0)
    portion = np.where(fallen, s, 0.0)
    whole = (y1 - y0) * portion / portion.sum(axis=0) / np.where(fallen, x1 - x0, 1.0)
    worth = np.where(one, np.where(fallen, whole, 0.0), worth)
    return worth * rule.factor


def _slope(into: object, slope: object, a: Floats, b: Floats) -> Floats:
    """The slope of g between two values: of the chord, or where they are near each other, at the middle."""
    assert callable(into)
    assert callable(slope)
    near = np.abs(b - a) <= NEAR * np.maximum(np.abs(a), np.abs(b))
    middle: Floats = slope((a + b) / 2)
    chord: Floats = (into(b) - into(a)) / np.where(near, 1.0, b - a)
    return np.where(near, middle, chord)


def _penalised(rule: Aggregation, missing: Missing, x0: Floats, x1: Floats, w: Floats, s: Floats) -> Floats:
    """The worth of children of the mean less or plus its penalty: 2m - q/m or q/m, q being the mean of squares."""
    first, last = shares(rule, missing, x0, w), shares(rule, missing, x1, w)
    m0, m1 = (np.nansum(p * x, axis=0) for p, x in ((first, x0), (last, x1)))
    q0, q1 = (np.nansum(p * x * x, axis=0) for p, x in ((first, x0), (last, x1)))
    ratio = (1 / m0 + 1 / m1) / 2 * s * (x0 + x1) - (q0 + q1) / 2 * s / (m0 * m1)
    worth = 2 * s - ratio if rule.penalty == "-" else ratio
    return np.where((m0 == 0) | (m1 == 0), s, worth) * rule.factor


def _rescaled(node: Node, before: Floats, after: Floats, place: int, w: Floats) -> Floats | float:
    """What a point of the head's figure is worth after it was normalised among all units; 1 where it was not."""
    if node.score is None:
        return 1.0
    missing = node.missing.model_copy(update={"rule": "renormalise"}) if node.missing.rule == "refuse" else node.missing
    y0, y1 = (combine(node.aggregation, missing, x[list(node.children)], w) for x in (before, after))
    moved = np.abs(y1 - y0) > 1e-9 * np.maximum(1.0, np.abs(y0))
    with np.errstate(all="ignore"):
        ratio = (after[place] - before[place]) / np.where(moved, y1 - y0, 1.0)
    return np.where(moved & np.isfinite(ratio), ratio, 0.0)
