"""Officers: who signs in. What they may do comes from their posts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.db.models import Q
from ninja import Query, Schema, Status
from pydantic import Field

from anlan.places import officers
from anlan.places.models import Officer
from anlan.places.scope import check_another
from anlan.presentation.api import found
from anlan.presentation.api.frame import Id, Line, Noun
from anlan.presentation.api.shapes import Given, Listing, Paging, listed
from anlan.presentation.web.frame import Asked

router = Noun("officers")
Name = Annotated[str, Field(min_length=1, max_length=60)]
Phone = Annotated[str, Field(max_length=30)]
Password = Annotated[str, Field(min_length=1, max_length=200)]


class OfficerRow(Schema):
    id: int
    username: str
    name: str
    phone: str
    language: str
    is_active: bool
    is_machine: bool


class OfficerFilters(Paging):
    q: Line = ""
    is_active: bool | None = None
    is_machine: bool | None = None


class NewOfficer(Given):
    """Without a password nobody signs in under the name; a machine calls with tokens alone."""

    username: Annotated[str, Field(min_length=2, max_length=60)]
    name: Name
    phone: Phone = ""
    language: Literal["zh", "en"] = "zh"
    is_machine: bool = False
    password: Password | None = None


class OfficerChange(Given):
    name: Name | None = None
    phone: Phone | None = None
    language: Literal["zh", "en"] | None = None
    is_active: bool | None = None


class NewPassword(Given):
    password: Password


def row(officer: Officer) -> dict[str, Any]:
    return {name: getattr(officer, name) for name in OfficerRow.model_fields if name != "id"} | {"id": officer.pk}


@router.get("", response=Listing[OfficerRow])
def list_(request: Asked, given: Query[OfficerFilters]) -> Any:
    """The officers within reach."""
    query = found.officers_within(request.reach, "officers.see")
    if given.q:
        query = query.filter(Q(name__icontains=given.q) | Q(username__icontains=given.q))
    exact = {"is_active": given.is_active, "is_machine": given.is_machine}
    query = query.filter(**{name: value for name, value in exact.items() if value is not None})
    return listed(request, query, given, order=("pk",), show=row)


@router.post("", response={201: OfficerRow})
def create(request: Asked, given: NewOfficer) -> Any:
    """A new officer, without posts yet; a password given here must be changed at the first sign-in."""
    made = officers.create(
        **given.model_dump(), must_change_password=given.password is not None, by=request.user, at=request.at
    )
    return Status(201, row(made))


@router.get("/{officer_id}", response=OfficerRow)
def one(request: Asked, officer_id: Id) -> Any:
    """One officer."""
    return row(found.officer(request, officer_id, "officers.see"))


@router.patch("/{officer_id}", response=OfficerRow)
def change(request: Asked, officer_id: Id, given: OfficerChange) -> Any:
    """Correct an officer, or let them sign in no more (`is_active` false)."""
    officer = found.own_officer(request, officer_id, "officers.edit")
    changes = {name: value for name, value in given.model_dump(exclude_unset=True).items() if value is not None}
    return row(officers.change(officer, by=request.user, at=request.at, **changes))


@router.post("/{officer_id}/password", response=OfficerRow)
def password(request: Asked, officer_id: Id, given: NewPassword) -> Any:
    """A new password, to be changed at the next sign-in; a lock is lifted."""
    officer = found.own_officer(request, officer_id, "officers.edit")
    check_another(officer, by=request.user)
    done = officers.set_password(officer, given.password, by=request.user, at=request.at, must_change=True)
    return row(done)
