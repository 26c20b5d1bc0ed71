"""One way to write an event as bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.ledger.canonical import encode, json_text


@dataclass
class Sample:
    seq: Any
    id: Any
    kind: Any
    subject: Any
    by: Any
    at: Any
    device_at: Any
    recorded_at: Any
    area_path: Any
    key: Any
    data: Any


SAMPLE = Sample(
    seq=7,
    id=UUID(int=1),
    kind="case.moved",
    subject=UUID(int=2),
    by=3,
    at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    device_at=None,
    recorded_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
    area_path="/11/",
    key=None,
    data={"step": "处置", "act": "dispatch"},
)
CHANGES: list[dict[str, Any]] = [
    {"seq": 8},
    {"id": UUID(int=9)},
    {"kind": "case.closed"},
    {"subject": UUID(int=9)},
    {"by": None},
    {"by": 0},
    {"at": SAMPLE.at + timedelta(microseconds=1)},
    {"device_at": SAMPLE.at},
    {"recorded_at": SAMPLE.at},
    {"area_path": "/11/1"},
    {"area_path": "", "kind": "case.moved/11/"},
    {"key": ""},
    {"data": {"step": "处置", "act": "dispatch", "more": None}},
    {"data": {"step": "处置"}},
]


def test_the_bytes_of_an_event_never_change() -> None:
    digest = hashlib.sha256(encode(SAMPLE)).hexdigest()
    assert digest == "f56fd821a52085fa67b9d7d7b8c3ad3c28e6412ec7f84ba8c79ccd2ad0e91065"


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_every_column_counts(change: dict[str, Any]) -> None:
    assert encode(replace(SAMPLE, **change)) != encode(SAMPLE)


def test_the_time_zone_a_moment_is_told_in_does_not_count() -> None:
    there = SAMPLE.at.astimezone(timezone(timedelta(hours=8)))
    assert encode(replace(SAMPLE, at=there)) == encode(SAMPLE)


def test_the_order_of_keys_does_not_count() -> None:
    assert encode(replace(SAMPLE, data={"act": "dispatch", "step": "处置"})) == encode(SAMPLE)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "{}"),
        ({"b": 1, "a": "道路"}, '{"a":"道路","b":1}'),
        ({"n": 1.0}, '{"n":1}'),
        ({"n": [-0.0, {"m": 2.50}]}, '{"n":[0,{"m":2.5}]}'),
        ({"t": "edition 1.0"}, '{"t":"edition 1.0"}'),
        ({"n": 10**20}, '{"n":100000000000000000000}'),
        ({"lon": 121.4737}, '{"lon":121.4737}'),
    ],
)
def test_json_has_one_form(data: dict[str, Any], text: str) -> None:
    assert json_text(data) == text


@pytest.mark.parametrize(
    "data", [{"n": float("nan")}, {"n": float("inf")}, {"n": 1e22}, {"t": "a\x00b"}, {"t": "\ud800"}, {"\x00": 1}]
)
def test_what_no_database_keeps_exactly_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_text(data)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_every_other_letter_is_kept(text: str) -> None:
    assert encode(replace(SAMPLE, data={"t": text})) == encode(replace(SAMPLE, data={"t": text}))
    assert json_text({"t": text}).startswith('{"t":"')
