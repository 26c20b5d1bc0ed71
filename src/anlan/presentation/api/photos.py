"""Photos: looked at and kept first, then named by id in the report or act they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Q
from django.http import FileResponse
from ninja import File, Form, Query, Schema, Status
from ninja.files import UploadedFile

from anlan.casework import cases
from anlan.intake import photos
from anlan.intake.models import Photo, Report
from anlan.presentation.api import found
from anlan.presentation.api.frame import Noun
from anlan.presentation.web.frame import Asked

router = Noun("photos")


class PhotoKept(Schema):
    id: UUID
    digest: str
    width: int
    height: int
    stage: str
    taken_at: datetime | None
    lon: float | None
    lat: float | None


class Wanted(Schema):
    size: Literal["full", "small"] = "full"


@router.post("", response={201: PhotoKept})
def keep(request: Asked, file: File[UploadedFile], stage: Form[Literal["before", "after"]] = "before") -> Any:
    """Keep a photo (multipart: `file`, `stage`), at most 12 MB; its id goes into an act or a report."""
    content = file.read()
    photo = photos.keep(content, file.name or "", stage=stage, by=request.user, at=request.at)
    return Status(201, {name: getattr(photo, name) for name in PhotoKept.model_fields})


@router.get("/{photo_id}", response={200: None})
def one(request: Asked, photo_id: UUID, given: Query[Wanted]) -> Any:
    """The picture itself, as JPEG: one's own, or one of a case or report within reach."""
    seen_cases = cases.visible(request.reach).filter(case_photos__photo=photo_id)
    reports = Report.objects.filter(request.reach.q("reports.see", owner="by"))
    mine = Q(by=request.user) | Q(case_photos__case__in=seen_cases.values("pk")) | Q(report__in=reports.values("pk"))
    photo = Photo.objects.filter(mine, pk=photo_id).first()
    if photo is None:
        raise found.Unknown(photo_id, "photo")
    return FileResponse(photos.path(photo, given.size).open("rb"), content_type="image/jpeg")
