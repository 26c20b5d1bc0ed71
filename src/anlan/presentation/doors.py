"""门口状态: every way in and out, and every loop behind it, for the page and for `anlan doors`.

Another kind of door is a function in `DOORS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from anlan.intake import doors
from anlan.intake.doors import Door, State
from anlan.kernel.text import Text
from anlan.ledger import follow
from anlan.ledger.models import Cursor
from anlan.presentation.followers import FOLLOWERS

BEHIND: Final = 5000
"""So many unread events are more than a loop clears between two looks."""
ASLEEP: Final = timedelta(minutes=5)

TITLES: Final = {
    "cases": Text(zh="立案", en="Opening cases"),
    "moves": Text(zh="事项流转", en="Moves of cases"),
    "deadlines": Text(zh="时限", en="Deadlines"),
    "counters": Text(zh="计数", en="Counters"),
    "notices": Text(zh="提醒", en="Notices"),
    "doors": Text(zh="门口计数", en="Counting at the doors"),
}
WORDS: Final[dict[State, Text]] = {
    "well": Text(zh="正常", en="Well"),
    "held": Text(zh="有待核", en="Held"),
    "silent": Text(zh="没有来件", en="Silent"),
    "stuck": Text(zh="积压", en="Behind"),
    "never": Text(zh="未用过", en="Never used"),
}
WORST: Final[tuple[State, ...]] = ("stuck", "silent", "held", "well", "never")


def channels(at: datetime) -> Sequence[Door]:
    """The channels by which messages come in."""
    return doors.look(at=at)


def loops(at: datetime) -> Iterator[Door]:
    """Who reads on in the ledger: what is not read yet has not become a case, a deadline or a notice."""
    moved = dict(Cursor.objects.values_list("name", "moved_at"))
    for name in FOLLOWERS:
        oldest = follow.oldest_unread(name)
        yield _loop(name, follow.lag(name) if oldest else 0, oldest, moved.get(name), at)


def _loop(name: str, behind: int, oldest: datetime | None, moved_at: datetime | None, at: datetime) -> Door:
    stands = oldest is not None and at - oldest > ASLEEP
    state: State = "stuck" if stands or behind > BEHIND else "well"
    says = Text(
        zh=f"还有 {behind} 个事件没有处理：请确认 anlan work 在运行。",
        en=f"{behind} events are not dealt with yet: see that anlan work is running.",
    )
    title = TITLES.get(name, Text(zh=name, en=name))
    return Door(
        key=f"loop:{name}", title=title, kind="loop", last_at=moved_at, hour=0, day=0, usual=0.0, held=behind,
        held_since=oldest, delay=None, state=state, says=says if state == "stuck" else None,
    )  # fmt: skip


DOORS: Final[tuple[tuple[Text, Callable[[datetime], Sequence[Door] | Iterator[Door]]], ...]] = (
    (Text(zh="来件渠道", en="Channels"), channels),
    (Text(zh="后台循环", en="Loops"), loops),
)


def every(*, at: datetime) -> list[tuple[Text, list[Door]]]:
    """The doors by group, the worst of each group first."""
    return [(title, sorted(look(at), key=lambda door: (WORST.index(door.state), door.key))) for title, look in DOORS]


def are_well(groups: Sequence[tuple[Text, Sequence[Door]]]) -> bool:
    """Whether nothing is stuck or silent. What is held waits for people and is no fault of a door."""
    return not any(door.state in ("stuck", "silent") for _, group in groups for door in group)
