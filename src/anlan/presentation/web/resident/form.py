"""居民上报: a photo, a place, what it is, a few words; no account. Sent twice by a bad network, it is one report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from anlan.casework import triage
from anlan.intake import photos, reports, tracking
from anlan.intake.models import Photo, Report
from anlan.intake.throttle import TooOften
from anlan.intake.topic import TOPICS, Topic, lineage
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal, Text
from anlan.places.models import Site
from anlan.places.role import all_roles
from anlan.presentation.web import qr
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.reporting import number_of
from anlan.presentation.web.resident import gate
from anlan.presentation.web.resident.place import Choice, area_choices, choices, joined, point_of
from anlan.presentation.web.signin import is_signed_in

TITLE = Text(zh="我要上报", en="Report a problem")
CONTACT: Final = ("reporter_name", "reporter_phone", "may_share")
KEPT: Final = "anlan.resident.photos"
OLDEST: Final = timedelta(days=30)
OTHER: Final = "other"
PLAIN: Final = 2
"""So many of the words for a topic stand beside its title."""


class NotEnough(Refusal):
    """Nothing was told, or not where it is."""


class TooMany(Refusal):
    """More photos than one report takes."""


class Filled(Refusal):
    """The field that people do not see was filled in."""


class _Perhaps(Exception):
    """Something like it is open nearby, and nobody has said yet whether it is the same."""

    def __init__(self, near: list[Choice]) -> None:
        super().__init__()
        self.near = near


@gate.open_to_all
def form(request: Asked) -> HttpResponse:
    """The form, and what became of it."""
    asked = _form(request)
    if request.method != "POST":
        return _page(request, asked)
    asked.hidden["client_id"] = number_of(request.POST.get("client_id", "")) or asked.hidden["client_id"]
    known = Report.objects.filter(channel=gate.CHANNEL, message_id=_number(asked.hidden["client_id"])).first()
    if known is not None:
        return _told(request, known)
    try:
        gate.count(request, "report")
    except TooOften as refusal:
        if gate.by_script(request):
            raise
        asked.read(request)
        asked.problem = refusal.text
        return gate.later(_page(request, asked, _before(request), status=429), refusal, request.at)
    brought = _brought(request, asked)
    try:
        report = asked.carry_out(request, lambda answers: _send(request, asked, answers, brought))
    except _Perhaps as perhaps:
        return _page(request, asked, brought, near=perhaps.near, status=409)
    if report is None or asked.problem:
        return _page(request, asked, brought, status=422)
    return _told(request, report)


def _form(request: Asked) -> Form:
    words = Text(
        zh="发生了什么、碍着谁了。请不要在这里写姓名和电话。",
        en="What is wrong. Leave out names and telephone numbers.",
    )
    street = Text(zh="路名门牌、楼号，或附近的店铺、路灯杆号。", en="Street and number, or a shop or lamp post nearby.")
    share = Text(zh="也可以让负责办理的部门直接联系我", en="The department that deals with it may contact me, too")
    fields = [
        Ask("topic", Text(zh="是什么问题", en="What is it"), "choice", required=False, choices=_topics()),
        Ask("description", Text(zh="说几句", en="In a few words"), "longtext", required=False, hint=words),
        Ask("address", Text(zh="地址", en="Address"), required=False, hint=street),
        Ask("area", Text(zh="在哪个村、社区", en="Village or neighbourhood"), "choice", required=False,
            choices=area_choices(request.at)),
        Ask("reporter_name", Text(zh="怎么称呼", en="Name"), required=False, longest=60, autocomplete="name"),
        Ask("reporter_phone", Text(zh="电话", en="Telephone"), required=False, longest=40, autocomplete="tel"),
        Ask("may_share", share, "yes_no", required=False),
    ]  # fmt: skip
    return Form(fields, verb=Text(zh="发送", en="Send"), hidden={"client_id": str(new_id())})


@dataclass(frozen=True, slots=True)
class Kind:
    """A topic as a resident chooses it: its title, and what else people call it."""

    title: Text
    words: Text
    all_words: str


def _kind(topic: Topic) -> Kind:
    zh = [word for word in topic.words.zh if word not in topic.title.zh][:PLAIN]
    en = [word for word in topic.words.en if word.lower() not in topic.title.en.lower()][:PLAIN]
    every = (topic.title.zh, topic.title.en, *topic.words.zh, *topic.words.en)
    return Kind(topic.title, Text(zh="、".join(zh), en=", ".join(en)), "|".join(every))


def _topics() -> list[tuple[str, Kind]]:
    """Every topic that people report, the channel's own choice first, the vaguest last."""
    topics: dict[str, Topic] = catalogue.current().all(TOPICS)
    first = [key for key in gate.public().topics if key in topics]
    rest = sorted(set(topics) - {*first, OTHER}, key=lambda key: lineage(topics, key)[::-1])
    last = [OTHER] if OTHER in topics else []
    return [(key, _kind(topics[key])) for key in (*first, *rest, *last)]


