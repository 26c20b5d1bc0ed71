"""The board: how many cases are open, late, due today and hung, below this area and with each department, now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case as When
from django.db.models import Count, IntegerField, Q, Sum, Value
from django.db.models import When as If
from django.db.models.functions import Substr
from django.http import HttpResponse
from django.shortcuts import render

from anlan.casework import figures
from anlan.casework.models import Case
from anlan.kernel.text import Text
from anlan.places.scope import under
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name, say
from anlan.presentation.web import counted
from anlan.presentation.web.counted import Ground, cases_url
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.inbox import end_of_day

TITLE = Text(zh="统计", en="Figures")
NOW = (
    ("open", Text(zh="在办", en="Open"), ""),
    ("late", Text(zh="超期", en="Overdue"), "late"),
    ("today", Text(zh="今天到期", en="Due today"), "today"),
    ("hung", Text(zh="挂账", en="Hung"), "hung"),
)
PAST = (
    ("returned", Text(zh="退回", en="Returned"), "returned"),
    ("reworked", Text(zh="返工", en="Reworked"), "reworked"),
)
NOBODY = Text(zh="（未派）", en="(not sent yet)")
Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the board: whose it is, where its own board is, and each count with the list behind it."""

    name: str
    url: str
    cells: list[dict[str, Any]]


@needs(counted.ACTION)
def board(request: Asked) -> HttpResponse:
    """The counts of now, from the open cases of the area, and the returns of thirty days, from the tallies."""
    ground, days = counted.ground(request), counted.period(request)
    by_area, by_lead = _now(ground, request)
    paths, columns = [ground.area.path, *(each.path for each in ground.below)], [key for key, _, _ in PAST]
    past_area = figures.by_area(paths, first=days.first, last=days.last, columns=columns)
    past_lead = figures.by_department(ground.area.path, first=days.first, last=days.last, columns=columns)
    whole = _added(by_area.values())
    since = {"since": days.first.isoformat(), "state": "all"}
    said = {
        "title": TITLE, "tabs": counted.tabs(request, "board"), "ground": ground, "days": days,
        "tiles": _cells(whole, past_area[ground.area.path], {"area": ground.area.code}, since),
        "heads": [title for _, title, _ in (*NOW, *PAST)],
        "areas": _area_lines(ground, by_area, past_area, since),
        "departments": _department_lines(ground, by_lead, past_lead, since),
        "up": counted.upward(ground.area) if request.area else "",
    }  # fmt: skip
    return render(request, "cases/board.html", said)


def _now(ground: Ground, request: Asked) -> tuple[dict[str, Counts], dict[int | None, Counts]]:
    """The counts by area directly below (what lies in none of them by the area's own path) and by lead department."""
    at, path = request.at, ground.area.path
    length = max((len(each.path) for each in ground.below), default=len(path))
    rows = (
        Case.objects.filter(under(path), closed_at=None)
        .order_by()
        .values("lead", head=Substr("area_path", 1, length))
        .annotate(
            open=Count("*"), late=_sum(Q(due_at__lt=at)), hung=_sum(Q(hung=True)),
            today=_sum(Q(due_at__gte=at, due_at__lt=end_of_day(at))),
        )
    )  # fmt: skip
    areas: dict[str, Counts] = {}
    leads: dict[int | None, Counts] = {}
    for row in rows:
        child = next((each.path for each in ground.below if row["head"].startswith(each.path)), path)
        areas[child] = _added([areas.get(child, {}), row])
        leads[row["lead"]] = _added([leads.get(row["lead"], {}), row])
    return areas, leads


def _sum(condition: Q) -> Sum:
    """How many rows the condition holds for, as one pass over the rows counts it."""
    return Sum(When(If(condition, then=Value(1)), default=Value(0), output_field=IntegerField()))


def _added(rows: Iterable[Mapping[str, Any]]) -> Counts:
    added: Counts = dict.fromkeys((key for key, _, _ in NOW), 0)
    for row in rows:
        for key in added:
            added[key] += row.get(key) or 0
    return added


def _cells(
    now: Mapping[str, int], past: Mapping[str, int], scope: dict[str, str], since: dict[str, str]
) -> list[dict[str, Any]]:
    """Each count with its title and the list behind it; how it looks says whether it is a bad one."""
    cells = []
    for key, title, light in NOW:
        cells.append(counted.figure(now.get(key, 0), cases_url(**scope, light=light)) | {"title": title, "key": key})
    for key, title, light in PAST:
        url = cases_url(**scope, **since, light=light)
        cells.append(counted.figure(past.get(key, 0), url) | {"title": title, "key": key})
    return cells


def _area_lines(
    ground: Ground, now: Mapping[str, Counts], past: Mapping[str, Counts], since: dict[str, str]
) -> list[Line]:
    lines = []
    for each in ground.below:
        cells = _cells(now.get(each.path, {}), past[each.path], {"area": each.code}, since)
        lines.append(Line(name(each), f"?area={each.code}", cells))
    return sorted(lines, key=lambda line: (-line.cells[1]["value"], -line.cells[0]["value"]))


def _department_lines(
    ground: Ground, now: Mapping[int | None, Counts], past: Mapping[int, Counts], since: dict[str, str]
) -> list[Line]:
    named = counted.named_departments({*now, *past})
    lines = []
    for pk in {*named, *([None] if None in now else [])}:
        who = name(named[pk]) if pk is not None else say(NOBODY)
        scope = {"area": ground.area.code, "department": named[pk].key if pk is not None else "-"}
        lines.append(Line(who, "", _cells(now.get(pk, {}), past.get(pk or 0, {}), scope, since)))
    return sorted(lines, key=lambda line: (-line.cells[1]["value"], -line.cells[0]["value"]))
