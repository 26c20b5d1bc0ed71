"""What stands before the residents' pages: which device and address is asking, how often, and how much at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import get_random_string

from anlan.intake import throttle
from anlan.intake.channel import CHANNELS, Channel, Public
from anlan.intake.throttle import TooOften
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.presentation.permissions import PUBLIC, needs
from anlan.presentation.web.errors import HEADINGS, plain, status_of
from anlan.presentation.web.frame import Asked

CHANNEL: Final = "resident"
ROOT: Final = "/r/"
DEVICE: Final = "device"
TOLD: Final = "told"
FOR_A_WHILE: Final = timedelta(hours=2)
# Long enough to hold a device to its limits, too short to be of use for anything else.
A_DAY: Final = timedelta(days=1)
TOO_LARGE = Text(
    zh="照片加起来太大了，最多 {n} MB：请少选几张，或把照片缩小后再发。",
    en="The photos are too large together, at most {n} MB: choose fewer, or make them smaller.",
)

View = Callable[..., HttpResponse]


def channel() -> Channel:
    """The declared channel of the residents' pages."""
    return catalogue.current().get(CHANNELS, CHANNEL)


def public() -> Public:
    """What is open to everybody."""
    declared = channel().public
    assert declared is not None, "a pack's own channel 'resident' is of kind public, or it is refused at the start"
    return declared


def address_of(request: HttpRequest) -> str:
    """The network address that asks: of the nearest program that is not a proxy of ours; of IPv6 its network."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    told = request.META.get("REMOTE_ADDR", "")
    behind = settings.PROXIES
    if behind and len(hops) >= behind:
        told = hops[-behind]
    try:
        address = ip_address(told)
    except ValueError:
        return "?"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or int(address) >> 64)
    return str(address)


def who(request: HttpRequest) -> dict[str, str]:
    """The device and the address, as the limits know them."""
    return {"device": request.COOKIES.get(DEVICE, "")[:40], "address": address_of(request)}


def count(request: Asked, what: str) -> None:
    """Count one more `what`; raises `TooOften`."""
    throttle.count(channel(), what, by=who(request), at=request.at)


def check(request: Asked, what: str) -> None:
    """Raise `TooOften` where one more `what` would be too many."""
    throttle.check(channel(), what, by=who(request), at=request.at)


def keep(response: HttpResponse, name: str, value: str, *, age: timedelta) -> None:
    """Set one of the residents' cookies: for these pages alone, out of reach of scripts."""
    secure = bool(settings.SESSION_COOKIE_SECURE)
    response.set_cookie(name, value, max_age=age, path=ROOT, httponly=True, samesite="Lax", secure=secure)


def draw(request: HttpRequest, template: str, said: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A residents' page, with what stands on all of them."""
    return render(request, f"resident/{template}.html", {"urgent": public().urgent, **said}, status=status)


def later(response: HttpResponse, refusal: TooOften, at: datetime) -> HttpResponse:
    """The answer with the time after which to try again, for programs."""
    response.headers["Retry-After"] = str(max(1, round((refusal.until - at).total_seconds())))
    return response


def by_script(request: HttpRequest) -> bool:
    """Whether the page's script asks, and not the browser itself."""
    return request.headers.get("X-Asked-By") == "page"


def open_to_all(view: View) -> View:
    """A page for residents: kept nowhere, found by no search engine, and refused in its own looks."""

    @wraps(view)
    def opened(request: Asked, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Refusal as refusal:
            response = stopped(request, refusal)
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers["X-Robots-Tag"] = "noindex"
        # Django writes the address of what is refused into the log; here it may hold the code that opens a report.
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark for it
        if not request.COOKIES.get(DEVICE):
            keep(response, DEVICE, get_random_string(22), age=A_DAY)
        return response

    guarded: View = needs(PUBLIC)(opened)  # type: ignore[assignment]  # what goes in as a page comes out as one
    return guarded


def stopped(request: Asked, refusal: Refusal) -> HttpResponse:
    """A refusal, as a page or, to the page's own script, as words."""
    status = status_of(refusal)
    response: HttpResponse
    if by_script(request):
        said = {"zh": refusal.text.zh, "en": refusal.text.en, "field": refusal.field}
        response = JsonResponse({"error": said}, status=status)
    else:
        heading = HEADINGS.get(status, HEADINGS[422])
        response = draw(request, "stop", {"title": heading, "text": refusal.text}, status=status)
    return later(response, refusal, request.at) if isinstance(refusal, TooOften) else response


class SizeMiddleware:
    """Turns away what is too large before anything of it is read. Only the residents' pages are open to everybody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "POST" and request.path.startswith(ROOT):
            most = public().body_mb
            try:
                size = int(request.META.get("CONTENT_LENGTH") or 0)
            except ValueError:
                size = 0
            if size > most << 20:
                text = TOO_LARGE.format(n=most)
                if by_script(request):
                    return JsonResponse({"error": {"zh": text.zh, "en": text.en, "field": "photos"}}, status=413)
                return plain(413, text)
        return self.get_response(request)
