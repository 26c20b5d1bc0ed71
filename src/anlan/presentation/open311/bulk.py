"""Every request in one file: the bulk format of GeoReport, as CSV, written while it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db.models import Q
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from anlan.casework import public
from anlan.casework.public import Known
from anlan.intake.models import Receipt
from anlan.presentation.open311 import shapes
from anlan.presentation.open311.asked import moment
from anlan.presentation.open311.frame import Call
from anlan.presentation.open311.requests import shown
from anlan.presentation.web.case_export import cell
from anlan.presentation.web.case_reports import channel_title
from anlan.presentation.web.case_rows import topic_title

HEADINGS: Final = (
    "service_request_id", "requested_datetime", "updated_datetime", "closed_date", "status_description",
    "status_notes", "source", "service_name", "service_subtype", "description", "agency_responsible", "address", "lat",
    "long",
)  # fmt: skip
_ROUND = 500


def bulk(call: Call) -> HttpResponseBase:
    """The file; `start_date` and `end_date` narrow it, as far apart as one likes."""
    start, end = moment(call.words, "start_date", call.zone), moment(call.words, "end_date", call.zone, ends=True)
    wanted = Q(requested_at__gte=start) if start else Q()
    wanted &= Q(requested_at__lte=end) if end else Q()
    response = StreamingHttpResponse(_lines(call, wanted), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="georeport.csv"'
    return response


def _lines(call: Call, wanted: Q) -> Iterator[bytes]:
    yield _line(HEADINGS)
    found = shown(call).filter(public.tells_nothing_sensitive("report__"), wanted).order_by("requested_at", "number")
    last: Receipt | None = None
    while True:
        after = Q()
        if last is not None:
            after = Q(requested_at__gt=last.requested_at) | Q(requested_at=last.requested_at, number__gt=last.number)
        some = list(found.filter(after)[:_ROUND])
        for row, known in shapes.told(call, some):
            yield _line(_cells(call, row, known))
        if len(some) < _ROUND:
            return
        last = some[-1]


def _cells(call: Call, row: dict[str, Any], known: Known) -> list[Any]:
    """A row as a spreadsheet may hold it: what somebody wrote is shown and never run."""
    told = {
        **row,
        "closed_date": call.moment(known.closed_at),
        "status_description": row["status"],
        "source": call.say(channel_title(known.report.channel)),
        "service_subtype": call.say(topic_title(known.case.topic)) if known.case and not known.sensitive else None,
    }
    return [cell(told[name]) if isinstance(told[name], str) else told[name] for name in HEADINGS]


def _line(cells: Sequence[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()
