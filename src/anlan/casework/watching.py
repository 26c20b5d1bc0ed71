"""The follower that puts down, for whoever watches a report, what its status page says of each event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from anlan.casework import course
from anlan.casework.course import Passed
from anlan.casework.draft import from_events
from anlan.casework.engine import MOVED, OPENED
from anlan.casework.models import Case, CaseReport
from anlan.casework.public import WITHDRAWN
from anlan.casework.reporter import answering, masked
from anlan.casework.timeline import JOINED
from anlan.intake.models import Telling, Watch
from anlan.kernel.text import Text
from anlan.ledger.events import history
from anlan.ledger.models import Event

REPORT_WITHDRAWN = "report.withdrawn"


def follow(told: Sequence[Event]) -> None:
    """Queue what these events mean to watches that were confirmed before; the same event again queues nothing."""
    news = {event.id: event for event in told if event.kind in (OPENED, MOVED, JOINED)}
    rows = list(_withdrawn(told))
    for case, watches in _watched({event.subject for event in news.values()}).items():
        past = history(case.pk)
        lines = course.passed(from_events(case, past), past)
        for line in lines:
            if line.event in news:
                rows += _tellings(case, line, news[line.event], watches)
        for event in news.values():
            if event.kind == JOINED and event.subject == case.pk and lines:
                # Where it stands is news to whoever has only now come to it.
                mine = [watch for watch in watches if str(watch.report_id) == event.data.get("report")]
                rows += _tellings(case, lines[-1], event, mine)
    Telling.objects.bulk_create(rows, ignore_conflicts=True)


def _watched(changed: set[UUID]) -> dict[Case, list[Watch]]:
    """The confirmed watches of each of these cases, those of what was merged into it with them."""
    confirmed = Watch.objects.exclude(confirmed_at=None).filter(stopped_at=None)
    if not changed or not confirmed.exists():
        return {}
    inside, fresh = set(changed), set(changed)
    while fresh:
        fresh = set(Case.objects.filter(merged_into__in=fresh).values_list("pk", flat=True)) - inside
        inside |= fresh
    joined = CaseReport.objects.filter(case__in=inside).values("report")
    found: dict[Case, list[Watch]] = {}
    for watch in confirmed.filter(report__in=joined).select_related("report"):
        case = answering(watch.report)
        here = _own_cases(watch) & changed
        for pk in here | ({case.pk} & changed if case else set()):
            found.setdefault(Case.objects.get(pk=pk), []).append(watch)
    return found


def _own_cases(watch: Watch) -> set[UUID]:
    """The case the report first joined: its merging into another is news, too."""
    first = CaseReport.objects.filter(report=watch.report).order_by("joined_at", "pk").first()
    return {first.case_id} if first else set()


def _tellings(case: Case, line: Passed, event: Event, watches: Sequence[Watch]) -> Iterator[Telling]:
    kind = "closed" if line.outcome else "opened" if event.kind == OPENED else "moved"
    said = [(label, masked(value)) for label, value in line.said]
    zh = "\n".join([line.text.zh, *(f"{label.zh}：{value}" for label, value in said)])
    en = "\n".join([line.text.en, *(f"{label.en}: {value}" for label, value in said)])
    for watch in watches:
        if watch.confirmed_at is not None and watch.confirmed_at <= event.recorded_at:
            yield _telling(watch, event, kind, Text(zh=zh, en=en), case.number)


def _withdrawn(told: Sequence[Event]) -> Iterator[Telling]:
    events = {event.subject: event for event in told if event.kind == REPORT_WITHDRAWN}
    if not events:
        return
    for watch in Watch.objects.filter(report__in=events, stopped_at=None).exclude(confirmed_at=None):
        yield _telling(watch, events[watch.report_id], "closed", WITHDRAWN, "")


def _telling(watch: Watch, event: Event, kind: str, text: Text, number: str) -> Telling:
    return Telling(
        watch=watch, event=event.id, kind=kind, number=number, text_zh=text.zh, text_en=text.en,
        happened_at=event.at, queued_at=event.recorded_at, next_at=event.recorded_at,
    )  # fmt: skip
