"""Where a report belongs: by its point, where boundaries leave gaps."""

from __future__ import annotations

from typing import Any

import pytest

from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.places import areas
from anlan.places.models import Area
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def told(town: World, message: dict[str, Any], **declared: Any) -> Report:
    """The report of a message by a channel declared so, told by somebody whose post is the whole county."""
    channel = catalogue.current().get(CHANNELS, "api").model_copy(update=declared)
    said = {"id": "a-1", "topic": "gas_leak", "description": "厨房有燃气味", **message}
    received = reports.receive(channel, said, by=town.triage, at=town.at)
    assert received.report is not None, received.reasons
    return received.report


def redrawn(area: Area, west: float, south: float, east: float, north: float, *, world: World) -> None:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    areas.change(area, boundary={"type": "Polygon", "coordinates": [ring]}, by=None, at=world.at)


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
