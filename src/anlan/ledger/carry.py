"""Carrying a ledger to another database: a restore from backup.

Followers and seals order events by (tx, seq). `tx` numbers the transactions of one database server, so a restored
event cannot keep it: a new server counts from the beginning. All of them are lowered by the same amount instead, below
whatever the new server gives, in the same order. What is sealed does not change: `tx` is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max

from anlan.ledger.models import START, Event


def highest_tx() -> int:
    """The highest `tx` of this ledger: to be noted in a backup."""
    return int(Event.objects.aggregate(highest=Max("tx"))["highest"] or 0)


def carried(tx: int, *, highest: int) -> int:
    """What a `tx` of an event, seal or cursor becomes where it is restored; `highest` is the backup's highest_tx."""
    return tx if tx == START else tx - highest


@contextmanager
def restoring() -> Iterator[None]:
    """One transaction in which events and seals are inserted with their own seq and a `tx` from `carried`.

    Afterwards the next event follows the last restored one.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL anlan.restoring = 'on'")
        yield
        for statement in connection.ops.sequence_reset_sql(no_style(), [Event]):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL anlan.restoring = 'off'")
