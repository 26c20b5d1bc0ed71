"""The scorecard of a department: the indicators it answers for, what they lost, before, and beside others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render

from anlan.index.editions import scorecard
from anlan.index.editions.scorecard import DepartmentCard, NoDepartment, NotScored, Row
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound
from anlan.presentation.saying import name
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import asked, charts, words
from anlan.presentation.web.index.asked import Shade, Sight

TITLE: Final = Text(zh="部门成绩单", en="Department's scorecard")
PREFIX: Final = "department-"
MOST_AREAS: Final = 6
MOST_INDICATORS: Final = 16


@dataclass(frozen=True, slots=True)
class Answered:
    """An indicator the department answers for: its value, score, score before, and the points lost by it."""

    title: Text
    value: Text
    score: str
    shade: Shade | None
    before: str
    points: str
    url: str


def card(request: Asked, sight: Sight, key: str) -> HttpResponse:
    """The card of a department for the area of the address. Raises NotFound where it answers for nothing."""
    here = sight.scope(request)
    if here is None:
        raise NotFound
    try:
        found = scorecard.of_department(asked.up_to(sight, 1), here.path, key)
    except (NoDepartment, NotScored) as refusal:
        raise NotFound from refusal
    rows = scorecard.shortest(found.rows)
    areas = [(name(sight.named(path)), charts.figure(lost), sight.area_url(path))
             for path, lost in found.below[:MOST_AREAS]]  # fmt: skip
    said: dict[str, Any] = {
        "title": TITLE, "sight": sight, "here": here, "area": name(here), "department": found.title,
        "score": charts.figure(found.score), "lost": charts.figure(found.lost),
        "change": charts.change(found.score, found.before), "place": _place(found),
        "answered": [_answered(sight, here.path, row) for row in rows[:MOST_INDICATORS]],
        "more": len(rows) - MOST_INDICATORS, "areas": areas, "finding": _finding(found, rows),
        "crumbs": sight.crumbs((name(here), sight.area_url(here.path)), (found.title, "")),
    }  # fmt: skip
    return render(request, "index/card_department.html", said)


def _place(found: DepartmentCard) -> Text | None:
    """Where the department stands among those that answer for something here."""
    if found.place is None or found.several < 2:
        return None
    return Text(
        zh=f"{found.several} 个部门中得分率第 {found.place}（各部门指标不同，只作参考）",
        en=f"Place {found.place} of {found.several} departments by share of points (each has other indicators: for "
        "orientation)",
    )


def _answered(sight: Sight, path: str, row: Row) -> Answered:
    return Answered(
        row.title, words.with_unit(row.figure, sight.unit(row.key)),
        charts.figure(row.score, 1), sight.shade_at(row.score), charts.figure(row.before, 1),
        charts.figure(row.lost or 0.0), sight.indicator_url(row.key, path),
    )  # fmt: skip


def _finding(found: DepartmentCard, rows: Sequence[Row]) -> Text:
    title, first = found.title, rows[0]
    most = charts.figure(first.lost or 0.0)
    if most == charts.figure(0.0):
        return Text(
            zh=f"{title.zh}负责的 {len(rows)} 个指标没有失分",
            en=f"None of the {len(rows)} indicators of {title.en} lost points",
        )
    return Text(
        zh=f"{title.zh}负责的 {len(rows)} 个指标失 {found.lost:.2f} 分，最多的是{first.title.zh}（{most}）",
        en=f"The {len(rows)} indicators of {title.en} cost {found.lost:.2f} points, {first.title.en} most ({most})",
    )
