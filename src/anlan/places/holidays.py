"""Holidays: the days of a calendar as announced notices set them, laid over the calendar the package ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from django.db import transaction

from anlan.kernel.text import Refusal
from anlan.kernel.workdays import Calendar, calendar_for
from anlan.places import register
from anlan.places.models import Area, Holiday, Officer
from anlan.places.record import record
from anlan.places.register import Register

DEFAULT = "china"


class NoticeRefused(Refusal):
    """The notice cannot be loaded."""


def calendar(key: str) -> Calendar:
    """The calendar `key` with every loaded notice applied (one small query; hold on to it through a batch)."""
    return _laid(register.current(), key)


def calendar_at(area_path: str) -> Calendar:
    """The working calendar in force at an area: its own, or that of the nearest area above which has one."""
    return calendars()(area_path)


def calendars() -> Callable[[str], Calendar]:
    """`calendar_at` for a batch: what it needs is read once, so that asking for many areas costs no query each."""
    known = register.current()
    own = known.kept("areas with a calendar", _own)
    found: dict[str, Calendar] = known.kept("calendars by path", dict)

    def at(area_path: str) -> Calendar:
        laid = found.get(area_path)
        if laid is None:
            key = next((key for path, key in own if area_path.startswith(path)), DEFAULT)
            laid = found[area_path] = _laid(known, key)
        return laid

    return at


def _own() -> list[tuple[str, str]]:
    """The areas that have a calendar of their own, longest path first."""
    rows = Area.objects.exclude(calendar="").values_list("path", "calendar")
    return sorted(rows, key=lambda row: -len(row[0]))


def _laid(known: Register, key: str) -> Calendar:
    """The calendar as the package ships it, under the days that notices set."""

    def lay() -> Calendar:
        base = calendar_for(key)
        days = dict(Holiday.objects.filter(calendar=key).values_list("date", "is_working"))
        return base.with_days(days) if days else base

    return known.kept(("calendar", key), lay)


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
