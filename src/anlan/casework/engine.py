"""Where a case stands: a pure function of its procedure, its history and the working calendar.

The engine reads no clock, no database and no setting. It is given values and answers with values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from anlan.casework.plan import PAUSE, RUN, STOP, Plan
from anlan.casework.procedure import BACK, Act
from anlan.kernel.workdays import Calendar

OPENED, MOVED, RANG = "case.opened", "case.moved", "case.rang"


class Past(NamedTuple):
    """One event of a case as the engine reads it."""

    kind: str
    at: datetime
    by: int | None
    data: Mapping[str, Any]


@dataclass(slots=True)
class Run:
    """One clock of a case: waiting, running, paused or stopped.

    `index` is its place in the plan; `extended` and `paused` are in the clock's unit.
    """

    key: str
    index: int
    state: str = "waiting"
    started_at: datetime | None = None
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    paused: float = 0.0
    extended: float = 0.0
    fixed: date | None = None
    due_at: datetime | None = None
    warn_at: datetime | None = None
    provisional: bool = False

    def light(self, at: datetime) -> str:
        """red late, amber due soon, green in time, grey paused or not started."""
        end = self.stopped_at or at
        if self.state in ("waiting", "paused") or self.due_at is None:
            return "grey"
        if end > self.due_at:
            return "red"
        return "amber" if self.state == "running" and self.warn_at is not None and end >= self.warn_at else "green"


@dataclass(slots=True)
class Assisting:
    """An assisting department's own part and clock."""

    department: int
    task: str
    asked_at: datetime
    due_at: datetime | None
    done_at: datetime | None = None


@dataclass(slots=True)
class Standing:
    """Everything that follows from a case's history. `rev` counts what people did, not what clocks rang."""

    step: str
    clocks: list[Run]
    topic: str = ""
    rev: int = 0
    outcome: str = ""
    opened_at: datetime | None = None
    last_at: datetime | None = None
    closed_at: datetime | None = None
    entered_at: datetime | None = None
    lead: int | None = None
    handler: int | None = None
    assisting: dict[int, Assisting] = field(default_factory=dict)
    back_to: str = ""
    hung: bool = False
    hung_ever: bool = False
    returns: int = 0
    returned_by: list[int] = field(default_factory=list)
    extensions: int = 0
    reworks: int = 0
    asked: tuple[str, float] | None = None
    done: dict[str, int] = field(default_factory=dict)
    last_by: dict[str, int | None] = field(default_factory=dict)
    handled_at: datetime | None = None
    fixed_by: set[int] = field(default_factory=set)
    registered_at: datetime | None = None
    dispatched_at: datetime | None = None
    merged_into: str = ""
    lengths: Mapping[str, float] = field(default_factory=dict)
    rang: set[tuple[str, int, str]] = field(default_factory=set)

    def clock(self, key: str) -> Run:
        return next(run for run in self.clocks if run.key == key)

    def owes(self, department: int) -> bool:
        """Whether the department was asked to assist and has not done its part yet."""
        part = self.assisting.get(department)
        return part is not None and part.done_at is None


def stand(
    plan: Plan,
    history: Iterable[Past],
    calendar: Calendar,
    *,
    seen: Callable[[Past, Standing], None] | None = None,
) -> Standing:
    """Where the case with this history stands. Same values in, same answer out.

    `seen` is shown the standing before each event is taken into it; deadlines are not settled yet there.
    """
    now = Standing(plan.first, [Run(key, index) for index, key in enumerate(plan.clock_keys)])
    for past in history:
        if seen is not None:
            seen(past, now)
        _take(plan, now, past, calendar)
    _settle(plan, now, calendar)
    return now


def go_on(plan: Plan, now: Standing, past: Past, calendar: Calendar) -> None:
    """Take one more event into a standing, in place: the same as standing anew with it at the end."""
    _take(plan, now, past, calendar)
    _settle(plan, now, calendar)


