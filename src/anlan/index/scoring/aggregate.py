"""Children's scores become their parent's. Arrays stand children first: (children, …units), NaN where there is none.

Every mean here is quasi-arithmetic: g⁻¹(Σ share × g(child)) with shares that sum to 1 over the children that count.
`shares` says which count and how much, so that what a parent is made of can be told apart exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anlan.index.scoring.panel import Floats
from anlan.index.scoring.spec import Aggregation, Missing
from anlan.kernel.text import Refusal

PICKING: Final = frozenset({"min", "max", "median"})
MEANS: Final = frozenset({"arithmetic", "geometric", "harmonic", "power"})
SUMMED: Final = frozenset({"sum", "product"})
"""Methods by which the weights count as declared, not as shares of 1."""


class Incomplete(Refusal):
    """A child has no score, and the index wants none to be missing."""

    def __init__(self, key: str, units: int) -> None:
        super().__init__(
            f"“{key}”有 {units} 个单位缺下级得分，按规则（missing = refuse）不能计算；请补数或改规则。",
            f"“{key}” lacks scores below it for {units} units, which the index refuses; fill them or change `missing`.",
            field="missing",
        )
        self.key, self.units = key, units


@dataclass(frozen=True, slots=True)
class Scale:
    """What a mean is taken in: g, its inverse, and its slope."""

    into: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]


def _power(p: float) -> Scale:
    return Scale(lambda x: x**p, lambda m: m ** (1 / p), lambda x: p * x ** (p - 1))


PLAIN: Final = Scale(lambda x: x, lambda m: m, np.ones_like)
INVERSE: Final = _power(-1.0)
LOG: Final = Scale(np.log, np.exp, lambda x: 1 / x)


def scale(rule: Aggregation) -> Scale:
    """The scale in which the rule's mean is taken."""
    if rule.method in {"geometric", "product"}:
        return LOG
    if rule.method == "harmonic":
        return INVERSE
    return _power(rule.p) if rule.method == "power" and rule.p != 1 else PLAIN


def combine(rule: Aggregation, missing: Missing, x: Floats, w: Floats, *, key: str = "") -> Floats:
    """The parents' scores of `x` with weights `w` (one a child, or any shape that spreads over `x`).

    Raises Incomplete when the rule for what is missing says so.
    """
    if rule.method in MEANS and rule.best is None and rule.pad is None and np.min(w) > 0:
        lowest = np.min(x)
        if lowest >= 0 or (rule.method == "arithmetic" and not np.isnan(lowest)):
            return _plain(rule, x, w)
    share = shares(rule, missing, x, w, key=key)
    if missing.rule == "zero":
        x = np.where(np.isnan(x), 0.0, x)
    made = _made(rule, share, x)
    return made if rule.factor == 1 else made * rule.factor


def _plain(rule: Aggregation, x: Floats, w: Floats) -> Floats:
    """The mean of children none of which is missing, below 0 (but for arithmetic means) or without weight."""
    portion, g = w / w.sum(axis=0), scale(rule)
    # Child by child, so that a unit's score has the same bits wherever it stands in the array.
    with np.errstate(divide="ignore"):
        mean = np.zeros(x.shape[1:])
        for part, one in zip(portion, x, strict=True):
            mean += (part[:, None] if w.ndim > 1 else part) * (one if g is PLAIN else g.into(one))
        made: Floats = (mean if g is PLAIN else g.back(mean)) * rule.factor
    return made


def shares(rule: Aggregation, missing: Missing, x: Floats, w: Floats, *, key: str = "") -> Floats:
    """How much each child counts, after what is missing, picked or lacking is reckoned with; the shape of `x`.

    They sum to 1 (to less where zeros are added by `pad`; to the sum of the weights for sum and product), and are NaN
    where the parent has no score.
    """
    spread = np.broadcast_to(w.reshape(w.shape + (1,) * (x.ndim - w.ndim)), x.shape)
    here = ~np.isnan(x)
    whole = spread.sum(axis=0)
    held = np.where(here, spread, 0.0)
    none = _refused(missing, here, spread, held.sum(axis=0), whole, key)
    if missing.rule == "zero":
        held = spread
    picked = _picked(rule, np.where(here, x, 0.0) if missing.rule == "zero" else x, held)
    total = picked.sum(axis=0)
    count = np.count_nonzero(picked, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = picked / total
        if rule.method in SUMMED:
            share = share * whole
        if rule.pad is not None:
            share = share * np.minimum(count / rule.pad, 1)
    made: Floats = np.where(none | (total <= 0), np.nan, share)
    return made


def _refused(
    missing: Missing, here: NDArray[np.bool_], w: Floats, held: Floats, whole: Floats, key: str
) -> NDArray[np.bool_]:
    """Where the parent must have no score. Raises Incomplete."""
    lacking = (~here & (w > 0)).any(axis=0)
    if missing.rule == "refuse" and lacking.any():
        raise Incomplete(key, int(np.count_nonzero(lacking)))
    few = held < missing.at_least * whole * (1 - 1e-12)
    found: NDArray[np.bool_] = few | lacking if missing.rule == "none" else few
    return found


def _picked(rule: Aggregation, x: Floats, held: Floats) -> Floats:
    """The weights of those that count by the rule: all, the best, or the one in its place."""
    if rule.method in PICKING:
        return _one(rule.method, np.where(held > 0, x, np.nan))
    if rule.best is None or rule.best >= len(x):
        return held
    order = np.argsort(np.where(held > 0, -x, np.inf), axis=0, kind="stable")
    kept = np.zeros(x.shape, dtype=bool)
    np.put_along_axis(kept, order[: rule.best], values=True, axis=0)
    return np.where(kept, held, 0.0)


def _one(method: str, x: Floats) -> Floats:
    """1 at the child that is the lowest, the highest or the middle one; a half at each of two middle ones."""
    here = ~np.isnan(x)
    n = here.sum(axis=0)
    order = np.argsort(x, axis=0, kind="stable")
    if method == "min":
        low = high = np.zeros_like(n)
    elif method == "max":
        low = high = np.maximum(n - 1, 0)
    else:
        low, high = np.maximum(n - 1, 0) // 2, n // 2
    picked = np.zeros(x.shape)
    for place in (low, high):
        at = np.take_along_axis(order, np.minimum(place, len(x) - 1)[None], axis=0)
        np.put_along_axis(picked, at, np.take_along_axis(picked, at, axis=0) + 0.5, axis=0)
    return np.where(here, picked, 0.0)


def _made(rule: Aggregation, share: Floats, x: Floats) -> Floats:
    """The parents of children that count so much."""
    counts = share > 0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if rule.method == "ampi":
            return _penalised(rule, share, np.where(counts, x, 0.0))
        there = np.where(counts, x, 1.0)
        g = scale(rule)
        if g is not PLAIN:
            there = np.where(there < 0, np.nan, there)
        summed = (share * np.where(counts, g.into(there), 0.0)).sum(axis=0)
        made: Floats = np.asarray(g.back(summed), dtype=np.float64)
        return made


def _penalised(rule: Aggregation, share: Floats, x: Floats) -> Floats:
    mean: Floats = (share * x).sum(axis=0)
    spread = np.maximum((share * (x - mean) ** 2).sum(axis=0), 0.0)
    penalty: Floats = np.where(mean == 0, 0.0, spread / mean)
    return mean - penalty if rule.penalty == "-" else mean + penalty
