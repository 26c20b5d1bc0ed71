"""Counting in this process, with DuckDB, over Parquet or over Arrow tables in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
from pyarrow import ArrowException, dataset
from sqlglot import exp

from anlan.facts.store import Store
from anlan.kernel.text import Refusal

CHANGES: Final = "changes"
"""Where the rows that an export took back and added lie, beside the tables."""


class BadFacts(Refusal):
    """What lies there as facts cannot be counted: a file is damaged, or of other columns."""

    def __init__(self, shown: str, error: Exception) -> None:
        said = str(error).split("\n", maxsplit=1)[0][:300]
        super().__init__(
            f"{shown} 里的事实表没法计数：{said}。请先执行 anlan facts verify 核对；损坏或由别的版本导出的，"
            "执行 anlan facts export --anew 重新导出。",
            f"The facts in {shown} cannot be counted: {said}. Run anlan facts verify; what is damaged, or was exported "
            "by another version, is written again by anlan facts export --anew.",
        )


class DuckDB:
    """The tables of a folder of facts, or Arrow tables by name."""

    name = "duckdb"

    def __init__(self, connection: Any, names: Iterable[str] = ()) -> None:
        self._connection = connection
        self._names = set(names)

    def rows(self, select: exp.Select) -> Any:
        """The answer to a query, as an Arrow table."""
        return self._connection.sql(select.sql("duckdb")).to_arrow_table()

    def has(self, table: str) -> bool:
        """Whether there is a table of this name."""
        return table in self._names

    def add(self, table: str, rows: Any) -> None:
        """An Arrow table under a name."""
        self._connection.register(table, rows)
        self._names.add(table)


@contextmanager
def over_folder(folder: Path, *, threads: int = 0, memory: str = "") -> Iterator[DuckDB]:
    """The tables in a folder of facts: every sub-folder that holds Parquet. Raises `BadFacts`."""
    with _told(str(folder)), duckdb.connect() as connection:
        if threads:
            connection.execute(f"SET threads = {int(threads)}")
        if memory:
            connection.execute("SET memory_limit = ?", [memory])
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET arrow_large_buffer_size = false")
        names = []
        for table in sorted(folder.iterdir()) if folder.is_dir() else ():
            if table.name != CHANGES and table.is_dir() and next(table.rglob("*.parquet"), None):
                rows = connection.read_parquet(f"{table}/**/*.parquet", hive_partitioning=False)
                rows.create_view(table.name)
                names.append(table.name)
        yield DuckDB(connection, names)


@contextmanager
def over_store(store: Store) -> Iterator[DuckDB]:
    """The tables where facts lie: a folder, or a bucket that speaks S3. Raises `BadFacts`."""
    if store.local:
        with over_folder(Path(store.path(""))) as engine:
            yield engine
        return
    with _told(store.shown), duckdb.connect() as connection:
        engine = DuckDB(connection)
        for table, files in tables_in(store).items():
            paths = [store.path(name) for name in files]
            try:
                engine.add(table, dataset.dataset(paths, filesystem=store.filesystem, format="parquet"))
            except (OSError, ArrowException) as error:
                raise BadFacts(store.shown, error) from error
        yield engine


@contextmanager
def _told(shown: str) -> Iterator[None]:
    """What DuckDB cannot read or ask there is told in a sentence."""
    try:
        yield
    except duckdb.Error as error:
        raise BadFacts(shown, error) from error


def tables_in(store: Store) -> dict[str, list[str]]:
    """The Parquet files of each table."""
    found: dict[str, list[str]] = {}
    for name in store.names():
        table, _, rest = name.partition("/")
        if table != CHANGES and rest.endswith(".parquet"):
            found.setdefault(table, []).append(name)
    return found


@cache
def _memory() -> Any:
    return duckdb.connect()


@contextmanager
def over_tables(tables: Mapping[str, Any]) -> Iterator[DuckDB]:
    """Arrow tables by name; they lie in no database, so that one of them, in memory, does for all."""
    with _memory().cursor() as connection:
        engine = DuckDB(connection)
        for name, rows in tables.items():
            engine.add(name, rows)
        yield engine
