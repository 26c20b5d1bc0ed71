"""Gaps filled, outliers treated and thin units put aside, by the rules an index declares.

Arrays stand periods × leaves × units and are changed in place; every cell that is filled is marked, every column that
is changed is told of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis, skew

from anlan.index.scoring.notes import Note
from anlan.index.scoring.panel import Codes, Floats, Status
from anlan.index.scoring.spec import Imputing, Screening, Treatment

Named = tuple[Sequence[str], Sequence[str]]
"""The keys of the leaves, and the periods."""


def screened(rule: Screening | None, value: Floats, units: Sequence[str]) -> NDArray[np.bool_]:
    """Which units have too little to be scored: periods × units."""
    found = np.zeros((value.shape[0], value.shape[2]), dtype=bool)
    if rule is None:
        return found
    leaves = value.shape[1]
    for time, values in enumerate(value):
        here = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            nonzero = (here & (values != 0)).sum(axis=0) / np.maximum(here.sum(axis=0), 1)
        found[time] = (here.sum(axis=0) < rule.present * leaves) | (nonzero < rule.nonzero)
    names = np.asarray(units, dtype=str)
    found[:, np.isin(names, rule.always)] = False
    found[:, np.isin(names, rule.never)] = True
    return found


def impute(
    rule: Imputing | None, value: Floats, status: Codes, groups: Mapping[str, NDArray[np.int64]],
    meant: Sequence[bool], named: Named,
) -> list[Note]:  # fmt: skip
    """Fill gaps; what cannot be filled stays a gap."""
    told: list[Note] = []
    for leaf in _meant(meant) if rule is not None else ():
        assert rule is not None
        column = value[:, leaf]
        gaps = np.isnan(column)
        if rule.method in {"mean", "median"}:
            filled = np.stack([_middle(rule, row, groups.get(rule.within)) for row in column])
        elif rule.method == "latest":
            filled = _latest(column, rule.carry)
        else:
            filled = _between(column)
        done = gaps & ~np.isnan(filled)
        column[done] = filled[done]
        status[:, leaf][done] = Status.IMPUTED
        told += [
            Note("imputed", named[0][leaf], named[1][time], int(row.sum()))
            for time, row in enumerate(done)
            if row.any()
        ]
    return told


def _middle(rule: Imputing, row: Floats, groups: NDArray[np.int64] | None) -> Floats:
    filled = np.full_like(row, np.nan)
    codes = np.zeros(len(row), dtype=np.int64) if groups is None else groups
    for group in np.unique(codes):
        here = (codes == group) & ~np.isnan(row)
        if here.any():
            filled[codes == group] = row[here].mean() if rule.method == "mean" else np.median(row[here])
    return filled


def _latest(column: Floats, carry: int | None) -> Floats:
    """The last value before, of periods × units."""
    filled = column.copy()
    age = np.zeros(column.shape[1])
    for time in range(1, len(column)):
        gap = np.isnan(column[time])
        age = np.where(gap, age + 1, 0)
        use = gap if carry is None else gap & (age <= carry)
        filled[time] = np.where(use, filled[time - 1], column[time])
    return filled


def _between(column: Floats) -> Floats:
    """On the line between the values before and after, of periods × units."""
    filled = column.copy()
    times = np.arange(len(column))
    for unit in np.flatnonzero(np.isnan(column).any(axis=0)):
        here = ~np.isnan(column[:, unit])
        if here.any():
            filled[:, unit] = np.interp(times, times[here], column[here, unit], left=np.nan, right=np.nan)
    return filled


def treat(rule: Treatment | None, value: Floats, meant: Sequence[bool], named: Named) -> list[Note]:
    """Draw outliers in. A column whose values are all alike, or of fewer than four, is left as it is."""
    told: list[Note] = []
    for leaf in _meant(meant) if rule is not None else ():
        assert rule is not None
        before = value[:, leaf].copy()
        for rows in [slice(None)] if rule.over == "panel" else [slice(at, at + 1) for at in range(len(value))]:
            column = value[rows, leaf]
            here = ~np.isnan(column)
            column[here] = treated(rule, column[here])
        for period, changed in zip(named[1], (value[:, leaf] != before) & ~np.isnan(before), strict=True):
            if changed.any():
                told.append(Note("treated", named[0][leaf], period, int(changed.sum())))
    return told


def treated(rule: Treatment, x: Floats) -> Floats:
    """Values without gaps, drawn in until they pass; in logarithms if that is not enough.

    Equal values are drawn in together. Where nearly all are alike, as in counts that are mostly 0, drawing in would
    leave nothing to tell units apart by; such a column stays as it is.
    """
    if passes(rule, x):
        return x
    high = skew(x) > 0
    drawn, kept = x, x
    while True:
        drawn = _drawn_in(drawn, high=high)
        if drawn.min() == drawn.max():
            return x
        if np.count_nonzero(drawn != x) > rule.most:
            break
        kept = drawn
        if passes(rule, drawn):
            return drawn
    if not rule.log:
        return kept
    spread = x.max() - x.min()
    logs: Floats = np.log(x - x.min() + 0.01 * spread) if high else -np.log(x.max() - x + 0.01 * spread)
    return logs


def passes(rule: Treatment, x: Floats) -> bool:
    """Whether values have no outliers to speak of (sample skewness and excess kurtosis, as spreadsheets give them)."""
    if x.size < 4 or x.min() == x.max():
        return True
    return bool(abs(skew(x, bias=False)) < rule.skew or kurtosis(x, bias=False) < rule.kurtosis)


def _drawn_in(x: Floats, *, high: bool) -> Floats:
    """The farthest values, all that are equal, set to the next one; as they are where there is no other."""
    farthest = x.max() if high else x.min()
    others = x[x != farthest]
    if not others.size:
        return x
    return np.where(x == farthest, others.max() if high else others.min(), x)


def _meant(meant: Sequence[bool]) -> list[int]:
    return [leaf for leaf, wanted in enumerate(meant) if wanted]
