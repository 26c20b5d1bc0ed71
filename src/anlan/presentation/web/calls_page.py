"""Police calls: the figures by area and days, and behind each of them exactly the calls that were counted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.casework import calls
from anlan.casework.models import Call
from anlan.kernel.text import Text
from anlan.places.models import Area
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name
from anlan.presentation.web import counted
from anlan.presentation.web.case_rows import topic_title
from anlan.presentation.web.counted import Ground, Period
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, Filter, Filters, page_of, table
from anlan.presentation.web.pushes_page import where
from anlan.presentation.web.statistics import linked

TITLE = Text(zh="警情", en="Police calls")
FIGURE = Text(zh="哪些", en="Which")
EMPTY = Empty(
    Text(zh="这段时间没有警情", en="No call in these days"),
    Text(
        zh="接处警系统推来的警情会出现在这里；接入见“设置 › 推送接入”。",
        en="Calls that the police system posts come here; see Settings, Incoming channels.",
    ),
)


def _url(area: Area, days: Period, figure: str) -> str:
    query = {"area": area.code, "from": days.first.isoformat(), "to": days.last.isoformat(), "figure": figure}
    return f"{reverse('calls')}?{urlencode(query)}"


def rate(sums: dict[str, int], above: str, below: str) -> str:
    """A share as people write it; a dash where there was nothing to take a share of."""
    return f"{sums[above] / sums[below] * 100:.1f}%" if sums[below] else "–"


def _rows(request: Asked, ground: Ground, days: Period) -> list[tuple[Area, dict[str, int]]]:
    sums = calls.figures(request.reach, ground.area.path, first=days.first, last=days.last)
    nothing = dict.fromkeys(calls.FIGURES, 0)
    below = [(each, sums.get(each.path, nothing)) for each in ground.below]
    return [*sorted(below, key=lambda row: -row[1]["calls"]), (ground.area, sums[ground.area.path])]


@needs(counted.ACTION)
def figures(request: Asked) -> HttpResponse:
    """The figures of an area and those below it; every number leads to the calls it counts."""
    ground, days = counted.ground(request), counted.period(request)
    rows = _rows(request, ground, days)
    whole = rows[-1][1]
    columns = [
        Column(Text(zh="辖区", en="Area"), lambda row: name(row[0])),
        *(Column(title, _count(days, key), css="num") for key, (title, _) in calls.FIGURES.items()),
        *(
            Column(title, _rate(days, above, below), sub=_over(above, below), css="num")
            for title, above, below, _ in calls.RATES.values()
        ),
    ]
    shown = table(rows, columns, caption=days.title, url=lambda row: _url(row[0], days, "calls"), wide=True)
    said = {
        "title": TITLE, "tabs": counted.tabs(request, "call_figures"), "table": shown, "days": days, "ground": ground,
        "periods": counted.PERIODS, "finding": finding(whole), "whole": whole["calls"], "empty": EMPTY,
        "rates": [(title, how) for title, _, _, how in calls.RATES.values()],
        "up": counted.upward(ground.area) if request.area else "",
        "kept": [(key, request.GET[key]) for key in ("area",) if request.GET.get(key)],
    }  # fmt: skip
    return render(request, "cases/call_figures.html", said)


def finding(whole: dict[str, int]) -> Text:
    """What the figures say, in one sentence."""
    shares = {key: rate(whole, above, below) for key, (_, above, below, _) in calls.RATES.items()}
    return Text(
        zh=f"{whole['calls']} 起警情：纠纷占 {shares['dispute_share']}，重复报警 {shares['repeat_rate']}，"
        f"推送率 {shares['push_rate']}，化解率 {shares['resolved_rate']}",
        en=f"{whole['calls']} calls: disputes {shares['dispute_share']}, repeated {shares['repeat_rate']}, "
        f"pushed {shares['push_rate']}, resolved {shares['resolved_rate']}",
    )


def _count(days: Period, key: str) -> Any:
    return lambda row: linked(_url(row[0], days, key), row[1][key]) if row[1][key] else 0


def _rate(days: Period, above: str, below: str) -> Any:
    def said(row: Any) -> Any:
        share = rate(row[1], above, below)
        return linked(_url(row[0], days, above), share) if row[1][above] else share

    return said


def _over(above: str, below: str) -> Any:
    return lambda row: f"{row[1][above]}/{row[1][below]}" if row[1][below] else None


@needs(counted.ACTION)
def index(request: Asked) -> HttpResponse:
    """The calls of an area and some days that count in a figure, newest first."""
    ground, days = counted.ground(request), counted.period(request)
    choices = [(key, title) for key, (title, _) in calls.FIGURES.items()]
    bar = Filters.of(request, [Filter("figure", FIGURE, choices=choices)], keep=("area", "from", "to", "period"))
    rows = calls.counted(
        request.reach, ground.area.path, first=days.first, last=days.last, figure=bar.values().get("figure", "calls")
    )
    related = ("report", "report__area", "report__site", "case", "repeats__case")
    page = page_of(rows.select_related(*related), request, order=("-told_at", "-pk"))
    columns = (
        Column(Text(zh="地点", en="Where"), where, sub=lambda call: name(call.report.area)),
        Column(Text(zh="类别", en="Topic"), lambda call: topic_title(call.report.topic)),
        Column(Text(zh="报警时间", en="Called"), lambda call: call.told_at),
        Column(Text(zh="重复自", en="Repeats"), _repeats),
        Column(Text(zh="推送", en="Pushed"), lambda call: call.pushed),
        Column(Text(zh="化解", en="Resolved"), lambda call: call.resolved_at),
        Column(Text(zh="事项", en="Case"), lambda call: call.case.number if call.case else None),
    )
    shown = table(page.items, columns, caption=days.title, url=_case, page=page, empty=EMPTY)
    lead = Text(zh=f"{name(ground.area)} · {days.title.zh}", en=f"{name(ground.area)} · {days.title.en}")
    crumbs = [(TITLE, f"{reverse('call_figures')}?{urlencode({'area': ground.area.code})}"), (FIGURE, "")]
    said = {"title": TITLE, "lead": lead, "table": shown, "filters": bar, "crumbs": crumbs}
    return render(request, "settings/list.html", said)


def _repeats(call: Call) -> str | None:
    before = call.repeats
    if before is None:
        return None
    return before.case.number if before.case else f"{before.day}"


def _case(call: Call) -> str:
    return reverse("case", args=[call.case.number]) if call.case else ""
