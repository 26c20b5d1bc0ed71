"""What surrounds every call: its form, its jurisdiction, whose key it brings, and errors as GeoReport v2 says them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.http import HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from anlan.intake import jurisdiction
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.jurisdiction import Jurisdiction
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.places import tokens, tree
from anlan.places.models import Officer
from anlan.places.record import day_of
from anlan.places.scope import Reach, reach_of
from anlan.presentation.open311 import spark
from anlan.presentation.open311.asked import NotThere, Words, Wrong, words
from anlan.presentation.permissions import PUBLIC, needs
from anlan.presentation.web.errors import status_of
from anlan.presentation.web.frame import Asked

logger = logging.getLogger(__name__)

ROOT: Final = "/open311/v2"
UNREADABLE: Final = (
    BadRequest, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, UnreadablePostError, MultiPartParserError,
)  # fmt: skip
FAILED: Final = Text(
    zh="这次没有办成，请稍后再试；仍然不行请联系接口的管理员。",
    en="General service error: this failed on our side. Try again later; if it still fails, tell those who run this.",
)
NOT_READ: Final = Text(
    zh="请求读不通：请用 application/x-www-form-urlencoded 或 multipart/form-data（UTF-8）发送。",
    en="The request cannot be read: send it as application/x-www-form-urlencoded or multipart/form-data, in UTF-8.",
)


class NoKey(Refusal):
    """The api_key is missing or wrong."""

    status = 403


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who asks what of which jurisdiction, in which form and language, at which moment."""

    request: Asked
    form: str
    here: Jurisdiction
    words: Words
    language: str

    @property
    def at(self) -> datetime:
        """The one moment of the call."""
        return self.request.at

    @property
    def channel(self) -> Channel:
        """The channel by which reports come in here."""
        return catalogue.current().get(CHANNELS, self.here.channel)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of this jurisdiction."""
        return ZoneInfo(self.channel.time_zone)

    def say(self, text: Text | None) -> str | None:
        """A text in the language of the call."""
        return text.in_(self.language) if text else None

    def moment(self, at: datetime | None) -> str | None:
        """A moment as GeoReport v2 writes it."""
        return at.astimezone(self.zone).isoformat(timespec="seconds") if at else None

    def address(self, below: str) -> str:
        """The whole address of what lies under this endpoint."""
        return self.request.build_absolute_uri(f"{ROOT}/{below}")

    def area_path(self) -> str:
        """The path of the area whose reports are shown here; "" = everywhere."""
        if not self.here.area:
            return ""
        area = tree.of_day(self.here.area, day_of(self.at))
        if area is None:
            raise Wrong("这个接口的辖区还没有载入。", "The area of this endpoint has not been loaded yet.")
        return area.path

    def client(self) -> tuple[Officer, Reach]:
        """Whose key this is, and where it may report; raises `NoKey`."""
        told = self.words["api_key"] or self.request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not told:
            raise NoKey("请带上 api_key（接入密钥）。", "An api_key is needed for this.", field="api_key")
        found = tokens.read(told, at=self.at)
        reach = reach_of(found.officer, at=self.at, actions=found.actions) if found else None
        if found is None or reach is None:
            raise NoKey(
                "api_key 不对、已吊销或已过期。", "The api_key is not known, or was revoked, or has expired.",
                field="api_key",
            )  # fmt: skip
        if not reach.may(self.channel.action):
            raise NoKey("这个 api_key 不能上报。", "This api_key does not allow reporting.", field="api_key")
        return found.officer, reach


Answer = tuple[str, Any]
View = Callable[..., Answer | HttpResponseBase]


def endpoint(
    *, get: View | None = None, post: View | None = None, anywhere: bool = False
) -> Callable[..., HttpResponseBase]:
    """A view of these two: what they give (the root's name and the answer) is said in the form that was asked for.

    `anywhere`: it is about no jurisdiction in particular.
    """

    def view(request: Asked, form: str = "xml", **given: str) -> HttpResponseBase:
        form = form.lower()
        try:
            _check_form(form)
            chosen = _chosen(request, get, post)
            _check_size(request)
            response = said(chosen(_call(request, form, anywhere=anywhere), **given), form)
        except Refusal as refusal:
            response = fault(refusal, form)
        except UNREADABLE:
            response = fault(Wrong(NOT_READ.zh, NOT_READ.en), form)
        except Exception:
            # The standard knows no other answer: 400, "general service error".
            logger.exception("Open311：%s", request.resolver_match and request.resolver_match.url_name)
            response = fault(Wrong(FAILED.zh, FAILED.en), form)
        return _with_headers(response)

    guarded: Callable[..., HttpResponseBase] = csrf_exempt(needs(PUBLIC)(wraps(get or post or view)(view)))
    return guarded


def said(answer: Answer | HttpResponseBase, form: str, *, status: int = 200) -> HttpResponseBase:
    """The answer in its form."""
    if isinstance(answer, HttpResponseBase):
        return answer
    root, data = answer
    return HttpResponse(spark.said(root, data, form), status=status, content_type=spark.CONTENT_TYPES[form])


def fault(refusal: Refusal, form: str) -> HttpResponseBase:
    """An error: 404 for what does not exist, 403 for a wrong key, 400 for anything else."""
    own = status_of(refusal)
    status = own if own in (403, 404) else 400
    reasons = [reason.text for reason in getattr(refusal, "reasons", ())] or [refusal.text]
    errors = [{"code": status, "description": f"{text.zh} / {text.en}"} for text in reasons]
    return said(("errors", errors), form if form in spark.CONTENT_TYPES else "xml", status=status)


def _check_form(form: str) -> None:
    if form not in spark.CONTENT_TYPES:
        raise Wrong(
            f"没有“{form[:20]}”这种格式：地址请以 .xml 或 .json 结尾。",
            f"There is no format “{form[:20]}”: end the address with .xml or .json.",
        )


def _chosen(request: Asked, get: View | None, post: View | None) -> View:
    method = str(request.method)
    chosen = {"GET": get, "HEAD": get, "POST": post}.get(method)
    if chosen is None:
        raise Wrong(f"这个地址不支持 {method[:10]}。", f"This address does not take {method[:10]}.")
    return chosen


def _check_size(request: Asked) -> None:
    """Before anything of the body is read."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    most = max(each.body_mb for each in jurisdiction.every().values())
    if not told.isdigit() or int(told) > most << 20:
        raise Wrong(
            f"发来的内容太大，最多 {most} MB：请少发几张照片，或缩小后再发。",
            f"Too much was sent, at most {most} MB: send fewer photos, or make them smaller.",
        )


def _call(request: Asked, form: str, *, anywhere: bool) -> Call:
    told = words(request)
    here = next(iter(jurisdiction.every().values())) if anywhere else _here(told)
    return Call(request, form, here, told, _language(request, told, here))


def _here(told: Words) -> Jurisdiction:
    every = list(jurisdiction.every().values())
    name = told["jurisdiction_id"]
    if not name:
        if len(every) == 1:
            return every[0]
        raise Wrong(
            "请带上 jurisdiction_id：这里有几个辖区。",
            "jurisdiction_id was not provided, and there are several jurisdictions here.",
            field="jurisdiction_id",
        )
    for each in every:
        if each.jurisdiction_id.casefold() in ("", name.casefold()):
            return each
    raise NotThere(
        f"没有 jurisdiction_id 为“{name[:80]}”的辖区。",
        f"The jurisdiction_id “{name[:80]}” was not found.",
        field="jurisdiction_id",
    )


def _language(request: Asked, told: Words, here: Jurisdiction) -> str:
    """The language that was asked for, by `lang` or by the browser's header; else the jurisdiction's own."""
    for wanted in (told["lang"], request.headers.get("Accept-Language", "")):
        if wanted[:2].lower() in ("zh", "en"):
            return wanted[:2].lower()
    return here.language


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    """Pages of others may read what is public; nobody keeps it longer than it is true."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers.setdefault("Cache-Control", "no-cache")
    response.headers["X-Robots-Tag"] = "noindex"
    # Django writes the address of what is refused into the log; here it may hold a key or a token.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark for it
    return response
