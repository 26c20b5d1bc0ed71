"""Reports: received through the one door, listed, taken up as cases, withdrawn."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from ninja import Query, Schema, Status
from pydantic import Field

from anlan.casework import cases, neighbours, triage
from anlan.casework.models import Case
from anlan.intake import reports
from anlan.intake.channel import CHANNELS, Channel, message_id_fields
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.ledger import events, personal
from anlan.ledger.events import NewEvent
from anlan.places.models import Department
from anlan.places.scope import under
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Key, Line, Noun, Short, client_key
from anlan.presentation.api.shapes import (
    AreaName,
    DepartmentName,
    Given,
    Listing,
    Paging,
    Words,
    area_name,
    department_name,
    listed,
)
from anlan.presentation.permissions import NotPermitted
from anlan.presentation.web.alike import SHOWN
from anlan.presentation.web.case_reports import READ
from anlan.presentation.web.frame import Asked

router = Noun("reports")


class ReportRow(Schema):
    id: UUID
    channel: str
    message_id: str
    told_at: datetime
    received_at: datetime
    topic: str
    description: str
    address: str
    area: AreaName
    lon: float | None
    lat: float | None
    withdrawn_at: datetime | None


class ReportWhole(ReportRow):
    """`raw` is the message as told, without what is personal; `has_reporter` says that somebody can be called back."""

    raw: dict[str, Any]
    notes: list[Words]
    site: str
    cases: list[UUID]
    photos: list[UUID]
    has_reporter: bool


class ReportFilters(Paging):
    area: Short = ""
    topic: Short = ""
    channel: Short = ""
    q: Line = ""
    told_from: Day | None = None
    told_to: Day | None = None


class Reporter(Schema):
    """The contact as it was given; `erased` once its term is over."""

    erased: bool
    fields: dict[str, str]


class Message(Given):
    """A message for a channel, in the channel's own columns. Without a number of its own the key numbers it."""

    channel: Short = "api"
    message: Annotated[dict[str, Any], Field(min_length=1, max_length=200)]
    photos: Annotated[list[UUID], Field(max_length=30)] = []
    key: Key | None = None


class Reason(Schema):
    field: str
    column: str
    zh: str
    en: str


class Receipt(Schema):
    """What became of a message: `report` is its id, or `held` its place in quarantine with every reason."""

    report: UUID | None
    held: UUID | None
    repeated: bool
    reasons: list[Reason]


class Alike(Schema):
    """A case that a report may repeat: how likely, from 0 to 1; `likely` from the declared threshold on, and why."""

    case: UUID
    number: str
    score: float
    likely: bool
    open: bool
    why: Words


class Proposal(Schema):
    """What the routing table would do with a report; `procedure` "" where it does not know. `alike` are the cases in
    the caller's reach that it may repeat, the likeliest first; nothing is merged by itself.
    """

    procedure: str
    lead: DepartmentName | None
    assisting: list[DepartmentName]
    retired: list[DepartmentName]
    alike: list[Alike]


class Taking(Given):
    procedure: Short
    topic: Short


class Joining(Given):
    case: UUID


class Why(Given):
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class Reading(Given):
    """What the contact is needed for; it is recorded with the reading."""

    reason: Literal["verify", "tell", "call_back", "protect"]


class Opened(Schema):
    case: UUID
    number: str


def within(request: Asked) -> QuerySet[Report]:
    """The reports the caller may see."""
    mine = request.reach.q("reports.see", owner="by")
    return Report.objects.filter(mine).select_related("area", "site")


def find(request: Asked, report_id: UUID) -> Report:
    report = within(request).filter(pk=report_id).first()
    if report is None:
        raise found.Unknown(report_id, "report")
    return report


@router.get("", response=Listing[ReportRow])
def list_(request: Asked, given: Query[ReportFilters]) -> Any:
    """The reports within reach, the newest told first."""
    return listed(request, narrowed(request, within(request), given), given, order=("-told_at", "-id"), show=row)


