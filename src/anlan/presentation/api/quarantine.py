"""Quarantine: messages that could not be understood, mended and sent again, or discarded with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Query, Schema
from pydantic import Field

from anlan.intake import quarantine
from anlan.intake.models import Quarantined
from anlan.presentation.api import found
from anlan.presentation.api.frame import Noun, Short
from anlan.presentation.api.reports import Reason, Receipt, Why
from anlan.presentation.api.shapes import Given, Listing, Paging, listed
from anlan.presentation.web.frame import Asked

router = Noun("quarantine")


class HeldRow(Schema):
    """A held message: as told, and every reason why it was not taken."""

    id: UUID
    channel: str
    batch: UUID | None
    row_no: int | None
    raw: dict[str, Any]
    reasons: list[Reason]
    state: str
    report: UUID | None
    held_at: datetime
    settled_at: datetime | None


class HeldFilters(Paging):
    channel: Short = ""
    batch: UUID | None = None
    state: Literal["", "held", "mended", "discarded"] = ""


class Mending(Given):
    """The cells that are changed, by column."""

    changes: Annotated[dict[str, Annotated[str, Field(max_length=20_000)]], Field(min_length=1, max_length=200)]


def row(held: Quarantined) -> dict[str, Any]:
    return {
        "id": held.pk,
        "channel": held.channel,
        "batch": held.batch_id,
        "row_no": held.row_no,
        "raw": held.raw,
        "reasons": held.reasons,
        "state": held.state,
        "report": held.report_id,
        "held_at": held.held_at,
        "settled_at": held.settled_at,
    }


def find(request: Asked, held_id: UUID, action: str) -> Quarantined:
    held = Quarantined.objects.filter(request.reach.q(action), pk=held_id).first()
    if held is None:
        raise found.Unknown(held_id, "held")
    return held


@router.get("", response=Listing[HeldRow])
def list_(request: Asked, given: Query[HeldFilters]) -> Any:
    """The held messages within reach, newest first."""
    exact = {"channel": given.channel, "batch": given.batch, "state": given.state}
    query = quarantine.visible(request.reach).filter(**{name: value for name, value in exact.items() if value})
    return listed(request, query, given, order=("-held_at", "-id"), show=row)


@router.get("/{held_id}", response=HeldRow)
def one(request: Asked, held_id: UUID) -> Any:
    """One held message."""
    return row(find(request, held_id, "quarantine.see"))


@router.post("/{held_id}/mend", response=Receipt)
def mend(request: Asked, held_id: UUID, given: Mending) -> Any:
    """Send it again with cells changed; what was told stays beside the report it became."""
    held = find(request, held_id, "quarantine.mend")
    done = quarantine.mend(held, given.changes, by=request.user, at=request.at, reach=request.reach)
    report = done.report.pk if done.report else None
    return {"report": report, "held": held.pk, "repeated": done.repeated, "reasons": []}


@router.post("/{held_id}/discard", response=HeldRow)
def discard(request: Asked, held_id: UUID, given: Why) -> Any:
    """Set it aside for good, saying why; it stays as told."""
    held = find(request, held_id, "quarantine.mend")
    return row(quarantine.discard(held, reason=given.reason, by=request.user, at=request.at))
