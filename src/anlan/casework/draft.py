"""A case in hand: its row, its history and where it stands, while something is being done to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Field

from anlan.casework import engine, procedure
from anlan.casework.engine import MOVED, OPENED, RANG, Past, Standing
from anlan.casework.models import Case
from anlan.casework.plan import Plan, ready
from anlan.kernel.ids import id_at
from anlan.kernel.workdays import Calendar
from anlan.ledger import events as ledger
from anlan.ledger.events import NewEvent, Told
from anlan.ledger.models import Event
from anlan.places import holidays

READ = (OPENED, MOVED, RANG)


@dataclass(slots=True)
class Draft:
    """What a verb works on. `new` are the events it will append; nothing is saved before the verb says so."""

    case: Case
    plan: Plan
    calendar: Calendar
    now: Standing
    keys: set[str]
    new: list[NewEvent] = field(default_factory=list)
    last: Past | None = None

    def add(self, kind: str, *, by: int | None, at: datetime, recorded_at: datetime, data: Mapping[str, Any],
            key: str | None = None, device_at: datetime | None = None) -> NewEvent:  # fmt: skip
        """One more event of this case: taken into the standing at once, appended when the draft is saved."""
        event = NewEvent(
            kind=kind, subject=self.case.id, by=by, at=at, recorded_at=recorded_at,
            area_path=self.case.area_path, key=key, data=dict(data), device_at=device_at, id=id_at(recorded_at),
        )  # fmt: skip
        self.new.append(event)
        past = Past(kind, at, by, event.data)
        engine.go_on(self.plan, self.now, past, self.calendar)
        self.last = past if kind != RANG else self.last
        return event

    def involved(self) -> set[int]:
        """The departments that lead or assist."""
        return {*self.now.assisting, *([self.now.lead] if self.now.lead else [])}

    def ring(self, *, until: datetime, recorded_at: datetime) -> int:
        """Every rung that has come due by `until`, as if the sweep had been here at that very moment."""
        rung = 0
        while True:
            waiting = engine.ticks(self.plan, self.now, self.calendar)
            if not waiting or waiting[0].at > until:
                return rung
            tick = waiting[0]
            self.add(
                RANG, by=None, at=max(tick.at, self.now.last_at or tick.at), recorded_at=recorded_at,
                key=f"{self.case.id}:{tick.clock}:{tick.rung}:{tick.due}",
                data={"clock": tick.clock, "rung": tick.rung, "due": tick.due, "tell": list(tick.tell),
                      "level": tick.level},
            )  # fmt: skip
            rung += 1

    def carry(self) -> Case:
        """Write the standing into the case's caches."""
        return carry(self.case, self.plan, self.now, self.calendar)


def pasts(events: Iterable[Event | Told]) -> list[Past]:
    """The engine's view of a case's events; kinds it does not read are left out."""
    return [Past(e.kind, e.at, e.by, e.data) for e in events if e.kind in READ]


def plan_of(case: Case) -> Plan:
    """The plan of the edition this case was opened under."""
    return ready(procedure.of(case.procedure, case.edition))


def load(case: Case) -> Draft:
    """The case with its history read and stood (one query)."""
    return from_events(case, ledger.told(case.id))


def from_events(case: Case, events: Sequence[Event] | Sequence[Told]) -> Draft:
    """The same, from events already read."""
    plan, calendar = plan_of(case), holidays.calendar_at(case.area_path)
    history = pasts(events)
    draft = Draft(case, plan, calendar, engine.stand(plan, history, calendar), {e.key for e in events if e.key})
    draft.last = next((past for past in reversed(history) if past.kind != RANG), None)
    return draft


CACHES = (
    "rev", "step", "outcome", "closed_at", "lead", "handler", "topic", "clock", "warn_at", "due_at", "provisional",
    "paused", "hung", "tick_at", "returns", "extensions", "reworks", "merged_into",
)  # fmt: skip
CHANGED = tuple(field.attname for field in map(Case._meta.get_field, CACHES) if isinstance(field, Field))
"""The same as an instance has them: a foreign key by its id."""


def carry(case: Case, plan: Plan, now: Standing, calendar: Calendar) -> Case:
    """Set every cache of `case` from its standing."""
    running = [run for run in now.clocks if run.state == "running" and run.due_at is not None]
    first = min(running, key=lambda run: str(run.due_at), default=None)
    waiting = engine.ticks(plan, now, calendar)
    case.rev, case.step, case.outcome, case.closed_at = now.rev, now.step, now.outcome, now.closed_at
    case.lead_id, case.handler_id, case.topic = now.lead, now.handler, now.topic
    case.clock = first.key if first else ""
    case.due_at, case.warn_at = (first.due_at, first.warn_at) if first else (None, None)
    case.provisional = any(run.provisional for run in running)
    case.paused = not now.outcome and (now.hung or first is None)
    case.hung = now.hung
    case.tick_at = waiting[0].at if waiting else None
    case.returns, case.extensions, case.reworks = now.returns, now.extensions, now.reworks
    case.merged_into_id = UUID(now.merged_into) if now.merged_into else None
    return case
