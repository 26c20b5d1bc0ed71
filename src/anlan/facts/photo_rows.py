"""The photos of cases: by which event each was brought, and whether the same picture had been given before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from anlan.casework.models import CasePhoto
from anlan.facts import same_picture
from anlan.facts.known import Known
from anlan.facts.same_picture import Given
from anlan.ledger.models import Event
from anlan.ledger.order import Position

_COLUMNS = (
    "event", "photo", "case", "photo__stage", "photo__digest", "photo__taken_at", "photo__lon", "photo__lat",
)  # fmt: skip


class PhotoRow(NamedTuple):
    photo: str
    event: str
    case: str
    area_path: str
    topic: str
    topic_root: str
    procedure: str
    act: str
    department: str
    stage: str
    given_at: datetime
    given_date: date
    taken_date: date | None
    metres: int | None
    placed: bool
    given_before: bool
    exact: bool
    first_case: str
    valid: bool
    outcome: str
    closed_date: date | None


class Shown(NamedTuple):
    """A photo as it was brought; `first_case` had the same picture before ("": none had)."""

    photo: str
    event: str
    stage: str
    at: datetime
    taken_at: datetime | None
    point: tuple[float, float] | None
    first_case: str
    exact: bool


def shown_with(cases: Sequence[UUID], known: Known) -> dict[UUID, list[Shown]]:
    """The photos of these cases that events up to the last one read have brought, in the order of the ledger."""
    rows = list(CasePhoto.objects.filter(case__in=cases).values_list(*_COLUMNS))
    if not rows:
        return {}
    brought = _brought({row[0] for row in rows}, known.until)
    rows = [row for row in rows if row[0] in brought]
    given = {Given(brought[event][0], photo, case, stage, digest): rest
             for event, photo, case, stage, digest, *rest in rows}  # fmt: skip
    before = same_picture.earlier(given)
    events = {position: (str(event), at) for event, (position, at) in brought.items()}
    found: dict[UUID, list[Shown]] = {}
    for each, (taken_at, lon, lat) in sorted(given.items(), key=lambda item: item[0]):
        event, at = events[each.position]
        first = before.get((each.position, each.photo))
        point = None if lon is None or lat is None else (lon, lat)
        found.setdefault(each.case, []).append(
            Shown(str(each.photo), event, each.stage, at, taken_at, point,
                  str(first.case) if first else "", first is not None and first.exact)
        )  # fmt: skip
    return found


def _brought(events: set[UUID], until: Position) -> dict[UUID, tuple[Position, datetime]]:
    found: dict[UUID, tuple[Position, datetime]] = {}
    columns: tuple[Any, ...] = ("id", "tx", "seq", "at")
    for part in same_picture.parts(events):
        for event, tx, seq, at in Event.objects.filter(id__in=part).values_list(*columns):
            if (tx, seq) <= until:
                found[event] = ((tx, seq), at)
    return found
