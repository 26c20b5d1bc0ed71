"""What was counted in the deepest areas, added up over time and up the tree of areas: every sum first, no division."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
from scipy import sparse

from anlan.index.counting.period import Period
from anlan.index.counting.plan import Grain, days
from anlan.index.counting.tree import NOWHERE, Ints, Tree, ordinal
from anlan.index.scoring.panel import Floats

_WIDE: Final = 1 << 22
"""Whole numbers that lie closer together are their own places."""


@dataclass(frozen=True, slots=True)
class Span:
    """Steps of time, both included; of a rolling window `horizon` days that end with `until`."""

    since: int
    until: int
    horizon: int = 0


@dataclass(frozen=True, slots=True)
class Cells:
    """Figures by deepest area and step of time, in its order: row by row the area's place, its step and `q` by horizon.

    `value` is the place of the row's value in `values`, in their order, where values are collected.
    """

    leaf: Ints
    t: Ints
    q: dict[int, Ints]
    counted: Floats
    value: Ints | None = None
    values: Any = None

    def within(self, span: Span | None) -> Any:
        """Which rows lie in a span; all of them in None."""
        if span is None:
            return slice(None)
        begin = int(np.searchsorted(self.t, span.since, side="left"))
        end = int(np.searchsorted(self.t, span.until, side="right"))
        if not span.horizon:
            return slice(begin, end)
        return begin + np.flatnonzero(self.q[span.horizon][begin:end] > span.until)


def read(rows: Any, tree: Tree, *, width: int, horizons: list[int], timed: bool) -> Cells:
    """An engine's answer as cells; what lies in no area is left out."""
    if "v0" in rows.column_names:
        return _unpacked(rows, tree, width=width, horizons=horizons, timed=timed)
    leaf = tree.places(rows["leaf"])
    t, q, order = _in_time(rows, leaf, horizons, timed=timed)
    counted = np.column_stack([_real(rows[f"c{number}"])[order] for number in range(width)])
    if "value" not in rows.column_names:
        return Cells(leaf[order], t, q, counted)
    values, places = _named(rows["value"], order)
    return Cells(leaf[order], t, q, counted, places, values)


def _in_time(rows: Any, leaf: Ints, horizons: list[int], *, timed: bool) -> tuple[Ints, dict[int, Ints], Ints]:
    """The rows that lie in an area, in the order of time: their steps, the steps by horizon, and where they stand."""
    t = _whole(rows["t"]) if timed else np.zeros(len(leaf), dtype=np.int64)
    order = np.arange(len(t)) if np.all(t[1:] >= t[:-1]) else np.argsort(t, kind="stable")
    order = order[leaf[order] != NOWHERE]
    return t[order], {length: _whole(rows[f"q{length}"])[order] for length in horizons} if timed else {}, order


def _unpacked(rows: Any, tree: Tree, *, width: int, horizons: list[int], timed: bool) -> Cells:
    """Cells from lists of values: v0, v1, … have those of each condition."""
    leaf = tree.places(rows["leaf"])
    t, q, order = _in_time(rows, leaf, horizons, timed=timed)
    found, row = [], []
    for number in range(width):
        lists = rows[f"v{number}"].combine_chunks().take(pa.array(order))
        lengths = np.asarray(lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)
        found.append(np.asarray(lists.flatten().to_numpy(zero_copy_only=False)))
        row.append(np.repeat(np.arange(len(order)), lengths))
    values, places = _coded(np.concatenate(found))
    rows_of = np.concatenate(row)
    if width == 1:
        counted = np.ones((len(rows_of), 1))
    else:
        which = np.repeat(np.arange(width), [len(each) for each in row])
        again = np.argsort(rows_of, kind="stable")
        rows_of, which, places = rows_of[again], which[again], places[again]
        counted = np.zeros((len(rows_of), width))
        counted[np.arange(len(rows_of)), which] = 1.0
    then = {length: each[rows_of] for length, each in q.items()}
    return Cells(leaf[order][rows_of], t[rows_of], then, counted, places, values)


