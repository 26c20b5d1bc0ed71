"""The sweep: rungs of the ladder that have come due are rung. Safe to run twice, anywhere, at any time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from anlan.casework.cases import save
from anlan.casework.draft import load
from anlan.casework.models import Case


def sweep(*, at: datetime, batch: int = 200) -> int:
    """Ring every rung due by `at`; the number of rungs. Each case is claimed by itself: two sweeps never ring twice."""
    rung = 0
    while True:
        due = list(Case.objects.filter(tick_at__lte=at).order_by("tick_at").values_list("pk", flat=True)[:batch])
        if not due:
            return rung
        rung += sum(_ring(case_id, at) for case_id in due)


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
                tick_at=case.tick_at, due_at=case.due_at, warn_at=case.warn_at, provisional=case.provisional
            )
        return rung


def recompute(*, calendar_prefix: str = "", provisional_only: bool = True) -> int:
    """Set the deadlines of open cases anew after a calendar notice was loaded; the number that moved."""
    rows = Case.objects.filter(closed_at__isnull=True, area_path__startswith=calendar_prefix)
    if provisional_only:
        rows = rows.filter(provisional=True)
    moved = 0
    for case_id in list(rows.values_list("pk", flat=True)):
        with transaction.atomic():
            case = Case.objects.select_for_update(of=("self",)).get(pk=case_id)
            before = case.due_at
            load(case).carry()
            Case.objects.filter(pk=case_id).update(
                tick_at=case.tick_at, due_at=case.due_at, warn_at=case.warn_at, provisional=case.provisional
            )
            moved += case.due_at != before
    return moved
