"""Scorecards: what was counted, what was lost and why, before and beside the peers, and what follows by the rules."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import index_deep
from desk import at_desk, opened, text
from world import World, world


@pytest.fixture
def town(data: Path) -> World:
    """February and March: the east fell from 88.8 to 59.0 points, half a point of them by a rule."""
    made = world()
    early = [opened(made, at=made.at - timedelta(days=20))]
    march = [opened(made, at=made.at + timedelta(minutes=count)) for count in range(5)]
    march.append(opened(made, area=made.west_grid, at=made.at))
    off = [{"area_path": made.east.path, "rule": "found", "points": -0.5, "times": 2.0, "why": []}]
    signals = {made.east.path: ("raised", 0.9)}
    before = index_deep.written(data, made, "2026-02", early)
    now = index_deep.written(data, made, "2026-03", march, late=march[:2], lines=off, signals=signals)
    for each in (before, now):
        index_deep.out(each, signed_by=made.supervisor.pk, published_by=made.area_lead.pk)
    return made


def shown(town: World, code: str, *, who: str = "analyst", period: str = "2026-03", **query: str) -> Any:
    return at_desk(getattr(town, who)).get(reverse("index_card", args=["peace", period, code]), query)


def test_a_card_has_score_change_heads_and_what_was_lost(town: World) -> None:
    card = shown(town, town.east.code).context
    # D-1: 50, D-2: 60, so D is 55; P-1 is 50: 0.75 x 55 + 0.25 x 50 - 0.5.
    assert card["score"] == "53.25"
    # In February: D-1 90, D-2 100, D 95; 0.75 x 95 + 0.25 x 50.
    assert card["change"] == "−30.50"
    heads = [(each.title.zh, each.weight, each.score, each.before, each.lost) for each in card["heads"]]
    assert heads == [("消防安全", "75.0%", "55.0", "95.0", "33.75"), ("群众感受", "25.0%", "50.0", "50.0", "12.50")]
    worst = [(each.title.zh, each.value.zh, each.points) for each in card["worst"]]
    assert worst == [
        ("火灾隐患起数", "5 起", "18.75"), ("隐患按期处置率", "60%", "15.00"), ("群众安全感", "90%", "12.50"),
    ]  # fmt: skip


def test_the_card_says_why_it_moved_and_what_rules_took(town: World) -> None:
    card = shown(town, town.east.code).context
    assert [(words.zh, points) for words, points in card["moved"]] == [
        ("火灾隐患起数", "−15.00"), ("隐患按期处置率", "−15.00"), ("暗访发现问题", "−0.50"),
    ]  # fmt: skip
    assert [(words.zh, points, times) for words, points, times in card["lines"]] == [("暗访发现问题", "−0.50", "×2")]
    assert card["finding"].zh == "东镇 53.25 分，比上期低 30.50；失分最多的是火灾隐患起数"
    assert [each.zh for each in card["signals"]] == ["整改过快"]
    assert "同类" in card["peers"].zh


def test_what_follows_from_colours_running_stands_on_the_card(town: World) -> None:
    assert not shown(town, town.east.code).context["following"]
    card = shown(town, town.other_village.code).context
    assert ([each.key for each in card["following"]], card["running"]) == (["praise"], 2)
    assert "通报表扬" in text(shown(town, town.other_village.code))


def test_the_ladder_of_years_stands_on_the_card_of_a_village_and_of_a_town(town: World) -> None:
    for code in (town.east.code, town.other_village.code):
        [climb] = shown(town, code).context["climbs"]
        assert (climb.title.zh, climb.standing.years, climb.standing.next_in) == ("平安牌与平安鼎", 0, 1)
    assert '平安牌与平安鼎：还没有 <span class="quiet">连续 0 年达标（满分 1000，910 分及格），再 1 年到平安牌' in text(
        shown(town, town.east.code)
    )


def test_the_first_period_says_that_there_is_none_before(town: World) -> None:
    page = text(shown(town, town.east.code, period="2026-02"))
    assert "没有上一期可比" in page


def test_a_department_has_a_card_of_what_it_answers_for(town: World) -> None:
    card = shown(town, "department-fire", area=town.county.code).context
    assert card["department"].zh == "消防队"
    assert {each.title.zh for each in card["answered"]} == {"火灾隐患起数", "隐患按期处置率"}
    # Of 75 points: D-1 at 40 loses 22.5, D-2 at 66.67 loses 12.5.
    assert card["lost"] == "35.00"
    assert card["score"] == "53.33"
    assert card["areas"][0][:2] == ("东镇", "33.75")
    assert card["finding"].zh == "消防队负责的 2 个指标失 35.00 分，最多的是火灾隐患起数（22.50）"
    assert shown(town, "department-nobody").status_code == 404


def test_a_card_of_nowhere_is_not_found(town: World) -> None:
    assert shown(town, "1").status_code == 404
    assert shown(town, town.east.code, who="outsider").status_code == 404
    assert shown(town, town.east.code, who="grid_worker").status_code == 403


def test_cards_ask_little(town: World) -> None:
    client = at_desk(town.analyst)
    for code in (town.east.code, "department-fire"):
        address = reverse("index_card", args=["peace", "2026-03", code])
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        assert len(queries) <= 8, code
