"""What a reviewer of an index looks at first: coverage, outliers, whether indicators belong where they stand, and
whether weights do what they say.

The limits are those of the audits of the European Commission's Joint Research Centre and of COINr's defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.stats import kurtosis, rankdata, skew

from anlan.index.scoring.composite import Scored
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.panel import Floats
from anlan.kernel.text import Text

Flag = Literal["coverage", "zeros", "outliers", "constant", "stray", "weak", "same", "against", "alpha", "weight"]
SAID: Final[dict[str, Text]] = {
    "coverage": Text(zh="有数的单位不足 65%", en="fewer than 65 % of units have a value"),
    "zeros": Text(zh="一半以上的数值为 0", en="more than half of the values are 0"),
    "outliers": Text(zh="有离群值（|偏度|>2 且峰度>3.5）", en="outliers (|skew| > 2 and kurtosis > 3.5)"),
    "constant": Text(zh="各单位数值全部相同", en="all values are alike"),
    "stray": Text(zh="与别的类比与自己的类更相关", en="goes more with another head than with its own"),
    "weak": Text(zh="与自己的类相关不足 0.3", en="hardly goes with its own head (below 0.3)"),
    "same": Text(zh="与自己的类几乎相同（相关高于 0.92）", en="nearly the same as its own head (above 0.92)"),
    "against": Text(zh="与自己的类方向相反", en="goes against its own head"),
    "alpha": Text(
        zh="各下级不成一体（克隆巴赫 α 低于 0.7）", en="its parts do not hang together (Cronbach's α below 0.7)"
    ),
    "weight": Text(zh="实际作用与权重相差一倍以上", en="counts for less than half or more than twice its weight"),
}
"""What each flag says."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One node. Numbers are NaN where they cannot be worked out; correlations are Pearson's between scores.

    `coverage` and `zeros` are shares of units; `own` the correlation with the parent, the node itself left in; `others`
    the strongest with another head of the parent's level, and `other` its key; `nominal` the declared weight in the
    index, `effective` what it has in effect: at every head, in proportion to the children's squared correlation with it
    (P. Paruolo, M. Saisana, A. Saltelli, J. R. Stat. Soc. A 176 (2013) 609–634); `alpha` of a head's children.
    """

    key: str
    parent: str
    coverage: float
    zeros: float
    skew: float
    kurtosis: float
    own: float
    others: float
    other: str
    nominal: float
    effective: float
    alpha: float
    flags: tuple[Flag, ...]


def audit(scored: Scored, period: str) -> list[Checked]:
    """Every head and leaf of the index, in its order, with what a reviewer would mark."""
    frame, at = scored.framework, scored.periods.index(period)
    made = scored.nodes_first(period)
    together = correlations(made)
    effective = _effective(frame, together)
    found = []
    for place, node in enumerate(frame.nodes):
        if node.parent < 0:
            continue
        x = scored.value[:, at, node.leaf] if node.leaf >= 0 else made[place]
        own = float(together[place, node.parent])
        rivals = [
            other for other, each in enumerate(frame.nodes)
            if each.leaf < 0 and each.depth == frame.nodes[node.parent].depth and other != node.parent
        ]  # fmt: skip
        strongest = max(rivals, key=lambda other: np.nan_to_num(together[place, other], nan=-2.0), default=-1)
        told = Checked(
            node.key, frame.nodes[node.parent].key, float(np.mean(~np.isnan(x))), _zeros(x), *_shape(x), own,
            float(together[place, strongest]) if strongest >= 0 else np.nan,
            frame.nodes[strongest].key if strongest >= 0 else "", float(frame.nominal[place]), float(effective[place]),
            cronbach(made[list(node.children)]) if node.children else np.nan, (),
        )  # fmt: skip
        found.append(_flagged(told, x, leaf=node.leaf >= 0, deep=node.depth > 1))
    return found


def _flagged(told: Checked, x: Floats, *, leaf: bool, deep: bool) -> Checked:
    here = x[~np.isnan(x)]
    constant = here.size > 0 and float(here.min()) == float(here.max())
    checks: dict[Flag, bool] = {
        "coverage": leaf and told.coverage < 0.65,
        "zeros": leaf and told.zeros > 0.5,
        "outliers": leaf and abs(told.skew) > 2 and told.kurtosis > 3.5,
        "constant": constant,
        "stray": deep and told.others > told.own,
        "weak": 0 <= told.own < 0.3,
        "same": leaf and told.own > 0.92,
        "against": told.own < 0,
        "alpha": told.alpha < 0.7,
        "weight": told.nominal > 0 and not 0.5 <= told.effective / told.nominal <= 2,
    }
    flags: tuple[Flag, ...] = tuple(name for name, wrong in checks.items() if wrong)
    fields = {name: getattr(told, name) for name in Checked.__slots__ if name != "flags"}
    return Checked(**fields, flags=flags)


def _shape(x: Floats) -> tuple[float, float]:
    here = x[~np.isnan(x)]
    if here.size < 4 or here.min() == here.max():
        return np.nan, np.nan
    return float(skew(here, bias=False)), float(kurtosis(here, bias=False))


def _zeros(x: Floats) -> float:
    here = x[~np.isnan(x)]
    return float(np.mean(here == 0)) if here.size else np.nan


def correlations(rows: Floats, *, by: Literal["value", "rank"] = "value") -> Floats:
    """The correlation of each row with each other over the units both have; NaN for rows of equal values."""
    here = ~np.isnan(rows)
    x = np.where(here, rankdata(rows, axis=1, nan_policy="omit") if by == "rank" else rows, 0.0)
    n = here.astype(float)
    count = n @ n.T
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (x.sum(axis=1) / n.sum(axis=1))[:, None]
        x = np.where(here, x - mean, 0.0)
        total, square = x @ n.T, (x * x) @ n.T
        covariance = x @ x.T - total * total.T / count
        spread = np.maximum(square - total**2 / count, 0.0)
        spread[spread <= 1e-20 * np.maximum(square, 1e-300)] = np.nan
        flat = np.array([row[ok].size < 2 or np.ptp(row[ok]) == 0 for row, ok in zip(rows, here, strict=True)])
        found: Floats = np.clip(covariance / np.sqrt(spread * spread.T), -1, 1)
    found[flat, :] = np.nan
    found[:, flat] = np.nan
    return found


def cronbach(rows: Floats) -> float:
    """Cronbach's α of rows of scores over the units that have them all; NaN for fewer than two rows that vary."""
    x = rows[:, ~np.isnan(rows).any(axis=0)]
    if len(x) < 2 or x.shape[1] < 3:
        return float("nan")
    whole = x.sum(axis=0).var(ddof=1)
    return float(len(x) / (len(x) - 1) * (1 - x.var(axis=1, ddof=1).sum() / whole)) if whole > 0 else float("nan")


def _effective(frame: Framework, together: Floats) -> Floats:
    """The weight of each node in effect, as said of `Checked`."""
    found = np.ones(len(frame.nodes))
    for place, node in enumerate(frame.nodes):
        children = list(node.children)
        ratio = np.nan_to_num(together[place, children] ** 2)
        if ratio.sum() > 0:
            found[children] = found[place] * ratio / ratio.sum()
        else:
            found[children] = np.nan
    return found
