"""Reports: received through the one door, one by one or a file at a time, and withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db import IntegrityError, transaction

from anlan.intake import message as messages
from anlan.intake.channel import Channel
from anlan.intake.door import OUT_OF_REACH, Door, ReceivedRow
from anlan.intake.models import Batch, Photo, Quarantined, Report
from anlan.intake.reading import Reason
from anlan.kernel.memory import uncollected
from anlan.kernel.text import Refusal
from anlan.ledger import events, single
from anlan.places.models import Officer
from anlan.places.scope import Reach

__all__ = ["NotUnderstood", "OutOfReach", "Received", "ReceivedRow", "receive", "receive_many", "withdraw"]

ROUND: Final = 5000
"""How many messages of a file share a transaction."""

Message = tuple[int | None, Mapping[str, str]]


class NotUnderstood(Refusal):
    """What was typed cannot be taken as it is; `reasons` has every reason, `field` the first one's."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        said = [reason.text for reason in reasons]
        super().__init__("\n".join(s.zh for s in said), "\n".join(s.en for s in said), field=reasons[0].field)
        self.reasons = tuple(reasons)


class OutOfReach(Refusal):
    """The place lies outside where the officer may report."""


class Withdrawn(Refusal):
    """The report was withdrawn before."""


@dataclass(frozen=True)
class Received:
    """What became of a message: a report, or its place in quarantine. `repeated` = it had come before."""

    report: Report | None
    held: Quarantined | None
    repeated: bool
    reasons: tuple[Reason, ...] = ()


def receive(
    channel: Channel,
    message: Mapping[str, Any],
    *,
    by: Officer | None,
    at: datetime,
    photos: Sequence[Photo] = (),
    reach: Reach | None = None,
) -> Received:
    """One message through the one door. The same message again gives the same report; one that cannot be understood is
    quarantined, but on a form refused (`NotUnderstood`), for the person is still there to mend it. With `reach`, a
    place outside of it raises `OutOfReach`.
    """
    told = messages.as_told(message)
    with transaction.atomic():
        [row] = _take(Door(channel, by=by, at=at, reach=reach), [(None, told)])
        if any(reason.field == OUT_OF_REACH for reason in row.reasons):
            raise OutOfReach(row.reasons[0].text.zh, row.reasons[0].text.en, field="area")
        if row.report is None and channel.kind in ("form", "public"):
            raise NotUnderstood(row.reasons)
        report = single.read(Report, row.report) if row.report else None
        held = single.read(Quarantined, row.held) if row.held else None
        if report is not None and photos:
            Photo.objects.filter(pk__in=[photo.pk for photo in photos], report=None).update(report=report)
    return Received(report, held, row.repeated, row.reasons)


@uncollected()
def receive_many(
    channel: Channel,
    rows: Iterable[Message],
    *,
    by: Officer | None,
    batch: Batch | None = None,
    at: datetime,
    reach: Reach | None = None,
    base: str = "",
) -> list[ReceivedRow]:
    """Many messages, (row number, cells of text), in order; what became of each. A round of `ROUND` rows is one
    transaction, and the whole is safe to repeat: what was received or quarantined before is only told again.
    """
    done: list[ReceivedRow] = []
    door: Door | None = None
    for part in _rounds(rows):
        with transaction.atomic():
            door = door or Door(channel, by=by, at=at, batch=batch, reach=reach, base=base)
            done += _take(door, part)
    return done


def _rounds(rows: Iterable[Message]) -> Iterator[list[Message]]:
    left = iter(rows)
    while part := list(islice(left, ROUND)):
        yield part


def _take(door: Door, part: Sequence[Message]) -> list[ReceivedRow]:
    """One round; where somebody else received one of its messages meanwhile, once more with that known."""
    try:
        with transaction.atomic():
            return door.take(part)
    except IntegrityError:
        with transaction.atomic():
            return door.take(part)


def withdraw(report: Report, *, reason: str, by: Officer | None, at: datetime) -> Report:
    """Take a report back; it stays, with everything it said, and says when it was withdrawn."""
    with transaction.atomic():
        current = Report.objects.select_for_update().get(pk=report.pk)
        if current.withdrawn_at is not None:
            raise Withdrawn(
                f"这条上报已在 {current.withdrawn_at:%Y-%m-%d} 撤回，不必再撤。",
                f"This report was withdrawn on {current.withdrawn_at:%Y-%m-%d} already.",
            )
        current.withdrawn_at = at
        current.save(update_fields=["withdrawn_at"])
        events.append(
            events.NewEvent(
                kind="report.withdrawn",
                subject=current.pk,
                by=by.pk if by else None,
                at=at,
                recorded_at=at,
                area_path=current.area_path,
                data={"channel": current.channel, "reason": reason},
            )
        )
    return current
