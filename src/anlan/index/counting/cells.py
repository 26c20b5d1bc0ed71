"""What was counted, kept: so that another day is a few rows added and taken off, and not everything counted anew.

    <folder>/<digest>/<step>.arrow       what was counted along a lane, one file for each step of time
    <folder>/<digest>/<step>+7.arrow     and what the changes up to export 7 added to it
    <folder>/<digest>/<span>/            what `added` up for some steps of time together
    <folder>/cells.json                  up to which export (`anlan facts export`) each was counted
    <folder>/leaves.json                 every area in which anything was counted

A digest is that of the pass itself: change a condition and it is another pass, counted anew. An export says which rows
it took back (-1) and added (+1); counted with that sign they are added to what is kept, values of multisets too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import ipc
from sqlglot import exp

from anlan.facts.store import Store
from anlan.index.counting import queries
from anlan.index.counting.duckdb_engine import over_tables
from anlan.index.counting.plan import Lane, Pass, Plan, columns_of
from anlan.kernel.text import Refusal

BOOK: Final = "cells.json"
LEAVES: Final = "leaves.json"
LOCK: Final = "lock"
MANIFEST: Final = "manifest.json"
_EVER: Final = 0
"""The step of a table that has no time."""
MANY: Final = 12
"""After so many exports what was laid beside is put together with what is there."""
_SHAPE: Final = "shape"
"""The file with the columns and no rows."""
Key = tuple[Lane, str]


class Unreadable(Refusal):
    """What was kept is damaged. Nothing is lost with it: it can be counted anew."""

    def __init__(self, folder: Path, error: Exception) -> None:
        said = str(error).split("\n", maxsplit=1)[0][:300]
        super().__init__(
            f"以前计数留下的读不了（{said}）。请删除文件夹 {folder} 再执行：会全部重新计数，结果不受影响。",
            f"What was kept of counting cannot be read ({said}). Delete the folder {folder} and try again: everything "
            "is counted anew, with the same result.",
        )


class BadList(Refusal):
    """The list of exports cannot be read."""

    def __init__(self, store: Store) -> None:
        super().__init__(
            f"{store.shown} 里的 {MANIFEST} 看不懂，可能已损坏。请执行 anlan facts export --anew 重新导出。",
            f"{MANIFEST} in {store.shown} cannot be read; it may be damaged. Run anlan facts export --anew.",
        )


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """What cannot be read of what is kept in a folder is told in a sentence. Raises `Unreadable`."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise Unreadable(folder, error) from error


@dataclass(frozen=True, slots=True)
class Brought:
    """What was done: passes counted anew, and the steps of time along each lane in which something changed."""

    anew: int
    steps: dict[Lane, set[int]]


@dataclass(frozen=True, slots=True)
class Mark:
    """An export: its number, and how far it read; numbers begin again where everything was exported anew."""

    run: int
    until: tuple[int, ...] = ()


