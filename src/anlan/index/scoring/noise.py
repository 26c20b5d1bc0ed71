"""How far a rate of few events can be trusted: intervals, rates drawn to those of the area above, and draws.

A rate is `numerator` events over `denominator`. "binomial": of so many, so many did (numerator ≤ denominator);
"poisson": so many happened to so many. Arrays may have any one shape; NaN goes in, NaN comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaincinv, ndtri

from anlan.index.scoring.framework import Framework
from anlan.index.scoring.groups import Labels
from anlan.index.scoring.panel import Floats, Panel
from anlan.index.scoring.scenarios import Workshop
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Refusal

Kind = Literal["binomial", "poisson"]
HALF: Final = 0.5
"""What is added to counts before a logarithm is taken, as the formulas below have it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which values a rate lies with the probability asked for, and its middle."""

    low: Floats
    middle: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Noise:
    """How a leaf's value came about: value = numerator / denominator × `per`. `shrink` is the label of units ("parent")
    to whose rate small ones are drawn; "" for none."""

    kind: Kind
    per: float = 1.0
    shrink: str = ""


class NoCounts(Refusal):
    """Rates cannot be drawn where the panel does not have what they were divided from."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"“{key}”没有分子分母，不能计算随机误差。", f"“{key}” has no numerator and denominator to draw from."
        )


class NoLabel(Refusal):
    """Rates are to be drawn to those of groups that nothing is told of."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        said = unknown("单位属性", "label of units", name, known)
        super().__init__(said.zh, said.en, field="shrink")


def interval(kind: Kind, numerator: Floats, denominator: Floats, *, level: float = 0.9) -> Interval:
    """The interval of each rate by itself.

    poisson: Garwood's exact interval (F. Garwood, Biometrika 28 (1936) 437–442); binomial: Jeffreys' (L. D. Brown,
    T. T. Cai, A. DasGupta, Statistical Science 16 (2001) 101–133), closed at 0 and 1.
    """
    tail = (1 - level) / 2
    r, n = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.where(n > 0, r / n, np.nan)
        if kind == "poisson":
            low = np.where(r > 0, gammaincinv(np.maximum(r, HALF), tail), 0.0) / n
            high = gammaincinv(r + 1, 1 - tail) / n
        else:
            rest = np.maximum(n - r, 0.0)
            low = np.where(r > 0, betaincinv(r + HALF, rest + HALF, tail), 0.0)
            high = np.where(rest > 0, betaincinv(r + HALF, rest + HALF, 1 - tail), 1.0)
    gone = np.isnan(middle)
    return Interval(np.where(gone, np.nan, low), middle, np.where(gone, np.nan, high))


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Rates drawn to those of their groups: `middle` and `spread` of each on the scale of logits (binomial) or
    logarithms (poisson), and the `weight` its own rate kept."""

    kind: Kind
    middle: Floats
    spread: Floats
    weight: Floats

    def rate(self, middle: Floats | None = None) -> Floats:
        """The rates, back from that scale."""
        m = self.middle if middle is None else middle
        found: Floats = 1 / (1 + np.exp(-m)) if self.kind == "binomial" else np.exp(m)
        return found

    def interval(self, *, level: float = 0.9) -> Interval:
        """Between which rates each lies."""
        reach = ndtri(1 - (1 - level) / 2) * self.spread
        return Interval(self.rate(self.middle - reach), self.rate(), self.rate(self.middle + reach))


def shrunk(kind: Kind, numerator: Floats, denominator: Floats, groups: NDArray[np.int64]) -> Shrunk:
    """Rates drawn to the rate of all units of the same group, the more the smaller they are.

    m = ln((r+½)/(n-r+½)), s² = (n+1)(n+2)/(n(r+1)(n-r+1)), M and the like for the group as a whole, t² = Σ(m-M)²/(k-1),
    w = (1/s²)/(1/s²+1/t²), m* = wm + (1-w)M (English Indices of Deprivation 2019, Technical report, appendix D). For
    poisson the same with m = ln((r+½)/n) and s² = 1/(r+½).
    """
    r, n = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    here = ~np.isnan(r) & (n > 0)
    own, spread = _logs(kind, np.where(here, r, 0.0), np.where(here, n, 1.0))
    above, between = np.full(r.shape, np.nan), np.full(r.shape, np.nan)
    for group in np.unique(groups):
        rows = here & (groups == group)
        if rows.any():
            whole, _ = _logs(kind, r[rows].sum()[None], n[rows].sum()[None])
            above[rows] = whole
            between[rows] = ((own[rows] - whole) ** 2).sum() / max(int(rows.sum()) - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(between > 0, (1 / spread) / (1 / spread + 1 / between), 0.0)
        left = np.where(between > 0, 1 / (1 / spread + 1 / between), 0.0)
    middle = weight * own + (1 - weight) * above
    gone = np.where(here, 0.0, np.nan)
    return Shrunk(kind, middle + gone, np.sqrt(left) + gone, weight + gone)


def _logs(kind: Kind, r: Floats, n: Floats) -> tuple[Floats, Floats]:
    if kind == "poisson":
        return np.log((r + HALF) / n), 1 / (r + HALF)
    rest = np.maximum(n - r, 0.0)
    return np.log((r + HALF) / (rest + HALF)), (n + 1) * (n + 2) / (n * (r + 1) * (rest + 1))


def draws(
    frame: Framework, panel: Panel, period: str, noise: Mapping[str, Noise], *,
    labels: Labels | None = None, count: int = 400, seed: int = 1,
) -> Floats:  # fmt: skip
    """The index of every unit (units × draws) when the events of each leaf named in `noise` happen again.

    Rates are drawn from what their counts leave open (Gamma(r+½)/n, Beta(r+½, n-r+½), or the normal of what they were
    drawn to); other leaves stay. The same seed gives the same draws. Raises NoCounts and NoLabel.
    """
    labels = labels or {}
    if panel.numerator is None or panel.denominator is None:
        raise NoCounts(next(iter(noise), ""))
    at = panel.periods.index(period)
    found = np.empty((len(panel.units), count))
    shop = Workshop(frame, panel, period, labels=labels)
    source = np.random.default_rng(seed)
    for number in range(count):
        drawn = panel.value[:, at].copy()
        for key, each in noise.items():
            column = panel.columns.index(key)
            r, n = panel.numerator[:, at, column], panel.denominator[:, at, column]
            here = ~np.isnan(drawn[:, column]) & ~np.isnan(r) & (n > 0)
            again = _drawn(each, r[here], n[here], _codes(each, labels, here), source) * each.per
            drawn[here, column] = again
        found[:, number] = shop.with_values(drawn)
    return found


def _codes(noise: Noise, labels: Labels, here: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    if not noise.shrink:
        return None
    if noise.shrink not in labels:
        raise NoLabel(noise.shrink, list(labels))
    codes: NDArray[np.int64] = np.unique(np.asarray(labels[noise.shrink], dtype=str), return_inverse=True)[1][here]
    return codes


def _drawn(noise: Noise, r: Floats, n: Floats, groups: NDArray[np.int64] | None, source: np.random.Generator) -> Floats:
    if groups is not None:
        found = shrunk(noise.kind, r, n, groups)
        return found.rate(found.middle + found.spread * source.standard_normal(len(r)))
    if noise.kind == "poisson":
        return source.standard_gamma(r + HALF) / n
    return source.beta(r + HALF, np.maximum(n - r, 0.0) + HALF)
