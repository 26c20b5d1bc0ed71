"""Which area a point lies in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry import shape

from anlan.kernel.text import Refusal

METRES_A_DEGREE: Final = 111_320.0
NOWHERE: Final = -1

# Below so many points a tree of the polygons is asked; above, sorting the points first costs less than it saves.
_FEW = 1000
# A polygon's box is cut into about so many strips, and each strip's points are found as one run of the sorted points.
_STRIPS = 4
# So many pairs of a point and a polygon are looked at together: some tens of megabytes.
_TOGETHER = 2_000_000
_ORIGIN = shapely.Point(0, 0)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Points = Sequence[tuple[float, float]] | Floats


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


class Found(NamedTuple):
    """An area and how many metres, to the millimetre, a point lies outside of it; 0 when it holds the point."""

    code: str
    metres: float


class PolygonIndex:
    """Finds the area of a point, by one rule, whatever the order of areas and points.

    Of the areas that hold the point the lowest code has it; on an edge a point is held by all that touch there. Where
    none holds it, and a distance is given, the nearest within that distance: distances are compared in whole
    millimetres, and of two as near the lowest code has it. Else it is nowhere.
    """

    def __init__(self, areas: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        ordered = sorted(areas, key=lambda area: area[0])
        self.codes = [code for code, _ in ordered]
        self._polygons = np.array([boundary(code, geojson) for code, geojson in ordered], dtype=object)
        self._held: list[Found | None] = [*(Found(code, 0.0) for code in self.codes), None]  # the last is NOWHERE's
        self._boxes: Floats = shapely.bounds(self._polygons).reshape(-1, 4)
        self._tree = shapely.STRtree(self._polygons)
        # GEOS completes a prepared polygon when it is first asked of it, and does not guard that against other threads.
        shapely.prepare(self._polygons)
        self._asking = Lock()

    def locate(self, lon: float, lat: float, *, reach_m: float = 0.0) -> Found | None:
        """The area of a WGS-84 point: the one that holds it, else the nearest within `reach_m` metres, else None."""
        near = self._tree.query(shapely.Point(lon, lat))
        with self._asking:
            holding = near[shapely.intersects_xy(self._polygons[near], lon, lat)]
        if len(holding):
            return self._held[int(holding.min())]
        return next(iter(self.near([(lon, lat)], reach_m=reach_m)[0]), None) if reach_m > 0 else None

    def locate_many(self, points: Points, *, reach_m: float = 0.0) -> list[Found | None]:
        """`locate` for many points (longitude, latitude) at once, in their order."""
        places = _places(points)
        holding = self.holders(places)
        found = [self._held[area] for area in holding.tolist()]
        if reach_m > 0:
            outside = np.flatnonzero(holding == NOWHERE)
            for point, near in zip(outside.tolist(), self.near(places[outside], reach_m=reach_m), strict=True):
                found[point] = near[0] if near else None
        return found

    def holders(self, points: Points) -> Ints:
        """For each point the place in `codes` of the area that holds it, or `NOWHERE`."""
        places = _places(points)
        none = len(self.codes)
        lowest = np.full(len(places), none, dtype=np.int64)
        for which, areas in self._candidates(places):
            with self._asking:
                inside = shapely.intersects_xy(self._polygons[areas], places[which, 0], places[which, 1])
            np.minimum.at(lowest, which[inside], areas[inside])
        lowest[lowest == none] = NOWHERE
        return lowest

    def near(self, points: Points, *, reach_m: float) -> list[list[Found]]:
        """For each point all areas within `reach_m` metres, the nearest first."""
        places = _places(points)
        # Around the point a degree of longitude is this much shorter than one of latitude.
        squeeze = np.maximum(np.cos(np.radians(places[:, 1])), 1e-6)
        high = reach_m / METRES_A_DEGREE
        west, south, wide = places[:, 0], places[:, 1], high / squeeze
        which, areas = self._tree.query(shapely.box(west - wide, south - high, west + wide, south + high))
        found: list[list[Found]] = [[] for _ in places]
        for first in range(0, len(which), _FEW):
            some, drawn = which[first : first + _FEW], areas[first : first + _FEW]
            metres = self._metres(places[some], squeeze[some], drawn)
            for point, area, far in zip(some.tolist(), drawn.tolist(), metres.tolist(), strict=True):
                if far <= reach_m:
                    found[point].append(Found(self.codes[area], far))
        return [sorted(each, key=lambda one: (one.metres, one.code)) for each in found]

    def _metres(self, places: Floats, squeeze: Floats, areas: Ints) -> Floats:
        """How far each place lies from its area, in metres to the millimetre, the area flattened around it."""
        drawn = self._polygons[areas]
        corners, pair = shapely.get_coordinates(drawn, return_index=True)
        scale = np.stack([squeeze, np.ones_like(squeeze)], axis=1) * METRES_A_DEGREE
        flat = shapely.set_coordinates(drawn, (corners - places[pair]) * scale[pair])
        metres: Floats = np.round(shapely.distance(flat, _ORIGIN), 3)
        return metres

    def _candidates(self, places: Floats) -> Iterator[tuple[Ints, Ints]]:
        """Pairs (point, polygon) of which the polygon's box holds the point; all there are, in several lots."""
        if len(places) < _FEW or not self.codes:
            if len(places) and self.codes:
                yield self._tree.query(shapely.points(places))
            return
        order, runs = _runs(places, self._boxes)
        for area, start, count in runs:
            which = order[_expand(start, count)]
            areas = np.repeat(area, count)
            x, y, box = places[which, 0], places[which, 1], self._boxes[areas]
            within = (x >= box[:, 0]) & (x <= box[:, 2]) & (y >= box[:, 1]) & (y <= box[:, 3])
            yield which[within], areas[within]


