"""Editions at the desk: drafted by one, signed by another, published; each step only by those whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import both_counties
from anlan.casework.models import Case
from anlan.index.editions import edition
from anlan.index.editions.edition import Edition
from anlan.places import officers
from anlan.places.models import Officer
from anlan.presentation import publishing
from both_counties import AFTER, exported
from desk import at_desk, done, text
from world import World


@pytest.fixture
def town(settings: Any, tmp_path: Path) -> Iterator[World]:
    """The small town in April, with facts of March, and people who answer for both counties."""
    with both_counties.with_facts_of_march(settings, tmp_path) as made:
        yield made


def act(who: Officer, deed: str, **data: Any) -> Any:
    """The page one lands on after a step."""
    return at_desk(who).post(reverse("index_edition_act", args=["small"]), {"deed": deed, **data}, follow=True)


MARCH = {"period": "2026-03", "number": "1"}


def state(number: int = 1) -> str:
    return edition.find(publishing.root(), "small", "2026-03", number).manifest.state


def page(who: Officer) -> Any:
    return at_desk(who).get(reverse("index_editions", args=["small"]))


def test_two_people_bring_an_edition_from_draft_to_published(town: World) -> None:
    assert "还没有一版" in text(page(town.analyst))
    assert "2026 年 3 月第 1 版已起草" in text(act(town.analyst, "draft", period="2026-03"))
    assert state() == "draft"
    assert "已签发，等待发布。" in text(act(town.supervisor, "signed", **MARCH))
    assert "已发布" in text(act(town.area_lead, "published", **MARCH))
    assert state() == "published"
    shown = text(page(town.dispatcher))
    for words in ("起草", "签发", "发布", town.analyst.name, town.supervisor.name, town.area_lead.name, "台账印记"):
        assert words in shown, words


def test_who_drafted_is_offered_no_signing_and_refused_it(town: World) -> None:
    officers.post(town.analyst, role="supervisor", area=town.county, by=None, at=town.at)
    officers.post(town.analyst, role="supervisor", area=town.neighbour, by=None, at=town.at)
    act(town.analyst, "draft", period="2026-03")
    [shown] = page(town.analyst).context["shown"]
    assert shown.own
    assert shown.acts == []
    assert "起草人不能签发自己起草的一版" in text(act(town.analyst, "signed", **MARCH))
    assert state() == "draft"


def test_each_step_is_refused_to_those_whose_it_is_not(town: World) -> None:
    act(town.analyst, "draft", period="2026-03")
    assert act(town.dispatcher, "draft", period="2026-03").status_code == 403
    assert act(town.analyst, "signed", **MARCH).status_code == 403
    assert act(town.supervisor, "published", **MARCH).status_code == 403
    assert act(town.dispatcher, "replay", **MARCH).status_code == 404, "a draft that is not theirs to see"
    assert state() == "draft"


def test_a_draft_is_seen_by_those_who_work_on_it_alone(town: World) -> None:
    act(town.analyst, "draft", period="2026-03")
    for who, many in ((town.analyst, 1), (town.supervisor, 1), (town.dispatcher, 0)):
        assert len(page(who).context["shown"]) == many
    seen = reverse("index_edition", args=["small", "2026-03"])
    assert at_desk(town.supervisor).get(seen).status_code == 200
    assert at_desk(town.dispatcher).get(seen).status_code == 404


def test_a_replay_says_whether_every_bit_is_the_same(town: World) -> None:
    act(town.analyst, "draft", period="2026-03")
    assert "每一位都相同" in text(act(town.analyst, "replay", **MARCH))
    found = edition.find(publishing.root(), "small", "2026-03", 1)
    changed(found)
    assert "与封存时不同" in text(act(town.analyst, "replay", **MARCH))


def changed(found: Edition) -> None:
    """One score changed by hand."""
    rows = found.scores().to_pylist()
    rows[0]["score"] = 99.0
    pq.write_table(type(found.scores()).from_pylist(rows, edition.SCHEMAS["scores"]), found.folder / "scores.parquet")


def test_a_later_edition_says_what_it_changed(town: World) -> None:
    act(town.analyst, "draft", period="2026-03")
    act(town.supervisor, "signed", **MARCH)
    act(town.area_lead, "published", **MARCH)
    case = Case.objects.filter(area_path__startswith=town.east.path).get()
    done(town, case, town.supervisor, "void", after=timedelta(days=2), reason="重复登记")
    exported(AFTER + timedelta(hours=1))
    act(town.analyst, "draft", period="2026-03")
    newest = page(town.analyst).context["shown"][0]
    assert newest.manifest.number == 2
    assert newest.changed.zh.startswith("更正第 1 版：")
    assert town.east.path in {change.area_path for change in newest.manifest.changes}
    assert "东镇" in text(page(town.analyst))


def test_withdrawing_needs_a_reason_which_stays(town: World) -> None:
    act(town.analyst, "draft", period="2026-03")
    assert "请写明为什么撤回" in text(act(town.area_lead, "withdrawn", **MARCH))
    assert state() == "draft"
    assert "人口数用错了" in text(act(town.area_lead, "withdrawn", why="人口数用错了", **MARCH))
    assert state() == "withdrawn"


def test_a_period_that_is_none_is_told_beside_its_field(town: World) -> None:
    answer = act(town.analyst, "draft", period="三月")
    assert answer.status_code == 422
    assert "不是期间" in text(answer)


def test_what_is_not_there_is_not_found(town: World) -> None:
    act(town.analyst, "draft", period="2026-03")
    client = at_desk(town.analyst)
    assert client.get(reverse("index_editions", args=["nothing"])).status_code == 404
    for data in (
        {"deed": "signed", "period": "2026-03", "number": "9"},
        {"deed": "signed"},
        {"deed": "replay", "number": "x"},
    ):
        assert client.post(reverse("index_edition_act", args=["small"]), data).status_code == 404


def test_a_step_that_is_none_leads_back_and_says_so(town: World) -> None:
    act(town.analyst, "draft", period="2026-03")
    assert "请在要办的那一版上点按钮" in text(act(town.analyst, "x", **MARCH))
    assert state() == "draft"


def test_the_list_asks_as_little_for_three_as_for_one(town: World) -> None:
    client, counts = at_desk(town.analyst), []
    for many in (1, 2):
        for _ in range(many):
            publishing.draft("small", "2026-03", by=town.analyst, reach=town.reach(town.analyst), at=AFTER)
        client.get(reverse("index_editions", args=["small"]))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("index_editions", args=["small"]))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
