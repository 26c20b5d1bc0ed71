"""The rows of figures from outside: every version of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Q

from anlan.facts.known import Known
from anlan.intake.models import Statistic
from anlan.kernel.periods import last_day

Figure = tuple[str, str, str]
"""Figure, area path and period."""


class StatisticRow(NamedTuple):
    figure: str
    area_path: str
    period: str
    period_date: date
    value: float
    unit: str
    source: str
    version: int
    current: bool
    told_at: datetime


def rows(figures: Sequence[Figure], known: Known) -> list[StatisticRow]:
    """Every version of these figures."""
    wanted = set(figures)
    told = Statistic.objects.filter(
        Q(figure__in={figure for figure, _, _ in wanted}, period__in={period for _, _, period in wanted})
    )
    columns = ("figure", "area_path", "period", "value", "unit", "source", "version", "is_current", "at")
    return [
        StatisticRow(figure, path, period, last_day(period), value, unit, source, version, current, at)
        for figure, path, period, value, unit, source, version, current, at in told.values_list(*columns)
        if (figure, path, period) in wanted
    ]
