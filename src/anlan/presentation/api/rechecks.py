"""Looking again at cases drawn by lot: the draw of an edition with what was found, and writing down what is found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Schema
from pydantic import Field

from anlan.casework import rechecks
from anlan.casework.cases import NoCase
from anlan.casework.models import Case
from anlan.places.areas import ancestors
from anlan.presentation import rechecking
from anlan.presentation.api import index as indices
from anlan.presentation.api.frame import Key, Noun, Short, client_key
from anlan.presentation.api.shapes import Given
from anlan.presentation.permissions import NotFound
from anlan.presentation.rechecking import Draw
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index.asked import Sight
from anlan.presentation.web.index.cases import seen as within_reach

router = Noun("rechecks")


class Which(Schema):
    """An edition (the last there is to see, if not given), an area (the topmost) and how many are drawn."""

    edition: Annotated[int | None, Field(ge=1, le=100_000)] = None
    area: Short = ""
    size: Annotated[int, Field(ge=1, le=rechecking.MOST)] = rechecking.SIZE


class Rate(Schema):
    """The true share of fixes, with its 90 % interval, as far as `looked` of the drawn tell."""

    share: float
    low: float
    high: float
    fixed: int
    looked: int


class Lot(Schema):
    """A case that was drawn. `case` and `number` are told to those within whose reach it lies; the rest to all."""

    lot: int
    case: UUID | None
    number: str
    fixed: bool | None
    note: str
    at: datetime | None
    times: int


class DrawRows(Schema):
    """`of` cases were told as fixed; those drawn from them follow from the seed, in the order of their lots."""

    period: str
    edition: int
    area: str
    seed: int
    of: int
    left: int
    rate: Rate | None
    rows: list[Lot]


class Found(Given):
    """What was found. `note` is needed where it is not fixed; `key` is your own id for the record."""

    fixed: bool
    note: Annotated[str, Field(max_length=rechecks.LONGEST)] = ""
    key: Key | None = None


class Recorded(Schema):
    case: UUID
    number: str
    fixed: bool
    times: int


@router.get("/{index}/{period}", response=DrawRows)
def draw(request: Asked, index: str, period: str, given: Query[Which]) -> Any:
    """The cases of an edition drawn to be looked at again, and what was found of each so far."""
    seen, drawn = _draw(request, index, period, given)
    found = drawn.found()
    mine = within_reach(request.reach, [str(each) for each in drawn.cases])
    numbers = dict(Case.objects.filter(pk__in=mine).values_list("pk", "number"))
    rows = []
    for lot, case in enumerate(drawn.cases, 1):
        said, shown = found.get(case), case in numbers
        rows.append({
            "lot": lot, "case": case if shown else None, "number": numbers.get(case, ""),
            "fixed": said.fixed if said else None, "note": said.note if said and shown else "",
            "at": said.at if said else None, "times": said.times if said else 0,
        })  # fmt: skip
    rate = drawn.rate(found)
    return {
        "period": drawn.edition.period, "edition": drawn.edition.number, "area": seen.named(drawn.area_path).code,
        "seed": drawn.seed, "of": drawn.of, "left": len(drawn.cases) - len(found), "rows": rows,
        "rate": {name: getattr(rate, name) for name in Rate.model_fields} if rate else None,
    }  # fmt: skip


@router.post("/{index}/{period}/{case_id}", response=Recorded)
def record(request: Asked, index: str, period: str, case_id: UUID, body: Found, given: Query[Which]) -> Any:
    """Write down what was found of one case that was drawn; a later record stands instead of an earlier one."""
    _, drawn = _draw(request, index, period, given)
    if case_id not in drawn.cases:
        raise NoCase
    case = rechecks.record(
        case_id, drawn.edition, fixed=body.fixed, note=body.note, by=request.user, reach=request.reach, at=request.at,
        key=client_key(request, body.key),
    )  # fmt: skip
    stands = rechecks.standing([case_id], drawn.edition)[case_id]
    return {"case": case.pk, "number": case.number, "fixed": stands.fixed, "times": stands.times}


def _draw(request: Asked, index: str, period: str, given: Which) -> tuple[Sight, Draw]:
    seen = indices.find(request, index, period, given.edition)
    paths = [path for path in seen.scores.paths if seen.sees(path)]
    if given.area:
        paths = [path for path in paths if ancestors(path)[-1].rstrip("/").rpartition("/")[2] == given.area]
    if not paths:
        raise NotFound
    return seen, rechecking.draw(seen.edition, min(paths, key=lambda path: (path.count("/"), path)), given.size)