class Kept:
    """Cells in a folder."""

    def __init__(self, folder: Path, *, many: int = MANY) -> None:
        self.folder, self._many = folder, many
        book, leaves = folder / BOOK, folder / LEAVES
        with readable(folder):
            told = json.loads(book.read_text()) if book.exists() else {}
            self._marks = {digest: Mark(run, tuple(until)) for digest, (run, until) in told.items()}
            self.leaves: set[str] = set(json.loads(leaves.read_text())) if leaves.exists() else set()

    def mark(self, digest: str) -> Mark | None:
        """The export up to which a pass was counted; None when it never was."""
        return self._marks.get(digest)

    def place(self, digest: str) -> Path:
        """Where everything of a pass lies."""
        return self.folder / digest

    def write(self, digest: str, rows: Any, *, mark: Mark) -> None:
        """Keep what was counted of a pass, in place of all that was kept of it before."""
        if self._marks.pop(digest, None) is not None:
            self._save()
        shutil.rmtree(self.place(digest), ignore_errors=True)
        rows = _real(rows)
        self._put(digest, _SHAPE, rows.slice(0, 0))
        for step, some in _by_step(rows):
            self._put(digest, step, some)
        self.seen(rows["leaf"])
        self.note({digest: mark})

    def add(self, digest: str, rows: Any, *, mark: Mark) -> set[int]:
        """Add what was counted of the changes up to an export; gives the steps in which something is different now.

        It is laid beside what is there, for everything here adds up, and counts as soon as the export is noted.
        """
        self.settle(digest)
        shape, changed = _read(self._path(digest, _SHAPE)).schema, set()
        for step, some in _by_step(_real(rows)):
            self._put(digest, f"{step}+{mark.run}", some.cast(shape))
            changed.add(step)
        return changed

    def settle(self, digest: str) -> None:
        """Put what was laid beside together with what is there, once it has become much."""
        self._without_strays(digest)
        if len({_run_of(piece) for piece in self._pieces(digest)}) < self._many:
            return
        rows = self.read(digest)
        counts = [name for name in rows.column_names if _is_count(name)]
        keys = [name for name in rows.column_names if name not in counts]
        made = rows.group_by(keys, use_threads=False).aggregate([(name, "sum") for name in counts])
        some = reduce(pc.or_, [pc.not_equal(made[f"{name}_sum"], 0) for name in counts])
        made = made.filter(some).rename_columns([name.removesuffix("_sum") for name in made.column_names])
        self.write(digest, made.select(rows.column_names), mark=self._marks[digest])

    def note(self, marks: Mapping[str, Mark]) -> None:
        """Up to which export each of these passes has been counted."""
        if any(self._marks.get(digest) != mark for digest, mark in marks.items()):
            self._marks.update(marks)
            self._save()

    def seen(self, paths: Any) -> None:
        """Areas in which something was counted, as an Arrow column."""
        new = {path for path in paths.unique().to_pylist() if path} - self.leaves
        if new:
            self.leaves |= new
            self._write(LEAVES, sorted(self.leaves))

    def _save(self) -> None:
        self._write(BOOK, {digest: (mark.run, mark.until) for digest, mark in sorted(self._marks.items())})

    def _write(self, name: str, told: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f"{name}.next"
        aside.write_text(json.dumps(told, indent=1, ensure_ascii=False))
        aside.replace(self.folder / name)

    def read(self, digest: str, wanted: Callable[[int], bool] = lambda _: True, *, after: int | None = None) -> Any:
        """What is kept of a pass, of the steps that are wanted; as an engine answers. With `after` only what changes
        later than that export added."""
        files = sorted(self.place(digest).glob("*.arrow")) if after is None else self._pieces(digest, after)
        some = [path for path in files if path.stem != _SHAPE and wanted(int(path.stem.partition("+")[0]))]
        return pa.concat_tables([_read(path) for path in (self._path(digest, _SHAPE), *some)]).unify_dictionaries()

    def _without_strays(self, digest: str) -> None:
        for stray in self._pieces(digest, self._marks[digest].run):
            stray.unlink()

    def _pieces(self, digest: str, after: int = 0) -> list[Path]:
        return [path for path in sorted(self.place(digest).glob("*+*.arrow")) if _run_of(path) > after]

    def _path(self, digest: str, step: int | str) -> Path:
        return self.place(digest) / f"{step}.arrow"

    def _put(self, digest: str, step: int | str, rows: Any) -> None:
        path = self._path(digest, step)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".next")
        with ipc.new_file(aside, rows.schema) as file:
            file.write_table(rows.combine_chunks())
        aside.replace(path)


