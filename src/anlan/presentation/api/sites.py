"""Sites 场所: the list, one, a new one, corrections."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import Q
from ninja import Query, Schema, Status
from pydantic import Field

from anlan.places import sites
from anlan.places.models import Site
from anlan.places.scope import under
from anlan.presentation.api import found
from anlan.presentation.api.frame import Id, Line, Noun, Short
from anlan.presentation.api.shapes import AreaName, Given, Listing, Named, Paging, area_name, listed
from anlan.presentation.web.frame import Asked

router = Noun("sites")
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Kind = Annotated[str, Field(max_length=40)]


class SiteRow(Schema):
    code: str
    name: str
    kind: str
    address: str
    area: AreaName
    operator: Named | None
    lon: float | None
    lat: float | None
    is_active: bool


class SiteFilters(Paging):
    area: Short = ""
    kind: Kind = ""
    q: Line = ""
    is_active: bool | None = None


class NewSite(Given):
    """Without `code` one is made that nobody can guess."""

    name: Name
    kind: Kind
    area: Short
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,30}$")] | None = None
    address: Line = ""
    operator: Id | None = None
    lon: Lon | None = None
    lat: Lat | None = None


class SiteChange(Given):
    """What is not given stays; `is_active` false closes the site."""

    name: Name | None = None
    kind: Kind | None = None
    area: Short | None = None
    address: Line | None = None
    operator: Id | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    is_active: bool | None = None


def row(site: Site) -> dict[str, Any]:
    return {
        "code": site.code,
        "name": site.name,
        "kind": site.kind,
        "address": site.address,
        "area": area_name(site.area),
        "operator": {"id": site.operator.pk, "name": site.operator.name} if site.operator else None,
        "lon": site.lon,
        "lat": site.lat,
        "is_active": site.is_active,
    }


@router.get("", response=Listing[SiteRow])
def list_(request: Asked, given: Query[SiteFilters]) -> Any:
    """The sites within reach, by area."""
    query = found.sites_within(request.reach, "sites.see")
    if given.area:
        query = query.filter(under(found.area(request, given.area, "sites.see").path))
    if given.kind:
        query = query.filter(kind=given.kind)
    if given.q:
        query = query.filter(Q(name__icontains=given.q) | Q(address__icontains=given.q) | Q(code=given.q))
    if given.is_active is not None:
        query = query.filter(is_active=given.is_active)
    return listed(request, query, given, order=("area_path", "kind", "pk"), show=row)


@router.post("", response={201: SiteRow})
def create(request: Asked, given: NewSite) -> Any:
    """Register a site."""
    made = sites.create(
        name=given.name,
        kind=given.kind,
        area=found.area(request, given.area, "sites.edit"),
        code=given.code,
        address=given.address,
        operator=found.party(request, given.operator, "sites.see", field="operator") if given.operator else None,
        lon=given.lon,
        lat=given.lat,
        by=request.user,
        at=request.at,
    )
    return Status(201, row(made))


@router.get("/{code}", response=SiteRow)
def one(request: Asked, code: str) -> Any:
    """One site, by the code on its sign."""
    return row(found.site(request, code, "sites.see"))


@router.patch("/{code}", response=SiteRow)
def change(request: Asked, code: str, given: SiteChange) -> Any:
    """Correct a site; what is not given stays."""
    site = found.site(request, code, "sites.edit")
    changes = {name: value for name, value in given.model_dump(exclude_unset=True).items() if value is not None}
    if given.area is not None:
        changes["area"] = found.area(request, given.area, "sites.edit")
    if given.operator is not None:
        changes["operator"] = found.party(request, given.operator, "sites.see", field="operator")
    return row(sites.change(site, by=request.user, at=request.at, **changes))
