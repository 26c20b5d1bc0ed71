"""Time that counts: calendar days, working days with make-up days, working hours, and hours round the clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from itertools import accumulate, compress
from math import ceil
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from anlan.kernel import catalogue
from anlan.kernel.calendar_spec import CALENDARS, CalendarSpec
from anlan.kernel.catalogue import Catalogue
from anlan.kernel.text import Refusal

__all__ = ["CALENDARS", "Calendar", "CalendarSpec", "Due", "Unit", "Untimely", "calendar_for"]

Unit = Literal["minutes", "hours", "calendar_days", "working_days", "working_minutes", "working_hours"]

FIRST = date(1990, 1, 1)
LAST = date(2080, 12, 31)
_FIRST = FIRST.toordinal()
_LENGTH = LAST.toordinal() - _FIRST + 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MINUTE = 60_000_000
_DAY = 1440 * _MINUTE
_OPENS = (_FIRST - _EPOCH.toordinal()) * _DAY
_SHUTS = _OPENS + _LENGTH * _DAY
_LENGTHS = {"minutes": _MINUTE, "hours": 60 * _MINUTE, "working_minutes": _MINUTE, "working_hours": 60 * _MINUTE}
_ELAPSED = ("minutes", "hours")
# A notice may move days just before its new year: 2007, 2011 and 2018 each had such days from 29 December on.
_UNSETTLED = (12, 25)


class Untimely(Refusal):
    """A length or a moment that no calendar can reckon with."""


class Due(NamedTuple):
    """When something is due (UTC), and whether a notice that is not out yet may still move it."""

    at: datetime
    provisional: bool


class _Openings(NamedTuple):
    """Every shift in turn: when it begins and ends, the working time before it, and its day. Microseconds, UTC."""

    begins: list[int]
    ends: list[int]
    before: list[int]
    days: list[int]


class Calendar:
    """A working calendar ready to reckon with; it never changes.

    Moments are aware and answers are in UTC. The table reaches from 1990 to 2080; a moment outside is refused.
    """

    def __init__(
        self, spec: CalendarSpec, *, days: Mapping[date, bool] | None = None, years: Iterable[int] = ()
    ) -> None:
        self.spec = spec
        self.zone = ZoneInfo(spec.time_zone)
        self._given = dict(days or {})
        known = spec.known_years()
        self._years = None if known is None else known | frozenset(years)
        self._worked = self._table()
        self._counted = [0, *accumulate(self._worked)]
        self._days = [day for day, worked in enumerate(self._worked) if worked]
        self._unknown = [0, *accumulate(self._unsettled())]
        self._closes: dict[int, datetime] = {}
        self._ends: dict[int, datetime] = {}

    def add(self, start: datetime, n: float, unit: Unit) -> Due:
        """The moment `n` units after `start`.

        The start's day is not counted for units of days, and a part of a day counts as a whole one. Working days end at
        the close of business of the due day, calendar days at 23:59:59 local time. Working time runs inside the
        shifts only, and ends at the close of a shift rather than at the opening of the next. Raises `Untimely`.
        """
        if n < 0:
            raise Untimely("时限不能是负数。", "A length of time cannot be negative.", field="n")
        try:
            if unit == "working_days":
                return self._add_working_days(self._day(start), ceil(n))
            if unit == "calendar_days":
                return Due(self._end(self._day(start) + ceil(n)), provisional=False)
            length = round(n * _LENGTHS[unit])
            if unit in _ELAPSED:
                return Due(start.astimezone(UTC) + length * _MICROSECOND, provisional=False)
            return self._add_working_time(start, length)
        except (IndexError, OverflowError) as error:
            raise _outside(start) from error

    def between(self, start: datetime, end: datetime, unit: Unit) -> float:
        """How many units `end` is after `start`; what `add` would have to be given. Negative when it is before."""
        if unit == "working_days":
            return float(self._counted[self._day(end) + 1] - self._counted[self._day(start) + 1])
        if unit == "calendar_days":
            return float(self._day(end) - self._day(start))
        if unit in _ELAPSED:
            return ((end - start) // _MICROSECOND) / _LENGTHS[unit]
        return (self._worked_until(_instant(end)) - self._worked_until(_instant(start))) / _LENGTHS[unit]

    def close_of(self, day: date) -> Due:
        """The close of business of a working day, 23:59:59 local time of another."""
        index = self._index(day)
        return Due(self._close(index), provisional=self._doubtful(index, index))

    def is_working(self, day: date) -> bool:
        """Whether a day is worked, by the notice or, where none is out yet, by the weekend alone."""
        return bool(self._worked[self._index(day)])

    def is_known(self, day: date) -> bool:
        """Whether no notice still to come may change the day."""
        index = self._index(day)
        return not self._doubtful(index, index)

    def local_date(self, moment: datetime) -> date:
        """The day it is at `moment` in the calendar's zone."""
        return moment.astimezone(self.zone).date()

    def with_days(self, days: Mapping[date, bool], *, years: Iterable[int] = ()) -> Calendar:
        """This calendar with `days` of a notice over its own (True is worked).

        A year is announced once its 1 January is among the days, as in every notice, or when it is in `years`: a single
        day off in a year to come does not make the rest of that year known.
        """
        opened = {day.year for day in days if (day.month, day.day) == (1, 1)}
        known = (self._years or frozenset()) | opened | frozenset(years)
        return Calendar(self.spec, days={**self._given, **days}, years=known)

    def _add_working_days(self, first: int, n: int) -> Due:
        day = self._days[self._counted[first + 1] + n - 1] if n else first
        return Due(self._close(day), self._unknown[day + 1] > self._unknown[first])

    def _add_working_time(self, start: datetime, length: int) -> Due:
        moment = _instant(start)
        if not length:
            return Due(start.astimezone(UTC), provisional=False)
        begins, ends, before, days = self._openings
        target = self._worked_until(moment) + length
        last = bisect_left(before, target) - 1
        due = begins[last] + target - before[last]
        if due > ends[last]:
            raise _outside(start)
        first = days[bisect_right(ends, moment)]
        return Due(_EPOCH + due * _MICROSECOND, self._doubtful(first, days[last]))

    def _worked_until(self, instant: int) -> int:
        """Working microseconds from the table's beginning to an instant."""
        begins, ends, before, _ = self._openings
        at = bisect_right(begins, instant) - 1
        return before[at] + min(instant, ends[at]) - begins[at] if at >= 0 else 0

    def _day(self, moment: datetime) -> int:
        if moment.tzinfo is None:
            raise _zoneless(moment)
        index = moment.astimezone(self.zone).toordinal() - _FIRST
        if not 0 <= index < _LENGTH:
            raise _outside(moment)
        return index

    def _index(self, day: date) -> int:
        index = day.toordinal() - _FIRST
        if not 0 <= index < _LENGTH:
            raise _outside(day)
        return index

    def _doubtful(self, first: int, last: int) -> bool:
        return self._unknown[last + 1] > self._unknown[first]

    def _close(self, day: int) -> datetime:
        close = self._closes.get(day)
        if close is None:
            closes = self.spec.shifts_on(_month_days()[day])[-1][1] if self._worked[day] else 1440
            close = self._end(day) if closes == 1440 else self._local(day, closes)
            self._closes[day] = close
        return close

    def _end(self, day: int) -> datetime:
        end = self._ends.get(day)
        if end is None:
            if day >= _LENGTH:
                raise IndexError(day)
            local = datetime.combine(date.fromordinal(_FIRST + day), time(23, 59, 59), tzinfo=self.zone)
            end = self._ends[day] = local.astimezone(UTC)
        return end

    def _local(self, day: int, minute: int) -> datetime:
        """A minute after local midnight, in UTC; 1440 is the next midnight."""
        local = datetime.combine(date.fromordinal(_FIRST + day + minute // 1440), time(), tzinfo=self.zone)
        return local.replace(hour=minute % 1440 // 60, minute=minute % 60).astimezone(UTC)

    def _table(self) -> bytearray:
        week = bytes((FIRST.weekday() + day) % 7 + 1 not in self.spec.weekend for day in range(7))
        worked = bytearray(week * (_LENGTH // 7 + 1))[:_LENGTH]
        for day, is_worked in {**self.spec.exceptions(), **self._given}.items():
            worked[self._index(day)] = is_worked
        return worked

    def _unsettled(self) -> Iterator[bool]:
        """For every day, whether a notice still to come may change it."""
        for year in range(FIRST.year, LAST.year + 1):
            length = (date(year + 1, 1, 1) - date(year, 1, 1)).days
            if self._years is None or year in self._years:
                open_days = 0
                if self.spec.seed and self._years and year + 1 not in self._years:
                    open_days = (date(year + 1, 1, 1) - date(year, *_UNSETTLED)).days
                yield from [False] * (length - open_days) + [True] * open_days
            else:
                yield from [True] * length

    @cached_property
    def _openings(self) -> _Openings:
        begins: list[int] = []
        ends: list[int] = []
        days: list[int] = []
        for day, opens, closes in self._shifts():
            opened = max(opens, ends[-1]) if ends else opens  # a shift may fall into the hour a clock skips
            if closes > opened:
                begins.append(opened)
                ends.append(closes)
                days.append(day)
        lengths = [end - begin for begin, end in zip(begins, ends, strict=True)]
        return _Openings(begins, ends, [0, *accumulate(lengths)][:-1], days)

    def _shifts(self) -> Iterator[tuple[int, int, int]]:
        """(day, beginning, end) of every shift, in microseconds since 1970."""
        midnights = _midnights(self.zone)
        hours = {month_day: self.spec.shifts_on(month_day) for month_day in set(_month_days())}
        for day, month_day in compress(enumerate(_month_days()), self._worked):
            midnight = midnights[day]
            for opens, closes in hours[month_day]:
                if midnights[day + 1] - midnight == _DAY:
                    yield day, midnight + opens * _MINUTE, midnight + closes * _MINUTE
                else:
                    yield day, self._at(day, opens), self._at(day, closes)

    def _at(self, day: int, minute: int) -> int:
        return (self._local(day, minute) - _EPOCH) // _MICROSECOND


def _instant(moment: datetime) -> int:
    """Microseconds since 1970."""
    if moment.tzinfo is None:
        raise _zoneless(moment)
    instant = (moment - _EPOCH) // _MICROSECOND
    if not _OPENS <= instant < _SHUTS:
        raise _outside(moment)
    return instant


@cache
def _month_days() -> list[str]:
    """ "MM-DD" of every day of the table."""
    return [date.fromordinal(_FIRST + day).isoformat()[5:] for day in range(_LENGTH)]


@lru_cache(maxsize=8)
def _midnights(zone: ZoneInfo) -> list[int]:
    """Local midnight of every day of the table and the one after, in microseconds since 1970."""
    nights = (datetime.combine(date.fromordinal(_FIRST + day), time(), tzinfo=zone) for day in range(_LENGTH + 1))
    return [(night - _EPOCH) // _MICROSECOND for night in nights]


def _zoneless(moment: datetime) -> ValueError:
    return ValueError(f"A moment must know its time zone: {moment.isoformat()}")


def _outside(moment: date) -> Untimely:
    said = moment.isoformat()
    return Untimely(
        f"{said}：算到了日历（1990 年至 2080 年）之外。",
        f"{said}: reckoned outside the calendar, which reaches from 1990 to 2080.",
    )


def calendar_for(key: str) -> Calendar:
    """The calendar declared under `key`, built once for the catalogue of this process. Raises `Undeclared`."""
    return _built(catalogue.current(), key)


@lru_cache(maxsize=64)
def _built(declared: Catalogue, key: str) -> Calendar:
    return Calendar(declared.get(CALENDARS, key))
