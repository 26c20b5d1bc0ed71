"""A town from one file."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import shape
from shapely.ops import unary_union

from anlan.kernel import catalogue
from anlan.ledger.models import Event
from anlan.places import areas, duties, officers, towns
from anlan.places.models import Area, Department, Officer, Post, Site
from anlan.places.town import TOWNS, Town
from world import AT, FOUNDED

PACKS = Path(__file__).parent.parent.parent / "packs"
TODAY = AT.date()

FILE = """
key = "jia"
title = { zh = "甲县", en = "Jia" }
valid_from = 2024-01-01

[[areas]]
code = "1"
level = "county"
name = { zh = "甲县", en = "Jia" }
bbox = [122.0, 27.0, 122.2, 27.1]

[[areas]]
code = "1001"
level = "township"
name = { zh = "东镇", en = "East" }
parent = "1"
boundary = [[[122.0, 27.0], [122.1, 27.0], [122.1, 27.1], [122.0, 27.1]]]

[[areas]]
code = "1002"
level = "township"
name = { zh = "西镇", en = "West" }
parent = "1"
bbox = [122.1, 27.0, 122.2, 27.1]

[[departments]]
key = "gas"
name = { zh = "燃气科", en = "Gas" }
area = "1"
parent = "housing"

[[departments]]
key = "housing"
name = { zh = "住建局", en = "Housing" }
area = "1"

[[duties]]
topics = ["gas_leak", "construction_site"]
area = "1"
department = "housing"
officer = "dingban"

[[duties]]
area = "1002"
department = "gas"

[[sites]]
code = "s1"
name = "小店"
kind = "shopfront"
area = "1001"
at = [122.05, 27.05]

