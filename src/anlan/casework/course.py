"""What whoever reported reads of their case: what has happened, what comes next and by when. No person is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from anlan.casework import engine
from anlan.casework.draft import Draft, from_events, pasts
from anlan.casework.engine import MOVED, OPENED, Run, Standing
from anlan.casework.models import Case
from anlan.casework.plan import Plan
from anlan.casework.procedure import Act, Clock, Length, Outcome, Stage
from anlan.kernel.text import Text
from anlan.kernel.workdays import Calendar
from anlan.ledger.models import Event
from anlan.places import register
from anlan.places.models import Department
from anlan.places.role import all_roles

_ONWARD = ("move", "assign", "resume")
_ASIDE = ("refused", "void", "merged", "escalated")


@dataclass(frozen=True, slots=True)
class Passed:
    """One thing that happened: its sentence, what was said with it for the reporter to read, photos of the fix.

    `stage` and `outcome` are those of the step it led to; `event` is what is told.
    """

    at: datetime
    text: Text
    said: tuple[tuple[Text, str], ...] = ()
    photos: tuple[UUID, ...] = ()
    stage: Stage = "intake"
    outcome: Outcome = ""
    event: UUID | None = None


@dataclass(frozen=True, slots=True)
class Until:
    """A date the reporter may count on: statutory or promised. `due_at` None: it has not begun to run, and will last
    `length`; `paused`: it rests."""

    title: Text
    kind: str
    due_at: datetime | None
    length: Length
    from_step: Text
    paused: bool = False
    provisional: bool = False


def passed(draft: Draft, events: Sequence[Event]) -> list[Passed]:
    """What has happened, oldest first."""
    return _walked(draft.plan, engine.stand(draft.plan, (), draft.calendar), draft.calendar, events)


def walked(case: Case, events: Sequence[Event]) -> tuple[Draft, list[Passed]]:
    """The case as it stands, and what has happened, in one walk: to be read, not to be worked on."""
    draft = from_events(case, ())
    return draft, _walked(draft.plan, draft.now, draft.calendar, events)


def _walked(plan: Plan, now: Standing, calendar: Calendar, events: Sequence[Event]) -> list[Passed]:
    """Takes the events into `now`, one by one."""
    lines = []
    for event, past in ((each, pasts([each])) for each in events):
        if not past:
            continue
        engine.go_on(plan, now, past[0], calendar)
        line = _line(plan, now, event)
        if line is not None:
            lines.append(line)
    return lines


def _line(plan: Plan, now: Standing, event: Event) -> Passed | None:
    step = plan.procedure.steps[now.step]
    if event.kind == OPENED:
        return Passed(event.at, step.public, stage=step.stage, outcome=step.outcome, event=event.id)
    if event.kind != MOVED:
        return None
    act = plan.acts[event.data["act"]]
    if act.public is None and not act.to:
        return None
    photos = tuple(UUID(each) for each in event.data.get("photos") or ()) if act.fixes else ()
    said = tuple(_said(act, event))
    return Passed(event.at, act.public or step.public, said, photos, step.stage, step.outcome, event.id)


def _said(act: Act, event: Event) -> Iterator[tuple[Text, str]]:
    fields = event.data.get("fields") or {}
    for field in act.fields:
        if field.public and isinstance(fields.get(field.key), str):
            yield field.label, fields[field.key]


def following(draft: Draft) -> Text | None:
    """What comes next when all goes well, in plain words; None at the end."""
    plan, steps = draft.plan, draft.plan.procedure.steps
    if draft.now.outcome:
        return None
    for name in plan.acts_at[draft.now.step]:
        act = plan.acts[name]
        if act.effect in _ONWARD and act.to in steps and steps[act.to].outcome not in _ASIDE:
            return steps[act.to].ahead or steps[act.to].title
    return None


def dates(draft: Draft) -> list[Until]:
    """The statutory and the promised dates that are still ahead of the case, or past and not met."""
    if draft.now.outcome:
        return []
    found = []
    for run, clock in zip(draft.now.clocks, draft.plan.clocks, strict=True):
        if clock.kind != "internal" and run.state != "stopped":
            found.append(_until(draft, run, clock))
    return found


def _until(draft: Draft, run: Run, clock: Clock) -> Until:
    begun = run.state != "waiting"
    n = draft.now.lengths.get(run.key) or draft.plan.length(run.index, draft.now.topic)
    length = clock.length.model_copy(update={"n": n})
    first = draft.plan.procedure.steps[clock.runs[0]].title
    due = run.due_at if begun else None
    return Until(clock.title, clock.kind, due, length, first, run.state == "paused", run.provisional)


def office(draft: Draft) -> Text | None:
    """Who is responsible now: the department that leads, else the post that owns the step; an office, not a person."""
    now = draft.now
    if now.outcome:
        return None
    if now.lead is not None:
        lead = register.current().rows(Department.objects.all(), [now.lead])[now.lead]
        return Text(zh=lead.name_zh, en=lead.name_en)
    owner = draft.plan.procedure.steps[now.step].owner
    roles = all_roles()
    titles = [roles[role].title for role in (owner.roles if owner else ()) if role in roles]
    return titles[0] if titles else None
