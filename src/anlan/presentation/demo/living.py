"""What those who furnish the demo town need of its life: when something happens, and what people then do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from anlan.casework.draft import Draft
from anlan.kernel.workdays import Calendar
from anlan.presentation.demo.people import People


class Living(Protocol):
    """The town's life as it is lived."""

    @property
    def people(self) -> People: ...

    @property
    def calendar(self) -> Calendar: ...

    def plan(self, at: datetime, do: Callable[[datetime], object]) -> None:
        """Let this be done at its time."""

    def follow(self, draft: Draft, at: datetime) -> None:
        """Let people deal with a case."""
