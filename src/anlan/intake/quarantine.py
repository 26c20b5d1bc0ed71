"""Messages that could not be understood: mended and sent again through the same understanding, or discarded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from anlan.intake import additions, message
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.door import Door, settle
from anlan.intake.models import Quarantined, Report
from anlan.intake.reports import NotUnderstood, OutOfReach, Received
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.ledger import events
from anlan.places.models import Officer
from anlan.places.scope import Reach


class Settled(Refusal):
    """The message was mended or discarded before."""


class NoReason(Refusal):
    """Nothing is thrown away without saying why."""


def visible(reach: Reach) -> QuerySet[Quarantined]:
    """The quarantined messages `reach` may see, newest first."""
    return Quarantined.objects.filter(reach.q("quarantine.see")).order_by("-held_at", "row_no")


def mend(
    held: Quarantined, changes: Mapping[str, str], *, by: Officer | None, at: datetime, reach: Reach | None = None
) -> Received:
    """Send `held` again with `changes` (column → cell) made. The original stays as told beside the report it became.

    Raises `NotUnderstood`, with nothing changed, while it still cannot be taken; `Settled` when it is too late. With
    `reach`, a place outside of it raises `OutOfReach`.
    """
    with transaction.atomic():
        current = _waiting(held.pk)
        channel = catalogue.current().get(CHANNELS, current.channel)
        told = {**current.raw, **message.as_told(changes)}
        if additions.meaning(channel, told):
            return _added(current, channel, told, by=by, at=at)
        [row] = Door(channel, by=by, at=at, batch=current.batch).take(
            [(current.row_no, told)], reporter=current.reporter_id
        )
        if row.report is None:
            raise NotUnderstood(row.reasons) if row.reasons else _unchanged(current)
        report = Report.objects.get(pk=row.report)
        if reach is not None and not reach.covers("quarantine.mend", area_path=report.area_path):
            raise OutOfReach(
                "改正后的地点不在您的辖区内；请核对地点，或交由当地人员改正。",
                "The place it now names lies outside your area; check it, or let somebody there mend this.",
            )
        settle(current.pk, row.report, by=by.pk if by else None, at=at)
        current.refresh_from_db()
        return Received(report, current, row.repeated)


def _added(
    held: Quarantined, channel: Channel, told: Mapping[str, str], *, by: Officer | None, at: datetime
) -> Received:
    """What was mended is about an earlier order: it is kept as such."""
    kept = additions.take(channel, told, area_path=held.area_path, at=at)
    if kept.addition is None:
        raise NotUnderstood(kept.reasons)
    settle(held.pk, kept.addition.report_id, by=by.pk if by else None, at=at)
    held.refresh_from_db()
    return Received(None, held, kept.repeated)


def discard(held: Quarantined, *, reason: str, by: Officer | None, at: datetime) -> Quarantined:
    """Set `held` aside for good, saying why; it stays as told, and the same message again stays discarded."""
    if not reason.strip():
        raise NoReason("请写明作废的理由。", "Say why it is discarded.", field="reason")
    with transaction.atomic():
        current = _waiting(held.pk)
        current.state, current.settled_at = "discarded", at
        current.save(update_fields=["state", "settled_at"])
        events.append(
            events.NewEvent(
                kind="report.discarded",
                subject=current.pk,
                by=by.pk if by else None,
                at=at,
                recorded_at=at,
                area_path=current.area_path,
                data={"channel": current.channel, "reason": reason.strip()},
            )
        )
    return current


def _waiting(pk: UUID) -> Quarantined:
    current = Quarantined.objects.select_for_update().get(pk=pk)
    if current.state == "held":
        return current
    zh, en = ("补正", "mended") if current.state == "mended" else ("作废", "discarded")
    raise Settled(f"这条来件已经{zh}，不必再处理。", f"This message was {en} already; nothing is left to do.")


def _unchanged(held: Quarantined) -> Refusal:
    """What `mend` answers when nothing that mattered was changed: the reasons as they stand."""
    return Refusal(
        "\n".join(reason["zh"] for reason in held.reasons),
        "\n".join(reason["en"] for reason in held.reasons),
        field=held.reasons[0]["field"] if held.reasons else "",
    )
