"""A file that was imported by mistake, taken back as long as nothing has come of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from anlan.intake import reports
from anlan.intake.models import Batch, Listed, Report, Statistic
from anlan.intake.uploading import outside
from anlan.kernel.text import Refusal
from anlan.ledger import events
from anlan.places.models import Officer


class TooLate(Refusal):
    """Something has come of the file already, or nothing of it is left to take back."""

    status = 409


@transaction.atomic
def undo(batch: Batch, *, reason: str, by: Officer, at: datetime) -> int:
    """Withdraw every report and figure that `batch` brought; how many that was. All of them or none: raises `TooLate`
    when a case answers one of them. What was told stays, and says when it was withdrawn.
    """
    if not reason.strip():
        raise TooLate("请写明撤回的理由。", "Say why it is withdrawn.", field="reason")
    told = Report.objects.filter(batch=batch, withdrawn_at=None).select_for_update()
    figures = list(Statistic.objects.filter(batch=batch, is_current=True).select_for_update())
    answered = Report.objects.filter(batch=batch, case_reports__isnull=False).distinct().count()
    if answered:
        raise TooLate(
            f"其中 {answered} 条上报已经立为事项，不能整批撤回：请逐件在事项里处理。",
            f"{answered} of its reports are answered by cases; it cannot be withdrawn whole. Deal with the cases.",
        )
    found = list(told)
    if not found and not figures:
        raise TooLate(
            "这一批没有可以整批撤回的上报或统计数；场所请逐处停用。",
            "There is no report and no figure of this file to withdraw; sites are closed one by one.",
        )
    for report in found:
        reports.withdraw(report, reason=reason.strip(), by=by, at=at)
    for figure in figures:
        outside.withdraw(figure, reason=reason.strip(), by=by, at=at)
    count = len(found) + len(figures)
    events.append(
        events.NewEvent(
            kind="batch.withdrawn", subject=batch.pk, by=by.pk, at=at, recorded_at=at,
            data={"channel": batch.channel, "reason": reason.strip(), "rows": count},
        )
    )  # fmt: skip
    return count


def may_be_undone(batch: Batch) -> bool:
    """Whether there is something to take back that nobody has taken up."""
    if Listed.objects.filter(layout=batch.channel).exists():
        return False
    told = Report.objects.filter(batch=batch)
    left = told.filter(withdrawn_at=None).exists() or Statistic.objects.filter(batch=batch, is_current=True).exists()
    return left and not told.filter(case_reports__isnull=False).exists()
