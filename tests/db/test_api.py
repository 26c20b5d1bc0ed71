"""Who calls the API, and how its errors are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from anlan.places import officers, tokens
from anlan.presentation.api.root import api
from calling import ROOT, USUAL, Caller, opened, token_of
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def test_nobody_gets_in_without_a_session_or_a_token(town: World) -> None:
    answer = Caller().get("/cases")
    assert answer.status == 401
    assert "Bearer" in answer.response["WWW-Authenticate"]
    assert "令牌" in answer.error["zh"]


@pytest.mark.parametrize("token", ["", "anlan_nothing", "x" * 5000, "令牌".encode().decode("latin-1")])
def test_a_token_of_another_town_opens_nothing(town: World, token: str) -> None:
    answer = Caller(token=token or " ").get("/cases")
    assert answer.status == 401
    assert answer.error


def test_a_token_calls_as_its_officer_and_does_no_more_than_it_lists(town: World) -> None:
    caller = Caller(token=token_of(town.triage, ["cases.see"]))
    assert caller.get("/me").json["actions"] == ["cases.see"]
    assert caller.get("/cases").status == 200
    assert caller.get("/reports").status == 403


def test_a_token_that_was_revoked_or_has_expired_opens_nothing(town: World) -> None:
    now = timezone.now()
    token, secret = tokens.issue(town.triage, "系统", list(USUAL), at=now)
    tokens.revoke(token, by=town.triage, at=now)
    _, old = tokens.issue(
        town.triage, "旧", list(USUAL), at=now - timedelta(days=2), expires_at=now - timedelta(days=1)
    )
    assert Caller(token=secret).get("/cases").status == 401
    assert Caller(token=old).get("/cases").status == 401


def test_a_bad_token_is_refused_even_beside_a_good_session(town: World) -> None:
    caller = Caller(town.triage)
    caller.headers = {"Authorization": "Bearer anlan_wrong"}
    assert caller.get("/cases").status == 401


def test_a_session_that_writes_must_prove_that_the_page_asked(town: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(town.triage)
    case = opened(town)
    body = {"act": "register"}
    address = f"{ROOT}/cases/{case.pk}/acts"
    refused = client.post(address, body, content_type="application/json")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["error"]["en"]
    client.get("/sign-in/")
    proof = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "a" * 32
    client.cookies["csrftoken"] = proof
    done = client.post(address, body, content_type="application/json", headers={"X-CSRFToken": proof})
    assert done.status_code == 200


def test_a_password_set_by_somebody_else_is_changed_before_anything_else(town: World) -> None:
    officers.set_password(town.triage, "Anlan-2026-x", by=town.administrator, at=town.at, must_change=True)
    answer = Caller(town.triage).get("/cases")
    assert answer.status == 403
    assert "密码" in answer.error["zh"]


def test_a_token_begets_no_token_that_may_do_more(town: World) -> None:
    caller = Caller(token=token_of(town.administrator, ["tokens.edit", "officers.see"]))
    body = {"officer": town.administrator.pk, "name": "别的", "actions": ["cases.act"]}
    assert caller.post("/tokens", body).error["field"] == "actions"
    assert caller.post("/tokens", body | {"actions": ["officers.see"]}).status == 201


def test_an_administrator_takes_over_nobody_whose_posts_reach_further(town: World) -> None:
    officers.post(town.triage, "triage", town.neighbour, by=None, at=town.at)
    caller = Caller(town.administrator)
    for path, body in (
        ("/tokens", {"officer": town.triage.pk, "name": "x", "actions": ["cases.see"]}),
        (f"/officers/{town.triage.pk}/password", {"password": "Anlan-2026-x"}),
    ):
        assert caller.post(path, body).error["field"] == "officer"
    assert caller.patch(f"/officers/{town.triage.pk}", {"name": "别人"}).error["field"] == "officer"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"act": NaN}',
        b'{"act": "a\\u0000b"}',
        b'{"act": "\\ud800"}',
        b'{"act": 1e999}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_told_so(town: World, body: bytes) -> None:
    answer = Caller(town.triage).raw("POST", f"/cases/{uuid4()}/acts", body)
    assert answer.status == 400
    assert "JSON" in answer.error["zh"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "act"),
        ([], ""),
        ("x", ""),
        ({"act": 5}, "act"),
        ({"act": "register", "rev": "x"}, "rev"),
        ({"act": "register", "rev": 10**15}, "rev"),
        ({"act": "register", "reason": "x"}, "reason"),
        ({"act": "register", "data": []}, "data"),
        ({"act": "register", "photos": ["x"]}, "photos.0"),
        ({"act": "register", "key": "has space"}, "key"),
        ({"act": "register", "lat": 91}, "lat"),
        ({"act": "register", "device_at": "2026-11-22T09:30:00"}, "device_at"),
        ({"act": "register", "device_at": "0001-01-01T00:00:00+14:00"}, "device_at"),
    ],
)
def test_what_is_wrong_in_a_body_is_told_with_its_field(town: World, body: Any, field: str) -> None:
    answer = Caller(town.triage).post(f"/cases/{opened(town).pk}/acts", body)
    assert answer.status == 422
    assert answer.error["field"] == field


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=0", "light=purple", "since=2026-13-01", "area=%00", "after=%00", "since=0001-01-01"],
)
def test_a_filter_that_makes_no_sense_is_refused_not_overlooked(town: World, query: str) -> None:
    answer = Caller(town.triage).get(f"/cases?{query}")
    assert answer.status in (400, 422)
    assert answer.error


@pytest.mark.parametrize("cursor", ["x", "WyJ4Il0", "WyJ4IiwieSJd", "bnVsbA", "W3siYXQiOiAieCJ9LCAxXQ", "WzEsMl0"])
def test_a_cursor_of_another_list_is_never_an_error_of_ours(town: World, cursor: str) -> None:
    for path in ("/cases", "/areas", "/officers", "/reports"):
        assert Caller(town.administrator).get(path, after=cursor).status in (200, 422)


@pytest.mark.parametrize("path", ["/nothing", "/cases/x/y/z", "", "/cases/"])
def test_an_address_that_is_none_answers_in_json(town: World, path: str) -> None:
    answer = Caller(town.triage).get(path)
    assert answer.status == 404
    assert answer.error
    outside = Client().get("/api/v2/cases")
    assert outside.status_code == 404
    assert outside.json()["error"]["zh"]


def test_a_method_that_an_address_does_not_take_is_told_in_json(town: World) -> None:
    answer = Caller(town.triage).send("DELETE", "/cases")
    assert answer.status == 405
    assert answer.error
    assert answer.response["Allow"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(town: World, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = Caller(town.triage).raw("POST", "/reports", b"[" + b" " * 2000 + b"]")
    assert answer.status == 413
    client = Client()
    client.force_login(town.triage)
    declared = client.generic("POST", f"{ROOT}/imports", b"", CONTENT_LENGTH=str(10**12))
    assert declared.status_code == 413
    assert declared.json()["error"]["en"]


def test_the_schema_names_every_operation_and_loads_nothing_from_outside() -> None:
    answer = Caller().get("/openapi.json")
    assert answer.status == 200
    assert b"cdn" not in answer.content
    assert Caller().get("/docs").status == 404
    assert api.docs_url is None
