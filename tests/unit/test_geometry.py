"""A point is found in the area that holds it, or the nearest within reach."""

from __future__ import annotations

import time
from math import cos, radians
from threading import Thread
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from anlan.kernel import geometry
from anlan.kernel.geometry import NOWHERE, BadBoundary, Found, PolygonIndex, boundary

DEGREE = 111_320.0


def square(west: float, south: float, size: float = 1.0) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


AREAS = [("b", square(101.0, 30.0)), ("a", square(100.0, 30.0)), ("c", square(100.5, 30.5))]
Areas = list[tuple[str, dict[str, Any]]]


def area_of(index: PolygonIndex, lon: float, lat: float, reach_m: float = 0.0) -> str | None:
    found = index.locate(lon, lat, reach_m=reach_m)
    return found.code if found else None


def test_a_point_is_found_in_the_area_that_holds_it() -> None:
    index = PolygonIndex(AREAS)
    assert index.locate(100.2, 30.2) == Found("a", 0.0)
    assert index.locate(101.8, 30.2) == Found("b", 0.0)
    assert index.locate(101.2, 31.2) == Found("c", 0.0)


@pytest.mark.parametrize("areas", [AREAS, AREAS[::-1]])
def test_on_overlap_and_on_a_shared_edge_the_lowest_code_wins(areas: Areas) -> None:
    index = PolygonIndex(areas)
    assert area_of(index, 100.7, 30.7) == "a"
    assert area_of(index, 101.2, 30.7) == "b"
    assert area_of(index, 101.0, 30.2) == "a"


def test_a_point_outside_goes_to_the_nearest_area_within_the_distance_and_is_told_so() -> None:
    index = PolygonIndex(AREAS)
    west = 100.0 - 40 / DEGREE / cos(radians(30.2))
    assert index.locate(west, 30.2, reach_m=50) == Found("a", 40.0)
    assert area_of(index, west, 30.2, 39) is None
    assert area_of(index, west, 30.2) is None
    assert area_of(index, 100.2, 30.0 - 49 / DEGREE, 50) == "a"
    assert area_of(index, 100.2, 30.0 - 51 / DEGREE, 50) is None
    assert area_of(index, 100.2, 30.0 - 51 / DEGREE, 52) == "a"


def test_of_two_areas_within_reach_the_nearer_wins_and_of_two_as_near_the_lower_code() -> None:
    gap = 60 / DEGREE
    index = PolygonIndex([("south", square(100.0, 29.0)), ("north", square(100.0, 30.0 + gap))])
    assert area_of(index, 100.5, 30.0 + gap / 3, 50) == "south"
    assert area_of(index, 100.5, 30.0 + 2 * gap / 3, 50) == "north"
    [near] = index.near([(100.5, 30.0 + gap / 3)], reach_m=50)
    assert near == [Found("south", 20.0), Found("north", 40.0)]
    twins = PolygonIndex([("2", square(100.0, 30.0)), ("1", square(100.0, 30.0))])
    assert area_of(twins, 100.5, 30.0 - 10 / DEGREE, 50) == "1"


def test_a_corner_of_the_search_box_is_out_of_reach() -> None:
    index = PolygonIndex([("a", square(100.0, 30.0))])
    off = 45 / DEGREE
    assert area_of(index, 100.0 - off / cos(radians(30.0)), 30.0 - off, 50) is None


# Corners on a lattice of five metres, so that edges and corners of several areas and points meet, as drawn ones do.
places = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda at: (100 + at[0] * 5e-5, 30 + at[1] * 5e-5))
anywhere = st.tuples(st.floats(99.999, 100.003), st.floats(29.999, 30.003))
corners = st.lists(places, min_size=3, max_size=6, unique=True)
drawn = corners.map(lambda at: shapely.MultiPoint(at).convex_hull).filter(lambda hull: hull.geom_type == "Polygon")
towns = st.lists(drawn.map(shapely.geometry.mapping), max_size=8).map(
    lambda all_: [(f"{n}", a) for n, a in enumerate(all_)]
)


def naive(areas: Areas, lon: float, lat: float, reach_m: float) -> Found | None:
    """The rule as it is written, one area after the other."""
    holding = [code for code, geojson in areas if shapely.intersects(boundary(code, geojson), shapely.Point(lon, lat))]
    if holding or not reach_m:
        return Found(min(holding), 0.0) if holding else None
    scale = np.array([cos(radians(lat)), 1.0]) * DEGREE
    far = []
    for code, geojson in areas:
        flat = shapely.transform(boundary(code, geojson), lambda at: (at - (lon, lat)) * scale)
        far.append((round(flat.distance(shapely.Point(0, 0)), 3), code))
    metres, code = min(far, default=(reach_m + 1, ""))
    return Found(code, metres) if metres <= reach_m else None


