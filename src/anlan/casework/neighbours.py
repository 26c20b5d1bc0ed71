"""Which cases a new report may repeat: open or just closed ones of the same place, the likeliest first.

It only suggests. What two things have in common, and what that weighs, is `intake.likeness`; what is known here is
which cases are open, and what was told of each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, radians
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from anlan.casework.models import Case, CasePhoto, CaseReport
from anlan.intake import likeness, photo_print
from anlan.intake.likeness import Likely, Likeness, Told
from anlan.intake.models import Report
from anlan.intake.topic import TOPICS, Topic, propose
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.places.areas import ancestors
from anlan.places.scope import under

MOST: Final = 60
"""How many cases of one place are looked at, the last opened first."""
_NEVER: Final = datetime(1, 1, 2, tzinfo=UTC)
_METRES_A_DEGREE: Final = 111_195.0
_COLUMNS: Final = tuple("pk site address lon lat topic description opened_at closed_at merged_into".split())


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A case that a report may repeat: how likely, from 0 to 1, and why; `likely` from the declared threshold on."""

    case: UUID
    score: float
    likely: bool
    open: bool
    why: Text


def likely(report: Report, among: QuerySet[Case]) -> list[Neighbour]:
    """The cases of `among` that the report may repeat, the likeliest first; at most four queries, however many."""
    declared = likeness.in_use()
    # What was merged is left out here and not by the query, which would go by that and not by the place.
    rows = candidates(report, among.exclude(case_reports__report=report), declared)
    found = [row for row in rows if row["merged_into"] is None]
    return [
        Neighbour(
            case=found[each.place]["pk"],
            score=each.score,
            likely=each.score >= declared.threshold,
            open=found[each.place]["closed_at"] is None,
            why=likeness.say(each.found, closed_since=found[each.place]["closed_at"] is not None),
        )
        for each in compared(report, found, declared)
    ]


def compared(report: Report, rows: Sequence[dict[str, Any]], declared: Likeness) -> list[Likely]:
    """The report beside these `candidates`, as they stood when it was told, the likeliest first."""
    if not rows:
        return []
    topics = catalogue.current().all(TOPICS)
    new = _of(report, topics)
    return likeness.rank(new, _told(rows, report, photos=bool(new.photos)), declared, topics)


def candidates(report: Report, among: QuerySet[Case], declared: Likeness) -> QuerySet[Case, dict[str, Any]]:
    """The columns of the cases of the same site, address or surroundings that are open or were closed lately."""
    lately = report.told_at - timedelta(days=declared.closed_days)
    rows = among.filter(_here(report, declared), Q(closed_at=None) | Q(closed_at__gte=lately))
    # The moment is wrapped so that the database goes by the place, and not through all cases by their age.
    aged = rows.alias(_opened=Coalesce("opened_at", Value(_NEVER))).order_by("-_opened", "-pk")
    found: QuerySet[Case, dict[str, Any]] = aged.values(*_COLUMNS)[:MOST]
    return found


def _here(report: Report, declared: Likeness) -> Q:
    """The same site, the same address in the same village, or a box about the point; nothing where none is known."""
    here = Q(pk__in=[])
    if report.site_id:
        here |= Q(site=report.site_id)
    if report.address.strip():
        around = ancestors(report.area_path)
        village = around[-2] if len(around) > 1 else report.area_path
        here |= Q(under(village), address__in=_spellings(report.address))
    if report.lon is not None and report.lat is not None:
        high = declared.metres / _METRES_A_DEGREE
        wide = high / max(0.01, cos(radians(report.lat)))
        lon, lat = report.lon, report.lat
        here |= Q(lat__range=(lat - high, lat + high), lon__range=(lon - wide, lon + wide))
    return here


def _spellings(address: str) -> list[str]:
    """How the address may be written elsewhere, as far as an index can find it: as told, and without odd spaces."""
    return sorted({address, " ".join(address.split()), "".join(address.split())})


def _of(report: Report, topics: Mapping[str, Topic]) -> Told:
    """The report; where it names no topic, the first one that its words name."""
    topic = report.topic or next(iter(propose(topics, report.description, most=1)), "")
    looks = [photo.look for photo in report.photos.all()]
    return Told(
        at=report.told_at, site=report.site_id, address=report.address, lon=report.lon, lat=report.lat, topic=topic,
        text=report.description, photos=tuple(photo_print.from_column(look) for look in looks if look is not None),
    )  # fmt: skip


def _told(rows: Sequence[dict[str, Any]], report: Report, *, photos: bool) -> list[Told]:
    """The cases as things told: last told when the last report before this one was."""
    ids = [row["pk"] for row in rows]
    before = CaseReport.objects.filter(case__in=ids, report__told_at__lte=report.told_at).exclude(report=report)
    last = {link["case"]: link["last"] for link in before.values("case").annotate(last=Max("report__told_at"))}
    prints = _prints(ids) if photos else {}
    return [
        Told(
            at=last.get(row["pk"]) or row["opened_at"],
            site=row["site"], address=row["address"], lon=row["lon"], lat=row["lat"], topic=row["topic"],
            text=row["description"], photos=tuple(prints.get(row["pk"], ())), closed_at=row["closed_at"],
        )
        for row in rows
    ]  # fmt: skip


def _prints(ids: Iterable[UUID]) -> dict[UUID, list[int]]:
    """The prints of the photos that show what was wrong, by case."""
    found: dict[UUID, list[int]] = {}
    shown = CasePhoto.objects.filter(case__in=ids, photo__stage="before", photo__look__isnull=False)
    for case, look in shown.values_list("case", "photo__look"):
        if look is not None:
            found.setdefault(case, []).append(photo_print.from_column(look))
    return found
