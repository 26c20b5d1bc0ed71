"""Areas: the tree as it is and as it was, each with its map, and the changes that take effect on a day."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.kernel.seams import Hole, Overlap
from anlan.kernel.text import Refusal, Text
from anlan.places import areas, duties, seams
from anlan.places.models import Area, Site
from anlan.places.record import day_of
from anlan.places.scope import under, within
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name, say
from anlan.presentation.web import mapping
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, table

TITLE = Text(zh="辖区", en="Areas")
NAME = Text(zh="名称", en="Name")
NAME_ZH = Text(zh="中文名称", en="Chinese name")
NAME_EN = Text(zh="英文名称", en="English name")
CODE = Text(zh="编码", en="Code")
LEVEL = Text(zh="层级", en="Level")
DAY = Text(zh="从哪一天起", en="From which day")
NOT_GEOJSON = Text(
    zh="这不是有效的 GeoJSON；请粘贴 Polygon 或 MultiPolygon。",
    en="This is not GeoJSON; paste a Polygon or a MultiPolygon.",
)
ADD = Text(zh="新增下级", en="Add an area below")
RENAME = Text(zh="更名", en="Rename")
MOVE = Text(zh="划转", en="Move")
CLOSE = Text(zh="撤销", en="Close")
DRAW = Text(zh="修改边界", en="Draw the boundary")


def level_of(area: Area) -> Any:
    return areas.LEVELS.get(area.level, area.level)


def day_asked(request: Asked) -> date:
    """The day of `?day=`, today when none is given or it makes no sense."""
    today = day_of(request.at)
    try:
        return min(date.fromisoformat(request.GET.get("day", "")), today)
    except ValueError:
        return today


def find(request: Asked, code: str, *, action: str = "areas.see", day: date | None = None) -> Area:
    """The area `code` within reach on a day; raises `NotFound`."""
    area = areas.at_day(day or day_of(request.at)).filter(code=code).select_related("parent").first()
    if area is None or not request.reach.covers(action, area_path=area.path):
        raise NotFound
    return area


@needs("areas.see")
def index(request: Asked) -> HttpResponse:
    """The areas at the top of one's reach: a single one opens at once."""
    day = day_asked(request)
    tops = list(areas.at_day(day).filter(path__in=request.reach.areas("areas.see")))
    if len(tops) == 1:
        return redirect("area", code=tops[0].code)
    said = {"title": TITLE, "table": _below(tops, day), "may_add": False}
    return render(request, "places/areas.html", said)


def _below(rows: list[Area], day: date) -> Any:
    counts = _site_counts(rows)
    columns = (
        Column(NAME, name),
        Column(LEVEL, level_of),
        Column(Text(zh="编码", en="Code"), lambda area: area.code),
        Column(Text(zh="场所", en="Sites"), lambda area: counts.get(area.pk, 0), css="num"),
        Column(Text(zh="有边界", en="Boundary"), lambda area: area.boundary is not None),
    )
    return table(
        rows,
        columns,
        caption=Text(zh=f"共 {len(rows)} 个", en=f"{len(rows)} areas"),
        url=lambda area: reverse("area", args=[area.code]),
        drawer=False,
    )


def _site_counts(rows: list[Area]) -> dict[int, int]:
    """Sites in use in each area and all below it; one query."""
    sums = {f"n{area.pk}": Count("pk", filter=under(area.path)) for area in rows[:200]}
    found = Site.objects.filter(within(area.path for area in rows), is_active=True).aggregate(**sums) if rows else {}
    return {int(key[1:]): value for key, value in found.items()}


@needs("areas.see")
def one(request: Asked, code: str) -> HttpResponse:
    """One area on a day: its map, what lies below it, who answers for it."""
    day = day_asked(request)
    area = find(request, code, day=day)
    children = list(areas.children(area, day))
    shapes = [mapping.Shape(name(each), each.boundary, reverse("area", args=[each.code])) for each in children]
    ground = [mapping.Shape(name(area), area.boundary)]
    drawn = mapping.draw(shapes, around=ground) if any(s.boundary for s in shapes) else mapping.draw(ground)
    may_edit = day == day_of(request.at) and request.reach.covers("areas.edit", area_path=area.path)
    said = {
        "title": name(area),
        "area": area,
        "day": day,
        "facts": _facts(area),
        "map": drawn,
        "table": _below(children, day),
        "has_children": bool(children),
        "duties": list(duties.table(area.path, day).filter(area=area)[:30]),
        "may_edit": may_edit,
        "seams": _seams(area, day, children) if may_edit else None,
        "crumbs": _trail(request, area, day),
    }
    return render(request, "places/area.html", said)


