"""Which pictures were given before: found again by their bytes, or by a print that hardly differs.

Quick among millions: only what shares the digest or a whole part of the print is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
from django.db import connection

from anlan.casework.models import CasePhoto
from anlan.intake.models import Photo
from anlan.intake.photo_print import PARTS, SAME_BITS
from anlan.ledger.models import Event
from anlan.ledger.order import Position

_ASKED: Final = 5000


class Given(NamedTuple):
    """A photo as it was shown with a case, by the event that brought it, which stands in the ledger at `position`."""

    position: Position
    photo: UUID
    case: UUID
    stage: str
    digest: str


class Earlier(NamedTuple):
    """When the same picture was given first: with which case, and whether it is the same to the byte."""

    case: UUID
    exact: bool


def alike(prints: Sequence[int], among: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each pair (place in `prints`, place in `among`) that is of one picture, once. Prints as a database keeps them."""
    asked, known = np.array(prints, dtype=np.int64), np.array(among, dtype=np.int64)
    for turn, mask in enumerate(PARTS):
        holding: dict[int, list[int]] = {}
        for place, part in enumerate((known & mask).tolist()):
            holding.setdefault(part, []).append(place)
        for place, part in enumerate((asked & mask).tolist()):
            there = np.array(holding.get(part, ()), dtype=np.intp)
            apart = known[there] ^ asked[place]
            found = np.bitwise_count(apart.view(np.uint64)) <= SAME_BITS
            for earlier in PARTS[:turn]:  # a pair with that part in common was told already
                found &= (apart & earlier) != 0
            for other in there[found].tolist():
                yield place, other


def earlier(mine: Iterable[Given]) -> dict[tuple[Position, UUID], Earlier]:
    """For each giving whose picture had been given before, with another case or before the fix on the same one, the
    first such time. Only what stands earlier in the ledger counts, so that nothing that comes later changes an answer.

    One upload that is seen with two cases (a report that both answer) was given once.
    """
    givings = list(mine)
    photos = {each.photo for each in givings}
    same = _same(photos)
    shown: dict[UUID, list[Given]] = {}
    for each in given({other for others in same.values() for other in others}):
        shown.setdefault(each.photo, []).append(each)
    found = {}
    for one in givings:
        before = [each for other in same.get(one.photo, ()) for each in shown.get(other, ()) if _counts(each, one)]
        if before:
            first = min(before)
            found[one.position, one.photo] = Earlier(first.case, first.digest == one.digest)
    return found


def given(photos: Iterable[UUID]) -> list[Given]:
    """Every time these photos were shown with a case, in no order."""
    columns = ("event", "photo", "case", "photo__stage", "photo__digest")
    rows = [row for some in parts(photos) for row in CasePhoto.objects.filter(photo__in=some).values_list(*columns)]
    at = positions({row[0] for row in rows})
    return [Given(at[event], *rest) for event, *rest in rows if event in at]


def positions(events: Iterable[UUID]) -> dict[UUID, Position]:
    """Where these events stand in the ledger."""
    found = (Event.objects.filter(id__in=some).values_list("id", "tx", "seq") for some in parts(events))
    return {event: (tx, seq) for rows in found for event, tx, seq in rows}


def _counts(other: Given, one: Given) -> bool:
    if other.position >= one.position or other.photo == one.photo:
        return False
    return other.case != one.case or (one.stage == "after" and other.stage == "before")


def _same(photos: set[UUID]) -> dict[UUID, set[UUID]]:
    """The photos that are of the same picture as each of these."""
    rows = [
        row for some in parts(photos) for row in Photo.objects.filter(pk__in=some).values_list("pk", "digest", "look")
    ]
    found: dict[UUID, set[UUID]] = {pk: set() for pk, _, _ in rows}
    holding: dict[str, set[UUID]] = {}
    for some in parts({digest for _, digest, _ in rows}):
        for pk, digest in Photo.objects.filter(digest__in=some).values_list("pk", "digest"):
            holding.setdefault(digest, set()).add(pk)
    for pk, digest, _ in rows:
        found[pk] |= holding[digest]
    asked = [(pk, look) for pk, _, look in rows if look is not None]
    known = list(_sharing({look for _, look in asked}).items())
    for one, other in alike([look for _, look in asked], [look for _, look in known]):
        found[asked[one][0]].add(known[other][0])
    return found


def _sharing(looks: set[int]) -> dict[UUID, int]:
    """The print of each photo that shares a part with one of these. The masks stand in the words of the question, as
    they do in those of the indexes: a database goes by an index only where it reads the same.
    """
    found: dict[UUID, int] = {}
    with connection.cursor() as cursor:
        for mask in PARTS:
            for some in parts({look & mask for look in looks}):
                there = ", ".join(map(str, some))
                cursor.execute(f"SELECT id, look FROM intake_photo WHERE (look & {mask}) IN ({there})")  # noqa: S608
                found.update((each if isinstance(each, UUID) else UUID(each), look) for each, look in cursor)
    return found


def parts(what: Iterable[Any]) -> Iterator[list[Any]]:
    """As many at once as one question may name."""
    every = list(what)
    for start in range(0, len(every), _ASKED):
        yield every[start : start + _ASKED]
