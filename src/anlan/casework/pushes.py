"""The pushes of a police call: sent by a follower, received and answered by those they went to, late ones raised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from anlan.casework import calls, triage
from anlan.casework.draft import plan_of
from anlan.casework.engine import MOVED, OPENED
from anlan.casework.models import Call, Case, Notice, Push, PushTo
from anlan.casework.push import PUSHES, Pushes, of_channel, pushed_channels
from anlan.casework.push import Push as Declared
from anlan.casework.timeline import JOINED
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.intake.reading import Unclear, understand
from anlan.kernel import catalogue
from anlan.kernel.ids import id_at, new_id
from anlan.kernel.text import Refusal, Text
from anlan.ledger import events
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event
from anlan.places import holidays
from anlan.places.areas import ancestors
from anlan.places.models import Officer, Post
from anlan.places.record import day_of
from anlan.places.scope import on

RECEIVED = "report.received"
LONGEST = 1000
SOLVED = ("cured", "answered")


class NoPush(Refusal):
    """No such push, or none that was sent to this person: the two are told in the same words."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "找不到这条推送，或不是推给您的。请从“推送”重新进入。",
            "There is no such push, or it was not sent to you. Start again from Pushes.",
        )


class AnsweredBefore(Refusal):
    """The push was answered already."""

    status = 409


class NoAnswer(Refusal):
    """An answer says something, and not too much."""

    status = 422


# ---------------------------------------------------------------- sending


def follow(told: Sequence[Event]) -> None:
    """The follower: a call is pushed once its report came; it takes up the case it became, and the case's end.

    Most events are of cases that no call became: which are is asked once for all of them.
    """
    channels = pushed_channels()
    for event in told:
        if event.kind == RECEIVED and event.data.get("channel") in channels:
            _send(event)
    begun = {event.subject for event in told if event.kind in (OPENED, JOINED)}
    waiting = Call.objects.filter(case=None, report__case_reports__case__in=begun)
    begun &= set(waiting.values_list("report__case_reports__case", flat=True)) if begun else set()
    moved = {event.subject for event in told if event.kind == MOVED}
    moved &= set(Call.objects.filter(case__in=moved | begun).values_list("case", flat=True)) | begun if moved else set()
    for event in told:
        if event.kind in (OPENED, JOINED) and event.subject in begun:
            _attach(event)
        elif event.kind == MOVED and event.subject in moved:
            _closed(event)


def _send(event: Event) -> None:
    report = Report.objects.filter(pk=event.subject).first()
    declared = of_channel(report.channel) if report else None
    if report is None or declared is None or Call.objects.filter(pk=report.pk).exists():
        return
    _open(report, declared, at=event.recorded_at)
    call = calls.keep(report, declared, at=event.recorded_at)
    reached = [_one(call, report, declared, each, at=event.recorded_at) for each in declared.push]
    Call.objects.filter(pk=call.pk).update(pushed=all(reached))


def _open(report: Report, declared: Pushes, *, at: datetime) -> None:
    """The platform's case, where the routing table knew of none; a withdrawn report needs none."""
    opens = next((each.opens for each in declared.push if each.opens), "")
    if opens and report.topic and not report.case_reports.exists():
        with suppress(Refusal), transaction.atomic():
            triage.accept(
                report, procedure=opens, topic=report.topic, by=None, at=max(report.told_at, at), recorded_at=at
            )


def _one(call: Call, report: Report, declared: Pushes, each: Declared, *, at: datetime) -> bool:
    """Whether it reached somebody."""
    people = addressees(report, each, at=at)
    due = holidays.calendar_at(call.area_path).add(at, each.within.n, each.within.unit)
    push = Push.objects.create(
        id=new_id(), pushes=declared.key, key=each.key, call=call, area_path=call.area_path, pushed_at=at, due_at=due.at
    )
    PushTo.objects.bulk_create(PushTo(push=push, officer_id=officer) for officer in people)
    sent = _record("push.sent", push, by=None, at=at, to=len(people))
    if call.case_id is not None:
        _tell(push, people, "pushed", each.title, sent)
    return bool(people)


