"""Imports: a file through the one door, and what became of its rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from ninja import File, Form, Query, Schema, Status
from ninja.files import UploadedFile

from anlan.intake import imports
from anlan.intake.models import Batch, Quarantined, Report
from anlan.presentation.api import found
from anlan.presentation.api.frame import Noun, Short
from anlan.presentation.api.reports import channel_for
from anlan.presentation.api.shapes import Listing, Paging, listed
from anlan.presentation.web.frame import Asked

router = Noun("imports")


class BatchRow(Schema):
    """One imported file and what became of its rows."""

    id: UUID
    channel: str
    file_name: str
    digest: str
    started_at: datetime
    finished_at: datetime | None
    rows: int
    received: int
    repeated: int
    quarantined: int


def row(batch: Batch) -> dict[str, Any]:
    return {name: getattr(batch, name) for name in BatchRow.model_fields}


def within(request: Asked) -> QuerySet[Batch]:
    """The caller's own batches, and those that brought something into the caller's area."""
    here = request.reach.q("imports.run")
    reports = Report.objects.filter(here, batch=OuterRef("pk"))
    held = Quarantined.objects.filter(here, batch=OuterRef("pk"))
    return Batch.objects.filter(Q(by=request.user) | Exists(reports) | Exists(held))


@router.get("", response=Listing[BatchRow])
def list_(request: Asked, given: Query[Paging]) -> Any:
    """The files imported within reach, newest first."""
    return listed(request, within(request), given, order=("-started_at", "-id"), show=row)


@router.get("/{batch_id}", response=BatchRow)
def one(request: Asked, batch_id: UUID) -> Any:
    """One imported file."""
    batch = within(request).filter(pk=batch_id).first()
    if batch is None:
        raise found.Unknown(batch_id, "batch")
    return row(batch)


@router.post("", response={201: BatchRow})
def run(request: Asked, channel: Form[Short], file: File[UploadedFile]) -> Any:
    """Import a spreadsheet (multipart: `channel`, `file`). Safe to repeat: the same row twice is one report."""
    by = channel_for(request, channel, ("sheet",))
    done = imports.take(by, file.read(), name=file.name or "", by=request.user, at=request.at, reach=request.reach)
    return Status(201, row(done.batch))
