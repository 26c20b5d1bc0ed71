"""Whether an indicator fits what there is: its tables, their columns, its index, and its own examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from anlan.facts.table import FactTable
from anlan.index.counting import examples
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.counting.plan import columns_of, said
from anlan.index.counting.values import extremes
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Refusal, Text

Finding = tuple[str, Text]
_NUMBERS = {"sum", "average", "median", "quantile", "given"}


def strangers(indicator: Indicator, tables: Mapping[str, FactTable]) -> Iterator[Finding]:
    """(key, reason) for everything that does not fit."""
    for key, one in indicator.measures:
        yield from ((f"{key}.{where}", text) for where, text in _unfit(one, tables))
    yield from _unsaid(indicator)


def miscounted(indicator: Indicator, tables: Mapping[str, FactTable]) -> Iterator[Finding]:
    """(key, reason) for its examples that come out otherwise than they say; of an indicator that fits."""
    try:
        yield from examples.strangers(indicator, tables)
    except Refusal as refusal:
        yield "examples", refusal.text


def _unfit(measure: Measure, tables: Mapping[str, FactTable]) -> Iterator[Finding]:
    if measure.table not in tables:
        yield "table", unknown("事实表", "fact table", measure.table, tables)
        return
    table = tables[measure.table]
    columns = columns_of(table)
    wanted = [("column", measure.read), ("date", measure.date), ("until", measure.until)]
    missing = [(key, name) for key, name in [*wanted, ("table", "area_path")] if name and name not in columns]
    for key, name in missing:
        yield key, unknown(f"列（表 {table.key}）", f"column of “{table.key}”", name, columns)
    if missing:
        return
    if measure.measure in _NUMBERS and columns[measure.read] != "number":
        yield (
            "column",
            Text(
                zh=f"“{measure.read}”不是数，不能求 {measure.measure}。",
                en=f"“{measure.read}” is no number; it has no {measure.measure}.",
            ),
        )
    for key, name in wanted[1:]:
        if name and columns[name] != "date":
            yield key, Text(zh=f"“{name}”不是日期。", en=f"“{name}” is no date.")
    if not measure.told and bool(measure.date) == table.snapshot:
        yield "date", _SNAPSHOT if table.snapshot else _UNDATED
    try:
        said(measure, tables)
    except Refusal as refusal:
        yield "where", refusal.text


_SNAPSHOT = Text(
    zh="这是现状表，没有按日期的历史，不要写 date。", en="This table says how things are now; it takes no `date`."
)
_UNDATED = Text(zh="要写 date：按哪一列日期算进期间。", en="Say by which `date` column a row belongs to a period.")


def _unsaid(indicator: Indicator) -> Iterator[Finding]:
    rules = {"missing": indicator.missing, "zero_denominator": indicator.zero_denominator}
    known = extremes(indicator.score) if indicator.score else None
    for key, chosen in rules.items():
        if chosen in {"good", "bad"} and known is None:
            yield (
                key,
                Text(
                    zh=f"“{chosen}”要知道多少算好、多少算差：请在 [score] 写 goalposts、target、piecewise 或 steps。",
                    en=f"“{chosen}”: which value is that? Give goalposts, target, piecewise or steps in [score].",
                ),
            )
