"""The lights: what a colour beside a case says, always with a word and a shape of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from anlan.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Light:
    """`key` names the colour and the shape (css class and icon); `word` is what it says."""

    key: str
    word: Text


LATE = Light("late", Text(zh="超期", en="Late"))
SOON = Light("soon", Text(zh="即将到期", en="Due soon"))
ON_TIME = Light("ok", Text(zh="期限内", en="In time"))
HUNG = Light("hung", Text(zh="挂账", en="Hung"))
PAUSED = Light("paused", Text(zh="暂停计时", en="Paused"))
RETURNED = Light("returned", Text(zh="退回", en="Returned"))
CLOSED = Light("closed", Text(zh="已结", en="Closed"))
NO_LIMIT = Light("none", Text(zh="无时限", en="No deadline"))


class Timed(Protocol):
    """What a light is read from: a case, or anything with the same clocks."""

    closed_at: datetime | None
    warn_at: datetime | None
    due_at: datetime | None
    paused: bool
    hung: bool


def light_of(case: Timed, *, now: datetime) -> Light:
    """The light of a case at a moment. Hung and paused cases are grey: their clock stands still."""
    if case.closed_at is not None:
        return CLOSED
    if case.hung:
        return HUNG
    if case.paused:
        return PAUSED
    if case.due_at is None:
        return NO_LIMIT
    if case.due_at < now:
        return LATE
    return SOON if case.warn_at is not None and case.warn_at <= now else ON_TIME


@dataclass(frozen=True, slots=True)
class ClockLine:
    """A clock as a line: where warn, due and now stand between its start and its end, in per cent."""

    title: Text
    started_at: datetime
    warn_at: datetime | None
    due_at: datetime
    now: datetime
    light: Light
    provisional: bool = False

    def _share(self, moment: datetime) -> float:
        end = max(self.due_at, self.now)
        whole = (end - self.started_at).total_seconds() or 1.0
        return round(min(100.0, max(0.0, (moment - self.started_at).total_seconds() / whole * 100)), 1)

    @property
    def now_at(self) -> float:
        return self._share(self.now)

    @property
    def warn_share(self) -> float | None:
        return None if self.warn_at is None else self._share(self.warn_at)

    @property
    def due_share(self) -> float:
        return self._share(self.due_at)