@router.get("/waiting", response=Listing[ReportRow])
def waiting(request: Asked, given: Query[ReportFilters]) -> Any:
    """The reports that no case answers yet, oldest first: the triage queue."""
    query = narrowed(request, triage.waiting(request.reach).select_related("area", "site"), given)
    return listed(request, query, given, order=("told_at", "id"), show=row)


def narrowed(request: Asked, query: QuerySet[Report], given: ReportFilters) -> QuerySet[Report]:
    if given.area:
        query = query.filter(under(found.area(request, given.area, "reports.see").path))
    if given.q:
        query = query.filter(Q(description__icontains=given.q) | Q(address__icontains=given.q) | Q(message_id=given.q))
    exact = {"topic": given.topic, "channel": given.channel, "told_at__date__gte": given.told_from}
    exact["told_at__date__lte"] = given.told_to
    return query.filter(**{name: value for name, value in exact.items() if value})


def row(report: Report) -> dict[str, Any]:
    return {
        "id": report.pk,
        "channel": report.channel,
        "message_id": report.message_id,
        "told_at": report.told_at,
        "received_at": report.received_at,
        "topic": report.topic,
        "description": report.description,
        "address": report.address,
        "area": area_name(report.area),
        "lon": report.lon,
        "lat": report.lat,
        "withdrawn_at": report.withdrawn_at,
    }


@router.post("", response={200: Receipt, 201: Receipt, 202: Receipt})
def receive(request: Asked, given: Message) -> Any:
    """One message through the one door: 201 a report, 200 one that came before, 202 held in quarantine with reasons."""
    channel = channel_for(request, given.channel, ("api", "form"))
    message = _numbered(channel, given.message, client_key(request, given.key))
    photos = found.photos(request, given.photos)
    done = reports.receive(channel, message, by=request.user, at=request.at, photos=photos, reach=request.reach)
    receipt = {
        "report": done.report.pk if done.report else None,
        "held": done.held.pk if done.held else None,
        "repeated": done.repeated,
        "reasons": [reason.as_data() for reason in done.reasons],
    }
    return Status(202 if done.report is None else 200 if done.repeated else 201, receipt)


def channel_for(request: Asked, key: str, kinds: tuple[str, ...]) -> Channel:
    """The declared channel, if it is of this kind and the caller may use it."""
    channel = catalogue.current().all(CHANNELS).get(key)
    if channel is None or channel.kind not in kinds:
        raise Refusal(f"没有可用的渠道“{key}”。", f"There is no channel '{key}' for this.", field="channel")
    if not request.reach.may(channel.action):
        raise NotPermitted
    return channel


def _numbered(channel: Channel, message: dict[str, Any], key: str | None) -> dict[str, Any]:
    """The message with the key for its number, where the channel numbers by one column and it is blank."""
    names = message_id_fields(channel)
    if key is None or len(names) != 1 or message.get(names[0]) not in (None, ""):
        return message
    return {**message, names[0]: key}


@router.get("/{report_id}", response=ReportWhole)
def one(request: Asked, report_id: UUID) -> Any:
    """One report: as told, what was understood, and the cases that answer it."""
    report = find(request, report_id)
    seen = cases.visible(request.reach).filter(case_reports__report=report).order_by("opened_at", "pk")
    return row(report) | {
        "raw": report.raw,
        "notes": report.notes,
        "site": report.site.code if report.site else "",
        "cases": list(seen.values_list("pk", flat=True)),
        "photos": list(report.photos.order_by("added_at", "pk").values_list("pk", flat=True)),
        "has_reporter": report.reporter_id is not None,
    }


