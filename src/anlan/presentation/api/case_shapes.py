"""How a case is said in JSON, and how a list of cases is narrowed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from ninja import Schema
from pydantic import Field

from anlan.casework import timeline
from anlan.casework.draft import plan_of
from anlan.casework.models import Case
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Key, Line, Moment, Short
from anlan.presentation.api.shapes import (
    AreaName,
    DepartmentName,
    Given,
    OfficerName,
    Paging,
    Words,
    area_name,
    department_name,
    officer_name,
    words,
)
from anlan.presentation.web import case_filters
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lights import light_of

Light = Literal["late", "today", "soon", "ok", "still", "hung", "returned", "reworked"]
SHOWN = ("area", "lead", "handler", "site", "party")


class StepName(Schema):
    key: str
    title: Words
    public: Words


class CaseRow(Schema):
    """A case in a list. `light` is late, soon, ok, hung, paused, none or closed; `rev` guards the next act."""

    id: UUID
    number: str
    procedure: str
    edition: str
    title: str
    topic: str
    area: AreaName
    address: str
    site: str
    lead: DepartmentName | None
    handler: OfficerName | None
    step: StepName
    outcome: str
    light: str
    opened_at: datetime
    due_at: datetime | None
    provisional: bool
    closed_at: datetime | None
    rev: int


class CaseWhole(CaseRow):
    description: str
    channel: str
    lon: float | None
    lat: float | None
    party: str
    opened_by: OfficerName | None
    merged_into: UUID | None
    split_from: UUID | None
    clock: str
    warn_at: datetime | None
    returns: int
    extensions: int
    reworks: int
    reports: list[UUID]
    photos: list[dict[str, Any]]
    assisting: list[dict[str, Any]]


class CaseFilters(Paging):
    """The filters of the desk. `area` is a code, with all below it; `department` a key; `q` is sought in number, title
    and address (words among closed cases too: only those of the last 90 days, unless `since` says from when).
    """

    q: Line = ""
    area: Short = ""
    light: Light | Literal[""] = ""
    department: Short = ""
    topic: Short = ""
    procedure: Short = ""
    step: Short = ""
    mine: Literal["", "act", "opened", "handled", "involved"] = ""
    since: Day | None = None
    until: Day | None = None
    state: Literal["open", "closed", "all"] = "all"
    sort: Literal["opened", "due"] = "opened"


class Deed(Given):
    """An act. `data` holds the fields the act declares; `rev` is the one you saw; `key` is your own id for the deed."""

    act: Short
    data: dict[str, Any] = {}
    photos: Annotated[list[UUID], Field(max_length=30)] = []
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    rev: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    key: Key | None = None
    device_at: Moment | None = None


class Deeds(Given):
    """The same act on many cases."""

    cases: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    act: Short
    data: dict[str, Any] = {}
    key: Key | None = None
    device_at: Moment | None = None


class NewCase(Given):
    """A case to open. With `report` (its id) place and words come from it."""

    procedure: Short
    topic: Short
    report: UUID | None = None
    area: Short = ""
    title: Line = ""
    description: Annotated[str, Field(max_length=4000)] = ""
    address: Line = ""
    site: Short = ""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    key: Key | None = None


def row(case: Case, *, now: datetime) -> dict[str, Any]:
    """A case as `CaseRow`; its area, lead, handler and site are loaded already."""
    step = plan_of(case).procedure.steps[case.step]
    return {
        "id": case.pk,
        "number": case.number,
        "procedure": case.procedure,
        "edition": case.edition,
        "title": case.title,
        "topic": case.topic,
        "area": area_name(case.area),
        "address": case.address,
        "site": case.site.code if case.site else "",
        "lead": department_name(case.lead),
        "handler": officer_name(case.handler),
        "step": {"key": case.step, "title": words(step.title), "public": words(step.public)},
        "outcome": case.outcome,
        "light": light_of(case, now=now).key,
        "opened_at": case.opened_at,
        "due_at": case.due_at,
        "provisional": case.provisional,
        "closed_at": case.closed_at,
        "rev": case.rev,
    }


def whole(case: Case, *, now: datetime) -> dict[str, Any]:
    """A case as `CaseWhole`."""
    photos = case.case_photos.select_related("photo").order_by("photo__added_at", "pk")
    units = case.units.select_related("department").order_by("asked_at", "pk")
    return row(case, now=now) | {
        "description": case.description,
        "channel": case.channel,
        "lon": case.lon,
        "lat": case.lat,
        "party": case.party.name if case.party else "",
        "opened_by": officer_name(timeline.opener(case)),
        "merged_into": case.merged_into_id,
        "split_from": case.split_from_id,
        "clock": case.clock,
        "warn_at": case.warn_at,
        "returns": case.returns,
        "extensions": case.extensions,
        "reworks": case.reworks,
        "reports": list(case.case_reports.order_by("joined_at", "pk").values_list("report_id", flat=True)),
        "photos": [{"id": str(each.photo_id), "stage": each.photo.stage} for each in photos],
        "assisting": [
            {
                "department": department_name(unit.department),
                "task": unit.task,
                "due_at": unit.due_at,
                "done_at": unit.done_at,
            }
            for unit in units
        ],
    }


def narrowed(request: Asked, given: CaseFilters, *, action: str = "cases.see") -> QuerySet[Case]:
    """The cases within reach under the filters of the desk; what names nothing is refused, not overlooked."""
    if given.area:
        found.area(request, given.area, "cases.see")
    bar = case_filters.filters(request)
    known = bar.values()
    for field in ("topic", "procedure", "step"):
        value = getattr(given, field)
        if value and field not in known:
            raise found.Unknown(value, field)
    query = case_filters.narrowed(request, bar, given.state, action=action)[0]
    if given.department and "department" not in known:
        query = query.filter(lead=found.department(request, given.department, "cases.see"))
    return query


def ordered(query: QuerySet[Case], given: CaseFilters) -> tuple[QuerySet[Case], tuple[str, str]]:
    """The list and the columns it is paged by. By deadline, only what has one is listed."""
    if given.sort == "due":
        return query.filter(closed_at__isnull=True, due_at__isnull=False), ("due_at", "id")
    return query, ("-opened_at", "-id")


__all__ = [
    "SHOWN",
    "CaseFilters",
    "CaseRow",
    "CaseWhole",
    "Deed",
    "Deeds",
    "NewCase",
    "narrowed",
    "ordered",
    "row",
    "whole",
]
