"""Who is responsible for this, here, today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from anlan.ledger.events import history
from anlan.places import departments, duties, officers
from anlan.places.models import Area, Department, Duty
from anlan.places.record import subject_of
from world import AT, FOUNDED, World, world

TODAY = AT.date()


@pytest.fixture
def town() -> World:
    return world()


def give(topic: str, area: Area, department: Department, **changed: Any) -> Duty:
    plain: dict[str, Any] = {"valid_from": FOUNDED, "by": None, "at": AT}
    return duties.assign(topic=topic, area=area, department=department, **{**plain, **changed})


def who(topic: str | list[str], area: Area, day: date = TODAY) -> str:
    found = duties.responsible(topic, area.path, day=day)
    return found.department.key if found else "nobody"


def test_a_duty_of_the_county_holds_in_its_grids(town: World) -> None:
    assert who("construction_site", town.grid) == "housing"


def test_nobody_is_responsible_beyond_the_county(town: World) -> None:
    assert who("construction_site", town.neighbour_grid) == "nobody"


def test_a_topic_without_its_own_duty_falls_to_the_one_for_every_topic(town: World) -> None:
    assert who("parking", town.grid) == "enforcement"


def test_the_nearest_area_goes_first(town: World) -> None:
    give("construction_site", town.east, town.fire)
    assert who("construction_site", town.grid) == "fire"
    assert who("construction_site", town.west_grid) == "housing"


def test_a_duty_for_the_topic_goes_before_a_nearer_one_for_every_topic(town: World) -> None:
    give("", town.village, town.market)
    assert who("construction_site", town.grid) == "housing"
    assert who("parking", town.grid) == "market"


def test_a_chain_of_topics_takes_the_most_specific_that_anybody_has(town: World) -> None:
    give("fire", town.county, town.market)
    assert who(["fire_exit", "fire"], town.grid) == "fire"
    assert who(["fire_equipment", "fire"], town.grid) == "market"


def test_a_new_duty_relieves_the_one_before_it_from_its_day(town: World) -> None:
    give("construction_site", town.county, town.market, valid_from=TODAY)
    assert who("construction_site", town.grid) == "market"
    assert who("construction_site", town.grid, TODAY - timedelta(days=1)) == "housing"


def test_an_ended_duty_is_nobodys_from_that_day(town: World) -> None:
    duty = give("gas_leak", town.county, town.fire)
    duties.end(duty, day=TODAY, by=town.administrator, at=AT)
    assert who("gas_leak", town.grid) == "enforcement"
    assert [event.kind for event in history(subject_of(duty))] == ["duty.assigned", "duty.ended"]


def test_the_deputy_answers_when_the_officer_has_left(town: World) -> None:
    found = duties.responsible("construction_site", town.grid.path, day=TODAY)
    assert found is not None
    assert (found.officer, found.deputy) == (town.handler, town.department_lead)
    officers.change(town.handler, is_active=False, by=None, at=AT)
    found = duties.responsible("construction_site", town.grid.path, day=TODAY)
    assert found is not None
    assert (found.officer, found.deputy) == (town.department_lead, None)


def test_a_retired_department_answers_for_nothing(town: World) -> None:
    departments.retire(town.housing, by=None, at=AT)
    assert who("construction_site", town.grid) == "enforcement"


def test_a_duty_is_refused_to_a_retired_department_to_one_person_twice_and_backwards(town: World) -> None:
    for wrong in (
        {"officer": town.handler, "deputy": town.handler},
        {"valid_from": TODAY, "valid_to": TODAY},
    ):
        with pytest.raises(duties.DutyRefused):
            give("gas_leak", town.county, town.housing, **wrong)
    departments.retire(town.market, by=None, at=AT)
    with pytest.raises(duties.DutyRefused, match="市场局"):
        give("gas_leak", town.county, town.market)


def test_the_question_is_one_query(town: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        found = duties.responsible("construction_site", town.grid.path, day=TODAY)
        assert found is not None
        assert found.department.name_zh == "住建局"
        assert found.officer is not None
        assert found.officer.name == "丁办"


def test_the_table_of_an_area_shows_what_holds_there(town: World) -> None:
    give("gas_leak", town.village, town.fire)
    shown = [(duty.topic, duty.department.key) for duty in duties.table(town.east.path, TODAY)]
    assert shown == [("gas_leak", "fire")]
    assert duties.table(town.county.path, TODAY).count() == 5
