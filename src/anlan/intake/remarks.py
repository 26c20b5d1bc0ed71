"""What is told about a report later on, by the system it came from: kept as it was told, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from anlan.intake.channel import Channel
from anlan.intake.message import canonical, digest
from anlan.intake.models import Remark, Report
from anlan.kernel.ids import id_at
from anlan.ledger import events, personal
from anlan.ledger.events import NewEvent
from anlan.places.models import Officer


def add(
    report: Report, channel: Channel, told: Mapping[str, str], *, contact: Mapping[str, str], message_id: str,
    by: Officer, at: datetime,
) -> tuple[Remark, bool]:  # fmt: skip
    """Keep what was told, and whether it is new: the same `message_id` about a report gives what was kept first.

    `contact` is who told it: it goes to the erasable store, for as many days as the channel keeps such things.
    """
    with transaction.atomic():
        Report.objects.select_for_update().get(pk=report.pk)
        known = Remark.objects.filter(report=report, message_id=message_id).first()
        if known is not None:
            return known, False
        keep_until = (at + timedelta(days=channel.personal_days)).date()
        kept = personal.keep("reporter", contact, keep_until=keep_until, at=at) if contact else None
        made = Remark.objects.create(
            id=id_at(at), report=report, message_id=message_id, told=dict(told), reporter=kept, by=by, added_at=at
        )
        proof = digest(f"{channel.key}\n{made.pk}", canonical(told))
        added = NewEvent(
            "report.remarked", report.pk, by=by.pk, at=at, recorded_at=at, area_path=report.area_path,
            data={"channel": channel.key, "remark": str(made.pk), "digest": proof},
        )  # fmt: skip
        events.append(added)
        return made, True
