"""Subscribers: registered, and told. A cursor each reads the ledger; what is to be sent waits here until it arrived.

Nothing here speaks HTTP: `presentation.sending` takes what is due and says how it went.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from anlan.casework.draft import plan_of
from anlan.casework.engine import MOVED, OPENED, RANG
from anlan.casework.feed import FEEDS, Feed, filled
from anlan.casework.models import Case, Sending, Subscriber
from anlan.casework.plan import Plan
from anlan.casework.reporter import masked
from anlan.intake.topic import TOPICS, lineage
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal, Text
from anlan.ledger import follow as cursors
from anlan.ledger import personal
from anlan.ledger.models import Event
from anlan.places import areas
from anlan.places.models import Area, Officer
from anlan.places.record import record
from anlan.places.scope import Reach, within

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,40}")
CLAIM: Final = timedelta(minutes=2)
"""How long somebody who took a sending has it to themselves; a crash frees it after that."""


class SubscriberRefused(Refusal):
    """The subscriber cannot be registered so."""


# ---------------------------------------------------------------- subscribers


@transaction.atomic
def register(
    name: str, *, title: str, feed: str, area: Area, url: str, by: Officer | None, at: datetime,
    allow_private: bool = False,
) -> tuple[Subscriber, str]:  # fmt: skip
    """A new subscriber, told of what happens from now on, and the secret by which it knows us, shown this once."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise SubscriberRefused(
            "名称用 2 至 41 个小写字母、数字、- 或 _。",
            "A name has 2 to 41 small letters, digits, - or _.",
            field="name",
        )
    if Subscriber.objects.filter(name=name).exists():
        raise SubscriberRefused(
            f"名称“{name}”已经有人用了；请换一个。", f"The name “{name}” is taken; choose another.", field="name"
        )
    catalogue.current().get(FEEDS, feed)
    check_url(url)
    secret, area = secrets.token_urlsafe(32), areas.standing(area)
    made = Subscriber.objects.create(
        name=name, title=title.strip()[:80] or name, feed=feed, area=area, area_path=area.path, url=url.strip(),
        allow_private=allow_private, sealed=personal.conceal(secret), created_at=at,
    )  # fmt: skip
    cursors.begin_here(cursor_of(made))
    data = {"name": name, "feed": feed, "host": urlsplit(made.url).hostname or "", "private": allow_private}
    record("subscriber.registered", made, by=by, at=at, area_path=area.path, data=data)
    return made, secret


def check_url(url: str) -> None:
    """Raise `SubscriberRefused` for an address that is none of HTTP, or holds a password."""
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username or len(url) > 500 or not url.strip().isprintable() or " " in url.strip():
        raise SubscriberRefused(
            "地址要写成 https://… 或 http://…，不能带用户名和密码。",
            "Write the address as https://… or http://…, without a user name or password.",
            field="url",
        )


@transaction.atomic
def set_active(subscriber: Subscriber, active: bool, *, by: Officer | None, at: datetime) -> None:
    """Pause or resume; what happens meanwhile waits, and is sent on resuming."""
    current = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if current.is_active == active:
        return
    current.is_active, current.quiet_until, current.failures = active, None, 0
    current.save(update_fields=["is_active", "quiet_until", "failures"])
    kind = "subscriber.resumed" if active else "subscriber.paused"
    record(kind, current, by=by, at=at, area_path=current.area_path)


@transaction.atomic
def rotate(subscriber: Subscriber, *, by: Officer | None, at: datetime) -> str:
    """A new secret, used from the next sending on."""
    current, secret = Subscriber.objects.select_for_update().get(pk=subscriber.pk), secrets.token_urlsafe(32)
    current.sealed = personal.conceal(secret)
    current.save(update_fields=["sealed"])
    record("subscriber.rotated", current, by=by, at=at, area_path=current.area_path)
    return secret


def visible(reach: Reach) -> QuerySet[Subscriber]:
    """The subscribers whose area is within this person's reach."""
    return Subscriber.objects.filter(within(reach.areas("tokens.edit"))).select_related("area")


def cursor_of(subscriber: Subscriber) -> str:
    """The name of the subscriber's cursor in the ledger."""
    return f"feed:{subscriber.name}"


def lag(subscriber: Subscriber) -> int:
    """How many events of the ledger the subscriber's cursor has still to read."""
    return cursors.lag(cursor_of(subscriber))


def counts(subscribers: Sequence[int]) -> dict[int, dict[str, int]]:
    """How much each was sent, still waits and was given up."""
    found = {pk: {"waiting": 0, "sent": 0, "dead": 0} for pk in subscribers}
    rows = Sending.objects.filter(subscriber__in=subscribers).values_list("subscriber", "state")
    for subscriber, state, number in rows.annotate(number=Count("pk")).order_by():
        found[subscriber][state] = number
    return found


