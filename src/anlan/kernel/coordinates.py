"""Longitude and latitude in the systems that maps in China use; what is stored is always WGS-84.

GCJ-02 shifts a point by some hundred metres, BD-09 shifts GCJ-02 once more. Neither is officially published; the
formulas are the ones every open implementation agrees on (for one: github.com/googollee/eviltransform). They have no
closed inverse, so the inverse is iterated to well below a centimetre. Within one shift of the edge of the box in which
the algorithm shifts, far from any place it is used for, there is no inverse.
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, cos, hypot, pi, radians, sin, sqrt
from typing import Literal

from anlan.kernel.text import Refusal

System = Literal["wgs84", "gcj02", "bd09"]
Point = tuple[float, float]

_AXIS = 6378245.0  # Krasovsky 1940, metres
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BAIDU = pi * 3000 / 180
_CLOSE_ENOUGH = 1e-11  # degrees: about a thousandth of a millimetre
_MOST_ROUNDS = 30


class NotAPlace(Refusal):
    """The numbers are no longitude and latitude."""


def to_wgs84(lon: float, lat: float, system: System) -> Point:
    """WGS-84 (longitude, latitude) in degrees of a point given in `system`. Raises `NotAPlace`."""
    _check(lon, lat)
    if system == "gcj02":
        return _gcj02_to_wgs84((lon, lat))
    if system == "bd09":
        return _gcj02_to_wgs84(_bd09_to_gcj02((lon, lat)))
    return lon, lat


def from_wgs84(lon: float, lat: float, system: System) -> Point:
    """(longitude, latitude) in degrees in `system` of a WGS-84 point. Raises `NotAPlace`."""
    _check(lon, lat)
    if system == "gcj02":
        return _wgs84_to_gcj02((lon, lat))
    if system == "bd09":
        return _gcj02_to_bd09(_wgs84_to_gcj02((lon, lat)))
    return lon, lat


def _check(lon: float, lat: float) -> None:
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise NotAPlace(
            f"经度 {lon}、纬度 {lat} 不是地球上的位置；经度应在 -180 到 180 之间，纬度应在 -90 到 90 之间。",
            f"Longitude {lon}, latitude {lat} is no place on Earth: longitude is -180 to 180, latitude -90 to 90.",
            field="lat" if -180 <= lon <= 180 else "lon",
        )


def _unshifted(point: Point) -> bool:
    """Outside the box in which the published algorithm shifts."""
    lon, lat = point
    return not (72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271)


def _wgs84_to_gcj02(point: Point) -> Point:
    return point if _unshifted(point) else _shift(point)


def _gcj02_to_wgs84(point: Point) -> Point:
    return point if _unshifted(point) else _invert(_shift, point)


def _bd09_to_gcj02(point: Point) -> Point:
    return _invert(_gcj02_to_bd09, point)


def _invert(forward: Callable[[Point], Point], wanted: Point) -> Point:
    """The point that `forward` takes to `wanted`; each round leaves at most a fiftieth of the error."""
    lon, lat = wanted
    for _ in range(_MOST_ROUNDS):
        shifted_lon, shifted_lat = forward((lon, lat))
        off_lon, off_lat = shifted_lon - wanted[0], shifted_lat - wanted[1]
        lon, lat = lon - off_lon, lat - off_lat
        if abs(off_lon) < _CLOSE_ENOUGH and abs(off_lat) < _CLOSE_ENOUGH:
            break
    return lon, lat


def _shift(point: Point) -> Point:
    lon, lat = point
    x, y = lon - 105, lat - 35
    ripple = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + ripple
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y / 30 * pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + ripple
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    flattening = 1 - _ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2
    metres_north = _AXIS * (1 - _ECCENTRICITY_SQUARED) / flattening**1.5 * pi / 180
    metres_east = _AXIS / sqrt(flattening) * cos(radians(lat)) * pi / 180
    return lon + east / metres_east, lat + north / metres_north


def _gcj02_to_bd09(point: Point) -> Point:
    x, y = point
    radius = hypot(x, y) + 0.00002 * sin(y * _BAIDU)
    angle = atan2(y, x) + 0.000003 * cos(x * _BAIDU)
    return radius * cos(angle) + 0.0065, radius * sin(angle) + 0.006
