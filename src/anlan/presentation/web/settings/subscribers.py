"""The systems that are told of cases: how each stands, what was given up, sending it again, pausing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from anlan.casework import feeds
from anlan.casework.feed import FEEDS, HAPPENINGS
from anlan.casework.models import Sending, Subscriber
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import say
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, page_of, table
from anlan.presentation.web.reference import SETTINGS

TITLE = Text(zh="推送订阅", en="Outgoing feeds")
ADD = Text(zh="登记订阅方", en="Register a subscriber")
LEAD = Text(
    zh="立案、派遣、办结等进展推给热线、上级平台等系统；对方不通时存着按间隔重送，送不到的列在这里，可以再送。",
    en="What happens to cases is posted to the hotline, the platform above and others. While one cannot be reached it "
    "waits and is tried again; what was given up is listed here and can be sent again.",
)
ONCE = Text(
    zh="密钥只显示这一次，请马上交给对方：对方用它核对签名。",
    en="The secret is shown only this once; hand it to the other side, which checks signatures by it.",
)
STATES = {
    "paused": Text(zh="暂停", en="Paused"),
    "down": Text(zh="不通，稍后再试", en="Not reached; tried again"),
    "ok": Text(zh="正常", en="Well"),
}


def _state(subscriber: Subscriber) -> Text:
    if not subscriber.is_active:
        return STATES["paused"]
    return STATES["down"] if subscriber.failures else STATES["ok"]


def _feed(subscriber: Subscriber) -> Text:
    feed = catalogue.current().all(FEEDS).get(subscriber.feed)
    return feed.title if feed else Text(zh=subscriber.feed, en=subscriber.feed)


@needs("tokens.edit")
def subscriber_list(request: Asked) -> HttpResponse:
    """The subscribers within reach, and how each stands."""
    page = page_of(feeds.visible(request.reach), request, order=("name",))
    counted = feeds.counts([each.pk for each in page.items])
    columns = (
        Column(Text(zh="对方系统", en="System"), lambda s: s.title, sub=lambda s: s.name),
        Column(Text(zh="推送内容", en="Feed"), _feed),
        Column(Text(zh="辖区", en="Area"), lambda s: s.area),
        Column(Text(zh="已送到", en="Arrived"), lambda s: counted[s.pk]["sent"], css="num"),
        Column(Text(zh="等待", en="Waiting"), lambda s: counted[s.pk]["waiting"], css="num"),
        Column(Text(zh="送不到", en="Given up"), lambda s: counted[s.pk]["dead"], css="num"),
        Column(Text(zh="状态", en="State"), _state),
    )
    empty = Empty(Text(zh="还没有订阅方", en="No subscriber yet"), LEAD, reverse("subscriber_add"), ADD)
    shown = table(
        page.items, columns, caption=TITLE, url=lambda s: reverse("subscriber", args=[s.name]), page=page, empty=empty,
        quiet_caption=True,
    )  # fmt: skip
    crumbs = [(SETTINGS, reverse("settings")), (TITLE, "")]
    said = {"title": TITLE, "lead": LEAD, "table": shown, "crumbs": crumbs}
    return render(request, "settings/list.html", said | {"add_url": reverse("subscriber_add"), "add_verb": ADD})


def _asks(request: Asked) -> list[Ask]:
    private = Text(
        zh="只有同一内部网络里的系统才勾选。", en="Tick this only for a system in the same internal network."
    )
    where = Text(zh="只推送这个辖区内的事项。", en="Only cases within this area are sent.")
    known = [(key, each.title) for key, each in catalogue.current().all(FEEDS).items()]
    return [
        Ask("title", Text(zh="对方系统的名字", en="What the other system is called"), longest=80),
        Ask("name", Text(zh="名称", en="Name"), longest=41,
            hint=Text(zh="小写字母、数字、-、_。", en="Small letters, digits, - and _.")),
        Ask("feed", Text(zh="推送内容", en="Feed"), "choice", choices=known),
        ask_for(request, "area", "area", Text(zh="辖区", en="Area"), action="tokens.edit", hint=where),
        Ask("url", Text(zh="接收地址", en="Address"), longest=500,
            hint=Text(zh="https://…", en="https://…")),
        Ask("allow_private", Text(zh="允许内部网络地址", en="It may be in the internal network"), "yes_no", False,
            hint=private),
    ]  # fmt: skip


@needs("tokens.edit")
def subscriber_add(request: Asked) -> HttpResponse:
    """A new subscriber; its secret is shown on this page alone."""
    form = Form(_asks(request), ADD, cancel=reverse("subscribers"))
    crumbs = [(SETTINGS, reverse("settings")), (TITLE, reverse("subscribers")), (ADD, "")]
    said: dict[str, Any] = {"title": ADD, "form": form, "crumbs": crumbs}
    if request.method != "POST":
        return render(request, "settings/form.html", said)

    def do(a: dict[str, Any]) -> tuple[Subscriber, str]:
        given = {key: a[key] for key in ("title", "feed", "area", "url")}
        private = bool(a["allow_private"])
        return feeds.register(a["name"], **given, allow_private=private, by=request.user, at=request.at)

    made = form.carry_out(request, do)
    if made is None:
        return render(request, "settings/form.html", said, status=422)
    return _secret(request, *made)


def _secret(request: Asked, subscriber: Subscriber, secret: str) -> HttpResponse:
    crumbs = [(SETTINGS, reverse("settings")), (TITLE, reverse("subscribers")), (subscriber.title, "")]
    said = {"title": subscriber.title, "text": ONCE, "secret": secret, "crumbs": crumbs}
    return render(request, "settings/secret.html", said | {"back": reverse("subscriber", args=[subscriber.name])})


def _one(request: Asked, name: str) -> Subscriber:
    found = feeds.visible(request.reach).filter(name=name).first()
    if found is None:
        raise NotFound
    return found


@needs("tokens.edit")
def subscriber_one(request: Asked, name: str) -> HttpResponse:
    """One subscriber: how far it has read, what waits, and what was given up with the reason."""
    subscriber = _one(request, name)
    counted = feeds.counts([subscriber.pk])[subscriber.pk]
    dead = Sending.objects.filter(subscriber=subscriber, state="dead").select_related("case")
    page = page_of(dead, request, order=("-pk",))
    columns = (
        Column(Text(zh="事项", en="Case"), lambda s: s.case.number),
        Column(Text(zh="内容", en="What"), lambda s: HAPPENINGS.get(s.happening, Text(zh="", en=""))),
        Column(Text(zh="原因", en="Why"), lambda s: Text(zh=s.error_zh, en=s.error_en)),
        Column(Text(zh="试过", en="Tried"), lambda s: s.attempts, css="num"),
        Column(Text(zh="放弃", en="Given up"), lambda s: s.done_at),
    )
    empty = Empty(
        Text(zh="没有送不到的", en="Nothing was given up"),
        Text(
            zh="对方拒收，或一直不通的，会列在这里。",
            en="What is refused, or cannot be delivered for long, comes here.",
        ),
    )
    shown = table(
        page.items, columns, caption=Text(zh="送不到的", en="Given up"), page=page, empty=empty, pick=True, form="again"
    )
    facts = [
        (Text(zh="推送内容", en="Feed"), _feed(subscriber)),
        (Text(zh="接收地址", en="Address"), subscriber.url),
        (Text(zh="允许内部网络地址", en="Internal network"), subscriber.allow_private),
        (Text(zh="辖区", en="Area"), subscriber.area),
        (Text(zh="状态", en="State"), _state(subscriber)),
        (Text(zh="下次再试", en="Tried again at"), subscriber.quiet_until),
        (Text(zh="最近送到", en="Last arrived"), subscriber.sent_at),
        (Text(zh="台账还差", en="Events still to read"), feeds.lag(subscriber)),
        (Text(zh="等待发送", en="Waiting to be sent"), counted["waiting"]),
        (Text(zh="已送到", en="Arrived"), counted["sent"]),
        (Text(zh="送不到", en="Given up"), counted["dead"]),
    ]
    crumbs = [(SETTINGS, reverse("settings")), (TITLE, reverse("subscribers")), (subscriber.title, "")]
    said = {"title": subscriber.title, "thing": subscriber, "facts": facts, "table": shown, "crumbs": crumbs}
    return render(request, "settings/subscriber.html", said | {"dead": counted["dead"]})


@require_POST
@needs("tokens.edit")
def subscriber_change(request: Asked, name: str) -> HttpResponse:
    """Send again, pause, resume, or change the secret."""
    subscriber, deed = _one(request, name), request.POST.get("deed", "")
    if deed == "rotate":
        return _secret(request, subscriber, feeds.rotate(subscriber, by=request.user, at=request.at))
    if deed in ("pause", "resume"):
        feeds.set_active(subscriber, deed == "resume", by=request.user, at=request.at)
        words = Text(zh="已暂停，其间的会存着。", en="Paused; what happens meanwhile waits.")
        messages.success(request, say(words if deed == "pause" else Text(zh="已恢复。", en="Resumed.")))
    elif deed in ("again", "all"):
        which = None if deed == "all" else _picked(request, subscriber)
        number = feeds.send_again(subscriber, which=which, by=request.user, at=request.at)
        words = Text(zh=f"{number} 条重新排队，马上再送。", en=f"{number} wait to be sent again, at once.")
        messages.success(request, say(words))
    return redirect("subscriber", name=name)


def _picked(request: Asked, subscriber: Subscriber) -> list[UUID]:
    keys = [int(each) for each in request.POST.getlist("pick") if each.isdecimal() and len(each) < 18]
    found = Sending.objects.filter(subscriber=subscriber, pk__in=keys)
    return list(found.values_list("delivery", flat=True))
