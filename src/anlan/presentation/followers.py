"""Every consequence in the system: who reads on in the ledger, and what they do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from anlan.casework import (
    alarms,
    clocks,
    counters,
    feeds,
    forwards,
    later,
    moves,
    notices,
    pushes,
    remarks,
    triage,
    watching,
)
from anlan.intake import additions, doors, receipts
from anlan.ledger import follow
from anlan.ledger.models import Event

# Counting a case costs the same for one event of it as for all, so a large batch is much the cheaper.
BATCH = 2000

FOLLOWERS: dict[str, Callable[[Sequence[Event]], None]] = {
    "cases": triage.follow,
    "alarms": alarms.follow,
    "additions": additions.follow,
    "moves": moves.follow,
    "deadlines": clocks.follow,
    "counters": counters.count,
    "notices": notices.tell,
    "doors": doors.count,
    "receipts": receipts.follow,
    "remarks": remarks.follow,
    "pushes": pushes.follow,
    "later": later.follow,
    "forwards": forwards.follow,
    "watches": watching.follow,
}


def advance(*, at: datetime) -> int:
    """One batch for each follower; how many events were read in all."""
    everybody = {**FOLLOWERS, **feeds.followers()}
    return sum(follow.advance(name, handle, at=at, batch=BATCH) for name, handle in everybody.items())


def drain(*, at: datetime) -> int:
    """Everything there is to read, for every follower; how many events were read in all."""
    done = 0
    while step := advance(at=at):
        done += step
    return done
