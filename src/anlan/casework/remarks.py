"""What reporters told later on, noted on the case that answers them: at once, or when there is one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from django.db import transaction

from anlan.casework import reporter
from anlan.casework.engine import OPENED
from anlan.casework.models import Case, CaseReport
from anlan.casework.timeline import JOINED
from anlan.intake.models import Photo, Remark
from anlan.kernel.text import Refusal
from anlan.ledger.models import Event

PLAIN: Final = "OPEN"
"""The state that says nothing."""


def note(remark: Remark, *, photos: tuple[Photo, ...] = (), again: bool = False, at: datetime) -> Case | None:
    """Note it on the case; None while the report waits for one. Raises where the case is closed and stays so."""
    case = reporter.answering(remark.report)
    if case is None:
        return None
    words = _words(remark)
    with transaction.atomic():
        noted = reporter.add(
            remark.report, case, words, key=str(remark.pk), photos=photos, again=again, at=at
        )  # fmt: skip
        Remark.objects.filter(pk=remark.pk).update(noted_at=at)
        return noted


def _words(remark: Remark) -> str:
    told = remark.told
    said = [told.get("description", ""), told.get("media_url", "")]
    state = told.get("status", PLAIN)
    if state != PLAIN or not any(said):
        said.insert(0, f"对方系统里的状态：{state}")
    return "\n".join(part for part in said if part)


def follow(told: Sequence[Event]) -> None:
    """The follower: when a report gets its case, what was added to it meanwhile is noted there."""
    opened = {event.subject: event for event in told if event.kind in (OPENED, JOINED)}
    if not opened:
        return
    joined = CaseReport.objects.filter(case__in=opened, report__remarks__noted_at=None).values("report")
    waiting = Remark.objects.filter(report__in=joined, noted_at=None).select_related("report").order_by("added_at")
    at = max(event.recorded_at for event in opened.values())
    for remark in waiting:
        # A case that is closed by now takes no more notes; the remark stays where it is, and is found there.
        with suppress(Refusal), transaction.atomic():
            note(remark, at=max(at, remark.added_at))
