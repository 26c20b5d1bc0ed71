"""What pages ask of the tallies: the right rows added up, in few queries, whatever the number of cases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anlan.casework import cases, counters, figures
from anlan.casework.cases import Doing, Opening
from anlan.casework.contribution import COLUMNS
from anlan.casework.figures import Daily, Durations
from anlan.casework.models import Case
from anlan.index.counting.rates import SHARES, rate
from anlan.kernel import catalogue
from anlan.places.models import Area
from world import World, world

DAY = date(2026, 3, 6)


@pytest.fixture
def town() -> World:
    return world()


def request(town: World, area: Area, *, topic: str = "street_order", days: int = 0, took: int | None = None) -> Case:
    """A request opened so many days after the town's first, and answered and rated after so many more."""
    at = town.at + timedelta(days=days)
    case = cases.open_case(
        Opening(procedure="request", area=area, title="诉求", topic=topic), by=town.grid_worker, at=at
    )
    if took is None:
        return case
    department = town.market if topic == "fire_exit" else town.housing
    handler = town.other_handler if topic == "fire_exit" else town.handler
    steps: list[tuple[Any, str, dict[str, Any]]] = [
        (town.triage, "assign", {"department": department.pk}),
        (handler, "answer", {"answer": "已修复"}),
        (town.triage, "rate", {"satisfaction": "satisfied"}),
    ]
    for number, (officer, act, data) in enumerate(steps):
        moment = at + timedelta(days=took if number == 2 else 0)
        cases.act(case.pk, Doing(act, data), by=officer, reach=town.reach(officer), at=moment)
    return case


def counted(*made: Case) -> None:
    counters.count_cases(case.pk for case in made)


@pytest.fixture
def three(town: World) -> World:
    """Two cases in the east (one answered after 3 days), one in the west answered after 20, two days later."""
    counted(
        request(town, town.grid, took=3),
        request(town, town.next_grid, topic="fire_exit"),
        request(town, town.west_grid, topic="fire_exit", days=2, took=20),
    )
    return town


def test_an_area_has_its_own_cases_and_those_of_all_below_it(three: World) -> None:
    reported = {
        area.name_zh: figures.sums(area.path)["reported"]
        for area in (three.county, three.east, three.west, three.village, three.grid, three.neighbour)
    }
    assert reported == {"甲县": 3, "东镇": 2, "西镇": 1, "东一村": 2, "东一村一网格": 1, "邻县": 0}


def test_days_narrow_a_figure_on_both_sides_and_include_both_ends(three: World) -> None:
    path = three.county.path
    later = DAY + timedelta(days=2)
    assert figures.sums(path, first=DAY, last=DAY)["reported"] == 2
    assert figures.sums(path, first=later)["reported"] == 1
    assert figures.sums(path, last=DAY)["closed"] == 1
    assert figures.sums(path, first=DAY, last=later)["closed"] == 2
    assert figures.sums(path, first=later + timedelta(days=2), last=later + timedelta(days=9)) == figures.nothing()


def test_a_department_and_a_topic_narrow_a_figure(three: World) -> None:
    path = three.county.path
    assert figures.sums(path, department=three.housing.pk)["handled"] == 1
    assert figures.sums(path, topic="fire_exit")["reported"] == 2
    assert figures.sums(path, topic="fire_exit", department=three.market.pk)["reported"] == 1


def test_areas_departments_and_topics_stand_side_by_side(three: World) -> None:
    path = three.county.path
    areas = figures.by_area([three.west.path, three.east.path, three.neighbour.path])
    assert [(path, figure["reported"]) for path, figure in areas.items()] == [
        (three.west.path, 1),
        (three.east.path, 2),
        (three.neighbour.path, 0),
    ]
    departments = figures.by_department(path)
    assert {pk: figure["closed"] for pk, figure in departments.items()} == {three.housing.pk: 1, three.market.pk: 1}
    topics = figures.by_topic(path)
    assert {topic: figure["reported"] for topic, figure in topics.items()} == {"street_order": 1, "fire_exit": 2}
    assert figures.total(areas.values()) == figures.sums(path)
    assert figures.total(topics.values()) == figures.sums(path)


