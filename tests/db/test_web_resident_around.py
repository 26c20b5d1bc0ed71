"""身边的事: anybody sees what was told and fixed; nobody learns who told it, whose place it is, what was written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from anlan.casework import published
from anlan.casework.models import Case
from desk import opened, text
from world import World, world

SECRET = "王大妈家后门，电话 13800001234"


@pytest.fixture
def town(media: Path) -> World:
    return world(timezone.now() - timedelta(days=2))


def told(town: World, **more: Any) -> Case:
    """A case that somebody reported."""
    case = opened(town, **{"title": "东一村 12 号 · 王大妈", "description": SECRET, "address": "东一村 12 号"} | more)
    Case.objects.filter(pk=case.pk).update(reports_count=1)
    return case


def page(lang: str = "zh", **query: str) -> str:
    client = Client()
    client.cookies["lang"] = lang
    answer = client.get(reverse("resident_around"), query)
    assert answer.status_code == 200
    return text(answer)


def test_what_was_reported_is_listed_with_its_village_and_where_it_stands(town: World) -> None:
    told(town)
    shown = page()
    assert town.village.name_zh in shown
    assert "消防通道" in shown
    assert "Nothing to show" not in page("en")


def test_nothing_that_was_written_nor_the_house_is_told(town: World) -> None:
    case = told(town, lon=119.123456, lat=29.123456)
    shown = page() + page("en")
    for secret in (SECRET, "王大妈", "12 号", "119.123", case.number, str(case.pk)):
        assert secret not in shown
    assert town.grid.name_zh not in page().partition("最近的")[2]


def test_a_case_at_somebodys_site_is_placed_in_its_village_and_no_nearer(town: World) -> None:
    lone, home = told(town, lon=119.123456, lat=29.123456), told(town, site=town.site, lon=119.2, lat=29.2)
    found = {each.lon for each in published.shown([lone, home], at=timezone.now())}
    assert found == {119.123, None}


def test_of_a_sensitive_topic_only_the_number_is_told(town: World) -> None:
    told(town, topic="dispute")
    shown = page()
    assert "另有 1 件" in shown
    assert "矛盾纠纷" not in shown
    assert "矛盾纠纷" not in page(topic="dispute")


def test_what_nobody_reported_or_was_refused_or_is_old_is_not_told(town: World) -> None:
    opened(town)
    refused, old = told(town), told(town)
    Case.objects.filter(pk=refused.pk).update(outcome="refused", closed_at=town.at)
    Case.objects.filter(pk=old.pk).update(opened_at=town.at - timedelta(days=400))
    assert "最近一年没有可以公开的上报" in page()


def test_the_list_can_be_narrowed_by_village_state_and_topic(town: World) -> None:
    fixed = told(town, topic="waste")
    Case.objects.filter(pk=fixed.pk).update(closed_at=timezone.now(), outcome="cured")
    told(town)
    assert page(state="fixed").count('class="told"') == 1
    assert "用了 2 天" in page(state="fixed")
    assert page(state="open").count('class="told"') == 1
    assert page(topic="waste").count('class="told"') == 1
    assert page(area=town.west_grid.code).count('class="told"') == 0
    assert page(area=town.village.code).count('class="told"') == 2


@pytest.mark.parametrize(
    "query", [{"area": "' OR 1=1 --"}, {"state": "<script>"}, {"topic": "x" * 5000}, {"after": "!!"}, {"area": "\x00"}]
)
def test_nonsense_in_the_address_shows_the_whole_town(town: World, query: dict[str, str]) -> None:
    told(town)
    shown = page(**query)
    assert "<script>" not in shown.partition("<main")[2]
    assert shown.count('class="told"') == 1


def test_looking_costs_as_many_queries_for_eleven_cases_as_for_one(
    town: World, django_assert_max_num_queries: Any
) -> None:
    told(town, lon=119.12, lat=29.12)
    page()
    with django_assert_max_num_queries(8) as one:
        page()
    for number in range(10):
        told(town, lon=119.12 + number / 1000, lat=29.12)
    with django_assert_max_num_queries(len(one)):
        page()


def test_looking_too_often_is_stopped_with_a_sentence(town: World) -> None:
    client = Client()
    answers = [client.get(reverse("resident_around")).status_code for _ in range(62)]
    assert answers[0] == 200
    assert answers[-1] == 429
