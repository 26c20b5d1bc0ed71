"""Answers for pages and exports, read from the tallies: a few rows of the area asked for, never those of its cases.

`area_path` is one area with all below it. `first` and `last` are local days, both included; None is open-ended.
`department` 0 and `topic` "*" are all of them. A figure is a dict of the columns of `contribution.COLUMNS`; its cohort
columns are about the cases opened in those days, its flows about what happened in them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum

from anlan.casework.contribution import COLUMNS, TOOK
from anlan.casework.models import Spell, Tally
from anlan.places.models import Department

ALL = "*"
Figure = dict[str, int]


class Daily(NamedTuple):
    """One day of a chart: how many cases were opened and how many finished on it."""

    day: date
    opened: int
    finished: int


@dataclass(frozen=True, slots=True)
class Durations:
    """How many cases took how many local calendar days from opening to closing: cured, answered or merged ones."""

    counts: Mapping[int, int]

    @property
    def cases(self) -> int:
        """How many cases were timed."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """The mean number of days; None without a case."""
        return sum(days * count for days, count in self.counts.items()) / self.cases if self.cases else None

    def percentile(self, p: float) -> float | None:
        """The days within which the share `p` (0 to 1) of the cases was closed; None without a case.

        Between two cases it lies in proportion, as in the default of pandas' and numpy's quantile.
        """
        if not 0 <= p <= 1:
            raise ValueError(f"a share lies between 0 and 1, not at {p}")
        if not self.cases:
            return None
        place = (self.cases - 1) * p
        below = int(place)
        lower, upper = self._at(below), self._at(min(below + 1, self.cases - 1))
        between = place - below
        # From the nearer end, as numpy does it: the last digit must agree too.
        return lower + (upper - lower) * between if between < 0.5 else upper - (upper - lower) * (1 - between)

    def _at(self, place: int) -> int:
        """The days of the case at `place` when all stand in order, counted from 0."""
        seen = 0
        for days in sorted(self.counts):
            seen += self.counts[days]
            if place < seen:
                return days
        raise IndexError(place)


def sums(
    area_path: str, *, first: date | None = None, last: date | None = None, department: int = 0, topic: str = ALL
) -> Figure:
    """The figure of one area."""
    rows = Tally.objects.filter(_days(first, last), area_path=area_path, department=department, topic=topic)
    return _figure(rows.aggregate(**_SUMS))


def by_area(
    paths: Collection[str],
    *,
    first: date | None = None,
    last: date | None = None,
    department: int = 0,
    topic: str = ALL,
    columns: Collection[str] = COLUMNS,
) -> dict[str, Figure]:
    """The figure of each of these areas, in the order given; one without a case has zeros. `columns`: only these."""
    rows = Tally.objects.filter(_days(first, last), area_path__in=paths, department=department, topic=topic)
    found = _grouped(rows, "area_path", columns)
    return {path: found.get(path) or dict.fromkeys(columns, 0) for path in paths}


def by_department(
    area_path: str, *, first: date | None = None, last: date | None = None, topic: str = ALL,
    columns: Collection[str] = COLUMNS,
) -> dict[int, Figure]:  # fmt: skip
    """The figure of each department that had a case in the area, by its id; of `columns`, only these."""
    every = Department.objects.values("pk")
    rows = Tally.objects.filter(_days(first, last), area_path=area_path, department__in=every, topic=topic)
    return _grouped(rows, "department", columns)


def by_topic(
    area_path: str, *, first: date | None = None, last: date | None = None, department: int = 0
) -> dict[str, Figure]:
    """The figure of each topic of which there was a case; the empty topic is that of cases not classified."""
    rows = Tally.objects.filter(_days(first, last), area_path=area_path, department=department)
    return _grouped(rows.exclude(topic=ALL), "topic")


def daily(area_path: str, *, first: date, last: date, department: int = 0, topic: str = ALL) -> list[Daily]:
    """What was opened and finished on every day from `first` to `last`, days of rest and quiet included."""
    rows = Tally.objects.filter(_days(first, last), area_path=area_path, department=department, topic=topic)
    found = {day: Daily(day, opened, finished) for day, opened, finished in rows.values_list(*Daily._fields)}
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [found.get(day) or Daily(day, 0, 0) for day in days]


def durations(
    area_path: str, *, first: date | None = None, last: date | None = None, department: int = 0, topic: str = ALL
) -> Durations:
    """How long the cases opened in those days took."""
    found = durations_by_area([area_path], first=first, last=last, department=department, topic=topic)
    return found[area_path]


def durations_by_area(
    paths: Collection[str],
    *,
    first: date | None = None,
    last: date | None = None,
    department: int = 0,
    topic: str = ALL,
) -> dict[str, Durations]:
    """The same for each of these areas, in two queries for all of them."""
    wanted = _days(first, last) & Q(area_path__in=paths, department=department, topic=topic)
    counts: dict[str, dict[int, int]] = {path: {} for path in paths}
    short = Tally.objects.filter(wanted).values_list("area_path").annotate(*map(Sum, TOOK)).order_by()
    for path, *took in short:
        counts[path] = {days: number for days, number in enumerate(took) if number}
    long = Spell.objects.filter(wanted).values_list("area_path", "days").annotate(Sum("cases")).order_by()
    for path, days, number in long:
        if number:
            counts[path][days] = number
    return {path: Durations(found) for path, found in counts.items()}


def durations_by_department(
    area_path: str, *, first: date | None = None, last: date | None = None, topic: str = ALL
) -> dict[int, Durations]:
    """The same for each department that had a case in the area, in two queries for all of them."""
    wanted = _days(first, last) & Q(area_path=area_path, department__gt=0, topic=topic)
    counts: dict[int, dict[int, int]] = {}
    short = Tally.objects.filter(wanted).values_list("department").annotate(*map(Sum, TOOK)).order_by()
    for department, *took in short:
        counts[department] = {days: number for days, number in enumerate(took) if number}
    long = Spell.objects.filter(wanted).values_list("department", "days").annotate(Sum("cases")).order_by()
    for department, days, number in long:
        if number:
            counts.setdefault(department, {})[days] = number
    return {department: Durations(found) for department, found in counts.items()}


def percentile(
    area_path: str,
    p: float,
    *,
    first: date | None = None,
    last: date | None = None,
    department: int = 0,
    topic: str = ALL,
) -> float | None:
    """`durations(…).percentile(p)`: 0.5 is the median."""
    return durations(area_path, first=first, last=last, department=department, topic=topic).percentile(p)


def total(figures: Iterable[Mapping[str, int]]) -> Figure:
    """Several figures added up; areas must not lie in one another, nor topics or departments be counted twice."""
    added = nothing()
    for figure in figures:
        for column in added:
            added[column] += figure[column]
    return added


def nothing() -> Figure:
    """The figure of no case at all."""
    return dict.fromkeys(COLUMNS, 0)


_SUMS = {column: Sum(column) for column in COLUMNS}


def _days(first: date | None, last: date | None) -> Q:
    after = Q() if first is None else Q(day__gte=first)
    return after if last is None else after & Q(day__lte=last)


def _figure(row: Mapping[str, Any]) -> Figure:
    return {column: row[column] or 0 for column in COLUMNS}


def _grouped(rows: QuerySet[Tally], name: str, columns: Collection[str] = COLUMNS) -> dict[Any, Figure]:
    found = rows.values(name).annotate(**{column: _SUMS[column] for column in columns}).order_by(name)
    return {
        row[name]: {column: row[column] or 0 for column in columns}
        for row in found
        if any(row[column] for column in columns)
    }
