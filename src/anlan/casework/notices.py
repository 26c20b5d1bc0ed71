"""The follower that tells people what they must know about a case, each person once for each event.

Who is told: of a new case the roles its procedure names, and of another sort of device that joins it the same; of a
dispatch the department that got it, of a return the dispatchers, of a rung the roles it names, of a request for more
time those who may grant it, of the decision and of rework the department at work, of the end whoever opened the case. A
role reached by area is told to its holders nearest above the case; a role of a department to its holders in the
department concerned. Nobody is told what they did themselves. A text is made of the number, the title, the act and the
deadline: it never says who reported, so the party complained of may read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from anlan.casework.draft import plan_of
from anlan.casework.engine import MOVED, OPENED, RANG
from anlan.casework.later import TOLD, WHAT
from anlan.casework.models import Case, Notice
from anlan.casework.plan import Plan
from anlan.casework.timeline import JOINED
from anlan.intake.sensors.device_model import SORTS
from anlan.kernel.ids import id_at
from anlan.kernel.text import Text
from anlan.ledger.models import Event
from anlan.places.areas import LEVELS, ancestors
from anlan.places.models import Post
from anlan.places.record import day_of
from anlan.places.role import all_roles

# An old ledger played again is history, not news; what was done in the field without a network is still news.
STALE = timedelta(days=7)
OFFICE = ("handler", "department_lead")
LONGEST = 300


NEWS = (OPENED, MOVED, RANG, JOINED, TOLD)
"""What may concern somebody."""


def tell(events: Sequence[Event]) -> None:
    """Write a notice for each person whom one of these events concerns; the same event again tells nobody."""
    news = [e for e in events if e.kind in NEWS and e.recorded_at - e.at < STALE]
    if not news:
        return
    cases = Case.objects.in_bulk({event.subject for event in news})
    messages = [m for e in news if e.subject in cases for m in _messages(e, cases[e.subject])]
    people = _people(messages)
    Notice.objects.bulk_create(
        [notice for message in messages for notice in _notices(message, people)], ignore_conflicts=True
    )


class _To(NamedTuple):
    """Whom a message is for: the holders of these roles, those of a department in these departments; and officers."""

    roles: tuple[str, ...] = ()
    departments: frozenset[int] = frozenset()
    level: str = ""
    officers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Message:
    event: Event
    case: Case
    kind: str
    text: Text
    to: _To


class _Holder(NamedTuple):
    """Somebody who holds a post."""

    officer: int
    role: str
    path: str
    level: str
    department: int | None
    party: int | None
    since: date
    until: date | None


# ---------------------------------------------------------------- what there is to tell


def _messages(event: Event, case: Case) -> Iterator[_Message]:
    plan = plan_of(case)
    if event.kind == RANG:
        yield _rang(event, case, plan)
        return
    if event.kind in (OPENED, JOINED):
        yield from _opened(event, case, plan)
        return
    if event.kind == TOLD:
        lead = frozenset(() if case.lead_id is None else (case.lead_id,))
        at_work = frozenset(() if case.handler_id is None else (case.handler_id,))
        to = _To(OFFICE, lead, officers=at_work) if lead else _To(("triage", "dispatcher"))
        yield _Message(event, case, "told", _said(case, WHAT[event.data["what"]], case.due_at), to)
        return
    act = plan.acts[event.data["act"]]
    for kind, to in _concerned(event, case, plan, act.effect):
        yield _Message(event, case, kind, _said(case, act.title, case.due_at), to)
    if act.to in plan.outcomes and plan.outcomes[act.to] and case.opened_by_id is not None:
        step = plan.procedure.steps[act.to].title
        yield _Message(event, case, "closed", _said(case, step, None), _To(officers=frozenset({case.opened_by_id})))


def _opened(event: Event, case: Case, plan: Plan) -> Iterator[_Message]:
    """A new case of a procedure that wants it told; and, later, another sort of device that tells of the same."""
    if not plan.procedure.tell or (event.kind == JOINED and not event.data.get("sorts")):
        return
    what = Text(zh="新警情", en="new alarm")
    if event.kind == JOINED:
        sorts = [SORTS[sort] for sort in event.data["sorts"]]
        what = Text(
            zh=f"又有{'、'.join(s.zh for s in sorts)}报警", en=f"now also told by: {', '.join(s.en for s in sorts)}"
        )
    departments = frozenset(() if case.lead_id is None else (case.lead_id,))
    yield _Message(event, case, "alarm", _said(case, what, case.due_at), _To(plan.procedure.tell, departments))


def _concerned(event: Event, case: Case, plan: Plan, effect: str) -> Iterator[tuple[str, _To]]:
    fields = event.data.get("fields") or {}
    lead = frozenset(() if case.lead_id is None else (case.lead_id,))
    if effect == "assign":
        to = frozenset({fields["department"]}) if fields.get("department") else lead
        named = frozenset({fields["officer"]}) if fields.get("officer") else frozenset[int]()
        yield "dispatched", _To(("department_lead",) if named else OFFICE, to, officers=named)
    if effect in ("assign", "assist") and event.data.get("assisting"):
        yield "assist", _To(OFFICE, frozenset(int(department) for department in event.data["assisting"]))
    if effect == "return":
        yield "returned", _To(("dispatcher",))
    if effect == "ask_extension":
        roles = [role for act in plan.acts.values() if act.effect == "grant_extension" for role in act.who.roles]
        yield "extension_asked", _To(tuple(roles), lead)
    if effect in ("grant_extension", "refuse_extension", "rework"):
        kind = "rework" if effect == "rework" else "extension_decided"
        at_work = frozenset(() if case.handler_id is None else (case.handler_id,))
        yield kind, _To(OFFICE, lead, officers=at_work)


def _rang(event: Event, case: Case, plan: Plan) -> _Message:
    data = event.data
    due = datetime.fromisoformat(data["due"])
    title = plan.procedure.clocks[data["clock"]].title
    late = event.at >= due
    said = Text(
        zh=f"{title.zh}{'已到期' if late else '即将到期'}", en=f"{title.en}: {'time is up' if late else 'due soon'}"
    )
    departments = frozenset(() if case.lead_id is None else (case.lead_id,))
    to = _To(tuple(data.get("tell") or ()), departments, data.get("level") or "")
    return _Message(event, case, "overdue" if late else "due_soon", _said(case, said, due), to)


def _said(case: Case, what: Text, due: datetime | None) -> Text:
    """Number, what happened, deadline and title; a long title is cut, the rest is whole."""
    zh, en = f"{case.number} {what.zh}", f"{case.number} {what.en}"
    if due is not None:
        until = timezone.localtime(due, timezone.get_default_timezone())
        zh, en = f"{zh}，期限 {until:%m-%d %H:%M}", f"{en}, due {until:%m-%d %H:%M}"
    return Text(zh=_fitted(zh, "：", case.title), en=_fitted(en, ": ", case.title))


def _fitted(head: str, joint: str, title: str) -> str:
    room = LONGEST - len(head) - len(joint)
    return f"{head}{joint}{title if len(title) <= room else title[: room - 1] + '…'}"


# ---------------------------------------------------------------- whom to tell


def _people(messages: Sequence[_Message]) -> list[_Holder]:
    """Everybody who may have to be told, in one query; and only people: machines read the API."""
    paths = {path for message in messages for path in ancestors(message.case.area_path)}
    roles = {role for message in messages for role in message.to.roles}
    if not roles:
        return []
    departments = {department for message in messages for department in message.to.departments}
    everywhere = [key for key, declared in all_roles().items() if "cases.see" in declared.area_actions]
    rows = Post.objects.filter(
        Q(department=None) | Q(department__in=departments) | Q(role__in=everywhere),
        role__in=roles, area__path__in=paths, officer__is_active=True, officer__is_machine=False,
    )  # fmt: skip
    columns = ("officer", "role", "area__path", "area__level", "department", "party", "valid_from", "valid_to")
    return [_Holder(*row) for row in rows.values_list(*columns).order_by("officer", "pk")]


def _notices(message: _Message, people: Sequence[_Holder]) -> Iterator[Notice]:
    event, text = message.event, message.text
    for officer in sorted(_told(message, people) - {event.by}):
        yield Notice(
            id=id_at(event.recorded_at), officer_id=officer, case=message.case, kind=message.kind, event=event.id,
            text_zh=text.zh, text_en=text.en, at=event.at,
        )  # fmt: skip


def _told(message: _Message, people: Sequence[_Holder]) -> set[int]:
    to, case, day = message.to, message.case, day_of(message.event.at)
    here = [
        holder
        for holder in people
        if holder.role in to.roles
        and case.area_path.startswith(holder.path)
        and holder.since <= day
        and (holder.until is None or day < holder.until)
        and _high_enough(holder.level, to.level)
    ]
    return set(to.officers).union(*(_of_role(role, here, to, case) for role in to.roles))


def _high_enough(level: str, wanted: str) -> bool:
    """Whether an area of this level is the one the rung is raised to, or above it."""
    order = list(LEVELS)
    return not wanted or order.index(level) <= order.index(wanted)


def _of_role(role: str, here: Sequence[_Holder], to: _To, case: Case) -> set[int]:
    holders = [holder for holder in here if holder.role == role]
    declared = all_roles()[role]
    if declared.reach == "department":
        concerned = {holder.officer for holder in holders if holder.department in to.departments}
        # A certified inspector sees every case of the area, and is told when no department has the case yet.
        return concerned or (_nearest(holders) if "cases.see" in declared.area_actions else set())
    if declared.reach == "party":
        return {holder.officer for holder in holders if case.party_id is not None and holder.party == case.party_id}
    if declared.reach == "own":
        return {holder.officer for holder in holders if holder.officer in (case.opened_by_id, case.handler_id)}
    return _nearest(holders)


def _nearest(holders: Sequence[_Holder]) -> set[int]:
    nearest = max((len(holder.path) for holder in holders), default=0)
    return {holder.officer for holder in holders if len(holder.path) == nearest}
