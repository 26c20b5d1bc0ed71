"""Refusals as JSON: every error, whatever raised it, is one sentence in both languages with the field it is about."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import (
    ObjectDoesNotExist,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as Unfit
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from anlan.kernel.text import Refusal, Text
from anlan.presentation.permissions import NotFound
from anlan.presentation.web.errors import MESSAGES, at_once, status_of

logger = logging.getLogger(__name__)

SAID: dict[int, Text] = {
    400: Text(
        zh="请求读不通：请求体应是一个 JSON（UTF-8，没有 NaN、NUL，整数不超过 2^53）。请检查后再发。",
        en="The request cannot be read: its body must be JSON (UTF-8, without NaN or NUL, integers up to 2^53). "
        "Check it and send it again.",
    ),
    401: Text(
        zh="请先登录，或在 Authorization 头里带上有效的令牌（Bearer …）。令牌可能写错、过期或已吊销。",
        en="Sign in, or send a valid token in the Authorization header (Bearer …). The token may be mistyped, expired "
        "or revoked.",
    ),
    404: MESSAGES[404],
    405: Text(
        zh="这个地址不支持这种请求方法；请查看接口说明。",
        en="This address does not take that method; see the schema.",
    ),
    409: Text(
        zh="别人刚刚登记了同样的内容，您的这一次没有保存。请查看现状后再试。",
        en="Somebody has just entered the same; yours was not saved. Look at what is there and try again.",
    ),
    413: Text(
        zh="发来的内容太大：请求体最多 24 MB，上传文件最多 66 MB。请分开发送。",
        en="Too much was sent: a body holds at most 24 MB, an upload 66 MB. Send it in parts.",
    ),
    422: Text(
        zh="有一项太长、太大或写法不对，没有保存。请检查后再发。",
        en="Something is too long, too large or not written as it must be, and was not saved. Check it and try again.",
    ),
    500: MESSAGES[500],
    503: Text(
        zh="系统正忙，这一次没有保存；请稍等几秒，用同一个编号（key）再发一次。",
        en="The system is busy and this was not saved; wait some seconds and send it again with the same key.",
    ),
}
CSRF = Text(
    zh="用浏览器会话调用接口时，要在 X-CSRFToken 头里带上页面的令牌。请刷新页面后再试。",
    en="Calling with a browser session needs the page's token in the X-CSRFToken header. Reload the page.",
)

A_MOMENT = ("应是时间，例如 2026-11-22T09:30:00+08:00。", "Must be a moment such as 2026-11-22T09:30:00+08:00.")
# What pydantic refuses, by its own names for it.
WRONG: dict[str, tuple[str, str]] = {
    "missing": ("缺少这一项，请补上。", "This is missing; add it."),
    "extra_forbidden": ("没有这一项，请检查名称。", "There is no such item; check the name."),
    "string_type": ("应是文字。", "Must be text."),
    "string_too_short": ("至少 {min_length} 个字。", "Must have at least {min_length} character(s)."),
    "string_too_long": ("最多 {max_length} 个字。", "May have at most {max_length} character(s)."),
    "string_pattern_mismatch": ("写法不合规定 {pattern}。", "Does not match {pattern}."),
    "int_type": ("应是整数。", "Must be a whole number."),
    "int_parsing": ("应是整数。", "Must be a whole number."),
    "int_from_float": ("应是整数。", "Must be a whole number."),
    "float_type": ("应是数字。", "Must be a number."),
    "float_parsing": ("应是数字。", "Must be a number."),
    "finite_number": ("应是数字。", "Must be a number."),
    "bool_type": ("应是 true 或 false。", "Must be true or false."),
    "bool_parsing": ("应是 true 或 false。", "Must be true or false."),
    "list_type": ("应是数组 [ ]。", "Must be an array [ ]."),
    "dict_type": ("应是对象 { }。", "Must be an object { }."),
    "model_type": ("应是对象 { }。", "Must be an object { }."),
    "model_attributes_type": ("应是对象 { }。", "Must be an object { }."),
    "uuid_type": ("应是 UUID，例如 0191f0aa-0000-7000-8000-000000000000。", "Must be a UUID."),
    "uuid_parsing": ("应是 UUID，例如 0191f0aa-0000-7000-8000-000000000000。", "Must be a UUID."),
    "date_type": ("应是日期，例如 2026-11-22。", "Must be a date such as 2026-11-22."),
    "date_parsing": ("应是日期，例如 2026-11-22。", "Must be a date such as 2026-11-22."),
    "date_from_datetime_parsing": ("应是日期，例如 2026-11-22。", "Must be a date such as 2026-11-22."),
    "date_from_datetime_inexact": ("应是日期，不带时间。", "Must be a date without a time of day."),
    "datetime_type": A_MOMENT,
    "datetime_parsing": A_MOMENT,
    "datetime_from_date_parsing": A_MOMENT,
    "timezone_aware": ("时间要带时区，例如 +08:00。", "The moment needs its offset, for example +08:00."),
    "literal_error": ("只能是 {expected} 之一。", "Must be one of {expected}."),
    "greater_than": ("应大于 {gt}。", "Must be more than {gt}."),
    "greater_than_equal": ("不能小于 {ge}。", "Must be at least {ge}."),
    "less_than": ("应小于 {lt}。", "Must be less than {lt}."),
    "less_than_equal": ("不能大于 {le}。", "Must be at most {le}."),
    "too_short": ("至少要有 {min_length} 项。", "Must have at least {min_length} item(s)."),
    "too_long": ("最多 {max_length} 项。", "May have at most {max_length} item(s)."),
}
SKIPPED = frozenset({"body", "query", "path", "form", "file", "header", "given"})


class BadRequest(Refusal):
    """The request could not be read at all."""

    status = 400

    def __init__(self) -> None:
        super().__init__(SAID[400].zh, SAID[400].en)


class NeedsCsrf(Refusal):
    """A session was used without proof that the page itself asked."""

    status = 403

    def __init__(self) -> None:
        super().__init__(CSRF.zh, CSRF.en)


def answer(status: int, text: Text, *, field: str = "", others: Sequence[Mapping[str, str]] = ()) -> JsonResponse:
    """An error: `error` is the first thing wrong, `errors` everything where there is more than one."""
    said: dict[str, Any] = {"error": {"zh": text.zh, "en": text.en, "field": field}}
    if len(others) > 1:
        said["errors"] = list(others)
    response = JsonResponse(said, status=status, json_dumps_params={"ensure_ascii": False})
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response["Retry-After"] = "3"
    return response


def plain(status: int) -> JsonResponse:
    """The error that goes with a status."""
    return answer(status, SAID.get(status, SAID[422]))


def refused(request: HttpRequest, refusal: Refusal) -> JsonResponse:
    reasons = [reason.as_data() for reason in getattr(refusal, "reasons", ())]
    others = [{"zh": r["zh"], "en": r["en"], "field": r["field"]} for r in reasons]
    return answer(status_of(refusal), refusal.text, field=refusal.field, others=others)


def invalid(request: HttpRequest, error: ValidationError) -> JsonResponse:
    """What pydantic refused, each with its field."""
    found = [_told(each) for each in error.errors] or [{"zh": SAID[422].zh, "en": SAID[422].en, "field": ""}]
    first = found[0]
    return answer(422, Text(zh=first["zh"], en=first["en"]), field=first["field"], others=found)


def _told(wrong: Mapping[str, Any]) -> dict[str, str]:
    field = _named(wrong.get("loc", ()))
    context = {key: str(value) for key, value in wrong.get("ctx", {}).items()}
    # A message's own words go in last, so that braces in them are never read as places.
    zh, en = WRONG.get(wrong["type"], ("内容不合规定。", "Not valid."))
    for key, value in context.items():
        zh, en = zh.replace(f"{{{key}}}", value.replace(" or ", "、")), en.replace(f"{{{key}}}", value)
    where_zh, where_en = (f"“{field}”：", f"'{field}': ") if field else ("", "")
    return {"zh": where_zh + zh, "en": where_en + en, "field": field}


def _named(where: Sequence[Any]) -> str:
    parts = [str(part) for part in where]
    while parts and parts[0] in SKIPPED:
        parts.pop(0)
    return ".".join(parts)[:200]


def install(api: NinjaAPI) -> None:
    """Teach `api` to tell every error so."""
    kinds: dict[type[Exception], int] = {
        Http404: 404,
        ObjectDoesNotExist: 404,
        RequestDataTooBig: 413,
        TooManyFieldsSent: 413,
        TooManyFilesSent: 413,
        SuspiciousOperation: 400,
        MultiPartParserError: 400,
        UnicodeDecodeError: 400,
        Unfit: 422,
        DataError: 422,
        IntegrityError: 409,
        OperationalError: 503,
    }
    for kind, status in kinds.items():
        api.add_exception_handler(kind, _saying(status))
    # Typed as Any: a handler is given the error, though ninja's types allow for its class.
    for kind, handler in ((Refusal, refused), (ValidationError, invalid), (HttpError, _http), (Exception, _failed)):
        told: Any = handler
        api.add_exception_handler(kind, told)


def _saying(status: int) -> Any:
    def handler(request: HttpRequest, error: Exception) -> JsonResponse:
        logger.info("%s %s: %r", request.method, request.path, error)
        collision = at_once(error)
        return refused(request, collision) if collision else plain(status)

    return handler


def _http(request: HttpRequest, error: HttpError) -> JsonResponse:
    return plain(error.status_code)


def _failed(request: HttpRequest, error: Exception) -> JsonResponse:
    logger.error("%s %s", request.method, request.path, exc_info=error)
    return plain(500)


__all__ = ["BadRequest", "NeedsCsrf", "NotFound", "answer", "install", "plain"]
