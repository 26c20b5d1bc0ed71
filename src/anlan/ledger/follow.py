"""Followers: the only queue. Each reads the ledger from its own cursor, in batches, and misses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from anlan.ledger.models import START, Cursor, Event
from anlan.ledger.order import Position, count_after, last_settled, settled_after

Handle = Callable[[Sequence[Event]], None]


def advance(name: str, handle: Handle, *, at: datetime, batch: int = 500) -> int:
    """Give follower `name` its next events, at most `batch`, in order; returns how many.

    The cursor moves in the transaction in which `handle` works: what it writes to this database and the cursor stand
    or fall together, and anything else it does it may have to do again. If it raises, nothing has moved.
    """
    if not _waiting(name):
        return 0
    with transaction.atomic():
        cursor = _claim(name)
        events = settled_after((cursor.tx, cursor.seq), limit=batch)
        if events:
            handle(events)
            cursor.tx, cursor.seq, cursor.moved_at = events[-1].tx, events[-1].seq, at
            cursor.save()
        return len(events)


def drain(name: str, handle: Handle, *, at: datetime, batch: int = 500) -> int:
    """Advance until follower `name` has read everything there is; returns how many events that was."""
    total = 0
    while read := advance(name, handle, at=at, batch=batch):
        total += read
    return total


def lag(name: str) -> int:
    """How many events follower `name` could read now and has not."""
    return count_after(_position(name), settled=True)


def oldest_unread(name: str) -> datetime | None:
    """When the first event was written that follower `name` could read now and has not; None when it has read all."""
    return next((event.recorded_at for event in settled_after(_position(name), limit=1)), None)


def reached(names: Sequence[str]) -> Position | None:
    """How far all of these followers have read; None where nobody is named."""
    return min(map(_position, names), default=None)


def rewind(name: str) -> None:
    """Let follower `name` begin again at the first event. Clear what it has counted in the same transaction."""
    with transaction.atomic():
        cursor = _claim(name)
        cursor.tx, cursor.seq = START, 0
        cursor.save()


def begin_here(name: str) -> None:
    """Let a new follower `name` begin after what there is to read now; one that has read already stays where it is."""
    tx, seq = last_settled()
    Cursor.objects.bulk_create([Cursor(name=name, tx=tx, seq=seq)], ignore_conflicts=True)


def _position(name: str) -> Position:
    cursor = Cursor.objects.filter(name=name).first()
    return (cursor.tx, cursor.seq) if cursor else (START, 0)


def _waiting(name: str) -> bool:
    # Asked before the transaction: on SQLite that would make every writer wait, for nothing.
    return bool(settled_after(_position(name), limit=1))


def _claim(name: str) -> Cursor:
    Cursor.objects.bulk_create([Cursor(name=name)], ignore_conflicts=True)
    return Cursor.objects.select_for_update().get(name=name)
