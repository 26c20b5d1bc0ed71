"""From the ledger to Parquet: everything the first time, then only the months that new events touch.

What is written depends on the ledger and on what is declared, on nothing else: exported twice, or anew, it is the same
to the byte. New files are written aside and put in place together; an export that is killed leaves what lay there, or
what the next one completes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from anlan.facts import columns, manifest, merging, placing, touched
from anlan.facts.known import Known, edition, fingerprint
from anlan.facts.lock import alone
from anlan.facts.manifest import Change, Changes, File, Held, Manifest, Run, Sealed
from anlan.facts.sources import CHUNK, SNAPSHOTS, Out, Source, sources
from anlan.facts.spool import Spool, chunks
from anlan.facts.store import Store
from anlan.facts.table import FactTable
from anlan.facts.touched import Kinds, Touched
from anlan.ledger import follow, order
from anlan.ledger.models import START, Event, Seal
from anlan.ledger.order import Position

KEEP_RUNS: Final = 30
NO_MONTH: Final = "1970-01"
"""The month in which the file of a table lies that has no row yet."""
FIRST: Final = "first"
ANEW: Final = "asked"
DECLARED: Final = "declared"
CALENDAR: Final = "calendar"
LEDGER: Final = "ledger"
"""Why everything was made anew: another ledger lies beneath it (a backup was restored, say)."""


@dataclass(slots=True)
class _Work:
    """An export while it runs."""

    store: Store
    known: Known
    old: Manifest | None
    spool: Spool
    whole: bool
    found: Touched
    at: datetime
    files: dict[str, dict[str, File]] = field(default_factory=dict)
    months: list[Change] = field(default_factory=list)
    changed: dict[str, list[pa.Table]] = field(default_factory=dict)
    rows: int = 0

    def held(self, key: str) -> dict[str, File]:
        """The files of a table that lay there before."""
        return dict(self.old.tables[key].files) if self.old is not None and key in self.old.tables else {}


def export(
    store: Store, *, aside: Path, at: datetime, behind: Sequence[str] = (), anew: bool = False, keep: int = KEEP_RUNS
) -> Run | None:
    """Bring what lies in `store` up to the ledger; the run, or None where nothing was different.

    Reads no further than the followers `behind` have: what they keep is part of what is written. `aside` is a folder of
    this machine for what is on its way. `keep` is how many runs keep their files of changes. Raises `Busy`, `NoStore`,
    `BadManifest`.
    """
    with alone(aside, store.shown):
        placing.complete(store)
        old = None if anew else manifest.read(store)
        until = order.last_settled()
        reached = follow.reached(behind)
        known = Known(min(until, reached) if reached is not None else until)
        print_ = fingerprint(known)
        why = ANEW if anew else FIRST if old is None else _why(old, known, print_)
        if old is not None and not why and known.until <= old.cursor and not _ages(known):
            return None
        found = Touched() if why or old is None else touched.since(old.cursor, known)
        why = why or (CALENDAR if found.everything else "")
        spool = Spool(aside / "spool", known.tables)
        try:
            work = _Work(store, known, old, spool, bool(why), found, at)
            return _run(work, print_, why, keep)
        finally:
            spool.clear()


def waiting(store: Store, *, most: int) -> int:
    """How many events the next export has to read: all there are, where everything is to be made anew.

    Counts to one past `most` and no further, so that asking costs no more than reading so many.
    """
    old, known = manifest.read(store), Known(order.last_settled())
    read = (START, 0) if old is None or _why(old, known, fingerprint(known)) else old.cursor
    return order.count_after(read, settled=True, most=most + 1)


def _why(old: Manifest, known: Known, print_: str) -> str:
    """Why everything must be made anew, or nothing."""
    if old.fingerprint != print_:
        return DECLARED
    return "" if _is_sealed_so(old.seal) and old.cut_off == _cut_off(old.cursor) else LEDGER


def _is_sealed_so(noted: Sealed | None) -> bool:
    """Whether the ledger has the seal that was noted; none was before the first."""
    if noted is None:
        return True
    return Seal.objects.filter(number=noted.number, chain_sha256=bytes.fromhex(noted.chain_sha256)).exists()


def _run(work: _Work, print_: str, why: str, keep: int) -> Run | None:
    for source in sources(work.known):
        _gather(work, source)
    for key in SNAPSHOTS:
        _snapshot(work, key)
    now = _manifest(work, print_, why, keep)
    if work.old is not None and not work.months and not why and now.tables == work.old.tables:
        placing.say(work.store, now)
        return None
    placing.place(work.store, now)
    return now.runs[-1]


# ---------------------------------------------------------------- rows


def _gather(work: _Work, source: Source) -> None:
    """All rows of everything of a source that is to be made anew, put into their months."""
    kinds: Kinds = {} if work.whole else source.touched(work.found)
    things: Iterable[object] = source.everything() if work.whole else kinds
    tables = [key for key in source.tables if key in work.known.tables]
    gone: set[str] = set()
    for part in chunks(things, CHUNK):
        for out in source.rows(part, work.known):
            work.spool.add(out)
        if source.gone is not None and not work.whole:
            gone |= {columns.month_of(day) for day in source.gone(part, work.known)}
    work.spool.flush()
    owners = {source.key(thing): names for thing, names in kinds.items()}
    for key in tables:
        work.files[key] = {} if work.whole else work.held(key)
        _months(work, source, work.known.tables[key], gone, owners)
        _never_nowhere(work, work.known.tables[key])


def _never_nowhere(work: _Work, table: FactTable) -> None:
    """A table without a row has a file all the same, so that whoever reads it finds its columns."""
    files, name = work.files[table.key], _name(table, NO_MONTH)
    if not files:
        _write(work, table, name, columns.schema(table).empty_table())
    elif len(files) > 1 and name in files and not files[name].rows:
        del files[name]


def _months(work: _Work, source: Source, table: FactTable, gone: set[str], owners: dict[str, set[str]]) -> None:
    keys = pa.array(sorted(owners), pa.string())
    months = work.spool.months(table.key)
    if owners:
        months |= {month for month in gone if _name(table, month) in work.files[table.key]}
        if table.key in source.moving:
            rest = {_month(name) for name in work.files[table.key]} - months
            months |= {each for each in rest if merging.holds(work.store, _name(table, each), source.owner, keys)}
    aged = set() if work.whole or work.old is None else _aged(work, table)
    for month in sorted(months | aged):
        _month_of(work, source, table, month, owners, keys)


def _month_of(
    work: _Work, source: Source, table: FactTable, month: str, owners: dict[str, set[str]], keys: pa.Array
) -> None:
    name = _name(table, month)
    made = merging.emptied(table, work.spool.read(table.key, month), _back(work.at, month))
    _each_once(table, made)
    before = None
    if name in work.files[table.key]:
        before = placing.rows(work.store, name, work.files[table.key][name])
    merged = merging.merge(table, before, made, source.owner, keys)
    if before is not None:
        merged = _aging(work, table, month, before, merged)
    if before is not None and not merged.changes.num_rows:
        return
    _put(work, table, name, merged.rows)
    if not work.whole:
        _note(work, source, table, month, merged, owners)


def _aging(work: _Work, table: FactTable, month: str, before: pa.Table, merged: merging.Merged) -> merging.Merged:
    """What may not be kept any longer is emptied in the rows that nothing touched, too."""
    rows = merging.emptied(table, merged.rows, _back(work.at, month))
    return merged if rows.equals(merged.rows) else merging.Merged(rows, merging.signed(table, before, rows))


def _each_once(table: FactTable, rows: pa.Table) -> None:
    named = rows.select(list(table.row))
    if named.group_by(list(table.row)).aggregate([]).num_rows != rows.num_rows:
        raise RuntimeError(f"Two rows of the table '{table.key}' have the same name in one month.")


def _note(
    work: _Work, source: Source, table: FactTable, month: str, merged: merging.Merged, owners: dict[str, set[str]]
) -> None:
    added, removed, changed = merged.counts(table)
    things = set(merging.named(merged.changes, source.owner).to_pylist())
    kinds = Counter(kind for thing in things for kind in owners.get(thing, ()))
    known_until = work.old.cut_off[:7] if work.old is not None else ""
    work.months.append(
        Change(table=table.key, month=month, added=added, removed=removed, changed=changed, late=month < known_until,
               kinds=dict(sorted(kinds.items())))
    )  # fmt: skip
    work.changed.setdefault(table.key, []).append(merged.changes)


def _snapshot(work: _Work, key: str) -> None:
    """How things are now: one file, written anew where it would be another."""
    table = work.known.tables.get(key)
    if table is None:
        return
    fields, rows = SNAPSHOTS[key]
    made = columns.in_order(table, columns.arrow(table, fields, list(rows())))
    name = f"{key}/part-0.parquet"
    before = work.held(key).get(name)
    if before is not None and not work.whole:
        then = placing.rows(work.store, name, before)
        if then.equals(made):
            work.files[key] = {name: before}
            return
        merged = merging.Merged(made, merging.signed(table, then, made))
        added, removed, changed = merged.counts(table)
        work.months.append(Change(table=key, month="", added=added, removed=removed, changed=changed))
        work.changed[key] = [merged.changes]
    work.files[key] = {}
    _put(work, table, name, made)


def _put(work: _Work, table: FactTable, name: str, rows: pa.Table) -> None:
    """Write a file aside. A month that has no rows any more has no file."""
    if not rows.num_rows and not table.snapshot:
        work.files[table.key].pop(name, None)
        return
    _write(work, table, name, rows)


def _write(work: _Work, table: FactTable, name: str, rows: pa.Table) -> None:
    content = columns.parquet(rows)
    placing.aside(work.store, name, content)
    work.files[table.key][name] = File(rows=rows.num_rows, bytes=len(content), sha256=columns.digest(content))
    work.rows += rows.num_rows


# ---------------------------------------------------------------- what is said of it


def _manifest(work: _Work, print_: str, why: str, keep: int) -> Manifest:
    tables = {
        key: _held(table, files)
        for key, table in sorted(work.known.tables.items())
        if (files := work.files.get(key)) is not None
    }  # fmt: skip
    number = work.old.runs[-1].number + 1 if work.old is not None and work.old.runs else 1
    cut_off = _cut_off(work.known.until)
    changes = {} if work.whole else dict(_changes(work, number))
    run = Run(
        number=number, since=work.old.cursor if work.old is not None else None, until=work.known.until,
        cut_off=cut_off, whole=work.whole, why=why, months=tuple(work.months), changes=changes,
    )  # fmt: skip
    before = () if work.old is None or work.whole else work.old.runs
    runs = (*before, run)[-max(1, keep) :] if work.months or work.whole else before
    return Manifest(
        fingerprint=print_, cursor=work.known.until, cut_off=cut_off, seal=_seal(work.known.until), tables=tables,
        runs=runs,
    )  # fmt: skip


def _held(table: FactTable, files: dict[str, File]) -> Held:
    rows = sum(file.rows for file in files.values())
    return Held(edition=edition(table), rows=rows, files=dict(sorted(files.items())))


def _changes(work: _Work, number: int) -> Iterator[tuple[str, Changes]]:
    for key, parts in sorted(work.changed.items()):
        name = f"changes/{key}/{number:08d}.parquet"
        rows = pa.concat_tables(parts).combine_chunks()
        content = columns.parquet(rows)
        placing.aside(work.store, name, content)
        yield key, Changes(name=name, rows=rows.num_rows, sha256=columns.digest(content))


def _cut_off(until: Position) -> str:
    last = Event.objects.filter(tx=until[0], seq=until[1]).values_list("recorded_at", flat=True).first()
    return "" if last is None else last.isoformat()


def _seal(until: Position) -> Sealed | None:
    tx, seq = until
    found = Seal.objects.filter(last_tx__lte=tx).exclude(last_tx=tx, last_seq__gt=seq).order_by("-number").first()
    return Sealed(number=found.number, chain_sha256=bytes(found.chain_sha256).hex()) if found else None


# ---------------------------------------------------------------- months


def _name(table: FactTable, month: str) -> str:
    return f"{table.key}/month={month}/part-0.parquet"


def _month(name: str) -> str:
    return name.partition("month=")[2][:7]


def _back(at: datetime, month: str) -> int:
    """How many months `month` lies before that of `at`."""
    return (at.year - int(month[:4])) * 12 + at.month - int(month[5:7])


def _aged(work: _Work, table: FactTable) -> set[str]:
    """The months of which something may not be kept any longer."""
    least = min((column.keep_months for column in table.columns if column.keep_months), default=0)
    return {each for each in map(_month, work.files[table.key]) if least and _back(work.at, each) >= least}


def _ages(known: Known) -> bool:
    """Whether anything declared has a time after which it is emptied."""
    return any(column.keep_months for table in known.tables.values() for column in table.columns)


__all__ = ["ANEW", "CALENDAR", "DECLARED", "FIRST", "KEEP_RUNS", "Out", "export", "waiting"]
