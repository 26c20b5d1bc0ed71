"""What follows from an area's colours, period after period: a warning after three in red, an interview after four."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from anlan.index.rulebook.rule import Consequence, RuleTable


def running(bands: Sequence[str | None]) -> int:
    """How many periods in a row the last band has been; the oldest comes first, None where there was none."""
    if not bands or bands[-1] is None:
        return 0
    return sum(1 for _ in takewhile(lambda band: band == bands[-1], reversed(bands)))


def due(tables: Iterable[RuleTable], bands: Sequence[str | None]) -> list[Consequence]:
    """What follows now from the bands of the periods up to this one: of each table the farthest that is reached."""
    times = running(bands)
    found = []
    for table in tables:
        reached = [one for one in table.consequences if one.band == bands[-1] and one.running <= times] if times else []
        if reached:
            found.append(max(reached, key=lambda one: one.running))
    return found
