"""Statistics: the counts and declared rates that the desk shows, kept by a follower, never counted while one waits."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

from ninja import Query, Schema

from anlan.casework import calls as told
from anlan.casework import figures as kept
from anlan.casework.figures import ALL, Durations, Figure
from anlan.index.counting.rates import SHARES, rates
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.places.models import Area, Department
from anlan.places.record import day_of
from anlan.places.scope import on
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Noun, Short
from anlan.presentation.api.shapes import Words, name_of
from anlan.presentation.web.frame import Asked

router = Noun("statistics")
LONGEST = 3660
USUAL = timedelta(days=29)


class Question(Schema):
    """An area (a code; the caller's own if not given) from day to day, the last 30 days if not given.

    `by` splits it: by the areas directly below, by department or by topic. `department` and `topic` narrow it.
    """

    area: Short = ""
    department: Short = ""
    topic: Short = ""
    since: Day | None = None
    until: Day | None = None
    by: Literal["", "area", "department", "topic"] = ""


class Share(Schema):
    """`value` is null where there was nothing to take a share of."""

    value: float | None
    numerator: int
    denominator: int


class Row(Schema):
    """`key` is an area's code, a department's key or a topic; "" for the whole. Days are local calendar days."""

    key: str
    name: Words | None
    counts: dict[str, int]
    rates: dict[str, Share]
    median_days: float | None
    ninetieth_days: float | None


class Figures(Schema):
    area: str
    since: date
    until: date
    rows: list[Row]


@router.get("", response=Figures)
def figures(request: Asked, given: Query[Question]) -> Any:
    """The counts and rates of an area, whole or split."""
    area = _area(request, given.area)
    first, last = _days(request, given)
    office = found.department(request, given.department, "statistics.see").pk if given.department else 0
    topic = found.topic(given.topic) if given.topic else ALL
    days: dict[str, Any] = {"first": first, "last": last}
    if given.by == "department":
        rows = _by_department(area, days | {"topic": topic})
    elif given.by == "topic":
        rows = _by_topic(area, days | {"department": office})
    else:
        areas = _below(area, last) if given.by == "area" else [area]
        rows = _by_area(areas, days | {"department": office, "topic": topic}, whole=given.by == "")
    return {"area": area.code, "since": first, "until": last, "rows": rows}


class CallQuestion(Schema):
    """An area (a code; the caller's own if not given) from day to day, the last 30 days if not given."""

    area: Short = ""
    since: Day | None = None
    until: Day | None = None


class CallFigures(Schema):
    """What was counted of police calls, and the shares made of it."""

    area: str
    since: date
    until: date
    counts: dict[str, int]
    rates: dict[str, Share]


@router.get("/calls", response=CallFigures)
def calls(request: Asked, given: Query[CallQuestion]) -> Any:
    """The figures of police calls: share of disputes, repeat rate, push rate, resolved rate."""
    area = _area(request, given.area)
    first, last = _days(request, Question(since=given.since, until=given.until))
    sums = told.figures(request.reach, area.path, first=first, last=last)[area.path]
    shares = {
        key: {"value": sums[above] / sums[below] if sums[below] else None, "numerator": sums[above],
              "denominator": sums[below]}
        for key, (_, above, below, _) in told.RATES.items()
    }  # fmt: skip
    return {"area": area.code, "since": first, "until": last, "counts": sums, "rates": shares}


def _area(request: Asked, code: str) -> Area:
    if code:
        return found.area(request, code, "statistics.see")
    own = found.areas_within(request, "statistics.see").filter(path__in=request.reach.areas("statistics.see"))
    first = own.order_by("path").first()
    if first is None:
        raise found.Unknown(code, "area")
    return first


def _days(request: Asked, given: Question) -> tuple[date, date]:
    last = given.until or day_of(request.at)
    first = given.since or last - USUAL
    if not timedelta(0) <= last - first <= timedelta(days=LONGEST):
        raise Refusal(
            "起止日期要先后有序，最多十年。", "The days must follow each other, over ten years at most.", field="until"
        )
    return first, last


def _below(area: Area, day: date) -> list[Area]:
    return list(Area.objects.filter(on(day), parent__path=area.path).order_by("path"))


def _by_area(areas: list[Area], asked: dict[str, Any], *, whole: bool) -> list[dict[str, Any]]:
    paths = [each.path for each in areas]
    sums, took = kept.by_area(paths, **asked), kept.durations_by_area(paths, **asked)
    return [_row("" if whole else each.code, name_of(each), sums[each.path], took[each.path]) for each in areas]


def _by_department(area: Area, asked: dict[str, Any]) -> list[dict[str, Any]]:
    sums, took = kept.by_department(area.path, **asked), kept.durations_by_department(area.path, **asked)
    named = Department.objects.in_bulk(sums)
    return [_row(named[pk].key, name_of(named[pk]), figure, took.get(pk)) for pk, figure in sums.items()]


def _by_topic(area: Area, asked: dict[str, Any]) -> list[dict[str, Any]]:
    return [_row(topic, None, figure, None) for topic, figure in kept.by_topic(area.path, **asked).items()]


def _row(key: str, name: dict[str, str] | None, sums: Figure, took: Durations | None) -> dict[str, Any]:
    shares = rates(catalogue.current().all(SHARES), sums)
    return {
        "key": key,
        "name": name,
        "counts": sums,
        "rates": {
            each: {"value": share.value, "numerator": share.numerator, "denominator": share.denominator}
            for each, share in shares.items()
        },
        "median_days": took.percentile(0.5) if took else None,
        "ninetieth_days": took.percentile(0.9) if took else None,
    }
