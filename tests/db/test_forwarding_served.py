"""A case goes on to a second Anlan that really runs, and comes back closed: by its number, and by a token."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from anlan.casework.models import Forward
from anlan.casework.timeline import timeline
from anlan.kernel import catalogue
from anlan.places import officers
from anlan.presentation import followers
from anlan.presentation.forwarding.turn import turn
from calling import opened
from installation import Installation
from serving import served
from settled import Town, settle
from world import FOUNDED, world

FORWARDING = """
key = "neighbour"
title = {{ zh = "邻县", en = "The neighbouring county" }}
endpoint = "{url}/open311/v2"
format = "{form}"
key_env = "ANLAN_KEY_NEIGHBOUR"
topics = {{ manhole = "manhole" }}
officer = "neighbour_system"
sends_again = true
"""
TOKENS = """
key = "default"
title = { zh = "接口", en = "Endpoint" }
channel = "open311"
answers = "token"
contact = { zh = "值班室", en = "The duty office" }
key_service = { zh = "值班室", en = "The duty office" }
"""


def refuse_there(url: str, there: Town, reason: str) -> None:
    """Their triage looks at it and does not take it up."""
    [row] = httpx.get(f"{url}/api/v1/cases", headers=there.bearer("triage"), timeout=30).json()["items"]
    act = {"act": "refuse", "data": {"reason": reason}}
    answer = httpx.post(f"{url}/api/v1/cases/{row['id']}/acts", json=act, headers=there.bearer("triage"), timeout=30)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("answers", "form"), [("number", "json"), ("token", "xml")])
def test_a_case_goes_to_another_anlan_and_its_end_comes_back(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, media: Path, answers: str, form: str
) -> None:
    theirs, ours = tmp_path / "theirs/open311", tmp_path / "ours/forwarding"
    theirs.mkdir(parents=True)
    ours.mkdir(parents=True)
    if answers == "token":
        (theirs / "default.toml").write_text(TOKENS, "utf-8")
    monkeypatch.setenv("ANLAN_PACKS", str(theirs.parent))
    there = settle(installation)
    monkeypatch.setenv("ANLAN_KEY_NEIGHBOUR", there.secrets["grid_worker"])
    now = timezone.now()
    town = world(now - timedelta(days=2))
    system = officers.create("neighbour_system", name="邻县系统", is_machine=True, by=None, at=town.at)
    officers.post(system, "grid_worker", town.county, valid_from=FOUNDED, by=None, at=town.at)
    with served(installation, "--no-work") as server:
        (ours / "neighbour.toml").write_text(FORWARDING.format(url=server.url, form=form), "utf-8")
        with catalogue.using([ours.parent]):
            case = opened(town, topic="manhole", lon=122.02, lat=27.02, description="井盖缺失")
            followers.drain(at=now)
            for minutes in (0, 5):
                turn(at=now + timedelta(minutes=minutes))
            forward = Forward.objects.get()
            assert (forward.state, len(forward.number)) == ("open", 12), forward.trouble_en
            assert bool(forward.token) == (answers == "token")
            refuse_there(server.url, there, "不归我们管")
            turn(at=now + timedelta(hours=1))
    forward.refresh_from_db()
    case.refresh_from_db()
    assert (forward.state, case.closed_at) == ("closed", None)
    notes = [said.value.zh for line in timeline(case) if line.kind == "note" for said in line.said]
    assert notes[0] == f"已转送邻县，对方编号 {forward.number}（转送号 {forward.reference}）"
    assert "不归我们管" in notes[1]


def test_the_same_sending_twice_is_one_case_there(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    """The answer to the first is lost: it was cut off after it was sent. It is found again by its reference."""
    ours = tmp_path / "ours/forwarding"
    ours.mkdir(parents=True)
    there, now = settle(installation), timezone.now()
    monkeypatch.setenv("ANLAN_KEY_NEIGHBOUR", there.secrets["grid_worker"])
    town = world(now - timedelta(days=2))
    officers.create("neighbour_system", name="邻县系统", is_machine=True, by=None, at=town.at)
    with served(installation, "--no-work") as server:
        (ours / "neighbour.toml").write_text(FORWARDING.format(url=server.url, form="json"), "utf-8")
        with catalogue.using([ours.parent]):
            opened(town, topic="manhole", lon=122.02, lat=27.02, description="井盖缺失")
            followers.drain(at=now)
            turn(at=now)
            number = Forward.objects.get().number
            Forward.objects.update(state="sending", number="", sent_at=now, next_at=now)
            turn(at=now + timedelta(minutes=6))
            assert Forward.objects.get().number == number
            Forward.objects.update(state="waiting", number="", sent_at=None, next_at=now)
            turn(at=now + timedelta(minutes=20))
            assert Forward.objects.get().number == number
        listed = httpx.get(f"{server.url}/api/v1/cases", headers=there.bearer("triage"), timeout=30).json()["items"]
    assert len(listed) == 1
