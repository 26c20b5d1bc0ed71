"""What has to be counted for many indicators: every figure once, table by table and date by date.

A lane is a table read along one of its dates. All that any indicator counts along it is counted in one pass: rows and
sums, which add up over areas and time, and multisets (how often each value occurs), which add up too, and from which a
distinct count or a quantile is read once they are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from anlan.facts.table import TABLES, FactTable
from anlan.index.counting.expression import Columns, Sort, condition
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.counting.period import Period, PeriodKind
from anlan.kernel.catalogue import Catalogue

Grain = Literal["day", "ten_days", "month"]
_SORTS: Final[dict[str, Sort]] = {
    "string": "text",
    "int": "number",
    "double": "number",
    "bool": "bool",
    "date": "date",
    "moment": "moment",
}
_GRAINS: Final[dict[PeriodKind, Grain]] = {
    "day": "day",
    "ten_days": "ten_days",
    "month": "month",
    "quarter": "month",
    "year": "month",
}


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """A table along `date` (along the later of `date` and `until`, if that is given); "" is a snapshot as it stands."""

    table: str
    date: str
    until: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Tally:
    """The rows that fulfil `where` (DuckDB's SQL), or the sum of `column` over those where it is not null."""

    where: str
    column: str = ""


@dataclass(slots=True)
class Pass:
    """What one pass along a lane counts: tallies, and for some columns how often each value occurs under a condition.

    `horizons` are the lengths in days of the rolling windows that are wanted of it.
    """

    tallies: list[Tally] = field(default_factory=list)
    bags: dict[str, list[str]] = field(default_factory=dict)
    horizons: list[int] = field(default_factory=list)

    def tally(self, where: str, column: str = "") -> int:
        """The place of a tally, put there if it is new."""
        return _place(self.tallies, Tally(where, column))

    def bag(self, column: str, where: str) -> int:
        """The place of a condition under which the values of a column are collected."""
        return _place(self.bags.setdefault(column, []), where)


@dataclass(slots=True)
class Plan:
    """Every lane with what is counted along it, and the conditions of given figures by (table, column)."""

    grain: Grain
    lanes: dict[Lane, Pass] = field(default_factory=dict)
    given: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    tables: Mapping[str, FactTable] = field(default_factory=dict)
    carries: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """By table, column and condition: how many months a figure may be old that still holds."""
    digests: dict[str, str] = field(default_factory=dict)
    """What each pass is called where its cells are kept."""
    _said: dict[tuple[str, str], str] = field(default_factory=dict)

    def said(self, measure: Measure) -> str:
        """A measure's condition as DuckDB's SQL. Raises `Unsayable`."""
        key = (measure.table, measure.where)
        if key not in self._said:
            self._said[key] = said(measure, self.tables)
        return self._said[key]

    def along(self, lane: Lane, window: str = "period") -> Pass:
        """What is counted along a lane, which is there from now on."""
        found = self.lanes.setdefault(lane, Pass())
        if window.startswith("days:"):
            _place(found.horizons, days(window))
        return found


def plan(indicators: Iterable[Indicator], tables: Mapping[str, FactTable], grain: Grain) -> Plan:
    """What has to be counted for these indicators. Raises `Unsayable` where a condition does not fit its table."""
    made = Plan(grain, tables=tables)
    for indicator in indicators:
        for _, measure in indicator.measures:
            _add(made, measure, indicator.window)
            if measure.told:
                key = (measure.table, measure.read, made.said(measure))
                # What is compared with last year asks for figures of then, too.
                months = measure.carry + (12 if indicator.compare else 0)
                made.carries[key] = max(made.carries.get(key, 0), months)
    for along in made.lanes.values():
        along.horizons.sort()
    return made


def tables_of(catalogue: Catalogue) -> dict[str, FactTable]:
    """The fact tables there are."""
    return catalogue.all(TABLES)


def grain_of(periods: Iterable[Period]) -> Grain:
    """The longest steps of time of which all these periods are made."""
    kinds = {period.kind for period in periods}
    grains = {_GRAINS[kind] for kind in kinds}
    return "day" if "day" in grains else "ten_days" if "ten_days" in grains else "month"


def columns_of(table: FactTable) -> Columns:
    """Its columns as conditions see them."""
    return {column.key: _SORTS[column.type] for column in table.columns}


def days(window: str) -> int:
    """The length of a rolling window."""
    return int(window.removeprefix("days:"))


def said(measure: Measure, tables: Mapping[str, FactTable]) -> str:
    """A measure's condition as DuckDB's SQL; the same for the same condition however it is spaced."""
    table = tables[measure.table]
    return condition(measure.where, columns_of(table), table=table.key).sql("duckdb")


def lane_of(measure: Measure) -> Lane:
    """Where a measure is counted; of a stock, where what enters it is."""
    return Lane(measure.table, measure.date)


def leaving(measure: Measure) -> Lane:
    """Where what leaves a stock is counted: nothing leaves before it entered."""
    return Lane(measure.table, measure.date, measure.until)


def _add(made: Plan, measure: Measure, window: str) -> None:
    where = made.said(measure)
    if measure.told:
        _place(made.given.setdefault((measure.table, measure.read), []), where)
        return
    along = made.along(lane_of(measure), window)
    if measure.measure in {"sum", "average"}:
        along.tally(where, measure.column)
        along.tally(f'({where}) AND NOT "{measure.column}" IS NULL')
    elif measure.additive:
        along.tally(where)
    else:
        along.bag(measure.column, where)
    if measure.measure == "stock":
        made.along(leaving(measure)).tally(where)


def _place(found: list, one: object) -> int:  # type: ignore[type-arg]
    if one not in found:
        found.append(one)
    return found.index(one)