@router.post("/{report_id}/reporter", response=Reporter)
def reporter(request: Asked, report_id: UUID, given: Reading) -> Any:
    """Who reported, told to one who may know; that they read it, and what for, is written into the ledger first."""
    report = find(request, report_id)
    if report.reporter_id is None:
        raise found.Unknown(report_id, "reporter")
    joined = Case.objects.filter(case_reports__report=report)
    if not request.reach.covers("reporter.see", area_path=report.area_path) or _has_a_hand_in(request, joined):
        raise NotPermitted
    with transaction.atomic():
        read = NewEvent(
            READ, report.pk, by=request.user.pk, at=request.at, recorded_at=request.at, area_path=report.area_path,
            data={"reason": given.reason},
        )  # fmt: skip
        events.append(read)
        fields = personal.read(report.reporter_id)
    return {"erased": fields is None, "fields": fields or {}}


def _has_a_hand_in(request: Asked, joined: QuerySet[Case]) -> bool:
    """Whether the caller handles or answers for one of the cases: then they never learn who told of it."""
    reach = request.reach
    mine = Q(handler=reach.officer) | Q(lead__in=reach.departments()) | Q(party__in=reach.parties())
    return joined.filter(mine | Q(units__department__in=reach.departments())).exists()


@router.get("/{report_id}/proposal", response=Proposal)
def proposal(request: Asked, report_id: UUID) -> Any:
    """The procedure and departments the routing table gives for a report, and the cases it may repeat."""
    report = find(request, report_id)
    route = triage.propose(report).route
    wanted = [route.lead or 0, *route.assisting, *route.retired] if route else []
    known = {each.pk: each for each in Department.objects.filter(pk__in=wanted)}
    return {
        "procedure": route.procedure if route else "",
        "lead": department_name(known.get(route.lead or 0)) if route else None,
        "assisting": [department_name(known[pk]) for pk in route.assisting if pk in known] if route else [],
        "retired": [department_name(known[pk]) for pk in route.retired if pk in known] if route else [],
        "alike": _alike(request, report),
    }


def _alike(request: Asked, report: Report) -> list[dict[str, Any]]:
    seen = cases.visible(request.reach)
    found = neighbours.likely(report, seen)[:SHOWN]
    numbers = dict(seen.filter(pk__in=[each.case for each in found]).values_list("pk", "number"))
    return [
        {
            "case": each.case, "number": numbers[each.case], "score": round(each.score, 4), "likely": each.likely,
            "open": each.open, "why": {"zh": each.why.zh, "en": each.why.en},
        }
        for each in found
        if each.case in numbers
    ]  # fmt: skip


@router.post("/{report_id}/accept", response=Opened)
def accept(request: Asked, report_id: UUID, given: Taking) -> Any:
    """Open a case for a report under the procedure and topic chosen; the same report twice is one case."""
    report = _to_settle(request, report_id)
    found.topic(given.topic)
    case = triage.accept(report, procedure=given.procedure, topic=given.topic, by=request.user, at=request.at)
    return {"case": case.pk, "number": case.number}


@router.post("/{report_id}/attach", response=Opened)
def attach(request: Asked, report_id: UUID, given: Joining) -> Any:
    """Let a case that is there already answer this report too; both are kept and counted."""
    report = _to_settle(request, report_id)
    case: Case = triage.attach(report, cases.find(given.case, request.reach), reach=request.reach, at=request.at)
    return {"case": case.pk, "number": case.number}


@router.post("/{report_id}/withdraw", response=ReportRow)
def withdraw(request: Asked, report_id: UUID, given: Why) -> Any:
    """Take a report back, saying why; it stays, with everything it said."""
    report = _to_settle(request, report_id, or_own=True)
    reports.withdraw(report, reason=given.reason, by=request.user, at=request.at)
    return row(find(request, report_id))


def _to_settle(request: Asked, report_id: UUID, *, or_own: bool = False) -> Report:
    """The report, if the caller acts on cases there (or, `or_own`, told it)."""
    report = within(request).select_related("site__operator").filter(pk=report_id).first()
    if report is None:
        raise found.Unknown(report_id, "report")
    own = or_own and report.by_id == request.user.pk
    if not own and not request.reach.covers("cases.act", area_path=report.area_path):
        raise NotPermitted
    return report
