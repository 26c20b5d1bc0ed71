"""The sweep: rungs of the ladder that have come due are rung. Safe to run twice, anywhere, at any time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from anlan.casework.cases import save
from anlan.casework.draft import load
from anlan.casework.models import Case
from anlan.kernel.text import Refusal
from anlan.ledger.models import Event

NOTICE_LOADED = "calendar.loaded"


def sweep(*, at: datetime, batch: int = 200) -> int:
    """Ring every rung due by `at`; the number of rungs. Each case is claimed by itself: two sweeps never ring twice.

    A case that cannot be read (its procedure's edition is gone) does not hold up the others; its refusal is raised when
    they are done.
    """
    rung, refused = 0, dict[UUID, Refusal]()
    while True:
        waiting = Case.objects.filter(tick_at__lte=at).exclude(pk__in=list(refused)).order_by("tick_at")
        due = list(waiting.values_list("pk", flat=True)[:batch])
        if not due:
            break
        for case_id in due:
            try:
                rung += _ring(case_id, at)
            except Refusal as refusal:
                refused[case_id] = refusal
    if refused:
        raise next(iter(refused.values()))
    return rung


def _ring(case_id: UUID, at: datetime) -> int:
    with transaction.atomic():
        case = Case.objects.select_for_update(of=("self",), skip_locked=False).get(pk=case_id)
        if case.tick_at is None or case.tick_at > at:
            return 0
        draft = load(case)
        rung = draft.ring(until=at, recorded_at=at)
        if rung:
            save(draft)
        else:
            # The cached moment was stale (a calendar notice moved the deadline): set it right and go on.
            draft.carry()
            Case.objects.filter(pk=case.pk).update(
                tick_at=case.tick_at, due_at=case.due_at, warn_at=case.warn_at, provisional=case.provisional,
                clock=case.clock,
            )  # fmt: skip
        return rung


def follow(events: Sequence[Event]) -> None:
    """The follower: after a notice of days off, the deadlines from its first day on are set anew by the next sweep."""
    for event in events:
        if event.kind != NOTICE_LOADED:
            continue
        days = [date.fromisoformat(day) for day in (*event.data["working"], *event.data["free"])]
        first = datetime.combine(min(days), time(), UTC) - timedelta(days=1)
        Case.objects.filter(closed_at=None, due_at__gte=first).update(tick_at=event.recorded_at)
