"""Statistics: the counts that the desk shows, kept by a follower, never counted while somebody waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal

from django.db.models import QuerySet, Sum
from ninja import Query, Schema

from anlan.casework.contribution import COLUMNS
from anlan.casework.models import Tally
from anlan.kernel.text import Refusal
from anlan.places.models import Area, Department
from anlan.places.record import day_of
from anlan.places.scope import on
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Noun, Short
from anlan.presentation.api.shapes import Words, name_of
from anlan.presentation.web.frame import Asked

router = Noun("statistics")
ALL_TOPICS, ALL_DEPARTMENTS = "*", 0
LONGEST = 3660
USUAL = timedelta(days=29)


class Question(Schema):
    """Counts of an area (a code; the caller's own if not given) from day to day, the last 30 days if not given.

    `by` splits them: by the areas directly below, by department, by topic or by day.
    """

    area: Short = ""
    department: Short = ""
    topic: Short = ""
    day_from: Day | None = None
    day_to: Day | None = None
    by: Literal["", "area", "department", "topic", "day"] = ""


class Row(Schema):
    """`key` is an area's code, a department's key, a topic or a day; "" for the whole."""

    key: str
    name: Words | None
    counts: dict[str, int]


class Figures(Schema):
    area: str
    day_from: date
    day_to: date
    rows: list[Row]


@router.get("", response=Figures)
def figures(request: Asked, given: Query[Question]) -> Any:
    """The counts of an area, whole or split."""
    area = _area(request, given.area)
    begins, ends = _days(request, given)
    rows = Tally.objects.filter(day__gte=begins, day__lte=ends)
    rows = (
        rows.filter(department=_department(given.department))
        if given.by != "department"
        else rows.exclude(department=0)
    )
    rows = rows.filter(topic=given.topic or ALL_TOPICS) if given.by != "topic" else rows.exclude(topic=ALL_TOPICS)
    split = {"": _whole, "area": _by_area, "department": _by_department, "topic": _by_topic, "day": _by_day}[given.by]
    return {"area": area.code, "day_from": begins, "day_to": ends, "rows": split(rows, area, ends)}


def _area(request: Asked, code: str) -> Area:
    if code:
        return found.area(request, code, "statistics.see")
    own = found.areas_within(request, "statistics.see").filter(path__in=request.reach.areas("statistics.see"))
    first = own.order_by("path").first()
    if first is None:
        raise found.Unknown(code, "area")
    return first


def _days(request: Asked, given: Question) -> tuple[date, date]:
    ends = given.day_to or day_of(request.at)
    begins = given.day_from or ends - USUAL
    if not timedelta(0) <= ends - begins <= timedelta(days=LONGEST):
        raise Refusal(
            "起止日期要先后有序，最多十年。", "The days must follow each other, over ten years at most.", field="day_to"
        )
    return begins, ends


def _department(key: str) -> int:
    if not key:
        return ALL_DEPARTMENTS
    pk = Department.objects.filter(key=key).values_list("pk", flat=True).first()
    if pk is None:
        raise found.Unknown(key, "department")
    return pk


SUMS = {name: Sum(name) for name in COLUMNS}


def _counts(sums: Mapping[str, Any]) -> dict[str, int]:
    return {name: sums[name] or 0 for name in COLUMNS}


def _whole(rows: QuerySet[Tally], area: Area, day: date) -> list[dict[str, Any]]:
    return [{"key": "", "name": name_of(area), "counts": _counts(rows.filter(area_path=area.path).aggregate(**SUMS))}]


def _by_area(rows: QuerySet[Tally], area: Area, day: date) -> list[dict[str, Any]]:
    below = {each.path: each for each in Area.objects.filter(on(day), parent__path=area.path).order_by("path")}
    summed = rows.filter(area_path__in=below).values("area_path").annotate(**SUMS)
    known = {sums["area_path"]: sums for sums in summed}
    nothing = dict.fromkeys(COLUMNS, 0)
    return [
        {"key": each.code, "name": name_of(each), "counts": _counts(known.get(path, nothing))}
        for path, each in below.items()
    ]


def _by_department(rows: QuerySet[Tally], area: Area, day: date) -> list[dict[str, Any]]:
    summed = list(rows.filter(area_path=area.path).values("department").annotate(**SUMS).order_by("department"))
    named = Department.objects.in_bulk([sums["department"] for sums in summed])
    return [
        {"key": named[sums["department"]].key, "name": name_of(named[sums["department"]]), "counts": _counts(sums)}
        for sums in summed
        if sums["department"] in named
    ]


def _by_topic(rows: QuerySet[Tally], area: Area, day: date) -> list[dict[str, Any]]:
    summed = rows.filter(area_path=area.path).values("topic").annotate(**SUMS).order_by("topic")
    return [{"key": sums["topic"], "name": None, "counts": _counts(sums)} for sums in summed]


def _by_day(rows: QuerySet[Tally], area: Area, day: date) -> list[dict[str, Any]]:
    summed = rows.filter(area_path=area.path).values("day").annotate(**SUMS).order_by("day")
    return [{"key": sums["day"].isoformat(), "name": None, "counts": _counts(sums)} for sums in summed]
