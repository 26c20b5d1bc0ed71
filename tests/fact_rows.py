"""Fact tables with rows made up in tests, in a DuckDB of their own."""

from __future__ import annotations

from typing import Any

from anlan.facts.table import TABLES
from anlan.kernel import catalogue

_SQL = {
    "string": "VARCHAR", "int": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date": "DATE", "moment": "TIMESTAMP",
}  # fmt: skip


def empty_tables(connection: Any) -> None:
    """Every declared fact table, without a row."""
    for key, declared in catalogue.current().all(TABLES).items():
        columns = ", ".join(f'"{column.key}" {_SQL[column.type]}' for column in declared.columns)
        connection.execute(f'CREATE TABLE "{key}" ({columns})')


def put(connection: Any, name: str, **row: Any) -> None:
    """One row; columns that are not given are null."""
    columns, places = ", ".join(f'"{key}"' for key in row), ", ".join("?" * len(row))
    connection.execute(f'INSERT INTO "{name}" ({columns}) VALUES ({places})', list(row.values()))  # noqa: S608
