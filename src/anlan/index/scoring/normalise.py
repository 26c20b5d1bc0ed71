"""How a value becomes a score: every declared way, worked out for one column of values at a time.

A rule never turns a column into NaN because all its values are alike: what such a column is worth is declared, and it
is told. What was NaN stays NaN: what that means is for the level above to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.special import ndtri

from anlan.index.scoring.panel import Floats
from anlan.index.scoring.positions import Ties, positions
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Refusal

Direction = Literal["up", "down"]
Method = Literal[
    "identity", "goalposts", "quantiles", "minmax", "target", "zscore", "rank", "borda", "percentile", "percentile_max",
    "exp_rank", "normal_rank", "fraction_of_max", "distance_to_max", "distance_to_reference", "distance_to_target",
    "piecewise", "steps",
]  # fmt: skip
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "goalposts": ("low", "high"), "target": ("target",), "distance_to_target": ("target",),
    "distance_to_reference": ("reference",), "piecewise": ("points",), "steps": ("points",),
}  # fmt: skip
ABSOLUTE: Final = frozenset({"identity", "goalposts", "target", "piecewise", "steps"})
"""Methods by which no unit's score depends on another unit."""
AS_THEY_COME: Final = frozenset({"identity", "zscore", "rank", "borda", "normal_rank", "piecewise", "steps"})
"""Methods whose results are not shares, so that they are not spread over `scale`."""
CLIPPED: Final = frozenset({"goalposts", "quantiles", "target"})
RANKED: Final = frozenset({"rank", "borda", "percentile", "percentile_max", "exp_rank", "normal_rank"})


class Normalising(BaseModel):
    """A rule from values to scores. Steps, in order: `floor`/`cap`, `zeros`, `plus`, `log`, `method`, `power`, `clip`,
    `scale`, `places`.

    identity: the value itself (`better` down: its negative). goalposts: 0 at `low`, 1 at `high`, whichever is larger.
    quantiles: goalposts at the `share` and 1-`share` quantiles. minmax: 0 at the worst, 1 at the best value. target:
    the share of `target` reached, full at it. zscore: (x-mean)/sd to `mean` and `spread`. rank: the place from the
    worst (1) up. borda: rank-1. percentile: (rank-1)/(n-1). percentile_max: rank/n (ties share the highest place).
    exp_rank: -`decay` ln(1-R(1-exp(-100/`decay`)))/100 with R = rank/n, as the English indices of deprivation have it.
    normal_rank: the normal quantile of rank/(n+1). fraction_of_max: x/max (down: 1-x/max). distance_to_max:
    1-(max-x)/(max-min). distance_to_reference: the same with the value of the unit `reference` for max.
    distance_to_target: the same with `target`. piecewise: straight lines between `points` (value, score), flat outside.
    steps: the score of the last point at or below the value; below the first, the first's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = "goalposts"
    low: float | None = None
    high: float | None = None
    target: float | None = None
    reference: str = ""
    points: tuple[tuple[float, float], ...] = ()
    share: float = Field(default=0.05, ge=0, lt=0.5)
    decay: float = Field(default=23.0, gt=0)
    mean: float = 0.0
    spread: float = 1.0
    population: bool = False
    """The standard deviation divides by n, not n-1."""
    ties: Ties | None = None
    """Default: "max" for percentile_max, else "min"."""
    floor: float | None = None
    cap: float | None = None
    zeros: Literal["values", "missing", "worst", "best"] = "values"
    """What a value of exactly 0 is: a value as others; none; or the worst or best score, kept out of what the others
    are measured by."""
    plus: float = 0.0
    log: Literal["", "e", "2", "10"] = ""
    power: float = Field(default=1.0, gt=0)
    clip: bool | None = None
    """Whether shares are kept within 0 and 1. Default: for goalposts, quantiles and target."""
    scale: tuple[float, float] = (0.0, 100.0)
    over: str = "period"
    """Whose values it is measured by: those of the same "period", of the whole "panel", or of a period by its name."""
    within: str = ""
    """A key of the index's `peers`: each group is measured by itself."""
    constant: Literal["full", "middle", "zero"] = "middle"
    """What every unit gets where all values are alike, so that none can be told from another: the upper end, the
    middle or the lower end of the scale (of a z-score: its mean)."""
    places: int | None = Field(default=None, ge=0, le=12)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        lacking = [name for name in NEEDS.get(self.method, ()) if getattr(self, name) in (None, "", ())]
        if lacking:
            raise Misdeclared(
                f"方法 {self.method} 还缺 {'、'.join(lacking)}。",
                f"The method {self.method} also needs {', '.join(lacking)}.",
            )
        if self.low is not None and self.low == self.high:
            raise Misdeclared("low 与 high 不能相同。", "`low` and `high` must differ.")
        if self.target == 0 and self.method == "target":
            raise Misdeclared("目标值不能为 0，请用 goalposts。", "A target cannot be 0; use goalposts.")
        if self.within and self.over != "period":
            raise Misdeclared("within 与 over 不能同时使用。", "`within` and `over` cannot be used together.")
        values = [point[0] for point in self.points]
        if values != sorted(set(values)):
            raise Misdeclared("points 须按数值从小到大，不重复。", "`points` must stand by rising value, none twice.")
        return self

    @property
    def clipped(self) -> bool:
        """Whether shares are kept within 0 and 1."""
        return self.method in CLIPPED if self.clip is None else self.clip

    @property
    def tied(self) -> Ties:
        """How units of one value share a place."""
        return self.ties or ("max" if self.method == "percentile_max" else "min")

    @property
    def absolute(self) -> bool:
        """Whether a unit's score depends on its own value alone."""
        return self.method in ABSOLUTE


