"""Where cases are and what was photographed there: read for many cases at once."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import cos, hypot, radians
from typing import Final
from uuid import UUID

from django.db.models import Q

from anlan.casework.models import Case, CasePhoto
from anlan.facts.histories import Told
from anlan.facts.known import Known
from anlan.places.areas import ancestors

_METRES_A_DEGREE: Final = 111_195.0
_OUT: Final = ("void", "refused", "merged")
Point = tuple[float, float]
Where = tuple[str, str]
"""A site ("" and its id), or an address within an area."""
Spot = tuple[str, str, str]
"""The same, and the topic there."""


@dataclass(slots=True)
class Place:
    """One case: its site, its point, and its photos by stage."""

    site: str = ""
    site_kind: str = ""
    point: Point | None = None
    before: int = 0
    after: int = 0
    where: Where | None = None
    opened_at: datetime | None = None
    shown: list[tuple[str, Point | None]] = field(default_factory=list)


@dataclass(slots=True)
class Places:
    """What is known of the places of some cases."""

    metres: float
    span: timedelta
    found: dict[UUID, Place]
    brought: Counter[tuple[UUID, str]]
    earlier: dict[Spot, list[datetime]]

    def at(self, case: UUID) -> Place:
        """The place of a case."""
        return self.found[case]

    def photos(self, case: UUID, event: str) -> int:
        """How many photos an event brought."""
        return self.brought[case, event]

    def placed(self, case: UUID, told: Iterable[Told]) -> int:
        """How many photos of the fix were taken near the case: by the photo's own place, else by that of its act."""
        place = self.found[case]
        if place.point is None or not place.shown:
            return 0
        acted = {event.id: tuple(event.data["place"]) for event in told if event.data.get("place")}
        taken = [point or acted.get(event) for event, point in place.shown]
        return sum(1 for point in taken if point is not None and _metres(place.point, point) <= self.metres)

    def metres_from(self, case: UUID, point: Point | None) -> float | None:
        """How far a point is from the case, where both are known."""
        place = self.found[case].point
        return None if place is None or point is None else _metres(place, point)

    def is_repeat(self, case: UUID, topic: str) -> bool:
        """Whether the same was the matter here not long before."""
        place = self.found[case]
        if place.opened_at is None or not topic:
            return False
        moments = self.earlier.get((*place.where, topic), []) if place.where else []
        before = bisect_left(moments, place.opened_at)
        return before > 0 and moments[before - 1] >= place.opened_at - self.span


def places_of(ids: Sequence[UUID], known: Known) -> Places:
    """The places of these cases, in four queries."""
    span = timedelta(days=known.number("cases", "repeat_days"))
    found = {pk: Place() for pk in ids}
    brought: Counter[tuple[UUID, str]] = Counter()
    columns = ("pk", "site", "site__kind", "lon", "lat", "site__lon", "site__lat", "address", "area_path", "opened_at")
    for pk, site, kind, lon, lat, site_lon, site_lat, address, path, opened_at in Case.objects.filter(
        pk__in=ids
    ).values_list(*columns):
        point = _point(lon, lat) or _point(site_lon, site_lat)
        place = Place(str(site) if site else "", kind or "", point, opened_at=opened_at)
        place.where = where(site, address, path)
        found[pk] = place
    photos = CasePhoto.objects.filter(case__in=ids).values_list(
        "case", "event", "photo__stage", "photo__lon", "photo__lat"
    )
    for pk, event, stage, lon, lat in photos.order_by("pk"):
        place = found[pk]
        brought[pk, str(event)] += 1
        if stage == "after":
            place.after += 1
            place.shown.append((str(event), _point(lon, lat)))
        else:
            place.before += 1
    return Places(known.number("cases", "photo_metres"), span, found, brought, _earlier(found.values(), span))


def where(site: int | None, address: str, area_path: str) -> Where | None:
    """What makes two cases be at the same place: the site, else the address within the same village."""
    if site is not None:
        return ("", str(site))
    return (_around(area_path), address) if address else None


def _around(area_path: str) -> str:
    above = ancestors(area_path)
    return above[-2] if len(above) > 1 else area_path


def _earlier(places: Iterable[Place], span: timedelta) -> dict[Spot, list[datetime]]:
    """When which topic was told of where, at the places of these cases and as long before them as counts."""
    wanted = [(place.where, place.opened_at) for place in places if place.where and place.opened_at]
    if not wanted:
        return {}
    sites = {int(name) for (area, name), _ in wanted if not area}
    addresses = {name for (area, name), _ in wanted if area}
    moments = [opened_at for _, opened_at in wanted]
    rows = Case.objects.filter(
        Q(site__in=sites) | Q(site=None, address__in=addresses),
        opened_at__gte=min(moments) - span, opened_at__lt=max(moments),
    ).exclude(outcome__in=_OUT)  # fmt: skip
    found: dict[Spot, list[datetime]] = {}
    for site, address, path, topic, opened_at in rows.values_list("site", "address", "area_path", "topic", "opened_at"):
        at = where(site, address, path)
        if at is not None:
            insort(found.setdefault((*at, topic), []), opened_at)
    return found


def later_at_the_same_places(ids: Sequence[UUID], known: Known) -> set[UUID]:
    """The cases whose being a repeat may hang on these: opened at the same places, not too long after."""
    span = timedelta(days=known.number("cases", "repeat_days"))
    told = Case.objects.filter(pk__in=ids).values_list("site", "address", "opened_at")
    rows: list[tuple[int | None, str, datetime]] = list(told)
    if not rows:
        return set()
    sites = {site for site, _, _ in rows if site is not None}
    addresses = {address for site, address, _ in rows if site is None and address}
    moments = [opened_at for _, _, opened_at in rows]
    later = Case.objects.filter(
        Q(site__in=sites) | Q(site=None, address__in=addresses),
        opened_at__gt=min(moments), opened_at__lte=max(moments) + span,
    )  # fmt: skip
    return set(later.values_list("pk", flat=True))


def _point(lon: float | None, lat: float | None) -> Point | None:
    return None if lon is None or lat is None else (lon, lat)


def _metres(one: Point, other: Sequence[float]) -> float:
    squeeze = cos(radians(one[1]))
    return hypot((other[0] - one[0]) * squeeze, other[1] - one[1]) * _METRES_A_DEGREE
