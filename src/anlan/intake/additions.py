"""What comes later about an order: kept whenever it comes, and applied once its order is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from anlan.intake import message, reports
from anlan.intake.channel import Channel
from anlan.intake.models import Addition, Report
from anlan.intake.reading import Reader, Reason, Unclear
from anlan.intake.wire import Meaning
from anlan.kernel.ids import new_id
from anlan.kernel.text import Text
from anlan.ledger import events, personal
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event

KEPT = "addition.kept"
RECEIVED = "report.received"
WITHDRAWN = Text(zh="来件方撤回", en="Withdrawn by the sender")
NO_ORDER = Text(
    zh="没有写明是关于哪个单号，无法办理：请补上单号。",
    en="It does not say which order it is about: add the order's number.",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of it: `addition`, or the `reasons` why it cannot be taken; `repeated` = it had come before."""

    addition: Addition | None
    repeated: bool = False
    reasons: tuple[Reason, ...] = ()


def meaning(channel: Channel, told: Mapping[str, str]) -> Meaning | None:
    """What a message of this channel is about an earlier one; None for an order itself."""
    about = channel.webhook.about if channel.webhook else None
    return about.means.get(told.get(about.kind, "").strip()) if about else None


def _loose(channel: Channel) -> Channel:
    """The channel with nothing required: who presses for an order does not tell it all again."""
    columns = {field: column.model_copy(update={"required": False}) for field, column in channel.columns.items()}
    return channel.model_copy(update={"columns": columns})


def take(channel: Channel, told: Mapping[str, str], *, area_path: str, at: datetime) -> Kept:
    """Keep it, and apply it at once where its order is there. The same again is only told again."""
    assert channel.webhook is not None
    assert channel.webhook.about is not None
    kind = meaning(channel, told)
    assert kind is not None
    order = told.get(channel.webhook.about.order, "").strip()
    reader = Reader(_loose(channel), tuple(told))
    open_, closed = message.part(told, reader.personal)
    read = reader.read(open_, at=at)
    if isinstance(read, Unclear) or not order:
        reasons = read.reasons if isinstance(read, Unclear) else ()
        return Kept(None, reasons=reasons or (Reason("about", channel.webhook.about.order, NO_ORDER),))
    text = message.canonical(open_)
    number = read.message_id if read.message_id not in ("", order) else message.digest(channel.key, text)
    before = Addition.objects.filter(channel=channel.key, message_id=number).first()
    if before is not None:
        return Kept(before, repeated=True)
    made = Addition(
        id=new_id(), channel=channel.key, message_id=number, about=order[:120], kind=kind, raw=open_,
        text=read.description, told_at=read.told_at, received_at=at, area_path=area_path,
    )  # fmt: skip
    try:
        with transaction.atomic():
            _save(made, closed, channel, at)
    except IntegrityError:
        return Kept(Addition.objects.get(channel=channel.key, message_id=number), repeated=True)
    apply(made.pk, at=at)
    made.refresh_from_db()
    return Kept(made)


def _save(made: Addition, closed: Mapping[str, str], channel: Channel, at: datetime) -> None:
    if closed:
        until = (at + timedelta(days=channel.personal_days)).date()
        made.reporter = personal.keep("reporter", closed, keep_until=until, at=at)
    made.save(force_insert=True)
    events.append(
        NewEvent(
            KEPT,
            made.pk,
            by=None,
            at=made.told_at,
            recorded_at=at,
            area_path=made.area_path,
            data={"channel": made.channel, "kind": made.kind},
        )
    )


@transaction.atomic
def apply(addition: UUID, *, at: datetime) -> bool:
    """Apply it to its order's report, where that is there and it was not applied before."""
    current = Addition.objects.select_for_update().filter(pk=addition, applied_at=None).first()
    if current is None:
        return False
    report = Report.objects.filter(channel=current.channel, message_id=current.about).first()
    if report is None:
        return False
    current.report, current.applied_at = report, at
    current.save(update_fields=["report", "applied_at"])
    if current.kind == "withdrawn":
        if report.withdrawn_at is None:
            reports.withdraw(report, reason=WITHDRAWN.zh, by=None, at=at)
        return True
    events.append(
        NewEvent(
            f"report.{current.kind}",
            report.pk,
            by=None,
            at=max(current.told_at, report.told_at),
            recorded_at=at,
            area_path=report.area_path,
            data={"addition": str(current.pk)},
        )
    )
    return True


def follow(told: Sequence[Event]) -> None:
    """The follower by which nothing waits for an order that came at the same moment, or later."""
    came = {event.subject: event for event in told if event.kind == RECEIVED}
    late = {event.subject: event.recorded_at for event in told if event.kind == KEPT}
    if came and Addition.objects.filter(applied_at=None).exists():
        orders = Report.objects.filter(pk__in=list(came)).values_list("pk", "channel", "message_id")
        for pk, channel, number in orders:
            waiting = Addition.objects.filter(channel=channel, about=number, applied_at=None)
            late |= dict.fromkeys(waiting.values_list("pk", flat=True), came[pk].recorded_at)
    left = Addition.objects.filter(pk__in=list(late), applied_at=None).order_by("told_at", "pk")
    for addition in list(left.values_list("pk", flat=True)):
        apply(addition, at=late[addition])
