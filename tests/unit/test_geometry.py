"""A point is found in the area that holds it, or the nearest within reach."""

from __future__ import annotations

from math import cos, radians
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.kernel.geometry import BadBoundary, PolygonIndex, boundary

DEGREE = 111_320.0


def square(west: float, south: float, size: float = 1.0) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


AREAS = [("b", square(101.0, 30.0)), ("a", square(100.0, 30.0)), ("c", square(100.5, 30.5))]


def test_a_point_is_found_in_the_area_that_holds_it() -> None:
    index = PolygonIndex(AREAS)
    assert index.locate(100.2, 30.2) == "a"
    assert index.locate(101.8, 30.2) == "b"
    assert index.locate(101.2, 31.2) == "c"


@pytest.mark.parametrize("areas", [AREAS, AREAS[::-1]])
def test_on_overlap_and_on_a_shared_edge_the_lowest_code_wins(areas: list[tuple[str, dict[str, Any]]]) -> None:
    index = PolygonIndex(areas)
    assert index.locate(100.7, 30.7) == "a"
    assert index.locate(101.2, 30.7) == "b"
    assert index.locate(101.0, 30.2) == "a"


def test_a_point_outside_goes_to_the_nearest_area_within_reach() -> None:
    index = PolygonIndex(AREAS)
    west = 100.0 - 40 / DEGREE / cos(radians(30.2))
    assert index.locate(west, 30.2) == "a"
    assert index.locate(west, 30.2, reach_m=39) is None
    assert index.locate(100.2, 30.0 - 49 / DEGREE) == "a"
    assert index.locate(100.2, 30.0 - 51 / DEGREE) is None
    assert index.locate(100.2, 30.0 - 51 / DEGREE, reach_m=52) == "a"


def test_of_two_areas_within_reach_the_nearer_wins_and_of_two_as_near_the_lower_code() -> None:
    gap = 60 / DEGREE
    index = PolygonIndex([("south", square(100.0, 29.0)), ("north", square(100.0, 30.0 + gap))])
    assert index.locate(100.5, 30.0 + gap / 3) == "south"
    assert index.locate(100.5, 30.0 + 2 * gap / 3) == "north"
    twins = PolygonIndex([("2", square(100.0, 30.0)), ("1", square(100.0, 30.0))])
    assert twins.locate(100.5, 30.0 - 10 / DEGREE) == "1"


def test_a_corner_of_the_search_box_is_out_of_reach() -> None:
    index = PolygonIndex([("a", square(100.0, 30.0))])
    off = 45 / DEGREE
    assert index.locate(100.0 - off / cos(radians(30.0)), 30.0 - off) is None


@given(st.lists(st.tuples(st.floats(99.99, 102.01), st.floats(29.99, 31.51)), max_size=20))
def test_many_points_at_once_are_found_as_one_by_one(points: list[tuple[float, float]]) -> None:
    index = PolygonIndex(AREAS)
    assert index.locate_many(points, reach_m=300) == [index.locate(*point, reach_m=300) for point in points]


def test_an_index_of_nothing_finds_nothing() -> None:
    assert PolygonIndex([]).locate(100.0, 30.0) is None
    assert PolygonIndex([]).locate_many([(100.0, 30.0)]) == [None]


def test_several_parts_holes_and_features_are_understood() -> None:
    ring, hole = square(100.0, 30.0)["coordinates"][0], square(100.4, 30.4, 0.2)["coordinates"][0]
    parts = {"type": "MultiPolygon", "coordinates": [[ring, hole], square(105.0, 30.0)["coordinates"]]}
    index = PolygonIndex([("a", {"type": "Feature", "properties": {}, "geometry": parts})])
    assert index.locate(105.5, 30.5) == "a"
    assert index.locate(100.1, 30.1) == "a"
    assert index.locate(100.5, 30.5) is None


def test_a_ring_that_crosses_itself_is_mended() -> None:
    bow = {"type": "Polygon", "coordinates": [[[100, 30], [101, 31], [101, 30], [100, 31], [100, 30]]]}
    index = PolygonIndex([("bow", bow)])
    assert index.locate(100.1, 30.5) == "bow"
    assert index.locate(100.5, 30.9) is None


@pytest.mark.parametrize(
    ("geojson", "words"),
    [
        ({"type": "Point", "coordinates": [100, 30]}, "Polygon"),
        ({"type": "Feature", "geometry": None}, "Polygon"),
        ({}, "Polygon"),
        ({"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}, "坐标"),
        ({"type": "Polygon", "coordinates": "here"}, "坐标"),
        ({"type": "Polygon"}, "坐标"),
        ({"type": "Polygon", "coordinates": []}, "坐标为空"),
        (square(13_000_000.0, 3_500_000.0), "以度为单位"),
        ({"type": "Polygon", "coordinates": [[[100, 30], [101, 31], [100, 30], [100, 30]]]}, "面积"),
    ],
)
def test_what_is_no_boundary_is_refused_with_its_code(geojson: dict[str, Any], words: str) -> None:
    with pytest.raises(BadBoundary, match=words) as caught:
        boundary("330101", geojson)
    assert "330101" in caught.value.text.en
