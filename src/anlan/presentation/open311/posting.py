"""A service request that a client sends: read, checked, and taken in through the one door like every other report."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.crypto import salted_hmac

from anlan.casework import triage
from anlan.intake import photos, receipts, reports
from anlan.intake.message import canonical
from anlan.intake.models import Photo, Receipt, Report
from anlan.intake.reports import OutOfReach, Received
from anlan.intake.topic import Question, Topic
from anlan.kernel.text import Refusal, Text
from anlan.places.models import Officer, Site
from anlan.presentation.open311 import offered
from anlan.presentation.open311.asked import Words, Wrong, point
from anlan.presentation.open311.frame import Answer, Call, NoKey
from anlan.presentation.open311.requests import ROOT
from anlan.presentation.open311.shapes import LONGEST

PERSONAL: Final = {"phone": 40, "email": 200, "device_id": 200, "account_id": 200}
LONGEST_ADDRESS: Final = 1000
LONGEST_URL: Final = 2000
MOST_URLS: Final = 12
LONGEST_ANSWER: Final = 4000
ELSEWHERE: Final = Text(
    zh="这个地点不在本接口的辖区内，请向当地的接口上报。",
    en="This place lies outside of this jurisdiction; report it there.",
)
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,80})\](\[[^\[\]]*\])?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}([.,][0-9]{1,9})?")
_MEDIA = re.compile(r"media|photos?|photo[0-9]{1,2}|media\[\]|photos?\[\]|media[0-9]{1,2}")


def create(call: Call) -> Answer:
    """Take in a request; what is answered has its number, or a token by which the number is asked for."""
    officer, reach = call.client()
    topic = offered.find(call, needed(call.words, "service_code"))
    message, files = _message(call, topic), uploads(call)
    message["message"] = _own_number(call, officer, message, files)
    known = Report.objects.filter(channel=call.channel.key, message_id=message["message"]).first()
    if known is not None:
        return ROOT, [_answer(call, receipts.issue(known))]
    with transaction.atomic():
        kept = keep(files, by=officer, at=call.at)
        try:
            received = reports.receive(call.channel, message, by=officer, at=call.at, photos=kept, reach=reach)
        except OutOfReach as refusal:
            raise NoKey(refusal.text.zh, refusal.text.en) from refusal
        if received.report is not None and not received.report.area_path.startswith(call.area_path()):
            raise Wrong(ELSEWHERE.zh, ELSEWHERE.en, field="lat")
        # The same came a second time at the same moment: its photos are there already.
        transaction.set_rollback(received.repeated)
        if not received.repeated:
            _take(received, at=call.at)
    return ROOT, [_answer(call, _receipt(received))]


def _take(received: Received, *, at: datetime) -> None:
    """A report goes the way of every report. Whoever reported is not who holds the key: nobody in particular opens
    the case."""
    if received.report is not None:
        triage.take(received.report, by=None, at=at)


def _receipt(received: Received) -> Receipt:
    """The receipt of the report, or of a message that nobody could understand and that waits in quarantine."""
    if received.report is not None:
        return receipts.issue(received.report)
    assert received.held is not None
    return receipts.issue_held(received.held)


def _answer(call: Call, receipt: Receipt) -> dict[str, Any]:
    """Either the number or a token, never both."""
    told = {"token": receipt.token}
    if receipt.number is not None and call.here.answers == "number":
        told = {"service_request_id": receipt.number}
    return {**told, "service_notice": call.say(call.here.notice), "account_id": None}


# ---------------------------------------------------------------- what was told


def _message(call: Call, topic: Topic) -> dict[str, str]:
    """The message as its channel reads it: what nobody may read is in columns that the channel declares personal."""
    words = call.words
    told = {
        "service_code": topic.key,
        "description": text_of(words, "description", LONGEST),
        "media_url": media_addresses(words),
        **contact(words),
        **_place(words),
    }
    besides: dict[str, str] = {}
    told |= dict(_answers(topic, _answered(words), besides))
    if besides:
        told["besides"] = json.dumps(besides, ensure_ascii=False, sort_keys=True)[:LONGEST]
    return {name: value for name, value in told.items() if value}


def contact(words: Words) -> dict[str, str]:
    """Who told it and from which device, as far as they said: for the personal store alone."""
    names = " ".join(words.all("first_name")[:1] + words.all("last_name")[:1]) or words["name"]
    told = {name: words[name][:longest] for name, longest in PERSONAL.items()}
    return {"name": names[:200], **told, "device_id": told["device_id"] or words["deviceid"][:200]}


def needed(words: Words, name: str) -> str:
    """The word under this name; refused where there is none."""
    told = words[name]
    if not told:
        raise Wrong(f"缺少 {name}。", f"{name} was not provided.", field=name)
    return told


def text_of(words: Words, name: str, longest: int) -> str:
    """The words under this name; refused where they are too long, for nothing told is cut short."""
    told = words[name]
    if len(told) > longest:
        raise Wrong(
            f"{name} 有 {len(told)} 个字，最多 {longest} 个：请写短一些再发。",
            f"{name} has {len(told)} characters, at most {longest} are taken: shorten it and send it again.",
            field=name,
        )
    return told


def media_addresses(words: Words) -> str:
    """The media_url, or several, as they were told, one a line. Nothing is fetched from them."""
    told = words.all("media_url")
    if any(len(each) > LONGEST_URL or not _is_an_address(each) for each in told) or len(told) > MOST_URLS:
        raise Wrong(
            f"media_url 应是 http 或 https 的网址，最多 {MOST_URLS} 个，每个不超过 {LONGEST_URL} 字符。",
            f"media_url must be an address of http or https, at most {MOST_URLS} of them, each of at most "
            f"{LONGEST_URL} characters.",
            field="media_url",
        )
    return "\n".join(told)


def _is_an_address(told: str) -> bool:
    try:
        parts = urlsplit(told)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"[\s<>\"]", told)


def _place(words: Words) -> dict[str, str]:
    where = point(words)
    told = {
        "address_string": text_of(words, "address_string", LONGEST_ADDRESS)
        or text_of(words, "address", LONGEST_ADDRESS),
        "address_id": words["address_id"][:60],
    }
    if where is not None:
        told |= {"long": f"{where[0]:.7f}", "lat": f"{where[1]:.7f}"}
    elif not any(told.values()):
        raise Wrong(
            "请说明在哪里：lat 和 long、address_string 或 address_id 至少给一个。",
            "Say where it is: lat and long, an address_string or an address_id.",
            field="lat",
        )
    elif not told["address_string"] and not Site.objects.filter(code=told["address_id"], is_active=True).exists():
        raise Wrong(
            f"没有 address_id 为“{told['address_id']}”的场所。",
            f"There is no site with the address_id “{told['address_id']}”.",
            field="address_id",
        )
    return told


# ---------------------------------------------------------------- attributes


def _answered(words: Words) -> dict[str, list[str]]:
    """What was told under attribute[CODE] and attribute[CODE][], by code."""
    found: dict[str, list[str]] = {}
    for name in words.given:
        matched = _ATTRIBUTE.fullmatch(name)
        if matched:
            found.setdefault(matched[1], []).extend(words.all(name))
    return found


def _answers(topic: Topic, answered: dict[str, list[str]], besides: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The answers to what the topic asks, as the message keeps them; whatever else was told goes `besides`."""
    asked = {question.code: question for question in topic.questions if question.asked}
    for code, told in answered.items():
        if code not in asked and told:
            besides[code] = "\n".join(told)
    for code, question in asked.items():
        told = list(dict.fromkeys(answered.get(code, ())))
        if question.required and not told:
            raise Wrong(
                f"请回答“{question.title.zh}”（attribute[{code}]）。",
                f"“{question.title.en}” (attribute[{code}]) was not provided.",
                field=f"attribute[{code}]",
            )
        if told:
            yield f"attribute[{code}]", _fitting(question, told)


