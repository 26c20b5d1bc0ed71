"""Run by a test as a process of its own, on its own database: two writers at once, and a follower between them."""

# ruff: noqa: E402, T201 - models are imported once Django stands; the test reads what is printed
from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import django

django.setup()

from django.db import OperationalError, connection, transaction

from anlan.kernel.ids import new_id
from anlan.ledger import follow, seal
from anlan.ledger.events import NewEvent, append
from anlan.ledger.models import Event

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
written, release = threading.Event(), threading.Event()
read: list[str] = []


def write(name: str) -> None:
    append(NewEvent("case.moved", new_id(), by=None, at=AT, recorded_at=AT, data={"name": name}))


def first() -> None:
    """Appends, and commits only when it is told to."""
    with transaction.atomic():
        write("first")
        written.set()
        release.wait(30)
    connection.close()


def remember(events: Sequence[Event]) -> None:
    read.extend(event.data["name"] for event in events)


thread = threading.Thread(target=first)
thread.start()
written.wait(30)
if connection.vendor == "sqlite":
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
try:
    with transaction.atomic():
        write("second")
    follow.drain("reader", remember, at=AT)
    seal.seal(at=AT)
    print(f"while the first is open: {read}")
except OperationalError:
    print("the second waits")
release.set()
thread.join()
follow.drain("reader", remember, at=AT)
print(f"afterwards: {read}")
seal.seal(at=AT)
verdict = seal.verify()
print(f"seals verify: {verdict.ok} {verdict.events}")
