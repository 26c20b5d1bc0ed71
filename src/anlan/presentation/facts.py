"""Where this installation keeps its facts, and the export that keeps them up to the ledger."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from anlan.facts.export import export as export_to
from anlan.facts.export import waiting
from anlan.facts.lock import Busy
from anlan.facts.manifest import Run
from anlan.facts.store import Store, open_store

logger = logging.getLogger(__name__)
MOST_EVENTS: Final = 50_000
"""So many events take a few seconds; deadlines and notices wait no longer for an export."""
BEHIND: Final = ("alarms", "pushes", "moves")
"""The followers whose tables are part of what is exported: no further than these have read."""


def store(place: str = "") -> Store:
    """The place that is named, else the one of the settings."""
    return open_store(place or settings.FACTS)


def export(into: Store, *, at: datetime, anew: bool = False) -> Run | None:
    """Bring the facts up to what the followers have read."""
    aside = settings.DATA / "facts-aside"
    return export_to(into, aside=aside, at=at, behind=BEHIND, anew=anew, keep=settings.FACTS_RUNS)


def pause() -> timedelta:
    """How often the background loop exports; nothing means never."""
    return timedelta(minutes=settings.FACTS_EVERY)


def turn(*, at: datetime, most: int = MOST_EVENTS) -> int:
    """The background loop's export; how many months it wrote. What takes longer is left to the command, and said."""
    if not settings.FACTS_EVERY:
        return 0
    into = store()
    if waiting(into, most=most) > most:
        logger.warning(
            "事实表还差 %s 个以上的事件，请执行 anlan facts export"
            " / Facts lack more than %s events; run anlan facts export",
            most,
            most,
        )
        return 0
    run = None
    with suppress(Busy):
        run = export(into, at=at)
    return 0 if run is None else max(1, len(run.months))


__all__ = ["BEHIND", "export", "pause", "store", "turn"]
