"""The updates extension that FixMyStreet speaks: what happened to requests, and what clients tell about them later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from anlan.casework import public
from anlan.casework import remarks as noting
from anlan.casework.course import Passed
from anlan.casework.public import Known
from anlan.casework.reporter import masked
from anlan.intake import remarks
from anlan.intake.models import Photo, Remark, Report
from anlan.places.models import Officer
from anlan.presentation.open311 import requests
from anlan.presentation.open311.asked import MOST, Wrong, span
from anlan.presentation.open311.frame import Answer, Call, NoKey
from anlan.presentation.open311.posting import contact, keep, media_addresses, needed, text_of, uploads
from anlan.presentation.open311.shapes import LONGEST

ROOT: Final = "service_request_updates"
STATES: Final = (
    "OPEN", "CLOSED", "FIXED", "IN_PROGRESS", "ACTION_SCHEDULED", "INVESTIGATING", "DUPLICATE",
    "NOT_COUNCILS_RESPONSIBILITY", "NO_FURTHER_ACTION", "INTERNAL_REFERRAL", "FOR_TRIAGE", "CANCELLED", "REOPEN",
)  # fmt: skip
ENDED: Final = {
    "cured": "FIXED", "answered": "NO_FURTHER_ACTION", "merged": "DUPLICATE", "refused": "NO_FURTHER_ACTION",
    "void": "CANCELLED", "escalated": "INTERNAL_REFERRAL",
}  # fmt: skip
UNDER_WAY: Final = {
    "intake": "FOR_TRIAGE", "registration": "INVESTIGATING", "dispatch": "ACTION_SCHEDULED", "handling": "IN_PROGRESS",
    "feedback": "IN_PROGRESS", "check": "IN_PROGRESS", "closed": "CLOSED",
}  # fmt: skip


def every(call: Call) -> Answer:
    """What happened to the requests between two moments, oldest first; at most a thousand, the rest by `page`."""
    start, end = span(call.words, call.zone, at=call.at)
    page = call.words.number("page", otherwise=1, most=10**6)
    size = call.words.number("page_size", otherwise=MOST, most=MOST)
    touched = requests.shown(call).filter(
        public.tells_nothing_sensitive("report__"), public.touched("report__", after=start, before=_just_after(end))
    )
    some = list(touched.order_by("requested_at", "number")[(page - 1) * size : page * size])
    known = public.known([receipt.report for receipt in some if receipt.report is not None])
    lines = [
        line
        for receipt, each in zip(some, known, strict=True)
        for line in _lines(call, str(receipt.number), each, start, end)
    ]
    return ROOT, [line for _, line in sorted(lines, key=lambda each: each[0])]


def _just_after(end: datetime) -> datetime:
    # Moments are told in whole seconds.
    return end.replace(microsecond=0).fromtimestamp(int(end.timestamp()) + 1, end.tzinfo)


def _lines(
    call: Call, number: str, known: Known, start: datetime, end: datetime
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    place = 0
    for count, line in enumerate(known.passed, 1):
        shown = [photo for photo in line.photos if photo in known.photos]
        place += len(shown)
        if not start.replace(microsecond=0) <= line.at <= _just_after(end):
            continue
        yield (
            line.at,
            {
                "update_id": f"{number}.{int(line.at.timestamp() * 1000)}.{count}",
                "service_request_id": number,
                "status": _status(line, extended=call.words.says_yes("extensions")),
                "updated_datetime": call.moment(line.at),
                "description": _description(call, line),
                "media_url": call.address(f"photos/{number}/{place}.jpg") if shown else None,
                "external_status_code": line.stage,
                "customer_reference": None,
            },
        )


def _status(line: Passed, *, extended: bool) -> str:
    if extended:
        return ENDED.get(line.outcome) or UNDER_WAY[line.stage]
    return "CLOSED" if line.outcome else "OPEN"


def _description(call: Call, line: Passed) -> str:
    said = [f"{call.say(label)}{'：' if call.language == 'zh' else ': '}{masked(words)}" for label, words in line.said]
    return "\n".join([str(call.say(line.text)), *said])


# ---------------------------------------------------------------- what clients tell


def create(call: Call) -> Answer:
    """Take in what a client tells about a request it sent; the same update_id again is the same update."""
    officer, _ = call.client()
    number, told_id = needed(call.words, "service_request_id"), needed(call.words, "update_id")
    report = _own(call, number, officer)
    told, files = _told(call), uploads(call)
    if len(told_id) > 120:
        raise Wrong("update_id 最多 120 个字符。", "An update_id has at most 120 characters.", field="update_id")
    with transaction.atomic():
        added, is_new = remarks.add(
            report, call.channel, told, message_id=told_id, by=officer, at=call.at,
            contact={name: value for name, value in contact(call.words).items() if value},
        )  # fmt: skip
        if is_new:
            _note(call, added, told, tuple(keep(files, by=officer, at=call.at)))
    return ROOT, [{"update_id": added.pk.hex}]


def _note(call: Call, added: Remark, told: dict[str, str], photos: tuple[Photo, ...]) -> None:
    Photo.objects.filter(pk__in=[photo.pk for photo in photos]).update(report=added.report)
    noting.note(added, photos=photos, again=told["status"] in ("OPEN", "REOPEN"), at=call.at)


def _own(call: Call, number: str, officer: Officer) -> Report:
    report = requests.find(call, number).report
    if report is None or report.by_id != officer.pk:
        raise NoKey(
            "这个 api_key 不能补充别人送来的上报。",
            "This api_key does not allow updates of a request that somebody else sent.",
            field="api_key",
        )
    return report


def _told(call: Call) -> dict[str, str]:
    status = call.words["status"].upper() or "OPEN"
    if status not in STATES:
        raise Wrong(f"status 只能是 {'、'.join(STATES)}。", f"status is one of {', '.join(STATES)}.", field="status")
    told = {
        "status": status,
        "description": text_of(call.words, "description", LONGEST - 200),
        "media_url": media_addresses(call.words),
        "updated_datetime": call.words["updated_datetime"][:60],
    }
    return {name: value for name, value in told.items() if value}
