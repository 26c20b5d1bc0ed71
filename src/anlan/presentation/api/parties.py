"""Parties 责任主体: who answers for sites. Their contacts are personal data and never listed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Query, Schema, Status
from pydantic import Field

from anlan.places import parties
from anlan.places.models import Party
from anlan.places.scope import under
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Id, Line, Noun, Short
from anlan.presentation.api.shapes import AreaName, Given, Listing, Paging, area_name, listed
from anlan.presentation.web.frame import Asked

router = Noun("parties")
Name = Annotated[str, Field(min_length=1, max_length=120)]
Code = Annotated[str, Field(max_length=30)]
Contact = Annotated[dict[Short, Annotated[str, Field(max_length=200)]], Field(max_length=20)]


class PartyRow(Schema):
    id: int
    kind: str
    name: str
    official_code: str
    area: AreaName


class PartyFilters(Paging):
    area: Short = ""
    q: Line = ""


class NewParty(Given):
    """`contact` is personal data: kept encrypted, and erased after `keep_until`."""

    kind: Literal["enterprise", "landlord", "trader", "institution", "person"]
    name: Name
    area: Short
    official_code: Code = ""
    contact: Contact | None = None
    keep_until: Day | None = None


class PartyChange(Given):
    name: Name | None = None
    official_code: Code | None = None
    contact: Contact | None = None
    keep_until: Day | None = None


def row(party: Party) -> dict[str, Any]:
    return {
        "id": party.pk,
        "kind": party.kind,
        "name": party.name,
        "official_code": party.official_code,
        "area": area_name(party.area),
    }


@router.get("", response=Listing[PartyRow])
def list_(request: Asked, given: Query[PartyFilters]) -> Any:
    """The parties within reach."""
    query = found.parties_within(request.reach, "sites.see")
    if given.area:
        query = query.filter(under(found.area(request, given.area, "sites.see").path, "area__path"))
    if given.q:
        query = query.filter(name__icontains=given.q)
    return listed(request, query, given, order=("pk",), show=row)


@router.post("", response={201: PartyRow})
def create(request: Asked, given: NewParty) -> Any:
    """A new party."""
    made = parties.create(
        kind=given.kind,
        name=given.name,
        area=found.area(request, given.area, "sites.edit"),
        official_code=given.official_code,
        contact=given.contact,
        keep_until=given.keep_until,
        by=request.user,
        at=request.at,
    )
    return Status(201, row(made))


@router.get("/{party_id}", response=PartyRow)
def one(request: Asked, party_id: Id) -> Any:
    """One party."""
    return row(found.party(request, party_id, "sites.see"))


@router.patch("/{party_id}", response=PartyRow)
def change(request: Asked, party_id: Id, given: PartyChange) -> Any:
    """Correct a party; what is not given stays."""
    party = found.party(request, party_id, "sites.edit")
    return row(parties.change(party, by=request.user, at=request.at, **given.model_dump(exclude_unset=True)))
