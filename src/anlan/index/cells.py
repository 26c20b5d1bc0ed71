"""What was counted, kept: so that another day is a few rows added and taken off, and not everything counted anew.

    <folder>/<digest>/<step>.parquet     what was counted along a lane, one file for each step of time
    <folder>/cells.json                  up to which export (`anlan facts export`) each was counted

A digest is that of the pass itself: change a condition and it is another pass, counted anew. An export says which rows
it took back (-1) and added (+1); counted with that sign they are added to what is kept, values of multisets too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from anlan.facts.store import Store
from anlan.index import counting
from anlan.index.duckdb_engine import over_tables
from anlan.index.plan import Lane, Pass, Plan, columns_of

BOOK: Final = "cells.json"
MANIFEST: Final = "manifest.json"
_EVER: Final = 0
"""The step of a table that has no time."""
_SHAPE: Final = "shape"
"""The file with the columns and no rows."""
Key = tuple[Lane, str]


@dataclass(frozen=True, slots=True)
class Brought:
    """What was done: passes counted anew, and the steps of time along each lane in which something changed."""

    anew: int
    steps: dict[Lane, set[int]]


class Kept:
    """Cells in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        book = folder / BOOK
        self._runs: dict[str, int] = json.loads(book.read_text()) if book.exists() else {}

    def run(self, digest: str) -> int | None:
        """The export up to which a pass was counted; None when it never was."""
        return self._runs.get(digest)

    def write(self, digest: str, rows: Any, *, run: int) -> None:
        """Keep what was counted of a pass, in place of what was kept before."""
        for old in (self.folder / digest).glob("*.parquet"):
            old.unlink()
        rows = _real(rows)
        self._put(digest, _SHAPE, rows.slice(0, 0))
        for step, some in _by_step(rows):
            self._put(digest, step, some)
        self.note(digest, run)

    def add(self, digest: str, rows: Any) -> set[int]:
        """Add what was counted of a change; gives the steps in which something is different now."""
        changed = set()
        shape = pq.read_schema(self._path(digest, _SHAPE))
        for step, some in _by_step(_real(rows)):
            path = self._path(digest, step)
            before = [pq.read_table(path)] if path.exists() else []
            self._put(digest, step, added([*before, some.cast(shape)]))
            changed.add(step)
        return changed

    def note(self, digest: str, run: int) -> None:
        """A pass has been counted up to an export."""
        self._runs[digest] = run
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f"{BOOK}.next"
        aside.write_text(json.dumps(self._runs, indent=1, sort_keys=True))
        aside.replace(self.folder / BOOK)

    def read(self, digest: str, wanted: Callable[[int], bool] = lambda _: True) -> Any:
        """What is kept of a pass, of the steps that are wanted; as an engine answers."""
        steps = sorted(int(path.stem) for path in (self.folder / digest).glob("*.parquet") if path.stem != _SHAPE)
        some = [self._path(digest, step) for step in steps if wanted(step)]
        return pa.concat_tables([pq.read_table(path) for path in (self._path(digest, _SHAPE), *some)])

    def _path(self, digest: str, step: int | str) -> Path:
        return self.folder / digest / f"{step}.parquet"

    def _put(self, digest: str, step: int | str, rows: Any) -> None:
        path = self._path(digest, step)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".next")
        pq.write_table(rows, aside, compression="none")
        aside.replace(path)


def added(tables: Iterable[Any]) -> Any:
    """Rows of the same keys added up; those of which nothing is left are gone."""
    rows = pa.concat_tables(tables)
    counts = [name for name in rows.column_names if _counted(name)]
    keys = [name for name in rows.column_names if not _counted(name)]
    made = rows.group_by(keys).aggregate([(name, "sum") for name in counts])
    made = made.rename_columns([*keys, *counts]).cast(rows.schema)
    some = pa.array([False] * made.num_rows)
    for name in counts:
        some = pc.or_(some, pc.not_equal(made[name], 0))
    return made.filter(some)


