"""A procedure's own example walked with the engine alone, in memory: the pure half of what the verbs do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from anlan.casework import acts, engine
from anlan.casework.acts import Actor
from anlan.casework.engine import MOVED, OPENED, RANG, Past, Standing
from anlan.casework.plan import Plan, ready
from anlan.casework.procedure import Example, Procedure
from anlan.kernel.text import Refusal, Text
from anlan.kernel.workdays import Calendar, calendar_for

START: Final = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
"""A Monday morning in China."""


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


def rehearse(procedure: Procedure) -> list[Text]:
    """Why the example does not walk from the first step to an end as it says; empty when it does."""
    if not procedure.example:
        return [Text(zh="没有写示例 [[example]]，无法证明走得通。", en="No [[example]] proves that it can be walked.")]
    walk, people = Walk(procedure), list(dict.fromkeys(line.by for line in procedure.example))
    for number, line in enumerate(procedure.example):
        try:
            walk.do(line.act, _actor(line, people), line.data, minutes=line.minutes)
        except Refusal as refusal:
            return [_told(number, refusal.text)]
        if walk.now.step != line.leads_to:
            arrived = Text(
                zh=f"“{line.act}”之后到了“{walk.now.step}”，示例写的是“{line.leads_to}”。",
                en=f"after '{line.act}' the case stands at '{walk.now.step}', not at '{line.leads_to}'.",
            )
            return [_told(number, arrived)]
    if not walk.now.outcome:
        return [Text(zh="示例没有走到办结。", en="The example does not reach an end.")]
    return []


def _actor(line: Example, people: list[str]) -> Actor:
    """The person in the line: "handler" and "handler#2" are two people of one role."""
    role = line.by.partition("#")[0]
    departments = frozenset({int(line.department)} if line.department else ())
    return Actor(people.index(line.by), frozenset({role}), departments, role == "party")


def _told(number: int, reason: Text) -> Text:
    return Text(zh=f"example[{number}]：{reason.zh}", en=f"example[{number}]: {reason.en}")
