"""Where areas drawn side by side do not fit: they overlap, or leave a hole between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import shapely

from anlan.kernel.geometry import METRES_A_DEGREE, boundary

LEAST_M2: Final = 1.0
"""Smaller pieces than a square metre are how numbers are rounded, not how somebody drew."""


class Overlap(NamedTuple):
    """Two areas that both hold some ground; the lower code first. The point lies in it, in WGS-84 degrees."""

    one: str
    other: str
    square_metres: float
    lon: float
    lat: float


class Hole(NamedTuple):
    """Ground that none of the areas holds, with a point in it."""

    square_metres: float
    lon: float
    lat: float


class Seams(NamedTuple):
    """What does not fit, the largest first."""

    overlaps: tuple[Overlap, ...]
    holes: tuple[Hole, ...]


def seams(
    areas: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    inside: tuple[str, Mapping[str, Any]] | None = None,
    least_m2: float = LEAST_M2,
) -> Seams:
    """How areas (code, GeoJSON), none above another, fit together, whatever their order.

    With `inside`, the area around them, a hole is what it holds and none of them does; without it, what they enclose.
    Pieces under `least_m2` are left out. Square metres are true to about one per cent. Raises `BadBoundary`.
    """
    ordered = sorted(areas, key=lambda area: area[0])
    codes = [code for code, _ in ordered]
    drawn = np.array([boundary(code, geojson) for code, geojson in ordered], dtype=object)
    if not codes:
        return Seams((), ())
    overlaps = [each for each in _overlaps(codes, drawn) if each.square_metres >= least_m2]
    together = shapely.union_all(drawn)
    left = shapely.difference(boundary(*inside), together) if inside else _enclosed(together)
    holes = [Hole(*piece) for piece in _pieces(left)]
    return Seams(
        tuple(sorted(overlaps, key=lambda each: (-each.square_metres, each.one, each.other))),
        tuple(sorted((hole for hole in holes if hole.square_metres >= least_m2), key=lambda hole: (-hole[0], hole))),
    )


def _overlaps(codes: list[str], drawn: Any) -> Iterator[Overlap]:
    ones, others = shapely.STRtree(drawn).query(drawn, predicate="intersects")
    lower = ones < others
    for one, other in zip(ones[lower].tolist(), others[lower].tolist(), strict=True):
        pieces = _pieces(shapely.intersection(drawn[one], drawn[other]))
        if pieces:
            _, lon, lat = max(pieces)
            yield Overlap(codes[one], codes[other], sum(piece[0] for piece in pieces), lon, lat)


def _enclosed(geometry: Any) -> Any:
    """The holes in a polygon or in several."""
    rings = [ring for part in shapely.get_parts(geometry).tolist() for ring in part.interiors]
    return shapely.union_all([shapely.Polygon(ring) for ring in rings])


def _pieces(geometry: Any) -> list[tuple[float, float, float]]:
    """Of each piece of ground the square metres and a point in it; lines and points, where areas touch, are none."""
    return [_piece(part) for part in shapely.get_parts(geometry).tolist() if part.area > 0]


def _piece(polygon: Any) -> tuple[float, float, float]:
    """Square metres, longitude and latitude: degrees of longitude are as wide as they are in the piece's middle."""
    point = shapely.point_on_surface(polygon)
    squeeze = np.cos(np.radians(shapely.centroid(polygon).y))
    return float(polygon.area * squeeze * METRES_A_DEGREE**2), float(point.x), float(point.y)