def addressees(report: Report, each: Declared, *, at: datetime) -> list[int]:
    """The ids of those a push goes to: whom the message names, else the holders of its roles nearest above."""
    name = _named(report, each.field) if each.field else ""
    if name:
        found = Officer.objects.filter(username=name.strip().lower(), is_active=True, is_machine=False)
        officers = list(found.values_list("pk", flat=True))
        if officers:
            return officers
    return nearest(each.roles, report.area_path, at=at) or nearest(each.otherwise, report.area_path, at=at)


def _named(report: Report, field: str) -> str:
    channel = catalogue.current().get(CHANNELS, report.channel)
    read = understand(channel, report.raw, at=report.received_at)
    return "" if isinstance(read, Unclear) else str(read.values.get(field) or "")


def nearest(roles: Iterable[str], area_path: str, *, at: datetime) -> list[int]:
    """The people who hold one of these roles nearest above a place."""
    held = Post.objects.filter(
        on(day_of(at)), role__in=list(roles), area__path__in=ancestors(area_path), officer__is_active=True,
        officer__is_machine=False,
    )  # fmt: skip
    rows = list(held.values_list("area__path", "officer"))
    deepest = max((len(path) for path, _ in rows), default=0)
    return sorted({officer for path, officer in rows if len(path) == deepest})


def _attach(event: Event) -> None:
    """The case that answers a call is known now: whoever was pushed to hears of it."""
    waiting = Call.objects.filter(case=None, report__case_reports__case=event.subject)
    for call in list(waiting):
        Call.objects.filter(pk=call.pk).update(case=event.subject)
        for push in Push.objects.filter(call=call, answered_at=None):
            title = title_of(push)
            people = list(push.to.values_list("officer", flat=True))
            _tell(push, people, "pushed", title, event)


def _closed(event: Event) -> None:
    """A case that came to its end answers the pushes that follow it."""
    case = Case.objects.filter(pk=event.subject, calls__isnull=False).exclude(closed_at=None).first()
    if case is None or plan_of(case).outcomes.get(event.data.get("to") or "") is None:
        return
    solved = case.outcome in SOLVED
    if solved:
        Call.objects.filter(case=case, resolved_at=None).update(resolved_at=event.at)
    title = plan_of(case).procedure.steps[case.step].title
    for push in Push.objects.select_for_update().filter(call__case=case, answered_at=None):
        each = declared_of(push)
        if each is not None and each.follows_case:
            push.received_at = push.received_at or event.at
            push.answered_at, push.answer, push.resolved = event.at, f"事项{title.zh}", solved
            push.save(update_fields=["received_at", "answered_at", "answer", "resolved"])
            _record("push.answered", push, by=event.by, at=event.at, recorded_at=event.recorded_at, resolved=solved)


def declared_of(push: Push) -> Declared | None:
    """What the file says of a push; None when it says nothing any more."""
    found = catalogue.current().all(PUSHES).get(push.pushes)
    return found.one(push.key) if found else None


def title_of(push: Push) -> Text:
    """What a push is called."""
    each = declared_of(push)
    return each.title if each else Text(zh=push.key, en=push.key)


# ---------------------------------------------------------------- receiving and answering


def mine(officer: Officer) -> QuerySet[Push]:
    """What was pushed to this person."""
    related = ("call", "call__report", "call__report__area", "call__report__site", "call__case", "answered_by")
    return Push.objects.filter(to__officer=officer).select_related(*related)


def find(push_id: UUID, officer: Officer) -> Push:
    """The push, if it was sent to this person; else `NoPush`."""
    found = mine(officer).filter(pk=push_id).first()
    if found is None:
        raise NoPush
    return found


@transaction.atomic
def receive(push_id: UUID, *, by: Officer, at: datetime) -> Push:
    """Somebody it was sent to has seen it; the first time counts."""
    current = _hold(push_id, by)
    if current.received_at is None:
        current.received_at, current.received_by = at, by
        current.save(update_fields=["received_at", "received_by"])
        _record("push.received", current, by=by.pk, at=at)
    return current


