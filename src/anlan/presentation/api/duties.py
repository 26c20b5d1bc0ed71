"""Duties 1+X: who is responsible for what, where, from when; and the answer for one topic at one place."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from ninja import Query, Schema, Status

from anlan.intake.topic import TOPICS, lineage
from anlan.kernel import catalogue
from anlan.places import duties
from anlan.places.models import Duty
from anlan.places.record import day_of
from anlan.places.scope import on, under
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Id, Noun, Short
from anlan.presentation.api.shapes import (
    AreaName,
    DepartmentName,
    Given,
    Listing,
    OfficerName,
    Paging,
    area_name,
    department_name,
    listed,
    officer_name,
)
from anlan.presentation.web.frame import Asked

router = Noun("duties")


class DutyRow(Schema):
    """`topic` "" is every topic."""

    id: int
    topic: str
    area: AreaName
    department: DepartmentName
    officer: OfficerName | None
    deputy: OfficerName | None
    valid_from: date
    valid_to: date | None


class DutyFilters(Paging):
    area: Short = ""
    topic: Short | None = None
    day: Day | None = None


class Question(Schema):
    """Who answers for `topic` in `area` (a code) on `day` (today if not given)?"""

    area: Short
    topic: Short = ""
    day: Day | None = None


class Answer(Schema):
    """All null where nobody has the duty."""

    department: DepartmentName | None
    officer: OfficerName | None
    deputy: OfficerName | None
    duty: int | None


class NewDuty(Given):
    topic: Short = ""
    area: Short
    department: Short
    officer: Id | None = None
    deputy: Id | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None


class Ending(Given):
    day: Day | None = None


def row(duty: Duty) -> dict[str, Any]:
    return {
        "id": duty.pk,
        "topic": duty.topic,
        "area": area_name(duty.area),
        "department": department_name(duty.department),
        "officer": officer_name(duty.officer),
        "deputy": officer_name(duty.deputy),
        "valid_from": duty.valid_from,
        "valid_to": duty.valid_to,
    }


def _within(request: Asked, action: str) -> QuerySet[Duty]:
    mine = request.reach.q(action, area="area__path")
    return Duty.objects.filter(mine).select_related("area", "department", "officer", "deputy")


@router.get("", response=Listing[DutyRow])
def list_(request: Asked, given: Query[DutyFilters]) -> Any:
    """The duties within reach; with `day`, those that hold on it."""
    query = _within(request, "areas.see")
    if given.area:
        query = query.filter(under(found.area(request, given.area, "areas.see").path, "area__path"))
    if given.topic is not None:
        query = query.filter(topic=given.topic)
    if given.day:
        query = query.filter(on(given.day))
    return listed(request, query, given, order=("pk",), show=row)


@router.get("/responsible", response=Answer)
def responsible(request: Asked, given: Query[Question]) -> Any:
    """Who is responsible for this, here, today? The nearest area and the most specific topic go first."""
    area = found.area(request, given.area, "areas.see")
    chain = lineage(catalogue.current().all(TOPICS), found.topic(given.topic)) if given.topic else ("",)
    who = duties.responsible(chain, area.path, day=given.day or day_of(request.at))
    if who is None:
        return {"department": None, "officer": None, "deputy": None, "duty": None}
    return {
        "department": department_name(who.department),
        "officer": officer_name(who.officer),
        "deputy": officer_name(who.deputy),
        "duty": who.duty.pk,
    }


@router.post("", response={201: DutyRow})
def assign(request: Asked, given: NewDuty) -> Any:
    """Give a duty; whoever had it until then is relieved that day."""
    made = duties.assign(
        topic=found.topic(given.topic) if given.topic else "",
        area=found.area(request, given.area, "duties.edit"),
        department=found.department(request, given.department, "duties.edit"),
        officer=found.officer(request, given.officer, "duties.edit") if given.officer else None,
        deputy=found.officer(request, given.deputy, "duties.edit", field="deputy") if given.deputy else None,
        valid_from=given.valid_from or day_of(request.at),
        valid_to=given.valid_to,
        by=request.user,
        at=request.at,
    )
    return Status(201, row(made))


@router.post("/{duty_id}/end", response=DutyRow)
def end(request: Asked, duty_id: Id, given: Ending) -> Any:
    """The duty no longer holds from a day on (today if not given)."""
    duty = _within(request, "duties.edit").filter(pk=duty_id).first()
    if duty is None:
        raise found.Unknown(duty_id, "duty")
    return row(duties.end(duty, day=given.day or day_of(request.at), by=request.user, at=request.at))
