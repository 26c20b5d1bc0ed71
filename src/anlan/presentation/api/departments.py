"""Departments: the bodies that can be given a case."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query, Schema, Status
from pydantic import Field

from anlan.places import departments
from anlan.places.models import Department
from anlan.presentation.api import found
from anlan.presentation.api.frame import Line, Noun, Short
from anlan.presentation.api.shapes import (
    AreaName,
    Given,
    Listing,
    Paging,
    Said,
    Words,
    area_name,
    listed,
    name_of,
    text_of,
)
from anlan.presentation.web.frame import Asked

router = Noun("departments")
Key = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,60}$")]


class DepartmentRow(Schema):
    id: int
    key: str
    name: Words
    area: AreaName
    parent: int | None
    is_active: bool


class DepartmentFilters(Paging):
    q: Line = ""
    is_active: bool | None = None


class NewDepartment(Given):
    key: Key
    name: Said
    area: Short
    parent: Key | None = None


class DepartmentChange(Given):
    """What is not given stays; `is_active` false retires it: no new case goes there."""

    name: Said | None = None
    area: Short | None = None
    parent: Key | None = None
    is_active: bool | None = None


def row(department: Department) -> dict[str, Any]:
    return {
        "id": department.pk,
        "key": department.key,
        "name": name_of(department),
        "area": area_name(department.area),
        "parent": department.parent_id,
        "is_active": department.is_active,
    }


@router.get("", response=Listing[DepartmentRow])
def list_(request: Asked, given: Query[DepartmentFilters]) -> Any:
    """The departments of the areas within reach, and of those above, which answer for them too."""
    query = found.departments_within(request.reach, "areas.see")
    if given.q:
        query = query.filter(name_zh__icontains=given.q) | query.filter(name_en__icontains=given.q)
    if given.is_active is not None:
        query = query.filter(is_active=given.is_active)
    return listed(request, query, given, order=("key",), show=row)


@router.post("", response={201: DepartmentRow})
def create(request: Asked, given: NewDepartment) -> Any:
    """A new department, competent in `area`."""
    area = found.area(request, given.area, "departments.edit")
    parent = found.department(request, given.parent, "departments.edit", field="parent") if given.parent else None
    made = departments.create(
        given.key, name=text_of(given.name), area=area, parent=parent, by=request.user, at=request.at
    )
    return Status(201, row(made))


@router.get("/{key}", response=DepartmentRow)
def one(request: Asked, key: str) -> Any:
    """One department."""
    return row(found.department(request, key, "areas.see"))


@router.patch("/{key}", response=DepartmentRow)
def change(request: Asked, key: str, given: DepartmentChange) -> Any:
    """Rename, move, retire or bring back a department."""
    department = found.own_department(request, key, "departments.edit")
    changed = departments.change(
        department,
        name=text_of(given.name) if given.name else None,
        area=found.area(request, given.area, "departments.edit") if given.area else None,
        parent=found.department(request, given.parent, "departments.edit", field="parent") if given.parent else None,
        by=request.user,
        at=request.at,
    )
    if given.is_active is not None:
        verb = departments.restore if given.is_active else departments.retire
        changed = verb(changed, by=request.user, at=request.at)
    return row(changed)
