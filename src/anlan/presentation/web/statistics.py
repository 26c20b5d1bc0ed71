"""Statistics: the declared rates per area or department for some days, with a chart whose title is the finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html

from anlan.casework import figures
from anlan.casework.figures import Durations, Figure
from anlan.index.counting.rates import SHARES, Rate, Share, in_order, rate
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name, say
from anlan.presentation.web import case_export, counted
from anlan.presentation.web.case_export import Out
from anlan.presentation.web.counted import Ground, Period, cases_url
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Row, Table, table

TITLE = Text(zh="统计", en="Figures")
NAMES = {"area": Text(zh="辖区", en="Area"), "department": Text(zh="主办部门", en="Lead department")}
OPENED = Text(zh="立案", en="Opened")
FINISHED = Text(zh="办结", en="Finished")
MEDIAN = Text(zh="办结用时中位数（天）", en="Median days to close")
NINETIETH = Text(zh="九成在几天内办结", en="Nine in ten closed within (days)")
FIRST = "inTimeDisposeRate"
MOST_BARS = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: an area or a department, its sums, its rates, and how long its cases took."""

    name: str
    sums: Figure
    rates: Mapping[str, Rate]
    took: Durations
    url: str
    pk: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What `parts/chart.html` draws."""

    id: str
    title: Text
    said: dict[str, Any]
    table: Table
    note: Text | None = None
    export_url: str = ""


@dataclass(slots=True)
class Sheet:
    """Everything a page or a file of statistics shows."""

    ground: Ground
    days: Period
    by: str
    shares: list[Share]
    rows: list[Measured] = field(default_factory=list)
    whole: Measured | None = None


def sheet(request: Asked) -> Sheet:
    """The figures of the address: area, days, and by area or by department."""
    ground, days = counted.ground(request), counted.period(request)
    by = "department" if request.GET.get("by") == "department" or not ground.below else "area"
    made = Sheet(ground, days, by, in_order(catalogue.current().all(SHARES)))
    paths = [ground.area.path, *(each.path for each in ground.below)] if by == "area" else [ground.area.path]
    sums = figures.by_area(paths, first=days.first, last=days.last)
    took = figures.durations_by_area(paths, first=days.first, last=days.last)
    made.whole = _measured(made, name(ground.area), sums[paths[0]], took[paths[0]], {"area": ground.area.code})
    if by == "area":
        made.rows = [
            _measured(made, name(each), sums[each.path], took[each.path], {"area": each.code}) for each in ground.below
        ]
    else:
        made.rows = _departments(made)
    made.rows.sort(key=lambda row: -row.sums["opened"])
    return made


def _departments(made: Sheet) -> list[Measured]:
    first, last, path = made.days.first, made.days.last, made.ground.area.path
    sums = figures.by_department(path, first=first, last=last)
    named = counted.named_departments(sums)
    took = figures.durations_by_department(path, first=first, last=last)
    return [
        _measured(made, name(named[pk]), figure, took.get(pk, Durations({})),
                  {"area": made.ground.area.code, "department": named[pk].key})
        for pk, figure in sums.items() if pk in named
    ]  # fmt: skip


def _measured(made: Sheet, title: str, sums: Figure, took: Durations, scope: dict[str, str]) -> Measured:
    days = {"since": made.days.first.isoformat(), "until": made.days.last.isoformat(), "state": "all"}
    found = {each.key: rate(each, sums) for each in made.shares}
    return Measured(str(title), sums, found, took, cases_url(**scope, **days), scope.get("department", scope["area"]))


@needs(counted.ACTION)
def statistics(request: Asked) -> HttpResponse:
    """The table of rates with its chart; every state is an address."""
    made = sheet(request)
    chosen = next((each for each in made.shares if each.key == request.GET.get("rate", FIRST)), None)
    chosen = chosen or made.shares[0]
    query = request.GET.urlencode()
    export = reverse("statistics_export") + (f"?{query}" if query else "")
    said = {
        "title": TITLE, "tabs": counted.tabs(request, "statistics"), "sheet": made, "chosen": chosen,
        "chart": chart_of(made, chosen, export) if made.rows else None, "table": table_of(made),
        "periods": counted.PERIODS, "names": NAMES, "export_url": export, "median": say_days(made.whole, 0.5),
        "ninetieth": say_days(made.whole, 0.9), "up": counted.upward(made.ground.area) if request.area else "",
        "can_area": bool(made.ground.below), "kept_span": _kept(request, "area", "by", "rate"),
        "kept_rate": _kept(request, "area", "by", "period", "from", "to"),
    }  # fmt: skip
    return render(request, "cases/statistics.html", said)


def _kept(request: Asked, *keys: str) -> list[tuple[str, str]]:
    return [(key, request.GET[key]) for key in keys if request.GET.get(key)]


def share(found: Rate) -> str:
    """A share as people write it; a dash where there was nothing to take a share of."""
    return "–" if found.value is None else f"{found.value * 100:.1f}%"


def say_days(row: Measured | None, part: float) -> str:
    """So many days as people write it."""
    days = row.took.percentile(part) if row is not None else None
    return "–" if days is None else f"{days:.3g}"


def table_of(made: Sheet) -> Table:
    """Every row with every rate; the name leads to the cases behind it."""
    columns = [
        Column(NAMES[made.by], lambda row: row.name),
        Column(OPENED, _count("opened"), css="num"),
        Column(FINISHED, _count("finished"), css="num"),
        *(Column(each.title, _cell(each), sub=_over(each), css="num") for each in made.shares),
        Column(MEDIAN, lambda row: say_days(row, 0.5), css="num"),
        Column(NINETIETH, lambda row: say_days(row, 0.9), css="num"),
    ]
    rows = [*made.rows, *([made.whole] if made.whole is not None else [])]
    shown = table(rows, columns, caption=made.days.title, url=lambda row: row.url, wide=True)
    if made.whole is not None:
        last = shown.rows[-1]
        total = Text(zh=f"{made.whole.name}（合计）", en=f"{made.whole.name} (all)")
        cells = [type(last.cells[0])(last.cells[0].column, total, None), *last.cells[1:]]
        shown.rows[-1] = Row(cells, last.url, last.light, last.key)
    return shown


def _cell(declared: Share) -> Any:
    """The share as a link to the cases that make it: those above the line, or where there are none, those below it."""

    def said(row: Measured) -> Any:
        found = row.rates[declared.key]
        if not found.denominator:
            return share(found)
        return linked(behind(row, declared.key if found.numerator else f"{declared.key}.of"), share(found))

    return said


def behind(row: Measured, figure: str) -> str:
    """The list of exactly the cases that count in a figure of this row."""
    return f"{row.url}&counted={figure}"


def linked(url: str, words: Any) -> Any:
    """A figure that leads to the cases behind it."""
    return format_html('<a href="{}">{}</a>', url, words)


def _count(column: str) -> Any:
    return lambda row: linked(behind(row, column), row.sums[column]) if row.sums[column] else 0


def _over(declared: Share) -> Any:
    """What the share came from, in small letters under it; each number leads to its cases."""

    def said(row: Measured) -> Any:
        found = row.rates[declared.key]
        if not found.denominator:
            return None
        above = linked(behind(row, declared.key), found.numerator) if found.numerator else found.numerator
        return format_html("{}/{}", above, linked(behind(row, f"{declared.key}.of"), found.denominator))

    return said


def chart_of(made: Sheet, declared: Share, export: str) -> Chart:
    """One rate across the rows, best first, with the whole area's for comparison in the title."""
    rated = [row for row in made.rows if row.rates[declared.key].value is not None]
    up = declared.better == "up"
    rated.sort(key=lambda row: row.rates[declared.key].value or 0.0, reverse=up)
    shown = rated[:MOST_BARS]
    values = [round((row.rates[declared.key].value or 0.0) * 100, 1) for row in shown]
    said = {
        "kind": "ranked", "unit": "%", "labels": [row.name for row in shown],
        "series": [{"name": say(declared.title), "values": values}],
        **({"max": 100} if up else {}),
    }  # fmt: skip
    columns = [
        Column(NAMES[made.by], lambda row: row.name),
        Column(declared.title, _cell(declared), sub=_over(declared), css="num"),
    ]
    twin = table(shown, columns, caption=declared.title, url=lambda row: row.url, quiet_caption=True)
    return Chart(f"rate-{declared.key}", finding(made, declared, rated), said, twin, declared.summary, export)


