"""From report to case: by the table where it knows, by a person where it does not. Nothing goes nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from anlan.casework.cases import Opening, covers, open_case
from anlan.casework.draft import Draft, load
from anlan.casework.models import Case, CasePhoto, CaseReport
from anlan.casework.procedure import has_edition
from anlan.casework.routing import Route, route
from anlan.casework.timeline import JOINED
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.ids import id_at
from anlan.kernel.text import Refusal
from anlan.ledger import events
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event
from anlan.places import holidays
from anlan.places.models import Officer
from anlan.places.scope import Reach

RECEIVED = "report.received"


class AlreadyTaken(Refusal):
    """The report is answered by a case already."""

    status = 409


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the table would do with a report; `route` None: it does not know."""

    report: Report
    route: Route | None


def waiting(reach: Reach) -> QuerySet[Report]:
    """The reports in this person's reach that no case answers yet, oldest first."""
    mine = reach.q("reports.see", owner="by")
    return Report.objects.filter(mine, case_reports__isnull=True, withdrawn_at__isnull=True).order_by("told_at", "id")


def propose(report: Report) -> Proposal:
    """The procedure and departments the table gives for this report."""
    if not report.topic:
        return Proposal(report, None)
    day = holidays.calendar_at(report.area_path).local_date(report.told_at)
    kind = report.site.kind if report.site else ""
    return Proposal(report, route(report.topic, report.area_path, site_kind=kind, day=day))


def title_of(report: Report) -> str:
    """The one line a case is known by: where, and what."""
    return headline(report.site.name if report.site else report.address or report.area.name_zh, report.topic)


def headline(where: str, topic: str) -> str:
    """Where and what, in one line of at most 200 characters."""
    topics = catalogue.current().all(TOPICS)
    what = topics[topic].title.zh if topic in topics else "未分类"
    return f"{where} · {what}"[:200]


def take(report: Report, *, by: Officer | None, at: datetime, recorded_at: datetime | None = None) -> Case | None:
    """Open the case the table says; None when it does not know, or its procedure is not in force yet: then it waits."""
    proposal = propose(report)
    if proposal.route is None:
        return None
    day = holidays.calendar_at(report.area_path).local_date(at)
    if not has_edition(proposal.route.procedure, day):
        return None
    return accept(
        report, procedure=proposal.route.procedure, topic=report.topic, by=by, at=at, recorded_at=recorded_at,
        lengths=dict(proposal.route.lengths),
    )  # fmt: skip


def accept(
    report: Report, *, procedure: str, topic: str, by: Officer | None, at: datetime,
    recorded_at: datetime | None = None, lengths: dict[str, float] | None = None,
) -> Case:  # fmt: skip
    """Open a case for a report under the procedure a person (or the table) chose; the same report twice is one case."""
    catalogue.current().get(TOPICS, topic)
    with transaction.atomic():
        _claim(report)
        known = CaseReport.objects.filter(report=report).select_related("case").first()
        if known is not None:
            return known.case
        opening = Opening(
            procedure=procedure, area=report.area, title=title_of(report), topic=topic,
            description=report.description, address=report.address, site=report.site,
            party=report.site.operator if report.site else None, lon=report.lon, lat=report.lat,
            channel=report.channel, lengths=lengths,
        )  # fmt: skip
        return open_case(opening, by=by, at=at, recorded_at=recorded_at, report=report, key=f"open:{report.id}")


def attach(report: Report, case: Case, *, reach: Reach, at: datetime) -> Case:
    """The report tells of something a case is already about: the case answers it too. Both are kept and counted."""
    with transaction.atomic():
        _claim(report)
        case = Case.objects.select_for_update().get(pk=case.pk)
        if not covers(case, reach, "cases.act"):
            raise Refusal("这个事项不在您的职责范围内，不能并入。", "That case is outside your duties.")
        if CaseReport.objects.filter(report=report).exists():
            raise AlreadyTaken("这条上报已经有事项在办理。", "A case answers this report already.")
        draft: Draft = load(case)
        if draft.now.outcome:
            raise AlreadyTaken(
                "该事项已经办结，请为这条上报另行立案。", "That case is closed; open a new one for this report."
            )
        return _join(report, case, by=reach.officer, at=at)


def join(report: Report, case_id: UUID, *, at: datetime) -> Case | None:
    """Whoever reported says that it is about this case: it answers the report too, and its photos are seen with it.

    None where the case has been closed meanwhile, or the report is answered already: then it goes its own way.
    """
    with transaction.atomic():
        _claim(report)
        case = Case.objects.select_for_update().filter(pk=case_id, closed_at=None).first()
        if case is None or CaseReport.objects.filter(report=report).exists():
            return None
        return _join(report, case, by=None, at=at)


def _join(report: Report, case: Case, *, by: int | None, at: datetime) -> Case:
    CaseReport.objects.create(case=case, report=report, joined_at=at)
    case.reports_count += 1
    case.save(update_fields=["reports_count"])
    joined = NewEvent(
        JOINED, case.pk, by=by, at=at, recorded_at=at, area_path=case.area_path, data={"report": str(report.pk)},
        id=id_at(at),
    )  # fmt: skip
    shown = report.photos.values_list("pk", flat=True)
    CasePhoto.objects.bulk_create(CasePhoto(case=case, photo_id=photo, event=joined.id) for photo in shown)
    events.append(joined)
    return case


def _claim(report: Report) -> None:
    """Hold the report until the transaction ends: one case answers it, and none once it was withdrawn."""
    withdrawn = Report.objects.select_for_update().values_list("withdrawn_at", flat=True).get(pk=report.pk)
    if withdrawn is not None:
        raise AlreadyTaken(
            f"这条上报已在 {withdrawn:%Y-%m-%d} 撤回，不能再受理。",
            f"This report was withdrawn on {withdrawn:%Y-%m-%d} and cannot be taken up.",
        )


def follow(told: Sequence[Event]) -> None:
    """The follower that opens cases for reports nobody took while they came in (imports, machines).

    One that is refused (its topic is gone from the pack) waits in triage and does not hold up the others.
    """
    ids = [event.subject for event in told if event.kind == RECEIVED]
    channels = catalogue.current().all(CHANNELS)
    # Old ledgers are played again by the import, and what devices tell is grouped by `alarms`.
    replayed = [key for key, channel in channels.items() if channel.replay is not None or channel.kind == "device"]
    left = Report.objects.filter(pk__in=ids, case_reports__isnull=True, withdrawn_at__isnull=True)
    for report in left.exclude(channel__in=replayed).select_related("area", "site", "site__operator"):
        with suppress(Refusal), transaction.atomic():
            take(report, by=None, at=max(report.told_at, report.received_at), recorded_at=report.received_at)
