"""The page of a case: one line, one thing to do, photos, clocks, map, what happened; the rest folded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from anlan.casework import draw
from anlan.casework.push import pushed_channels
from anlan.casework.timeline import Line, timeline
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name
from anlan.presentation.web import lights, mapping
from anlan.presentation.web.case_rows import headline, topic_title
from anlan.presentation.web.case_view import CaseView, Shot
from anlan.presentation.web.deadlines import time_left
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.pushes_page import panel

TITLE = Text(zh="事项", en="Cases")
MARKS = {"rang": "late", "return": "returned", "rework": "returned"}


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of the timeline with its photos."""

    line: Line
    photos: list[Shot]
    mark: str


@dataclass(frozen=True, slots=True)
class Part:
    """An assisting department with its own clock."""

    name: Text
    task: str
    asked_at: datetime
    left: Text | None
    done_at: datetime | None
    light: lights.Light


@needs("cases.see")
def case(request: Asked, number: str) -> HttpResponse:
    """The page of one case, in the drawer or on its own address."""
    view = CaseView.find(request, number)
    return render(request, "cases/case.html", page_of(view))


def page_of(view: CaseView) -> dict[str, Any]:
    """Everything the page shows."""
    photos = view.photos()
    told = timeline(view.case, view.events)
    running, stopped = view.clocks
    return {
        "title": headline(view.case),
        "view": view,
        "case": view.case,
        "crumbs": [(TITLE, reverse("cases")), (Text(zh=view.case.number, en=view.case.number), "")],
        "light": lights.light_of(view.case, now=view.request.at),
        "before": [each for each in photos.values() if each.photo.stage == "before"],
        "after": [each for each in reversed(photos.values()) if each.photo.stage == "after"],
        "running": running,
        "stopped": stopped,
        "parts": parts_of(view),
        "happened": [happened(line, photos) for line in reversed(told)],
        "map": map_of(view),
        "facts": facts_of(view),
        "public": view.step.public,
        "picture": picture(view),
        "panel": panel(view.request, view.case) if view.case.channel in pushed_channels() else None,
    }


def happened(line: Line, photos: dict[UUID, Shot]) -> Happened:
    """A line with the photos it brought; one that was closed, returned or late is marked."""
    return Happened(line, [photos[each] for each in line.photos if each in photos], MARKS.get(line.kind, ""))


def parts_of(view: CaseView) -> list[Part]:
    """The departments that assist, each with its own deadline."""
    named, at, found = view.departments(), view.request.at, []
    for asked in view.now.assisting.values():
        who = named.get(asked.department)
        if who is None:
            continue
        late = asked.due_at is not None and (asked.done_at or at) > asked.due_at
        left = None
        if asked.done_at is None and asked.due_at is not None and view.procedure.assisting is not None:
            left = time_left(asked.due_at, view.procedure.assisting.unit, view.draft.calendar, now=at)
        light = lights.LATE if late else lights.CLOSED if asked.done_at else lights.ON_TIME
        found.append(Part(Text(zh=who.name_zh, en=who.name_en), asked.task, asked.asked_at, left, asked.done_at, light))
    return found


def map_of(view: CaseView) -> mapping.Map | None:
    """Where it is: the case's area with the point, as far as either is known."""
    case = view.case
    shapes = [mapping.Shape(name(case.area), case.area.boundary, css="is-here")]
    points = []
    if case.lon is not None and case.lat is not None:
        light = lights.light_of(case, now=view.request.at)
        points = [mapping.Point(case.lon, case.lat, case.title, css=light.key)]
    return mapping.draw(shapes, points)


def facts_of(view: CaseView) -> list[tuple[Text, Any]]:
    """The facts that are folded away."""
    case = view.case
    handler = case.handler.name if case.handler else None
    return [
        (Text(zh="编号", en="Number"), case.number),
        (Text(zh="类别", en="Topic"), topic_title(case.topic)),
        (Text(zh="流程", en="Procedure"), view.procedure.title),
        (Text(zh="版本", en="Edition"), case.edition),
        (Text(zh="立案时间", en="Opened"), case.opened_at),
        (Text(zh="辖区", en="Area"), case.area),
        (Text(zh="地址", en="Address"), case.address),
        (Text(zh="责任主体", en="Responsible party"), case.party.name if case.party else None),
        (Text(zh="主办部门", en="Lead department"), case.lead),
        (Text(zh="经办人", en="Handler"), handler),
        (Text(zh="退回次数", en="Times returned"), case.returns or None),
        (Text(zh="延期次数", en="Times extended"), case.extensions or None),
        (Text(zh="返工次数", en="Times reworked"), case.reworks or None),
    ]


def picture(view: CaseView) -> SafeString:
    """The procedure as a river with the step marked where the case stands; its style lies in the page's own sheet."""
    drawn = draw.svg(view.procedure, view.request.lang, here=view.now.step)
    return mark_safe(drawn.replace(f"<style>{draw.STYLE}</style>", ""))  # noqa: S308 - drawn and escaped by `draw`
