"""Holidays: the days of a calendar as announced notices set them, laid over the calendar the package ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.kernel.workdays import Calendar, calendar_for
from anlan.places.models import Area, Holiday, Officer
from anlan.places.record import record

DEFAULT = "china"


class NoticeRefused(Refusal):
    """The notice cannot be loaded."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What was read the last time: which areas have a calendar of their own, longest path first, and each one laid."""

    version: tuple[object, ...]
    areas: tuple[tuple[str, str], ...]
    laid: dict[str, Calendar]
    found: dict[str, str]


# A shelf for each database a process speaks to: one, but in tests and restores.
_shelves: dict[str, _Shelf] = {}

# One look answers for both tables; the partial indexes make each count a short walk.
_VERSION = (
    "SELECT (SELECT COUNT(*) FROM places_holiday),"
    " (SELECT COUNT(*) FROM places_holiday WHERE is_working),"
    " (SELECT MAX(loaded_at) FROM places_holiday),"
    " (SELECT COUNT(*) FROM places_area WHERE calendar <> %s),"
    " (SELECT MAX(changed_at) FROM places_area WHERE calendar <> %s)"
)


def calendar(key: str) -> Calendar:
    """The calendar `key` with every loaded notice applied (one small query; hold on to it through a batch)."""
    return _lay(_shelf(), key)


def calendar_at(area_path: str) -> Calendar:
    """The working calendar in force at an area: its own, or that of the nearest area above which has one."""
    return calendars()(area_path)


def calendars() -> Callable[[str], Calendar]:
    """`calendar_at` for a batch: what it needs is read once, so that asking for many areas costs no query each."""
    shelf = _shelf()

    def at(area_path: str) -> Calendar:
        key = shelf.found.get(area_path)
        if key is None:
            key = next((key for path, key in shelf.areas if area_path.startswith(path)), DEFAULT)
            shelf.found[area_path] = key
        return _lay(shelf, key)

    return at


def _shelf() -> _Shelf:
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, ["", ""])
        version = (catalogue.current(), *cursor.fetchone())
    name = str(connection.settings_dict["NAME"])
    shelf = _shelves.get(name)
    if shelf is None or shelf.version != version:
        rows = Area.objects.exclude(calendar="").values_list("path", "calendar")
        shelf = _shelves[name] = _Shelf(version, tuple(sorted(rows, key=lambda row: -len(row[0]))), {}, {})
    return shelf


def _lay(shelf: _Shelf, key: str) -> Calendar:
    if key not in shelf.laid:
        base = calendar_for(key)
        days = dict(Holiday.objects.filter(calendar=key).values_list("date", "is_working"))
        shelf.laid[key] = base.with_days(days) if days else base
    return shelf.laid[key]


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
