"""The verbs of a case: open, act. Load, ask the engine, save, append; one transaction, or nothing happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from anlan.casework import acts, consequences, procedure
from anlan.casework.acts import Actor
from anlan.casework.draft import CHANGED, Draft, carry, load
from anlan.casework.engine import MOVED, OPENED, Past, dues_of, stand
from anlan.casework.models import Case, CasePhoto, CaseReport
from anlan.casework.plan import ready
from anlan.casework.procedure import Act
from anlan.intake.models import Photo, Report
from anlan.kernel.ids import id_at
from anlan.kernel.text import Refusal
from anlan.kernel.workdays import Calendar
from anlan.ledger import events, single
from anlan.ledger.bulk import insert_rows
from anlan.ledger.events import NewEvent
from anlan.places import areas, holidays
from anlan.places.models import Area, Officer, Party, Site
from anlan.places.scope import Reach


class NoCase(Refusal):
    """No such case, or none that this person may see: the two are told in the same words."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "找不到这个事项，或不在您的辖区和职责范围内。请核对编号。",
            "There is no such case, or it is outside your area and duties. Check the number.",
        )


class Stale(Refusal):
    """Somebody else acted first."""

    status = 409


@dataclass(frozen=True, slots=True)
class Opening:
    """What a case is opened with. `lengths` replaces a clock's own length, by clock key, in its unit."""

    procedure: str
    area: Area
    title: str
    topic: str = ""
    description: str = ""
    address: str = ""
    site: Site | None = None
    party: Party | None = None
    lon: float | None = None
    lat: float | None = None
    channel: str = ""
    lead: int | None = None
    lengths: Mapping[str, float] | None = None
    split_from: UUID | None = None


def visible(reach: Reach, action: str = "cases.see") -> QuerySet[Case]:
    """The cases on which this person may do `action`."""
    return Case.objects.filter(within_reach(reach, action))


def within_reach(reach: Reach, action: str = "cases.see", *, area: str = "area_path") -> Q:
    """The same as a condition; `area` names the column (or alias) that holds the area's path."""
    return reach.q(
        action,
        area=area,
        department=lambda ids: Q(lead__in=ids) | Q(pk__in=_assisted(ids)),
        owner=lambda officer: Q(opened_by=officer) | Q(handler=officer),
        party="party",
    )


def _assisted(ids: frozenset[int]) -> QuerySet[Any, Any]:
    return Case.objects.filter(units__department__in=ids).values("pk")


def find(case_id: UUID, reach: Reach) -> Case:
    """The case, if this person may see it; else `NoCase`."""
    case = Case.objects.select_related("area", "lead", "handler", "site", "party").filter(pk=case_id).first()
    if case is None or not covers(case, reach, "cases.see"):
        raise NoCase
    return case


def _involved(case: Case) -> set[int]:
    return {*case.units.values_list("department_id", flat=True), *([case.lead_id] if case.lead_id else [])}


def covers(case: Case, reach: Reach, action: str, *, involved: set[int] | None = None) -> bool:
    """Whether `action` on this very case is within this person's reach; `involved` where the case is in hand."""
    return reach.covers(
        action, area_path=case.area_path, departments=_involved(case) if involved is None else involved,
        owners=(case.opened_by_id, case.handler_id), party=case.party_id,
    )  # fmt: skip


def actor(case: Case, by: Officer, reach: Reach, *, involved: set[int] | None = None) -> Actor:
    """The person as the engine sees them over this case."""
    roles = reach.roles_at(
        case.area_path,
        departments=_involved(case) if involved is None else involved,
        owners=(case.opened_by_id, case.handler_id),
        party=case.party_id,
        action="cases.act",
    )
    return Actor(by.pk, roles, reach.departments(), case.party_id is not None and case.party_id in reach.parties())


# ---------------------------------------------------------------- opening


