"""What surrounds every page: its one moment and reach, the language, the menu, refusals and safe headers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from anlan.casework.models import Notice
from anlan.kernel.text import Refusal, Text
from anlan.places import register, tree
from anlan.places.models import Area, Officer
from anlan.places.record import day_of
from anlan.places.scope import Reach, reach_of
from anlan.presentation.permissions import PUBLIC, SIGNED_IN, WEB, NotPermitted
from anlan.presentation.saying import speaking_in
from anlan.presentation.web.errors import at_once, refused

LANGUAGES = {"zh": "zh-hans", "en": "en"}
LANGUAGE_COOKIE = "lang"
WHILE_PASSWORD_IS_OLD = {"password", "sign_out", "language"}
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class Asked(HttpRequest):
    """The request a view gets: an officer, one moment, what they may do, and the language."""

    user: Officer
    at: datetime
    reach: Reach
    lang: str
    area: Area | None


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the menu."""

    key: str
    title: Text
    action: str
    url: str = ""
    active: bool = False


MENU = (
    Word("inbox", Text(zh="待办", en="To do"), SIGNED_IN),
    Word("triage", Text(zh="受理", en="Triage"), "reports.see"),
    Word("cases", Text(zh="事项", en="Cases"), "cases.see"),
    Word("sites", Text(zh="场所", en="Sites"), "sites.see"),
    Word("statistics", Text(zh="统计", en="Figures"), "statistics.see"),
    Word("index", Text(zh="指数", en="Index"), "statistics.see"),
    Word("settings", Text(zh="设置", en="Settings"), "areas.see"),
)
BAR = (
    MENU[0],
    Word("report", Text(zh="上报", en="Report"), "reports.receive"),
    MENU[2],
    MENU[3],
    Word("me", Text(zh="我的", en="Me"), SIGNED_IN),
)


def language_of(request: HttpRequest) -> str:
    """The language somebody chose by the switch, else their own, else Chinese."""
    chosen = request.COOKIES.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    own = getattr(request.user, "language", "zh")
    return "en" if str(own).startswith("en") else "zh"


def area_of(request: HttpRequest) -> Area | None:
    """The area the page is narrowed to by `?area=CODE`, when it is one that exists today and is in one's reach."""
    code = request.GET.get("area", "")
    if not code or "\x00" in code:
        return None
    reach: Reach = request.reach  # type: ignore[attr-defined]
    area = tree.lasting(code)
    return area if area and any(area.path.startswith(hold.path) for hold in reach.holds) else None


class FrameMiddleware:
    """Set the moment, the reach and the language; turn refusals into pages; add the headers that keep a page safe."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with register.held():
            return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        at = timezone.now()
        request.at = at  # type: ignore[attr-defined]
        request.reach = SimpleLazyObject(lambda: _reach(request, at))  # type: ignore[attr-defined]
        request.area = SimpleLazyObject(lambda: area_of(request))  # type: ignore[attr-defined]
        request.lang = language_of(request)  # type: ignore[attr-defined]
        with translation.override(LANGUAGES[request.lang]), speaking_in(request.lang):  # type: ignore[attr-defined]
            return _with_headers(request, self.get_response(request))

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        if match is None or match.namespaces:
            return None
        if WEB.get(match.url_name or "") is None:
            return refused(request, NotPermitted())
        stale = getattr(request.user, "must_change_password", False)
        if stale and match.url_name not in WHILE_PASSWORD_IS_OLD and WEB[str(match.url_name)] != PUBLIC:
            return redirect("password")
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        refusal = error if isinstance(error, Refusal) else at_once(error)
        return refused(request, refusal) if refusal else None


def _reach(request: HttpRequest, at: datetime) -> Reach:
    if isinstance(request.user, Officer) or request.user.is_authenticated:
        return reach_of(request.user, at=at)
    return Reach(0, ())


def _with_headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()")
    if request.user.is_authenticated:
        response.headers.setdefault("Cache-Control", "private, no-store")
    response.headers.setdefault("Content-Language", "zh-CN" if request.lang == "zh" else "en")  # type: ignore[attr-defined]
    return response


def _resolved(words: tuple[Word, ...], request: HttpRequest, reach: Reach) -> list[Word]:
    """The words this person may use, with addresses; the one whose address the page lies under is active."""
    area = request.GET.get("area", "")
    shown = []
    for word in words:
        if word.action != SIGNED_IN and not reach.may(word.action):
            continue
        url = _address(word.key)
        if not url:
            continue
        active = request.path == url or (url != "/" and request.path.startswith(url))
        keep = f"?area={area}" if area.isalnum() and word.key != "settings" else ""
        shown.append(Word(word.key, word.title, word.action, url + keep, active))
    return shown


def words_for(request: HttpRequest, words: tuple[Word, ...]) -> list[Word]:
    """The words of `words` that the one who asks may use."""
    return _resolved(words, request, request.reach)  # type: ignore[attr-defined]


def scope_of(reach: Reach, at: datetime) -> Text:
    """What the header says one's scope is: the area's name, or how many there are."""
    paths = list(dict.fromkeys(hold.path for hold in reach.holds))
    named = tree.together(day_of(at), paths=paths, most=3)
    if not named:
        return Text(zh="没有岗位", en="No post")
    if len(paths) > 2:
        return Text(zh=f"{len(paths)} 个辖区", en=f"{len(paths)} areas")
    return Text(zh="、".join(area.name_zh for area in named), en=", ".join(area.name_en for area in named))


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _unread(officer: Any) -> int:
    return len(Notice.objects.filter(officer_id=officer, read_at__isnull=True).values_list("pk")[:100])


def frame(request: HttpRequest) -> dict[str, Any]:
    """What every template may use: language, moment, menu, notices, and which frame to draw (a page or a drawer)."""
    at = getattr(request, "at", None) or timezone.now()
    user = getattr(request, "user", AnonymousUser())
    drawer = request.headers.get("HX-Target") == "drawer-body"
    said: dict[str, Any] = {
        "lang": getattr(request, "lang", "zh"),
        "now": at,
        "today": timezone.localtime(at).date(),
        "base": "base_drawer.html" if drawer else "base.html",
        "drawer": drawer,
    }
    if not user.is_authenticated:
        return said
    reach = request.reach  # type: ignore[attr-defined]
    bar = _resolved(BAR, request, reach)
    return said | {
        "reach": reach,
        "menu": _resolved(MENU, request, reach),
        "bar": bar if len(bar) <= 4 else bar[:3] + bar[-1:],
        "unread": SimpleLazyObject(lambda: _unread(user.pk)),
        "notices_url": _address("notices") if reach.may("notices.see") else "",
        "scope": scope_of(reach, at),
        "here": getattr(request, "area", None),
    }
