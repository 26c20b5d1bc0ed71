"""(b) The real file imported and replayed, beside a bare `executemany` of the very same event rows."""

from __future__ import annotations

import csv
import gzip
import io
import os
from datetime import UTC, datetime
from typing import Any

from benchmarks.ground import ready
from benchmarks.rows import ROOT, Row, row, timed, told

FILE = ROOT.parent / "shared/reference/reports/chicago_sanitation_2011_2012.csv.gz"
AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
BARE = 3
FEW = 4000


def run(*, small: bool) -> list[Row]:
    """One round: import and replay into fresh tables, then the same event rows into an empty copy of the ledger."""
    os.environ["ANLAN_PACKS"] = str(ROOT / "packs/chicago")
    database = ready()
    content = _first(FEW) if small else FILE.read_bytes()
    count, seconds, processor = _import(content)
    rows = _event_rows()
    assert len(rows) >= count
    bare = [_bare(rows, number) for number in range(BARE)]
    walls, processors = [wall for wall, _ in bare], [cpu for _, cpu in bare]
    return [
        row("b", "Import and replay", database, [seconds], "s", note=f"{len(rows):,} events"),
        row("b", "Bare executemany of the same event rows", database, walls, "s"),
        row("b", "How many times the bare executemany", database, [seconds / sorted(walls)[1]], "×", at_most=8),
        row("b", "The same, processor time alone", database, [processor / sorted(processors)[1]], "×"),
        row("b", "Events a second, import and replay", database, [len(rows) / seconds], "events/s", at_least=3000),
    ]


def _first(count: int) -> bytes:
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as lines:
        rows = [line for _, line in zip(range(count), csv.reader(lines), strict=False)]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return gzip.compress(text.getvalue().encode())


def _import(content: bytes) -> tuple[int, float, float]:
    from anlan.casework import replay
    from anlan.intake import imports
    from anlan.intake.channel import CHANNELS
    from anlan.kernel import catalogue
    from anlan.places import officers, towns

    channel = catalogue.current().get(CHANNELS, "chicago_sanitation")
    towns.load(towns.town("chicago"), by=None, at=AT)
    by = officers.create("import", name="Import", by=None, at=AT)
    with timed() as spent:
        done = imports.take(channel, content, name=FILE.name, by=by, at=AT)
        result = replay.replay(channel, done.rows, by=by, recorded_at=AT)
    assert result.opened == done.batch.received
    return result.events, spent.wall, spent.processor


def _columns() -> str:
    from anlan.ledger.events import COLUMNS

    return ", ".join(f'"{name}"' for name in ("tx", *COLUMNS))


def _event_rows() -> list[tuple[Any, ...]]:
    """The rows as a driver takes them: nothing is left to convert."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_columns()} FROM ledger_event ORDER BY seq")
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    if connection.vendor == "postgresql":
        return rows
    return [tuple(str(value) if isinstance(value, datetime) else value for value in each) for each in rows]


def _bare(rows: list[tuple[Any, ...]], number: int) -> tuple[float, float]:
    """The driver's own executemany into an empty table with the ledger's indexes and triggers, and one commit."""
    from django.db import connection, transaction

    table = f"bench_event_{number}"
    _copy_of_ledger(table)
    mark = "%s" if connection.vendor == "postgresql" else "?"
    statement = f"INSERT INTO {table} ({_columns()}) VALUES ({', '.join([mark] * 11)})"
    with timed() as spent, transaction.atomic(), connection.cursor() as cursor:
        raw = cursor.connection.cursor() if mark == "%s" else connection.connection.cursor()
        raw.executemany(statement, rows)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        assert cursor.fetchone()[0] == len(rows)
        cursor.execute(f"DROP TABLE {table}")
    return spent.wall, spent.processor


def _copy_of_ledger(table: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"CREATE TABLE {table} (LIKE ledger_event INCLUDING ALL)")
            cursor.execute(
                "SELECT pg_get_triggerdef(oid) FROM pg_trigger"
                " WHERE tgrelid = 'ledger_event'::regclass AND NOT tgisinternal"
            )
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'ledger_event' AND sql IS NOT NULL")
        for (made,) in cursor.fetchall():
            renamed = made.replace("public.ledger_event ", f"public.{table} ").replace('"ledger_event"', f'"{table}"')
            for name in ("event_subject", "event_order", "ledger_event_no_update", "ledger_event_no_delete"):
                renamed = renamed.replace(name, f"{table}_{name}")
            cursor.execute(renamed.replace(" ON ledger_event ", f" ON {table} "))


if __name__ == "__main__":
    told(run)
