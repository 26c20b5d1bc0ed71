"""Photos, served to those who may see the case or the report they belong to."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.http import FileResponse, HttpResponseBase

from anlan.casework.cases import visible
from anlan.casework.models import CasePhoto
from anlan.intake import photos
from anlan.intake.models import Photo
from anlan.presentation.permissions import SIGNED_IN, NotFound, needs
from anlan.presentation.web.frame import Asked

SIZES: dict[str, photos.Size] = {"full": "full", "small": "small"}
A_DAY = 86_400


@needs(SIGNED_IN)
def photo(request: Asked, photo_id: UUID, size: str) -> HttpResponseBase:
    """One photo as JPEG. A photo never changes, so the browser may keep it for a day."""
    found = Photo.objects.select_related("report").filter(pk=photo_id).first()
    if found is None or size not in SIZES or not _may_see(request, found):
        raise NotFound
    response = FileResponse(photos.path(found, SIZES[size]).open("rb"), content_type=found.mime)
    response.headers["Cache-Control"] = f"private, max-age={A_DAY}, immutable"
    response.headers["Content-Disposition"] = "inline"
    return response


def _may_see(request: Asked, found: Photo) -> bool:
    if found.by_id == request.user.pk:
        return True
    reach, report = request.reach, found.report
    if report is not None and reach.may("reports.see"):
        owners = (report.by_id,)
        if reach.covers("reports.see", area_path=report.area_path, owners=owners):
            return True
    if not reach.may("cases.see"):
        return False
    shown = CasePhoto.objects.filter(photo=found).values("case")
    return visible(reach).filter(Q(pk__in=shown)).exists()