# ---------------------------------------------------------------- reading the ledger


def followers() -> dict[str, Callable[[Sequence[Event]], None]]:
    """A follower for each subscriber that is not paused."""
    return {cursor_of(each): _Reader(each) for each in Subscriber.objects.filter(is_active=True)}


@dataclass(frozen=True, slots=True)
class _Reader:
    subscriber: Subscriber

    def __call__(self, events: Sequence[Event]) -> None:
        feed = catalogue.current().all(FEEDS).get(self.subscriber.feed)
        news = [event for event in events if event.kind in (OPENED, MOVED, RANG)]
        if feed is None or not news:
            return
        wanted = Case.objects.filter(pk__in={event.subject for event in news})
        cases = {case.pk: case for case in wanted.select_related("area", "lead") if _concerns(feed, self, case)}
        rows = [
            row for event in news if event.subject in cases
            and (row := _sending(feed, self.subscriber, event, cases[event.subject])) is not None
        ]  # fmt: skip
        Sending.objects.bulk_create(rows, ignore_conflicts=True)


def _concerns(feed: Feed, reader: _Reader, case: Case) -> bool:
    codes = set(case.area_path.strip("/").split("/"))
    topics = lineage(catalogue.current().all(TOPICS), case.topic)
    return (
        case.area_path.startswith(reader.subscriber.area_path)
        and (not feed.channels or case.channel in feed.channels)
        and (not feed.topics or not set(feed.topics).isdisjoint(topics))
        and (not feed.areas or not codes.isdisjoint(feed.areas))
    )


def _sending(feed: Feed, subscriber: Subscriber, event: Event, case: Case) -> Sending | None:
    plan = plan_of(case)
    what = happening(plan, event)
    if what not in feed.happenings:
        return None
    body = filled(feed.body, fields_of(plan, event, case, what))
    return Sending(
        delivery=new_id(), subscriber=subscriber, case=case, event=event.id, happening=what,
        body=json.dumps(body, ensure_ascii=False, sort_keys=True), queued_at=event.recorded_at,
        next_at=event.recorded_at,
    )  # fmt: skip


def happening(plan: Plan, event: Event) -> str:
    """What an event of a case is, in the words of a feed; "" for what no feed tells."""
    if event.kind == OPENED:
        return "opened"
    if event.kind == RANG:
        return "overdue" if event.at >= datetime.fromisoformat(event.data["due"]) else ""
    act, to = plan.acts[event.data["act"]], event.data.get("to") or ""
    if plan.outcomes.get(to):
        return "closed"
    by_effect = {"assign": "dispatched", "return": "returned", "hang": "hung", "rework": "reworked"}
    if act.effect in by_effect:
        return by_effect[act.effect]
    steps = plan.procedure.steps
    before = {steps[step].stage for step in act.steps if step in steps}
    done = to in steps and steps[to].stage in ("feedback", "check") and "handling" in before
    return "handled" if done else ""


def fields_of(plan: Plan, event: Event, case: Case, what: str) -> dict[str, Any]:
    """Every field that a template may name; moments as ISO 8601 with the town's offset, None where there is none."""
    step = event.data.get("to") or case.step
    declared = plan.procedure.steps.get(step)
    topic = catalogue.current().all(TOPICS).get(case.topic)
    outcome = plan.outcomes.get(step) or ""
    first = case.case_reports.filter(report__channel=case.channel).order_by("joined_at", "pk")
    return {
        "event": what, "event_id": str(event.id), "at": _iso(event.at), "number": case.number,
        "order": first.values_list("report__message_id", flat=True).first() or "", "channel": case.channel,
        "procedure": case.procedure, "step": step, "step_zh": declared.title.zh if declared else step,
        "step_en": declared.title.en if declared else step, "outcome": outcome, "topic": case.topic,
        "topic_zh": topic.title.zh if topic else "", "topic_en": topic.title.en if topic else "",
        "area": case.area.code, "area_zh": case.area.name_zh, "area_en": case.area.name_en,
        "department": case.lead.key if case.lead else "", "department_zh": case.lead.name_zh if case.lead else "",
        "department_en": case.lead.name_en if case.lead else "", "said": _said(plan, event),
        "opened_at": _iso(case.opened_at), "due_at": _iso(case.due_at),
        "closed_at": _iso(event.at) if outcome else None, "reports": case.reports_count,
    }  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else timezone.localtime(moment, timezone.get_default_timezone()).isoformat()


def _said(plan: Plan, event: Event) -> str:
    """What the act tells the public, without telephone and identity numbers."""
    if event.kind != MOVED:
        return ""
    told, act = event.data.get("fields") or {}, plan.acts[event.data["act"]]
    return masked("；".join(str(told[f.key]) for f in act.fields if f.public and told.get(f.key)))