def _fitting(question: Question, told: list[str]) -> str:
    known = {value.key for value in question.values}
    several = question.type == "multivaluelist"
    listed = [part.strip() for each in told for part in each.split(",")] if several else told
    fits = {
        "singlevaluelist": len(told) == 1 and told[0] in known,
        "multivaluelist": set(listed) <= known,
        "number": len(told) == 1 and bool(_NUMBER.fullmatch(told[0])),
        "datetime": len(told) == 1 and _is_a_date(told[0]),
    }.get(question.type, len(told) == 1 and len(told[0]) <= LONGEST_ANSWER)
    if not fits:
        choices = f"：{'、'.join(sorted(known))}" if known else ""
        one_of = f" (one of: {', '.join(sorted(known))})" if known else ""
        raise Wrong(
            f"attribute[{question.code}]（{question.title.zh}）的值不对，类型是 {question.type}{choices}。",
            f"attribute[{question.code}] ({question.title.en}) does not fit its type {question.type}{one_of}.",
            field=f"attribute[{question.code}]",
        )
    return "\n".join(dict.fromkeys(listed))


def _is_a_date(told: str) -> bool:
    try:
        datetime.fromisoformat(told)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------- photos


def uploads(call: Call) -> list[UploadedFile[Any]]:
    """The photos that came along, under any of the names clients use."""
    files: list[UploadedFile[Any]] = []
    for name in call.request.FILES:
        if _MEDIA.fullmatch(name):
            files += [each for each in call.request.FILES.getlist(name) if each.size]
    if len(files) > call.here.photos:
        raise Wrong(f"最多 {call.here.photos} 张照片。", f"At most {call.here.photos} photos are taken.", field="media")
    return files


def keep(files: Sequence[UploadedFile[Any]], *, by: Officer, at: datetime) -> list[Photo]:
    """The photos, looked at and kept; one that is none is refused with its name."""
    kept = []
    for file in files:
        file.seek(0)
        try:
            kept.append(photos.keep(file.read(), file.name or "photo", by=by, at=at))
        except Refusal as refusal:
            raise Wrong(f"{file.name}：{refusal.text.zh}", f"{file.name}: {refusal.text.en}", field="media") from None
    return kept


def _own_number(call: Call, officer: Officer, message: dict[str, str], files: Sequence[UploadedFile[Any]]) -> str:
    """The message's number: the same client sending the same on the same day sends one report.

    It is keyed, for whoever sees it must not be able to try out which telephone number stands behind it.
    """
    given = call.request.headers.get("Idempotency-Key", "")[:200]
    day = call.at.astimezone(call.zone).date().isoformat()
    pictures = [hashlib.sha256(file.read()).hexdigest() for file in files]
    parts = [given] if given else [day, canonical(message), *pictures]
    told = "\n".join([str(officer.pk), *parts])
    return salted_hmac("anlan.open311.message", told, algorithm="sha256").hexdigest()[:40]
