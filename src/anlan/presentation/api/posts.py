"""Posts: a role held over an area, from one day to another."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Query, Schema, Status
from pydantic import Field

from anlan.places import officers
from anlan.places.models import Post
from anlan.places.role import role
from anlan.places.scope import on, under
from anlan.presentation.api import found
from anlan.presentation.api.frame import Day, Id, Noun, Short
from anlan.presentation.api.shapes import (
    AreaName,
    DepartmentName,
    Given,
    Listing,
    Named,
    OfficerName,
    Paging,
    area_name,
    department_name,
    listed,
    officer_name,
)
from anlan.presentation.web.frame import Asked

router = Noun("posts")


class PostRow(Schema):
    id: int
    officer: OfficerName
    role: str
    area: AreaName
    department: DepartmentName | None
    party: Named | None
    certificate_no: str
    certificate_until: date | None
    valid_from: date
    valid_to: date | None


class PostFilters(Paging):
    officer: Id | None = None
    role: Short = ""
    area: Short = ""
    day: Day | None = None


class NewPost(Given):
    officer: Id
    role: Annotated[str, Field(max_length=30)]
    area: Short
    department: Short | None = None
    party: Id | None = None
    certificate_no: Annotated[str, Field(max_length=40)] = ""
    certificate_until: Day | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None


class Ending(Given):
    day: Day | None = None


class Certificate(Given):
    number: Annotated[str, Field(min_length=1, max_length=40)]
    until: Day


def row(post: Post) -> dict[str, Any]:
    return {
        "id": post.pk,
        "officer": officer_name(post.officer),
        "role": post.role,
        "area": area_name(post.area),
        "department": department_name(post.department),
        "party": {"id": post.party.pk, "name": post.party.name} if post.party else None,
        "certificate_no": post.certificate_no,
        "certificate_until": post.certificate_until,
        "valid_from": post.valid_from,
        "valid_to": post.valid_to,
    }


def _within(request: Asked, action: str) -> QuerySet[Post]:
    mine = request.reach.q(action, area="area__path")
    return Post.objects.filter(mine).select_related("officer", "area", "department", "party")


def _find(request: Asked, post_id: int) -> Post:
    post = _within(request, "officers.edit").filter(pk=post_id).first()
    if post is None:
        raise found.Unknown(post_id, "post")
    return post


@router.get("", response=Listing[PostRow])
def list_(request: Asked, given: Query[PostFilters]) -> Any:
    """The posts within reach; with `day`, those held on it."""
    query = _within(request, "officers.see")
    if given.area:
        query = query.filter(under(found.area(request, given.area, "officers.see").path, "area__path"))
    if given.day:
        query = query.filter(on(given.day))
    exact = {"officer": given.officer, "role": given.role}
    query = query.filter(**{name: value for name, value in exact.items() if value})
    return listed(request, query, given, order=("pk",), show=row)


@router.post("", response={201: PostRow})
def create(request: Asked, given: NewPost) -> Any:
    """Give an officer a role over an area within reach."""
    area = found.area(request, given.area, "officers.edit")
    request.reach.check_hands_on(role(given.role).allowed, area.path)
    office = found.department(request, given.department, "officers.edit") if given.department else None
    made = officers.post(
        found.officer(request, given.officer, "officers.edit"),
        given.role,
        area,
        department=office,
        party=found.party(request, given.party, "officers.edit") if given.party else None,
        certificate_no=given.certificate_no,
        certificate_until=given.certificate_until,
        valid_from=given.valid_from,
        valid_to=given.valid_to,
        by=request.user,
        at=request.at,
    )
    return Status(201, row(made))


@router.post("/{post_id}/end", response=PostRow)
def end(request: Asked, post_id: Id, given: Ending) -> Any:
    """The post no longer holds from a day on (today if not given)."""
    return row(officers.unpost(_find(request, post_id), day=given.day, by=request.user, at=request.at))


@router.post("/{post_id}/certificate", response=PostRow)
def certify(request: Asked, post_id: Id, given: Certificate) -> Any:
    """Enter a certificate's new number and last valid day."""
    post = _find(request, post_id)
    return row(officers.renew_certificate(post, number=given.number, until=given.until, by=request.user, at=request.at))