def _places(points: Points) -> Floats:
    return np.asarray(points, dtype=np.float64).reshape(-1, 2)


def _runs(places: Floats, boxes: Floats) -> tuple[Ints, Iterator[tuple[Ints, Ints, Ints]]]:
    """An order of the points in which every box is a few runs of points and little else; then, in lots, these runs:
    the box, where the run begins in that order, and how many points it has.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    west_south, east_north = low.min(axis=0), high.max(axis=0)
    # The mean bounds the number of runs; a cell is never so small that its number would not fit.
    size = np.maximum((high - low).mean(axis=0) / _STRIPS, (east_north - west_south) / 2**30)

    def cells(at: Floats) -> Ints:
        numbers: Ints = ((at - west_south) / size).astype(np.int64)
        return numbers

    near = np.flatnonzero(np.all((places >= west_south) & (places <= east_north), axis=1))
    (left, bottom), (right, top) = cells(low).T, cells(high).T
    columns = int(right.max()) + 1
    column, line = cells(places[near]).T
    key = line * columns + column
    sorting = np.argsort(key)
    key = key[sorting]
    strips = top - bottom + 1
    area = np.repeat(np.arange(len(boxes)), strips)
    row = _expand(bottom, strips) * columns
    start = np.searchsorted(key, row + left[area])
    count = np.searchsorted(key, row + right[area], side="right") - start
    return near[sorting], _lots(area, start, count)


def _lots(area: Ints, start: Ints, count: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
    lot = np.cumsum(count) // _TOGETHER
    for cut in np.split(np.arange(len(area)), np.flatnonzero(np.diff(lot)) + 1):
        yield area[cut], start[cut], count[cut]


def _expand(start: Ints, count: Ints) -> Ints:
    """The numbers from each start on, as many as are counted: starts 5, 9 and counts 2, 3 give 5, 6, 9, 10, 11."""
    begun = np.cumsum(count) - count
    numbers: Ints = np.arange(int(count.sum())) + np.repeat(start - begun, count)
    return numbers


def _areas_of(geometry: Any) -> Any:
    """What mending left of a polygon, without the lines and points it may add."""
    parts = [part for part in shapely.get_parts(geometry).tolist() if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(parts)