def number(prefix: str, day: str, count: int = 1) -> int:
    """The last of `count` new numbers in the series of that day; numbers are never given twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO casework_series (key, "last") VALUES (%s, %s) ON CONFLICT (key) DO UPDATE'
            ' SET "last" = casework_series."last" + excluded."last" RETURNING "last"',
            [f"{prefix}-{day}", count],
        )
        return int(cursor.fetchone()[0])


def prepare(
    opening: Opening, calendar: Calendar, *, by: Officer | None, at: datetime, recorded_at: datetime, key: str | None
) -> Draft:
    """A new case and its first event, in hand; its number is not given yet."""
    declared = procedure.in_force(opening.procedure, calendar.local_date(at))
    plan = ready(declared)
    case = single.fresh(Case, {
        "id": id_at(at), "procedure": declared.key, "edition": declared.edition, "topic": opening.topic,
        "title": opening.title[:200], "description": opening.description, "area_id": opening.area.pk,
        "area_path": opening.area.path, "address": opening.address[:200],
        "site_id": opening.site.pk if opening.site else None, "party_id": opening.party.pk if opening.party else None,
        "lon": opening.lon, "lat": opening.lat, "channel": opening.channel, "opened_by_id": by.pk if by else None,
        "opened_at": at, "split_from_id": opening.split_from,
    })  # fmt: skip
    draft = Draft(case, plan, calendar, stand(plan, (), calendar), set())
    draft.add(
        OPENED, by=by.pk if by else None, at=at, recorded_at=recorded_at, key=key,
        data={"procedure": declared.key, "edition": declared.edition, "topic": opening.topic, "to": plan.first,
              "lead": opening.lead, "lengths": dict(opening.lengths or {})},
    )  # fmt: skip
    return draft


def name(draft: Draft, last: int, day: str) -> None:
    """Give the prepared case its number: prefix, local day, running number."""
    draft.case.number = f"{draft.plan.procedure.prefix}-{day}-{last:04d}"


def series_day(draft: Draft) -> str:
    """The local day on which the case was opened, as its number has it."""
    return draft.calendar.local_date(draft.case.opened_at).isoformat().replace("-", "")


def open_case(
    opening: Opening, *, by: Officer | None, at: datetime, recorded_at: datetime | None = None,
    report: Report | None = None, key: str | None = None,
) -> Case:  # fmt: skip
    """Open a case under the procedure in force; the same `key` twice opens one case."""
    recorded_at = recorded_at or at
    with transaction.atomic():
        if key is not None and (known := events.find(key)) is not None:
            return Case.objects.get(pk=known.subject)
        opening = replace(opening, area=areas.standing(opening.area))
        calendar = holidays.calendar_at(opening.area.path)
        draft = prepare(opening, calendar, by=by, at=at, recorded_at=recorded_at, key=key)
        day = series_day(draft)
        name(draft, number(draft.plan.procedure.prefix, day), day)
        draft.carry()
        draft.case.reports_count = 1 if report is not None else 0
        draft.case.save(force_insert=True)
        if report is not None:
            CaseReport.objects.create(case=draft.case, report=report, joined_at=at)
            shown = report.photos.values_list("pk", flat=True)
            CasePhoto.objects.bulk_create(
                CasePhoto(case=draft.case, photo_id=photo, event=draft.new[0].id) for photo in shown
            )
        events.append(draft.new[0])
        return draft.case


# ---------------------------------------------------------------- acting


@dataclass(frozen=True, slots=True)
class Doing:
    """One act as it is brought: what, with which words, photos and place; `key` is the client's own id for it."""

    act: str
    data: Mapping[str, Any]
    photos: tuple[Photo, ...] = ()
    place: tuple[float, float] | None = None
    rev: int | None = None
    key: str | None = None
    device_at: datetime | None = None


def allowed(case: Case, *, by: Officer, reach: Reach) -> list[tuple[str, Act]]:
    """What this person may do to this case now."""
    draft = load(case)
    involved = draft.involved()
    if not covers(case, reach, "cases.act", involved=involved):
        return []
    return acts.offers(draft.plan, draft.now, actor(case, by, reach, involved=involved))


def act(
    case_id: UUID, doing: Doing, *, by: Officer, reach: Reach, at: datetime, recorded_at: datetime | None = None
) -> Case:
    """Do it, or raise what stands in the way. The same `key` twice is one act; a moved `rev` is told, not overrun."""
    with transaction.atomic():
        if "case" in doing.data:
            consequences.hold(case_id, doing.data["case"])
        case = single.read(Case, case_id, lock=True)
        if case is None:
            raise NoCase
        draft = load(case)
        involved = draft.involved()
        if not covers(case, reach, "cases.see", involved=involved):
            raise NoCase
        if doing.key is not None and doing.key in draft.keys:
            return case
        if not covers(case, reach, "cases.act", involved=involved):
            raise acts.NotAllowed("您可以查看这个事项，但不能办理。", "You may look at this case but not act on it.")
        if doing.rev is not None and doing.rev != case.rev:
            raise _stale(draft)
        who = actor(case, by, reach, involved=involved)
        perform(draft, doing, by=by, who=who, reach=reach, at=at, recorded_at=recorded_at or at)
        save(draft)
        return case


