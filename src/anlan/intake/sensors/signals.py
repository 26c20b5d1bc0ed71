"""What devices tell, written down by the thousand; what changes by it goes on to `episodes`.

A heartbeat is a row and nothing else: only what begins or ends with a device goes into the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from anlan.intake.models import Device, Signal
from anlan.intake.sensors import alarms, devices, episodes
from anlan.intake.sensors.alarms import Change, Standing
from anlan.intake.sensors.device_model import DeviceModel, Told
from anlan.intake.sensors.episodes import overdue_at
from anlan.intake.sensors.readings import Reading
from anlan.intake.sensors.roster import Known
from anlan.ledger.bulk import insert_rows, update_rows

HEARD_EVERY: Final = timedelta(minutes=1)
"""How exactly it is kept when a device was last heard: to write it for each heartbeat would cost more than it tells."""
_SIGNAL: Final = ("device_id", "sequence", "print", "kind", "at", "received_at", "value", "raw")
_QUIET: Final = frozenset({"heartbeat", "value"})
_LONGEST = 4000
_BROKEN = timedelta(days=1)  # a device's clock that is so far from ours tells nothing


class Heard(NamedTuple):
    """One message of a known device; `words` are what a person may read of it: where the part is, what was measured."""

    device: Known
    reading: Reading
    raw: str
    words: str = ""


@dataclass(slots=True)
class Taken:
    """What became of a batch: how many messages were new, and the reports that follow, alarms first."""

    new: int = 0
    reports: list[UUID] = field(default_factory=list)


def take(heard: Sequence[Heard], *, at: datetime) -> Taken:
    """Write down what was heard, and what follows from it, in the transaction that is open.

    The same message again (device, number and content) changes nothing. Messages are taken in the order they came.
    """
    fresh = _insert(heard, at)
    notable = [each for each in fresh if each.reading.kind not in _QUIET or each.device.troubled]
    reports = _changed(notable, at) if notable else []
    _mark_heard(fresh, at)
    return Taken(len(fresh), reports)


def _insert(heard: Sequence[Heard], at: datetime) -> list[Heard]:
    """The messages that had not come before, now written.

    An alarm without a moment of its own is heard again all the same: a counter that began anew looks like a repeat, and
    a repeat does no harm.
    """
    rows: dict[tuple[int, int, int], tuple[tuple[Any, ...], Heard]] = {}
    for place, each in enumerate(heard):
        row = _row(each, place, at)
        rows.setdefault(row[:3], (row, each))
    try:
        with transaction.atomic():
            insert_rows(Signal, _SIGNAL, [row for row, _ in rows.values()])
    except IntegrityError:
        known = _there(list(rows))
        insert_rows(Signal, _SIGNAL, [row for key, (row, _) in rows.items() if key not in known])
        rows = {key: value for key, value in rows.items() if key not in known or _may_be_new(value[1], at)}
    return [each for _, each in rows.values()]


def _may_be_new(each: Heard, at: datetime) -> bool:
    moment = each.reading.at
    return each.reading.kind in episodes.ALARMS and (moment is None or abs(at - moment) > _BROKEN)


def _row(each: Heard, place: int, at: datetime) -> tuple[Any, ...]:
    device, (kind, sequence, told_at, value, print_), raw, _ = each
    if sequence is None:
        # Without a number and a moment of its own, two that are alike are two.
        moment = told_at or at
        sequence = int(moment.timestamp() * 1_000_000) + (0 if told_at else place)
    return device.id, sequence, print_, kind, told_at or at, at, value, raw[:_LONGEST]


def _there(keys: Sequence[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
    """Which of these (device, sequence, print) are written already."""
    found: set[tuple[int, int, int]] = set()
    for start in range(0, len(keys), 200):
        part = keys[start : start + 200]
        places = ", ".join(["(%s, %s, %s)"] * len(part))
        statement = (
            f"WITH asked (d, s, p) AS (VALUES {places}) SELECT d, s, p FROM asked JOIN intake_signal"  # noqa: S608 - marks
            " ON device_id = d AND sequence = s AND print = p"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [value for key in part for value in key])
            found.update((int(d), int(s), int(p)) for d, s, p in cursor.fetchall())
    return found


def _mark_heard(fresh: Sequence[Heard], at: datetime) -> None:
    latest = {each.device.id: each.device for each in fresh}
    late = [known for known in latest.values() if known.heard_at is None or at - known.heard_at >= HEARD_EVERY]
    rows = []
    for known in sorted(late, key=lambda each: each.id):
        known.heard_at = at
        rows.append((at, overdue_at(known.model, at), known.id))
    update_rows(Device, ("heard_at", "overdue_at"), rows)


def _changed(notable: Sequence[Heard], at: datetime) -> list[UUID]:
    told: dict[int, list[Heard]] = {}
    for each in notable:
        told.setdefault(each.device.id, []).append(each)
    found = episodes.locked(list(told))
    changes: list[tuple[Device, Change, str]] = []
    for device in found:
        model = devices.model_of(device.model)
        if model is None:
            continue
        now = episodes.standing_of(device)
        for each in told[device.pk]:
            now, more = alarms.hear(now, _meant(each, now, model), at=at, model=model)
            changes += [(device, change, each.words) for change in more]
        episodes.carry(device, now, model)
    return episodes.apply(found, changes, at=at)


def _meant(each: Heard, now: Standing, model: DeviceModel) -> Told:
    """A reading within its limits may be the end of what stands."""
    reading = each.reading
    if reading.value is None or model.limits is None or reading.kind not in ("value", "alarm", "fault"):
        return reading.kind
    return alarms.means(reading.value, model.limits, now)
