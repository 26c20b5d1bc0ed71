"""Areas: the tree of a day, one area, and the changes of the tree."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.db.models import Q, QuerySet
from ninja import Query, Schema, Status
from pydantic import Field

from anlan.places import areas, seams
from anlan.places.models import Area
from anlan.places.record import day_of
from anlan.places.scope import under, within
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Line, Noun, Short
from anlan.presentation.api.shapes import Given, Listing, Paging, Said, Words, listed, name_of, text_of
from anlan.presentation.web.frame import Asked

router = Noun("areas")
Level = Literal["province", "prefecture", "county", "township", "village", "grid"]
Code = Annotated[str, Field(pattern=r"^[0-9a-z]{1,30}$")]


class AreaRow(Schema):
    code: str
    path: str
    level: str
    name: Words
    parent: str
    calendar: str
    valid_from: Any
    valid_to: Any


class AreaWhole(AreaRow):
    boundary: dict[str, Any] | None


class Shared(Schema):
    """Ground that two areas both hold, in square metres, and a point in it (WGS-84)."""

    one: str
    other: str
    square_metres: float
    lon: float
    lat: float


class Hole(Schema):
    """Ground that no area below holds, in square metres, and a point in it (WGS-84)."""

    square_metres: float
    lon: float
    lat: float


class Fit(Schema):
    """How the areas directly below fit together; `undrawn` are the codes of those without a boundary."""

    overlaps: list[Shared]
    holes: list[Hole]
    undrawn: list[str]


class AreaFilters(Paging):
    """The tree as it stood on `day` (today if not given); `under` is a code, `level` one level, `q` a name."""

    day: Day | None = None
    under: Short = ""
    level: Level | Literal[""] = ""
    q: Line = ""


class OnDay(Schema):
    day: Day | None = None


class NewArea(Given):
    code: Code
    level: Level
    name: Said
    parent: Code
    valid_from: Day | None = None
    boundary: dict[str, Any] | None = None
    calendar: Annotated[str, Field(max_length=40)] = ""


class AreaChange(Given):
    """What is corrected; what is not given stays. For a new name from a day on, see rename."""

    name: Said | None = None
    boundary: dict[str, Any] | None = None
    calendar: Annotated[str, Field(max_length=40)] | None = None


class Renaming(Given):
    name: Said
    day: Day | None = None


class Moving(Given):
    parent: Code
    day: Day | None = None


class Closing(Given):
    into: Code | None = None
    day: Day | None = None


def row(area: Area) -> dict[str, Any]:
    codes = area.path.rstrip("/").split("/")
    return {
        "code": area.code,
        "path": area.path,
        "level": area.level,
        "name": name_of(area),
        "parent": codes[-2] if len(codes) > 1 else "",
        "calendar": area.calendar,
        "valid_from": area.valid_from,
        "valid_to": area.valid_to,
    }


def within_on(request: Asked, given: Day | None) -> QuerySet[Area]:
    return areas.at_day(given or day_of(request.at)).filter(within(request.reach.areas("areas.see"), "path"))


@router.get("", response=Listing[AreaRow])
def list_(request: Asked, given: Query[AreaFilters]) -> Any:
    """The areas within reach on a day, parents before children."""
    query = within_on(request, given.day).defer("boundary")
    if given.under:
        top = within_on(request, given.day).filter(code=given.under).first()
        if top is None:
            raise found.Unknown(given.under, "under")
        query = query.filter(under(top.path, "path"))
    if given.level:
        query = query.filter(level=given.level)
    if given.q:
        query = query.filter(Q(name_zh__icontains=given.q) | Q(name_en__icontains=given.q) | Q(code=given.q))
    return listed(request, query, given, order=("path", "id"), show=row)


@router.post("", response={201: AreaWhole})
def create(request: Asked, given: NewArea) -> Any:
    """A new area under `parent`."""
    made = areas.create(
        given.code,
        level=given.level,
        name=text_of(given.name),
        parent=found.area(request, given.parent, "areas.edit", field="parent"),
        valid_from=given.valid_from or day_of(request.at),
        boundary=given.boundary,
        calendar=given.calendar,
        by=request.user,
        at=request.at,
    )
    return Status(201, _whole(made))


def _whole(area: Area) -> dict[str, Any]:
    return row(area) | {"boundary": area.boundary}


@router.get("/{code}", response=AreaWhole)
def one(request: Asked, code: str, given: Query[OnDay]) -> Any:
    """One area as it stood on a day, with its boundary."""
    area = within_on(request, given.day).filter(code=code).first()
    if area is None:
        raise found.Unknown(code, "area")
    return _whole(area)


@router.get("/{code}/seams", response=Fit)
def seams_(request: Asked, code: str) -> Any:
    """Where the boundaries of the areas directly below overlap, and the holes between them, the largest first."""
    fit = seams.fit(found.area(request, code, "areas.edit"), day_of(request.at))
    return {
        "overlaps": [each._asdict() for each in fit.overlaps],
        "holes": [each._asdict() for each in fit.holes],
        "undrawn": fit.undrawn,
    }


@router.patch("/{code}", response=AreaWhole)
def change(request: Asked, code: str, given: AreaChange) -> Any:
    """Correct a name, boundary or calendar that was wrong."""
    area = found.area(request, code, "areas.edit")
    name = text_of(given.name) if given.name else None
    return _whole(
        areas.change(area, name=name, boundary=given.boundary, calendar=given.calendar, by=request.user, at=request.at)
    )


@router.post("/{code}/rename", response=AreaWhole)
def rename(request: Asked, code: str, given: Renaming) -> Any:
    """A new name from a day on; earlier days keep the old one."""
    area, day = found.area(request, code, "areas.edit"), given.day or day_of(request.at)
    return _whole(areas.rename(area, text_of(given.name), day=day, by=request.user, at=request.at))


@router.post("/{code}/move", response=AreaWhole)
def move(request: Asked, code: str, given: Moving) -> Any:
    """Put an area, with all below it, under another from a day on."""
    area = found.area(request, code, "areas.edit")
    parent = found.area(request, given.parent, "areas.edit", field="parent")
    return _whole(areas.move(area, parent, day=given.day or day_of(request.at), by=request.user, at=request.at))


@router.post("/{code}/close", response=AreaWhole)
def close(request: Asked, code: str, given: Closing) -> Any:
    """End an area; what stands in it goes to `into`."""
    area = found.area(request, code, "areas.edit")
    into = found.area(request, given.into, "areas.edit", field="into") if given.into else None
    return _whole(areas.close(area, day=given.day or day_of(request.at), into=into, by=request.user, at=request.at))
