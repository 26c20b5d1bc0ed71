"""What follows from what a device tells: a pure function of how it stood. No clock, no database.

A first alarm goes out at once; what is held back is the end of one. An alarm is over when it has been told to be over
for `clear_after` without being set again, or was not repeated for `forget_after`; until then its repeats are absorbed.
A real alarm after a doubtful one is not a repeat: it goes out too. A test changes nothing but the moment of the last
test. The same history gives the same standing, in one run or with a restart after every message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from anlan.intake.sensors.device_model import DeviceModel, Limits, Told

Trouble = Literal["alarm", "doubtful", "fault", "battery", "silent", "chatter", "false"]
_SURENESS: Final = {"": 0, "doubtful": 1, "alarm": 2}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a device stands. `alarm` is "", "doubtful" or "alarm"; `quiet_at` is since when it tells that that is over;
    `sets` are the moments at which an alarm was set, the latest last.
    """

    alarm: str = ""
    alarm_at: datetime | None = None
    told_at: datetime | None = None
    quiet_at: datetime | None = None
    fault_at: datetime | None = None
    battery_at: datetime | None = None
    silent_at: datetime | None = None
    chatter_at: datetime | None = None
    test_at: datetime | None = None
    sets: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Something begins (`began`) or is over, with its moment."""

    trouble: Trouble
    began: bool
    at: datetime


def hear(now: Standing, told: Told, *, at: datetime, model: DeviceModel) -> tuple[Standing, list[Change]]:
    """Where a device stands after it `told` something at `at` (our own clock), and what began or ended by it."""
    now, changes = settle(now, at=at, model=model)
    if now.silent_at is not None:
        now = replace(now, silent_at=None)
        changes.append(Change("silent", False, at))
    if told in ("alarm", "doubtful"):
        now, more = _set(now, told, at, model)
        return now, changes + more
    if told in ("clear", "normal") and now.alarm and now.quiet_at is None:
        now = replace(now, quiet_at=at)
    if told in ("mended", "normal") and now.fault_at is not None:
        now = replace(now, fault_at=None)
        changes.append(Change("fault", False, at))
    if told == "normal" and now.battery_at is not None:
        now = replace(now, battery_at=None)
        changes.append(Change("battery", False, at))
    if told == "fault" and now.fault_at is None:
        now = replace(now, fault_at=at)
        changes.append(Change("fault", True, at))
    if told == "battery" and now.battery_at is None:
        now = replace(now, battery_at=at)
        changes.append(Change("battery", True, at))
    if told == "test":
        now = replace(now, test_at=at)
    return now, changes


def _set(now: Standing, told: str, at: datetime, model: DeviceModel) -> tuple[Standing, list[Change]]:
    changes: list[Change] = []
    first = not now.alarm
    if first or now.quiet_at is not None:
        now, changes = _turned(now, at, model)
    if _SURENESS[told] > _SURENESS[now.alarm]:
        if not first:
            changes.append(Change("doubtful", False, at))
        changes.append(Change("alarm" if told == "alarm" else "doubtful", True, at))
        now = replace(now, alarm=told, alarm_at=at)
    return replace(now, told_at=at, quiet_at=None), changes


def _turned(now: Standing, at: datetime, model: DeviceModel) -> tuple[Standing, list[Change]]:
    """An alarm is set that was not set before: `chatter_times` of these within `chatter_within` is chatter."""
    since = at - timedelta(minutes=model.chatter_within)
    sets = (*(moment for moment in now.sets if moment > since), at)[-model.chatter_times :]
    now = replace(now, sets=sets)
    if len(sets) < model.chatter_times or now.chatter_at is not None:
        return now, []
    return replace(now, chatter_at=at), [Change("chatter", True, at)]


def settle(now: Standing, *, at: datetime, model: DeviceModel) -> tuple[Standing, list[Change]]:
    """The same standing with what has run out by `at`: an alarm that is over, chatter that has ceased."""
    changes: list[Change] = []
    over = over_at(now, model=model)
    if over is not None and over <= at:
        trouble: Trouble = "alarm" if now.alarm == "alarm" else "doubtful"
        changes.append(Change(trouble, False, over))
        now = replace(now, alarm="", alarm_at=None, told_at=None, quiet_at=None)
    within = timedelta(minutes=model.chatter_within)
    if now.chatter_at is not None and now.sets and now.sets[-1] + within <= at:
        changes.append(Change("chatter", False, now.sets[-1] + within))
        now = replace(now, chatter_at=None, sets=())
    return now, changes


def over_at(now: Standing, *, model: DeviceModel) -> datetime | None:
    """When the alarm that stands is over, should nothing more be heard; None where none stands."""
    if not now.alarm or now.told_at is None:
        return None
    forgotten = now.told_at + timedelta(minutes=model.forget_after)
    if now.quiet_at is None:
        return forgotten
    return min(now.quiet_at + timedelta(minutes=model.clear_after), forgotten)


def next_at(now: Standing, *, model: DeviceModel) -> datetime | None:
    """When something will have run out that nobody tells of: the sweep looks then."""
    moments = [over_at(now, model=model)]
    if now.chatter_at is not None and now.sets:
        moments.append(now.sets[-1] + timedelta(minutes=model.chatter_within))
    return min((moment for moment in moments if moment is not None), default=None)


def fall_silent(now: Standing, *, at: datetime) -> tuple[Standing, list[Change]]:
    """Nothing was heard for too long."""
    if now.silent_at is not None:
        return now, []
    return replace(now, silent_at=at), [Change("silent", True, at)]


def means(value: float, limits: Limits | None, now: Standing) -> Told:
    """What a reading means: an alarm or a fault where it lies outside of the limits, its end once well inside."""
    if limits is None:
        return "value"
    if _outside(value, limits.alarm_below, limits.alarm_above):
        return "alarm"
    if now.alarm and now.quiet_at is None:
        return "clear" if _well_inside(value, limits.alarm_below, limits.alarm_above, limits.margin) else "value"
    if _outside(value, limits.fault_below, limits.fault_above):
        return "fault"
    if now.fault_at is not None and _well_inside(value, limits.fault_below, limits.fault_above, limits.margin):
        return "mended"
    return "value"


def _outside(value: float, below: float | None, above: float | None) -> bool:
    return (below is not None and value < below) or (above is not None and value >= above)


def _well_inside(value: float, below: float | None, above: float | None, margin: float) -> bool:
    if below is None and above is None:
        return False
    return (below is None or value >= below + margin) and (above is None or value < above - margin)


def is_flood(moments: Iterable[datetime], *, points: int, seconds: float) -> bool:
    """Whether so many points told of an alarm within so many seconds; `moments` has one for each point."""
    ordered = sorted(moments)
    within = timedelta(seconds=seconds)
    return any(last - first <= within for first, last in zip(ordered, ordered[points - 1 :], strict=False))


def replay(
    told: Sequence[tuple[datetime, Told]], *, model: DeviceModel, now: Standing | None = None
) -> tuple[Standing, list[Change]]:
    """A whole history, one after the other."""
    standing, changes = now or Standing(), list[Change]()
    for at, each in told:
        standing, more = hear(standing, each, at=at, model=model)
        changes += more
    return standing, changes
