"""A client of Open311 as the tests use it: its key, what it sends, and what it is answered, read from both forms."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

from django.test import Client
from django.utils import timezone

import definitions
from anlan.places import officers, tokens
from anlan.places.models import Officer
from anlan.presentation.open311.frame import FAILED
from calling import Answer
from world import FOUNDED, World

BASE = "/open311/v2"
HERE = {"lat": "27.02", "long": "122.02"}
MEMBERS = {
    "services": "service", "attributes": "attribute", "values": "value", "service_requests": "request",
    "service_request_updates": "request_update", "endpoints": "endpoint", "formats": "format", "notes": "note",
    "photos": "photo", "errors": "error",
}  # fmt: skip
BOOLEANS = {"metadata", "variable", "required", "inside"}
INTEGERS = {"order"}
NUMBERS = {"lat", "long"}


def key_of(officer: Officer, *actions: str) -> str:
    """A key for somebody who is there already."""
    return tokens.issue(officer, "Open311", list(actions or ("reports.receive",)), at=timezone.now())[1]


def machine(town: World, name: str = "fms", area: Any = None) -> tuple[Officer, str]:
    """A system that reports for the county (or `area`), and its key."""
    officer = officers.create(name, name=f"系统 {name}", is_machine=True, by=None, at=town.at)
    officers.post(officer, "grid_worker", area or town.county, valid_from=FOUNDED, by=None, at=town.at)
    return officer, key_of(officer)


def get(path: str, **query: Any) -> Answer:
    return Answer(Client().get(f"{BASE}{path}", query))


def post(path: str, **told: Any) -> Answer:
    headers = told.pop("headers", {})
    return Answer(Client().post(f"{BASE}{path}", told, headers=headers))


def sent(key: str, **told: Any) -> str:
    """The number of a request that was sent and taken."""
    given = {"service_code": "manhole", "description": "井盖松动，有响声", **HERE, **told}
    answer = post("/requests.json", api_key=key, **{name: value for name, value in given.items() if value is not None})
    assert answer.status == 200, answer.content.decode()
    return str(answer.json[0]["service_request_id"])


def spark(element: ET.Element) -> Any:
    """An XML answer as the Spark convention turns it into JSON, with the types the standard gives to names."""
    name = element.tag
    if name in MEMBERS:
        assert all(child.tag == MEMBERS[name] for child in element), name
        return [spark(child) for child in element]
    if len(element):
        return {child.tag: spark(child) for child in element}
    text = element.text
    if text is None:
        return None
    if name in BOOLEANS:
        return {"true": True, "false": False}[text]
    return float(text) if name in NUMBERS else int(text) if name in INTEGERS else text


def both(path: str, **query: Any) -> Any:
    """The answer of a GET, after both forms were held against each other; `path` without its ending."""
    in_xml, in_json = get(f"{path}.xml", **query), get(f"{path}.json", **query)
    assert in_xml.status == in_json.status
    assert in_xml.response["Content-Type"] == "text/xml; charset=utf-8"
    assert in_json.response["Content-Type"] == "application/json; charset=utf-8"
    assert in_xml.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    read = spark(ET.fromstring(in_xml.content))
    for error in read if "errors" in in_xml.content.decode()[:60] else ():
        error["code"] = int(error["code"])
    assert read == json.loads(in_json.content)
    definitions.check(path, in_json.json)
    return in_json.json


def error(answer: Answer, status: int) -> str:
    """What an error says, in JSON or XML; both languages are in it."""
    assert answer.status == status, answer.content.decode()
    text = answer.content.decode()
    said = json.loads(text) if text.startswith("[") else spark(ET.fromstring(text))
    assert [int(each["code"]) for each in said] == [status] * len(said)
    if text.startswith("["):
        definitions.check("/errors", said)
    words = " ".join(str(each["description"]) for each in said)
    assert " / " in words
    assert "Traceback" not in words
    # That is what is said when something broke here: no test may bring it about.
    assert FAILED.zh not in words
    return words
