"""Service requests as they are asked for: many by time, topic and status, or by their numbers; one; one by a token."""

from __future__ import annotations

import re
from typing import Final

from django.db.models import QuerySet

from anlan.casework import public
from anlan.intake import receipts
from anlan.intake.models import Receipt
from anlan.places.scope import under
from anlan.presentation.open311 import offered, shapes
from anlan.presentation.open311.asked import MOST, NotThere, Wrong, moment, span
from anlan.presentation.open311.frame import Answer, Call

ROOT: Final = "service_requests"
STATUS: Final = ("open", "closed")
_NUMBER = re.compile("[0-9]{12}")
_TOKEN = re.compile("[0-9a-f]{32}")


def shown(call: Call) -> QuerySet[Receipt]:
    """Every request that this jurisdiction shows, with what a row needs."""
    here = Receipt.objects.filter(under(call.area_path(), "report__area_path"), report__channel__in=call.here.shows)
    return here.select_related("report", "report__site")


def every(call: Call) -> Answer:
    """The requests asked for, the newest first: at most a thousand, or ninety days of them."""
    ids = call.words.listed("service_request_id")
    if ids:
        numbers = [each for each in ids[:MOST] if _NUMBER.fullmatch(each)]
        found = shown(call).filter(number__in=numbers)
    else:
        found = _narrowed(call)
    page = call.words.number("page", otherwise=1, most=10**6)
    size = call.words.number("page_size", otherwise=MOST, most=MOST)
    ordered = found.order_by("-requested_at", "-number")
    return ROOT, shapes.rows(call, list(ordered[(page - 1) * size : page * size]))


def _narrowed(call: Call) -> QuerySet[Receipt]:
    start, end = span(call.words, call.zone, at=call.at)
    found = shown(call).filter(public.tells_nothing_sensitive("report__"), requested_at__range=(start, end))
    codes = call.words.listed("service_code")
    if codes:
        topics = [offered.find(call, code).key for code in codes]
        found = found.filter(report__topic__in=[*topics, *([""] if shapes.OTHER in topics else [])])
    wanted = _statuses(call)
    if len(wanted) == 1:
        closed = public.is_closed("report__")
        found = found.filter(closed if wanted == {"closed"} else ~closed)
    after = moment(call.words, "updated_after", call.zone)
    before = moment(call.words, "updated_before", call.zone, ends=True)
    return found.filter(public.touched("report__", after=after, before=before)) if after or before else found


def _statuses(call: Call) -> set[str]:
    wanted = {each.lower() for each in call.words.listed("status")}
    if not wanted <= set(STATUS):
        raise Wrong("status 只能是 open 或 closed。", "status is open or closed, or both.", field="status")
    return wanted


def one(call: Call, number: str) -> Answer:
    """One request by its number."""
    return ROOT, shapes.rows(call, [find(call, number)])


def find(call: Call, number: str) -> Receipt:
    """The receipt with this number, of a report that is shown here."""
    found = shown(call).filter(number=number).first() if _NUMBER.fullmatch(number) else None
    if found is None:
        raise NotThere(
            f"没有 service_request_id 为“{number[:40]}”的上报。",
            f"The service_request_id “{number[:40]}” was not found.",
            field="service_request_id",
        )
    return found


def by_token(call: Call, token: str) -> Answer:
    """The number of a request by the token that was given for it; empty while what was sent waits to be understood."""
    found = receipts.by_token(token) if _TOKEN.fullmatch(token) else None
    if found is None or (found.held is not None and found.held.state == "discarded"):
        raise NotThere("没有这个 token。", "The token was not found.", field="token")
    return ROOT, [{"service_request_id": found.number, "token": token}]
