"""Imports: a file through the one door, row by row, with a batch that says what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from anlan.intake import reports
from anlan.intake.channel import Channel
from anlan.intake.door import ReceivedRow
from anlan.intake.files import sheets
from anlan.intake.files.sheets import Sheet
from anlan.intake.models import Batch
from anlan.kernel.ids import new_id
from anlan.ledger import events
from anlan.places.models import Officer
from anlan.places.scope import Reach

_LONGEST_NAME = 200


@dataclass(frozen=True)
class Imported:
    """The batch with its counts, and what became of each row."""

    batch: Batch
    rows: list[ReceivedRow]


def take(
    channel: Channel, content: bytes, *, name: str, by: Officer | None, at: datetime, reach: Reach | None = None
) -> Imported:
    """Read a file whole (or refuse it whole, `sheets.Unusable`) and receive its rows. Safe to repeat."""
    sheet = sheets.read(content, channel, name=name)
    batch = start(channel, sheet, by=by, at=at)
    rows = reports.receive_many(channel, sheet.rows(), by=by, batch=batch, at=at, reach=reach)
    return Imported(finish(batch, rows, at=at), rows)


def start(channel: Channel, sheet: Sheet, *, by: Officer | None, at: datetime) -> Batch:
    """The batch that the rows of `sheet` will belong to."""
    return Batch.objects.create(
        id=new_id(),
        channel=channel.key,
        file_name=sheet.name.replace("\x00", "")[-_LONGEST_NAME:],
        digest=sheet.digest,
        by=by,
        started_at=at,
    )


@transaction.atomic
def finish(batch: Batch, rows: list[ReceivedRow], *, at: datetime) -> Batch:
    """Write down what became of the rows."""
    count(batch, rows)
    return close(batch, at=at)


def count(batch: Batch, rows: list[ReceivedRow]) -> Batch:
    """Add what became of some more of its rows: a long file may be received in parts."""
    batch.rows += len(rows)
    batch.repeated += sum(row.repeated for row in rows)
    batch.received += sum(not row.repeated and row.report is not None for row in rows)
    batch.quarantined += sum(not row.repeated and row.report is None for row in rows)
    batch.save(update_fields=["rows", "repeated", "received", "quarantined"])
    return batch


@transaction.atomic
def close(batch: Batch, *, at: datetime) -> Batch:
    """Say that the file is through."""
    batch.finished_at = at
    batch.save()
    counts = {"rows": batch.rows, "received": batch.received, "repeated": batch.repeated, "held": batch.quarantined}
    events.append(
        events.NewEvent(
            kind="batch.imported",
            subject=batch.pk,
            by=batch.by_id,
            at=at,
            recorded_at=at,
            data={"channel": batch.channel, "file": batch.digest, **counts},
        )
    )
    return batch
