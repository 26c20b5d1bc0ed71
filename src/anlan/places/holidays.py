"""Holidays: the days of a calendar as announced notices set them, laid over the calendar the package ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from django.db import transaction
from django.db.models import Count, Max, Q

from anlan.kernel.text import Refusal
from anlan.kernel.workdays import Calendar, calendar_for
from anlan.places.models import Area, Holiday, Officer
from anlan.places.record import record

DEFAULT = "china"


class NoticeRefused(Refusal):
    """The notice cannot be loaded."""


@dataclass(frozen=True, slots=True)
class _Laid:
    base: Calendar
    version: tuple[object, ...]
    calendar: Calendar


_laid: dict[str, _Laid] = {}


def calendar(key: str) -> Calendar:
    """The calendar `key` with every loaded notice applied. One small query; hold on to it through a batch."""
    base = calendar_for(key)
    version = _version(key)
    laid = _laid.get(key)
    if laid is None or laid.base is not base or laid.version != version:
        days = dict(Holiday.objects.filter(calendar=key).values_list("date", "is_working"))
        laid = _Laid(base, version, base.with_days(days) if days else base)
        _laid[key] = laid
    return laid.calendar


def calendar_at(area_path: str) -> Calendar:
    """The working calendar in force at an area: its own, or that of the nearest area above which has one."""
    return calendars()(area_path)


def calendars() -> Callable[[str], Calendar]:
    """`calendar_at` for a batch: what it needs is read once, so that asking for many areas costs no query each."""
    rows = sorted(Area.objects.exclude(calendar="").values_list("path", "calendar"), key=lambda row: -len(row[0]))
    held = cache(calendar)

    @cache
    def at(area_path: str) -> Calendar:
        return held(next((key for path, key in rows if area_path.startswith(path)), DEFAULT))

    return at


@transaction.atomic
def load(key: str, days: Mapping[date, bool], source: str, *, by: Officer | None, at: datetime) -> int:
    """Set `days` (True = working) of calendar `key` as the notice `source` announces; gives how many days changed.

    The same notice again changes nothing. Due dates that were provisional are recomputed by the next sweep.
    """
    calendar_for(key)
    if not source.strip():
        raise NoticeRefused("请写明通知的文号或来源。", "Name the notice that announces these days.", field="source")
    known = {held.date: held for held in Holiday.objects.filter(calendar=key, date__in=list(days))}
    fresh = {day: works for day, works in days.items() if day not in known or known[day].is_working != works}
    for day, works in fresh.items():
        Holiday.objects.update_or_create(
            calendar=key, date=day, defaults={"is_working": works, "source": source.strip(), "loaded_at": at}
        )
    if fresh:
        first = Holiday.objects.get(calendar=key, date=min(fresh))
        data = {
            "calendar": key,
            "source": source.strip(),
            "working": [day.isoformat() for day, works in sorted(fresh.items()) if works],
            "free": [day.isoformat() for day, works in sorted(fresh.items()) if not works],
        }
        record("calendar.loaded", first, by=by, at=at, data=data)
    return len(fresh)


def _version(key: str) -> tuple[object, ...]:
    found = Holiday.objects.filter(calendar=key).aggregate(
        days=Count("pk"), working=Count("pk", filter=Q(is_working=True)), last=Max("loaded_at")
    )
    return (found["days"], found["working"], found["last"])