class NotReference(Refusal):
    """The unit that others are measured by is not there, or has no value."""

    def __init__(self, unit: str) -> None:
        super().__init__(
            f"参照单位“{unit}”不存在或没有数值，请改 reference。",
            f"The unit of reference “{unit}” is not there or has no value; change `reference`.",
            field="reference",
        )


class NotLog(Refusal):
    """A logarithm of nothing, or of less."""

    def __init__(self, value: float) -> None:
        super().__init__(
            f"有数值 {value:g} 不能取对数，请声明 floor、plus 或 zeros。",
            f"The value {value:g} has no logarithm; declare `floor`, `plus` or `zeros`.",
            field="log",
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one column; `constant` where all values were alike and the declared rule was used."""

    score: Floats
    constant: bool = False


def normalise(
    rule: Normalising, x: Floats, *, better: Direction, units: Sequence[str] = (), basis: Floats | None = None
) -> Scores:
    """The scores of `x` (one value a unit, NaN where there is none), measured by `basis` (default: `x`).

    Raises NotLog and NotReference.
    """
    sign = 1.0 if better == "up" else -1.0
    zero = (x == 0) if rule.zeros in {"worst", "best"} else None
    y = before(rule, x)
    z = y if basis is None else before(rule, basis)
    if rule.reference and rule.method == "distance_to_reference":
        column = _Column(rule, sign, y, z, _reference(rule, units, y if basis is None else z))
    else:
        column = _Column(rule, sign, y, z, math.nan)
    share, constant = _METHODS[rule.method](column)
    if constant:
        share = np.where(np.isnan(y), np.nan, {"full": 1.0, "middle": 0.5, "zero": 0.0}[rule.constant])
    return Scores(_after(rule, share, zero, constant=constant), constant)


def by_groups(
    rule: Normalising, x: Floats, groups: NDArray[np.int64], *, better: Direction, units: Sequence[str] = ()
) -> Scores:
    """As `normalise`, each group of units measured by itself; `groups` has a number for every unit, -1 for none."""
    score = np.full_like(x, np.nan)
    constant = False
    for group in np.unique(groups[groups >= 0]):
        which = np.flatnonzero(groups == group)
        found = normalise(rule, x[which], better=better, units=[units[int(row)] for row in which] if units else ())
        score[which] = found.score
        constant = constant or found.constant
    return Scores(score, constant)


def before(rule: Normalising, x: Floats) -> Floats:
    """What is done to a value before the method sees it. Raises NotLog."""
    y = x
    if rule.floor is not None or rule.cap is not None:
        y = np.clip(y, rule.floor, rule.cap)
    if rule.zeros != "values":
        y = np.where(x == 0, np.nan, y)
    if rule.plus:
        y = y + rule.plus
    if rule.log:
        if y.size and np.nanmin(y, initial=math.inf) <= 0:
            raise NotLog(float(np.nanmin(y)) - rule.plus)
        y = {"e": np.log, "2": np.log2, "10": np.log10}[rule.log](y)
    return y


@dataclass(frozen=True, slots=True)
class _Column:
    """A column on its way: `y` are the values, `z` those it is measured by, both after `before`."""

    rule: Normalising
    sign: float
    y: Floats
    z: Floats
    reference: float

    def bound(self, value: float | None) -> float:
        """A declared value as the values are: on the scale of the logarithm, where that was taken."""
        assert value is not None
        return float(before(self.rule.model_copy(update={"zeros": "values"}), np.array([value]))[0])

    def ends(self) -> tuple[float, float]:
        """The worst and the best value, in the direction that is up."""
        up = self.sign * self.z
        return float(np.nanmin(up, initial=math.inf)), float(np.nanmax(up, initial=-math.inf))


Shares = tuple[Floats, bool]


def _between(c: _Column, low: float, high: float) -> Shares:
    if not math.isfinite(low) or not math.isfinite(high) or low == high:
        return c.y, True
    return (c.sign * c.y - low) / (high - low), False


def _goalposts(c: _Column) -> Shares:
    low, high = c.bound(c.rule.low), c.bound(c.rule.high)
    return (c.y - low) / (high - low), False


def _quantiles(c: _Column) -> Shares:
    present = (c.sign * c.z)[~np.isnan(c.z)]
    if not present.size:
        return c.y, True
    low, high = np.quantile(present, [c.rule.share, 1 - c.rule.share])
    return _between(c, float(low), float(high))


def _target(c: _Column) -> Shares:
    target = c.bound(c.rule.target)
    if c.sign > 0:
        return c.y / target, False
    with np.errstate(divide="ignore"):
        return np.where(np.isnan(c.y), np.nan, np.where(c.y <= target, 1.0, target / c.y)), False


def _zscore(c: _Column) -> Shares:
    present = c.z[~np.isnan(c.z)]
    alike = present.size < 2 or present.min() == present.max()
    spread = 0.0 if alike else present.std(ddof=0 if c.rule.population else 1)
    # What differs by next to nothing has a spread of nothing, too: squares of so small numbers vanish.
    if spread == 0:
        return np.where(np.isnan(c.y), np.nan, c.rule.mean), False
    return c.sign * (c.y - present.mean()) / spread * c.rule.spread + c.rule.mean, False


def _rank(c: _Column) -> Shares:
    return positions(c.sign * c.y, c.rule.tied, among=c.sign * c.z), False


def _borda(c: _Column) -> Shares:
    return _rank(c)[0] - 1, False


def _alike(c: _Column) -> bool:
    low, high = c.ends()
    return low >= high


def _percentile(c: _Column) -> Shares:
    n = np.count_nonzero(~np.isnan(c.z))
    return (c.y, True) if _alike(c) else ((_rank(c)[0] - 1) / (n - 1), False)


def _percentile_max(c: _Column) -> Shares:
    n = np.count_nonzero(~np.isnan(c.z))
    return (c.y, True) if _alike(c) else (_rank(c)[0] / n, False)


def _exp_rank(c: _Column) -> Shares:
    share, constant = _percentile_max(c)
    if constant:
        return share, True
    decay = c.rule.decay
    return -decay * np.log1p(-np.minimum(share, 1) * -math.expm1(-100 / decay)) / 100, False


def _normal_rank(c: _Column) -> Shares:
    n = np.count_nonzero(~np.isnan(c.z))
    ranked: Floats = ndtri(_rank(c)[0] / (n + 1))
    return ranked * c.rule.spread + c.rule.mean, False


def _fraction_of_max(c: _Column) -> Shares:
    most = float(np.nanmax(c.z, initial=-math.inf))
    if not math.isfinite(most) or most == 0:
        return c.y, True
    return (c.y / most if c.sign > 0 else 1 - c.y / most), False


def _distance(c: _Column, best: float) -> Shares:
    return _between(c, c.ends()[0], best)


_METHODS: Final[dict[str, Callable[[_Column], Shares]]] = {
    "identity": lambda c: (c.sign * c.y, False),
    "goalposts": _goalposts,
    "quantiles": _quantiles,
    "minmax": lambda c: _between(c, *c.ends()),
    "target": _target,
    "zscore": _zscore,
    "rank": _rank,
    "borda": _borda,
    "percentile": _percentile,
    "percentile_max": _percentile_max,
    "exp_rank": _exp_rank,
    "normal_rank": _normal_rank,
    "fraction_of_max": _fraction_of_max,
    "distance_to_max": lambda c: _distance(c, c.ends()[1]),
    "distance_to_reference": lambda c: _distance(c, c.sign * c.reference),
    "distance_to_target": lambda c: _distance(c, c.sign * c.bound(c.rule.target)),
    "piecewise": lambda c: (np.interp(c.y, *_points(c.rule)), False),
    "steps": lambda c: (_steps(c), False),
}


def _points(rule: Normalising) -> tuple[list[float], list[float]]:
    return [point[0] for point in rule.points], [point[1] for point in rule.points]


def _steps(c: _Column) -> Floats:
    values, scores = _points(c.rule)
    at = np.clip(np.searchsorted(values, c.y, side="right") - 1, 0, None)
    return np.where(np.isnan(c.y), np.nan, np.asarray(scores)[at])


def _reference(rule: Normalising, units: Sequence[str], y: Floats) -> float:
    value = float(y[list(units).index(rule.reference)]) if rule.reference in units else math.nan
    if math.isnan(value):
        raise NotReference(rule.reference)
    return value


def _after(rule: Normalising, share: Floats, zero: NDArray[np.bool_] | None, *, constant: bool) -> Floats:
    bottom, top = rule.scale
    spread = rule.method not in AS_THEY_COME or constant
    score = share
    if spread:
        if rule.clipped:
            score = np.clip(score, 0, 1)
        if rule.power != 1:
            score = np.sign(score) * np.abs(score) ** rule.power
        score = score * (top - bottom) + bottom
    elif rule.clip:
        score = np.clip(score, bottom, top)
    if zero is not None:
        score = np.where(zero, bottom if rule.zeros == "worst" else top, score)
    return score if rule.places is None else np.round(score, rule.places)
