"""Figures from outside: what holds, whose areas one may see, and every correction that was made."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from anlan.intake.models import Statistic
from desk import at_desk, text
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def told(town: World, value: float, **more: Any) -> Statistic:
    columns: dict[str, Any] = {
        "figure": "常住人口",
        "area": town.grid,
        "period": "2026",
        "unit": "人",
        "source": "年报",
    }
    columns |= {"value": value, "at": town.at} | more
    return Statistic.objects.create(area_path=columns["area"].path, **columns)


def test_what_holds_is_listed_with_unit_and_source_and_what_was_corrected_is_not(town: World) -> None:
    told(town, 1204, is_current=False)
    told(town, 1206, version=2, source="更正函")
    shown = text(at_desk(town.analyst).get(reverse("given")))
    assert "1,206 人" in shown
    assert "更正函" in shown
    assert "更正过 1 次" in shown
    assert "1,204" not in shown


def test_one_figure_shows_every_version_the_latest_first(town: World) -> None:
    told(town, 1204, is_current=False)
    last = told(town, 1206, version=2)
    shown = text(at_desk(town.analyst, "en").get(reverse("given_one", args=[last.pk])))
    assert shown.index("1,206 人") < shown.index("1,204 人")
    assert "corrected since" in shown


def test_figures_of_areas_out_of_reach_are_neither_listed_nor_opened(town: World) -> None:
    row = told(town, 1204)
    stranger = at_desk(town.outsider)
    assert "1,204" not in text(stranger.get(reverse("given")))
    assert stranger.get(reverse("given_one", args=[row.pk])).status_code == 404


@pytest.mark.parametrize(("query", "count"), [("figure=机动车", 1), ("when=2025", 1), ("", 2)])
def test_the_list_is_narrowed_by_figure_and_period(town: World, query: str, count: int) -> None:
    told(town, 1204, period="2025", figure="户数")
    told(town, 88, figure="机动车")
    shown = text(at_desk(town.analyst).get(f"{reverse('given')}?{query}"))
    assert shown.count("data-row") == count


def test_the_list_costs_the_same_at_one_row_and_at_eleven(
    town: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    desk = at_desk(town.analyst)
    told(town, 1)
    desk.get(reverse("given"))
    for number in range(2):
        with django_assert_num_queries(QUERIES):
            assert desk.get(reverse("given")).status_code == 200
        for each in range(10 * (1 - number)):
            told(town, each, figure=f"第{each}项")


QUERIES = 6
