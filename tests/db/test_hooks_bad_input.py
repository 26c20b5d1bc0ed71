"""Bad input at the machines' door: what is signed is kept with a sentence, what is too large is turned away unread."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.utils import timezone

from anlan.intake import hooks
from anlan.intake.models import Delivery, Quarantined, Report
from anlan.ledger import personal
from anlan.presentation import followers
from wiring import System, order
from world import World, world


@pytest.fixture
def hotline() -> System:
    town: World = world()
    return System("hotline_orders", town.county, at=town.at)


def counted(system: System) -> dict[str, int]:
    return hooks.counts([system.client.name])[system.client.name]


LONG = "一" * 10_000


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"null", "一个对象"),
        (b"[]", "一个对象"),
        (b'"x"', "一个对象"),
        (b"\xff\xfe\x00", "JSON"),
        (b'{"x": NaN}', "JSON"),
        (b"[" * 100_000, "JSON"),
        (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, "JSON|orderNo|嵌套"),
    ],
)
def test_a_signed_body_that_cannot_be_read_is_kept_with_the_reason(hotline: System, body: bytes, words: str) -> None:
    said = hotline.post(body, hotline.headers(body))
    assert said.status == 200, said
    assert said.outcomes == ["held"]
    assert re.search(words, said.json["messages"][0]["reasons"][0]["zh"]), said
    held = Quarantined.objects.get()
    assert held.reasons
    if body:
        assert held.reporter_id is not None
        kept = personal.read(held.reporter_id)
        assert kept is not None
        assert kept["rest"] == body.decode("utf-8", "backslashreplace")
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"content": "<script>alert(1)</script>"},
        {"content": "'; DROP TABLE intake_report; --"},
        {"content": LONG},
        {"content": "😀🏳️‍🌈 路灯不亮"},
        {"content": "a\x00b\ud800"},
        {"address": {"text": "x", "lng": 0, "lat": 0, "areaCode": "330101001001001"}},
        {"orderNo": 12345678901234567890},
        {"content": ["甲", "乙"]},
        {"extra": {"deep": [{"er": None}]}},
        {"level": "没有这一级"},
    ],
)
def test_odd_but_readable_messages_are_taken_whole(hotline: System, change: dict[str, Any]) -> None:
    message = {**order(), **change}
    body = json.dumps(message).encode()
    said = hotline.post(body, hotline.headers(body))
    assert said.outcomes == ["received"], said
    followers.drain(at=timezone.now())


@pytest.mark.parametrize(
    "change",
    [
        {"callTime": "1900-01-01"},
        {"callTime": "2126-01-01"},
        {"callTime": "昨天"},
        {"callTime": {"day": 1}, "acceptTime": [1, 2]},
        {"content": ""},
        {"content": None},
        {"content": {"text": "在对象里"}},
        {"orderNo": None},
        {"orderNo": "9" * 200},
        {"address": {"areaCode": "330199001001001"}},
        {"address": {"areaCode": "000000"}},
        {"content": "长" * 30_000},
    ],
)
def test_wrong_messages_are_held_with_a_sentence_and_nothing_is_lost(hotline: System, change: dict[str, Any]) -> None:
    said = hotline.send({**order(), **change})
    assert said.status == 200, said
    assert said.outcomes == ["held"]
    [reason] = said.json["messages"][0]["reasons"][:1]
    assert reason["zh"] != reason["en"]
    assert Quarantined.objects.get().state == "held"
    assert not Report.objects.exists()


def test_a_body_larger_than_the_channel_takes_is_turned_away_unread(hotline: System) -> None:
    body = json.dumps(order(content="x" * 600_000)).encode()
    said = hotline.post(body, hotline.headers(body))
    assert (said.status, said.json["kind"]) == (413, "too_large")
    assert not Delivery.objects.exists()
    assert counted(hotline) == {"too_large": 1}
