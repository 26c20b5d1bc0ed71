"""Pages that say what is wrong and what to do, in both languages, with no word of the machine's own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from anlan.kernel.text import Refusal, Text

STATUS_BY_NAME = {
    "Undeclared": 404,
    "NotFound": 404,
    "NotAllowed": 403,
    "Stale": 409,
    "Closed": 409,
    "AlreadyRecorded": 409,
}
HEADINGS = {
    400: Text(zh="这次请求无法处理", en="This request cannot be handled"),
    403: Text(zh="没有权限", en="Not permitted"),
    404: Text(zh="没有找到", en="Not found"),
    409: Text(zh="情况已经变化", en="Things have moved on"),
    413: Text(zh="发来的内容太大", en="Too large"),
    422: Text(zh="还不能这样办理", en="This cannot be done yet"),
    429: Text(zh="请稍后再试", en="Please try again later"),
    500: Text(zh="系统出了问题", en="Something went wrong on our side"),
}
MESSAGES = {
    400: Text(
        zh="发来的内容不完整或太大。请返回上一页，检查后再试一次。",
        en="What was sent is incomplete or too large. Go back, check it and try again.",
    ),
    403: Text(
        zh="这个页面已过期，或您的岗位没有这项权限。请返回上一页刷新后再试；如需权限，请联系本级管理员。",
        en="This page has expired, or your posts do not allow this. Go back, reload and try again; "
        "if you need the permission, ask your administrator.",
    ),
    404: Text(
        zh="地址可能写错了，内容可能已移走，也可能不在您的辖区或职责之内。请检查地址，或从待办重新进入。",
        en="The address may be wrong, the content may have moved, or it lies outside your area or duties. "
        "Check the address, or start again from To do.",
    ),
    500: Text(
        zh="您刚才的操作可能没有保存。请稍后再试；如果仍然不行，请把时间和所做的操作告诉管理员。",
        en="What you just did may not have been saved. Try again in a moment; "
        "if it still fails, tell your administrator the time and what you did.",
    ),
}


# Two transactions could not both go on, and the database chose this one to give way: deadlock, serialization failure.
GIVEN_WAY = {"40P01", "40001"}


class AtOnce(Refusal):
    """Somebody else did something at the same moment, and the database let them go first."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "别人在同一时刻也办了一件相关的事，您的这一次没有保存。请再试一次。",
            "Somebody else did something at the same moment, and yours was not saved. Please try again.",
        )


def at_once(error: BaseException) -> AtOnce | None:
    """The sentence for an error of the database that means no more than that two did something at one moment."""
    return AtOnce() if getattr(error.__cause__, "sqlstate", None) in GIVEN_WAY else None


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal: its own `status`, else by its kind, else 422."""
    own = getattr(refusal, "status", None)
    if isinstance(own, int):
        return own
    return next((STATUS_BY_NAME[c.__name__] for c in type(refusal).__mro__ if c.__name__ in STATUS_BY_NAME), 422)


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal as a page, or as a fragment when htmx asked."""
    return _said(request, status_of(refusal), refusal.text)


def _said(request: HttpRequest, status: int, text: Text) -> HttpResponse:
    heading = HEADINGS.get(status, HEADINGS[422])
    fragment = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
    template = "parts/refused.html" if fragment else "error.html"
    return render(request, template, {"status": status, "heading": heading, "text": text}, status=status)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Sent without the database: the request may not even have reached the session."""
    return plain(400, MESSAGES[400])


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _said(request, 403, MESSAGES[403])


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return plain(403, MESSAGES[403])


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _said(request, 404, MESSAGES[404])


def server_error(request: HttpRequest) -> HttpResponse:
    """Sent when anything at all has failed, so nothing is asked of the database or the session."""
    return plain(500, MESSAGES[500])


def plain(status: int, text: Text) -> HttpResponse:
    """A page that asks nothing of the database, the session or the language: it says everything twice."""
    said = {"status": status, "heading": HEADINGS[status], "text": text}
    return HttpResponse(render_to_string("error_plain.html", said), status=status)