def _take(plan: Plan, now: Standing, past: Past, calendar: Calendar) -> None:
    data = past.data
    now.last_at = past.at
    if past.kind == MOVED:
        now.rev += 1
        _moved(plan, now, past, calendar)
    elif past.kind == OPENED:
        now.rev += 1
        now.opened_at = past.at
        now.topic = data.get("topic", "")
        now.lengths = data.get("lengths") or {}
        now.lead = data.get("lead")
        _enter(plan, now, plan.first, past, calendar)
    elif past.kind == RANG:
        now.rang.add((data["clock"], data["rung"], data["due"]))


def _moved(plan: Plan, now: Standing, past: Past, calendar: Calendar) -> None:
    key = past.data["act"]
    act = plan.acts[key]
    now.done[key] = now.done.get(key, 0) + 1
    now.last_by[key] = past.by
    kind = act.effect
    if kind in EFFECTS:
        EFFECTS[kind](plan, now, act, past)
    fields = past.data.get("fields")
    if fields and "topic" in fields and kind != "split":
        now.topic = fields["topic"] or now.topic
    if act.fixes:
        now.handled_at = past.at
        if past.by is not None:
            now.fixed_by.add(past.by)
    to = act.to
    if to:
        if kind != "hang":
            now.hung = False
        if to == BACK:
            to = now.back_to
        _enter(plan, now, to or now.step, past, calendar)


def _enter(plan: Plan, now: Standing, step: str, past: Past, calendar: Calendar) -> None:
    at = past.at
    now.step = step
    now.entered_at = at
    for run, op in zip(now.clocks, plan.ops[step], strict=True):
        state = run.state
        if state == "running":
            if op == PAUSE:
                run.state, run.paused_at = "paused", at
            elif op == STOP:
                _stop(plan, run, past, calendar)
        elif op == RUN:
            _start(plan, run, past, calendar)
        elif op == STOP and state == "paused":
            _stop(plan, run, past, calendar)
    now.outcome = outcome = plan.outcomes[step]
    now.closed_at = at if outcome else None
    if now.registered_at is None and step in plan.registered:
        now.registered_at = at


def _start(plan: Plan, run: Run, past: Past, calendar: Calendar) -> None:
    clock = plan.clocks[run.index]
    if run.state == "paused" and run.paused_at is not None:
        run.paused += calendar.between(run.paused_at, past.at, clock.length.unit)
        run.paused_at = None
    elif run.state == "waiting" or clock.again == "anew":
        run.started_at, run.paused, run.extended, run.fixed = past.at, 0.0, 0.0, None
    run.state, run.stopped_at = "running", None
    given = (past.data.get("fields") or {}).get(clock.due_field) if clock.due_field else None
    if given:
        run.fixed = date.fromisoformat(given)


def _stop(plan: Plan, run: Run, past: Past, calendar: Calendar) -> None:
    """A stopped clock keeps the deadline it was measured by, so that a later calendar changes nothing."""
    if run.paused_at is not None:
        run.paused += calendar.between(run.paused_at, past.at, plan.clocks[run.index].length.unit)
        run.paused_at = None
    run.state, run.stopped_at, run.warn_at, run.provisional = "stopped", past.at, None, False
    due = (past.data.get("dues") or {}).get(run.key)
    run.due_at = datetime.fromisoformat(due) if due else None


def _settle(plan: Plan, now: Standing, calendar: Calendar) -> None:
    for run in now.clocks:
        if run.state in ("running", "paused") or (run.state == "stopped" and run.due_at is None):
            _due(plan, run, now, calendar)


def _due(plan: Plan, run: Run, now: Standing, calendar: Calendar) -> None:
    clock, index = plan.clocks[run.index], run.index
    if run.started_at is None:
        return
    if run.fixed is not None:
        due = calendar.close_of(run.fixed)
        if run.extended or run.paused:
            due = calendar.add(due.at, run.extended + run.paused, clock.length.unit)
    else:
        length = now.lengths.get(run.key) or plan.length(index, now.topic)
        due = calendar.add(run.started_at, length + run.extended + run.paused, clock.length.unit)
    running = run.state == "running"
    run.due_at = due.at
    run.provisional = running and due.provisional
    run.warn_at = run.started_at + (due.at - run.started_at) * clock.warn if running else None


