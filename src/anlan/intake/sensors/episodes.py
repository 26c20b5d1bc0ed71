"""What is the matter with a device, from its beginning to its end: kept, recorded, and put through the one door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q

from anlan.intake.channel import CHANNELS
from anlan.intake.door import Door
from anlan.intake.models import Device, Ear, Episode
from anlan.intake.sensors import alarms, devices
from anlan.intake.sensors.alarms import Change, Standing, Trouble
from anlan.intake.sensors.device_model import SORTS, DeviceModel, all_models
from anlan.kernel import catalogue
from anlan.kernel.ids import id_at
from anlan.kernel.text import Text
from anlan.ledger import events
from anlan.ledger.bulk import insert_rows, update_rows
from anlan.ledger.events import NewEvent
from anlan.places.record import subject_of

CHANNEL: Final = "sensor"
UPKEEP: Final = "device_upkeep"
"""The topic of everything that is to be mended."""
ALARMS: Final = ("alarm", "doubtful")
TROUBLES: Final[dict[Trouble, Text]] = {
    "alarm": Text(zh="报警", en="Alarm"),
    "doubtful": Text(zh="报警，可能是测试，请确认", en="Alarm, possibly a test: find out"),
    "fault": Text(zh="故障", en="Fault"),
    "battery": Text(zh="电量低", en="Low battery"),
    "silent": Text(zh="失联", en="Silent"),
    "chatter": Text(zh="反复抖动", en="Chatters"),
    "false": Text(zh="多次误报", en="Cries wolf"),
}
GAP: Final = timedelta(seconds=90)
"""A listener that was away for longer has missed what was said."""
_EPISODE: Final = ("id", "device_id", "trouble", "began_at", "ended_at", "verdict", "report_id")
_STANDING: Final = tuple(each.name for each in fields(Standing))
_CHANGED: Final = (*_STANDING, "look_at", "alarms", "chatters")


@dataclass(slots=True)
class _Begun:
    """An episode on its way into its table."""

    id: UUID
    device: Device
    trouble: Trouble
    at: datetime
    words: str
    ended_at: datetime | None = None


def locked(ids: Sequence[int]) -> list[Device]:
    """The devices with these ids, nobody else's to change until the transaction ends."""
    rows = Device.objects.select_for_update(of=("self",)).select_related("area", "site", "panel").order_by("pk")
    return list(rows.filter(pk__in=ids))


def standing_of(device: Device) -> Standing:
    """How the device stands, as it was kept."""
    values = {name: getattr(device, name) for name in _STANDING}
    values["sets"] = tuple(datetime.fromisoformat(moment) for moment in device.sets.split())
    return Standing(**values)


def carry(device: Device, now: Standing, model: DeviceModel) -> None:
    """Write the standing into the device's columns."""
    for name in _STANDING:
        setattr(device, name, getattr(now, name))
    device.sets = " ".join(moment.isoformat() for moment in now.sets)
    device.look_at = alarms.next_at(now, model=model)


def overdue_at(model: DeviceModel | None, heard_at: datetime) -> datetime | None:
    """From when on a device last heard then is silent; None: never."""
    minutes = model.silent_after if model else None
    return heard_at + timedelta(minutes=minutes) if minutes is not None else None


def apply(found: Sequence[Device], changes: Sequence[tuple[Device, Change, str]], *, at: datetime) -> list[UUID]:
    """Write the devices, begin and end their episodes, and put what begins through the door.

    Gives the reports, alarms first. Belongs in the transaction in which the devices are locked.
    """
    begun: list[_Begun] = []
    for device, change, words in changes:
        if change.began:
            begun.append(_Begun(id_at(at), device, change.trouble, change.at, words))
            device.alarms += change.trouble in ALARMS
            device.chatters += change.trouble == "chatter"
        else:
            _end(device, change, begun)
    update_rows(Device, _CHANGED, [[*(getattr(d, name) for name in _CHANGED), d.pk] for d in found])
    if not changes:
        return []
    devices.renew()
    events.append_many([_event(device, change, at) for device, change, _ in changes])
    begun.sort(key=lambda each: each.trouble not in ALARMS)
    reports = _through_the_door(begun, at)
    rows = [(e.id, e.device.pk, e.trouble, e.at, e.ended_at, "", reports.get(e.id)) for e in begun]
    insert_rows(Episode, _EPISODE, rows)
    return [reports[each.id] for each in begun if each.id in reports]


def _end(device: Device, change: Change, begun: Sequence[_Begun]) -> None:
    for each in begun:
        if each.device.pk == device.pk and each.trouble == change.trouble and each.ended_at is None:
            each.ended_at = change.at
            return
    Episode.objects.filter(device=device, trouble=change.trouble, ended_at=None).update(ended_at=change.at)


