"""Periods: their names, their bounds, and what comes before and after."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.index.counting.period import KINDS, NoPeriod, Period, PeriodKind, around, read

DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))
EACH_KIND = st.sampled_from(list(KINDS))


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-11-22", date(2026, 11, 22), date(2026, 11, 22)),
        ("2026-11-T1", date(2026, 11, 1), date(2026, 11, 10)),
        ("2026-11-T2", date(2026, 11, 11), date(2026, 11, 20)),
        ("2028-02-T3", date(2028, 2, 21), date(2028, 2, 29)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_name_gives_the_first_and_the_last_day(name: str, first: date, last: date) -> None:
    found = read(name)
    assert (found.first, found.last, found.name) == (first, last, name)


@pytest.mark.parametrize("name", ["", "2026-13", "2026-02-30", "2026-Q5", "2026-11-T4", "26-11", "0001", "2026-11-T0"])
def test_what_is_no_period_is_refused_and_told_how_to_write_one(name: str) -> None:
    with pytest.raises(NoPeriod, match="2026-Q4"):
        read(name)


@given(DAYS, EACH_KIND)
def test_periods_of_a_kind_follow_each_other_without_gap_and_their_names_sort_as_time(
    day: date, kind: PeriodKind
) -> None:
    one = around(day, kind)
    assert day in one
    assert read(one.name) == one
    assert one.before.after == one == one.after.before
    assert (one.after.first - one.last).days == 1
    assert one.before.name < one.name < one.after.name


def test_the_same_period_a_year_before() -> None:
    assert [read(name).last_year.name for name in ("2026-11", "2026-Q1", "2028-02-29", "2028-02-T3", "2026")] == [
        "2025-11",
        "2025-Q1",
        "2027-02-28",
        "2027-02-T3",
        "2025",
    ]


def test_a_period_is_said_in_both_languages() -> None:
    said = {name: read(name).words for name in ("2026-11-22", "2026-11-T3", "2026-11", "2026-Q4", "2026")}
    assert {name: words.zh for name, words in said.items()} == {
        "2026-11-22": "2026 年 11 月 22 日",
        "2026-11-T3": "2026 年 11 月下旬",
        "2026-11": "2026 年 11 月",
        "2026-Q4": "2026 年第四季度",
        "2026": "2026 年",
    }
    assert said["2026-11-T3"].en == "21st–end November 2026"
    assert set(KINDS) == set(get_args(PeriodKind))
    assert min(read("2026-12"), read("2026-11")) == Period(date(2026, 11, 1), date(2026, 11, 30), "month")