def finding(made: Sheet, declared: Share, rated: Sequence[Measured]) -> Text:
    """What the chart shows, in one sentence."""
    what = declared.title
    if not rated or made.whole is None:
        return Text(zh=f"{what.zh}：这段时间没有可算的事项", en=f"{what.en}: no case to reckon with in these days")
    whole = share(made.whole.rates[declared.key])
    best, worst = rated[0], rated[-1]
    if len(rated) == 1:
        one = share(best.rates[declared.key])
        return Text(zh=f"{best.name}的{what.zh}为 {one}", en=f"{what.en}: {best.name} {one}")
    top, low = share(best.rates[declared.key]), share(worst.rates[declared.key])
    if top == low:
        return Text(zh=f"{what.zh}都是 {top}", en=f"{what.en}: {top} everywhere")
    return Text(
        zh=f"{what.zh}整体 {whole}：{best.name}最好（{top}），{worst.name}垫底（{low}）",
        en=f"{what.en} {whole} overall: {best.name} does best ({top}), {worst.name} worst ({low})",
    )


@needs(counted.ACTION)
def statistics_export(request: Asked) -> HttpResponseBase:
    """The same table as an Excel file, with every count besides the rates."""
    made = sheet(request)
    rows = [*made.rows, *([made.whole] if made.whole is not None else [])]
    outs = [
        Out(NAMES[made.by], lambda row: row.name, 24),
        Out(OPENED, lambda row: row.sums["opened"]),
        Out(FINISHED, lambda row: row.sums["finished"]),
        *(out for each in made.shares for out in _outs(each)),
        Out(MEDIAN, lambda row: row.took.percentile(0.5), 20),
        Out(NINETIETH, lambda row: row.took.percentile(0.9), 20),
    ]
    return case_export.excel(f"statistics-{made.days.first}-{made.days.last}.xlsx", outs, rows)


def _outs(declared: Share) -> list[Out]:
    key, title = declared.key, declared.title
    top = Text(zh=f"{title.zh}·分子", en=f"{title.en}, numerator")
    under = Text(zh=f"{title.zh}·分母", en=f"{title.en}, denominator")
    return [
        Out(title, lambda row: row.rates[key].value, 12),
        Out(top, lambda row: row.rates[key].numerator, 12),
        Out(under, lambda row: row.rates[key].denominator, 12),
    ]
