"""Run by a test as a process of its own: a town where much has happened that no loop has read yet.

With the name of a place in the counting as argument it does nothing but count, and is killed at that place.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from world import World

CASES = 250


def happen(town: World, count: int, *, now: datetime) -> None:
    """Cases opened over three weeks, most of them dispatched, some returned, some let run late."""
    from django.db import transaction

    from anlan.casework import cases
    from anlan.casework.cases import Doing, Opening

    with transaction.atomic():
        people = {
            who: (getattr(town, who), town.reach(getattr(town, who))) for who in ("triage", "dispatcher", "handler")
        }
        for number in range(count):
            at = now - timedelta(days=21 - number % 21)
            area = (town.grid, town.next_grid, town.west_grid)[number % 3]
            opening = Opening("incident", area, f"第 {number} 件", topic=("fire_exit", "manhole")[number % 2])
            case = cases.open_case(opening, by=town.triage, at=at)
            course: list[tuple[str, str, dict[str, Any]]] = [
                ("triage", "register", {}),
                ("dispatcher", "dispatch", {"department": town.housing.pk}),
                ("handler", "return", {"reason": "不归住建局管"}),
                ("dispatcher", "dispatch", {"department": town.market.pk}),
            ]
            for step, (who, act, data) in enumerate(course[: number % 5]):
                by, reach = people[who]
                cases.act(case.pk, Doing(act, data), by=by, reach=reach, at=at + timedelta(minutes=step))


def die_at(place: str) -> None:
    """Count, and be killed in the middle: nothing of what was being written may be half there."""
    from django.utils import timezone

    from anlan.casework import counters
    from anlan.ledger import follow
    from anlan.ledger.models import Cursor

    def killing(before: Callable[..., Any] | None) -> Callable[..., Any]:
        def dies(*given: Any, **named: Any) -> None:
            if before is not None:
                before(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        return dies

    if place == "tallies written":
        counters._remember = killing(None)
    elif place == "cases remembered":
        counters._remember = killing(counters._remember)
    elif place == "cursor moved":
        Cursor.save = killing(Cursor.save)  # type: ignore[method-assign]
    follow.advance("counters", counters.count, at=timezone.now(), batch=200)


if __name__ == "__main__":
    django.setup()
    if len(sys.argv) > 1:
        die_at(sys.argv[1])
    else:
        from django.utils import timezone

        from world import world

        happen(world(timezone.now() - timedelta(days=30)), CASES, now=timezone.now())
