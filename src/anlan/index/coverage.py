"""Whether the facts of a period are all there: a month that is half imported looks like a quiet one, and is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from sqlglot import exp

from anlan.facts.table import FactTable
from anlan.index.indicator import Indicator
from anlan.index.panel import Panel, Status
from anlan.index.period import Period
from anlan.index.run import Engine
from anlan.index.spec import IndexSpec
from anlan.kernel.text import Refusal


class HalfImported(Refusal):
    """On too few days of a period a table has any row at all."""

    def __init__(self, index: str, table: str, period: Period, days: int, least: float) -> None:
        whole = length(period)
        super().__init__(
            f"{index}: coverage.tables.{table}：{period.name} 的 {whole} 天中只有 {days} 天有“{table}”的记录"
            f"（{days / whole:.0%}），少于声明的 {least:.0%}。该期数据可能只导入了一部分，请补全后再算。",
            f"{index}: coverage.tables.{table}: on {days} of the {whole} days of {period.name} there are rows of "
            f"“{table}” ({days / whole:.0%}), fewer than the {least:.0%} declared. It may be half imported; bring in "
            "the rest first.",
            field=f"coverage.tables.{table}",
        )


def hold(
    index: IndexSpec, indicators: Sequence[Indicator], panel: Panel, engine: Engine,
    tables: Mapping[str, FactTable], periods: Sequence[Period],
) -> Panel:  # fmt: skip
    """The panel, with those indicators missing whose tables are not all there, if the index says so.

    Raises HalfImported if it says that the period cannot be worked out.
    """
    rule = index.coverage
    if not rule.tables:
        return panel
    value, status = panel.value.copy(), panel.status.copy()
    for table, least in rule.tables.items():
        for period in periods:
            found = days(engine, tables[table], period)
            if found >= least * length(period):
                continue
            if rule.short == "refuse":
                raise HalfImported(index.key, table, period, found, least)
            of = [table in {measure.table for _, measure in indicator.measures} for indicator in indicators]
            at = (slice(None), panel.periods.index(period.name), np.flatnonzero(of))
            value[at], status[at] = np.nan, Status.MISSING
    return replace(panel, value=value, status=status)


def days(engine: Engine, table: FactTable, period: Period) -> int:
    """On how many days of a period a table has rows."""
    day = exp.column(table.month, quoted=True)
    first, last = (exp.cast(exp.Literal.string(one.isoformat()), "date") for one in (period.first, period.last))
    counted = exp.Count(this=exp.Distinct(expressions=[day])).as_("n")
    asked = exp.select(counted).from_(exp.to_table(table.key)).where(day.copy().between(first, last))
    return int(engine.rows(asked)["n"][0].as_py())


def length(period: Period) -> int:
    """The days of a period."""
    return (period.last - period.first).days + 1
