"""Periods as figures name them: a year ("2026"), a quarter ("2026-Q3") or a month ("2026-11")."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

_PERIOD: Final = re.compile(r"(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")


def is_period(told: str) -> bool:
    """Whether `told` is a period, written like one of the three."""
    return _PERIOD.fullmatch(told) is not None


def first_day(period: str) -> date:
    """The first day of a period; raises ValueError where it is none."""
    year, month, _ = _parts(period)
    return date(year, month, 1)


def last_day(period: str) -> date:
    """The last day of a period; raises ValueError where it is none."""
    year, month, length = _parts(period)
    end = month + length
    return date(year + (end - 1) // 12, (end - 1) % 12 + 1, 1) - timedelta(days=1)


def _parts(period: str) -> tuple[int, int, int]:
    """Year, first month and length in months."""
    read = _PERIOD.fullmatch(period)
    if read is None:
        raise ValueError(f"A period is written 2026, 2026-Q3 or 2026-11, not '{period}'.")
    year, quarter, month = int(read["year"]), read["quarter"], read["month"]
    if quarter:
        return year, 3 * int(quarter) - 2, 3
    return (year, int(month), 1) if month else (year, 1, 12)
