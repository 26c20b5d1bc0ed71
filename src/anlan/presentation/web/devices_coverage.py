"""How far sites are fitted with the devices they should have, and what came today that could not be used."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.intake.models import Stray
from anlan.intake.sensors import coverage, device_model
from anlan.kernel.text import Text
from anlan.places.areas import at_day
from anlan.places.models import Area
from anlan.places.record import day_of
from anlan.places.scope import within
from anlan.places.site_kind import all_kinds
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name
from anlan.presentation.web.devices_page import TITLE
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, table

COVERAGE = Text(zh="安装覆盖", en="Coverage")


@needs("devices.see")
def cover(request: Asked) -> HttpResponse:
    """Which sites should be fitted, and how many are: by kind of site, and by the areas below."""
    rules = device_model.rules()
    path = request.area.path if request.area else ""
    kinds = all_kinds()
    found = coverage.by_kind(rules, path, among=request.reach.q("devices.see"))
    by_kind = [each for each in found if each.should]
    named = [(name(area), area.path) for area in _below(request)]
    by_area = [each for each in coverage.by_area(rules, named) if each.should]
    said = {
        "title": COVERAGE, "crumbs": [(TITLE, reverse("devices")), (COVERAGE, "")],
        "by_kind": _covers(by_kind, Text(zh="按场所类型", en="By kind of site"),
                           lambda each: kinds[each.name].title if each.name in kinds else each.name),
        "by_area": _covers(by_area, Text(zh="按辖区", en="By area"), lambda each: each.name),
        "strays": _strays(request),
    }  # fmt: skip
    return render(request, "devices/coverage.html", said)


def _below(request: Asked) -> list[Area]:
    """The areas right below the chosen one, or below one's own."""
    paths = [request.area.path] if request.area else request.reach.areas("devices.see")
    rows = at_day(day_of(request.at)).filter(within(request.reach.areas("devices.see"), "path"))
    return list(rows.filter(parent__path__in=paths).order_by("path")[:60])


def _covers(rows: list[coverage.Cover], caption: Text, first: Any) -> Any:
    columns = (
        Column(caption, first),
        Column(Text(zh="应装", en="Should have"), lambda each: each.should),
        Column(Text(zh="已装", en="Fitted"), lambda each: each.fitted),
        Column(COVERAGE, lambda each: f"{each.share:.0%}" if each.share is not None else None),
        Column(Text(zh="装了但失联", en="Fitted, silent"), lambda each: each.silent),
    )
    empty = Empty(
        Text(zh="没有应装设备的场所", en="No site that should be fitted"),
        Text(
            zh="哪类场所应装什么，写在 alarm_rules 的声明里。",
            en="Which sites should have what is declared in alarm_rules.",
        ),
    )
    return table(rows, columns, caption=caption, empty=empty, quiet_caption=True)


def _strays(request: Asked) -> Any:
    """What came today and could not be used; only for those who keep devices of the whole town."""
    if not request.reach.may("devices.edit"):
        return None
    rows = Stray.objects.filter(day=day_of(request.at)).exclude(reason="kept").order_by("-count")[:30]
    columns = (
        Column(Text(zh="来自", en="From"), lambda each: each.source),
        Column(Text(zh="线路", en="Wire"), lambda each: each.wire),
        Column(Text(zh="原因", en="Why"), lambda each: REASONS.get(each.reason, each.reason)),
        Column(Text(zh="今日条数", en="Today"), lambda each: each.count),
        Column(Text(zh="最近", en="Last"), lambda each: each.last_at),
    )
    empty = Empty(
        Text(zh="今天没有用不上的消息", en="Nothing unusable came today"),
        Text(
            zh="没登记的设备、读不懂的消息会计在这里。",
            en="Unregistered devices and unreadable messages are counted here.",
        ),
    )
    return table(
        rows,
        columns,
        caption=Text(zh="今天用不上的消息", en="What could not be used today"),
        empty=empty,
        quiet_caption=True,
    )


REASONS: Final = {
    "unknown": Text(zh="没有登记", en="not registered"),
    "retired": Text(zh="已停用", en="retired"),
    "network": Text(zh="网段不对", en="wrong network"),
    "model": Text(zh="型号没有声明", en="model not declared"),
    "json": Text(zh="不是 JSON", en="no JSON"),
    "kind": Text(zh="内容没有声明", en="words not declared"),
    "value": Text(zh="没有读数", en="no reading"),
    "size": Text(zh="太大", en="too large"),
    "error": Text(zh="保存出错", en="could not be kept"),
    "frame_start": Text(zh="数据包之间有杂字节", en="bytes between frames"),
    "frame_length": Text(zh="长度超限", en="too long"),
    "frame_end": Text(zh="没有结束符", en="no end"),
    "frame_cut": Text(zh="数据包断了", en="cut off"),
    "frame_checksum": Text(zh="校验和不符", en="wrong checksum"),
    "frame_command": Text(zh="命令不认识", en="unknown command"),
    "frame_fit": Text(zh="个数与长度不符", en="count does not fit"),
}
