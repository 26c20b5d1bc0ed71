"""Where a report belongs: by its point where boundaries leave gaps, and by what its address says."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.places import addresses, areas, sites
from anlan.places.models import Area, Officer, Site
from world import World, world

SHOP = "东一村小店"


@pytest.fixture
def town() -> World:
    return world()


def told(town: World, message: dict[str, Any], *, by: Officer | None = None, **declared: Any) -> Report:
    """The report of a message by a channel declared so, told by somebody whose post is the whole county."""
    channel = catalogue.current().get(CHANNELS, "api").model_copy(update=declared)
    said = {"id": "a-1", "topic": "gas_leak", "description": "厨房有燃气味", **message}
    received = reports.receive(channel, said, by=by or town.triage, at=town.at)
    assert received.report is not None, received.reasons
    return received.report


def redrawn(area: Area, west: float, south: float, east: float, north: float, *, world: World) -> None:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    areas.change(area, boundary={"type": "Polygon", "coordinates": [ring]}, by=None, at=world.at)


# ---------------------------------------------------------------- by its point


def test_a_point_between_two_grids_goes_to_the_nearer_and_says_so(town: World) -> None:
    redrawn(town.next_grid, 122.0506, 27.0, 122.1, 27.05, world=town)
    report = told(town, {"lon": 122.0502, "lat": 27.02})
    assert report.area == town.grid
    [note] = report.notes
    assert "最近的辖区（相距约 20 米）" in note["zh"]
    assert "nearest area, about 20 m away" in note["en"]
    assert told(town, {"id": "a-2", "lon": 122.0505, "lat": 27.02}).area == town.next_grid


def test_how_far_the_nearest_may_be_is_the_channels_to_declare(town: World) -> None:
    redrawn(town.next_grid, 122.0506, 27.0, 122.1, 27.05, world=town)
    report = told(town, {"lon": 122.0502, "lat": 27.02}, nearest_m=19)
    assert (report.area, report.notes) == (town.village, [])
    assert told(town, {"id": "a-2", "lon": 122.0502, "lat": 27.02}, nearest_m=0).area == town.village
    assert told(town, {"id": "a-3", "lon": 121.9998, "lat": 27.02}).area == town.grid
    far = told(town, {"id": "a-4", "lon": 121.9998, "lat": 27.02}, nearest_m=0)
    assert far.area == town.county
    assert "不在任何网格" in far.notes[0]["zh"]


def test_a_village_that_holds_the_point_keeps_it_from_the_grids_of_another(town: World) -> None:
    Area.objects.filter(code="330101001002001").update(boundary=None)
    report = told(town, {"lon": 122.02, "lat": 27.0502})
    assert (report.area, report.notes) == (town.other_village, [])


def test_where_two_grids_hold_the_point_the_lower_code_has_it(town: World) -> None:
    redrawn(town.next_grid, 122.04, 27.0, 122.1, 27.05, world=town)
    report = told(town, {"lon": 122.045, "lat": 27.02})
    assert (report.area, report.notes) == (town.grid, [])


def test_a_point_on_the_edge_of_two_grids_belongs_to_the_lower_code(town: World) -> None:
    assert told(town, {"lon": 122.05, "lat": 27.02}).area == town.grid


def test_many_points_at_once_are_placed_as_one_by_one(town: World) -> None:
    redrawn(town.next_grid, 122.0506, 27.0, 122.1, 27.05, world=town)
    channel = catalogue.current().get(CHANNELS, "api")
    messages = [
        {"id": f"p-{n}", "topic": "other", "description": "x", "lon": f"{121.999 + n * 0.0171 % 0.21}", "lat": "27.02"}
        for n in range(40)
    ]
    alone = [told(town, {**message, "id": f"one-{message['id']}"}) for message in messages]
    rows = reports.receive_many(channel, list(enumerate(messages, start=1)), by=town.triage, at=town.at)
    together = {report.pk: report for report in Report.objects.filter(pk__in=[row.report for row in rows])}
    for number, (one, row) in enumerate(zip(alone, rows, strict=True), start=1):
        assert row.report is not None
        assert together[row.report].area_id == one.area_id
        assert [note["zh"].removeprefix(f"第 {number} 行") for note in together[row.report].notes] == [
            note["zh"] for note in one.notes
        ]


# ---------------------------------------------------------------- by its address


def test_an_address_that_is_a_sites_own_name_is_that_site(town: World) -> None:
    report = told(town, {"address": f" {SHOP}。"})
    assert (report.site, report.area) == (town.shop, town.next_grid)
    assert (report.lon, report.lat) == (town.shop.lon, town.shop.lat)
    [note] = report.notes
    assert f"「{SHOP}」" in note["zh"]
    assert f"“{SHOP}”" in note["en"]


def test_an_address_that_nearly_says_a_site_suggests_it_and_sets_nothing(town: World) -> None:
    report = told(town, {"address": f"{SHOP}对面"})
    assert (report.site, report.area, report.lon) == (None, town.county, None)
    [note] = report.notes
    assert f"像是场所「{SHOP}」（把握 " in note["zh"]
    assert "没有自动登记" in note["zh"]
    assert f"looks like the site “{SHOP}” (confidence " in note["en"]


def test_from_which_confidence_on_is_the_channels_to_declare(town: World) -> None:
    assert told(town, {"address": f"{SHOP}对面"}, site_confidence=1.0).notes == []
    assert told(town, {"id": "a-2", "address": f"{SHOP}对面"}, site_confidence=0.1).notes != []


def test_two_sites_at_one_address_are_both_suggested_and_none_is_set(town: World) -> None:
    for name in ("面馆", "五金店"):
        sites.create(name=name, kind="shopfront", area=town.grid, address="东镇人民路 18 号", by=None, at=town.at)
    report = told(town, {"address": "东镇人民路18号"})
    assert report.site is None
    assert "「面馆」（把握 100%）" in report.notes[0]["zh"]
    assert "「五金店」（把握 100%）" in report.notes[0]["zh"]


def test_a_site_elsewhere_or_closed_is_not_suggested(town: World) -> None:
    assert told(town, {"address": SHOP}, by=town.grid_worker).site is None
    assert told(town, {"id": "a-2", "address": "邻县大饭店"}).notes == []
    sites.close(town.shop, by=None, at=town.at)
    assert told(town, {"id": "a-3", "address": SHOP}).site is None


def test_a_point_and_a_named_area_still_decide_where(town: World) -> None:
    by_point = told(town, {"address": SHOP, "lon": 122.06, "lat": 27.03})
    assert (by_point.site, by_point.area, by_point.lon) == (town.shop, town.next_grid, 122.06)
    elsewhere = told(town, {"id": "a-2", "address": SHOP, "lon": 122.02, "lat": 27.02})
    assert (elsewhere.site, elsewhere.area) == (None, town.grid)
    named = told(town, {"id": "a-3", "address": SHOP, "area": town.village.code})
    assert (named.site, named.area) == (town.shop, town.next_grid)


def test_a_site_named_by_its_code_needs_no_address(town: World) -> None:
    report = told(town, {"address": SHOP, "site": "house1"})
    assert (report.site, report.notes) == (town.site, [])


def test_among_too_many_sites_only_an_exact_text_counts(town: World) -> None:
    many = [
        Site(code=f"m{n}", name=f"仓库{n}", kind="shopfront", area=town.west_grid, area_path=town.west_grid.path)
        for n in range(addresses.MOST)
    ]
    Site.objects.bulk_create(many)
    assert told(town, {"address": SHOP}).site == town.shop
    assert told(town, {"id": "a-2", "address": f"{SHOP}对面"}).notes == []
    Site.objects.create(code="twin", name=SHOP, kind="shopfront", area=town.grid, area_path=town.grid.path)
    assert told(town, {"id": "a-3", "address": SHOP}).site is None


def test_sites_are_asked_for_as_often_for_eleven_addresses_as_for_one(town: World) -> None:
    channel = catalogue.current().get(CHANNELS, "api")

    def asked(count: int) -> int:
        said = {"topic": "gas_leak", "description": "x"}
        messages = [{**said, "id": f"n{count}-{n}", "address": f"{SHOP}{n}"} for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            reports.receive_many(channel, list(enumerate(messages)), by=town.triage, at=town.at)
        return sum("places_site" in query["sql"] for query in queries)

    assert asked(1) == asked(11) == 1


@pytest.mark.parametrize(("language", "words"), [("zh", "像是场所「"), ("en", "looks like the site “")])
def test_triage_shows_what_is_suggested(town: World, language: str, words: str) -> None:
    report = told(town, {"address": f"{SHOP}对面"})
    client = Client()
    client.force_login(town.triage)
    client.post(reverse("language"), {"lang": language})
    assert words in client.get(reverse("triage_one", args=[report.pk])).content.decode()
