"""The pages of areas: the tree today and on a past day, its map, and the changes that take effect on a day."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from anlan.places.models import Area, Officer
from world import World, world

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[122.0, 27.0], [122.02, 27.0], [122.02, 27.02], [122.0, 27.02], [122.0, 27.0]]],
}


@pytest.fixture
def town() -> World:
    return world()


def at_desk(officer: Officer) -> Client:
    client = Client()
    client.force_login(officer)
    return client


def today() -> date:
    return timezone.localdate()


def test_an_area_page_draws_what_lies_below_it_and_leads_there(town: World) -> None:
    words = at_desk(town.dispatcher).get(reverse("area", args=[town.county.code])).content.decode()
    assert 'class="map"' in words
    assert "东镇" in words
    assert reverse("area", args=[town.east.code]) in words
    assert "style=" not in words


def test_the_areas_page_of_one_post_opens_its_area_at_once(town: World) -> None:
    answer = at_desk(town.dispatcher).get(reverse("areas"))
    assert answer.headers["Location"] == reverse("area", args=[town.county.code])


def test_the_outsider_finds_no_page_of_the_area(town: World) -> None:
    client = at_desk(town.outsider)
    for name in ("area", "area_add", "area_rename", "area_boundary", "area_move", "area_close"):
        assert client.get(reverse(name, args=[town.east.code])).status_code == 404


def test_an_area_above_ones_own_is_not_found(town: World) -> None:
    assert at_desk(town.grid_worker).get(reverse("area", args=[town.county.code])).status_code == 404


def post(client: Client, name: str, area: Area, **answers: Any) -> Any:
    return client.post(reverse(name, args=[area.code]), {"day": today().isoformat(), **answers})


def test_a_village_is_added_below_a_town(town: World) -> None:
    client = at_desk(town.administrator)
    boundary = json.dumps({"type": "Feature", "geometry": SQUARE})
    made = post(
        client,
        "area_add",
        town.east,
        code="330101001009",
        level="village",
        zh="东九村",
        en="East Nine",
        boundary=boundary,
    )
    assert made.headers["Location"] == reverse("area", args=["330101001009"])
    area = Area.objects.get(code="330101001009")
    assert area.path == f"{town.east.path}330101001009/"
    assert area.boundary == SQUARE


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"code": "33 01"}, "只能由数字和小写字母组成"),
        ({"code": "330101001001"}, "已经有辖区在用"),
        ({"level": "county"}, "请从列表中选择"),
        ({"boundary": "not json"}, "这不是有效的 GeoJSON"),
        ({"boundary": '{"type": "Point", "coordinates": [1, 2]}'}, "边界不是有效的多边形"),
        ({"day": "2026-13-01"}, "请写成年-月-日"),
    ],
)
def test_a_wrong_area_is_refused_beside_its_field(town: World, changed: dict[str, str], words: str) -> None:
    right = {"code": "330101001009", "level": "village", "zh": "东九村", "en": "East Nine", "boundary": ""}
    answer = post(at_desk(town.administrator), "area_add", town.east, **right | changed)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_renamed_town_keeps_its_old_name_on_earlier_days(town: World) -> None:
    client = at_desk(town.administrator)
    assert post(client, "area_rename", town.east, zh="新东镇", en="New East").status_code == 302
    address = reverse("area", args=[town.east.code])
    assert "新东镇" in client.get(address).content.decode()
    yesterday = (today() - timedelta(days=1)).isoformat()
    assert "新东镇" not in client.get(address, {"day": yesterday}).content.decode()


def test_a_village_is_moved_under_another_town(town: World) -> None:
    client = at_desk(town.administrator)
    assert post(client, "area_move", town.other_village, parent=town.west.code).status_code == 302
    moved = Area.objects.get(code=town.other_village.code, valid_to=None)
    assert moved.path.startswith(town.west.path)


def test_an_area_cannot_be_moved_below_itself(town: World) -> None:
    answer = post(at_desk(town.administrator), "area_move", town.east, parent=town.village.code)
    assert answer.status_code == 422


def test_a_boundary_is_corrected_at_once(town: World) -> None:
    client = at_desk(town.administrator)
    assert post(client, "area_boundary", town.grid, boundary=json.dumps(SQUARE)).status_code == 302
    assert Area.objects.get(code=town.grid.code, valid_to=None).boundary == SQUARE


def test_a_grid_with_sites_is_closed_only_into_another(town: World) -> None:
    client = at_desk(town.administrator)
    assert "请指定并入哪个辖区" in post(client, "area_close", town.grid).content.decode()
    assert post(client, "area_close", town.grid, into=town.next_grid.code).status_code == 302
    assert client.get(reverse("area", args=[town.grid.code])).status_code == 404


def test_who_may_only_look_is_offered_no_change(town: World) -> None:
    client = at_desk(town.dispatcher)
    assert (
        reverse("area_move", args=[town.east.code])
        not in client.get(reverse("area", args=[town.east.code])).content.decode()
    )
    assert post(client, "area_rename", town.east, zh="新", en="New").status_code == 403


def test_a_day_that_makes_no_sense_is_today(town: World) -> None:
    answer = at_desk(town.dispatcher).get(reverse("area", args=[town.east.code]), {"day": "nonsense"})
    assert answer.context["day"] == today()
