"""Which figure holds for a period: its own before a later day's, else the latest that is not too old."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

import pyarrow as pa
import pytest

from anlan.index.counting import given
from anlan.index.counting.indicator import Measure
from anlan.index.counting.period import read
from anlan.index.counting.tree import Tree

TREE = Tree([], ["1/", "1/a/", "1/b/"])
Told = tuple[str, str, date, int, float]
JUNE: Told = ("1/a/", "2026-06", date(2026, 6, 30), 1, 6.0)
AUGUST: Told = ("1/a/", "2026-08", date(2026, 8, 31), 1, 8.0)


def held(rows: Iterable[Told], period: str = "2026-10", **more: object) -> dict[str, float]:
    """The figure that holds for each area."""
    names = "area_path", "period", "period_date", "version", "value"
    columns = {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    table = pa.table({**columns, "w0": [True] * len(columns["value"])})
    measure = Measure.model_validate({"table": "statistics", "measure": "given", "children": "none", **more})
    found = given.hold(given.figures(table, 0, TREE), measure, read(period), TREE, indicator="x")
    return {path: value for path, value in zip(TREE.paths, found, strict=True) if not math.isnan(value)}


@pytest.mark.parametrize(("carry", "found"), [(0, {}), (3, {}), (4, {"1/a/": 6.0}), (24, {"1/a/": 6.0})])
def test_a_figure_is_carried_so_many_months_and_no_longer(carry: int, found: dict[str, float]) -> None:
    assert held([JUNE], carry=carry) == found


def test_the_latest_figure_holds_and_none_from_after_the_period() -> None:
    after = ("1/a/", "2026-11", date(2026, 11, 30), 1, 11.0)
    assert held([AUGUST, JUNE, after], carry=24) == {"1/a/": 8.0}


def test_a_corrected_figure_holds_in_its_last_version() -> None:
    assert held([(*AUGUST[:3], 2, 80.0), AUGUST], carry=24) == {"1/a/": 80.0}


def test_the_figure_of_the_very_period_is_better_than_a_wider_one_that_ends_on_the_same_day() -> None:
    month, year = ("1/a/", "2026-12", date(2026, 12, 31), 1, 1.0), ("1/a/", "2026", date(2026, 12, 31), 1, 12.0)
    for rows in ([month, year], [year, month]):
        assert held(rows, "2026-12", carry=24) == {"1/a/": 1.0}
        assert held(rows, "2026", carry=24) == {"1/a/": 12.0}


def test_an_area_without_a_figure_has_the_sum_of_those_below_only_if_all_have_one() -> None:
    other = ("1/b/", *AUGUST[1:4], 2.0)
    assert held([AUGUST], carry=24, children="sum") == {"1/a/": 8.0}
    assert held([AUGUST, other], carry=24, children="sum") == {"1/": 10.0, "1/a/": 8.0, "1/b/": 2.0}
    assert held([AUGUST, other, ("1/", *AUGUST[1:4], 99.0)], carry=24, children="sum")["1/"] == 99.0
