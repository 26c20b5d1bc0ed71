"""Coordinates go to WGS-84 and back below a centimetre."""

from __future__ import annotations

from math import cos, hypot, nan, radians
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anlan.kernel.coordinates import NotAPlace, Point, System, from_wgs84, to_wgs84

SYSTEMS: tuple[System, ...] = get_args(System)
# The box of the published algorithm, less the kilometre in which a shift may cross its edge.
longitudes = st.floats(min_value=72.02, max_value=137.82)
latitudes = st.floats(min_value=0.85, max_value=55.81)


def metres(one: Point, two: Point) -> float:
    return 111_320 * hypot((one[0] - two[0]) * cos(radians(one[1])), one[1] - two[1])


@given(longitudes, latitudes, st.sampled_from(SYSTEMS))
@example(105.0, 35.0, "bd09")  # where the slope of the shift has no bound
@example(105.0 + 1e-12, 35.0, "gcj02")
@example(105.0 - 1e-9, 30.0, "gcj02")
def test_a_point_told_in_another_system_comes_back_below_a_centimetre(lon: float, lat: float, system: System) -> None:
    assert metres((lon, lat), to_wgs84(*from_wgs84(lon, lat, system), system)) < 0.01
    assert metres((lon, lat), from_wgs84(*to_wgs84(lon, lat, system), system)) < 0.01


@given(longitudes, latitudes)
def test_the_shift_is_some_hundred_metres_and_never_more_than_a_few_kilometres(lon: float, lat: float) -> None:
    assert 1 < metres((lon, lat), from_wgs84(lon, lat, "gcj02")) < 3000
    assert metres(from_wgs84(lon, lat, "gcj02"), from_wgs84(lon, lat, "bd09")) < 3000


@pytest.mark.parametrize(
    ("system", "given_as", "published"),
    [
        # The worked example of github.com/wandergis/coordtransform.
        ("gcj02", (116.404, 39.915), (116.41024449916938, 39.91640428150164)),
    ],
)
def test_published_pairs_from_wgs84(system: System, given_as: Point, published: Point) -> None:
    assert from_wgs84(*given_as, system) == pytest.approx(published, abs=1e-9)
    assert to_wgs84(*published, system) == pytest.approx(given_as, abs=1e-9)


def test_the_published_pair_from_gcj02_to_bd09() -> None:
    plain = to_wgs84(116.404, 39.915, "gcj02")
    assert from_wgs84(*plain, "bd09") == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


def test_the_published_inverses_are_met_within_their_own_error() -> None:
    """They shift once instead of iterating, which leaves them a metre or two off."""
    assert metres(to_wgs84(116.404, 39.915, "gcj02"), (116.39775550083061, 39.91359571849836)) < 2
    plain = to_wgs84(116.404, 39.915, "bd09")
    assert metres(from_wgs84(*plain, "gcj02"), (116.39762729119315, 39.90865673957631)) < 2


@pytest.mark.parametrize("point", [(-87.65, 41.85), (2.35, 48.85), (151.2, -33.9), (71.9, 30.0), (100.0, 56.0)])
def test_points_outside_the_box_are_not_shifted(point: Point) -> None:
    assert from_wgs84(*point, "gcj02") == point
    assert to_wgs84(*point, "gcj02") == point


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_wgs84_is_left_as_it_is(lon: float, lat: float) -> None:
    assert to_wgs84(lon, lat, "wgs84") == (lon, lat) == from_wgs84(lon, lat, "wgs84")


@pytest.mark.parametrize("point", [(181.0, 0.0), (0.0, 91.0), (nan, 0.0), (39.9, 116.4)])
def test_numbers_that_are_no_place_are_refused(point: Point) -> None:
    for system in SYSTEMS:
        with pytest.raises(NotAPlace, match="no place on Earth"):
            to_wgs84(*point, system)
        with pytest.raises(NotAPlace, match="不是地球上的位置"):
            from_wgs84(*point, system)