# ---------------------------------------------------------------- what is due, and how it went


def due(*, at: datetime) -> list[Subscriber]:
    """The subscribers for whom something may be tried now."""
    ready = Q(quiet_until=None) | Q(quiet_until__lte=at)
    waiting = Sending.objects.filter(subscriber=OuterRef("pk"), state="waiting", next_at__lte=at)
    return list(Subscriber.objects.filter(ready, Exists(waiting), is_active=True).order_by("name"))


def claim(subscriber: Subscriber, *, at: datetime) -> Sending | None:
    """The next thing to send, taken for a while: of each case in order, the first that has not arrived."""
    earlier = Sending.objects.filter(
        subscriber=subscriber, case=OuterRef("case"), state="waiting", pk__lt=OuterRef("pk")
    )
    free = Q(claimed_until=None) | Q(claimed_until__lte=at)
    ready = Sending.objects.filter(free, ~Exists(earlier), subscriber=subscriber, state="waiting", next_at__lte=at)
    for pk in list(ready.order_by("pk").values_list("pk", flat=True)[:10]):
        if Sending.objects.filter(free, pk=pk, state="waiting").update(claimed_until=at + CLAIM):
            return Sending.objects.get(pk=pk)
    return None


def arrived(sending: Sending, *, at: datetime) -> None:
    """It was taken by the other side."""
    with transaction.atomic():
        waiting = Sending.objects.filter(pk=sending.pk, state="waiting")
        waiting.update(
            state="sent", done_at=at, claimed_until=None, attempts=sending.attempts + 1, error_zh="", error_en=""
        )
        Subscriber.objects.filter(pk=sending.subscriber_id).update(failures=0, quiet_until=None, sent_at=at)


def refused(sending: Sending, why: Text, *, at: datetime) -> None:
    """The other side will not have it, however often it is sent: it lies with the dead until somebody looks."""
    waiting = Sending.objects.filter(pk=sending.pk, state="waiting")
    waiting.update(
        state="dead", done_at=at, claimed_until=None, attempts=sending.attempts + 1, error_zh=why.zh[:200],
        error_en=why.en[:200],
    )  # fmt: skip


@transaction.atomic
def failed(sending: Sending, why: Text, *, at: datetime) -> None:
    """It did not arrive: tried again later, by and by less often; what waits too long is given up."""
    subscriber = Subscriber.objects.select_for_update().get(pk=sending.subscriber_id)
    feed = catalogue.current().get(FEEDS, subscriber.feed)
    subscriber.failures += 1
    subscriber.quiet_until = at + wait(feed, subscriber.failures, str(sending.delivery))
    subscriber.save(update_fields=["failures", "quiet_until"])
    told = {"error_zh": why.zh[:200], "error_en": why.en[:200]}
    Sending.objects.filter(pk=sending.pk, state="waiting").update(
        attempts=sending.attempts + 1, next_at=subscriber.quiet_until, claimed_until=None, **told
    )
    over = at - timedelta(hours=feed.retry.give_up_hours)
    given_up = Sending.objects.filter(subscriber=subscriber, state="waiting", queued_at__lte=over)
    given_up.update(state="dead", done_at=at, claimed_until=None, **told)


def wait(feed: Feed, failures: int, key: str) -> timedelta:
    """How long to wait after so many failures in a row: as declared, and up to a fifth longer, so that many do not come
    back in one moment."""
    minutes = feed.retry.minutes[min(failures, len(feed.retry.minutes)) - 1]
    digest = hashlib.sha256(f"{key}:{failures}".encode()).digest()
    return timedelta(minutes=minutes * (1 + int.from_bytes(digest[:4]) / 2**32 / 5))


def send_again(subscriber: Subscriber, *, which: Sequence[UUID] | None, by: Officer | None, at: datetime) -> int:
    """Let what was given up wait to be sent once more, one, some or (None) all of it; how many."""
    dead = Sending.objects.filter(subscriber=subscriber, state="dead")
    if which is not None:
        dead = dead.filter(delivery__in=which)
    with transaction.atomic():
        number = dead.update(state="waiting", attempts=0, queued_at=at, next_at=at, claimed_until=None, done_at=None)
        Subscriber.objects.filter(pk=subscriber.pk).update(quiet_until=None, failures=0)
        if number:
            data = {"number": number}
            record("subscriber.sent_again", subscriber, by=by, at=at, area_path=subscriber.area_path, data=data)
    return number


def secret_of(subscriber: Subscriber) -> str:
    """The secret by which what is sent is signed."""
    return personal.reveal(bytes(subscriber.sealed))
