"""门口状态: each way in and out with its last message, how many come, what is held and how late: which one is stuck."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.intake.doors import Door
from anlan.kernel.text import Text
from anlan.places.scope import within
from anlan.presentation import doors as status
from anlan.presentation.permissions import needs
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lights import Light
from anlan.presentation.web.lists import Column, table
from anlan.presentation.web.reference import SETTINGS

TITLE = Text(zh="门口状态", en="Doors")
LIGHTS = {"well": "ok", "held": "soon", "silent": "late", "stuck": "late", "never": "none"}
NONE = Text(zh="–", en="–")


@needs("quarantine.see")
def index(request: Asked) -> HttpResponse:
    """Every door, the worst of each group first."""
    groups = status.every(at=request.at, here=within(request.reach.areas("quarantine.see")))
    said = {
        "title": TITLE, "crumbs": [(SETTINGS, reverse("settings")), (TITLE, "")],
        "well": status.are_well(groups), "tables": [_table(title, group) for title, group in groups],
    }  # fmt: skip
    return render(request, "settings/doors.html", said)


def _table(title: Text, group: list[Door]) -> Any:
    kind = group[0].kind
    more = {"loop": _LOOPS, "out": _OUT, "listener": _LISTENERS, "machine": _MACHINES}.get(kind, _CHANNELS)
    return table(group, (*_FIRST, *more), caption=title, wide=more is _CHANNELS, url=_url)


def _url(door: Door) -> str:
    return f"{reverse('quarantine')}?channel={door.key}" if door.held and ":" not in door.key else ""


def _state(door: Door) -> Light:
    return Light(LIGHTS[door.state], status.WORDS[door.state])


_FIRST = (
    Column(Text(zh="渠道", en="Door"), lambda door: door.title, sub=lambda door: door.says),
    Column(Text(zh="状态", en="State"), _state),
    Column(Text(zh="最近一次", en="Last"), lambda door: door.last_at or NONE),
)
_CHANNELS = (
    Column(Text(zh="近 1 小时", en="Last hour"), lambda door: door.hour),
    Column(Text(zh="近 24 小时", en="Last 24 h"), lambda door: door.day),
    Column(Text(zh="平日每天", en="Usual day"), lambda door: f"{door.usual:.1f}"),
    Column(Text(zh="待核", en="Held"), lambda door: door.held),
    Column(Text(zh="平均晚到", en="Delay"), lambda door: _span(door.delay)),
)
_MACHINES = (
    Column(Text(zh="今天投递", en="Today"), lambda door: door.day),
    Column(Text(zh="今天拒绝", en="Refused today"), lambda door: door.held),
)
_LISTENERS = (Column(Text(zh="今天用不上的", en="Of no use today"), lambda door: door.held),)
_OUT = (Column(Text(zh="未送到", en="Not arrived"), lambda door: door.held),)
_LOOPS = (Column(Text(zh="未处理", en="Unread"), lambda door: door.held),)


def _span(span: timedelta | None) -> Text:
    if span is None:
        return NONE
    seconds = round(span.total_seconds())
    if seconds < 120:
        return Text(zh=f"{seconds} 秒", en=f"{seconds} s")
    if seconds < 7200:
        return Text(zh=f"{seconds // 60} 分钟", en=f"{seconds // 60} min")
    return Text(zh=f"{seconds // 3600} 小时", en=f"{seconds // 3600} h")
