"""What the people of a town made one, and what they left apart though it lay side by side: to learn likeness from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from anlan.casework import neighbours
from anlan.casework.models import Case, CaseReport
from anlan.intake import likeness
from anlan.intake.learning import Pair
from anlan.intake.likeness import Likeness
from anlan.intake.models import Report


def pairs(*, since: datetime, most: int) -> Iterator[Pair]:
    """Each report told since then (the last `most` of them) beside each case that lay near when it was told, and
    whether it was attached to that case, or its own case merged into it.
    """
    declared = likeness.in_use()
    answered = Exists(CaseReport.objects.filter(report=OuterRef("pk")))
    told = Report.objects.filter(answered, told_at__gte=since, withdrawn_at=None).order_by("-told_at", "-pk")
    for report in told[:most]:
        yield from _of(report, declared)


def _of(report: Report, declared: Likeness) -> Iterator[Pair]:
    own, homes = _homes(report)
    among = Case.objects.exclude(pk=own.pk) if own else Case.objects.all()
    rows = [
        row
        for row in neighbours.candidates(report, among, declared)
        if row["pk"] in homes or (row["merged_into"] is None and _earlier(row, report, own))
    ]
    for each in neighbours.compared(report, rows, declared):
        yield each.found, rows[each.place]["pk"] in homes


def _homes(report: Report) -> tuple[Case | None, set[UUID]]:
    """The case that was opened for the report, if one was, and the others that answer it too."""
    links = list(CaseReport.objects.filter(report=report).select_related("case").order_by("pk"))
    first = links[0]
    joined = CaseReport.objects.filter(case=first.case_id, pk__lt=first.pk).exists()
    own = None if joined else first.case
    return own, {link.case_id for link in links if own is None or link.case_id != own.pk}


def _earlier(row: dict[str, Any], report: Report, own: Case | None) -> bool:
    """Whether a case was there before the report; of one moment (imports know days alone) by the order of their ids."""
    if own is None:
        return bool(row["opened_at"] <= report.told_at)
    return bool((row["opened_at"], row["pk"]) < (own.opened_at, own.pk))
