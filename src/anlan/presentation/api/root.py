"""The API as a whole: its nouns under /api/v1, its schema, and JSON for every answer, even where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI

from anlan.presentation.api import (
    areas,
    calendars,
    cases,
    channels,
    departments,
    devices,
    duties,
    export,
    imports,
    index,
    ledger,
    me,
    notices,
    officers,
    parties,
    photos,
    posts,
    procedures,
    pushes,
    quarantine,
    rechecks,
    refusals,
    reports,
    roles,
    sites,
    statistics,
    tokens,
    topics,
)
from anlan.presentation.api.frame import Plain, Strict

NOUNS = {
    "cases": cases,
    "reports": reports,
    "quarantine": quarantine,
    "imports": imports,
    "photos": photos,
    "areas": areas,
    "sites": sites,
    "parties": parties,
    "departments": departments,
    "calendars": calendars,
    "officers": officers,
    "posts": posts,
    "duties": duties,
    "tokens": tokens,
    "procedures": procedures,
    "topics": topics,
    "channels": channels,
    "roles": roles,
    "statistics": statistics,
    "notices": notices,
    "pushes": pushes,
    "ledger": ledger,
    "export": export,
    "me": me,
    "devices": devices,
    "index": index,
    "rechecks": rechecks,
}
# A file of 64 MB and what surrounds it.
LARGEST = 66 * 1024 * 1024
DESCRIPTION = """安澜的 JSON 接口：桌面能做的，这里都能做。令牌放在 Authorization: Bearer 头里；
每个错误都是 {"error": {"zh", "en", "field"}}；写操作可带 key（或 Idempotency-Key 头），同一个编号做两次只算一次。

Everything the desk does, as JSON. A token goes into the Authorization: Bearer header; every error is
{"error": {"zh", "en", "field"}}; a deed may carry a key (or an Idempotency-Key header), and the same key twice is one
deed. Lists are paged by the cursors `after` and `before`."""


def build() -> NinjaAPI:
    """The API with every noun. No page of documentation: those load their scripts from elsewhere."""
    made = NinjaAPI(
        title="Anlan 安澜",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        parser=Strict(),
        renderer=Plain(),
        urls_namespace="api",
    )
    refusals.install(made)
    for noun, module in NOUNS.items():
        made.add_router(f"/{noun}", module.router)
    return made


api = build()
View = Callable[..., HttpResponseBase]


def spoken(view: View) -> View:
    """Refuse what is too large before it is read, and say in JSON what Django says in plain words."""

    @csrf_exempt
    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > LARGEST:
            return refusals.plain(413)
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            refused = refusals.plain(405)
            refused["Allow"] = response["Allow"]
            return refused
        return response

    return answering


@csrf_exempt
def nothing_here(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """An address under /api that is none."""
    return refusals.plain(404)


def urls() -> list[URLPattern | URLResolver]:
    """The addresses under /api/, all in the namespace `api`."""
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = spoken(pattern.callback)
    here: list[URLPattern | URLResolver] = [path("v1/", include([*patterns]))]
    here.append(re_path(r"", nothing_here, name="nothing_here"))
    return [path("", include((here, app_name), namespace=namespace))]
