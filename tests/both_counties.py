"""The small town with people who answer for both of its counties, as those do who publish an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from anlan.kernel import catalogue
from anlan.ledger import seal
from anlan.places import officers
from anlan.presentation import facts, followers
from desk import dispatched
from index_pack import pack
from world import SHANGHAI, World, world

AFTER: Final = datetime(2026, 4, 2, 9, tzinfo=SHANGHAI)
"""When March is over."""


def town(settings: Any, folder: Path) -> World:
    """The town with data of its own; its analyst, supervisor and area lead stand over both counties."""
    settings.DATA, settings.FACTS = folder / "data", str(folder / "data/facts")
    made = world()
    for who, role in ((made.analyst, "analyst"), (made.supervisor, "supervisor"), (made.area_lead, "area_lead")):
        officers.post(who, role=role, area=made.neighbour, by=None, at=made.at)
    officers.post(made.area_lead, role="area_lead", area=made.county, by=None, at=made.at)
    return made


@contextmanager
def with_facts_of_march(settings: Any, folder: Path) -> Iterator[World]:
    """The same in April, with the small index and what it is counted from: two cases, exported."""
    made = town(settings, folder)
    with catalogue.using([pack(folder / "pack")]):
        dispatched(made)
        dispatched(made, at=made.at + timedelta(days=27), area=made.west_grid)
        exported(AFTER)
        yield made


def exported(at: datetime) -> None:
    """Everything up to now followed, sealed and exported."""
    followers.drain(at=at)
    seal.seal(at=at)
    facts.export(facts.store(), at=at)
