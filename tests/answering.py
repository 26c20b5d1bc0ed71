"""The second opinion: each sample indicator's own plain SQL, asked of tables of facts or of an example's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from anlan.facts.table import TABLES, FactTable
from anlan.index.counting import period as periods
from anlan.index.counting.indicator import Example, Indicator
from anlan.kernel import catalogue

_TYPES: Final = {
    "string": "VARCHAR", "int": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date": "DATE", "moment": "TIMESTAMP",
}  # fmt: skip


class Answer(NamedTuple):
    """What the SQL says of one area."""

    numerator: float | None
    denominator: float | None
    value: float


def answers(sql: Path, facts: duckdb.DuckDBPyConnection, *, period: str) -> dict[str, Answer]:
    """The SQL's answer for every area that has one, by path."""
    span, text = periods.read(period), sql.read_text("utf-8")
    asked = {name: day for name, day in (("first", span.first), ("last", span.last)) if f"${name}" in text}
    found = facts.execute(text, asked).fetchall()
    paths = [row[0] for row in found]
    assert len(paths) == len(set(paths)), f"{sql.name} has an area twice"
    assert None not in {row[3] for row in found}, f"{sql.name} has an area without a value"
    return {path: Answer(above, below, value) for path, above, below, value in found}


def of_export(folder: Path) -> duckdb.DuckDBPyConnection:
    """The exported tables, each as a view of its name."""
    facts = duckdb.connect()
    for table in _tables().values():
        files = f"{folder}/{table.key}/**/*.parquet"
        if list(folder.glob(f"{table.key}/**/*.parquet")):
            facts.execute(f"CREATE VIEW {table.key} AS FROM read_parquet('{files}', hive_partitioning = true)")
        else:
            _empty(facts, table)
    return facts


def of_example(declared: Indicator, example: Example) -> duckdb.DuckDBPyConnection:
    """The rows of an example as tables: every other table is empty, and the areas are those the rows lie in."""
    facts = duckdb.connect()
    for table in _tables().values():
        _empty(facts, table)
    parts = [(declared.numerator.table, example.rows)]
    if declared.denominator is not None:
        parts.append((declared.denominator.table, example.denominator_rows))
    for table_key, rows in parts:
        _fill(facts, table_key, rows)
    paths = {row["area_path"] for _, rows in parts for row in rows}
    every = {above for path in paths for above in _above(path)}
    _fill(facts, "areas", [{"path": path, "valid_from": "2020-01-01"} for path in sorted(every)])
    return facts


def _tables() -> Mapping[str, FactTable]:
    return catalogue.current().all(TABLES)


def _empty(facts: duckdb.DuckDBPyConnection, table: FactTable) -> None:
    columns = ", ".join(f'"{column.key}" {_TYPES[column.type]}' for column in table.columns)
    facts.execute(f"CREATE TABLE {table.key} ({columns})")


def _fill(facts: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        facts.table(table).insert([row.get(column) for column in facts.table(table).columns])


def _above(path: str) -> list[str]:
    codes = path.strip("/").split("/")
    return ["/".join(codes[: depth + 1]) + "/" for depth in range(len(codes))]
