"""Where it is, as a resident tells it: a point, a pin on the map, an area's name; and what is open near there."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.http import HttpResponse

from anlan.casework import nearby
from anlan.intake import location
from anlan.kernel.text import Refusal, Text
from anlan.places import areas, register
from anlan.places.areas import ancestors
from anlan.places.record import day_of
from anlan.presentation.web import mapping, words
from anlan.presentation.web.case_rows import topic_title
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.resident.gate import count, draw, open_to_all, public

SALT: Final = "anlan.resident.near"
# A report that waited for a network may come late; its choice still holds.
HOLDS_FOR: Final = timedelta(days=3)
MOST_AREAS: Final = 400
NAMED: Final = ("township", "village")
DRAWN: Final = 150


@dataclass(frozen=True, slots=True)
class Choice:
    """An open case as a stranger may see it: what it is, how far away, since when; `token` is how to say “this one”."""

    token: str
    topic: Text
    where: Text
    since: Text


def point_of(given: Mapping[str, Any]) -> tuple[float, float] | None:
    """The longitude and latitude told, when they are a place: (0, 0) is what a device says that does not know."""
    try:
        lon, lat = float(given.get("lon", "")), float(given.get("lat", ""))
    except (TypeError, ValueError):
        return None
    if not (math.isfinite(lon) and math.isfinite(lat)) or (lon == 0 and lat == 0):
        return None
    return (lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 else None


def path_of(point: tuple[float, float] | None, area: str, *, at: datetime) -> str:
    """The path of the area where the place lies; "" when nobody can say."""
    try:
        tree = location.tree(at=at)
    except Refusal:
        return ""
    found = tree.around([point])[0] if point and tree.boundaries else None
    if found or area in tree.paths:
        return found.path if found else tree.paths[area]
    try:
        return tree.trunk()
    except Refusal:
        return ""


def choices(given: Mapping[str, Any], *, at: datetime) -> list[Choice]:
    """The open cases near what is about to be told."""
    point = point_of(given)
    path = path_of(point, str(given.get("area", "")), at=at)
    found = nearby.near(
        str(given.get("topic", "")), area_path=path, point=point, address=_plain(given.get("address", "")),
        within_m=public().near_metres,
    )  # fmt: skip
    return [_choice(each, at) for each in found]


def _plain(told: Any) -> str:
    return str(told).replace("\x00", "")[:200]


def _choice(near: nearby.Near, at: datetime) -> Choice:
    case = near.case
    where = Text(zh="同一地址", en="the same address")
    if near.metres is not None:
        metres = max(10, round(near.metres, -1))
        where = Text(zh=f"约 {metres:.0f} 米", en=f"about {metres:.0f} m away")
    age = words.span(max(at - case.opened_at, timedelta(minutes=1)))
    since = Text(zh=f"{_first(age.zh)}前上报", en=f"reported {_first(age.en)} ago")
    return Choice(signing.dumps(str(case.pk), salt=SALT), topic_title(case.topic), where, since)


def _first(span: str) -> str:
    """The larger unit of a span: days are enough, hours beside them are not."""
    return " ".join(span.split(" ")[:2])


def joined(token: str) -> UUID | None:
    """The case that a resident said it is; None for “none of them”, or what was never offered."""
    try:
        return UUID(signing.loads(token, salt=SALT, max_age=HOLDS_FOR))
    except (signing.BadSignature, ValueError, TypeError):
        return None


@open_to_all
def near(request: Asked) -> HttpResponse:
    """Open cases nearby, for the page's script."""
    count(request, "near")
    return draw(request, "near", {"near": choices(request.GET, at=request.at)})


@open_to_all
def area_map(request: Asked) -> HttpResponse:
    """A map on which to set a pin: the boundaries of the villages, around the point when there is one."""
    count(request, "near")
    path = path_of(point_of(request.GET), request.GET.get("area", ""), at=request.at)
    day, top = day_of(request.at), "".join(ancestors(path)[:1])
    known = register.current().kept(("resident map", day, top), lambda: mapping.draw(shapes(day, top)))
    return draw(request, "map", {"map": known})


def shapes(day: date, top: str, *, deepest: int = 99, english: bool = False) -> list[mapping.Shape]:
    """The narrowest areas, at most so deep in the tree, that are not too many to draw, of the tree where the point
    lies, else of the largest.
    """
    rows = list(areas.at_day(day).exclude(boundary=None).values_list("path", "name_zh", "name_en", "boundary"))
    sizes = Counter(ancestors(row[0])[0] for row in rows)
    top = top or max(sizes, key=lambda each: sizes[each], default="")
    within = [row for row in rows if row[0].startswith(top) and row[0].count("/") <= deepest]
    for depth in sorted({row[0].count("/") for row in within}, reverse=True):
        level = [row for row in within if row[0].count("/") == depth]
        if len(level) <= DRAWN:
            return [
                mapping.Shape(en if english else zh, boundary, title=en, key=path) for path, zh, en, boundary in level
            ]
    return []


def area_choices(at: datetime) -> Sequence[tuple[str, Text]]:
    """The villages by their townships, to say where it is without a point; townships alone where they are too many."""
    day = day_of(at)
    return register.current().kept(("resident areas", day), lambda: _areas_named(day))


def _areas_named(day: date) -> Sequence[tuple[str, Text]]:
    rows = areas.at_day(day).filter(level__in=NAMED).values_list("level", "code", "path", "name_zh", "name_en")
    listed = list(rows.order_by("path")[: MOST_AREAS * 10])
    if len(listed) > MOST_AREAS:
        listed = [row for row in listed if row[0] == NAMED[0]]
    room = {NAMED[0]: "", NAMED[1]: "\u3000"}
    return [(code, Text(zh=f"{room[level]}{zh}", en=f"{room[level]}{en}")) for level, code, _, zh, en in listed]
