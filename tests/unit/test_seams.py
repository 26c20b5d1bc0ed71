"""Where areas drawn side by side overlap or leave holes, how large that is, and where."""

from __future__ import annotations

from math import cos, radians
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from anlan.kernel.geometry import METRES_A_DEGREE, BadBoundary
from anlan.kernel.seams import Seams, seams

METRE = 1 / METRES_A_DEGREE


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def square_metres(wide: float, high: float, lat: float) -> float:
    return wide * high * cos(radians(lat)) * METRES_A_DEGREE**2


PARENT = ("p", box(100.0, 30.0, 100.02, 30.01))
WEST, EAST = ("w", box(100.0, 30.0, 100.01, 30.01)), ("e", box(100.01, 30.0, 100.02, 30.01))


def test_areas_that_only_touch_have_nothing_to_mend() -> None:
    assert seams([WEST, EAST], inside=PARENT) == Seams((), ())
    assert seams([], inside=PARENT) == Seams((), ())


def test_an_overlap_is_told_with_both_codes_the_lower_first_its_size_and_a_point_in_it() -> None:
    wide = ("w", box(100.0, 30.0, 100.011, 30.01))
    [found] = seams([wide, EAST], inside=PARENT).overlaps
    assert (found.one, found.other) == ("e", "w")
    assert found.square_metres == pytest.approx(square_metres(0.001, 0.01, 30.005), rel=1e-6)
    assert 100.01 < found.lon < 100.011
    assert 30.0 < found.lat < 30.01


def test_a_hole_is_told_with_its_size_and_a_point_in_it() -> None:
    narrow = ("w", box(100.0, 30.0, 100.009, 30.01))
    [found] = seams([narrow, EAST], inside=PARENT).holes
    assert found.square_metres == pytest.approx(square_metres(0.001, 0.01, 30.005), rel=1e-6)
    assert 100.009 < found.lon < 100.01


def test_without_an_area_around_them_a_hole_is_what_they_enclose() -> None:
    ring = box(100.0, 30.0, 100.03, 30.03)["coordinates"][0]
    gap = box(100.01, 30.01, 100.02, 30.02)["coordinates"][0]
    around = ("o", {"type": "Polygon", "coordinates": [ring, gap]})
    filling = ("f", box(100.01, 30.01, 100.02, 30.015))
    [found] = seams([around, filling]).holes
    assert found.square_metres == pytest.approx(square_metres(0.01, 0.005, 30.0175), rel=1e-6)
    assert seams([WEST]).holes == ()


def test_what_is_smaller_than_a_square_metre_is_left_out() -> None:
    def shifted(metres: float) -> Seams:
        return seams([("w", box(100.0, 30.0, 100.01 + metres * METRE, 30.01)), EAST])

    assert shifted(0.0001).overlaps == ()
    assert len(shifted(1).overlaps) == 1
    assert seams([("w", box(100, 30, 100.011, 30.01)), EAST], least_m2=1e9).overlaps == ()


def test_the_largest_comes_first() -> None:
    some = [
        ("a", box(100, 30, 100.004, 30.01)),
        ("b", box(100.003, 30, 100.008, 30.01)),
        ("c", box(100.006, 30, 100.01, 30.01)),
    ]
    found = seams(some, inside=("p", box(99.999, 30, 100.015, 30.01)))
    assert [(each.one, each.other) for each in found.overlaps] == [("b", "c"), ("a", "b")]
    assert [round(hole.lon, 1) for hole in found.holes] == [100.0, 100.0]
    assert found.holes[0].square_metres > 4 * found.holes[1].square_metres


def test_a_boundary_that_is_none_is_refused() -> None:
    with pytest.raises(BadBoundary, match="w"):
        seams([("w", {"type": "Point", "coordinates": [100, 30]})])


boxes = st.tuples(*[st.integers(0, 20)] * 4).filter(lambda at: at[0] != at[2] and at[1] != at[3])
grids = st.lists(
    boxes.map(lambda at: box(*(base + n / 2000 for base, n in zip((100, 30) * 2, (
        min(at[0], at[2]), min(at[1], at[3]), max(at[0], at[2]), max(at[1], at[3])), strict=True)))),
    min_size=1, max_size=6,
).map(lambda all_: [(f"{n}", each) for n, each in enumerate(all_)])  # fmt: skip


@given(grids, st.randoms(use_true_random=False))
def test_every_pair_and_every_bare_place_is_found_whatever_the_order(areas: list[tuple[str, Any]], dice: Any) -> None:
    parent = ("p", box(100.0, 30.0, 100.01, 30.01))
    found = seams(areas, inside=parent)
    assert seams(dice.sample(areas, len(areas)), inside=parent) == found
    drawn = {code: shapely.geometry.shape(each) for code, each in areas}
    pairs = {(a, b) for a in drawn for b in drawn if a < b and drawn[a].intersection(drawn[b]).area > 1e-12}
    assert {(each.one, each.other) for each in found.overlaps} == pairs
    for overlap in found.overlaps:
        there = shapely.Point(overlap.lon, overlap.lat)
        assert drawn[overlap.one].intersects(there)
        assert drawn[overlap.other].intersects(there)
    together = shapely.union_all(list(drawn.values()))
    assert not any(together.intersects(shapely.Point(hole.lon, hole.lat)) for hole in found.holes)
    whole = square_metres(0.01, 0.01, 30.005)
    covered = together.area * cos(radians(30.005)) * METRES_A_DEGREE**2
    assert sum(hole.square_metres for hole in found.holes) == pytest.approx(whole - covered, abs=whole * 1e-3)
