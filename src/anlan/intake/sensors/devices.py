"""The register of devices: entered, corrected, retired, given a password; and which sites are fitted with them."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import secrets
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from anlan.intake.models import Device, Episode, Roll
from anlan.intake.sensors import device_model
from anlan.intake.sensors.device_model import DeviceModel
from anlan.kernel.catalogue import Undeclared
from anlan.kernel.text import Refusal, Text
from anlan.places.models import Area, Officer, Site
from anlan.places.record import day_of, record
from anlan.places.scope import Reach

CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
"""What a device is called: it stands in the topic it publishes on, where + # / mean something else."""
ITERATIONS: Final = 101
"""As often as mosquitto_passwd hashes; a device's password is random and long, and cannot be guessed either way."""


class NoDevice(Refusal):
    """No such device, or none that this person may see."""

    status = 404

    def __init__(self, code: str) -> None:
        super().__init__(
            f"没有编号为 {code} 的设备，或不在您的辖区。请核对编号，或先登记。",
            f"There is no device {code}, or it is outside your area. Check the number, or register it first.",
            field="device",
        )


class DeviceRefused(Refusal):
    """The device cannot be entered so."""


def visible(reach: Reach, action: str = "devices.see") -> QuerySet[Device]:
    """The devices on which this person may do `action`."""
    return Device.objects.filter(reach.q(action)).select_related("area", "site")


def find(code: str, reach: Reach, action: str = "devices.see") -> Device:
    """The device, if this person may do `action` with it; else `NoDevice`."""
    found = visible(reach, action).select_related("panel").filter(code=code).first()
    if found is None:
        raise NoDevice(code)
    return found


@transaction.atomic
def register(
    *, code: str, model: str, by: Officer | None, at: datetime, site: Site | None = None, area: Area | None = None,
    name: str = "", panel: Device | None = None, address: str = "", networks: str = "",
    installed_date: date | None = None,
) -> Device:  # fmt: skip
    """Enter a device, at a site or at least in an area. Refuses a code or address in use, and an undeclared model."""
    place = area or (site.area if site else None) or (panel.area if panel else None)
    if place is None:
        raise DeviceRefused("请填写设备装在哪个场所或辖区。", "Say at which site or in which area it is.", field="site")
    device = Device(
        code=code.strip(), model=model, name=name.strip(), site=site, area=place, area_path=place.path, panel=panel,
        address=address.strip(), networks=networks.strip(), installed_date=installed_date or day_of(at),
    )  # fmt: skip
    _check(device)
    if Device.objects.filter(code=device.code).exists():
        raise DeviceRefused(
            f"设备编号 {device.code} 已登记；请核对编号。",
            f"The device {device.code} is registered already; check the number.",
            field="code",
        )
    device.save()
    renew()
    record("device.registered", device, by=by, at=at, area_path=place.path, data={"code": device.code, "model": model})
    return device


CHANGEABLE: Final = frozenset({"name", "model", "site", "area", "panel", "address", "networks", "installed_date"})


@transaction.atomic
def change(device: Device, *, by: Officer | None, at: datetime, **fields: Any) -> Device:
    """Correct what is named in `CHANGEABLE`; what is not named stays."""
    if unknown := fields.keys() - CHANGEABLE:
        raise TypeError(f"a device has no {', '.join(sorted(unknown))}")
    changed = [field for field, value in fields.items() if getattr(device, field) != value]
    if not changed:
        return device
    for field in changed:
        setattr(device, field, fields[field])
    if "site" in changed and "area" not in changed and device.site is not None:
        device.area = device.site.area
    _check(device)
    device.area_path = device.area.path
    device.save(update_fields=[*changed, "area", "area_path"])
    renew()
    record("device.changed", device, by=by, at=at, area_path=device.area_path, data={"fields": sorted(changed)})
    return device


