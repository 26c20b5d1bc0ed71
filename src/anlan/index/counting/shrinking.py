"""Small areas drawn towards the area above, as the English indices of deprivation do it (IoD 2019, appendix D).

m = ln((r+.5)/(n-r+.5)) of a share r/n, its variance s² = (n+1)(n+2)/(n(r+1)(n-r+1)); M the same of the area above; t²
the sum of (m-M)² over its k areas, over k-1; weight w = (1/s²)/(1/s²+1/t²); what is drawn is wm+(1-w)M, taken back to a
share. A rate that is no share (there may be more than one event to a resident) is drawn by its logarithm, ln((r+.5)/n),
with the variance 1/(r+.5) of a Poisson count.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from anlan.index.counting.period import Period
from anlan.index.counting.tree import Tree
from anlan.index.scoring.panel import Floats


def shrunk(count: Floats, of: Floats, tree: Tree, period: Period, level: str) -> Floats:
    """The rates of areas, each drawn to that of the area of a level above it; NaN where there is none to draw to."""
    over = tree.over(period.last, level)
    known = (over >= 0) & ~np.isnan(count) & (of >= 0)
    known &= of[over] > 0
    share = bool(np.all((count[known] >= 0) & (count[known] <= of[known])))
    link: Callable[[Floats, Floats], tuple[Floats, Floats]] = _logit if share else _log
    m, variance = link(count, of)
    whole = m[over]
    groups, group = np.unique(np.stack([over, tree.ranks(period.last)]), axis=1, return_inverse=True)
    told = known & (of > 0)
    # Of nothing at all, bincount gives whole numbers.
    apart = np.bincount(group[told], weights=(m[told] - whole[told]) ** 2, minlength=groups.shape[1]).astype(np.float64)
    several = np.bincount(group[told], minlength=groups.shape[1])
    spread = np.divide(apart, several - 1, out=np.zeros(len(apart)), where=several > 1)[group]
    weight = np.divide(spread, variance + spread, out=np.zeros_like(m), where=told & (spread > 0))
    with np.errstate(invalid="ignore"):
        drawn = np.where(known, weight * np.where(told, m, whole) + (1 - weight) * whole, np.nan)
    return np.asarray(expit(drawn) if share else np.exp(drawn))


def _logit(r: Floats, n: Floats) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log((r + 0.5) / (n - r + 0.5)), (n + 1) * (n + 2) / (n * (r + 1) * (n - r + 1))


def _log(r: Floats, n: Floats) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log((r + 0.5) / n), 1 / (r + 0.5)
