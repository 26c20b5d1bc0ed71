"""Pushes: what was pushed to the caller of police calls, received and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Schema
from pydantic import Field

from anlan.casework import pushes
from anlan.casework.models import Push
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.shapes import Given, Listing, Paging, Words, listed, words
from anlan.presentation.web.frame import Asked

router = Noun("pushes")


class PushRow(Schema):
    """`case` is the number of the case the call became, "" before there is one."""

    id: UUID
    key: str
    title: Words
    case: str
    description: str
    address: str
    area: str
    pushed_at: datetime
    due_at: datetime
    received_at: datetime | None
    answered_at: datetime | None
    answer: str
    resolved: bool | None
    late: bool


class PushFilters(Paging):
    open: bool = True


class Answering(Given):
    text: Annotated[str, Field(min_length=1, max_length=pushes.LONGEST)]
    resolved: bool


def row(push: Push) -> dict[str, Any]:
    report, case = push.call.report, push.call.case
    return {
        "id": push.pk, "key": push.key, "title": words(pushes.title_of(push)), "case": case.number if case else "",
        "description": report.description, "address": report.address, "area": report.area.code,
        "pushed_at": push.pushed_at, "due_at": push.due_at, "received_at": push.received_at,
        "answered_at": push.answered_at, "answer": push.answer, "resolved": push.resolved,
        "late": push.late_at is not None,
    }  # fmt: skip


@router.get("", response=Listing[PushRow])
def list_(request: Asked, given: Query[PushFilters]) -> Any:
    """The caller's own pushes, the most pressing first; `open` false gives those answered too."""
    mine = pushes.mine(request.user)
    if given.open:
        mine = mine.filter(answered_at=None)
    return listed(request, mine, given, order=("due_at", "id"), show=row)


@router.get("/{push_id}", response=PushRow)
def one(request: Asked, push_id: UUID) -> Any:
    """One push to the caller. Looking at it here does not receive it."""
    return row(pushes.find(push_id, request.user))


@router.post("/{push_id}/receive", response=PushRow)
def receive(request: Asked, push_id: UUID) -> Any:
    """Receive it; the first time counts."""
    pushes.receive(push_id, by=request.user, at=request.at)
    return row(pushes.find(push_id, request.user))


@router.post("/{push_id}/answer", response=PushRow)
def answer(request: Asked, push_id: UUID, given: Answering) -> Any:
    """Say what was done and whether it is settled; the same answer again changes nothing."""
    pushes.answer(push_id, given.text, resolved=given.resolved, by=request.user, at=request.at)
    return row(pushes.find(push_id, request.user))