def _event(device: Device, change: Change, at: datetime) -> NewEvent:
    kind = "device.troubled" if change.began else "device.recovered"
    data = {"device": device.code, "trouble": change.trouble}
    return NewEvent(
        kind, subject_of(device), by=None, at=change.at, recorded_at=at, area_path=device.area_path, data=data,
        id=id_at(at),
    )  # fmt: skip


def _through_the_door(begun: Sequence[_Begun], at: datetime) -> dict[UUID, UUID]:
    """The report of each episode. What the door holds back waits in quarantine, in sight."""
    if not begun:
        return {}
    door = Door(catalogue.current().get(CHANNELS, CHANNEL), by=None, at=at)
    rows = door.take([(None, _message(each)) for each in begun])
    return {each.id: row.report for each, row in zip(begun, rows, strict=True) if row.report is not None}


def _message(each: _Begun) -> dict[str, str]:
    device, model = each.device, devices.model_of(each.device.model)
    sort = SORTS[model.sort].zh if model else device.model
    where = "，".join(part for part in (device.name, each.words) if part)
    return {
        "number": str(each.id),
        "told_at": each.at.isoformat(),
        "topic": (model.topic if model else "fire_alarm") if each.trouble in ALARMS else UPKEEP,
        "description": f"{sort}{TROUBLES[each.trouble].zh}" + (f"：{where}" if where else ""),
        "address": device.site.address if device.site else "",
        "site": device.site.code if device.site else "",
        "area": device.area.code,
        "device": device.code,
        "trouble": each.trouble,
    }


# ---------------------------------------------------------------- what nobody tells


def sweep(*, at: datetime, most: int = 500) -> tuple[int, list[UUID]]:
    """Alarms that are over, chatter that has ceased, devices that have fallen silent: how many devices, at most `most`
    at once, and the reports that follow. Nobody is called silent for the time in which nobody listened.
    """
    overdue = _overdue(at)
    due = Device.objects.filter(Q(look_at__lte=at) | overdue, retired_date=None)
    ids = list(due.order_by("pk").values_list("pk", flat=True)[:most])
    if not ids:
        return 0, []
    silent = set(Device.objects.filter(overdue, pk__in=ids).values_list("pk", flat=True))
    changes: list[tuple[Device, Change, str]] = []
    found = locked(ids)
    for device in found:
        model = devices.model_of(device.model)
        if model is None:
            Device.objects.filter(pk=device.pk).update(look_at=None, overdue_at=None)
            continue
        now, ended = alarms.settle(standing_of(device), at=at, model=model)
        changes += [(device, change, "") for change in ended]
        if device.pk in silent:
            now, fallen = alarms.fall_silent(now, at=at)
            changes += [(device, change, "") for change in fallen]
        carry(device, now, model)
    Device.objects.filter(pk__in=silent).update(overdue_at=None)
    return len(ids), apply(found, changes, at=at)


def _overdue(at: datetime) -> Q:
    """The devices that should have been heard, as far as somebody listened to their wire."""
    due = Q(pk__in=())
    for wire, until in Ear.objects.values_list("wire", "heard_until"):
        models = [key for key, declared in all_models().items() if wire_of(declared) == wire]
        due |= Q(overdue_at__lte=min(at, until), model__in=models)
    return due


def wire_of(model: DeviceModel) -> str:
    """The listener that hears devices of this model."""
    return "mqtt" if model.mqtt else "gb26875"


def note(ids: Sequence[int], trouble: Trouble, *, at: datetime) -> list[UUID]:
    """These devices have this the matter, as a person or a rule found; not twice while it lasts. Gives the reports."""
    lasting = Episode.objects.filter(device__in=ids, trouble=trouble, ended_at=None)
    known = set(lasting.values_list("device", flat=True))
    found = [device for device in locked(ids) if device.pk not in known]
    return apply(found, [(device, Change(trouble, True, at), "") for device in found], at=at)


def listening(wire: str, *, at: datetime) -> None:
    """A listener is there. After it was away, what was due meanwhile is due by so much later."""
    ear = Ear.objects.select_for_update().filter(pk=wire).first()
    if ear is None:
        Ear.objects.create(wire=wire, heard_until=at)
        return
    away = at - ear.heard_until
    if away > GAP:
        waiting = Device.objects.filter(overdue_at__gt=ear.heard_until)
        waiting.update(overdue_at=F("overdue_at") + away)
    if away > timedelta():
        Ear.objects.filter(pk=wire).update(heard_until=at)


__all__ = [
    "ALARMS", "CHANNEL", "TROUBLES", "UPKEEP", "apply", "carry", "listening", "locked", "note", "overdue_at",
    "standing_of", "sweep", "wire_of",
]  # fmt: skip
