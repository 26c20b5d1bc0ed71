"""Notices: what the caller must know about cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Schema
from pydantic import Field

from anlan.casework.models import Notice
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import Given, Listing, Paging, Words, listed
from anlan.presentation.web.frame import Asked

router = Noun("notices")


class NoticeRow(Schema):
    id: UUID
    case: UUID
    number: str
    kind: str
    text: Words
    at: datetime
    read_at: datetime | None


class NoticeFilters(Paging):
    unread: bool = True


class Reading(Given):
    notices: Annotated[list[UUID], Field(min_length=1, max_length=500)]


class Read(Schema):
    read: int


def row(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.pk,
        "case": notice.case_id,
        "number": notice.case.number,
        "kind": notice.kind,
        "text": {"zh": notice.text_zh, "en": notice.text_en},
        "at": notice.at,
        "read_at": notice.read_at,
    }


@router.get("", response=Listing[NoticeRow])
def list_(request: Asked, given: Query[NoticeFilters]) -> Any:
    """The caller's own notices, newest first."""
    mine = Notice.objects.filter(officer=request.user).select_related("case")
    if given.unread:
        mine = mine.filter(read_at__isnull=True)
    return listed(request, mine, given, order=("-at", "-id"), show=row)


@router.post("/read", response=Read)
def read(request: Asked, given: Reading) -> Any:
    """Mark one's own notices as read."""
    mine = Notice.objects.filter(officer=request.user, pk__in=given.notices, read_at__isnull=True)
    return {"read": mine.update(read_at=request.at)}
