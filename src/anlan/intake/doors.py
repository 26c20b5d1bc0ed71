"""Which door is stuck: for each channel when the last message came, how many come, what is held, how late they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import Greatest

from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.models import DoorHour, Quarantined
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.ledger.models import Event

State = Literal["well", "held", "silent", "stuck", "never"]

KINDS: Final = {"report.received": "received", "report.held": "held"}
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
USUAL: Final = 28
"""Over how many days it is said what is usual."""
LATE: Final = timedelta(days=1)
"""Messages that on average were told longer ago than this came late."""


@dataclass(frozen=True, slots=True)
class Door:
    """One way in or out as an operator sees it. `delay` is how long messages took on average in the last day; `held`
    how many wait for somebody to mend them, since `held_since`; `says` what is wrong, where something is.
    """

    key: str
    title: Text
    kind: str
    last_at: datetime | None
    hour: int = 0
    day: int = 0
    usual: float = 0.0
    held: int = 0
    held_since: datetime | None = None
    delay: timedelta | None = None
    state: State = "well"
    says: Text | None = None


def count(events: Sequence[Event]) -> None:
    """What came in with these events, by channel and hour."""
    found: dict[tuple[str, datetime], dict[str, Any]] = {}
    for event in events:
        column = KINDS.get(event.kind)
        if column is None:
            continue
        hour = event.recorded_at.replace(minute=0, second=0, microsecond=0)
        row = found.setdefault((event.data["channel"], hour), {"received": 0, "held": 0, "delay_s": 0, "last_at": hour})
        row[column] += 1
        row["delay_s"] += max(0, int((event.recorded_at - event.at).total_seconds()))
        row["last_at"] = max(row["last_at"], event.recorded_at)
    for (channel, hour), row in sorted(found.items()):
        _add(channel, hour, row)


def _add(channel: str, hour: datetime, row: dict[str, Any]) -> None:
    sums = {name: F(name) + row[name] for name in ("received", "held", "delay_s")}
    known = DoorHour.objects.filter(channel=channel, hour=hour)
    if not known.update(**sums, last_at=Greatest("last_at", row["last_at"])):
        DoorHour.objects.create(channel=channel, hour=hour, **row)


def look(*, at: datetime) -> list[Door]:
    """Every channel that is declared or was ever used, by its key. Two queries."""
    came = {row["channel"]: row for row in _came(at)}
    held = {row["channel"]: row for row in _held()}
    declared: dict[str, Channel] = catalogue.current().all(CHANNELS)
    return [
        _door(key, declared.get(key), came.get(key, {}), held.get(key, {}), at)
        for key in sorted({*declared, *came, *held})
    ]


def _came(at: datetime) -> Any:
    whole = F("received") + F("held")
    hour, day, usual = (Q(hour__gt=at - span - HOUR) for span in (HOUR, DAY, USUAL * DAY))
    return DoorHour.objects.values("channel").annotate(
        last=Max("last_at"), first=Min("hour"), an_hour=Sum(whole, filter=hour), a_day=Sum(whole, filter=day),
        many=Sum(whole, filter=usual), delays=Sum("delay_s", filter=day),
    )  # fmt: skip


def _held() -> Any:
    waiting = Quarantined.objects.filter(state="held").values("channel")
    return waiting.annotate(many=Count("pk"), since=Min("held_at"))


def _door(key: str, channel: Channel | None, came: dict[str, Any], held: dict[str, Any], at: datetime) -> Door:
    day, many = came.get("a_day") or 0, came.get("many") or 0
    days = min(USUAL, max(1.0, (at - came["first"]) / DAY)) if came else 1.0
    delay = timedelta(seconds=came["delays"] / day) if day else None
    state, says = _state(channel, came.get("last"), held, delay, at)
    return Door(
        key=key, title=channel.title if channel else Text(zh=key, en=key), kind=channel.kind if channel else "",
        last_at=came.get("last"), hour=came.get("an_hour") or 0, day=day, usual=many / days,
        held=held.get("many", 0), held_since=held.get("since"), delay=delay, state=state, says=says,
    )  # fmt: skip


def _state(
    channel: Channel | None, last: datetime | None, held: dict[str, Any], delay: timedelta | None, at: datetime
) -> tuple[State, Text | None]:
    quiet = channel.quiet_hours if channel else 0
    if quiet and last is not None and at - last > quiet * HOUR:
        return "silent", Text(
            zh=f"已 {_hours(at - last)} 小时没有来件（平常不超过 {quiet} 小时）：请检查对方和网络。",
            en=f"Nothing came for {_hours(at - last)} hours (never more than {quiet} as a rule): check the sender and "
            "the network.",
        )
    if held:
        return "held", Text(
            zh=f"{held['many']} 条没读懂，等人改正，最早的已等 {_hours(at - held['since'])} 小时。",
            en=f"{held['many']} could not be understood and wait to be mended, the oldest for "
            f"{_hours(at - held['since'])} hours.",
        )
    if last is None:
        return "never", None
    if delay is not None and delay > LATE and channel is not None and channel.kind != "sheet":
        return "stuck", Text(
            zh=f"最近一天的来件平均晚到 {_hours(delay)} 小时：请检查对方是否积压。",
            en=f"Messages of the last day came {_hours(delay)} hours late on average: is the sender behind?",
        )
    return "well", None


def _hours(span: timedelta) -> int:
    return max(1, round(span / HOUR))
