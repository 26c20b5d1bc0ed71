"""The list of cases: every state an address, pages by key, and what may be done with many at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from anlan.casework.models import Case
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.web.case_filters import STATES, filters, narrowed
from anlan.presentation.web.case_rows import lean, named, rows_of
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import PAGE_SIZE, Empty, Filters, Page, cursor_of, page_of

TITLE = Text(zh="事项", en="Cases")
BY_DUE = ("due_at", "id")
BY_OPENED = ("-opened_at", "-id")
STILL = "s."
"""Begins a cursor among the cases whose clocks stand still."""
LAST_DUE = cursor_of(Case(pk=UUID(int=2**128 - 1), due_at=datetime.max.replace(tzinfo=UTC)), BY_DUE)
"""Stands after every case that has a deadline."""


@needs("cases.see")
def index(request: Asked) -> HttpResponse:
    """The cases within reach, most pressing first."""
    state, sort = state_of(request), sort_of(request)
    bar = filters(request)
    rows, bounded = narrowed(request, bar, state)
    page = paged(lean(rows), request, sort)
    may_bulk = request.reach.may("cases.bulk") and bool(page.items)
    shown = rows_of(
        named(page.items), caption=TITLE, now=request.at, empty=_empty(request, bar), page=page, quiet_caption=True,
        pick=may_bulk, form="bulk",
    )  # fmt: skip
    said = {
        "title": TITLE, "table": shown, "filters": bar, "bounded": bounded, "may_bulk": may_bulk, "sort": sort,
        "tabs": _tabs(request, state), "sorts": _sorts(request, sort),
        "may_export": request.reach.may("cases.export"),
    }  # fmt: skip
    return render(request, "cases/list.html", said)


def state_of(request: Asked) -> str:
    """open (the default), closed or all."""
    given = request.GET.get("state", "open")
    return given if given in dict(STATES) else "open"


def sort_of(request: Asked) -> str:
    """By deadline or by opening; closed cases have no deadline to sort by."""
    given = request.GET.get("sort", "due")
    return "opened" if state_of(request) != "open" or given == "opened" else "due"


def paged(rows: QuerySet[Case, Any], request: Asked, sort: str) -> Page:
    """One page. By deadline, the cases whose clocks stand still come after all that have one, newest first."""
    if sort == "opened":
        return page_of(rows, request, order=BY_OPENED)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if after.startswith(STILL) or before.startswith(STILL):
        page = page_of(rows.filter(due_at=None), _at(after, before), order=BY_OPENED)
        back = STILL + page.before if page.before else LAST_DUE
        return Page(page.items, back, STILL + page.after if page.after else "")
    page = page_of(rows.filter(due_at__isnull=False), request, order=BY_DUE)
    return page if page.after else _with_still(page, rows)


def _with_still(page: Page, rows: QuerySet[Case, Any]) -> Page:
    """The last page of those with a deadline, filled up with those without."""
    room = PAGE_SIZE - len(page.items)
    still = list(rows.filter(due_at=None).order_by(*BY_OPENED)[: room + 1])
    after = ""
    if len(still) > room:
        after = STILL + (cursor_of(still[room - 1], BY_OPENED) if room else "")
    return Page([*page.items, *still[:room]], page.before, after)


def _at(after: str, before: str) -> HttpRequest:
    """The cursors without their mark, as `page_of` reads them."""
    bare = HttpRequest()
    bare.GET = QueryDict(urlencode({"after": after.removeprefix(STILL), "before": before.removeprefix(STILL)}))
    return bare


def _link(request: Asked, **changes: str) -> str:
    query = request.GET.copy()
    for gone in ("after", "before", *changes):
        query.pop(gone, None)
    for key, value in changes.items():
        if value:
            query[key] = value
    return "?" + query.urlencode()


def _tabs(request: Asked, state: str) -> list[tuple[Text, str, bool]]:
    return [(title, _link(request, state="" if key == "open" else key), key == state) for key, title in STATES]


def _sorts(request: Asked, sort: str) -> list[tuple[Text, str, bool]]:
    if state_of(request) != "open":
        return []
    named = (("due", Text(zh="按期限", en="By deadline")), ("opened", Text(zh="按立案时间", en="By opening")))
    return [(title, _link(request, sort="" if key == "due" else key), key == sort) for key, title in named]


def _empty(request: Asked, bar: Filters) -> Empty:
    if bar.chips or request.area:
        return Empty(
            Text(zh="没有符合条件的事项", en="No case matches"),
            Text(zh="去掉一两个条件再看；也可以换到“全部”。", en="Take off a filter or two, or look under “All”."),
            reverse("cases"), Text(zh="清除条件", en="Clear the filters"),
        )  # fmt: skip
    may_report: dict[str, Any] = {}
    if request.reach.may("reports.receive"):
        may_report = {"url": reverse("report"), "act": Text(zh="上报一件", en="Report something")}
    return Empty(
        Text(zh="还没有在办的事项", en="No open case"),
        Text(
            zh="上报受理之后，事项会列在这里，最急的在最前面。",
            en="Once a report is taken up, its case is listed here, the most pressing first.",
        ),
        **may_report,
    )
