"""Run by a test as a process of its own: a follower that is killed in its second batch, or (run again) is not."""

# ruff: noqa: E402, T201 - models are imported once Django stands; the test reads what is printed
from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import django

django.setup()

from django.db import transaction

from anlan.kernel.ids import new_id
from anlan.ledger import follow
from anlan.ledger.events import NewEvent, append_many
from anlan.ledger.models import Event, Personal

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def count(events: Sequence[Event]) -> None:
    for event in events:
        Personal.objects.create(id=event.id, kind=str(event.data["n"]), keep_until=AT.date())
    if "die" in sys.argv and events[0].data["n"] == 3:
        os._exit(9)


if "die" in sys.argv:
    with transaction.atomic():
        append_many([NewEvent("case.moved", new_id(), by=None, at=AT, recorded_at=AT, data={"n": n}) for n in range(5)])
print(sorted(int(kind) for kind in Personal.objects.values_list("kind", flat=True)))


def tell(events: Sequence[Event]) -> None:
    print([event.data["n"] for event in events])
    count(events)


follow.drain("killed", tell, at=AT, batch=3)
print(f"{Personal.objects.count()} written")