MOST_SEAMS = 50


def _seams(area: Area, day: date, children: list[Area]) -> dict[str, Any] | None:
    """What does not fit of the boundaries below, as the page lists it, the largest first; None when none is drawn."""
    if not any(child.boundary for child in children):
        return None
    found, named = seams.fit(area, day), {child.code: child for child in children}
    shared = [(named[each.one], named[each.other], *_ground(each)) for each in found.overlaps[:MOST_SEAMS]]
    return {
        "ok": found.ok,
        "overlaps": shared,
        "holes": [_ground(each) for each in found.holes[:MOST_SEAMS]],
        "undrawn": [named[code] for code in found.undrawn[:MOST_SEAMS]],
        "more": sum(max(0, len(part) - MOST_SEAMS) for part in found),
    }


def _ground(piece: Overlap | Hole) -> tuple[str, str]:
    return f"{piece.square_metres:,.0f}", f"{piece.lon:.6f}, {piece.lat:.6f}"


def _facts(area: Area) -> list[tuple[Text, Any]]:
    return [
        (LEVEL, level_of(area)),
        (CODE, area.code),
        (Text(zh="起用", en="Valid from"), area.valid_from),
        (Text(zh="止于", en="Valid to"), area.valid_to),
    ]


def _trail(request: Asked, area: Area, day: date, *more: tuple[Any, str]) -> list[tuple[Any, str]]:
    """The way from the top of one's reach down to the area."""
    paths = request.reach.areas("areas.see")
    above = areas.at_day(day).filter(path__in=areas.ancestors(area.path)).exclude(pk=area.pk)
    seen = [each for each in above if any(each.path.startswith(path) for path in paths)]
    trail = [(TITLE, reverse("areas")), *((name(each), reverse("area", args=[each.code])) for each in seen)]
    return [*trail, (name(area), reverse("area", args=[area.code]) if more else ""), *more]


def _deed(
    request: Asked,
    code: str,
    verb: Text,
    asks: Callable[[Area], list[Ask]],
    do: Callable[[Area, dict[str, Any]], Area],
    lead: Text,
) -> HttpResponse:
    """A change to one area: ask, do, and show what came of it."""
    area = find(request, code, action="areas.edit")
    form = Form(asks(area), verb, cancel=reverse("area", args=[code]))
    if request.method == "POST":
        done = form.carry_out(request, lambda answers: do(area, answers))
        if done is not None:
            messages.success(request, say(Text(zh="已办理。", en="Done.")))
            found = areas.at_day(day_of(request.at)).filter(code=done.code).exists()
            return redirect("area", code=done.code) if found else redirect("areas")
        area = find(request, code, action="areas.edit")
    title = Text(zh=f"{verb.zh}：{area.name_zh}", en=f"{verb.en}: {area.name_en}")
    said = {"title": title, "lead": lead, "form": form, "crumbs": _trail(request, area, day_of(request.at), (verb, ""))}
    return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)


def _names(area: Area | None = None) -> list[Ask]:
    return [
        Ask("zh", NAME_ZH, longest=80, value=area.name_zh if area else None),
        Ask("en", NAME_EN, longest=80, value=area.name_en if area else None),
    ]


def _day(request: Asked) -> Ask:
    return Ask("day", DAY, "date", value=day_of(request.at))


def boundary_from(raw: str) -> Any:
    """GeoJSON as somebody pasted it: a geometry, or a feature around one."""
    try:
        read = json.loads(raw)
    except (ValueError, RecursionError):
        read = None
    geometry = read.get("geometry", read) if isinstance(read, dict) else None
    if not isinstance(geometry, dict):
        raise Refusal(NOT_GEOJSON.zh, NOT_GEOJSON.en, field="boundary")
    drawn = {key: geometry[key] for key in ("type", "coordinates") if key in geometry}
    areas.check_boundary(drawn)
    return drawn


