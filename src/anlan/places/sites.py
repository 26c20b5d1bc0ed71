"""Sites 场所: the places that are visited, each with a code that its QR sign carries."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from anlan.kernel.text import Refusal
from anlan.places.models import Area, Officer, Party, Site
from anlan.places.record import record
from anlan.places.site_kind import site_kind

LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""What a site code is made of: nothing that reads like something else on a worn sign."""


class NoSite(Refusal):
    """There is no site with that code."""


class SiteRefused(Refusal):
    """The site cannot be entered so."""


def find(code: str) -> Site:
    """The site whose sign carries `code`; raises `NoSite`."""
    site = Site.objects.select_related("area", "operator").filter(code=code.strip()).first()
    if site is None:
        raise NoSite(
            f"没有编号为 {code} 的场所；请核对二维码，或先登记该场所。",
            f"There is no site with the code {code}; check the sign, or register the site first.",
            field="site",
        )
    return site


def new_code() -> str:
    """A code of ten letters and digits that nobody can guess from another one."""
    return "".join(secrets.choice(LETTERS) for _ in range(10))


@transaction.atomic
def create(
    *,
    name: str,
    kind: str,
    area: Area,
    by: Officer | None,
    at: datetime,
    code: str | None = None,
    address: str = "",
    operator: Party | None = None,
    lon: float | None = None,
    lat: float | None = None,
) -> Site:
    """A new site in `area`; `lon` and `lat` are WGS-84 degrees. Refuses a code in use and an undeclared kind."""
    code = code or new_code()
    _check(name, kind, lon, lat)
    if Site.objects.filter(code=code).exists():
        raise SiteRefused(
            f"场所编号 {code} 已在使用；请换一个编号，或留空由系统编号。",
            f"The site code {code} is in use; choose another, or leave it empty to have one made.",
            field="code",
        )
    site = Site.objects.create(
        code=code,
        name=name.strip(),
        kind=kind,
        address=address,
        area=area,
        area_path=area.path,
        operator=operator,
        lon=lon,
        lat=lat,
    )
    record("site.created", site, by=by, at=at, area_path=area.path, data={"code": code, "kind": kind})
    return site


@transaction.atomic
def change(site: Site, *, by: Officer | None, at: datetime, **fields: Any) -> Site:
    """Correct `name`, `kind`, `address`, `area`, `operator`, `lon`, `lat` or `is_active`; what is not named stays."""
    unknown = fields.keys() - {"name", "kind", "address", "area", "operator", "lon", "lat", "is_active"}
    if unknown:
        raise TypeError(f"a site has no {', '.join(sorted(unknown))}")
    changed = [field for field, value in fields.items() if getattr(site, field) != value]
    if not changed:
        return site
    for field in changed:
        setattr(site, field, fields[field])
    _check(site.name, site.kind, site.lon, site.lat)
    site.area_path = site.area.path
    site.save(update_fields=[*changed, "area_path"])
    record("site.changed", site, by=by, at=at, area_path=site.area_path, data={"fields": sorted(changed)})
    return site


def close(site: Site, *, by: Officer | None, at: datetime) -> Site:
    """The site is no more: it is not visited, its history stays."""
    return change(site, by=by, at=at, is_active=False)


def _check(name: str, kind: str, lon: float | None, lat: float | None) -> None:
    site_kind(kind)
    if not name.strip():
        raise SiteRefused("请填写场所名称。", "Give the site's name.", field="name")
    if (lon is None) != (lat is None):
        raise SiteRefused(
            "经度和纬度要么都填，要么都不填。", "Give both longitude and latitude, or neither.", field="lon"
        )
    if lon is not None and lat is not None and not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise SiteRefused(
            f"经纬度 {lon}, {lat} 超出范围；经度 ±180，纬度 ±90。",
            f"The position {lon}, {lat} is out of range: longitude ±180, latitude ±90.",
            field="lon",
        )
