"""Exports: lists as files, with the same filters as the lists."""

from __future__ import annotations

from typing import Any, Literal

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from ninja import Query

from anlan.presentation import exports
from anlan.presentation.api import case_shapes
from anlan.presentation.api.case_shapes import CaseFilters
from anlan.presentation.api.frame import Noun
from anlan.presentation.api.reports import ReportFilters
from anlan.presentation.api.reports import narrowed as reports_narrowed
from anlan.presentation.api.shapes import Paging
from anlan.presentation.permissions import NotPermitted
from anlan.presentation.web.frame import Asked

router = Noun("export")
Form = Literal["csv", "xlsx", "jsonl"]


class CaseExport(CaseFilters):
    form: Form = "csv"


class ReportExport(ReportFilters):
    form: Form = "csv"


class EventExport(Paging):
    form: Form = "jsonl"


def _file(what: str, query: QuerySet[Any], form: Form) -> StreamingHttpResponse:
    pieces = exports.write(exports.EXPORTS[what], exports.read(query), form)
    response = StreamingHttpResponse(pieces, content_type=exports.FORMATS[form])
    response["Content-Disposition"] = f'attachment; filename="{what}.{form}"'
    return response


@router.get("/cases", response={200: None})
def cases(request: Asked, given: Query[CaseExport]) -> Any:
    """The cases of the list as a file (`form`: csv, xlsx or jsonl)."""
    rows = case_shapes.narrowed(request, given, action="cases.export")
    return _file("cases", rows.select_related("area", "lead", "site").order_by("opened_at", "id"), given.form)


@router.get("/reports", response={200: None})
def reports(request: Asked, given: Query[ReportExport]) -> Any:
    """The reports of the list as a file; nothing personal is in it."""
    if not request.reach.may("reports.see"):
        raise NotPermitted
    return _file(
        "reports", reports_narrowed(request, exports.EXPORTS["reports"].rows(request.reach), given), given.form
    )


@router.get("/events", response={200: None})
def events(request: Asked, given: Query[EventExport]) -> Any:
    """The events of the caller's area as a file."""
    return _file("events", exports.EXPORTS["events"].rows(request.reach), given.form)
