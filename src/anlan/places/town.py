"""The vocabulary of a town: one file says its areas, departments, duties and, if wanted, sites and officers."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from anlan.kernel.catalogue import Declaration, Kind
from anlan.kernel.coordinates import Point, System, to_wgs84
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Text

Level = Literal["province", "prefecture", "county", "township", "village", "grid"]
PLACES: Final = 7
"""Decimals kept of a degree: one centimetre."""


class Said(BaseModel):
    """A part of a town's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TownArea(Said):
    """One area. `boundary` is rings of [longitude, latitude] (the first is the outline, the others are holes), or
    `bbox` is [west, south, east, north]; both in the town's coordinate system. `calendar` is the area's own working
    calendar where it differs from the town's."""

    code: str
    level: Level
    name: Text
    parent: str = ""
    valid_from: date | None = None
    boundary: tuple[tuple[Point, ...], ...] = ()
    bbox: tuple[float, float, float, float] | None = None
    calendar: str = ""

    def polygon(self, system: System) -> dict[str, Any] | None:
        """The boundary as a GeoJSON polygon in WGS-84, or None."""
        rings = self.boundary or _rings(self.bbox)
        if not rings:
            return None
        return {"type": "Polygon", "coordinates": [_closed([point(at, system) for at in ring]) for ring in rings]}


class TownDepartment(Said):
    """One department, competent in `area` (a code)."""

    key: str
    name: Text
    area: str
    parent: str = ""


class TownDuty(Said):
    """Who answers for `topics` (none = every topic) in `area`: a department and, if named, officer and deputy."""

    topics: tuple[str, ...] = ()
    area: str
    department: str
    officer: str = ""
    deputy: str = ""


class TownSite(Said):
    """One site, with the code its sign carries."""

    code: str
    name: str
    kind: str
    area: str
    address: str = ""
    at: Point | None = None


class TownPost(Said):
    """One post of an officer."""

    role: str
    area: str
    department: str = ""
    certificate_no: str = ""
    certificate_until: date | None = None


class TownOfficer(Said):
    """One officer. Passwords are never in a file."""

    username: str
    name: str
    language: Literal["zh", "en"] = "zh"
    is_machine: bool = False
    posts: tuple[TownPost, ...] = ()


class Town(Declaration):
    """A town: everything one file says of it. Loading the file again changes only what the file changed."""

    title: Text
    summary: Text | None = None
    valid_from: date
    calendar: str = "china"
    time_zone: str = "Asia/Shanghai"
    coordinates: System = "wgs84"
    areas: tuple[TownArea, ...] = Field(min_length=1)
    departments: tuple[TownDepartment, ...] = ()
    duties: tuple[TownDuty, ...] = ()
    sites: tuple[TownSite, ...] = ()
    officers: tuple[TownOfficer, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            raise Misdeclared(
                f"没有时区“{name}”；例如 Asia/Shanghai。", f"There is no time zone '{name}'; for example Asia/Shanghai."
            ) from None
        return name


TOWNS: Final = Kind("towns", Town)


def point(at: Point, system: System) -> Point:
    """`at` in WGS-84, to the centimetre."""
    lon, lat = to_wgs84(at[0], at[1], system)
    return round(lon, PLACES), round(lat, PLACES)


def _rings(bbox: tuple[float, float, float, float] | None) -> tuple[tuple[Point, ...], ...]:
    if bbox is None:
        return ()
    west, south, east, north = bbox
    return (((west, south), (east, south), (east, north), (west, north)),)


def _closed(ring: list[Point]) -> list[list[float]]:
    closed = ring if ring[:1] == ring[-1:] else [*ring, ring[0]]
    return [list(at) for at in closed]
