"""The tables that say how things are now: sites, and the tree of areas in all its versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from anlan.intake.models import Device
from anlan.places.models import Area, Site


class SiteRow(NamedTuple):
    site: str
    kind: str
    area_path: str
    active: bool
    fitted: bool
    lon: float | None
    lat: float | None


class AreaRow(NamedTuple):
    path: str
    code: str
    level: str
    parent_path: str
    name_zh: str
    name_en: str
    valid_from: date
    valid_to: date | None


def sites() -> Iterator[SiteRow]:
    """Every site; one is fitted when a device in use stands there that is not silent."""
    working = set(
        Device.objects.filter(retired_date=None, silent_at=None).exclude(site=None).values_list("site", flat=True)
    )
    columns = ("pk", "kind", "area_path", "is_active", "lon", "lat")
    for pk, kind, path, active, lon, lat in Site.objects.values_list(*columns).iterator(chunk_size=10_000):
        yield SiteRow(str(pk), kind, path, active, pk in working, lon, lat)


def areas() -> Iterator[AreaRow]:
    """Every version of every area."""
    columns = ("path", "code", "level", "name_zh", "name_en", "valid_from", "valid_to")
    for path, code, level, zh, en, since, until in Area.objects.values_list(*columns).iterator(chunk_size=10_000):
        yield AreaRow(path, code, level, path.removesuffix(f"{code}/"), zh, en, since, until)