@given(towns, st.lists(places | anywhere, max_size=20), st.randoms(use_true_random=False), st.sampled_from([0, 30.5]))
def test_the_answer_is_that_of_the_written_rule_however_it_is_asked(
    areas: Areas, points: list[tuple[float, float]], dice: Any, reach_m: float
) -> None:
    right = [naive(areas, *point, reach_m) for point in points]
    index = PolygonIndex(dice.sample(areas, len(areas)))
    assert [index.locate(*point, reach_m=reach_m) for point in points] == right
    assert index.locate_many(points, reach_m=reach_m) == right
    order = dice.sample(range(len(points)), len(points))
    assert index.locate_many([points[n] for n in order], reach_m=reach_m) == [right[n] for n in order]


@given(towns, st.lists(places | anywhere, min_size=1, max_size=20))
def test_thousands_of_points_at_once_are_found_as_one_by_one(areas: Areas, points: list[tuple[float, float]]) -> None:
    index, often = PolygonIndex(areas), geometry._FEW // len(points) + 1
    found = index.locate_many(points * often)
    assert found == [index.locate(*point) for point in points] * often
    holding = index.holders(np.array(points * often))
    assert [index.codes[n] if n != NOWHERE else None for n in holding] == [area and area.code for area in found]


def test_more_pairs_than_are_looked_at_together_give_the_same() -> None:
    index = PolygonIndex([(f"{n:02}", square(100.0 + n / 100, 30.0)) for n in range(40)])
    points = np.random.default_rng(1).uniform((100.0, 30.0), (101.5, 31.0), (100_000, 2))
    assert 40 * len(points) > geometry._TOGETHER
    lowest = np.ceil(np.maximum(points[:, 0] - 101, 0) * 100)
    right = np.where(lowest < 40, lowest, NOWHERE)
    assert (index.holders(points) == right).mean() > 0.9999  # but for those within rounding of an edge


def test_a_point_far_off_costs_no_more_than_one_nearby() -> None:
    index = PolygonIndex([("a", square(100.0, 30.0, 1e-4)), ("b", square(-100.0, -30.0, 1e-4))])
    points = [(100.00005, 30.00005), (-100.00005, 0.0), (180.0, 90.0), (-180.0, -90.0)] * 300
    assert index.locate_many(points) == [Found("a", 0.0), None, None, None] * 300


def test_many_threads_ask_one_index() -> None:
    town = [(f"{n:03}", square(100 + n % 20, 30 + n // 20)) for n in range(400)]
    points = [(100 + n * 0.0123 % 20, 30 + n * 0.0456 % 20) for n in range(3000)]
    right = PolygonIndex(town).locate_many(points)
    index = PolygonIndex(town)
    wrong: list[int] = []

    def ask() -> None:
        if index.locate_many(points) != right:
            wrong.append(1)

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_one_point_is_found_within_a_tenth_of_a_millisecond() -> None:
    index = PolygonIndex([(f"{n:05}", square(100 + n % 100 / 100, 30 + n // 100 / 100, 0.01)) for n in range(5000)])

    def took() -> float:
        begun = time.perf_counter()
        index.locate(100.5055, 30.2055)
        return time.perf_counter() - begun

    assert min(took() for _ in range(200)) < 1e-4


def test_an_index_of_nothing_finds_nothing() -> None:
    empty = PolygonIndex([])
    assert empty.locate(100.0, 30.0, reach_m=50) is None
    assert empty.locate_many([(100.0, 30.0)] * 2000, reach_m=50) == [None] * 2000
    assert empty.locate_many([]) == PolygonIndex(AREAS).locate_many([]) == []


def test_several_parts_holes_and_features_are_understood() -> None:
    ring, hole = square(100.0, 30.0)["coordinates"][0], square(100.4, 30.4, 0.2)["coordinates"][0]
    parts = {"type": "MultiPolygon", "coordinates": [[ring, hole], square(105.0, 30.0)["coordinates"]]}
    index = PolygonIndex([("a", {"type": "Feature", "properties": {}, "geometry": parts})])
    assert area_of(index, 105.5, 30.5) == "a"
    assert area_of(index, 100.1, 30.1) == "a"
    assert area_of(index, 100.5, 30.5) is None


def test_a_ring_that_crosses_itself_is_mended() -> None:
    bow = {"type": "Polygon", "coordinates": [[[100, 30], [101, 31], [101, 30], [100, 31], [100, 30]]]}
    index = PolygonIndex([("bow", bow)])
    assert area_of(index, 100.1, 30.5) == "bow"
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
