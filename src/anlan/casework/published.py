"""公开: what was found and what was fixed, as anybody may see it: what, in which village, since when. Never who told
it, whose place it is, or what was written.

A case at somebody's site, or on somebody's hands, is placed in its village and no nearer; others to about a hundred
metres. Of a sensitive topic only the number is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db.models import Q, QuerySet

from anlan.casework.draft import plan_of
from anlan.casework.models import OPEN, Case
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.places.areas import ancestors
from anlan.places.scope import under

SINCE: Final = timedelta(days=365)
_ABOUT_100_M: Final = 3
VILLAGE: Final = 3
"""How many levels of the tree may be told: county, township, village. A grid is a few houses."""
_COLUMNS: Final = (
    "pk topic area_path lon lat site party opened_at closed_at procedure edition step".split()
)  # fmt: skip
_NOTHING_THERE: Final = ("refused", "void", "merged")

State = Literal["", "open", "fixed"]
STATES: Final[dict[State, Q]] = {
    "": Q(),
    "open": OPEN,
    "fixed": Q(closed_at__isnull=False, outcome__in=("cured", "answered", "escalated")),
}


@dataclass(frozen=True, slots=True)
class Published:
    """One case as it is told to everybody. `lon` and `lat` are rounded, and None where only the village is told;
    `words` say in plain words where it stands; `days` is how many days it took, or has taken.
    """

    topic: str
    area_path: str
    lon: float | None
    lat: float | None
    opened_at: datetime
    closed_at: datetime | None
    days: int
    words: Text


def cases(area_path: str, *, at: datetime, state: State = "", topic: str = "") -> QuerySet[Case]:
    """The cases below an area that may be told, with no more columns than are needed to tell them."""
    told = _told(area_path, at).filter(STATES[state], topic__in=_open_topics(topic))
    return told.only(*_COLUMNS)


def number_untold(area_path: str, *, at: datetime) -> int:
    """How many cases there are below an area of which nothing but their number is told."""
    hidden = [key for key, topic in catalogue.current().all(TOPICS).items() if topic.sensitive]
    return _told(area_path, at).filter(topic__in=hidden).count() if hidden else 0


def _told(area_path: str, at: datetime) -> QuerySet[Case]:
    """What somebody reported in the last year and what was something."""
    rows = Case.objects.filter(under(area_path), opened_at__gte=at - SINCE, reports_count__gte=1)
    return rows.exclude(outcome__in=_NOTHING_THERE)


def _open_topics(topic: str) -> list[str]:
    topics = catalogue.current().all(TOPICS)
    return [key for key, each in topics.items() if not each.sensitive and topic in ("", key)]


def shown(found: Sequence[Case], *, at: datetime) -> list[Published]:
    """These cases as they are told. No query."""
    return [_shown(case, at) for case in found]


def _shown(case: Case, at: datetime) -> Published:
    private = case.site_id is not None or case.party_id is not None
    exact = not private and case.lon is not None and case.lat is not None
    return Published(
        topic=case.topic,
        area_path=ancestors(case.area_path)[:VILLAGE][-1],
        lon=round(case.lon, _ABOUT_100_M) if exact and case.lon is not None else None,
        lat=round(case.lat, _ABOUT_100_M) if exact and case.lat is not None else None,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        days=((case.closed_at or at) - case.opened_at).days,
        words=plan_of(case).procedure.steps[case.step].public,
    )