def _page(
    request: Asked, asked: Form, brought: Sequence[Photo] = (), *, near: Sequence[Choice] = (), status: int = 200
) -> HttpResponse:
    """The form as it stands. To the page's script, what is wrong with it."""
    if gate.by_script(request) and status != 200:
        wrong = next((each for each in asked.fields if each.error), None)
        text = (wrong.error if wrong else asked.problem) or NOT_SENT
        said = {"zh": text.zh, "en": text.en, "field": wrong.key if wrong else ""}
        return JsonResponse({"error": said}, status=status)
    by_key = {each.key: each for each in asked.fields}
    shown = len(gate.public().topics)
    said_ = {
        "title": TITLE, "form": asked, "f": by_key, "near": near, "asked_near": bool(near), "kept": brought,
        "kept_token": signing.dumps([str(each.pk) for each in brought], salt=KEPT) if brought else "",
        "most_photos": gate.public().photos, "first_topics": by_key["topic"].choices[:shown],
        "more_topics": by_key["topic"].choices[shown:], "site": _code(request), "staff": _site_page(request),
        "point": point_of(request.POST), "contact_days": gate.channel().personal_days, "readers": _readers(),
        "contact_open": any(by_key[key].value or by_key[key].error for key in CONTACT),
        "place_open": any(by_key[key].value or by_key[key].error for key in ("area",)),
    }  # fmt: skip
    return gate.draw(request, "form", said_, status=status)


NOT_SENT = Text(zh="还没有发出，请检查后再发。", en="It was not sent. Check it and send it again.")


def _code(request: Asked) -> str:
    """The code on the site's sign, when it was scanned or comes back with the form."""
    told = request.POST.get("site") or request.GET.get("site", "")
    return told.replace("\x00", "")[:60]


def _readers() -> Text:
    """The posts whose holders may learn who reported."""
    titles = [role.title for role in all_roles().values() if role.sees_reporter]
    return Text(zh="、".join(each.zh for each in titles), en=", ".join(each.en for each in titles))


def _site_page(request: Asked) -> str:
    """Where an officer who scanned the sign finds the site; "" for everybody else."""
    code = _code(request) if is_signed_in(request) else ""
    known = bool(code) and Site.objects.filter(code=code).exists()
    return reverse("site", args=[code]) if known else ""


# ---------------------------------------------------------------- photos


def _brought(request: Asked, asked: Form) -> tuple[Photo, ...]:
    """The photos of this report: those kept when the form came before, and those that come now."""
    before = _before(request)
    files = [each for each in request.FILES.getlist("photos") if each.size]
    most = gate.public().photos
    if len(before) + len(files) > most:
        asked.problem = TooMany(
            f"最多 {most} 张照片，请少选几张。", f"At most {most} photos; choose fewer.", field="photos"
        ).text
        return tuple(before)
    kept = list(before)
    for each in files:
        try:
            kept.append(photos.keep(each.read(), each.name or "photo", by=None, at=request.at))
        except Refusal as refusal:
            asked.problem = refusal.text
    return tuple(kept)


def _before(request: Asked) -> list[Photo]:
    try:
        ids = signing.loads(request.POST.get("kept", ""), salt=KEPT, max_age=timedelta(days=1))
    except signing.BadSignature:
        return []
    return list(Photo.objects.filter(pk__in=[UUID(each) for each in ids], report=None))


# ---------------------------------------------------------------- sending


