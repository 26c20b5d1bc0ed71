"""Rows on their way to their months: kept aside on this machine's disk, so that no export holds the whole ledger."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import ipc

from anlan.facts import columns
from anlan.facts.sources import Out
from anlan.facts.table import FactTable

MOST_ROWS: Final = 200_000
"""So many rows are held in memory before they are put aside."""


class Spool:
    """Parts of tables by month, in a folder that is emptied before and after."""

    def __init__(self, folder: Path, tables: dict[str, FactTable]) -> None:
        self._folder, self._tables = folder, tables
        self._held: dict[tuple[str, str], list[Sequence[Any]]] = {}
        self._fields: dict[str, tuple[str, ...]] = {}
        self._count = self._part = 0
        self.rows = 0
        self.clear()
        folder.mkdir(parents=True)

    def add(self, out: Out) -> None:
        """Rows of one table, each to its month."""
        table = self._tables.get(out.table)
        if table is None:
            return
        self._fields[out.table] = out.fields
        place = out.fields.index(table.month)
        for row in out.rows:
            self._held.setdefault((out.table, columns.month_of(row[place])), []).append(row)
            self._count += 1
        if self._count >= MOST_ROWS:
            self.flush()

    def flush(self) -> None:
        """Put aside what is held."""
        for (key, month), rows in self._held.items():
            made = columns.arrow(self._tables[key], self._fields[key], rows)
            path = self._folder / key / month / f"{self._part:06d}.arrow"
            path.parent.mkdir(parents=True, exist_ok=True)
            with ipc.new_file(path, made.schema) as writer:
                writer.write_table(made)
        self.rows += self._count
        self._held, self._count, self._part = {}, 0, self._part + 1

    def months(self, key: str) -> set[str]:
        """The months for which there are rows of a table."""
        folder = self._folder / key
        return {each.name for each in folder.iterdir()} if folder.is_dir() else set()

    def read(self, key: str, month: str) -> pa.Table:
        """All rows of a table in a month, in their order."""
        table = self._tables[key]
        parts = list(self._parts(key, month))
        return columns.in_order(table, pa.concat_tables(parts)) if parts else columns.schema(table).empty_table()

    def _parts(self, key: str, month: str) -> Iterable[pa.Table]:
        for path in sorted((self._folder / key / month).glob("*.arrow")):
            with ipc.open_file(path) as reader:
                yield reader.read_all()

    def clear(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._folder, ignore_errors=True)


def chunks(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """`things` in lists of at most `size`."""
    part: list[Any] = []
    for each in things:
        part.append(each)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
