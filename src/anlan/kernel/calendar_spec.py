"""The vocabulary of `calendars/*.toml`: which days are worked, and from when to when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from chinese_calendar.constants import holidays as chinese_holidays
from chinese_calendar.constants import workdays as chinese_workdays
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Text

_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$|^24:00$")
_LONGEST = dict.fromkeys(range(1, 13), 31) | dict.fromkeys((4, 6, 9, 11), 30) | {2: 29}


def minute_of(clock: str) -> int:
    """Minutes after midnight of "HH:MM"."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(value: str) -> str:
    if not _CLOCK.match(value):
        raise Misdeclared(f"“{value}”不是 00:00 到 24:00 的时间。", f"“{value}” is not a time from 00:00 to 24:00.")
    return value


def _month_day(value: str) -> str:
    match = re.fullmatch(r"(\d\d)-(\d\d)", value)
    if not match or not 1 <= int(match[2]) <= _LONGEST.get(int(match[1]), 0):
        raise Misdeclared(f"“{value}”不是“月-日”，例如 05-01。", f"“{value}” is not a month and day such as 05-01.")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError) as error:
        raise Misdeclared(f"没有“{value}”这个时区。", f"There is no time zone “{value}”.") from error
    return value


def _in_order(shifts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    moments = [minute_of(clock) for shift in shifts for clock in shift]
    if any(later <= earlier for (earlier, later) in zip(moments[::2], moments[1::2], strict=True)):
        raise Misdeclared(
            "每段时间的结束应晚于开始；跨夜的班次请写成两段。",
            "A shift must end after it begins; write a night shift as two.",
        )
    if any(begins < ended for ended, begins in zip(moments[1::2], moments[2::2], strict=False)):
        raise Misdeclared("各段时间应按先后排列，不能重叠。", "Shifts must stand in order and not overlap.")
    return shifts


Clock = Annotated[str, AfterValidator(_clock)]
MonthDay = Annotated[str, AfterValidator(_month_day)]
Shifts = Annotated[tuple[tuple[Clock, Clock], ...], Field(min_length=1), AfterValidator(_in_order)]


class Season(BaseModel):
    """Other hours from one day of the year to another, both included; a winter may reach over the new year."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    begins: MonthDay
    """Month and day, such as 05-01."""
    ends: MonthDay
    """Month and day, such as 09-30."""
    shifts: Shifts

    def holds(self, month_day: str) -> bool:
        """Whether a day of the year ("MM-DD") lies in the season."""
        if self.begins <= self.ends:
            return self.begins <= month_day <= self.ends
        return month_day >= self.begins or month_day <= self.ends


class CalendarSpec(Declaration):
    """A working calendar: its weekend, its hours, and the days that differ."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    title: Text
    time_zone: Annotated[str, AfterValidator(_zone)]
    """IANA name of the zone in which days begin and offices open."""
    weekend: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(default=(6, 7), max_length=6)
    """ISO numbers of the weekdays not worked: 1 is Monday, 7 is Sunday."""
    shifts: Shifts
    """Working hours of a working day as ["09:00", "12:00"]; what lies between two shifts is the lunch break."""
    seasons: tuple[Season, ...] = ()
    """Summer and winter hours; the first season that holds a day gives its shifts."""
    seed: Literal["chinese", ""] = ""
    """"chinese": days off and make-up days from the State Council's notices, as far as they have been announced."""
    announced: tuple[int, ...] = ()
    """Further years whose days are all known. Without a seed, none listed means that every year is known."""
    off: tuple[date, ...] = ()
    """Days not worked, over the seed and the weekend."""
    working: tuple[date, ...] = ()
    """Days worked, over the seed and the weekend."""
    basis: Basis | None = None

    @model_validator(mode="after")
    def _one_answer_a_day(self) -> CalendarSpec:
        both = sorted(set(self.off) & set(self.working))
        if both:
            raise Misdeclared(f"{both[0]} 既写在 off 又写在 working。", f"{both[0]} stands in both off and working.")
        return self

    def shifts_on(self, month_day: str) -> tuple[tuple[int, int], ...]:
        """The shifts of a day of the year ("MM-DD") in minutes after midnight."""
        held = next((season.shifts for season in self.seasons if season.holds(month_day)), self.shifts)
        return tuple((minute_of(begins), minute_of(ends)) for begins, ends in held)

    def exceptions(self) -> dict[date, bool]:
        """Every day that differs from the weekend rule: is it worked?"""
        seeded = chinese_days() if self.seed else {}
        return {**seeded, **dict.fromkeys(self.off, False), **dict.fromkeys(self.working, True)}

    def known_years(self) -> frozenset[int] | None:
        """The years whose days are announced; None when every year is."""
        if not self.seed:
            return frozenset(self.announced) or None
        return frozenset(self.announced) | _years(chinese_days())


CALENDARS = Kind("calendars", CalendarSpec)


@cache
def chinese_days() -> dict[date, bool]:
    """Days off (False) and make-up days (True) as the State Council announced them, from PyPI `chinesecalendar`."""
    return {**dict.fromkeys(chinese_holidays, False), **dict.fromkeys(chinese_workdays, True)}


def _years(days: Iterable[date]) -> frozenset[int]:
    return frozenset(day.year for day in days)
