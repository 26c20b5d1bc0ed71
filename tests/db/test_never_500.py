"""Nonsense in every address, parameter and body: always an answer in words, never a failure, nothing of another county.

Each value is one that some layer below would choke on: a NUL, a day that overflows, a cursor of another list.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from anlan.presentation.api.root import api
from anlan.presentation.permissions import PUBLIC, WEB
from asking import Call, Things, api_calls, things, undone, web_names
from calling import ROOT

THEIRS = ("邻村", "邻县", "邻房东", "house9", "外人")
"""What nobody in our county may find; `Things.marks` is what the neighbour may not."""


def cursor(*values: Any) -> str:
    """A cursor as a list would give it."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


EARLY = {"at": "0001-01-01T00:00:00+14:00"}
NOBODY = "00000000-0000-0000-0000-000000000000"
CURSORS = (
    "!!!", "s.", cursor("x"), cursor("x", "y"), cursor(1, 2), cursor(10**30, 10**30), cursor("\x00", "\x00"),
    cursor(EARLY, "x"), cursor({"at": "2026-01-01T00:00:00"}, NOBODY), cursor("a", "b", "c"), cursor(10**30),
    "s." + cursor({"at": "2026-01-01"}, "x"), base64.urlsafe_b64encode(b"[" * 300).decode(),
)  # fmt: skip
TEXTS = (
    "a\x00b", "9" * 40, "9" * 5000, "-1", "nan", "²", "0001-01-01", "9999-12-31", "2026-02-30", "330199001001001",
    "a" * 3000, NOBODY, "<script>alert(1)</script>", "'\"--%",
)  # fmt: skip
NAMES = (
    "action area batch calendar channel day department from kind light mine next period procedure q rate role since"
    " site sort state step to topic until x year"
).split()
LISTS = set("cases departments duties imports notices officers parties quarantine sites tokens triage".split())
BODIES: tuple[Any, ...] = (
    None, [], {}, True, -1, 10**30, 1e308, "a\x00b", "\ud800", "x" * 5000, [None], "0001-01-01", "330199001001001",
    "9999-12-31T23:59:59-12:00", {"zh": "\x00", "en": "x"}, {"type": "Polygon", "coordinates": 5},
)  # fmt: skip
NONE = ("9" * 30, "9" * 5000, "x%00y", "-1", "%ff", NOBODY)
RAW = (b"", b"{", b"null", b"\xff\xfe", b'{"x": NaN}', b"[" * 100_000)


@pytest.fixture
def of(media: Path) -> Things:
    return things()


def caller(officer: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(officer)
    return client


def pages(of: Things, resolver: Any = None) -> Iterator[tuple[str, str]]:
    """The name and address of every page of the desk."""
    kwargs = web_names(of)
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern) and WEB[str(pattern.name)] != PUBLIC:
            yield str(pattern.name), reverse(str(pattern.name), kwargs=kwargs.get(str(pattern.name)))
        elif isinstance(pattern, URLResolver) and pattern.namespace != "api":
            yield from pages(of, pattern)


def answer(client: Client, method: str, address: str, **given: Any) -> tuple[int, str]:
    """The status and what was said, undone again."""
    with undone():
        response: Any = client.generic(method, address, **given)
        said = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, said.decode(errors="replace")


def queries(name: str, texts: Iterator[str]) -> Iterator[dict[str, str]]:
    """Some texts in turn in all parameters at once, for a page drops what makes no sense; for a list every cursor."""
    for _ in range(3):
        yield {**dict.fromkeys(NAMES, next(texts)), "state": "all", "action": "areas.see"}
    for place, each in enumerate(CURSORS if name in LISTS else ()):
        yield {"after": each} if place % 2 else {"before": each, "state": "closed"}


def asked_for(client: Client, address: str, query: dict[str, str]) -> tuple[int, str]:
    with undone():
        response: Any = client.get(address, query)
        said = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, said.decode(errors="replace")


def test_no_page_fails_on_nonsense_in_its_address(of: Things) -> None:
    client, texts, wrong = caller(of.town.administrator), cycle(TEXTS), []
    for name, address in pages(of):
        for query in queries(name, texts):
            status, _ = asked_for(client, address, query)
            if status >= 500:
                wrong.append((name, query, status))
            if status in (403, 405):
                break
    assert not wrong


def test_no_page_tells_anybody_of_another_county_whatever_the_address_asks(of: Things) -> None:
    town, wrong = of.town, []
    ours, theirs = {"area": town.county.code, "q": "东一村 12 号"}, {"area": town.neighbour_grid.code, "q": "出租房"}
    people = [
        *((officer, theirs, THEIRS) for officer in (town.dispatcher, town.handler, town.landlord, town.administrator)),
        (town.outsider, ours, of.marks()),
    ]
    for officer, query, hidden in people:
        client = caller(officer)
        for name, address in pages(of):
            status, said = asked_for(client, address, {**query, "state": "all"})
            # What was not found names nothing but the address it was asked under.
            told = [mark for mark in hidden if mark in said] if status < 400 else []
            if status >= 500 or told:
                wrong.append((officer.name, name, status, told))
    assert not wrong


# ---------------------------------------------------------------- the API


def described(of: Things) -> Iterator[tuple[str, Call, dict[str, Any]]]:
    """Every operation with a request for it and what the schema says of it."""
    calls = api_calls(of)
    for methods in api.get_openapi_schema(path_prefix="")["paths"].values():
        for said in methods.values():
            yield said["operationId"], calls[said["operationId"]], said


def nonsense(call: Call, said: dict[str, Any], texts: Iterator[str], bodies: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """For each parameter and each item of the body some values in turn, so that all of them come round."""
    for parameter in said.get("parameters", ()):
        if parameter["in"] == "query":
            for _ in range(2):
                yield {"query_params": {parameter["name"]: next(texts)}}
    for item in call.body:
        for _ in range(2):
            body = json.dumps({**call.body, item: next(bodies)})
            yield {"data": body.encode(), "content_type": "application/json"}
    if call.method != "GET":
        for raw in RAW:
            yield {"data": raw, "content_type": "application/json"}


def test_no_operation_of_the_api_fails_on_nonsense(of: Things) -> None:
    client, texts, bodies, wrong = caller(of.town.administrator), cycle((*TEXTS, *CURSORS)), cycle(BODIES), []
    for name, call, said in described(of):
        for given in nonsense(call, said, texts, bodies):
            status, text = answer(client, call.method, ROOT + call.path, **given)
            if status >= 500 or (status >= 400 and '"error"' not in text):
                wrong.append((name, str(given)[:200], status))
    assert not wrong


def test_no_address_of_the_api_fails_on_a_name_that_is_none(of: Things) -> None:
    client, wrong = caller(of.town.administrator), []
    for name, call, _ in described(of):
        head, _, rest = call.path.split("?")[0].removeprefix("/").partition("/")
        for bad in NONE if rest else ():
            address = f"{ROOT}/{head}/{bad}" + "".join(f"/{part}" for part in rest.split("/")[1:])
            body = json.dumps(call.body).encode()
            status, _ = answer(client, call.method, address, data=body, content_type="application/json")
            if status >= 500:
                wrong.append((name, bad[:40], status))
    assert not wrong
