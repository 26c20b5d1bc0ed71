"""What a figure is made of: the very rows of the facts that were counted in it, for any area and period.

Read from the facts that an edition keeps, by the same conditions and windows as they were counted by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
from sqlglot import exp

from anlan.facts.table import FactTable
from anlan.index.counting.expression import condition
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.counting.period import Period
from anlan.index.counting.plan import columns_of
from anlan.kernel.text import Refusal

Part = Literal["numerator", "denominator", "rest"]
AREA: Final = "area_path"
CASE: Final = "case"


class NoRows(Refusal):
    """An edition keeps no facts of a table, so that nothing of it can be shown."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"这一版没有保留“{table}”的事实，看不到背后的行。请重新导出事实后另出一版。",
            f"This edition keeps no facts of “{table}”; export the facts again and draft a new edition.",
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one fact table (an Arrow table, the newest first), and what they are rows of."""

    table: FactTable
    found: Any

    @property
    def count(self) -> int:
        return int(self.found.num_rows)

    @property
    def cases(self) -> list[str]:
        """The cases that these rows are about, each once, in the order of the rows."""
        if CASE not in self.found.column_names:
            return []
        return [case for case in dict.fromkeys(self.found[CASE].to_pylist()) if case]


def can_tell_rest(indicator: Indicator) -> bool:
    """Whether what is missing from the numerator can be shown: both parts are rows of one table, on one date."""
    above, under = indicator.numerator, indicator.denominator
    if under is None or above.told or under.told or indicator.compare:
        return False
    return above.measure == under.measure == "count" and (above.table, above.date) == (under.table, under.date)


def rows(
    facts: Path, tables: Mapping[str, FactTable], indicator: Indicator, area_path: str, period: Period,
    part: Part = "numerator",
) -> Rows:  # fmt: skip
    """The rows that were counted for an area and the areas in it; `rest`: of the denominator what is not above.

    Raises NoRows, and what `expression.condition` raises.
    """
    above, under = indicator.numerator, indicator.denominator
    measure = above if part == "numerator" or under is None else under
    return counted(
        facts, tables, measure, area_path, period, span=indicator.window, unless=above.where if part == "rest" else ""
    )


def counted(
    facts: Path, tables: Mapping[str, FactTable], measure: Measure, area_path: str, period: Period, *,
    span: str = "period", unless: str = "",
) -> Rows:  # fmt: skip
    """The rows that a measure counts for an area over a window, less those of which `unless` is true."""
    table = tables[measure.table]
    where = held(measure, table, span, period)
    if unless:
        kept = exp.func("coalesce", condition(unless, columns_of(table), table=table.key), exp.false())
        where.append(exp.Not(this=exp.paren(kept)))
    where.append(exp.func("starts_with", _column(AREA), exp.Literal.string(area_path)))
    return Rows(table, _read(facts, table, measure, where))


def window(key: str, period: Period) -> tuple[date, date]:
    """The first and the last day of what belongs to a period."""
    last = period.last
    if key.startswith("days:"):
        return last - timedelta(days=int(key.removeprefix("days:")) - 1), last
    if key == "year_to_date":
        return date(last.year, 1, 1), last
    if key == "year":
        after = last + timedelta(days=1)
        day = min(after.day, 28) if after.month == 2 else after.day
        return after.replace(year=after.year - 1, day=day), last
    return period.first, last


def held(measure: Measure, table: FactTable, span: str, period: Period) -> list[exp.Expr]:
    """What must all be true of a row that a measure counts for a period."""
    found = [condition(measure.where, columns_of(table), table=table.key)]
    first, last = window(span, period)
    if measure.told:
        months = last.year * 12 + last.month - 1 - measure.carry
        carried = min(period.first, date(months // 12, months % 12 + 1, 1))
        return [*found, _day("period_date").between(_date(carried), _date(last))]
    if measure.column:
        found.append(_column(measure.column).is_(exp.null()).not_())
    if measure.measure == "stock":
        left = exp.paren(exp.or_(_column(measure.until).is_(exp.null()), _day(measure.until) > _date(last)))
        return [*found, _day(measure.date) <= _date(last), left]
    return [*found, _day(measure.date).between(_date(first), _date(last))] if measure.date else found


def _read(facts: Path, table: FactTable, measure: Measure, where: list[exp.Expr]) -> Any:
    folder = facts / table.key
    if next(folder.rglob("*.parquet"), None) is None:
        raise NoRows(table.key)
    newest = measure.date or table.month
    names = [name for name in (newest, *table.row) if name]
    order = [exp.Ordered(this=_column(name), desc=name == newest, nulls_first=False) for name in names]
    select = exp.select("*").from_(exp.to_identifier("rows", quoted=True)).where(*where).order_by(*order)
    with duckdb.connect() as connection:
        found = connection.read_parquet(f"{folder}/**/*.parquet", hive_partitioning=False, union_by_name=True)
        found.create_view("rows")
        return connection.sql(select.sql("duckdb")).to_arrow_table()


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _day(name: str) -> exp.Expr:
    return exp.cast(_column(name), "date")


def _date(day: date) -> exp.Expr:
    return exp.cast(exp.Literal.string(day.isoformat()), "date")
