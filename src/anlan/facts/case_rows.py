"""The rows that follow from a case's history: the case itself, its steps, its returns and its clocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from anlan.casework import procedure
from anlan.casework.contribution import CLOSED, contribution, late
from anlan.casework.engine import MOVED, RANG, Past, Run, Standing, stand
from anlan.casework.models import Case
from anlan.casework.plan import Plan, ready
from anlan.facts.case_places import Places, places_of
from anlan.facts.histories import Told, histories
from anlan.facts.known import Known
from anlan.facts.photo_rows import PhotoRow, Shown, shown_with
from anlan.kernel.workdays import Calendar

_MINUTE = timedelta(minutes=1)
_OUT = ("void", "refused", "merged")
META = ("pk", "number", "area_path", "procedure", "edition", "channel", "reports_count")


class CaseRow(NamedTuple):
    case: str
    number: str
    area_path: str
    topic: str
    topic_root: str
    procedure: str
    edition: str
    channel: str
    department: str
    site: str
    site_kind: str
    opened_at: datetime
    opened_date: date
    registered_date: date | None
    dispatched_date: date | None
    handled_date: date | None
    closed_date: date | None
    outcome: str
    valid: bool
    due_date: date | None
    close_due_date: date | None
    handled_in_time: bool | None
    closed_in_time: bool | None
    returns: int
    reworks: int
    extensions: int
    reports: int
    hung: bool
    hung_ever: bool
    reopened: bool
    satisfaction: str
    photos_before: int
    photos_after: int
    photos_placed: int
    minutes_to_register: int | None
    minutes_to_dispatch: int | None
    minutes_to_handle: int | None
    days_to_close: int | None
    repeat: bool
    by_resident: bool


class StepRow(NamedTuple):
    event: str
    case: str
    area_path: str
    topic: str
    topic_root: str
    procedure: str
    act: str
    step_from: str
    step_to: str
    department: str
    at: datetime
    at_date: date
    recorded_at: datetime
    minutes_in_step: int | None
    backdated: bool
    photos: int


class ReturnRow(NamedTuple):
    event: str
    case: str
    area_path: str
    topic: str
    topic_root: str
    department: str
    at_date: date
    nth: int


class ClockRow(NamedTuple):
    case: str
    clock: str
    area_path: str
    topic: str
    topic_root: str
    department: str
    clock_date: date
    started_date: date
    due_date: date | None
    stopped_date: date | None
    paused_minutes: int
    extended: float
    in_time: bool | None
    rungs: int


@dataclass(slots=True)
class _Seen:
    """What only shows while a history is walked through: where the case stood at each act, and pauses as they pass."""

    plan: Plan
    told: Sequence[Told]
    steps: list[tuple[Told, str, int | None, datetime | None]] = field(default_factory=list)
    returns: list[tuple[Told, int | None]] = field(default_factory=list)
    paused: dict[int, timedelta] = field(default_factory=dict)
    since: dict[int, datetime] = field(default_factory=dict)
    started: dict[int, datetime | None] = field(default_factory=dict)
    reopened: bool = False
    satisfaction: str = ""
    place: int = 0

    def look(self, _: Past, now: Standing) -> None:
        """The standing before the event that is next."""
        event = self.told[self.place]
        self.place += 1
        self.pauses(now)
        if event.kind == RANG:
            return
        self.steps.append((event, now.step if event.kind == MOVED else "", now.lead, now.entered_at))
        if event.kind == MOVED:
            act = self.plan.acts[event.data["act"]]
            if act.effect == "return":
                self.returns.append((event, now.lead))
            self.reopened = self.reopened or act.effect == "reopen"
            self.satisfaction = (event.data.get("fields") or {}).get("satisfaction") or self.satisfaction

    def pauses(self, now: Standing) -> None:
        """A pause is over where a clock that was paused no longer is; a clock that starts anew forgets its own."""
        for run in now.clocks:
            if self.started.get(run.index) != run.started_at:
                self.started[run.index], self.paused[run.index] = run.started_at, timedelta()
            before = self.since.pop(run.index, None)
            if before is not None and run.paused_at is None and now.last_at is not None:
                self.paused[run.index] += now.last_at - before
            if run.paused_at is not None:
                self.since[run.index] = run.paused_at


class Made(NamedTuple):
    """The rows of one case, by table."""

    cases: list[CaseRow]
    steps: list[StepRow]
    returns: list[ReturnRow]
    clocks: list[ClockRow]
    photos: list[PhotoRow]


def rows(ids: Sequence[UUID], known: Known) -> Made:
    """The rows of these cases. One that was opened after the last event that is read has none yet."""
    made = Made([], [], [], [], [])
    told = histories(ids, known.until)
    cases = {case[0]: case for case in Case.objects.filter(pk__in=ids).values_list(*META)}
    places, shown = places_of(ids, known), shown_with(ids, known)
    for pk in ids:
        if pk in cases and told[pk]:
            case = _Case(cases[pk], told[pk], places, known)
            _one(case, made)
            made.photos.extend(_photo_rows(case, shown.get(pk, ())))
    return made


class _Case:
    """One case in hand."""

    def __init__(self, meta: tuple[Any, ...], told: Sequence[Told], places: Places, known: Known) -> None:
        self.pk, self.number, self.area_path, self.procedure, self.edition, self.channel, self.reports = meta
        self.id, self.told, self.places, self.known = str(self.pk), told, places, known
        self.plan: Plan = ready(procedure.of(self.procedure, self.edition))
        self.calendar: Calendar = known.calendar_at(self.area_path)
        self.seen = _Seen(self.plan, told)
        history = [Past(each.kind, each.at, each.by, each.data) for each in told]
        self.now = stand(self.plan, history, self.calendar, seen=self.seen.look)
        self.seen.pauses(self.now)  # the last event may have ended one
        self.root = known.root(self.now.topic)

    def day(self, moment: datetime | None) -> date | None:
        return None if moment is None else self.calendar.local_date(moment)

    def office(self, department: int | None) -> str:
        return self.known.departments.get(department, "")


def _one(case: _Case, made: Made) -> None:
    now = case.now
    if now.opened_at is None:
        return
    made.cases.append(_case_row(case, now, now.opened_at))
    made.steps.extend(_step_rows(case, now))
    for nth, (event, lead) in enumerate(case.seen.returns, 1):
        made.returns.append(
            ReturnRow(event.id, case.id, case.area_path, now.topic, case.root, case.office(lead),
                      case.calendar.local_date(event.at), nth)
        )  # fmt: skip
    made.clocks.extend(_clock_row(case, now, run, run.started_at) for run in now.clocks if run.started_at is not None)


def _case_row(case: _Case, now: Standing, opened_at: datetime) -> CaseRow:
    counts = contribution(case.plan, now, local_date=case.calendar.local_date).rows[0].counts
    opened, closed, at = case.calendar.local_date(opened_at), case.day(now.closed_at), case.places.at(case.pk)
    return CaseRow(
        case=case.id, number=case.number, area_path=case.area_path, topic=now.topic, topic_root=case.root,
        procedure=case.procedure, edition=case.edition, channel=case.channel, department=case.office(now.lead),
        site=at.site, site_kind=at.site_kind, opened_at=opened_at, opened_date=opened,
        registered_date=case.day(now.registered_at), dispatched_date=case.day(now.dispatched_at),
        handled_date=case.day(now.handled_at), closed_date=closed, outcome=now.outcome,
        valid=now.registered_at is not None and now.outcome not in _OUT,
        due_date=case.day(_due(case, "handle")), close_due_date=case.day(_due(case, "close")),
        handled_in_time="handled_in_time" in counts if "handled" in counts else None,
        closed_in_time="closed_in_time" in counts if now.outcome in CLOSED else None,
        returns=now.returns, reworks=now.reworks, extensions=now.extensions, reports=case.reports,
        hung=now.hung, hung_ever=now.hung_ever, reopened=case.seen.reopened, satisfaction=case.seen.satisfaction,
        photos_before=at.before, photos_after=at.after, photos_placed=case.places.placed(case.pk, case.told),
        minutes_to_register=_minutes(opened_at, now.registered_at),
        minutes_to_dispatch=_minutes(opened_at, now.dispatched_at),
        minutes_to_handle=_minutes(opened_at, now.handled_at),
        days_to_close=(closed - opened).days if closed else None,
        repeat=case.places.is_repeat(case.pk, now.topic), by_resident=case.channel in case.known.residents,
    )  # fmt: skip


def _step_rows(case: _Case, now: Standing) -> list[StepRow]:
    known, made = case.known, list[StepRow]()
    allowed = timedelta(minutes=known.number("steps", "backdated_minutes"))
    after = [step for _, step, _, _ in case.seen.steps[1:]] + [now.step]
    for (event, step, lead, entered_at), to in zip(case.seen.steps, after, strict=True):
        made.append(
            StepRow(
                event=event.id, case=case.id, area_path=case.area_path, topic=now.topic, topic_root=case.root,
                procedure=case.procedure, act=event.data.get("act", ""), step_from=step, step_to=to,
                department=case.office(lead if step else event.data.get("lead")), at=event.at,
                at_date=case.calendar.local_date(event.at), recorded_at=event.recorded_at,
                minutes_in_step=_minutes(entered_at, event.at) if entered_at else None,
                backdated=event.recorded_at - event.at > allowed, photos=case.places.photos(case.pk, event.id),
            )
        )  # fmt: skip
    return made


def _photo_rows(case: _Case, shown: Sequence[Shown]) -> list[PhotoRow]:
    """Photos that came with a report have no act; whoever led then is not known of them."""
    now, made = case.now, list[PhotoRow]()
    acts = {event.id: (event, lead) for event, _, lead, _ in case.seen.steps}
    near = case.known.number("cases", "photo_metres")
    for each in shown if now.opened_at is not None else ():
        event, lead = acts.get(each.event, (None, None))
        data: dict[str, Any] = event.data if event is not None else {}
        metres = case.places.metres_from(case.pk, each.point or data.get("place"))
        made.append(
            PhotoRow(
                photo=each.photo, event=each.event, case=case.id, area_path=case.area_path, topic=now.topic,
                topic_root=case.root, procedure=case.procedure, act=data.get("act", ""),
                department=case.office(lead or data.get("lead")), stage=each.stage, given_at=each.at,
                given_date=case.calendar.local_date(each.at), taken_date=case.day(each.taken_at),
                metres=None if metres is None else round(metres), placed=metres is not None and metres <= near,
                given_before=each.first_case != "", exact=each.exact, first_case=each.first_case,
                valid=now.registered_at is not None and now.outcome not in _OUT, outcome=now.outcome,
                closed_date=case.day(now.closed_at),
            )
        )  # fmt: skip
    return made


def _clock_row(case: _Case, now: Standing, run: Run, started_at: datetime) -> ClockRow:
    started, due = case.calendar.local_date(started_at), case.day(run.due_at)
    return ClockRow(
        case=case.id, clock=run.key, area_path=case.area_path, topic=now.topic, topic_root=case.root,
        department=case.office(now.lead), clock_date=due or started, started_date=started, due_date=due,
        stopped_date=case.day(run.stopped_at),
        paused_minutes=case.seen.paused.get(run.index, timedelta()) // _MINUTE, extended=run.extended,
        in_time=_in_time(case.plan, now, run), rungs=sum(key == run.key for key, _, _ in now.rang),
    )  # fmt: skip


def _in_time(plan: Plan, now: Standing, run: Run) -> bool | None:
    if run.due_at is None:
        return None
    if late(plan.clocks[run.index], run, now, run.due_at):
        return False
    return True if run.stopped_at is not None else None


def _due(case: _Case, counts: str) -> datetime | None:
    """The deadline that is counted: of several such clocks the one that ends first."""
    clocks = zip(case.plan.clocks, case.now.clocks, strict=True)
    return min((run.due_at for clock, run in clocks if clock.counts == counts and run.due_at), default=None)


def _minutes(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else (end - start) // _MINUTE