def test_every_day_of_a_chart_is_there(three: World) -> None:
    chart = figures.daily(three.county.path, first=DAY, last=DAY + timedelta(days=4))
    assert [(day.opened, day.finished) for day in chart] == [(2, 0), (0, 0), (1, 0), (0, 1), (0, 0)]
    assert chart[0] == Daily(DAY, 2, 0)


def test_durations_are_exact_whether_short_or_long(three: World) -> None:
    found = figures.durations_by_area([three.county.path, three.east.path, three.neighbour.path])
    assert found[three.county.path] == Durations({3: 1, 20: 1})
    assert found[three.east.path] == Durations({3: 1})
    assert found[three.neighbour.path].percentile(0.5) is None
    assert found[three.neighbour.path].mean is None
    assert figures.percentile(three.county.path, 0.5) == 11.5
    assert figures.percentile(three.county.path, 0.5, department=three.market.pk) == 20
    assert figures.durations(three.county.path).mean == 11.5


@pytest.mark.parametrize("p", [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1])
def test_a_percentile_is_what_pandas_says(p: float) -> None:
    days = [0, 0, 1, 2, 2, 2, 3, 5, 8, 9, 13, 14, 14, 40, 365]
    for count in range(1, len(days) + 1):
        part = days[:count]
        found = Durations({day: part.count(day) for day in set(part)}).percentile(p)
        assert found == pd.Series(part).quantile(p)


def test_a_share_outside_none_and_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Durations({1: 1}).percentile(90)


def test_the_rates_of_an_area_come_from_its_figure(three: World) -> None:
    figure = figures.sums(three.county.path)
    shipped = catalogue.current().all(SHARES)
    assert rate(shipped["inTimeDisposeRate"], figure).value == 1.0
    assert rate(shipped["toArchiveRate"], figure).value == pytest.approx(1 / 3)
    assert rate(shipped["validReportRate"], figure).value == pytest.approx(2 / 3)


def test_each_answer_takes_one_query_and_a_duration_two(three: World) -> None:
    path = three.county.path
    day: dict[str, Any] = {"first": DAY, "last": DAY + timedelta(days=30)}
    children = [three.east.path, three.west.path]
    asked: list[tuple[int, Any]] = [
        (1, lambda: figures.sums(path, **day)),
        (1, lambda: figures.by_area(children, **day)),
        (1, lambda: figures.by_department(path, **day)),
        (1, lambda: figures.by_topic(path, **day)),
        (1, lambda: figures.daily(path, **day)),
        (2, lambda: figures.durations_by_area(children, **day)),
    ]
    for wanted, ask in asked:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask()
        assert len(queries) == wanted


def test_an_area_is_found_by_the_index_and_nothing_is_scanned(three: World) -> None:
    if connection.vendor != "sqlite":
        return
    with CaptureQueriesContext(connection) as queries:
        figures.sums(three.county.path, first=DAY)
        figures.by_area([three.east.path, three.west.path], first=DAY)
        figures.by_department(three.county.path, first=DAY)
        figures.by_topic(three.county.path, first=DAY)
        figures.durations(three.county.path, first=DAY)
    for query in queries.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
        assert "SCAN casework" not in plan
        assert "SEARCH casework" in plan


def test_counting_takes_as_many_queries_for_eleven_cases_as_for_one(town: World) -> None:
    made = [request(town, town.grid, days=number, took=number) for number in range(12)]

    def queries(part: list[Case]) -> int:
        with CaptureQueriesContext(connection) as found:
            counted(*part)
        return len(found)

    one, eleven = queries(made[:1]), queries(made[1:])
    assert eleven <= one + 1
    assert figures.sums(town.grid.path)["closed"] == 12
    assert set(figures.sums(town.grid.path)) == set(COLUMNS)
