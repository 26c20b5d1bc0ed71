"""Deadlines in the words of their own clock: working days stay working days, minutes stay minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import floor

from anlan.casework import procedure
from anlan.casework.engine import Run, Standing
from anlan.casework.models import Case
from anlan.casework.plan import Plan, ready
from anlan.casework.procedure import Procedure
from anlan.kernel.catalogue import Basis
from anlan.kernel.text import Refusal, Text
from anlan.kernel.workdays import Calendar, Unit
from anlan.presentation.web import lights, words
from anlan.presentation.web.lights import ClockLine, Light

Calendars = Callable[[str], Calendar]
STOPPED_IN_TIME = Light("ok", Text(zh="按期完成", en="Done in time"))
STOPPED_LATE = Light("late", Text(zh="超期完成", en="Done late"))
MINUTES_IN_HOUR = 60


def time_left(due: datetime, unit: Unit, calendar: Calendar, *, now: datetime) -> Text:
    """The time to `due` in the clock's unit: "还剩 2 个工作日（11月24日 17:30）", "超期 1 天 3 小时（…）"."""
    if due < now:
        return words.time_left(due, now=now)
    left = calendar.between(now, due, unit)
    if unit == "working_days":
        return words.time_left(due, now=now, working_days=int(left) or None)
    said = _working_time(left, unit)
    if said is None:
        return words.time_left(due, now=now)
    when = words.stamp(due, now=now)
    return Text(zh=f"还剩 {said.zh}（{when.zh}）", en=f"{said.en} left ({when.en})")


def _working_time(left: float, unit: Unit) -> Text | None:
    """So many working hours or minutes; None for units that run through nights and weekends."""
    if unit not in ("working_minutes", "working_hours"):
        return None
    minutes = floor(left * (MINUTES_IN_HOUR if unit == "working_hours" else 1))
    hours, rest = divmod(max(1, minutes), MINUTES_IN_HOUR)
    zh = [f"{hours} 个工作小时"] if hours else []
    en = [words.plural(hours, "working hour")] if hours else []
    if rest:
        zh.append(f"{rest} 分钟" if hours else f"{rest} 个工作分钟")
        en.append(words.plural(rest, "minute") if hours else words.plural(rest, "working minute"))
    return Text(zh=" ".join(zh), en=" ".join(en))


def unit_of(case: Case) -> Unit:
    """The unit of the clock a case is due by."""
    try:
        clocks = procedure.of(case.procedure, case.edition).clocks
    except Refusal:
        return "minutes"
    return clocks[case.clock].length.unit if case.clock in clocks else "minutes"


def case_time(case: Case, calendars: Calendars, *, now: datetime) -> Text | None:
    """What a list says of a case's time: what is left, or None when no clock of it runs."""
    if case.closed_at is not None or case.due_at is None:
        return None
    return time_left(case.due_at, unit_of(case), calendars(case.area_path), now=now)


@dataclass(frozen=True, slots=True)
class Timed:
    """One clock of a case as its page draws it: the line, what is left in words, and where its length comes from."""

    line: ClockLine
    left: Text
    basis: Basis
    extended: float = 0.0
    unit: Unit = "minutes"

    @property
    def unchecked(self) -> bool:
        """Whether nobody has checked the source of this length yet."""
        return self.basis.mark == "U"


def lines(plan: Plan, now: Standing, calendar: Calendar, *, at: datetime) -> tuple[list[Timed], list[Timed]]:
    """The clocks that run or pause, most pressing first, and those that have stopped."""
    running: list[Timed] = []
    stopped: list[Timed] = []
    for index, run in enumerate(now.clocks):
        if run.started_at is None or run.due_at is None:
            continue
        clock = plan.clocks[index]
        ended = run.state == "stopped"
        moment = run.stopped_at if ended and run.stopped_at else at
        line = ClockLine(
            clock.title, run.started_at, run.warn_at, run.due_at, moment, _light(run, now, at), run.provisional
        )
        unit = clock.length.unit
        left = _ended(run, now=at) if ended else _left(run, unit, calendar, at)
        (stopped if ended else running).append(Timed(line, left, clock.basis, run.extended, unit))
    running.sort(key=lambda each: (each.line.light.key in ("paused", "hung"), each.line.due_at))
    return running, stopped


def _left(run: Run, unit: Unit, calendar: Calendar, at: datetime) -> Text:
    if run.state == "paused":
        since = words.stamp(run.paused_at or at, now=at)
        return Text(zh=f"自 {since.zh} 起暂停计时", en=f"paused since {since.en}")
    assert run.due_at is not None
    return time_left(run.due_at, unit, calendar, now=at)


def _ended(run: Run, *, now: datetime) -> Text:
    assert run.stopped_at is not None
    assert run.due_at is not None
    done, due = words.stamp(run.stopped_at, now=now), words.stamp(run.due_at, now=now)
    return Text(zh=f"{done.zh} 完成，期限 {due.zh}", en=f"done {done.en}, due {due.en}")


def _light(run: Run, now: Standing, at: datetime) -> Light:
    assert run.due_at is not None
    if run.state == "stopped":
        return STOPPED_LATE if run.stopped_at is not None and run.stopped_at > run.due_at else STOPPED_IN_TIME
    if run.state == "paused":
        return lights.HUNG if now.hung else lights.PAUSED
    return {"red": lights.LATE, "amber": lights.SOON}.get(run.light(at), lights.ON_TIME)


def plan_of(case: Case) -> Plan | None:
    """The plan of a case's edition; None when its declaration is gone, so that a list still shows the case."""
    try:
        return ready(procedure.of(case.procedure, case.edition))
    except Refusal:
        return None


def step_title(case: Case) -> Text:
    """Where the case stands, in words."""
    declared: Procedure | None = plan.procedure if (plan := plan_of(case)) else None
    step = declared.steps.get(case.step) if declared else None
    return step.title if step else Text(zh=case.step, en=case.step)