def dues_of(now: Standing) -> dict[str, str]:
    """The deadlines of the clocks that run, to be written with the act that may stop them."""
    return {r.key: r.due_at.isoformat() for r in now.clocks if r.due_at is not None and r.state == "running"}


# ---------------------------------------------------------------- what each effect does to the standing


def _assign(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    """Who gets the case answers for it anew: what the one before asked for is over."""
    fields = past.data.get("fields") or {}
    now.asked = None
    now.lead = fields.get("department", now.lead)
    now.handler = fields.get("officer")
    now.dispatched_at = now.dispatched_at or past.at
    _assist(plan, now, act, past)


def _assist(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    fields = past.data.get("fields") or {}
    for department, due in (past.data.get("assisting") or {}).items():
        until = datetime.fromisoformat(due) if due else None
        asked = Assisting(int(department), fields.get("task", ""), past.at, until)
        if not now.owes(asked.department):
            now.assisting[asked.department] = asked


def _assist_done(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    for department in past.data.get("departments") or ():
        part = now.assisting.get(department)
        if part is not None and part.done_at is None:
            part.done_at = past.at


def _return(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    now.returns += 1
    if now.lead is not None:
        now.returned_by.append(now.lead)
    now.lead = now.handler = now.asked = None


def _rework(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    now.reworks += 1
    now.handled_at = now.asked = None


def _ask(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    fields = past.data.get("fields") or {}
    now.asked = (past.data.get("clock", ""), float(fields.get("length", 0)))


def _grant(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    if now.asked is not None:
        key, length = now.asked
        now.clock(key).extended += length
        now.extensions += 1
    now.asked = None


def _refuse(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    now.asked = None


def _hang(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    now.hung = now.hung_ever = True
    now.back_to = now.step


def _resume(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    now.hung = False


def _merge(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    now.merged_into = (past.data.get("fields") or {}).get("case", "")


def _reopen(plan: Plan, now: Standing, act: Act, past: Past) -> None:
    now.handled_at = now.asked = None
    now.merged_into = ""


EFFECTS: dict[str, Callable[[Plan, Standing, Act, Past], None]] = {
    "assign": _assign,
    "assist": _assist,
    "assist_done": _assist_done,
    "return": _return,
    "rework": _rework,
    "ask_extension": _ask,
    "grant_extension": _grant,
    "refuse_extension": _refuse,
    "hang": _hang,
    "resume": _resume,
    "merge": _merge,
    "reopen": _reopen,
}


# ---------------------------------------------------------------- the ladder


class Tick(NamedTuple):
    """A rung that will ring, and when."""

    at: datetime
    clock: str
    rung: int
    due: str
    tell: tuple[str, ...]
    level: str


def ticks(plan: Plan, now: Standing, calendar: Calendar) -> list[Tick]:
    """The rungs of running clocks that have not rung yet, earliest first. A moved deadline arms them again."""
    waiting = []
    for index, run in enumerate(now.clocks):
        if run.state != "running" or run.due_at is None or run.started_at is None:
            continue
        clock, due = plan.clocks[index], run.due_at.isoformat()
        for number, rung in enumerate(clock.ladder):
            if (run.key, number, due) in now.rang:
                continue
            if rung.at is not None:
                moment = run.started_at + (run.due_at - run.started_at) * rung.at
            elif rung.after is not None:
                moment = calendar.add(run.due_at, rung.after.n, rung.after.unit).at
            else:
                assert rung.before is not None
                moment = _before(plan, index, run, now, rung.before.n, calendar)
            waiting.append(Tick(moment, run.key, number, due, rung.tell, rung.level))
    return sorted(waiting)


def _before(plan: Plan, index: int, run: Run, now: Standing, n: float, calendar: Calendar) -> datetime:
    assert run.started_at is not None
    assert run.due_at is not None
    if run.fixed is not None:
        return run.due_at - timedelta(days=n)
    total = (now.lengths.get(run.key) or plan.length(index, now.topic)) + run.extended + run.paused - n
    return calendar.add(run.started_at, total, plan.clocks[index].length.unit).at if total > 0 else run.started_at
