"""The order of events, (tx, seq), and how far it can be read without missing one that is still being written.

A transaction that began earlier can commit later, with a lower seq. On PostgreSQL therefore only what the oldest
running transaction cannot add to any more is settled; SQLite has one writer, and seq is the order of commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Func, QuerySet

from anlan.ledger.models import START, Event

Position = tuple[int, int]


class _Horizon(Func):
    """The first `tx` that is not settled. A session that sets `anlan.alone` is the only writer: it need not wait.

    The server numbers the transactions of all its databases together. One that is seen to run in another database adds
    nothing here and is not waited for; one that is not seen (it has just ended, or belongs to another role) is.
    """

    template = """CASE WHEN current_setting('anlan.alone', true) = 'on' THEN 9223372036854775807
        ELSE (SELECT least(pg_current_xact_id_if_assigned()::text::bigint,
                coalesce(min(running::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint))
              FROM pg_snapshot_xip(pg_current_snapshot()) AS running
              WHERE NOT EXISTS (SELECT FROM pg_stat_activity AS other
                                WHERE other.backend_xid = running::xid AND other.datname <> current_database())) END"""
    output_field = BigIntegerField()


def settled_after(position: Position, *, limit: int) -> list[Event]:
    """At most `limit` settled events after `position`, in order."""
    return list(islice(_in_turn(_after(_settled(), position), limit), limit))


def last_settled() -> Position:
    """The position of the last event that is settled; before every event where there is none."""
    last = _settled().order_by("-tx", "-seq").values_list("tx", "seq").first()
    return last or (START, 0)


def count_after(position: Position, *, settled: bool, most: int | None = None) -> int:
    """How many events stand after `position`; `settled` leaves out those that cannot be read yet.

    Counts no further than `most`, where that is said.
    """
    counted = 0
    for part in _after(_settled() if settled else Event.objects.all(), position):
        counted += (part if most is None else part[: most - counted]).count()
    return counted


def between(after: Position, last: Position) -> Iterator[Event]:
    """Every event after the position `after`, up to and including `last`, in order, read in batches."""
    for part in _parts(after, last):
        yield from part.iterator()


def columns_between(after: Position, last: Position, *columns: str, kinds: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """The same of some kinds, as the values of `columns` alone: for those who look through very many."""
    wanted = list(kinds)
    for part in _parts(after, last):
        yield from part.filter(kind__in=wanted).values_list(*columns).iterator(chunk_size=10_000)


def _parts(after: Position, last: Position) -> Iterator[QuerySet[Event]]:
    (first_tx, first_seq), (last_tx, last_seq) = after, last
    events = Event.objects.order_by("tx", "seq")
    if first_tx == last_tx:
        yield events.filter(tx=first_tx, seq__gt=first_seq, seq__lte=last_seq)
        return
    yield events.filter(tx=first_tx, seq__gt=first_seq)
    yield events.filter(tx__gt=first_tx, tx__lt=last_tx)
    yield events.filter(tx=last_tx, seq__lte=last_seq)


def _settled() -> QuerySet[Event]:
    return Event.objects.filter(tx__lt=_Horizon()) if connection.vendor == "postgresql" else Event.objects.all()


def _after(events: QuerySet[Event], position: Position) -> tuple[QuerySet[Event], QuerySet[Event]]:
    # Two ranges of one index; SQLite reads `(tx, seq) > (…)` from the beginning of tx.
    tx, seq = position
    return events.filter(tx=tx, seq__gt=seq).order_by("seq"), events.filter(tx__gt=tx).order_by("tx", "seq")


def _in_turn(parts: tuple[QuerySet[Event], ...], limit: int) -> Iterator[Event]:
    for part in parts:
        yield from part[:limit]
