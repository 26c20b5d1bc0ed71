"""What everybody may know of reports: how far each is, by which office, until when. Never who told or who acted.

Many are read at once, by a number of queries that does not grow with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from anlan.casework import course
from anlan.casework.course import Passed
from anlan.casework.draft import READ, Draft
from anlan.casework.models import Case, CasePhoto, CaseReport
from anlan.casework.procedure import Outcome, Stage
from anlan.casework.reporter import masked
from anlan.intake.models import Report
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.ledger.models import Event

WAITING = Text(
    zh="已收到，等待受理：受理员会核对是什么问题、该谁管。",
    en="Received. Somebody will look at what it is and who is responsible.",
)
WITHDRAWN = Text(zh="这条上报已经撤回，不再办理。", en="This report was withdrawn and is not dealt with any more.")


@dataclass(frozen=True, slots=True)
class Known:
    """What everybody may know of one report. `case` answers it; None while it waits in triage.

    `closed_at` None: it is open. `line` says how far it is, `said` what was given as the reason or the result; `due_at`
    is the statutory or promised date that runs; `passed` is the course, oldest first. `sensitive`: what it is about and
    where must not be told.
    """

    report: Report
    case: Case | None
    sensitive: bool
    stage: Stage
    outcome: Outcome
    line: Text
    said: tuple[tuple[Text, str], ...]
    office: Text | None
    updated_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    passed: tuple[Passed, ...]
    photos: tuple[UUID, ...]


def known(reports: Sequence[Report]) -> list[Known]:
    """What everybody may know of each, in order (at most four queries, however many they are)."""
    cases = _answering(reports)
    told: dict[UUID, list[Event]] = defaultdict(list)
    ids = [case.pk for case in cases.values()]
    for event in Event.objects.filter(subject__in=ids, kind__in=READ).order_by("subject", "seq") if ids else ():
        told[event.subject].append(event)
    sensitive = _sensitive()
    found = [_known(report, cases.get(report.pk), told, sensitive) for report in reports]
    return _with_photos(found)


def _answering(reports: Iterable[Report]) -> dict[UUID, Case]:
    """The case that answers each report: where cases were merged, the one that is left."""
    ids = [report.pk for report in reports]
    joined = CaseReport.objects.filter(report__in=ids, case__merged_into=None) if ids else CaseReport.objects.none()
    found: dict[UUID, Case] = {}
    for each in joined.select_related("case").order_by("joined_at", "pk"):
        found.setdefault(each.report_id, each.case)
    return found


def _known(report: Report, case: Case | None, told: Mapping[UUID, list[Event]], sensitive: frozenset[str]) -> Known:
    if case is None:
        line = WITHDRAWN if report.withdrawn_at else WAITING
        return Known(
            report, None, report.topic in sensitive, "closed" if report.withdrawn_at else "intake", "", line, (), None,
            report.withdrawn_at or report.received_at, report.withdrawn_at, None, (), (),
        )  # fmt: skip
    draft, passed = course.walked(case, told[case.pk])
    step = draft.plan.procedure.steps[draft.now.step]
    closed_at = draft.now.closed_at or report.withdrawn_at
    last = passed[-1] if passed else None
    return Known(
        report, case, bool({case.topic, report.topic} & sensitive), step.stage, step.outcome,
        WITHDRAWN if report.withdrawn_at else step.public,
        tuple((label, masked(words)) for label, words in last.said) if last else (),
        course.office(draft), closed_at or max(report.received_at, last.at if last else case.opened_at), closed_at,
        None if closed_at else _due(draft), tuple(passed), tuple(photo for line in passed for photo in line.photos),
    )  # fmt: skip


def _due(draft: Draft) -> datetime | None:
    """The first promised or statutory date that runs."""
    running = [until.due_at for until in course.dates(draft) if until.due_at is not None and not until.paused]
    return min(running, default=None)


def _with_photos(found: list[Known]) -> list[Known]:
    """Of the photos that acts brought, only those that show the fix."""
    brought = {photo for each in found for photo in each.photos}
    if not brought:
        return found
    shown = set(CasePhoto.objects.filter(photo__in=brought, photo__stage="after").values_list("photo_id", flat=True))
    return [replace(each, photos=tuple(photo for photo in each.photos if photo in shown)) for each in found]


def _sensitive() -> frozenset[str]:
    topics = catalogue.current().all(TOPICS)
    return frozenset(key for key, topic in topics.items() if topic.sensitive)


def is_closed(prefix: str = "") -> Q:
    """Reports that are withdrawn, or that a closed case answers; `prefix` leads to the report ("report__")."""
    answered = CaseReport.objects.filter(
        report=OuterRef(f"{prefix}pk"), case__merged_into=None, case__closed_at__isnull=False
    )
    return Q(**{f"{prefix}withdrawn_at__isnull": False}) | Q(Exists(answered))


def tells_nothing_sensitive(prefix: str = "") -> Q:
    """Reports of which nothing sensitive has become known since they were told."""
    return ~Q(Exists(CaseReport.objects.filter(report=OuterRef(f"{prefix}pk"), case__topic__in=_sensitive())))


def touched(prefix: str = "", *, after: datetime | None = None, before: datetime | None = None) -> Q:
    """Reports that came in, or of whose case anything was written, at or after `after` and before `before`.

    An event's id begins with the moment it was written, so this is a range of the index of ids.
    """
    found = Event.objects.filter(id__gte=_first_id(after) if after else UUID(int=0))
    found = found.filter(id__lt=_first_id(before)) if before else found
    joined = CaseReport.objects.filter(case__in=found.values("subject")).values("report")
    return Q(**{f"{prefix}pk__in": joined}) | Q(**{f"{prefix}pk__in": found.values("subject")})


def _first_id(at: datetime) -> UUID:
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)
