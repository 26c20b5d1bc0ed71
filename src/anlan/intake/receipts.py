"""Receipts: the number by which anybody may speak of a report, and the token whoever sent it asks for the number by.

A number says nothing: twelve digits made of the report's id and a secret. It opens what everybody may see, no more.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings

from anlan.intake import jurisdiction
from anlan.intake.models import Quarantined, Receipt, Report
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.ledger.models import Event

RECEIVED: Final = "report.received"
DIGITS: Final = 12
_AGAIN = 8


def issue(report: Report) -> Receipt:
    """The report's receipt; the same one whenever it is asked for."""
    known = Receipt.objects.filter(report=report).first()
    if known is not None:
        return known
    taken = set(Receipt.objects.filter(number__in=list(_numbers(report.pk))).values_list("number", flat=True))
    number = next(each for each in _numbers(report.pk) if each not in taken)
    made = {"token": _token(report.pk), "number": number, "requested_at": report.told_at}
    return Receipt.objects.get_or_create(report=report, defaults=made)[0]


def issue_held(held: Quarantined) -> Receipt:
    """The receipt of a message that waits in quarantine: a token, and no number before it is understood."""
    made = {"token": _token(held.pk), "requested_at": held.held_at}
    return Receipt.objects.get_or_create(held=held, defaults=made)[0]


def by_token(token: str) -> Receipt | None:
    """The receipt with this token: that of the report, once what was held has become one."""
    found = Receipt.objects.select_related("held__report", "report").filter(token=token).first()
    if found is not None and found.held is not None and found.held.report is not None:
        return issue(found.held.report)
    return found


def follow(told: Sequence[Event]) -> None:
    """The follower that gives a number to whatever comes in by a channel that is shown beside the endpoint's own."""
    shown = {channel for each in jurisdiction.every().values() for channel in each.shows}
    topics = catalogue.current().all(TOPICS)
    ids = [
        event.subject for event in told
        if event.kind == RECEIVED and event.data["channel"] in shown
        and not (event.data["topic"] in topics and topics[event.data["topic"]].sensitive)
    ]  # fmt: skip
    _issue_many(dict(Report.objects.filter(pk__in=ids, receipt=None).values_list("pk", "told_at")) if ids else {})


def _issue_many(reports: dict[UUID, datetime]) -> None:
    """The receipts of many reports; a number that another report has by chance gives way to the next one."""
    first = {pk: next(_numbers(pk)) for pk in reports}
    taken = set(Receipt.objects.filter(number__in=list(first.values())).values_list("number", flat=True))
    alone = {number: pk for pk, number in first.items()}
    plain = [pk for pk in reports if alone[first[pk]] == pk and first[pk] not in taken]
    made = [Receipt(token=_token(pk), number=first[pk], report_id=pk, requested_at=reports[pk]) for pk in plain]
    Receipt.objects.bulk_create(made, ignore_conflicts=True)
    for report in Report.objects.filter(pk__in=reports.keys() - set(plain)):
        issue(report)


def _numbers(identifier: UUID) -> Iterator[str]:
    for again in range(_AGAIN):
        yield str(10 ** (DIGITS - 1) + _made("number", identifier, again) % (9 * 10 ** (DIGITS - 1)))


def _token(identifier: UUID) -> str:
    return f"{_made('token', identifier, 0):032x}"


def _made(what: str, identifier: UUID, again: int) -> int:
    told = f"anlan.intake.receipts\n{what}\n{identifier}\n{again}".encode()
    return int.from_bytes(hmac.digest(settings.SECRET_KEY.encode(), told, sha256)[:16])
