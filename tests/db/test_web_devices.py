"""The pages of devices: the list with its queries, one, the forms, passwords shown once, coverage."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from anlan.intake.models import Device, Ear
from anlan.intake.sensors import coverage, device_model, devices
from anlan.places.models import Officer
from anlan.presentation.hearing import Hearing
from calling import Caller
from world import World, world


@pytest.fixture
def town() -> World:
    return world(timezone.now().replace(microsecond=0))


def client(officer: Officer) -> Client:
    made = Client()
    made.force_login(officer)
    return made


def registered(town: World, code: str, **more: Any) -> Device:
    given: dict[str, Any] = {"model": "smoke_nb", "site": town.site, **more}
    return devices.register(code=code, by=None, at=town.at, **given)


def page(who: Client, address: str, status: int = 200) -> str:
    response = who.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def test_the_list_asks_the_same_queries_for_one_device_and_for_eleven(town: World) -> None:
    who = client(town.dispatcher)
    registered(town, "d-0")
    page(who, "/devices/")
    with CaptureQueriesContext(
        connection,
    ) as one:
        page(who, "/devices/")
    for number in range(1, 11):
        registered(town, f"d-{number}", site=town.shop if number % 2 else town.site)
    page(who, "/devices/")
    with CaptureQueriesContext(connection) as eleven:
        text = page(who, "/devices/")
    assert len(eleven) == len(one) <= 12
    assert text.count("d-") >= 11


def test_a_device_shows_how_it_stands_and_what_was_the_matter(town: World) -> None:
    registered(town, "d-1", name="二层东走廊")
    Hearing("mqtt").json([("d-1", orjson.dumps({"event": "fire", "seq": 1}))], at=town.at)
    who = client(town.dispatcher)
    assert "报警中" in page(who, "/devices/?state=alarm")
    assert "d-1" not in page(who, "/devices/?state=silent")
    text = page(who, "/devices/of/d-1/")
    for word in ("报警中", "二层东走廊", "东一村出租房", "独立式感烟报警器"):
        assert word in text
    assert "发新密码" not in text
    assert "发新密码" in page(client(town.administrator), "/devices/of/d-1/")


def test_a_device_is_registered_changed_and_retired_by_forms(town: World) -> None:
    who = client(town.administrator)
    given = {"code": "d-1", "model": "smoke_nb", "site": "house1", "name": "一层", "networks": "10.1.0.0/16"}
    assert who.post("/devices/add/", given).status_code == 302
    assert (Device.objects.get().area_path, Device.objects.get().name) == (town.grid.path, "一层")
    wrong = {"code": "d 2", "model": "smoke_nb", "site": "house1"}
    for change, sentence in (
        ({}, "只能用字母"), ({"code": "d-1"}, "已登记"), ({"code": "d-2", "site": "nowhere"}, "没有这个编号的场所"),
        ({"code": "d-2", "site": ""}, "哪个场所或辖区"), ({"code": "d-2", "networks": "everywhere"}, "不是网段"),
        ({"code": "d-2", "panel": "x"}, "没有这个编号的面板"),
        ({"code": "d-2", "site": "house9"}, "没有这个编号的场所"),
    ):  # fmt: skip
        response = who.post("/devices/add/", wrong | change)
        assert response.status_code == 422, change
        assert sentence in response.content.decode(), change
    assert (
        who.post("/devices/of/d-1/change/", {"model": "smoke_nb", "site": "shop1", "name": "二层"}).status_code == 302
    )
    assert (Device.objects.get().area_path, Device.objects.get().name) == (town.next_grid.path, "二层")
    assert who.post("/devices/of/d-1/retire/").status_code == 302
    assert Device.objects.get().retired_date is not None
    page(who, "/devices/")  # which tells what was done
    assert "d-1" not in page(who, "/devices/")
    assert "d-1" in page(who, "/devices/?state=retired")


def test_a_password_is_shown_once_and_only_its_hash_is_kept(town: World) -> None:
    registered(town, "d-1")
    who = client(town.administrator)
    text = who.post("/devices/of/d-1/secret/").content.decode()
    secret = text.split('class="secret">')[1].split("<")[0]
    kept = Device.objects.get().secret
    assert kept.startswith("$7$101$")
    assert secret not in kept
    salt = base64.b64decode(kept.split("$")[3])
    assert devices.hashed(secret, salt=salt) == kept
    assert secret not in page(who, "/devices/of/d-1/")


def test_a_listener_that_has_stopped_is_told_on_the_list(town: World) -> None:
    Ear.objects.create(wire="mqtt", heard_until=timezone.now() - timedelta(minutes=30))
    assert "接收程序已停" in page(client(town.dispatcher), "/devices/")
    Ear.objects.update(heard_until=timezone.now())
    assert "接收程序已停" not in page(client(town.dispatcher), "/devices/")


def test_the_list_begins_with_how_many_ring_fail_or_are_silent(town: World) -> None:
    for number in range(3):
        registered(town, f"d-{number}")
    Hearing("mqtt").json([("d-1", orjson.dumps({"event": "fire", "seq": 1}))], at=town.at)
    text = page(client(town.dispatcher), "/devices/")
    first = text.index('href="?state=alarm"')
    assert "1 台" in text[first : first + 300]
    assert first < text.index("d-0")
    assert 'href="?state=fault"' not in text


def test_who_should_have_been_heard_long_ago_is_not_called_normal(town: World) -> None:
    registered(town, "d-1")
    Device.objects.update(heard_at=town.at - timedelta(days=60), overdue_at=town.at - timedelta(days=58))
    who = client(town.dispatcher)
    assert ">正常<" not in page(who, "/devices/").replace("\n", "")
    assert "久未收到消息" in page(who, "/devices/of/d-1/")
    assert "d-1" in page(who, "/devices/?state=unheard")
    Device.objects.update(overdue_at=timezone.now() + timedelta(days=1))
    assert "d-1" not in page(who, "/devices/?state=unheard")
    assert "正常" in page(who, "/devices/of/d-1/")


def test_coverage_counts_the_sites_that_should_be_fitted_within_ones_reach(town: World) -> None:
    rules = device_model.rules()
    registered(town, "d-1")
    registered(town, "d-2", model="gas_json")
    registered(town, "d-9", site=town.neighbour_site)
    mine = {each.name: each for each in coverage.by_kind(rules, town.county.path)}
    assert (mine["rental_house"].should, mine["rental_house"].fitted, mine["rental_house"].silent) == (1, 1, 0)
    Device.objects.filter(code="d-1").update(silent_at=town.at)
    [east, west] = coverage.by_area(rules, [("东", town.east.path), ("西", town.west.path)])
    assert ((east.should, east.fitted, east.silent), west.should) == ((1, 1, 1), 0)
    text = page(client(town.supervisor), "/devices/coverage/")
    assert "100%" in text
    assert "今天用不上的消息" not in text
    Hearing("mqtt").json([("stranger", b"{}")], at=timezone.now())
    assert "stranger" in page(client(town.administrator), "/devices/coverage/")
    answer = Caller(town.supervisor).get("/devices/coverage").json
    assert next(row for row in answer if row["kind"] == "rental_house") == {
        "kind": "rental_house", "should": 1, "fitted": 1, "silent": 1
    }  # fmt: skip


def test_the_api_keeps_devices_too(town: World) -> None:
    caller = Caller(town.administrator)
    made = caller.send("POST", "/devices", {"code": "a-1", "model": "smoke_nb", "site": "house1"})
    assert made.status == 201
    assert caller.send("POST", "/devices", {"code": "a-1", "model": "smoke_nb", "site": "house1"}).status == 422
    assert caller.send("POST", "/devices", {"code": "a-2", "model": "nothing", "site": "house1"}).status in (404, 422)
    assert caller.send("PATCH", "/devices/a-1", {"networks": "x"}).status == 422
    assert caller.send("PATCH", "/devices/a-1", {"name": "三层"}).json["name"] == "三层"
    Hearing("mqtt").json([("a-1", orjson.dumps({"event": "fire", "seq": 1}))], at=town.at)
    one = Caller(town.dispatcher).get("/devices/a-1").json
    assert (one["alarm"], one["episodes"][0]["trouble"]) == ("alarm", "alarm")
    assert caller.send("POST", "/devices/a-1/retire", {}).json["retired_date"]
    assert [row["code"] for row in caller.get("/devices").json["items"]] == ["a-1"]
