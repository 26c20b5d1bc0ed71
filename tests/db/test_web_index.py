"""The pages of an index: places no surer than they are, every figure leading on, nothing for those it is not for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from anlan.places import officers
from anlan.presentation.web.index import tree as index_tree
from desk import at_desk, text
from index_town import EDITION, INDEX, PATHS, PERIOD, line, publish
from world import World, world

HOME = reverse("index_edition", kwargs=EDITION)


@pytest.fixture
def town(editions: Path, settings: Any) -> World:
    """The small town with two published months."""
    settings.DATA = editions
    return world()


@pytest.fixture
def new_town(data: Path) -> World:
    """The small town before anything was published."""
    (data / "index").mkdir(parents=True, exist_ok=True)
    return world()


def area_url(town: World, code: str = "") -> str:
    return reverse("index_area", kwargs=EDITION | {"code": code or town.east.code})


def test_before_anything_is_published_the_page_says_how_to_begin(new_town: World) -> None:
    page = text(at_desk(new_town.analyst).get(reverse("index")))
    assert "anlan facts export" in page
    assert "anlan index publish" in page
    assert at_desk(new_town.analyst).get(HOME).status_code == 404


def test_the_index_opens_on_the_last_published_month_and_the_towns_below(town: World) -> None:
    page = at_desk(town.analyst).get(reverse("index"))
    assert "2026 年 2 月" in text(page)
    assert page.context["group"].key == "towns"
    assert {row.label for row in page.context["table"].rows} == {"东镇", "西镇"}
    assert text(at_desk(town.analyst).get(f"{reverse('index')}?peer=villages")).count("rank-bar") == 3


def test_whose_place_is_not_sure_is_not_called_last(town: World, tmp_path: Path) -> None:
    finding = at_desk(town.analyst).get(HOME).context["finding"]
    assert "末位分不出先后" in finding.zh
    assert "who is last cannot be told" in finding.en


def test_a_place_says_from_which_it_cannot_be_told(town: World) -> None:
    page = text(at_desk(town.analyst).get(area_url(town)))
    assert "与第 1–2 名无显著差异" in page
    assert "在统计上不分高下" in page


def test_every_band_is_a_word_and_every_indicator_that_costs_points_leads_to_its_page(town: World) -> None:
    page = at_desk(town.analyst).get(HOME)
    costly = page.context["worst"]
    assert costly
    assert all(each.shade is not None and each.shade.title.zh for each in costly)
    for each in costly:
        assert each.url == reverse("index_indicator", kwargs=EDITION | {"key": each.key}) + f"?area={town.county.code}"
        assert f'href="{each.url}"' in page.content.decode()
    shares = [each.share for each in index_tree.worst(page.context["sight"], PATHS[0], 999)]
    assert sum(shares) == pytest.approx(1.0, abs=0.01)


def test_the_parts_of_a_change_sum_to_it_deduction_and_all(town: World) -> None:
    page = at_desk(town.analyst).get(area_url(town))
    chart = page.context["why"]
    first, *between, last = chart.said["series"][0]["values"]
    assert first + sum(between) == pytest.approx(last, abs=1e-3)
    rows = [(row.cells[0].value, row.cells[1].value) for row in chart.table.rows]
    total = rows[-1]
    assert total[1] == f"−{abs(last - first):.3f}"
    assert any("WZ-02" in str(name) and points == "−1.500" for name, points in rows)
    assert "规则扣的、加的分" in text(page)
    assert "比 2026 年 1 月 低" in chart.title.zh.replace("2026 年 2 月 ", "")


def test_an_area_page_says_what_is_missing_and_how_far_the_next_place_is(town: World) -> None:
    page = at_desk(town.analyst).get(area_url(town))
    assert re.search(r"\d+ 个指标缺数", text(page))
    other = {"east": "西镇", "west": "东镇"}
    lower = next(each for each in ("east", "west") if "离前一名" in text(_area(town, each)))
    assert f"第 1 名 {other[lower]}" in text(_area(town, lower))


def test_what_to_fix_first_says_so_where_there_is_nothing(town: World) -> None:
    for headers, whole in (({}, True), ({"HX-Request": "true"}, False)):
        page = at_desk(town.analyst).get(f"{area_url(town)}?part=first", headers=headers)
        assert "没有办结后能加分的事项" in text(page)
        assert ("<html" in text(page)) is whole


def _area(town: World, name: str) -> Any:
    return at_desk(town.analyst).get(area_url(town, getattr(town, name).code))


def test_two_periods_of_one_area_are_compared_in_the_order_of_time(town: World) -> None:
    page = at_desk(town.analyst).get(reverse("index_compare", args=[INDEX]))
    assert page.context["title"].zh == "甲县：2026 年 1 月 与 2026 年 2 月"
    assert page.context["why"].said["labels"][0] == "2026 年 1 月"
    assert page.context["why"].said["labels"][-1] == "2026 年 2 月"


def test_two_areas_are_compared_and_the_parts_sum_to_the_distance(town: World) -> None:
    asked = f"?a={town.east.code}@{PERIOD}&b={town.west.code}@{PERIOD}"
    page = at_desk(town.analyst).get(reverse("index_compare", args=[INDEX]) + asked)
    values = page.context["why"].said["series"][0]["values"]
    assert sum(values[:-1]) == pytest.approx(values[-1], abs=1e-3)
    ranks = {rank.area_path: rank.score for rank in page.context["sight"].ranks.of_peer["towns"]}
    assert (values[0], values[-1]) == (pytest.approx(ranks[PATHS[1]]), pytest.approx(ranks[PATHS[7]]))
    same = f"?a={town.east.code}@{PERIOD}&b={town.east.code}@{PERIOD}"
    assert "选两个不同的" in text(at_desk(town.analyst).get(reverse("index_compare", args=[INDEX]) + same))


def scenario(town: World, query: str) -> Any:
    return at_desk(town.analyst).get(reverse("index_scenario", kwargs=EDITION) + query)


def test_with_the_weights_as_they_are_a_trial_gives_what_was_published(town: World) -> None:
    for peer in ("towns", "villages"):
        page = scenario(town, f"?peer={peer}")
        published = {rank.area_path: rank for rank in page.context["sight"].ranks.of_peer[peer]}
        assert len(page.context["found"]) == len(published)
        for each in page.context["found"]:
            assert each.then == pytest.approx(published[each.path].score, abs=1e-9)
            assert each.rank == each.would == published[each.path].rank


def test_another_weight_moves_the_score_by_what_a_hand_calculation_gives(town: World) -> None:
    page = scenario(town, "?node=D&weight=60")
    sight, found = page.context["sight"], page.context["found"]
    frame, scores = sight.framework, sight.scores
    place = frame.place("D")
    others = [child for child in frame.nodes[0].children if child != place]
    weights = [frame.nominal[child] for child in others]
    for each in found:
        row = scores.score[scores.place[each.path]]
        rest = sum(w * row[child] for w, child in zip(weights, others, strict=True)) / sum(weights)
        taken = -1.5 if each.path == PATHS[1] else 0.0
        assert each.then == pytest.approx(0.6 * row[place] + 0.4 * rest + taken, abs=1e-3)
    assert "60.0%" in page.context["finding"].zh


@pytest.mark.parametrize(
    ("weight", "words"), [("x", "请填数字"), ("-1", "权重要大于等于"), ("100", "权重要大于等于"), ("nan", "请填数字")]
)
def test_a_weight_that_cannot_be_is_refused_with_what_can(town: World, weight: str, words: str) -> None:
    page = scenario(town, f"?node=D&weight={weight}")
    assert page.status_code == 422
    assert words in text(page)


def test_a_draft_is_seen_by_those_who_draft_sign_or_publish_alone(new_town: World, data: Path) -> None:
    publish(data / "index", PATHS, PERIOD, state="draft")
    officers.post(new_town.area_lead, role="area_lead", area=new_town.county, by=None, at=new_town.at)
    for who, status in (("analyst", 200), ("area_lead", 200), ("dispatcher", 404), ("administrator", 404)):
        assert at_desk(getattr(new_town, who)).get(HOME).status_code == status, who
    assert "草稿" in text(at_desk(new_town.analyst).get(HOME))
    assert "anlan index publish" in text(at_desk(new_town.analyst).get(reverse("index")))


def test_a_correction_stands_beside_and_the_old_edition_says_so(new_town: World, data: Path) -> None:
    publish(data / "index", PATHS, PERIOD)
    publish(data / "index", PATHS, PERIOD, seed=9, lines=(line(PATHS[1], -2.0),))
    client = at_desk(new_town.dispatcher)
    assert client.get(HOME).context["sight"].edition.manifest.number == 2
    old = client.get(f"{HOME}?edition=1")
    assert old.context["sight"].edition.manifest.number == 1
    assert "有更新的版本" in text(old)
    assert all("edition=1" in row.url for row in old.context["table"].rows)


def test_an_outsider_finds_no_index_of_ours(town: World) -> None:
    client = at_desk(town.outsider)
    assert "没有您的辖区" in text(client.get(reverse("index")))
    for address in (HOME, area_url(town), reverse("index_scenario", kwargs=EDITION)):
        assert client.get(address).status_code == 404
    assert client.get(reverse("index_compare", args=[INDEX])).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/index/nothing/2026-02/",
        "/index/peace_sample/2026-13/",
        "/index/peace_sample/x/",
        "/index/peace_sample/2026-02/areas/nowhere/",
        "/index/peace_sample/2026-02/?edition=7",
        "/index/nothing/compare/",
        "/index/peace_sample/compare/?a=x@y",
    ],
)
def test_what_is_not_there_is_not_found(town: World, address: str) -> None:
    assert at_desk(town.analyst).get(address).status_code == 404


def test_the_pages_ask_the_database_little(town: World) -> None:
    client = at_desk(town.analyst)
    compare = reverse("index_compare", args=[INDEX])
    for address in (HOME, area_url(town), compare, reverse("index_scenario", kwargs=EDITION)):
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        assert len(queries) <= 8, (address, len(queries))


def test_every_page_is_said_in_english_too(town: World) -> None:
    client = at_desk(town.analyst, "en")
    compare = reverse("index_compare", args=[INDEX])
    for address in (HOME, area_url(town), compare, reverse("index_scenario", kwargs=EDITION)):
        main = text(client.get(address)).partition("<main")[2].partition("</main>")[0]
        words = re.sub(r"<script.*?</script>", "", main, flags=re.DOTALL)
        assert not re.findall(r"[\u4e00-\u9fff]{2,}", words), address
