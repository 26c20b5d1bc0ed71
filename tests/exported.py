"""Facts as a test reads them: through nothing of ours, with DuckDB alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from anlan.facts.export import export
from anlan.facts.manifest import Run
from anlan.facts.store import Store, open_store


@dataclass(frozen=True)
class Facts:
    """A folder of facts, exported into and read."""

    folder: Path
    aside: Path

    @property
    def store(self) -> Store:
        return open_store(self.folder)

    def export(self, at: datetime, **more: Any) -> Run | None:
        return export(self.store, aside=self.aside, at=at, **more)

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Rows of a question in which each table that has files stands under its own name."""
        with duckdb.connect() as database:
            for folder in sorted(each for each in self.folder.iterdir() if each.is_dir()):
                if list(folder.glob("**/part-0.parquet")):
                    files = f"read_parquet('{folder}/**/part-0.parquet', hive_partitioning = true)"
                    database.execute(f"CREATE VIEW {folder.name} AS SELECT * FROM {files}")  # noqa: S608 - our own
            return database.sql(question).fetchall()

    def column(self, question: str) -> list[Any]:
        """The first value of each row."""
        return [row[0] for row in self.ask(question)]

    def files(self) -> dict[str, bytes]:
        """Every file of a table, and what it holds."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.glob("[a-z]*/**/part-0.parquet"))
        }


def again(facts: Facts, at: datetime, name: str) -> Facts:
    """Everything exported from the beginning, into a folder of its own."""
    fresh = Facts(facts.folder.with_name(name), facts.aside)
    fresh.export(at)
    return fresh


def months(run: Run | None, table: str) -> Sequence[str]:
    """The months of a table that a run wrote."""
    return [] if run is None else [change.month for change in run.months if change.table == table]
