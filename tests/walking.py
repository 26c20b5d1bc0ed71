"""Walks a procedure with the engine alone: the pure half of what the verbs do, for example walks and random ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from anlan.casework import acts, engine
from anlan.casework.acts import Actor
from anlan.casework.engine import MOVED, OPENED, RANG, Past, Standing
from anlan.casework.plan import Plan, ready
from anlan.casework.procedure import FormField, Procedure
from anlan.kernel.workdays import Calendar, calendar_for

START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
OTHER_CASE = "01890000-0000-7000-8000-000000000001"


class Walk:
    """One case walked in memory. `now` is kept as it goes on; `again()` stands it anew from its history."""

    def __init__(self, procedure: Procedure, *, topic: str = "", calendar: str = "china") -> None:
        self.plan: Plan = ready(procedure)
        self.calendar: Calendar = calendar_for(calendar)
        self.history: list[Past] = []
        self.now: Standing = engine.stand(self.plan, (), self.calendar)
        self.at = START
        self._take(Past(OPENED, self.at, None, {"topic": topic}))

    def _take(self, past: Past) -> None:
        self.history.append(past)
        engine.go_on(self.plan, self.now, past, self.calendar)

    def ring(self, until: datetime) -> None:
        """The sweep, at `until`."""
        while (waiting := engine.ticks(self.plan, self.now, self.calendar)) and waiting[0].at <= until:
            tick = waiting[0]
            data = {"clock": tick.clock, "rung": tick.rung, "due": tick.due}
            self._take(Past(RANG, max(tick.at, self.at), None, data))

    def do(self, act: str, actor: Actor, data: Mapping[str, Any], *, minutes: int, photos: int = 3) -> None:
        """Do it after so many minutes (never before what has happened), or raise the engine's refusal."""
        at = max(self.at, self.at + timedelta(minutes=minutes))
        declared = acts.examine(self.plan, self.now, act, actor, data, photos, True)
        self.ring(at)
        whole: dict[str, Any] = {"act": act, "fields": dict(data), "dues": engine.dues_of(self.now)}
        if declared.effect == "ask_extension":
            whole["clock"] = acts.extensible(self.plan, self.now)
        if data.get("assisting"):
            whole["assisting"] = {str(department): "" for department in data["assisting"]}
        if declared.effect == "assist_done":
            whole["departments"] = sorted(actor.departments)
        self.at = at
        self._take(Past(MOVED, at, actor.id, whole))

    def again(self) -> Standing:
        """Where the case stands, from its history alone."""
        return engine.stand(self.plan, self.history, self.calendar)


def fill(wanted: FormField, department: int = 1) -> Any:
    """Something that fits the field."""
    return {
        "number": 2, "date": "2026-07-01", "yes_no": True, "department": department, "departments": [department + 1],
        "officer": 1, "case": OTHER_CASE, "topic": "other",
    }.get(wanted.type, wanted.choices[0].key if wanted.choices else "walked")  # fmt: skip