def _boundary(area: Area | None = None) -> Ask:
    hint = Text(zh="粘贴 GeoJSON 多边形（经纬度，WGS-84）。", en="Paste a GeoJSON polygon (degrees, WGS-84).")
    drawn = json.dumps(area.boundary) if area is not None and area.boundary else None
    label = Text(zh="边界", en="Boundary")
    return Ask("boundary", label, "longtext", area is not None, (), hint, drawn, longest=400_000, reader=boundary_from)


@needs("areas.edit")
def add(request: Asked, code: str) -> HttpResponse:
    """A new area below this one."""

    def asks(area: Area) -> list[Ask]:
        order = list(areas.LEVELS)
        below = [(key, areas.LEVELS[key]) for key in order[order.index(area.level) + 1 :]]
        hint = Text(
            zh="官方编码，只用数字和小写字母；以后不能改。",
            en="The official code: digits and lower-case letters; it stays.",
        )
        return [
            Ask("code", CODE, longest=30, hint=hint),
            Ask("level", LEVEL, "choice", choices=below),
            *_names(),
            _day(request),
            _boundary(),
        ]

    def do(area: Area, a: dict[str, Any]) -> Area:
        return areas.create(
            a["code"],
            level=a["level"],
            name=Text(zh=a["zh"], en=a["en"]),
            parent=area,
            valid_from=a["day"],
            boundary=a["boundary"],
            by=request.user,
            at=request.at,
        )

    lead = Text(
        zh="新辖区从所填日期起生效，之前的统计不受影响。",
        en="It begins on the day you give; earlier figures stay as they are.",
    )
    return _deed(request, code, ADD, asks, do, lead)


@needs("areas.edit")
def rename(request: Asked, code: str) -> HttpResponse:
    """Another name from a day on."""

    def do(area: Area, a: dict[str, Any]) -> Area:
        return areas.rename(area, Text(zh=a["zh"], en=a["en"]), day=a["day"], by=request.user, at=request.at)

    lead = Text(
        zh="从这一天起用新名称，之前的日子仍用原名。",
        en="The new name holds from that day; earlier days keep the old one.",
    )
    return _deed(request, code, RENAME, lambda area: [*_names(area), _day(request)], do, lead)


@needs("areas.edit")
def boundary(request: Asked, code: str) -> HttpResponse:
    """Draw or correct the boundary."""

    def do(area: Area, a: dict[str, Any]) -> Area:
        return areas.change(area, boundary=a["boundary"], by=request.user, at=request.at)

    lead = Text(
        zh="更正边界：新的边界马上用于定位和地图。", en="A corrected boundary is used for maps and locating at once."
    )
    return _deed(request, code, DRAW, lambda area: [_boundary(area)], do, lead)


@needs("areas.edit")
def move(request: Asked, code: str) -> HttpResponse:
    """Put the area, with all below it, under another parent from a day on."""

    def asks(area: Area) -> list[Ask]:
        to = Text(zh="划到哪个上级之下", en="Under which area")
        return [ask_for(request, "area", "parent", to, action="areas.edit"), _day(request)]

    def do(area: Area, a: dict[str, Any]) -> Area:
        return areas.move(area, a["parent"], day=a["day"], by=request.user, at=request.at)

    lead = Text(
        zh="下级、岗位、责任、部门和场所一起划转；之前的排名仍按原来的归属计算。",
        en="What lies below, posts, duties, departments and sites go with it; earlier rankings keep the old tree.",
    )
    return _deed(request, code, MOVE, asks, do, lead)


@needs("areas.edit")
def close(request: Asked, code: str) -> HttpResponse:
    """End the area on a day; what stands in it goes to another."""

    def asks(area: Area) -> list[Ask]:
        into = Text(zh="并入哪个辖区", en="Into which area")
        hint = Text(zh="还有岗位、责任或场所时必须选择。", en="Needed while posts, duties or sites stand in it.")
        return [_day(request), ask_for(request, "area", "into", into, action="areas.edit", required=False, hint=hint)]

    def do(area: Area, a: dict[str, Any]) -> Area:
        return areas.close(area, day=a["day"], into=a["into"], by=request.user, at=request.at)

    lead = Text(zh="撤销后不再使用，历史照常可查。", en="It is no longer used; its history can still be seen.")
    return _deed(request, code, CLOSE, asks, do, lead)