@contextmanager
def opened(folder: Path) -> Iterator[Kept | None]:
    """The cells in a folder, for one at a time: None while somebody else has them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
        else:
            yield Kept(folder)


def _run_of(piece: Path) -> int:
    return int(piece.stem.partition("+")[2])


def _read(path: Path) -> Any:
    """A file of cells, its areas as codes; read where it lies."""
    with readable(path.parent.parent), pa.memory_map(str(path)) as mapped, ipc.open_file(mapped) as file:
        return file.read_all()


def digest_of(made: Plan, lane: Lane, column: str) -> str:
    """The name of a pass: that of what is asked, word by word."""
    asked = (made.grain, lane, column, made.lanes[lane])
    key = repr(asked)
    if key not in made.digests:
        said = select_of(made, lane, column).sql("duckdb", copy=False)
        made.digests[key] = hashlib.sha256(said.encode()).hexdigest()[:32]
    return made.digests[key]


def select_of(made: Plan, lane: Lane, column: str, *, signed: bool = False) -> Any:
    """The query of a pass, or of what a change adds to it."""
    if column:
        return queries.bag(lane, made.lanes[lane], made.grain, column, signed=signed)
    return queries.tallies(lane, made.lanes[lane], made.grain, signed=signed)


def quick(made: Plan, lane: Lane, column: str) -> Any:
    """The query of a pass of which nothing is kept: numbers are read as lists, and not counted one by one."""
    if column and columns_of(made.tables[lane.table])[column] == "number":
        return queries.lists(lane, made.lanes[lane], made.grain, column)
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
    last = _mark(runs[-1]) if runs else Mark(0)
    anew, steps, by_changes = 0, dict[Lane, set[int]](), dict[tuple[str, ...], list[Key]]()
    for lane, column in passes(made):
        digest = digest_of(made, lane, column)
        changes = _since(runs, kept.mark(digest), lane.table)
        if changes is None:
            rows = engine.rows(select_of(made, lane, column))
            kept.write(digest, rows, mark=last)
            steps.setdefault(lane, set()).update(step for step, _ in _by_step(rows))
            anew += 1
        else:
            by_changes.setdefault((lane.table, *changes), []).append((lane, column))
    asked = [_Asked(made, table, changes, keys) for (table, *changes), keys in by_changes.items() if changes]
    for one, rows in _read_ahead(asked, store):
        for lane, digest, more in one.counted(made, kept, rows):
            steps.setdefault(lane, set()).update(kept.add(digest, more, mark=last))
    kept.note({digest_of(made, *key): last for keys in by_changes.values() for key in keys})
    return Brought(anew, steps)


class _Asked:
    """What changes of a table add along the lanes of some passes."""

    def __init__(self, made: Plan, table: str, changes: list[str], keys: list[Key]) -> None:
        self._table, self._changes = table, changes
        self._selects = {key: select_of(made, *key, signed=True) for key in keys}

    def read(self, store: Store) -> Any:
        """The rows that were taken back and added, in the columns that are asked for."""
        selects = self._selects.values()
        names = sorted({column.name for select in selects for column in select.find_all(exp.Column)})
        return pa.concat_tables([_changed(store, name, names) for name in self._changes])

    def counted(self, made: Plan, kept: Kept, rows: Any) -> Iterator[tuple[Lane, str, Any]]:
        """Each pass with its name, and what is counted of these rows."""
        kept.seen(rows[queries.AREA])
        with over_tables({queries.source(self._table, signed=True): rows}) as engine:
            for (lane, column), select in self._selects.items():
                yield lane, digest_of(made, lane, column), engine.rows(select)


def _read_ahead(asked: list[_Asked], store: Store) -> Iterator[tuple[_Asked, Any]]:
    """Each with its rows, which are read while those before them are counted."""
    with ThreadPoolExecutor(1) as reader:
        coming = [reader.submit(one.read, store) for one in asked[:1]]
        for at, one in enumerate(asked):
            rows = coming.pop().result()
            coming += [reader.submit(later.read, store) for later in asked[at + 1 : at + 2]]
            yield one, rows


def _changed(store: Store, name: str, columns: list[str]) -> Any:
    """Some columns of the rows that an export took back and added."""
    with store.filesystem.open_input_file(store.path(name)) as file:
        known = pq.read_schema(file).names
        return pq.read_table(file, columns=[each for each in columns if each in known])


def state(store: Store, *tables: str) -> str:
    """A digest of the files of some tables, as the last export lists them; "" where it lists none."""
    listed = _listed(store).get("tables", {})
    files = {table: listed[table]["files"] for table in tables if table in listed}
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest() if len(files) == len(tables) else ""


def _runs(store: Store) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _listed(store).get("runs", [])
    return found


def _listed(store: Store) -> dict[str, Any]:
    """What the last export says of itself; nothing where none was. Raises `BadList`."""
    content = store.read(MANIFEST)
    try:
        found = json.loads(content) if content else {}
    except ValueError as error:
        raise BadList(store) from error
    if not isinstance(found, dict):
        raise BadList(store)
    return found


def _mark(run: dict[str, Any]) -> Mark:
    return Mark(run["number"], tuple(run.get("until", ())))


def _since(runs: list[dict[str, Any]], counted: Mark | None, table: str) -> list[str] | None:
    """The files of changes of a table after an export; None where not all of them are there."""
    if counted is None or counted not in map(_mark, runs):
        return None
    later = [run for run in runs if run["number"] > counted.run]
    if any(run.get("whole") for run in later):
        return None
    return [run["changes"][table]["name"] for run in later if table in run.get("changes", {})]


def _real(rows: Any) -> Any:
    """The rows with every count as a double, and areas as codes: one type each, whichever engine counted it."""
    fields = [pa.field(each.name, pa.float64()) if _is_count(each.name) else each for each in rows.schema]
    made = rows.cast(pa.schema(fields))
    coded = made["leaf"].cast(pa.string()).combine_chunks().dictionary_encode()
    return made.set_column(made.column_names.index("leaf"), "leaf", coded)


def _is_count(name: str) -> bool:
    return name[0] == "c" and name[1:].isdigit()


def _by_step(rows: Any) -> list[tuple[int, Any]]:
    if "t" not in rows.column_names:
        return [(_EVER, rows)] if rows.num_rows else []
    steps = sorted(rows["t"].unique().to_pylist())
    return [(step, rows.filter(pc.equal(rows["t"], step))) for step in steps]
