"""What one case adds to the counts of its area: a pure function of where it stands.

The definitions are those of the field (GB/T 30428 practice; facts kept beside the shares that use them):

* Everything but the flows stands on the local day the case was opened; a flow stands on the day it happened.
* 应处置 `to_handle` = handled, and not handled though the handling clock has run out: an overdue open case counts at
  once. 应结案 `to_close` likewise with the closing clock. That a clock ran out is read in the history: its rung rang.
* 按期 `handled_in_time`: the last disposal ended by the one deadline which all disposals of a case share. A case with
  no such deadline (cured on the spot) was in time. Where a procedure has no closing clock the handling clock stands in.
* 返工: `reworked` counts cases, `reworks` times. 回退: `returned` counts cases, against the department that returned
  them; 推诿 `shuffled` are the cases returned twice or more. 延期 `extended` counts cases.
* Void and refused cases are reported, and take no part in what was to be handled or closed. A case that was merged
  before it was handled is handled as part of the other one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final, NamedTuple

from anlan.casework.engine import Run, Standing
from anlan.casework.plan import Plan
from anlan.casework.procedure import Clock
from anlan.kernel.text import Text

# Cases remember what they were counted as by the place of a column here: add new ones at the end, then count anew.
COLUMNS: Final[dict[str, Text]] = {
    "reported": Text(zh="上报数", en="Reported"),
    "valid": Text(zh="有效上报数", en="Valid reports"),
    "registered": Text(zh="立案数", en="Registered"),
    "refused": Text(zh="不予受理数", en="Refused"),
    "dispatched": Text(zh="派遣数", en="Dispatched"),
    "to_handle": Text(zh="应处置数", en="Due to be handled"),
    "handled": Text(zh="处置数", en="Handled"),
    "handled_in_time": Text(zh="按期处置数", en="Handled in time"),
    "overdue_open": Text(zh="超期未办结数", en="Open and overdue"),
    "to_close": Text(zh="应结案数", en="Due to be closed"),
    "closed": Text(zh="结案数", en="Closed"),
    "closed_in_time": Text(zh="按期结案数", en="Closed in time"),
    "voided": Text(zh="作废数", en="Voided"),
    "merged": Text(zh="并案数", en="Merged"),
    "reworked": Text(zh="返工件数", en="Cases reworked"),
    "reworks": Text(zh="返工次数", en="Times reworked"),
    "returned": Text(zh="回退件数", en="Cases returned"),
    "shuffled": Text(zh="推诿件数", en="Returned twice or more"),
    "extended": Text(zh="延期件数", en="Cases extended"),
    "hung": Text(zh="挂账数", en="Hung now"),
    "hung_ever": Text(zh="曾挂账数", en="Ever hung"),
    "opened": Text(zh="新增数", en="Opened that day"),
    "finished": Text(zh="办结数", en="Finished that day"),
}
"""The columns of a tally, with the words for them."""

TOOK: Final = tuple(f"took_{days}" for days in range(14))
"""The columns of a tally for cases that closed within a fortnight, by the days they took; longer spells stand apart."""

CLOSED: Final = ("cured", "answered", "escalated")
TIMED: Final = ("cured", "answered", "merged")
_OUT: Final = {"void": "voided", "refused": "refused", "merged": "merged"}


class Row(NamedTuple):
    """What a case adds to the columns of one department (0 is all of them), topic and day."""

    department: int
    topic: str
    day: date
    counts: dict[str, int]


class Lasted(NamedTuple):
    """How many local calendar days a case took, on the day it was opened."""

    department: int
    topic: str
    day: date
    days: int


class Contribution(NamedTuple):
    """Everything one case adds to its area; areas above, and all topics together, follow from it."""

    rows: list[Row]
    spells: list[Lasted]


def contribution(plan: Plan, now: Standing, *, local_date: Callable[[datetime], date]) -> Contribution:
    """What the case that stands so adds. `local_date` tells the day a moment falls on where the case is."""
    if now.opened_at is None:
        return Contribution([], [])
    day = local_date(now.opened_at)
    counts = _counts(plan, now)
    rows = [Row(0, now.topic, day, counts | _returns(now.returns, now.returns))]
    departments = dict.fromkeys(now.returned_by, 0) | ({} if now.lead is None else {now.lead: 0})
    for department in departments:
        own = counts if department == now.lead else {"dispatched": 1}
        rows.append(Row(department, now.topic, day, own | _returns(now.returned_by.count(department), now.returns)))
    spells: list[Lasted] = []
    if now.closed_at is not None:
        ended = local_date(now.closed_at)
        answerable = (0,) if now.lead is None else (0, now.lead)
        rows += [Row(department, now.topic, ended, {"finished": 1}) for department in answerable]
        if now.outcome in TIMED:
            spells = [Lasted(department, now.topic, day, (ended - day).days) for department in answerable]
    return Contribution(rows, spells)


def _returns(own: int, all_of_them: int) -> dict[str, int]:
    if not own:
        return {}
    return {"returned": 1, "shuffled": 1} if all_of_them > 1 else {"returned": 1}


def _counts(plan: Plan, now: Standing) -> dict[str, int]:
    counts = {"reported": 1, "opened": 1}
    outcome = now.outcome
    if now.registered_at is not None:
        counts["registered"] = 1
        if outcome not in ("void", "refused"):
            counts["valid"] = 1
    if now.dispatched_at is not None:
        counts["dispatched"] = 1
    if outcome in _OUT:
        counts[_OUT[outcome]] = 1
    if now.extensions:
        counts["extended"] = 1
    if now.hung_ever:
        counts["hung_ever"] = 1
    if outcome not in ("void", "refused"):
        _work(plan, now, counts)
    return counts


def _work(plan: Plan, now: Standing, counts: dict[str, int]) -> None:
    open_, merged = not now.outcome, now.outcome == "merged"
    closing = "close" if any(clock.counts == "close" for clock in plan.clocks) else "handle"
    handled, closed = now.handled_at is not None, now.outcome in CLOSED
    late = not handled and not merged and _ran_out(plan, now, "handle")
    late_to_close = open_ and (_ran_out(plan, now, "close") if closing == "close" else late)
    if handled or late:
        counts["to_handle"] = 1
    if now.handled_at is not None:
        counts["handled"] = 1
        if _in_time(plan, now, "handle", now.handled_at):
            counts["handled_in_time"] = 1
    if closed or late_to_close:
        counts["to_close"] = 1
    if closed and now.closed_at is not None:
        counts["closed"] = 1
        ended = now.closed_at if closing == "close" else now.handled_at or now.closed_at
        if _in_time(plan, now, closing, ended):
            counts["closed_in_time"] = 1
    if open_ and (late or late_to_close):
        counts["overdue_open"] = 1
    if open_ and now.hung:
        counts["hung"] = 1
    if now.reworks:
        counts["reworked"] = 1
        counts["reworks"] = now.reworks


def _in_time(plan: Plan, now: Standing, kind: str, ended: datetime) -> bool:
    for clock, run in zip(plan.clocks, now.clocks, strict=True):
        if clock.counts == kind and run.due_at is not None and ended > run.due_at:
            return False
    return True


def _ran_out(plan: Plan, now: Standing, kind: str) -> bool:
    for clock, run in zip(plan.clocks, now.clocks, strict=True):
        if clock.counts == kind and run.due_at is not None and late(clock, run, now, run.due_at):
            return True
    return False


def late(clock: Clock, run: Run, now: Standing, due: datetime) -> bool:
    """Whether a clock ran out: it stopped after `due`, or the rung of its end has rung."""
    if run.stopped_at is not None:
        return run.stopped_at > due
    written = due.isoformat()
    return any(
        (run.key, number, written) in now.rang
        for number, rung in enumerate(clock.ladder)
        if rung.after is not None or (rung.at is not None and rung.at >= 1)
    )
