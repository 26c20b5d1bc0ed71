"""Forwards that nothing is sent for: taken in hand by one alone, and kept when they cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from anlan.casework import forwards
from anlan.casework.models import Case, Forward
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.ledger.models import Event
from anlan.presentation import followers
from calling import opened
from world import World, world

FILE = """
key = "water"
title = { zh = "自来水公司", en = "The water company" }
endpoint = "https://water.example/open311"
jurisdiction_id = "water.example"
key_env = "ANLAN_KEY_WATER"
topics = { manhole = "cover" }
officer = "water_system"
"""
LATER = timedelta(minutes=10)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "forwarding").mkdir()
    (tmp_path / "forwarding/water.toml").write_text(FILE, encoding="utf-8")
    with catalogue.using([tmp_path]):
        yield world()


@pytest.fixture
def forward(town: World) -> Forward:
    """A case about a manhole cover, on its way."""
    case = opened(town, topic="manhole", lon=122.02, lat=27.02)
    followers.drain(at=town.at)
    return Forward.objects.get(case=case)


def test_of_two_who_saw_it_alike_one_takes_it_in_hand(town: World, forward: Forward) -> None:
    same = Forward.objects.get(pk=forward.pk)
    assert forwards.claim(forward, "waiting", at=town.at)
    assert not forwards.claim(same, "waiting", at=town.at)
    assert Forward.objects.get().tries == 1


def test_when_it_was_first_sent_stays_however_often_it_is_tried(town: World, forward: Forward) -> None:
    assert forwards.claim(forward, "sending", at=town.at)
    assert forwards.claim(forward, "sending", at=town.at + LATER)
    assert Forward.objects.get().sent_at == town.at


def test_what_the_other_side_has_is_asked_for_its_end_again_and_not_sent_anew(town: World, forward: Forward) -> None:
    why = Text(zh="没有权限", en="not permitted")
    forwards.settle(forward, "refused", at=town.at, after=None, trouble=why)
    forwards.send_again(forward, by=town.administrator, at=town.at)
    assert Forward.objects.get().state == "waiting"
    forward.number = "W-1"
    forwards.settle(forward, "refused", at=town.at, after=None, trouble=why)
    forwards.send_again(forward, by=town.administrator, at=town.at)
    assert Forward.objects.get().state == "closing"


def test_a_case_that_was_closed_meanwhile_is_left_as_it_is(town: World, forward: Forward) -> None:
    Case.objects.update(closed_at=town.at)
    forward.number = "W-1"
    forwards.ended(forward, "已更换井盖", at=town.at + LATER)
    assert (Forward.objects.get().state, Forward.objects.get().trouble_zh) == ("closed", "")
    assert not Event.objects.filter(kind="case.moved").exists()
