"""Reference data, procedures, notices and the ledger by the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anlan.casework.models import Notice
from anlan.kernel.ids import new_id
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.presentation import followers
from calling import Caller, opened
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def test_who_is_responsible_is_answered_for_a_topic_at_a_place_on_a_day(town: World) -> None:
    caller = Caller(town.grid_worker)
    found = caller.get("/duties/responsible", area="330101001001001", topic="construction_site").json
    assert found["officer"]["name"] == "丁办"
    assert found["deputy"]["name"] == "高领"
    assert caller.get("/duties/responsible", area="330101001001001", day="2020-01-01").json["department"] is None
    assert caller.get("/duties/responsible", area="330199").status == 404


def test_the_tree_is_changed_by_verbs_and_stays_as_it_was_on_past_days(town: World) -> None:
    caller = Caller(town.administrator)
    moved = caller.post("/areas/330101001002/move", {"parent": "330101002"})
    assert moved.status == 200, moved
    assert moved.json["path"].endswith("330101002/330101001002/")
    past = caller.get("/areas/330101001002", day="2025-06-01").json
    assert past["path"].endswith("330101001/330101001002/")
    assert caller.post("/areas/330101001002/close", {"into": "330199001"}).error["field"] == "into"
    assert Event.objects.filter(kind="area.moved").count() == 1


def test_sites_parties_departments_officers_and_posts_are_kept_by_verbs(town: World) -> None:
    caller = Caller(town.administrator)
    site = caller.post("/sites", {"name": "新店", "kind": "shopfront", "area": "330101001001001"}).json["code"]
    assert caller.patch(f"/sites/{site}", {"is_active": False}).json["is_active"] is False
    assert caller.patch(f"/parties/{town.party.pk}", {"name": "房东二"}).json["name"] == "房东二"
    contact = {"contact": {"phone": "138"}}
    assert caller.patch(f"/parties/{town.party.pk}", contact).error["field"] == "keep_until"
    assert caller.patch("/departments/housing", {"is_active": False}).json["is_active"] is False
    assert caller.patch("/departments/lin.housing", {"is_active": False}).status == 404
    weak = caller.post("/officers", {"username": "xinren", "name": "新人", "password": "123"})
    assert weak.error["field"] == "password"
    made = caller.post("/officers", {"username": "xinren", "name": "新人", "password": "Anlan-2026-x"}).json["id"]
    assert Officer.objects.get(pk=made).must_change_password
    no_office = caller.post("/posts", {"officer": made, "role": "handler", "area": "330101"})
    assert no_office.error["field"] == "department"
    post = caller.post("/posts", {"officer": made, "role": "handler", "area": "330101", "department": "market"}).json
    assert caller.post(f"/posts/{post['id']}/end", {}).json["valid_to"]
    assert caller.post("/posts", {"officer": made, "role": "triage", "area": "330199"}).status == 404


def test_procedures_topics_channels_and_roles_are_told_as_declared(town: World) -> None:
    caller = Caller(town.grid_worker)
    first = next(row for row in caller.get("/procedures").json if row["key"] == "incident")
    whole = caller.get(f"/procedures/incident/{first['edition']}").json
    assert whole["title"]["zh"]
    assert b"<svg" in caller.get(f"/procedures/incident/{first['edition']}/svg").content
    assert caller.get("/procedures/incident/none").status == 404
    for noun in ("topics", "channels", "roles"):
        assert caller.get(f"/{noun}").json


def test_the_ledger_tells_its_verdict_and_its_head(town: World) -> None:
    caller = Caller(town.supervisor)
    assert caller.get("/ledger/head").json["number"] == 0
    verdict = caller.get("/ledger/verify").json
    assert verdict["ok"]
    assert verdict["unsealed"] == Event.objects.count()
    assert not caller.get("/ledger/verify", head="0" * 64).json["ok"]
    assert caller.get("/ledger/verify", head="x").status == 422


def test_notices_are_ones_own(town: World) -> None:
    case = opened(town)
    rows = {
        officer.pk: Notice.objects.create(
            id=new_id(),
            officer=officer,
            case=case,
            kind="due",
            event=new_id(),
            text_zh="到期",
            text_en="due",
            at=town.at,
        )
        for officer in (town.triage, town.dispatcher)
    }
    body = {"notices": [str(row.pk) for row in rows.values()]}
    assert Caller(town.triage).post("/notices/read", body).json == {"read": 1}
    assert Caller(town.triage).get("/notices").json["items"] == []
    assert len(Caller(town.dispatcher).get("/notices").json["items"]) == 1


def test_figures_are_those_that_the_follower_keeps(town: World) -> None:
    case = opened(town)
    Caller(town.triage).post(f"/cases/{case.pk}/acts", {"act": "register"})
    followers.drain(at=town.at + timedelta(days=1))
    days = {"since": "2026-03-01", "until": "2026-03-31"}
    whole = Caller(town.analyst).get("/statistics", **days).json
    assert (whole["area"], whole["rows"][0]["counts"]["opened"]) == ("330101", 1)
    assert whole["rows"][0]["rates"]["inTimeDisposeRate"]["denominator"] >= 0
    split = Caller(town.analyst).get("/statistics", by="area", **days).json["rows"]
    assert {row["key"]: row["counts"]["opened"] for row in split} == {"330101001": 1, "330101002": 0}
    for by in ("department", "topic"):
        assert Caller(town.analyst).get("/statistics", by=by, **days).status == 200
    assert Caller(town.analyst).get("/statistics", area="330199").status == 404
    assert Caller(town.analyst).get("/statistics", since="2026-03-02", until="2026-03-01").error["field"] == "until"
