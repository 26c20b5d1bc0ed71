"""The ladder of years: what a row of passed years is called, and what a break does."""

from __future__ import annotations

import pytest

from anlan.index.rulebook.ladder import LADDERS, standing
from anlan.kernel import catalogue

SHIPPED = catalogue.current().get(LADDERS, "peace_tripod")


def row(passed: int, *, until: int = 2025) -> dict[int, bool]:
    return dict.fromkeys(range(until - passed + 1, until + 1), True)


@pytest.mark.parametrize(
    ("years", "called"),
    [
        (1, "平安牌"), (2, "平安牌"), (3, "平安鼎"), (6, "平安铜鼎"), (9, "平安银鼎"), (12, "平安金鼎"),
        (14, "平安金鼎"), (15, "一星平安金鼎"), (17, "一星平安金鼎"), (18, "二星平安金鼎"),
        (42, "十星平安金鼎"), (45, "十一星平安金鼎"),
        (75, "二十一星平安金鼎"),
    ],
)  # fmt: skip
def test_years_in_a_row_have_a_name(years: int, called: str) -> None:
    found = standing(SHIPPED, row(years))
    assert (found.years, found.broken_in) == (years, None)
    assert found.title is not None
    assert found.title.zh == called


def test_the_next_rung_is_told_with_the_years_it_takes() -> None:
    at = {years: standing(SHIPPED, row(years)) for years in (1, 4, 12, 16)}
    assert [(one.next_title.en, one.next_in) for one in at.values() if one.next_title] == [
        ("Tripod of peace", 2),
        ("Bronze tripod", 2),
        ("Gold tripod with 1 stars", 3),
        ("Gold tripod with 2 stars", 2),
    ]


def test_a_year_not_passed_or_not_told_begins_anew() -> None:
    broken = {**row(7, until=2020), 2021: False, **row(3)}
    found = standing(SHIPPED, broken)
    assert (found.years, found.broken_in) == (3, 2021 + 1)
    assert standing(SHIPPED, {2020: True, 2021: False}).title is None
    assert standing(SHIPPED, {}).next_in == 1


def test_a_ladder_may_fall_by_one_rung_only() -> None:
    kind = SHIPPED.model_copy(update={"reset": "rung"})
    assert standing(kind, {**row(7, until=2024), 2025: False}).years == 3
    assert standing(kind, {2024: True, 2025: False}).years == 0


def test_a_year_is_passed_by_its_points_and_without_a_veto() -> None:
    assert SHIPPED.passes(91.0)
    assert not SHIPPED.passes(90.9)
    assert not SHIPPED.passes(99.0, vetoed=True)
    assert not SHIPPED.passes(None)
