"""Figures from outside: what was told of which area and period, by whom, and every correction since."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.intake.models import Statistic
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name
from anlan.presentation.web import counted
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, Filter, Filters, page_of, table

TITLE = Text(zh="外部数据", en="Figures from outside")
FIGURE = Text(zh="指标", en="Figure")
PERIOD = Text(zh="期间", en="Period")
AREA = Text(zh="辖区", en="Area")
VALUE = Text(zh="数值", en="Value")
SOURCE = Text(zh="来源", en="Source")
MOST = 200
EMPTY = Empty(
    Text(zh="还没有外部数据", en="No figure from outside yet"),
    Text(
        zh="人口、车辆、满意度等用“统计数据”表导入后列在这里；更正会留下原来的数。",
        en="Population, vehicles, surveys and the like are listed here once a table of figures was imported; a "
        "correction leaves the earlier number standing.",
    ),
)


def number(row: Statistic) -> str:
    """The value as people write it, with its unit: every digit that was told, no more."""
    told = f"{row.value:,.10g}" if abs(row.value) < 1e10 else f"{row.value:,.0f}"
    return f"{told} {row.unit}".strip()


def visible(request: Asked) -> QuerySet[Statistic]:
    """The figures of the areas this person may see counts of."""
    return Statistic.objects.filter(request.reach.q(counted.ACTION)).select_related("area")


@needs(counted.ACTION)
def given(request: Asked) -> HttpResponse:
    """What holds now, the latest period first."""
    rows = visible(request).filter(is_current=True)
    figures = rows.order_by("figure").values_list("figure", flat=True).distinct()[:MOST]
    periods = rows.order_by("-period").values_list("period", flat=True).distinct()[:MOST]
    bar = Filters.of(
        request,
        [
            Filter("figure", FIGURE, choices=[(each, each) for each in figures], apply=_equal("figure")),
            Filter("when", PERIOD, choices=[(each, each) for each in periods], apply=_equal("period")),
        ],
        keep=("area",),
    )
    rows = bar.narrow(rows)
    if request.area:
        rows = rows.filter(area_path__startswith=request.area.path)
    page = page_of(rows, request, order=("-period", "figure", "area_path", "pk"))
    columns = (
        Column(FIGURE, lambda row: row.figure, sub=lambda row: name(row.area)),
        Column(PERIOD, lambda row: row.period),
        Column(VALUE, number, css="num", sub=_corrected),
        Column(SOURCE, lambda row: row.source),
        Column(Text(zh="收到", en="Received"), lambda row: row.at),
    )
    shown = table(page.items, columns, caption=TITLE, url=_url, page=page, empty=EMPTY, quiet_caption=True)
    said = {
        "title": TITLE, "tabs": counted.tabs(request, "given"), "table": shown, "filters": bar,
        "lead": Text(
            zh="从别处来、不由这里的事项数出的数：每个数有来源，更正留痕。",
            en="Numbers that come from elsewhere and are not counted here: each has its source, and corrections stay "
            "visible.",
        ),
    }  # fmt: skip
    return render(request, "cases/given.html", said)


@needs(counted.ACTION)
def given_one(request: Asked, pk: int) -> HttpResponse:
    """One figure with every version of it, the latest first."""
    row = visible(request).filter(pk=pk).first()
    if row is None:
        raise NotFound
    versions = visible(request).filter(figure=row.figure, area=row.area, period=row.period).select_related("batch")
    columns = (
        Column(Text(zh="第几版", en="Version"), lambda each: each.version, sub=_standing),
        Column(VALUE, number, css="num"),
        Column(SOURCE, lambda each: each.source),
        Column(Text(zh="收到", en="Received"), lambda each: each.at),
        Column(Text(zh="来自文件", en="From the file"), lambda each: each.batch.file_name if each.batch else None),
    )
    what = Text(zh=row.figure, en=row.figure)
    shown = table(versions.order_by("-version"), columns, caption=what, quiet_caption=True)
    lead = Text(zh=f"{row.area.name_zh} · {row.period}", en=f"{row.area.name_en} · {row.period}")
    crumbs = [(TITLE, reverse("given")), (what, "")]
    return render(request, "settings/list.html", {"title": what, "lead": lead, "table": shown, "crumbs": crumbs})


def _url(row: Statistic) -> str:
    return reverse("given_one", args=[row.pk])


def _equal(column: str) -> Any:
    return lambda rows, value: rows.filter(**{column: value})


def _corrected(row: Statistic) -> Text | None:
    if row.version == 1:
        return None
    return Text(zh=f"更正过 {row.version - 1} 次", en=f"corrected {row.version - 1} times")


def _standing(row: Statistic) -> Text:
    return Text(zh="现用", en="in force") if row.is_current else Text(zh="已被更正", en="corrected since")
