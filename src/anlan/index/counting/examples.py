"""An indicator's own examples: its rows as tables in memory, counted as facts are, beside the value it says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from anlan.facts.table import FactTable
from anlan.index.counting import period
from anlan.index.counting.duckdb_engine import over_tables
from anlan.index.counting.indicator import Example, Indicator
from anlan.index.counting.run import count
from anlan.index.counting.tree import above
from anlan.kernel.text import Text

NEAR: Final = 1e-9
_TYPES: Final[Mapping[str, Any]] = {
    "string": pa.string(),
    "int": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "moment": pa.timestamp("us"),
}


def strangers(indicator: Indicator, tables: Mapping[str, FactTable]) -> Iterator[tuple[str, Text]]:
    """(key, reason) for every example that comes out otherwise than it says."""
    for number, example in enumerate(indicator.examples):
        found = worked_out(indicator, example, tables)
        if not same(found, example.value):
            yield (
                f"examples[{number}].value",
                Text(
                    zh=f"由这些行算出的是 {_said(found)}，示例写的是 {_said(example.value)}。",
                    en=f"These rows give {_said(found)}, not {_said(example.value)}.",
                ),
            )


def worked_out(indicator: Indicator, example: Example, tables: Mapping[str, FactTable]) -> float | None:
    """The value of the example's rows for its area; None where it has none."""
    below = indicator.denominator.table if indicator.denominator else ""
    rows = {indicator.numerator.table: list(example.rows)}
    if below:
        rows.setdefault(below, []).extend(example.denominator_rows)
    with over_tables({name: rows_of(tables[name], several) for name, several in rows.items()}) as engine:
        panel = count([indicator], engine, [period.read(example.period)], tables).panel
    area = example.area_path or _whole([str(row.get("area_path", "")) for several in rows.values() for row in several])
    if area not in panel.units:
        return None
    value = float(panel.value[panel.units.index(area), 0, 0])
    return None if math.isnan(value) else value


def rows_of(table: FactTable, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as an Arrow table with the columns of a fact table; what is not said is null, but figures hold."""
    usual = {"current": True, "version": 1}
    arrays = {
        column.key: pa.array([row.get(column.key, usual.get(column.key)) for row in rows], type=_TYPES[column.type])
        for column in table.columns
    }
    return pa.table(arrays)


def same(found: float | None, said: float | None) -> bool:
    """Whether two values are the same, but for what the machine's numbers lose."""
    if found is None or said is None:
        return found is None and said is None
    return math.isclose(found, said, rel_tol=NEAR, abs_tol=NEAR)


def _whole(paths: list[str]) -> str:
    """The deepest area that all these lie in."""
    common = [above(path) for path in paths if path]
    shared = [parts[0] for parts in zip(*common, strict=False) if len(set(parts)) == 1]
    return shared[-1] if shared else ""


def _said(value: float | None) -> str:
    return "—" if value is None else f"{value:.12g}"
