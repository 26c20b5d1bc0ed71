"""Working calendars, and the holiday notices laid over them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from anlan.kernel import catalogue
from anlan.kernel.calendar_spec import CALENDARS
from anlan.places import holidays
from anlan.places.models import Holiday
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Noun
from anlan.presentation.api.shapes import Given, Words, words
from anlan.presentation.permissions import NotPermitted
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.settings.system import may_load

router = Noun("calendars")


class CalendarRow(Schema):
    """`days` are those that a notice has set: true is a working day."""

    key: str
    title: Words
    days: dict[date, bool]


class Announced(Given):
    """The days a notice sets (true works, false is off) and the notice's number."""

    days: Annotated[dict[Day, bool], Field(min_length=1, max_length=400)]
    source: Annotated[str, Field(min_length=1, max_length=200)]


class Changed(Schema):
    changed: int


@router.get("", response=list[CalendarRow])
def list_(request: Asked) -> Any:
    """Every declared calendar with the days that notices have set."""
    days: dict[str, dict[date, bool]] = {}
    for key, day, works in Holiday.objects.order_by("date").values_list("calendar", "date", "is_working"):
        days.setdefault(key, {})[day] = works
    declared = catalogue.current().all(CALENDARS)
    return [{"key": key, "title": words(declared[key].title), "days": days.get(key, {})} for key in sorted(declared)]


@router.post("/{key}/days", response=Changed)
def announce(request: Asked, key: str, given: Announced) -> Any:
    """Lay a notice over a calendar; only whoever keeps the whole tree may, for everybody's deadlines hang on it."""
    if key not in catalogue.current().all(CALENDARS):
        raise found.Unknown(key, "key")
    if not may_load(request):
        raise NotPermitted
    return {"changed": holidays.load(key, given.days, given.source, by=request.user, at=request.at)}