@transaction.atomic
def answer(push_id: UUID, text: str, *, resolved: bool, by: Officer, at: datetime) -> Push:
    """Say what was done, and whether it is settled. A second answer is refused; the same one again changes nothing."""
    current, text = _hold(push_id, by), text.strip()
    if not text or len(text) > LONGEST:
        raise NoAnswer(
            "请写明处理情况。" if not text else f"处理情况最多 {LONGEST} 字，请缩短。",
            "Say what was done." if not text else f"At most {LONGEST} characters; shorten it.",
            field="text",
        )
    if current.answered_at is not None:
        if (current.answer, current.resolved, current.answered_by_id) == (text, resolved, by.pk):
            return current
        raise AnsweredBefore("这条推送已经答复，不必再答。", "This push was answered already.")
    current.received_at, current.received_by = current.received_at or at, current.received_by or by
    current.answered_at, current.answered_by, current.answer, current.resolved = at, by, text, resolved
    current.save(update_fields=["received_at", "received_by", "answered_at", "answered_by", "answer", "resolved"])
    if resolved:
        Call.objects.filter(pk=current.call_id, resolved_at=None).update(resolved_at=at)
    _record("push.answered", current, by=by.pk, at=at, resolved=resolved, late=at > current.due_at)
    return current


def _hold(push_id: UUID, officer: Officer) -> Push:
    if not PushTo.objects.filter(push=push_id, officer=officer).exists():
        raise NoPush
    return Push.objects.select_for_update().get(pk=push_id)


# ---------------------------------------------------------------- late


def sweep(*, at: datetime, batch: int = 200) -> int:
    """Raise what was not answered in time, once each; how many. Forget who called when it is time for that too."""
    due = Push.objects.filter(due_at__lte=at, answered_at=None, late_at=None).order_by("due_at", "pk")
    raised = sum(_raise(pk, at=at) for pk in list(due.values_list("pk", flat=True)[:batch]))
    declared = catalogue.current().all(PUSHES).values()
    calls.forget_callers((each.link.days for each in declared), at=at)
    return raised


@transaction.atomic
def _raise(pk: UUID, *, at: datetime) -> int:
    if not Push.objects.filter(pk=pk, answered_at=None, late_at=None).update(late_at=at):
        return 0
    push = Push.objects.select_related("call").get(pk=pk)
    each = declared_of(push)
    overran = _record("push.overran", push, by=None, at=at)
    if each is not None and push.call.case_id is not None:
        people = {*nearest(each.late_tell, push.area_path, at=at), *push.to.values_list("officer", flat=True)}
        what = Text(zh=f"{each.title.zh}超时未答复", en=f"{each.title.en}: not answered in time")
        _tell(push, sorted(people), "push_late", what, overran)
    return 1


def _record(
    kind: str, push: Push, *, by: int | None, at: datetime, recorded_at: datetime | None = None, **data: object
) -> NewEvent:
    event = NewEvent(
        kind, push.pk, by=by, at=at, recorded_at=recorded_at or at, area_path=push.area_path,
        data={"call": str(push.call_id), "push": push.key, **data},
    )  # fmt: skip
    events.append(event)
    return event


def _tell(push: Push, people: Sequence[int], kind: str, what: Text, event: Event | NewEvent) -> None:
    """A notice to each; of number and deadline alone, for a title is read on many screens."""
    case = Case.objects.only("number").get(calls=push.call_id)
    number = case.number
    until = timezone.localtime(push.due_at, timezone.get_default_timezone())
    # One event may tell of several pushes: each notice is known by its own push and kind.
    known = UUID(bytes=bytes(a ^ b for a, b in zip(push.pk.bytes, event.id.bytes, strict=True)))
    Notice.objects.bulk_create(
        [
            Notice(
                id=id_at(event.recorded_at),
                officer_id=officer,
                case=case,
                kind=kind,
                event=known,
                text_zh=f"{number} {what.zh}，期限 {until:%m-%d %H:%M}",
                text_en=f"{number} {what.en}, due {until:%m-%d %H:%M}",
                at=event.at,
            )
            for officer in people
        ],
        ignore_conflicts=True,
    )


def of_case(case: Case) -> list[Push]:
    """The pushes of the calls a case answers, in order, each with those it went to."""
    found = Push.objects.filter(Q(call__case=case)).select_related("received_by", "answered_by")
    return list(found.prefetch_related("to__officer").order_by("pushed_at", "pk"))