[[officers]]
username = "dingban"
name = "丁办"
posts = [{ role = "handler", area = "1", department = "housing" }]
"""


def said(**changed: Any) -> Town:
    return Town.model_validate({**tomllib.loads(FILE), **changed})


def complaints(**changed: Any) -> str:
    return "\n".join(f"{text.zh} {text.en}" for text in towns.problems(said(**changed)))


def part(table: str, number: int, **changed: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(FILE)[table]
    rows[number] = {**rows[number], **changed}
    return rows


def test_a_town_is_loaded_whole() -> None:
    done = towns.load(said(), by=None, at=AT)
    assert (done.created, done.changed, done.unchanged) == (11, 0, 0)
    assert areas.find("1002", TODAY).path == "1/1002/"
    assert areas.find("1", FOUNDED).calendar == "china"
    found = duties.responsible("gas_leak", "1/1002/", day=TODAY)
    assert found is not None
    assert found.department.key == "housing"
    assert found.officer is not None
    assert found.officer.name == "丁办"
    assert Department.objects.get(key="gas").parent == found.department
    site = Site.objects.get(code="s1")
    assert (site.area_path, site.lon, site.lat) == ("1/1001/", 122.05, 27.05)
    assert Post.objects.get().valid_from == FOUNDED


def test_loading_again_adds_nothing_and_records_nothing() -> None:
    towns.load(said(), by=None, at=AT)
    events = Event.objects.count()
    done = towns.load(said(), by=None, at=AT)
    assert (done.created, done.changed, done.unchanged) == (0, 0, 11)
    assert Event.objects.count() == events


def test_only_what_the_file_changed_is_changed() -> None:
    towns.load(said(), by=None, at=AT)
    before = Event.objects.count()
    renamed = part("areas", 1, name={"zh": "大东镇", "en": "East"})
    relieved = part("duties", 1, department="housing")
    done = towns.load(said(areas=renamed, duties=relieved), by=None, at=AT)
    assert (done.created, done.changed) == (0, 2)
    kinds = [event.kind for event in Event.objects.order_by("seq")[before:]]
    assert kinds == ["area.changed", "duty.ended", "duty.assigned"]


def test_an_area_put_elsewhere_in_the_file_moves_today() -> None:
    village = {"code": "9", "level": "village", "name": {"zh": "村", "en": "Village"}, "parent": "1001"}
    grid = {"code": "99", "level": "grid", "name": {"zh": "网格", "en": "Grid"}, "parent": "9"}
    rows = tomllib.loads(FILE)["areas"]
    towns.load(said(areas=[*rows, village, grid]), by=None, at=AT)
    done = towns.load(said(areas=[*rows, {**village, "parent": "1002"}, grid]), by=None, at=AT)
    assert done.changed == 1
    assert areas.find("99", TODAY).path == "1/1002/9/99/"
    assert areas.find("99", date(2026, 3, 5)).path == "1/1001/9/99/"


def test_what_the_file_does_not_name_is_left_alone() -> None:
    towns.load(said(), by=None, at=AT)
    officers.create("aning", name="阿宁", by=None, at=AT)
    towns.load(said(sites=[], officers=[], duties=[]), by=None, at=AT)
    assert Site.objects.count() == 1
    assert Officer.objects.count() == 2


def test_nobody_loaded_from_a_file_has_a_password() -> None:
    towns.load(said(), by=None, at=AT)
    assert not Officer.objects.get().has_usable_password()


def test_positions_given_in_another_system_are_kept_in_wgs84() -> None:
    towns.load(said(coordinates="gcj02"), by=None, at=AT)
    site = Site.objects.get(code="s1")
    assert site.lon is not None
    assert 0.003 < abs(site.lon - 122.05) < 0.01
    boundary = Area.objects.get(code="1001").boundary
    assert boundary is not None
    assert boundary["coordinates"][0][0] != [122.0, 27.0]
    assert boundary["coordinates"][0][0] == boundary["coordinates"][0][-1]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"areas": part("areas", 1, parent="7")}, "areas.1001.parent"),
        ({"areas": part("areas", 1, code="1002")}, "1002"),
        ({"areas": part("areas", 1, code="A/1")}, "areas.A/1"),
        ({"areas": part("areas", 1, level="county")}, "areas.1001"),
        ({"areas": part("areas", 1, boundary=[[[0, 0], [1, 1], [1, 0], [0, 1]]])}, "areas.1001.boundary"),
        ({"areas": part("areas", 1, boundary=[[[0, 0], [1, 1]]])}, "areas.1001.boundary"),
        ({"areas": part("areas", 1, boundary=[[[999, 0], [1, 1], [1, 0]]])}, "areas.1001.boundary"),
        ({"areas": part("areas", 2, bbox=[122.05, 27.0, 122.2, 27.1])}, "1002"),
        ({"areas": part("areas", 2, calendar="chine")}, "areas.1002.calendar"),
        ({"departments": part("departments", 0, area="7")}, "departments.gas.area"),
        ({"departments": part("departments", 0, parent="hosing")}, "hosing"),
        ({"duties": part("duties", 0, area="7")}, "duties.1.area"),
        ({"duties": part("duties", 0, department="hosing")}, "hosing"),
        ({"duties": part("duties", 0, officer="nobody")}, "nobody"),
        ({"duties": part("duties", 1, area="1", topics=["gas_leak"])}, "gas_leak@1"),
        ({"sites": part("sites", 0, area="7")}, "sites.s1.area"),
        ({"sites": part("sites", 0, kind="shop")}, "sites.s1.kind"),
        ({"officers": part("officers", 0, posts=[{"role": "boss", "area": "1"}])}, "boss"),
        ({"officers": part("officers", 0, posts=[{"role": "triage", "area": "7"}])}, "officers.dingban.area"),
        ({"calendar": "chine"}, "calendar"),
    ],
)
def test_a_file_that_does_not_hold_together_is_refused_before_anything_is_touched(
    changed: dict[str, Any], named: str
) -> None:
    assert named in complaints(**changed)
    with pytest.raises(towns.TownRefused) as refused:
        towns.load(said(**changed), by=None, at=AT)
    assert named in refused.value.text.zh
    assert not Area.objects.exists()


def test_topics_are_checked_where_the_declared_ones_are_given() -> None:
    assert towns.problems(said()) == []
    assert towns.problems(said(), topics=["gas_leak", "construction_site"]) == []
    assert ["gas_leak" in text.en for text in towns.problems(said(), topics=["construction_site"])] == [True]


def test_a_time_zone_that_does_not_exist_is_refused_with_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "pack" / "towns"
    folder.mkdir(parents=True)
    (folder / "jia.toml").write_text(FILE.replace("valid_from", 'time_zone = "Asia/Shanghia"\nvalid_from', 1))
    with catalogue.using([tmp_path / "pack"]), pytest.raises(catalogue.DeclarationError) as refused:
        towns.town("jia")
    assert "jia.toml: time_zone" in refused.value.text.en


@pytest.fixture
def qinglan() -> Town:
    return catalogue.read(TOWNS, PACKS / "qinglan" / "towns" / "qinglan.toml")


def test_the_demonstration_county_holds_together(qinglan: Town) -> None:
    assert towns.problems(qinglan) == []
    levels = [area.level for area in qinglan.areas]
    assert {level: levels.count(level) for level in set(levels)} == {
        "county": 1,
        "township": 3,
        "village": 12,
        "grid": 40,
    }


def test_the_grids_of_the_demonstration_county_tile_it_without_gap_or_overlap(qinglan: Town) -> None:
    drawn = {area.code: shape(area.polygon(qinglan.coordinates)) for area in qinglan.areas}
    county = drawn["990101"]
    for level in ("township", "village", "grid"):
        parts = [drawn[area.code] for area in qinglan.areas if area.level == level]
        assert sum(piece.area for piece in parts) == pytest.approx(county.area, rel=1e-9)
        assert unary_union(parts).symmetric_difference(county).area < 1e-9 * county.area


def test_the_demonstration_county_loads(qinglan: Town) -> None:
    towns.load(qinglan, by=None, at=AT)
    found = duties.responsible("fire_exit", areas.find("990101002001001", TODAY).path, day=TODAY)
    assert found is not None
    assert found.department.key == "qinglan.fire"
