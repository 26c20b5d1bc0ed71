"""Is it one of these? Open cases near a place, for somebody who is about to report one: what and where, never who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, hypot, radians

from django.db.models import Q

from anlan.casework.models import OPEN, Case
from anlan.intake.topic import TOPICS, Topic, lineage
from anlan.kernel import catalogue
from anlan.places.areas import ancestors
from anlan.places.scope import under

MOST = 5
_METRES_A_DEGREE = 111_320.0
_SOME = 200
_ABOVE = 3


@dataclass(frozen=True, slots=True)
class Near:
    """An open case and how far away it is; None where only the address is the same."""

    case: Case
    metres: float | None


def near(
    topic: str, *, area_path: str, point: tuple[float, float] | None, address: str = "", within_m: float
) -> list[Near]:
    """Open cases that somebody reported, about the same kind of thing, near `point` or at the very `address`.

    Nearest first, at most five. `area_path` is where the place lies: two levels above it are looked through, for what
    lies across the street may lie across a boundary. Sensitive topics are never among them.
    """
    place = _around(point, within_m) if point else Q(address=address.strip()) if address.strip() else None
    if place is None or not area_path:
        return []
    wide = ancestors(area_path)[-_ABOVE:][0]
    rows = Case.objects.filter(OPEN, under(wide), place, topic__in=alike(topic), reports_count__gte=1)
    found = [Near(case, _metres(case, point)) for case in rows.order_by("-opened_at")[:_SOME]]
    close = [each for each in found if each.metres is None or each.metres <= within_m]
    return sorted(close, key=lambda each: each.metres or 0.0)[:MOST]


def alike(topic: str) -> list[str]:
    """The topics under the same broadest one; all of them where none was chosen. Never a sensitive one."""
    topics: Mapping[str, Topic] = catalogue.current().all(TOPICS)
    chosen = topics.get(topic)
    broadest = lineage(topics, topic)[-1:] if chosen is not None and topic != "other" else ()
    return [
        key
        for key, each in topics.items()
        if not each.sensitive and (not broadest or lineage(topics, key)[-1:] == broadest)
    ]


def _around(point: tuple[float, float], metres: float) -> Q:
    lon, lat = point
    high = metres / _METRES_A_DEGREE
    wide = high / max(cos(radians(lat)), 1e-6)
    return Q(lon__range=(lon - wide, lon + wide), lat__range=(lat - high, lat + high))


def _metres(case: Case, point: tuple[float, float] | None) -> float | None:
    if point is None or case.lon is None or case.lat is None:
        return None
    squeeze = cos(radians(point[1]))
    return hypot((case.lon - point[0]) * squeeze, case.lat - point[1]) * _METRES_A_DEGREE