def digest_of(made: Plan, lane: Lane, column: str) -> str:
    """The name of a pass: that of what is asked, word by word."""
    return hashlib.sha256(select_of(made, lane, column).sql("duckdb").encode()).hexdigest()[:32]


def select_of(made: Plan, lane: Lane, column: str, *, signed: bool = False) -> Any:
    """The query of a pass, or of what a change adds to it."""
    if column:
        return counting.bag(lane, made.lanes[lane], made.grain, column, signed=signed)
    return counting.tallies(lane, made.lanes[lane], made.grain, signed=signed)


def quick(made: Plan, lane: Lane, column: str) -> Any:
    """The query of a pass of which nothing is kept: numbers are read as lists, and not counted one by one."""
    if column and columns_of(made.tables[lane.table])[column] == "number":
        return counting.lists(lane, made.lanes[lane], made.grain, column)
    return select_of(made, lane, column)


def passes(made: Plan) -> list[Key]:
    """Every pass of a plan."""
    return [(lane, column) for lane, along in made.lanes.items() for column in columns(along)]


def columns(along: Pass) -> list[str]:
    """The passes along a lane: "" for its tallies, and each column of which values are collected."""
    return ([""] if along.tallies else []) + sorted(along.bags)


def bring_up(made: Plan, engine: Any, store: Store, kept: Kept) -> Brought:
    """Have every pass counted up to the last export: by its changes where they are there, else anew."""
    runs = _runs(store)
    last = runs[-1]["number"] if runs else 0
    anew, steps = 0, dict[Lane, set[int]]()
    for lane, column in passes(made):
        digest = digest_of(made, lane, column)
        changes = _since(runs, kept.run(digest), lane.table)
        if changes is None:
            rows = engine.rows(select_of(made, lane, column))
            kept.write(digest, rows, run=last)
            steps.setdefault(lane, set()).update(step for step, _ in _by_step(rows))
            anew += 1
            continue
        for name in changes:
            with _changed(lane.table, store, name) as counting_it:
                rows = counting_it.rows(select_of(made, lane, column, signed=True))
            steps.setdefault(lane, set()).update(kept.add(digest, rows))
        if kept.run(digest) != last:
            kept.note(digest, last)
    return Brought(anew, steps)


def _changed(table: str, store: Store, name: str) -> Any:
    with store.filesystem.open_input_file(store.path(name)) as file:
        rows = pq.read_table(file)
    return over_tables({counting.source(table, signed=True): rows})


def _runs(store: Store) -> list[dict[str, Any]]:
    content = store.read(MANIFEST)
    found: list[dict[str, Any]] = json.loads(content)["runs"] if content else []
    return found


def _since(runs: list[dict[str, Any]], counted: int | None, table: str) -> list[str] | None:
    """The files of changes of a table after an export; None where not all of them are there."""
    if counted is None or (counted and counted not in [run["number"] for run in runs]):
        return None
    later = [run for run in runs if run["number"] > counted]
    if not runs or any(run.get("whole") for run in later) or not counted:
        return None
    return [run["changes"][table]["name"] for run in later if table in run.get("changes", {})]


def _real(rows: Any) -> Any:
    """The rows with every count as a double: what is added up has one type whichever engine counted it."""
    fields = [pa.field(each.name, pa.float64()) if _counted(each.name) else each for each in rows.schema]
    return rows.cast(pa.schema(fields))


def _counted(name: str) -> bool:
    return name[0] == "c" and name[1:].isdigit()


def _by_step(rows: Any) -> list[tuple[int, Any]]:
    if "t" not in rows.column_names:
        return [(_EVER, rows)] if rows.num_rows else []
    steps = sorted(rows["t"].unique().to_pylist())
    return [(step, rows.filter(pc.equal(rows["t"], step))) for step in steps]
