"""The permission matrix: role × scope × action over every operation of the API and every address of the desk."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from anlan.casework.models import Case
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.places.role import ACTIONS, all_roles
from anlan.presentation.api.root import api
from anlan.presentation.permissions import API, PUBLIC, SIGNED_IN, WEB
from asking import Call, Things, api_calls, elsewhere, things, undone, web_names
from calling import Answer, Caller
from world import World

MATRIX: dict[str, dict[str, str]] = tomllib.loads((Path(__file__).parent.parent / "matrix.toml").read_text())
MAY = {action: frozenset(roles.split()) for action, roles in MATRIX["may"].items()}
EXCUSED = {name: frozenset(roles.split()) for name, roles in MATRIX["excused"].items()}
SEES = {scope: frozenset(roles.split()) for scope, roles in MATRIX["sees"].items()}

# What a stranger may be answered: lists without what is ours, words that are everybody's, and their own new things.
OPEN_TO_STRANGERS = {
    "cases_act_many", "reports_waiting", "imports_run", "photos_keep", "officers_create", "procedures_one",
    "procedures_svg", "notices_read", "ledger_verify", "ledger_head", "export_cases", "export_reports", "export_events",
    "me_one", "topics_suggest", "index_indicator",
}  # fmt: skip
OF_NOBODY = {"suggest", "fact_table", "case_export", "declared_kind", "declaration", "layout_template", "layout_export"}
"""Addresses with something in them that is nobody's in particular."""


@pytest.fixture
def of(media: Path, editions: Path, settings: Any) -> Things:
    settings.DATA = editions
    return things()


@cache
def operations() -> dict[str, tuple[str, str]]:
    """Every operation that is served: its method and path, by name."""
    schema = api.get_openapi_schema(path_prefix="")
    return {
        said["operationId"]: (method.upper(), path)
        for path, methods in schema["paths"].items()
        for method, said in methods.items()
    }


def addresses(resolver: Any = None) -> dict[str, URLPattern]:
    """Every address of the desk that is served, by name; those of the API stand apart."""
    found: dict[str, URLPattern] = {}
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "api":
                found |= addresses(pattern)
        else:
            assert pattern.name, f"the address {pattern.pattern} has no name"
            found[pattern.name] = pattern
    return found


def asked(caller: Caller, call: Call, body: Any) -> Answer:
    with undone():
        if call.method == "GET":
            return caller.get(call.path)
        if call.path in ("/imports", "/photos"):
            return Answer(caller.client.post(f"/api/v1{call.path}", body or {}, headers=caller.headers))
        return caller.send(call.method, call.path, body)


# ---------------------------------------------------------------- the tables are whole


def test_every_endpoint_stands_in_the_table_and_has_a_request_here(of: Things) -> None:
    assert set(operations()) == set(API) == set(api_calls(of))
    assert set(addresses()) <= set(WEB), "an address is missing from the table"
    for name, call in api_calls(of).items():
        method, path = operations()[name]
        assert call.method == method
        assert len(call.path.split("?")[0].split("/")) == len(path.split("/")), name


def test_every_action_and_every_role_stands_in_the_matrix() -> None:
    assert set(MAY) == set(ACTIONS)
    assert frozenset().union(*MAY.values()) == set(all_roles())
    assert set(API.values()) <= set(ACTIONS) | {SIGNED_IN}
    assert set(WEB.values()) <= set(ACTIONS) | {SIGNED_IN, PUBLIC}


def test_nothing_that_writes_asks_for_no_more_than_to_look() -> None:
    excused = set(MATRIX["writes_for_anybody"]["api"].split())
    looking = {
        name for name, (method, _) in operations().items()
        if method != "GET" and (API[name] == SIGNED_IN or API[name].endswith(".see"))
    }  # fmt: skip
    assert looking == excused


def test_the_declared_roles_do_what_the_matrix_says_and_no_more(of: Things) -> None:
    for role, officer in of.town.cast().items():
        reach = of.town.reach(officer)
        assert {action for action in ACTIONS if reach.may(action)} == {a for a in MAY if role in MAY[a]}, role


# ---------------------------------------------------------------- role × action


def test_every_operation_is_open_to_the_roles_of_the_matrix_and_closed_to_the_others(of: Things) -> None:
    wrong, callers = [], {role: Caller(officer) for role, officer in of.town.cast().items()}
    for name, call in api_calls(of).items():
        for role, caller in callers.items():
            answer = asked(caller, call, {})
            allowed = API[name] == SIGNED_IN or role in MAY[API[name]]
            if name == "export_reports":
                allowed = allowed and role in MAY["reports.see"]
            expected = {200} if call.method == "GET" else {200, 201, 409, 422}
            if not allowed or role in EXCUSED.get(name, ()):
                expected = {403} if not allowed else {403, 404}
            if answer.status not in expected:
                wrong.append((name, role, answer))
            if answer.status >= 400:
                assert answer.error
    assert not wrong


def test_nobody_calls_an_operation_without_signing_in(of: Things) -> None:
    for name, call in api_calls(of).items():
        answer = asked(Caller(), call, call.body)
        assert answer.status == 401, name
        assert answer.error


def test_every_address_is_open_to_the_roles_of_the_matrix_and_closed_to_the_others(of: Things) -> None:
    kwargs, wrong = web_names(of), []
    for role, officer in of.town.cast().items():
        client = Client()
        client.force_login(officer)
        for name in addresses():
            action = WEB[name]
            if action == PUBLIC:
                continue
            address = reverse(name, kwargs=kwargs.get(name))
            status = looked(client, address)
            if not (action == SIGNED_IN or role in MAY[action]):
                expected = {403}
            elif role in EXCUSED.get(name, ()):
                expected = {403, 404}
            else:
                expected = {200, 302, 422}
            if status not in expected:
                wrong.append((name, role, status))
    assert not wrong