def _send(request: Asked, asked: Form, answers: dict[str, Any], brought: Sequence[Photo]) -> Report | None:
    """Take the report in through the one door; None when something of it was refused before."""
    if asked.problem:
        return None
    if request.POST.get("website"):
        raise Filled(
            "“网址”一栏是用来识别自动程序的，请清空后再发。",
            "The field 'Website' is there to tell programs from people; empty it and send.",
        )
    _check(request, answers, brought)
    if request.POST.get("seen") != "1":
        near = choices({**request.POST.dict(), **answers}, at=request.at)
        if near:
            raise _Perhaps(near)
    message = _message(request, _number(asked.hidden["client_id"]), answers)
    with transaction.atomic():
        received = reports.receive(gate.channel(), message, by=None, at=request.at, photos=brought)
        assert received.report is not None  # a form is understood or refused
        if received.repeated:
            # The same message came a second time at the same moment: its photos are there already.
            transaction.set_rollback(True)
            return received.report
        _taken(received.report, request.POST.get("joins", ""), request.at)
    return received.report


def _taken(report: Report, token: str, at: datetime) -> None:
    """The report joins the case it is said to be about, or goes the way of every report."""
    case = joined(token)
    if case is None or triage.join(report, case, at=at) is None:
        triage.take(report, by=None, at=at)


def _check(request: Asked, answers: dict[str, Any], brought: Sequence[Photo]) -> None:
    if not brought and not answers.get("description"):
        raise NotEnough(
            "请拍一张照片，或写一句发生了什么。",
            "Take a photo, or write a few words on what is wrong.",
            field="description",
        )
    if not (point_of(request.POST) or answers.get("address") or answers.get("area") or _code(request)):
        raise NotEnough(
            "请说明在哪里：用定位、写地址或选村（社区）。",
            "Say where it is: by your position, an address, or the village.",
            field="address",
        )


def _number(client_id: str) -> str:
    """The message's number, as officers see it in lists: nobody can send it again and be given the reporter's code."""
    return hashlib.sha256(f"anlan.resident.message\n{client_id}".encode()).hexdigest()[:40]


def _message(request: Asked, number: str, answers: dict[str, Any]) -> dict[str, str]:
    told = {"client_id": number, "site": _code(request), "told_at": _told_at(request)}
    told |= {key: answers.get(key) or "" for key in ("topic", "description", "address", "area")}
    point = point_of(request.POST)
    if point is not None:
        told |= {"lon": f"{point[0]:.6f}", "lat": f"{point[1]:.6f}"}
    told |= {key: answers.get(key) or "" for key in ("reporter_name", "reporter_phone")}
    if answers.get("may_share") and (told["reporter_name"] or told["reporter_phone"]):
        told["may_share"] = "yes"
    return {key: value for key, value in told.items() if value}


def _told_at(request: Asked) -> str:
    """When the button was pressed, if the telephone's clock can be believed: it may have waited for a network."""
    try:
        told = parse_datetime(request.POST.get("told_at", "")[:40])
    except ValueError:
        return ""
    if told is None or told.tzinfo is None or not request.at - OLDEST <= told <= request.at:
        return ""
    return told.isoformat()


# ---------------------------------------------------------------- sent


def _told(request: Asked, report: Report) -> HttpResponse:
    """On to the page that shows the code; the code travels in a cookie, so that no address of it lies about."""
    code = tracking.issue(report)
    response: HttpResponse
    if gate.by_script(request):
        said = {"next": reverse("resident_sent"), "code": tracking.shown(code), "url": _url(request, code)}
        response = JsonResponse(said, status=201)
    else:
        response = redirect("resident_sent")
    gate.keep(response, gate.TOLD, code, age=gate.FOR_A_WHILE)
    return response


def _url(request: Asked, code: str) -> str:
    return request.build_absolute_uri(reverse("resident_status", args=[code]))


@gate.open_to_all
def sent(request: Asked) -> HttpResponse:
    """The code and its picture, for whoever has just sent a report from this device."""
    code = tracking.plain(request.COOKIES.get(gate.TOLD, ""))
    report = tracking.find(code)
    if report is None:
        return redirect("resident")
    url = _url(request, code)
    said = {
        "title": Text(zh="已经收到", en="Received"), "report": report, "code": tracking.shown(code), "url": url,
        "qr": qr.drawn(url), "photos": report.photos.count(),
    }  # fmt: skip
    return gate.draw(request, "sent", said)
