"""How often one device or address may do what is open to everybody; what is kept for it names nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from anlan.intake.channel import Channel, Limit
from anlan.intake.models import Attempt
from anlan.kernel.text import Refusal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TooOften(Refusal):
    """Somebody did something more often than the channel allows; `until` is when they may again."""

    status = 429

    def __init__(self, until: datetime, *, at: datetime, zone: str) -> None:
        minutes = max(1, -int((at - until).total_seconds() // 60))
        local = until.astimezone(ZoneInfo(zone))
        super().__init__(
            f"短时间内次数太多了：请在 {local:%H:%M} 以后（约 {minutes} 分钟后）再试。",
            f"That was too often in a short time: try again after {local:%H:%M} (in about {minutes} minutes).",
        )
        self.until = until


def count(channel: Channel, what: str, *, by: Mapping[str, str], at: datetime) -> None:
    """Count one more `what` by this device and address; raises `TooOften` when it is one too many.

    It stays counted when what was asked for is refused or fails.
    """
    over: list[datetime] = []
    with transaction.atomic():
        for limit, who, until in _windows(channel, what, by, at):
            if _one_more(who, until) > limit.most:
                over.append(until)
    if over:
        raise TooOften(max(over), at=at, zone=channel.time_zone)


def check(channel: Channel, what: str, *, by: Mapping[str, str], at: datetime) -> None:
    """Raise `TooOften` where one more `what` would be too many, without counting one."""
    windows = {who: (limit, until) for limit, who, until in _windows(channel, what, by, at)}
    counted = Attempt.objects.filter(who__in=list(windows)).values_list("who", "count")
    over = [windows[who][1] for who, times in counted if times >= windows[who][0].most]
    if over:
        raise TooOften(max(over), at=at, zone=channel.time_zone)


def forget(*, at: datetime) -> int:
    """Delete what was counted in windows that are over; how much it was."""
    done, _ = Attempt.objects.filter(until__lt=at).delete()
    return done


def _windows(channel: Channel, what: str, by: Mapping[str, str], at: datetime) -> Iterator[tuple[Limit, str, datetime]]:
    for limit in channel.public.limits if channel.public else ():
        if limit.what != what or not by.get(limit.by):
            continue
        length = timedelta(minutes=limit.minutes)
        until = _EPOCH + ((at - _EPOCH) // length + 1) * length
        parts = (channel.key, what, limit.by, by[limit.by], str(limit.minutes), until.isoformat())
        yield limit, salted_hmac("anlan.intake.throttle", "\n".join(parts), algorithm="sha256").hexdigest(), until


def _one_more(who: str, until: datetime) -> int:
    Attempt.objects.bulk_create([Attempt(who=who, until=until)], ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute('UPDATE intake_attempt SET "count" = "count" + 1 WHERE who = %s RETURNING "count"', [who])
        return int(cursor.fetchone()[0])
