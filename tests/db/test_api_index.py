"""The API of indices: what was published, to those in whose tree it lies; cases only to those whose area it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import index_town
from anlan.index.editions import edition
from anlan.places import officers
from calling import Caller
from world import World, world

pytestmark = pytest.mark.django_db
INDEX = f"/index/{index_town.INDEX}"
RANKS = f"{INDEX}/{index_town.PERIOD}/ranks"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    index_town.two_months(folder / "index")
    return folder


@pytest.fixture
def town(data: Path, settings: Any) -> World:
    settings.DATA = data
    return world()


def area(town: World, who: Any, code: str) -> Any:
    return Caller(who).get(f"{INDEX}/{index_town.PERIOD}/areas/{code}")


def test_the_list_has_every_declared_index_with_the_periods_published(town: World) -> None:
    rows = {row["key"]: row for row in Caller(town.analyst).get("/index").json}
    assert rows[index_town.INDEX]["published"] == ["2026-01", "2026-02"]
    assert rows[index_town.INDEX]["indicators"] == 123
    assert rows["hdi"]["published"] == []


def test_editions_carry_their_digests(town: World, data: Path) -> None:
    rows = Caller(town.analyst).get(f"{INDEX}/editions").json
    kept = list(edition.every(data / "index", index_town.INDEX))
    assert [(row["period"], row["number"], row["result_sha256"]) for row in rows] == [
        (each.manifest.period, each.manifest.number, each.manifest.result_sha256) for each in kept
    ]


def test_ranks_come_best_first_by_group_and_a_piece_at_a_time(town: World) -> None:
    every = Caller(town.analyst).get(RANKS, peer="towns").json
    assert [row["rank"] for row in every["rows"]] == sorted(row["rank"] for row in every["rows"])
    assert every["count"] == len(every["rows"]) >= 2
    assert Caller(town.analyst).get(RANKS, peer="towns", limit=1, offset=1).json["rows"] == every["rows"][1:2]
    assert Caller(town.analyst).get(RANKS, limit=0).status == 422


def test_an_area_s_points_and_lines_sum_to_its_score(town: World) -> None:
    told = area(town, town.analyst, town.east.code).json
    leaves = {row["key"] for row in told["values"]}
    points = sum(row["points"] or 0 for row in told["nodes"] if row["key"] in leaves)
    assert points + sum(row["points"] for row in told["lines"]) == pytest.approx(told["places"][0]["score"], abs=1e-3)


def test_why_points_were_taken_is_told_to_those_whose_area_it_is(town: World) -> None:
    officers.post(town.scene_officer, role="area_lead", area=town.west, by=None, at=town.at)
    mine, other = (area(town, who, town.east.code).json["lines"] for who in (town.area_lead, town.scene_officer))
    assert [row["points"] for row in mine] == [row["points"] for row in other] == [-1.5]
    assert mine[0]["why"] is not None
    assert other[0]["why"] is None


def test_what_is_not_there_or_lies_in_another_tree_is_not_found(town: World) -> None:
    for path in (f"{INDEX}/2025-12/ranks", f"{INDEX}/..%2f/ranks", "/index/nothing/editions", f"{RANKS}?edition=9"):
        assert Caller(town.analyst).get(path).status == 404, path
    assert Caller(town.outsider).get(RANKS).status == 404
    assert area(town, town.outsider, town.east.code).status == 404
    assert Caller(town.analyst).get(f"{INDEX}/indicators/nothing").status == 404
    assert Caller(town.grid_worker).get(RANKS).status == 403
