"""Which area a point lies in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import cos, radians
from typing import Any

import numpy as np
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape

from anlan.kernel.text import Refusal

_METRES_A_DEGREE = 111_320.0


class BadBoundary(Refusal):
    """A boundary that is no polygon on Earth."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{code} 的边界：{zh}", f"The boundary of {code}: {en}", field="boundary")


def boundary(code: str, geojson: Mapping[str, Any]) -> Any:
    """The shapely polygon of a GeoJSON geometry or feature, WGS-84. Rings that cross themselves are mended.

    Raises `BadBoundary`.
    """
    geometry = geojson.get("geometry") if geojson.get("type") == "Feature" else geojson
    if not isinstance(geometry, Mapping) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        raise BadBoundary(code, "应是 GeoJSON 的 Polygon 或 MultiPolygon。", "not a GeoJSON Polygon or MultiPolygon.")
    try:
        read = shape(geometry)
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise BadBoundary(code, f"坐标无法读取（{error}）。", f"its coordinates cannot be read ({error}).") from error
    west, south, east, north = read.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadBoundary(
            code,
            "坐标为空，或不是以度为单位的经纬度。",
            "coordinates are empty or not degrees of longitude, latitude.",
        )
    mended = read if read.is_valid else _areas_of(shapely.make_valid(read))
    if mended.area == 0:
        raise BadBoundary(code, "没有围出面积。", "encloses no area.")
    return mended


class PolygonIndex:
    """Finds the area of a point. Where areas overlap the lowest code wins: the answer never depends on their order."""

    def __init__(self, areas: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        ordered = sorted(areas, key=lambda area: area[0])
        self.codes = [code for code, _ in ordered]
        self._polygons = [boundary(code, geojson) for code, geojson in ordered]
        shapely.prepare(self._polygons)
        self._tree = shapely.STRtree(self._polygons)

    def locate(self, lon: float, lat: float, *, reach_m: float = 50.0) -> str | None:
        """The code of the area that holds a WGS-84 point, else of the nearest within `reach_m` metres, else None."""
        inside = self._tree.query(shapely.Point(lon, lat), predicate="intersects")
        if len(inside):
            return self.codes[int(inside.min())]
        return self._nearest(lon, lat, reach_m)

    def locate_many(self, points: Sequence[tuple[float, float]], *, reach_m: float = 50.0) -> list[str | None]:
        """`locate` for many points at once, in their order."""
        if not points:
            return []
        which, areas = self._tree.query(shapely.points(np.asarray(points, dtype=float)), predicate="intersects")
        lowest = np.full(len(points), len(self.codes))
        np.minimum.at(lowest, which, areas)
        return [
            self.codes[area] if area < len(self.codes) else self._nearest(*point, reach_m)
            for area, point in zip(lowest.tolist(), points, strict=True)
        ]

    def _nearest(self, lon: float, lat: float, reach_m: float) -> str | None:
        # Around the point a degree of longitude is this much shorter than one of latitude.
        squeeze = max(cos(radians(lat)), 1e-6)
        high = reach_m / _METRES_A_DEGREE
        wide = high / squeeze
        near = sorted(self._tree.query(shapely.box(lon - wide, lat - high, lon + wide, lat + high)).tolist())
        found = [(self._metres(lon, lat, squeeze, area), area) for area in near]
        distance, area = min(found, default=(reach_m + 1, -1))
        return self.codes[area] if distance <= reach_m else None

    def _metres(self, lon: float, lat: float, squeeze: float, area: int) -> float:
        scale = np.array([squeeze, 1.0]) * _METRES_A_DEGREE
        flat = shapely.transform(self._polygons[area], lambda places: (places - (lon, lat)) * scale)
        return float(shapely.distance(flat, shapely.Point(0, 0)))


def _areas_of(geometry: Any) -> Any:
    """What mending left of a polygon, without the lines and points it may add."""
    parts = [part for part in shapely.get_parts(geometry).tolist() if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(parts)