def perform(
    draft: Draft, doing: Doing, *, by: Officer | None, who: Actor, reach: Reach, at: datetime, recorded_at: datetime
) -> NewEvent:
    """Take the act into the draft: rungs that came due first, then the act with what follows from it.

    `by` None: whoever reported, who has no account.
    """
    moment = max(at, draft.now.last_at or at)
    draft.ring(until=moment, recorded_at=recorded_at)
    wanted = draft.plan.acts[doing.act].photos if doing.act in draft.plan.acts else None
    count = sum(1 for photo in doing.photos if wanted is None or photo.stage == wanted.stage)
    declared = acts.examine(draft.plan, draft.now, doing.act, who, doing.data, count, doing.place is not None)
    data: dict[str, Any] = {"act": doing.act, "to": declared.to, "fields": dict(doing.data), "dues": dues_of(draft.now)}
    if doing.photos:
        data["photos"] = [str(photo.id) for photo in doing.photos]
    if doing.place:
        data["place"] = list(doing.place)
    consequences.before(draft, declared, data, who=who, reach=reach, at=moment)
    event = draft.add(
        MOVED, by=by.pk if by else None, at=moment, recorded_at=recorded_at, key=doing.key, data=data,
        device_at=doing.device_at or (at if moment != at else None),
    )  # fmt: skip
    consequences.after(draft, declared, event, by=by, at=moment, recorded_at=recorded_at)
    if declared.effect == "split":
        _split(draft.case, event, by=by, at=moment)
    shown = ((draft.case.pk, photo.pk, event.id) for photo in doing.photos)
    insert_rows(CasePhoto, ("case_id", "photo_id", "event"), shown)
    return event


def _split(case: Case, event: NewEvent, *, by: Officer | None, at: datetime) -> Case:
    fields = event.data["fields"]
    part = Opening(
        procedure=case.procedure, area=case.area, title=fields["title"], topic=fields["topic"],
        description=case.description, address=case.address, site=case.site, party=case.party, lon=case.lon,
        lat=case.lat, channel=case.channel, split_from=case.pk,
    )  # fmt: skip
    return open_case(part, by=by, at=at, recorded_at=event.recorded_at, key=f"split:{event.id}")


def save(draft: Draft) -> None:
    """Write the caches and append the events, in the transaction that is open."""
    if not draft.new:
        return
    before = draft.case.rev
    carry(draft.case, draft.plan, draft.now, draft.calendar)
    values = [getattr(draft.case, name) for name in CHANGED]
    if not single.change(Case, CHANGED, [*values, draft.case.pk, before], where=("id", "rev")):
        raise _stale(draft)
    events.append_together(draft.new)
    draft.new = []


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case of a bulk act: the case as it stands, or why it was refused."""

    case_id: UUID
    case: Case | None
    refusal: Refusal | None


def act_many(
    case_ids: Sequence[UUID], doing: Doing, *, by: Officer, reach: Reach, at: datetime,
    recorded_at: datetime | None = None,
) -> list[Outcome]:  # fmt: skip
    """The same act on many cases, each by itself: what one refuses does not hold up the others."""
    found = []
    for case_id in case_ids:
        each = replace(doing, key=f"{doing.key}:{case_id}" if doing.key else None, rev=None)
        try:
            case = act(case_id, each, by=by, reach=reach, at=at, recorded_at=recorded_at)
            found.append(Outcome(case_id, case, None))
        except Refusal as refusal:
            found.append(Outcome(case_id, None, refusal))
    return found


def _stale(draft: Draft) -> Stale:
    last: Past | None = draft.last
    if last is None or last.kind != MOVED:
        return Stale("这个事项刚刚有变化，请刷新后再办。", "This case has just changed. Reload it and act again.")
    title = draft.plan.acts[last.data["act"]].title
    officer = Officer.objects.filter(pk=last.by or 0).values_list("name", flat=True).first() or "系统"
    moment = last.at.astimezone(draft.calendar.zone).strftime("%m-%d %H:%M")
    return Stale(
        f"您打开页面之后，{officer}已于 {moment} 办理“{title.zh}”。您的操作没有执行，请看过最新情况再决定。",
        f"Since you opened the page, {officer} did '{title.en}' at {moment}. "
        "Your act was not carried out; look at the case as it stands now and decide again.",
    )