def looked(client: Client, address: str) -> int:
    """What an address answers to a look; to an empty form where it can only be sent one."""
    with undone():
        status = Answer(client.get(address)).status
        return status if status != 405 else Answer(client.post(address)).status


def test_an_empty_form_is_no_error_of_ours_wherever_it_is_sent(of: Things) -> None:
    kwargs = web_names(of)
    for officer in (of.town.administrator, of.town.triage, of.town.supervisor):
        client = Client()
        client.force_login(officer)
        for name in addresses():
            with undone():
                answer = Answer(client.post(reverse(name, kwargs=kwargs.get(name)), {"x": "\x00"}))
            assert answer.status < 500, name
            client.force_login(officer)


def test_nobody_reaches_an_address_without_signing_in(of: Things) -> None:
    kwargs = web_names(of)
    for name in addresses():
        for method in ("get", "post"):
            response = getattr(Client(), method)(reverse(name, kwargs=kwargs.get(name)))
            # Read to its end, not closed: that would end PostgreSQL's connection, and the next page asks it again.
            Answer(response)
            if WEB[name] == PUBLIC:
                assert response.status_code < 500, name
            elif response.status_code != 405:
                assert response.status_code == 302, (name, method, response.status_code)
                assert response.url.startswith("/sign-in/"), name


# ---------------------------------------------------------------- scope


def written(town: World) -> int:
    """How many events tell of our county."""
    return Event.objects.filter(area_path__startswith=town.county.path).count()


def test_the_outsider_holds_every_role_and_is_refused_everything_of_ours_by_the_api(of: Things) -> None:
    caller, before = Caller(of.town.outsider), written(of.town)
    wrong: list[tuple[object, ...]] = []
    for name, call in api_calls(of).items():
        with undone():
            answer = asked(caller, call, call.body)
            open_ = name in OPEN_TO_STRANGERS or name.endswith("_list")
            refused = {422} if name == "reports_receive" else {403, 404}
            if answer.status >= 500 or (not open_ and answer.status not in refused):
                wrong.append((name, answer))
            found = [mark for mark in of.marks() if mark.encode() in answer.content]
            if found and name not in ("cases_act_many", "reports_receive") and answer.status < 400:
                wrong.append((name, found))
            if written(of.town) != before:
                wrong.append((name, "wrote"))
    assert not wrong


def test_the_outsider_is_refused_everything_of_ours_by_the_desk(of: Things) -> None:
    client, kwargs = Client(), web_names(of)
    client.force_login(of.town.outsider)
    before = written(of.town)
    wrong: list[tuple[object, ...]] = []
    for name in addresses():
        if WEB[name] == PUBLIC:
            continue
        for method in ("get", "post"):
            with undone():
                answer = Answer(getattr(client, method)(reverse(name, kwargs=kwargs.get(name))))
                closed = name in kwargs and name not in OF_NOBODY
                if answer.status >= 500 or (closed and answer.status not in (404, 405)):
                    wrong.append((name, method, answer.status))
                if answer.status < 400 and any(mark.encode() in answer.content for mark in of.marks()):
                    wrong.append((name, method, "shows what is ours"))
                if written(of.town) != before:
                    wrong.append((name, method, "wrote"))
    assert not wrong


CASE_ADDRESSES = ("case", "case_reports")


def test_a_case_is_seen_in_each_scope_by_exactly_those_whom_the_matrix_names(of: Things) -> None:
    cases, wrong = {"own": of.case, **elsewhere(of.town)}, []
    for role, officer in of.town.cast().items():
        caller = Caller(officer)
        for scope, case in cases.items():
            expected = 200 if role in SEES[scope] else 404
            for path, status in _looks(caller, case):
                if status != expected:
                    wrong.append((scope, role, path, status))
        listed = {row["id"] for row in caller.get("/cases", limit=200).json["items"]}
        assert listed == {str(case.pk) for scope, case in cases.items() if role in SEES[scope]}, role
    assert not wrong


def _looks(caller: Caller, case: Case) -> list[tuple[str, int]]:
    below = ("", "/timeline", "/acts")
    found = [(path, caller.get(f"/cases/{case.pk}{path}").status) for path in below]
    pages = [(name, Answer(caller.client.get(reverse(name, args=[case.number]))).status) for name in CASE_ADDRESSES]
    return found + pages


def test_nobody_acts_on_a_case_they_do_not_see(of: Things) -> None:
    for scope, case in elsewhere(of.town).items():
        for role, officer in of.town.cast().items():
            if role in SEES[scope] or role not in MAY["cases.act"]:
                continue
            answer = asked(Caller(officer), Call("POST", f"/cases/{case.pk}/acts"), {"act": "register"})
            assert answer.status == 404, (scope, role)
            many = {"cases": [str(case.pk)], "act": "register"}
            if role in MAY["cases.bulk"]:
                [row] = asked(Caller(officer), Call("POST", "/cases/acts"), many).json
                assert not row["done"], (scope, role)


def test_a_department_and_a_party_do_not_reach_what_is_anothers(of: Things) -> None:
    other: Officer = of.town.other_handler
    assert Caller(other).get(f"/cases/{of.case.pk}").status == 404
    assert Caller(of.town.handler).get(f"/cases/{of.case.pk}").status == 200
    landlord = Caller(of.town.landlord)
    assert landlord.get("/sites/house1").status == 200
    assert landlord.get("/sites/shop1").status == 404
    assert landlord.get(f"/parties/{of.town.neighbour_party.pk}").status == 404
    assert [row["code"] for row in landlord.get("/sites").json["items"]] == ["house1"]
