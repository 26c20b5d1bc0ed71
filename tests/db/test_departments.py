"""Departments."""

from __future__ import annotations

import pytest

from anlan.kernel.text import Text
from anlan.ledger.events import history
from anlan.places import departments
from anlan.places.record import subject_of
from world import AT, World, world


@pytest.fixture
def town() -> World:
    return world()


def test_a_department_is_found_by_its_key(town: World) -> None:
    assert departments.find("housing") == town.housing
    with pytest.raises(departments.NoDepartment, match="hosing"):
        departments.find("hosing")


def test_a_key_is_given_once(town: World) -> None:
    with pytest.raises(departments.DepartmentRefused) as refused:
        departments.create("housing", name=Text(zh="住建", en="Housing"), area=town.east, by=None, at=AT)
    assert refused.value.field == "key"


def test_a_department_is_not_its_own_parent(town: World) -> None:
    with pytest.raises(departments.DepartmentRefused):
        departments.change(town.housing, parent=town.housing, by=None, at=AT)


def test_what_changed_is_in_the_ledger_and_what_did_not_is_not(town: World) -> None:
    by = town.administrator
    departments.change(town.housing, name=Text(zh="建设局", en="Housing"), by=by, at=AT)
    departments.change(town.housing, name=Text(zh="建设局", en="Housing"), area=town.county, by=by, at=AT)
    departments.retire(town.housing, by=by, at=AT)
    departments.retire(town.housing, by=by, at=AT)
    departments.restore(town.housing, by=by, at=AT)
    told = history(subject_of(town.housing))
    assert [event.kind for event in told] == [
        "department.created",
        "department.changed",
        "department.retired",
        "department.restored",
    ]
    assert told[1].data["fields"] == ["name_zh"]
