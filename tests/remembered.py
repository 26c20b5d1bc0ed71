"""What was built once in a process is put back, row by row, for the tests after it: building it costs far more.

It is put back only where the database holds just what it held when it was built; anywhere else it is built again.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.db import connection

from anlan.kernel import catalogue

Built = TypeVar("Built")


@dataclass(frozen=True, slots=True)
class _Kept:
    """The rows that came with it, ready to be inserted, and what was given back, as bytes so that each has its own."""

    rows: list[tuple[str, list[Any]]]
    value: bytes


_kept: dict[tuple[Any, ...], _Kept] = {}


def remembered(key: tuple[Any, ...], build: Callable[[], Built]) -> Built:
    """What `build()` gives, with all the rows it made; `key` names everything it depends on but the declarations."""
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    before = _counts(tables)
    place = (connection.vendor, connection.settings_dict["NAME"], catalogue.current().roots, before, *key)
    kept = _kept.get(place)
    if kept is not None:
        _put_back(kept)
        given: Built = pickle.loads(kept.value)  # noqa: S301 - our own bytes
        return given
    built = build()
    changed = [(table, was) for table, was, now in zip(tables, before, _counts(tables), strict=True) if was != now]
    if not any(was for _, was in changed):  # rows beside others could not be told from them
        _kept[place] = _Kept([_insert(table) for table, _ in changed], pickle.dumps(built))
    return built


def _put_back(kept: _Kept) -> None:
    """As in a restore, every event keeps the transaction it has, for seals and cursors name it."""
    keeps_transactions = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if keeps_transactions:
            cursor.execute("SET LOCAL anlan.restoring = 'on'")
        for statement, values in kept.rows:
            cursor.execute(statement, values)
        if keeps_transactions:
            cursor.execute("SET LOCAL anlan.restoring = 'off'")


def _counts(tables: list[str]) -> tuple[int, ...]:
    counts = [f"(SELECT COUNT(*) FROM {connection.ops.quote_name(table)})" for table in tables]  # noqa: S608 - our own
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}")
        return tuple(cursor.fetchone())


def _insert(table: str) -> tuple[str, list[Any]]:
    """The statement that puts back every row of a table, and its values."""
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {name}")  # noqa: S608 - a name of our own tables
        columns = ", ".join(connection.ops.quote_name(column[0]) for column in cursor.description)
        rows = cursor.fetchall()
    row = f"({', '.join(['%s'] * len(rows[0]))})"
    return f"INSERT INTO {name} ({columns}) VALUES {', '.join([row] * len(rows))}", [v for each in rows for v in each]  # noqa: S608
