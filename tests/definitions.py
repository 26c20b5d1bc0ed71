"""What GeoReport v2 says an answer is made of, as types that take nothing else. Every answer of the tests goes by them.

Source: https://wiki.open311.org/GeoReport_v2 and the schemas of open311/schema-validation; where the text leaves a
choice, ours: every field is there, ids are strings, what may not be returned is null.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
)


def _w3c(told: str) -> str:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", told), told
    return told


def _address(told: str) -> str:
    assert re.match(r"https?://[^/]+/", told), told
    return told


Moment = Annotated[StrictStr, AfterValidator(_w3c)]
Address = Annotated[StrictStr, AfterValidator(_address)]
Degrees = StrictFloat | StrictInt | None
Number = Annotated[StrictStr, Field(min_length=1)]


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Endpoint(Said):
    specification: Literal["http://wiki.open311.org/GeoReport_v2"]
    url: Address
    changeset: StrictStr
    type: Literal["production", "test"]
    formats: Annotated[list[Literal["text/xml", "application/json"]], Field(min_length=1)]


class Discovery(Said):
    changeset: StrictStr
    contact: StrictStr
    key_service: StrictStr
    endpoints: Annotated[list[Endpoint], Field(min_length=1)]


class Service(Said):
    service_code: StrictStr
    service_name: StrictStr
    description: StrictStr | None
    metadata: StrictBool
    type: Literal["realtime", "batch", "blackbox"]
    keywords: StrictStr | None
    group: StrictStr | None


class Value(Said):
    key: StrictStr
    name: StrictStr


class Attribute(Said):
    variable: StrictBool
    code: StrictStr
    datatype: Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
    required: StrictBool
    datatype_description: StrictStr | None
    order: Annotated[StrictInt, Field(ge=1)]
    description: StrictStr
    values: list[Value]


class Definition(Said):
    service_code: StrictStr
    attributes: list[Attribute]


class Answered(Said):
    name: StrictStr
    label: StrictStr
    value: StrictStr
    code: StrictStr | None


class Shown(Said):
    media_url: Address
    title: StrictStr


class Extended(Said):
    stage: StrictStr
    outcome: StrictStr | None
    photos: list[Shown]


class Note(Said):
    datetime: Moment
    description: StrictStr
    type: StrictStr


class Request(Said):
    service_request_id: Number
    status: Literal["open", "closed"]
    status_notes: StrictStr | None
    service_name: StrictStr
    service_code: StrictStr
    description: Annotated[StrictStr, Field(max_length=4000)] | None
    agency_responsible: StrictStr | None
    service_notice: StrictStr | None
    requested_datetime: Moment
    updated_datetime: Moment
    expected_datetime: Moment | None
    address: StrictStr | None
    address_id: StrictStr | None
    zipcode: StrictStr | None
    lat: Degrees
    long: Degrees
    media_url: Address | None
    attributes: list[Answered] = []
    extended_attributes: Extended | None = None
    notes: list[Note] = []


class Token(Said):
    service_request_id: Number | None
    token: Number


class Update(Said):
    update_id: Number
    service_request_id: Number
    status: Literal[
        "OPEN", "CLOSED", "FIXED", "IN_PROGRESS", "ACTION_SCHEDULED", "INVESTIGATING", "DUPLICATE",
        "NOT_COUNCILS_RESPONSIBILITY", "NO_FURTHER_ACTION", "INTERNAL_REFERRAL", "FOR_TRIAGE", "CANCELLED", "REOPEN",
    ]  # fmt: skip
    updated_datetime: Moment
    description: StrictStr
    media_url: Address | None
    external_status_code: StrictStr | None
    customer_reference: StrictStr | None


class Location(Said):
    lat: StrictFloat
    long: StrictFloat
    jurisdiction_id: StrictStr | None
    inside: StrictBool
    area: StrictStr | None


class Error(Said):
    code: StrictInt
    description: Annotated[StrictStr, Field(min_length=1)]


OF: dict[str, Any] = {
    "/discovery": Discovery,
    "/services": list[Service],
    "/services/": Definition,
    "/requests": list[Request],
    "/requests/": list[Request],
    "/tokens/": list[Token],
    "/location": Location,
    "/servicerequestupdates": list[Update],
    "/errors": Annotated[list[Error], Field(min_length=1)],
}


def check(path: str, answer: Any) -> None:
    """Raise where an answer of this address is not what it must be."""
    noun = re.match(r"/[a-z]+/?", path)
    assert noun is not None, path
    TypeAdapter(OF[noun[0]]).validate_python(answer)
