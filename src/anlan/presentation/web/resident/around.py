"""身边的事: what was reported and what was fixed, on a map and in a list, for everybody; who told it is nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse

from anlan.casework import published
from anlan.casework.models import Case
from anlan.casework.published import STATES, Published, State
from anlan.intake import location
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.places import register, tree
from anlan.places.areas import ancestors
from anlan.places.record import day_of
from anlan.presentation.saying import speaking
from anlan.presentation.web import mapping
from anlan.presentation.web.case_rows import topic_title
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import page_of
from anlan.presentation.web.resident.gate import count, draw, open_to_all
from anlan.presentation.web.resident.place import area_choices, shapes

TITLE: Final = Text(zh="身边的事", en="Around me")
SIZE: Final = 20
ON_THE_MAP: Final = 500
"""So many of the latest are drawn; more dots than that are a blot."""
WORDS: Final[dict[State, Text]] = {
    "": Text(zh="全部", en="All"),
    "open": Text(zh="正在办", en="In hand"),
    "fixed": Text(zh="已办结", en="Fixed"),
}
ORDER: Final = ("-opened_at", "-pk")


@dataclass(frozen=True, slots=True)
class Line:
    """One case in the list: its topic, its village, what stands now in plain words, and how long it took."""

    topic: Text
    area: Any
    words: Text
    opened_at: datetime
    closed_at: datetime | None
    days: int


@dataclass(frozen=True, slots=True)
class Dot:
    """What lies within about a hundred metres, or somewhere in one village: how many, how many of them fixed."""

    x: float
    y: float
    r: float
    many: int
    fixed: int


@open_to_all
def around(request: Asked) -> HttpResponse:
    """The list with the map above it."""
    count(request, "near")
    path, code = _path(request)
    state: State = next((key for key in STATES if key == request.GET.get("state", "")), "")
    topic = request.GET.get("topic", "")
    topics = catalogue.current().all(TOPICS)
    asked = topic if topic in topics else ""
    rows = published.cases(path, at=request.at, state=state, topic=asked)
    page = page_of(rows, request, order=ORDER, size=SIZE)
    said = {
        "title": TITLE, "lines": _lines(page.items, request.at), "page": page, "map": _map(rows, path, request),
        "areas": area_choices(request.at), "area": code, "states": list(WORDS.items()), "state": state,
        "topics": [(key, topics[key].title) for key in sorted(topics) if not topics[key].sensitive], "topic": asked,
        "untold": published.number_untold(path, at=request.at),
    }  # fmt: skip
    return draw(request, "around", said)


def _path(request: Asked) -> tuple[str, str]:
    """The path and code of the area that is asked for; the whole town where none is."""
    code = request.GET.get("area", "")
    try:
        known = location.tree(at=request.at)
        return (known.paths[code], code) if code in known.paths else (known.trunk(), "")
    except Refusal:
        return "", ""


def _lines(items: Sequence[Case], at: datetime) -> list[Line]:
    told = published.shown(items, at=at)
    found = tree.together(day_of(at), paths={each.area_path for each in told}, most=SIZE)
    names = {area.path: area for area in found}
    return [
        Line(topic_title(each.topic), names.get(each.area_path), each.words, each.opened_at, each.closed_at,
             each.days)
        for each in told
    ]  # fmt: skip


def _map(rows: Any, path: str, request: Asked) -> dict[str, Any] | None:
    """The boundaries of the villages, with a dot for each hundred metres, or village, where something was reported."""
    day, top, english = day_of(request.at), "".join(ancestors(path)[:1]) if path else "", speaking() == "en"

    def drawn() -> mapping.Map | None:
        return mapping.draw(shapes(day, top, deepest=published.VILLAGE, english=english))

    ground = register.current().kept(("around", day, top, english), drawn)
    if ground is None:
        return None
    told = published.shown(list(rows.order_by(*ORDER)[:ON_THE_MAP]), at=request.at)
    return {"ground": ground, "dots": list(_dots(told, ground))}


def _dots(told: Iterable[Published], ground: mapping.Map) -> Iterable[Dot]:
    middles = {area.shape.key: (area.x, area.y) for area in ground.areas}
    many: Counter[tuple[float, float]] = Counter()
    fixed: Counter[tuple[float, float]] = Counter()
    for each in told:
        place = _place(each, ground) or middles.get(each.area_path)
        if place is not None and 0 <= place[0] <= ground.width and 0 <= place[1] <= ground.height:
            many[place] += 1
            fixed[place] += each.closed_at is not None
    for (x, y), number in many.items():
        yield Dot(x, y, round(7 + min(13.0, number**0.5 * 2), 1), number, fixed[x, y])


def _place(each: Published, ground: mapping.Map) -> tuple[float, float] | None:
    if each.lon is None or each.lat is None:
        return None
    x = mapping.MARGIN + (each.lon - ground.west) * ground.per_lon
    return round(x, 1), round(mapping.MARGIN + (ground.north - each.lat) * ground.per_lat, 1)
