"""Small areas drawn towards the area above, as the English indices of deprivation do it (IoD 2019, appendix D).

m = ln((r+.5)/(n-r+.5)) of a share r/n, its variance s² = (n+1)(n+2)/(n(r+1)(n-r+1)); M the same of the area above; t²
the sum of (m-M)² over its k areas, over k-1; weight w = (1/s²)/(1/s²+1/t²); what is drawn is wm+(1-w)M, taken back to a
share. A rate that is no share (there may be more than one event to a resident) is drawn by its logarithm, ln((r+.5)/n),
with the variance 1/(r+.5) of a Poisson count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from anlan.index.panel import Floats
from anlan.index.period import Period
from anlan.index.tree import Flags, Ints, Tree, above


def shrunk(count: Floats, of: Floats, small: Flags, tree: Tree, period: Period, level: str) -> Floats:
    """The rates of small areas, drawn to the area of a level above each; NaN where there is none, or it has none."""
    levels = np.array(tree.levels(period.last))
    parents = _above_at(tree, levels, level)
    found = np.full(len(count), np.nan)
    share = bool(np.all((count >= 0) & ((count <= of) | np.isnan(of) | np.isnan(count))))
    for over in np.unique(parents[small & (parents >= 0)]):
        if not of[over] > 0:
            continue
        for kind in np.unique(levels[small & (parents == over)]):
            group = np.flatnonzero((parents == over) & (levels == kind) & ~np.isnan(count) & (of >= 0))
            found[group] = drawn(count[group], of[group], count[over], of[over], share=share)
    return found


def drawn(count: Floats, of: Floats, all_count: float, all_of: float, *, share: bool) -> Floats:
    """The rates of areas of one group, drawn to that of the whole they lie in."""
    link: Callable[[Floats, Floats], tuple[Floats, Floats]] = _logit if share else _log
    m, variance = link(count, of)
    [whole], _ = link(np.array([all_count]), np.array([all_of]))
    told = of > 0
    spread = float(np.sum((m[told] - whole) ** 2) / (told.sum() - 1)) if told.sum() > 1 else 0.0
    weight = np.divide(spread, variance + spread, out=np.zeros_like(m), where=np.isfinite(variance) & (spread > 0))
    m = np.where(told, m, whole)
    back: Floats = expit(weight * m + (1 - weight) * whole) if share else np.exp(weight * m + (1 - weight) * whole)
    return back


def _logit(r: Floats, n: Floats) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore"):
        return np.log((r + 0.5) / (n - r + 0.5)), (n + 1) * (n + 2) / (n * (r + 1) * (n - r + 1))


def _log(r: Floats, n: Floats) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore"):
        return np.log((r + 0.5) / n), 1 / (r + 0.5)


def _above_at(tree: Tree, levels: Any, level: str) -> Ints:
    """The place of the area of a level above each, not itself; -1 where there is none."""
    over = np.full(len(tree), -1, dtype=np.int64)
    for place, path in enumerate(tree.paths):
        higher = (tree.place[part] for part in above(path)[:-1])
        over[place] = next((one for one in higher if levels[one] == level), -1)
    return over
