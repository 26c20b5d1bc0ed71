"""Periods an index is published for: a day, ten days (旬), a month, a quarter, a year.

A period is written as its name: "2026-11-22", "2026-11-T1" (the first ten days; T3 runs to the month's end),
"2026-11", "2026-Q4", "2026". Names of one kind stand in the order of time when they are sorted as text.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from anlan.kernel.text import Refusal, Text

PeriodKind = Literal["day", "ten_days", "month", "quarter", "year"]

KINDS: Final[dict[PeriodKind, Text]] = {
    "day": Text(zh="日", en="day"),
    "ten_days": Text(zh="旬", en="ten days"),
    "month": Text(zh="月", en="month"),
    "quarter": Text(zh="季", en="quarter"),
    "year": Text(zh="年", en="year"),
}
_TENS: Final = (Text(zh="上旬", en="1st–10th"), Text(zh="中旬", en="11th–20th"), Text(zh="下旬", en="21st–end"))
_EACH: Final = timedelta(days=1)
_NAMES: Final[dict[PeriodKind, re.Pattern[str]]] = {
    "day": re.compile(r"((?:19|20|21)\d\d)-(\d{2})-(\d{2})"),
    "ten_days": re.compile(r"((?:19|20|21)\d\d)-(\d{2})-T([123])"),
    "month": re.compile(r"((?:19|20|21)\d\d)-(\d{2})"),
    "quarter": re.compile(r"((?:19|20|21)\d\d)-Q([1-4])"),
    "year": re.compile(r"((?:19|20|21)\d\d)"),
}


class NoPeriod(Refusal):
    """A name that is no period's."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}”不是期间。请写成 2026-11-22（日）、2026-11-T1（旬，T1 至 T3）、2026-11（月）、2026-Q4（季）"
            "或 2026（年）。",
            f"“{name}” is no period; write 2026-11-22 (a day), 2026-11-T1 (ten days, T1 to T3), 2026-11 (a month), "
            "2026-Q4 (a quarter) or 2026 (a year).",
            field="period",
        )


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From `first` to `last`, both days included; ordered by time."""

    first: date
    last: date
    kind: PeriodKind

    @property
    def name(self) -> str:
        """As it is written: `read(name)` gives the period back."""
        return _WRITTEN[self.kind](self.first)

    @property
    def words(self) -> Text:
        """As it is said."""
        return _said(self)

    @property
    def before(self) -> Period:
        """The period of this kind before it."""
        return around(self.first - _EACH, self.kind)

    @property
    def after(self) -> Period:
        """The period of this kind after it."""
        return around(self.last + _EACH, self.kind)

    @property
    def last_year(self) -> Period:
        """The same period a year before; of 29 February, the 28th."""
        day = min(self.first.day, calendar.monthrange(self.first.year - 1, self.first.month)[1])
        return around(self.first.replace(year=self.first.year - 1, day=day), self.kind)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def read(name: str) -> Period:
    """The period of this name. Raises NoPeriod."""
    for kind, pattern in _NAMES.items():
        found = pattern.fullmatch(name)
        if found:
            try:
                return around(_inside(kind, *map(int, found.groups())), kind)
            except ValueError:
                break
    raise NoPeriod(name)


def around(day: date, kind: PeriodKind) -> Period:
    """The period of a kind that `day` lies in."""
    return Period(*_BOUNDS[kind](day), kind)


def _inside(kind: PeriodKind, year: int, part: int = 1, day: int = 1) -> date:
    """A day of the period with these numbers in its name; ValueError when there is none."""
    if kind == "quarter":
        return date(year, 3 * part - 2, 1)
    return date(year, part, 10 * day - 9 if kind == "ten_days" else day)


def _month(day: date) -> tuple[date, date]:
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _ten_days(day: date) -> tuple[date, date]:
    first, last = _month(day)
    ten = min((day.day - 1) // 10, 2)
    return first + 10 * ten * _EACH, last if ten == 2 else first + (10 * ten + 9) * _EACH


def _quarter(day: date) -> tuple[date, date]:
    first = day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    return first, _month(first.replace(month=first.month + 2))[1]


_BOUNDS: Final[dict[PeriodKind, Callable[[date], tuple[date, date]]]] = {
    "day": lambda day: (day, day),
    "ten_days": _ten_days,
    "month": _month,
    "quarter": _quarter,
    "year": lambda day: (date(day.year, 1, 1), date(day.year, 12, 31)),
}
_WRITTEN: Final[dict[PeriodKind, Callable[[date], str]]] = {
    "day": date.isoformat,
    "ten_days": lambda day: f"{day:%Y-%m}-T{min((day.day - 1) // 10, 2) + 1}",
    "month": lambda day: f"{day:%Y-%m}",
    "quarter": lambda day: f"{day:%Y}-Q{(day.month + 2) // 3}",
    "year": lambda day: f"{day:%Y}",
}


def _said(period: Period) -> Text:
    day = period.first
    if period.kind == "year":
        return Text(zh=f"{day.year} 年", en=f"{day.year}")
    if period.kind == "quarter":
        number = (day.month + 2) // 3
        return Text(zh=f"{day.year} 年第{'一二三四'[number - 1]}季度", en=f"Q{number} {day.year}")
    month = Text(zh=f"{day.year} 年 {day.month} 月", en=f"{calendar.month_name[day.month]} {day.year}")
    if period.kind == "month":
        return month
    if period.kind == "day":
        return Text(zh=f"{month.zh} {day.day} 日", en=f"{day.day} {month.en}")
    tens = _TENS[min((day.day - 1) // 10, 2)]
    return Text(zh=f"{month.zh}{tens.zh}", en=f"{tens.en} {month.en}")