@transaction.atomic
def retire(device: Device, *, by: Officer | None, at: datetime) -> Device:
    """Taken down: its address is free, what it still sends is held for a person, its history stays. Twice is once."""
    if device.retired_date is None:
        Episode.objects.filter(device=device, ended_at=None).update(ended_at=at)
        device.retired_date, device.address = day_of(at), ""
        for name in ("overdue_at", "look_at", "alarm_at", "told_at", "quiet_at", "fault_at", "battery_at", "silent_at",
                     "chatter_at"):  # fmt: skip
            setattr(device, name, None)
        device.alarm = ""
        device.save()
        renew()
        record("device.retired", device, by=by, at=at, area_path=device.area_path, data={"code": device.code})
    return device


@transaction.atomic
def issue_secret(device: Device, *, by: Officer | None, at: datetime) -> str:
    """A new password, shown once and never to be had again; the one before opens nothing any more."""
    secret = secrets.token_urlsafe(24)
    device.secret, device.broker_hash = hashed(secret), hashed_once(secret)
    device.save(update_fields=["secret", "broker_hash"])
    record("device.keyed", device, by=by, at=at, area_path=device.area_path, data={"code": device.code})
    return secret


def renew() -> None:
    """Whoever keeps devices in memory reads them again."""
    if not Roll.objects.filter(pk=1).update(stamp=F("stamp") + 1):
        Roll.objects.get_or_create(pk=1)


def hashed(secret: str, *, salt: bytes | None = None) -> str:
    """As Mosquitto's password file has it: $7$, PBKDF2 with SHA-512."""
    salt = salt or secrets.token_bytes(12)
    made = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def hashed_once(secret: str, *, salt: bytes | None = None) -> str:
    """As RabbitMQ keeps it: four bytes of salt, then one SHA-512 of both. Enough for what is random and long."""
    salt = salt or secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha512(salt + secret.encode()).digest()).decode()


def networks_of(written: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks in a list with commas. Raises `ValueError`."""
    return [ipaddress.ip_network(part.strip(), strict=False) for part in written.split(",") if part.strip()]


def may_call(networks: str, peer: str) -> bool:
    """Whether a device with these `networks` may call from the address `peer`; without any, from anywhere."""
    if not networks:
        return True
    try:
        caller = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return any(caller in network for network in networks_of(networks))


def title_of(device: Device) -> Text:
    """What a device is called: its own name, else what it is."""
    if device.name:
        return Text(zh=device.name, en=device.name)
    declared = model_of(device.model)
    return declared.title if declared else Text(zh=device.code, en=device.code)


def model_of(key: str) -> DeviceModel | None:
    """The model, or None when no file declares it any more."""
    return device_model.all_models().get(key)


def _check(device: Device) -> None:
    if not CODE.fullmatch(device.code):
        raise DeviceRefused(
            "设备编号只能用字母、数字、点、横线和下划线，最多 60 位。",
            "A device number has letters, digits, dots, dashes and underscores, at most 60.",
            field="code",
        )
    try:
        device_model.model(device.model)
    except Undeclared as wrong:
        raise DeviceRefused(wrong.text.zh, wrong.text.en, field="model") from None
    try:
        networks_of(device.networks)
    except ValueError:
        raise DeviceRefused(
            f"“{device.networks}”不是网段；请写成 10.1.2.3 或 10.1.0.0/16，多个用逗号分开。",
            f"“{device.networks}” is no network; write 10.1.2.3 or 10.1.0.0/16, several with commas.",
            field="networks",
        ) from None
    _check_panel(device)


def _check_panel(device: Device) -> None:
    panel = device.panel
    if panel is not None and (panel.pk == device.pk or panel.panel_id is not None):
        raise DeviceRefused(
            "面板本身不能又挂在别的设备下面；请选传输装置或控制器。",
            "A panel cannot itself hang on a device; choose the transmission device.",
            field="panel",
        )
    same = Device.objects.filter(panel=panel, address=device.address).exclude(pk=device.pk)
    if device.address and same.exists():
        raise DeviceRefused(
            f"地址 {device.address} 已有设备 {same[0].code}。",
            f"The address {device.address} belongs to the device {same[0].code}.",
            field="address",
        )
