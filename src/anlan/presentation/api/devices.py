"""Devices: the list, one with its history, a new one, corrections, retirement, passwords, coverage."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import Q
from ninja import Query, Schema, Status
from pydantic import Field

from anlan.intake.models import Device
from anlan.intake.sensors import coverage, device_model, devices
from anlan.places.scope import under
from anlan.presentation.api import found
from anlan.presentation.api.frame import Line, Noun, Short
from anlan.presentation.api.shapes import AreaName, Given, Listing, Paging, area_name, listed
from anlan.presentation.web.frame import Asked

router = Noun("devices")
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
Key = Annotated[str, Field(max_length=60)]


class DeviceRow(Schema):
    """`alarm` is "", "doubtful" or "alarm"; a moment says since when something is the matter, null: it is not."""

    code: str
    name: str
    model: str
    site: str | None
    area: AreaName
    panel: str | None
    address: str
    networks: str
    installed_date: date | None
    retired_date: date | None
    heard_at: datetime | None
    alarm: str
    alarm_at: datetime | None
    fault_at: datetime | None
    battery_at: datetime | None
    silent_at: datetime | None
    alarms: int
    false_alarms: int


class EpisodeRow(Schema):
    trouble: str
    began_at: datetime
    ended_at: datetime | None
    verdict: str


class DeviceOne(DeviceRow):
    """With the last fifty things that were the matter."""

    episodes: list[EpisodeRow]


class DeviceFilters(Paging):
    area: Short = ""
    model: Key = ""
    q: Line = ""


class NewDevice(Given):
    """`site` or `area` says where; `panel` is the number of the device it hangs on."""

    code: Code
    model: Key
    name: Annotated[str, Field(max_length=120)] = ""
    site: Short | None = None
    area: Short | None = None
    panel: Key | None = None
    address: Key = ""
    networks: Line = ""
    installed_date: date | None = None


class DeviceChange(Given):
    """What is not given stays."""

    model: Key | None = None
    name: Annotated[str, Field(max_length=120)] | None = None
    site: Short | None = None
    area: Short | None = None
    panel: Key | None = None
    address: Key | None = None
    networks: Line | None = None
    installed_date: date | None = None


class Secret(Schema):
    """The password, this once."""

    secret: str


class CoverRow(Schema):
    """Of the sites of a kind that should be fitted: how many are, and of those how many are silent."""

    kind: str
    should: int
    fitted: int
    silent: int


def row(device: Device) -> dict[str, Any]:
    plain = (
        "code", "name", "model", "address", "networks", "installed_date", "retired_date", "heard_at", "alarm",
        "alarm_at", "fault_at", "battery_at", "silent_at", "alarms", "false_alarms",
    )  # fmt: skip
    return {name: getattr(device, name) for name in plain} | {
        "site": device.site.code if device.site else None,
        "area": area_name(device.area),
        "panel": device.panel.code if device.panel else None,
    }


def _where(request: Asked, given: NewDevice | DeviceChange) -> dict[str, Any]:
    named: dict[str, Any] = {}
    if given.site is not None:
        named["site"] = found.site(request, given.site, "devices.edit")
    if given.area is not None:
        named["area"] = found.area(request, given.area, "devices.edit")
    if given.panel is not None:
        named["panel"] = devices.find(given.panel, request.reach, "devices.edit")
    return named


@router.get("", response=Listing[DeviceRow])
def list_(request: Asked, given: Query[DeviceFilters]) -> Any:
    """The devices within reach, by area."""
    query = devices.visible(request.reach).select_related("panel")
    if given.area:
        query = query.filter(under(found.area(request, given.area, "devices.see").path))
    if given.model:
        query = query.filter(model=given.model)
    if given.q:
        query = query.filter(Q(code__icontains=given.q) | Q(name__icontains=given.q))
    return listed(request, query, given, order=("area_path", "code", "pk"), show=row)


@router.get("/coverage", response=list[CoverRow])
def cover(request: Asked, area: Short = "") -> Any:
    """How many sites that should have devices have them, by kind of site, as far as one's reach goes."""
    path = found.area(request, area, "devices.see").path if area else ""
    covers = coverage.by_kind(device_model.rules(), path, among=request.reach.q("devices.see"))
    return [{"kind": c.name, "should": c.should, "fitted": c.fitted, "silent": c.silent} for c in covers]


@router.post("", response={201: DeviceRow})
def create(request: Asked, given: NewDevice) -> Any:
    """Register a device."""
    plain = given.model_dump(exclude={"site", "area", "panel"})
    made = devices.register(**plain, **_where(request, given), by=request.user, at=request.at)
    return Status(201, row(made))


@router.get("/{code}", response=DeviceOne)
def one(request: Asked, code: str) -> Any:
    """One device, by its number."""
    device = devices.find(code, request.reach)
    past = device.episodes.order_by("-began_at")[:50]
    return row(device) | {"episodes": list(past.values("trouble", "began_at", "ended_at", "verdict"))}


@router.patch("/{code}", response=DeviceRow)
def change(request: Asked, code: str, given: DeviceChange) -> Any:
    """Correct a device; what is not given stays."""
    device = devices.find(code, request.reach, "devices.edit")
    plain = given.model_dump(exclude_unset=True, exclude={"site", "area", "panel"})
    changes = {name: value for name, value in plain.items() if value is not None} | _where(request, given)
    return row(devices.change(device, by=request.user, at=request.at, **changes))


@router.post("/{code}/retire", response=DeviceRow)
def retire(request: Asked, code: str) -> Any:
    """Take it out of service; its history stays."""
    device = devices.find(code, request.reach, "devices.edit")
    return row(devices.retire(device, by=request.user, at=request.at))


@router.post("/{code}/secret", response=Secret)
def secret(request: Asked, code: str) -> Any:
    """A new password; it holds once the broker's files are written."""
    device = devices.find(code, request.reach, "devices.edit")
    return {"secret": devices.issue_secret(device, by=request.user, at=request.at)}
