"""Having the progress of one's report sent: asked for on its page, confirmed and ended by the links of letters."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from anlan.intake import throttle, tracking, watches
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.models import Report, Watch
from anlan.intake.watches import NoSuchLink, WatchRefused
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.presentation import sending
from anlan.presentation.sending import Unreachable
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.resident import gate, status
from anlan.presentation.web.resident.watches import origin_of

TITLE = Text(zh="订阅进展", en="Progress by e-mail or webhook")
CONFIRM = Text(
    zh="按下按钮后，这份上报有新进展，我们就发邮件到您的邮箱。随时可以取消。",
    en="Once you press the button, news of this report is sent to your e-mail address. You can stop it at any time.",
)
CONFIRMED = Text(
    zh="订阅成功。有新进展时会给您发邮件。", en="You are subscribed. News will be sent to your e-mail address."
)
END = Text(
    zh="按下按钮后，不再给您发这份上报的进展。",
    en="Once you press the button, nothing more of this report is sent to you.",
)
ENDED = Text(
    zh="已取消，不再发送；您的地址将被清除。", en="Stopped. Nothing more is sent, and your address will be erased."
)


@require_POST
@gate.open_to_all
def ask(request: Asked, code: str) -> HttpResponse:
    """Somebody with the code gives an address."""
    report = status.find_report(request, code)
    told = request.POST.get("address", "").replace("\x00", "")[:600]
    try:
        watch, secret = _asked(request, report, told)
    except throttle.TooOften:
        raise
    except Refusal as refusal:
        return status.page(request, report, code, watch_wrong=refusal.text, watch_told=told, status=422)
    here = reverse("resident_status", args=[tracking.plain(code)])
    if not secret:
        return redirect(f"{here}#watches")
    where = watches.where_of(watch)
    host = where.shown if where else ""
    return gate.draw(request, "watch_secret", {"title": TITLE, "secret": secret, "host": host, "here": here})


def _asked(request: Asked, report: Report, told: str) -> tuple[Watch, str]:
    gate.check(request, "watch")
    kind, address = watches.read_address(told, letters=settings.MAIL_SERVER is not None)
    by = {**gate.who(request), "recipient": address.casefold() if kind == "email" else ""}
    throttle.count(gate.channel(), "watch", by=by, at=request.at)
    if kind == "webhook":
        _check_host(address)
    channel = _channel(report)
    return watches.ask(report, kind, address, origin=origin_of(request), channel=channel, at=request.at)


def _check_host(url: str) -> None:
    parts = urlsplit(url)
    try:
        sending.allowed_address(parts.hostname or "", parts.port or 443, private=False)
    except Unreachable:
        raise WatchRefused(
            "这个网址找不到，或者在内部网络里，不能发送。请填写公网能访问的网址。",
            "This web address is not known, or lies in an internal network. Give one that can be reached from outside.",
            field="address",
        ) from None


def _channel(report: Report) -> Channel:
    return catalogue.current().get(CHANNELS, report.channel)


@require_POST
@gate.open_to_all
def stop(request: Asked, code: str, watch_id: UUID) -> HttpResponse:
    """Somebody with the code ends one of the report's watches."""
    report = status.find_report(request, code)
    found = Watch.objects.filter(report=report, pk=watch_id).first()
    if found is None:
        raise NoSuchLink
    watches.stop(found, at=request.at)
    return redirect(reverse("resident_status", args=[tracking.plain(code)]) + "#watches")


@gate.open_to_all
def confirm(request: Asked, token: str) -> HttpResponse:
    """The link of the first letter: a page with a button, for programs open links, too."""
    watch = watches.by_token(token, "confirm")
    # A web address confirms by echoing; its link is nobody's to press.
    wanted = watch.confirmed_at is not None and watch.stopped_at is None
    if watch.kind != "email" or not (wanted or watches.may_confirm(watch, at=request.at)):
        raise NoSuchLink
    if request.method == "POST":
        watches.confirm(watch, channel=_channel(watch.report), at=request.at)
        return _say(request, CONFIRMED, done=True)
    if wanted:
        return _say(request, CONFIRMED, done=True)
    return _say(request, CONFIRM, button=Text(zh="确认订阅", en="Subscribe"))


@csrf_exempt
@gate.open_to_all
def end(request: Asked, token: str) -> HttpResponse:
    """The link in every letter: one button, and no code. Mail programs press it themselves (RFC 8058), hence no form
    of ours is asked for: the signed link is enough, and does no more than end this."""
    watch = watches.by_token(token, "stop")
    if request.method == "POST":
        watches.stop(watch, at=request.at)
        return _say(request, ENDED, done=True)
    if watch.stopped_at is not None:
        return _say(request, ENDED, done=True)
    return _say(request, END, button=Text(zh="取消订阅", en="Stop"))


def _say(request: Asked, text: Text, *, button: Text | None = None, done: bool = False) -> HttpResponse:
    return gate.draw(request, "watch", {"title": TITLE, "text": text, "button": button, "done": done})
