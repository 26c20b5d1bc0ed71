"""What was counted, kept: so that another day is a few rows added and taken off, and not everything counted anew.

    <folder>/<digest>/<step>.parquet     what was counted along a lane, one file for each step of time
    <folder>/<digest>/<step>+7.parquet   and what the changes up to export 7 added to it
    <folder>/cells.json                  up to which export (`anlan facts export`) each was counted

A digest is that of the pass itself: change a condition and it is another pass, counted anew. An export says which rows
it took back (-1) and added (+1); counted with that sign they are added to what is kept, values of multisets too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import ExitStack
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
_MANY: Final = 12
"""After so many exports everything of a pass is counted anew."""
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
        if self._runs.pop(digest, None) is not None:
            self._save()
        for old in (self.folder / digest).glob("*.parquet"):
            old.unlink()
        rows = _real(rows)
        self._put(digest, _SHAPE, rows.slice(0, 0))
        for step, some in _by_step(rows):
            self._put(digest, step, some)
        self.note(digest, run)

    def add(self, digest: str, rows: Any, *, run: int) -> set[int]:
        """Add what was counted of the changes up to an export; gives the steps in which something is different now.

        It is laid beside what is there, for everything here adds up. What a run that did not end has left is removed.
        """
        for stray in self._pieces(digest):
            if int(stray.stem.partition("+")[2]) > self._runs[digest]:
                stray.unlink()
        shape, changed = pq.read_schema(self._path(digest, _SHAPE)), set()
        for step, some in _by_step(_real(rows)):
            self._put(digest, f"{step}+{run}", some.cast(shape))
            changed.add(step)
        self.note(digest, run)
        return changed

    def crowded(self, digest: str) -> bool:
        """Whether so much was laid beside that it is better counted anew."""
        return len({piece.stem.partition("+")[2] for piece in self._pieces(digest)}) >= _MANY

    def note(self, digest: str, run: int) -> None:
        """A pass has been counted up to an export."""
        self._runs[digest] = run
        self._save()

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f"{BOOK}.next"
        aside.write_text(json.dumps(self._runs, indent=1, sort_keys=True))
        aside.replace(self.folder / BOOK)

    def read(self, digest: str, wanted: Callable[[int], bool] = lambda _: True) -> Any:
        """What is kept of a pass, of the steps that are wanted; as an engine answers."""
        files = (path for path in sorted((self.folder / digest).glob("*.parquet")) if path.stem != _SHAPE)
        some = [path for path in files if wanted(int(path.stem.partition("+")[0]))]
        return pa.concat_tables([_read(path) for path in (self._path(digest, _SHAPE), *some)]).unify_dictionaries()

    def _pieces(self, digest: str) -> list[Path]:
        return sorted((self.folder / digest).glob("*+*.parquet"))

    def _path(self, digest: str, step: int | str) -> Path:
        return self.folder / digest / f"{step}.parquet"

    def _put(self, digest: str, step: int | str, rows: Any) -> None:
        path = self._path(digest, step)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".next")
        pq.write_table(rows, aside, compression="none")
        aside.replace(path)


def _read(path: Path) -> Any:
    """A file of cells, its areas as codes."""
    with pq.ParquetFile(path, read_dictionary=["leaf"]) as file:
        return file.read()


def digest_of(made: Plan, lane: Lane, column: str) -> str:
    """The name of a pass: that of what is asked, word by word."""
    asked = (made.grain, lane, column, made.lanes[lane])
    key = repr(asked)
    if key not in made.digests:
        made.digests[key] = hashlib.sha256(select_of(made, lane, column).sql("duckdb").encode()).hexdigest()[:32]
    return made.digests[key]


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
    changed: dict[tuple[str, ...], Any] = {}
    with ExitStack() as stack:
        for lane, column in passes(made):
            digest = digest_of(made, lane, column)
            changes = None if kept.crowded(digest) else _since(runs, kept.run(digest), lane.table)
            if changes is None:
                rows = engine.rows(select_of(made, lane, column))
                kept.write(digest, rows, run=last)
                steps.setdefault(lane, set()).update(step for step, _ in _by_step(rows))
                anew += 1
            elif changes:
                key = (lane.table, *changes)
                if key not in changed:
                    changed[key] = stack.enter_context(_changed(lane.table, store, changes))
                rows = changed[key].rows(select_of(made, lane, column, signed=True))
                steps.setdefault(lane, set()).update(kept.add(digest, rows, run=last))
            elif kept.run(digest) != last:
                kept.note(digest, last)
    return Brought(anew, steps)


def _changed(table: str, store: Store, names: list[str]) -> Any:
    """The rows of a table that exports took back and added, to be counted."""
    tables = []
    for name in names:
        with store.filesystem.open_input_file(store.path(name)) as file:
            tables.append(pq.read_table(file))
    return over_tables({counting.source(table, signed=True): pa.concat_tables(tables)})


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