def _named(column: Any, order: Ints) -> tuple[Any, Ints]:
    """The values of some rows and the place of each among them; in their order, where they are numbers."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return _coded(np.asarray(column.to_numpy())[order])
    coded = column.combine_chunks().dictionary_encode()
    places: Ints = np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)[order]
    return coded.dictionary, places


def _coded(found: Any) -> tuple[Any, Ints]:
    """The values there are, in order, and the place of each among them."""
    if found.dtype.kind == "i" and len(found) and int(found.max()) - int(found.min()) < _WIDE:
        least = int(found.min())
        return np.arange(least, int(found.max()) + 1), (found - least).astype(np.int64)
    values, places = np.unique(found, return_inverse=True)
    return values, places.astype(np.int64)


def step(day: date, grain: Grain) -> int:
    """The number of the step of time that a day lies in; as `queries.step`."""
    if grain == "day":
        return ordinal(day)
    months = day.year * 12 + day.month
    return months if grain == "month" else months * 3 + min((day.day - 1) // 10, 2)


def span(window: str, period: Period, grain: Grain) -> Span:
    """The steps of a window of a period."""
    until = step(period.last, grain)
    if window == "period":
        return Span(step(period.first, grain), until)
    if window.startswith("days:"):
        return Span(step(period.last - timedelta(days=days(window) - 1), grain), until, days(window))
    if window == "year_to_date":
        return Span(step(date(period.last.year, 1, 1), grain), until)
    return Span(step(_year_before(period.last + timedelta(days=1)), grain), until)


def so_far(period: Period, grain: Grain) -> Span:
    """Everything up to a period's end."""
    return Span(-(2**62), step(period.last, grain))


def sums(cells: Cells, tree: Tree, at: Span | None) -> Floats:
    """Sums of every column in a span for every area of the tree, all that lies in it: areas × columns."""
    rows = cells.within(at)
    leaf, counted = cells.leaf[rows], cells.counted[rows]
    pick = sparse.csc_matrix((np.ones(len(leaf)), leaf, np.arange(len(leaf) + 1)), shape=(len(tree), len(leaf)))
    found: Floats = np.asarray(tree.up @ (pick @ counted))
    return found


def collected(cells: Cells, tree: Tree, at: Span | None, column: int) -> Any:
    """How often each value occurs in a span under a condition, for every area: a sparse matrix areas × values."""
    rows = cells.within(at)
    assert cells.value is not None
    shape = (len(tree), len(cells.values))
    bag = sparse.csr_matrix((cells.counted[rows, column], (cells.leaf[rows], cells.value[rows])), shape=shape)
    found = (tree.up @ bag).tocsr()
    found.eliminate_zeros()
    return found


def distinct(bag: Any) -> Floats:
    """How many values each area has."""
    found: Floats = np.diff(bag.indptr).astype(np.float64)
    return found


def quantile(bag: Any, values: Any, share: float) -> Floats:
    """The value below which a share of each area's values lies, in proportion between two; NaN where there is none."""
    bag.sort_indices()
    counts = np.concatenate([[0.0], np.cumsum(bag.data)])
    begins, ends = counts[bag.indptr[:-1]], counts[bag.indptr[1:]]
    found = np.full(len(begins), np.nan)
    some = ends > begins
    at = share * (ends - begins - 1)[some]
    low, high = np.floor(at), np.ceil(at)
    known = np.asarray(values, dtype=np.float64)[bag.indices]
    lower, upper = (known[np.searchsorted(counts, begins[some] + rank, side="right") - 1] for rank in (low, high))
    found[some] = lower + (upper - lower) * (at - low)
    return found


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def _whole(column: Any) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _real(column: Any) -> Floats:
    return np.asarray(column.to_numpy(), dtype=np.float64)
