"""What the API says of itself is what it does: Schemathesis makes requests from its OpenAPI, fitting ones and others.

Nothing it sends may end in a failure of the server; what is answered has the shape that is described, and a refusal
says in both languages what is wrong.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance

from anlan.places.models import Officer
from anlan.places.role import ACTIONS, all_roles
from anlan.presentation.api.root import api
from asking import Things, things, undone
from calling import ROOT, token_of
from world import World

EXAMPLES = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 5


@pytest.fixture
def of(media: Path) -> Things:
    return things()


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Requests of a real server close connections that are in a transaction; here the test's own is."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def everything(town: World) -> Officer:
    """Somebody who may do everything in the county."""
    officer = town.administrator
    for role in all_roles():
        officer.posts.get_or_create(role=role, area=town.county, defaults={"valid_from": town.at.date()})
    return officer


def operations() -> Iterator[Any]:
    schema = schemathesis.openapi.from_wsgi(f"{ROOT}/openapi.json", get_wsgi_application())
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


# Its client does not close an answer that is a file.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_request_made_from_the_description_fails_and_every_answer_is_as_described(of: Things) -> None:
    headers = {"Authorization": f"Bearer {token_of(everything(of.town), sorted(ACTIONS))}"}
    names = [operation.definition.raw["operationId"] for operation in operations()]
    assert len(names) == len(set(names)) >= len(list(api.get_openapi_schema()["paths"]))
    wrong = [
        f"{operation.label}: {problem}"
        for operation in operations()
        for problem in (
            _tried(operation, GenerationMode.POSITIVE, lambda case: _holds(_there(case, of), headers)),
            _tried(operation, GenerationMode.NEGATIVE, lambda case: _holds(case, headers)),
        )
        if problem
    ]
    assert not wrong, "\n".join(wrong)


def _tried(operation: Any, mode: GenerationMode, holds: Callable[[Any], None]) -> str:
    """What is wrong with the answers to some requests of an operation; "" when nothing is."""
    prepared: Any = settings(
        max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    try:
        requests: Any = given(operation.as_strategy(generation_mode=mode))
        prepared(requests(holds))()
    except (AssertionError, FailureGroup, Failure, LookupError) as failure:
        return f"{mode.value}: {failure}"[:800]
    return ""


def _there(case: Any, of: Things) -> Any:
    """The same request about something that is there."""
    known = {
        "case_id": of.case.pk, "report_id": of.report.pk, "held_id": of.held.pk, "batch_id": of.batch.pk,
        "photo_id": of.photo.pk, "post_id": of.post.pk, "duty_id": of.duty.pk, "token_id": of.token.pk,
        "officer_id": of.town.handler.pk, "party_id": of.town.party.pk, "key": of.town.fire.key,
        "code": of.town.site.code if "/sites/" in case.path else of.town.grid.code,
    }  # fmt: skip
    for name in case.path_parameters or {}:
        if name in known:
            case.path_parameters[name] = str(known[name])
    return case


def _holds(case: Any, headers: dict[str, str]) -> None:
    with undone():
        answer = case.call(headers=headers)
    assert answer.status_code < 500, (case.as_curl_command(), answer.text[:300])
    if answer.status_code >= 400:
        said = answer.json()["error"]
        assert said["zh"], answer.text[:300]
        assert said["en"], answer.text[:300]
    elif answer.status_code in map(int, case.operation.definition.raw["responses"]):
        case.validate_response(answer, checks=[response_schema_conformance])
