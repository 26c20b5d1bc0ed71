"""Maps drawn on the server: areas, labels, points and a scale, good without a base map and on paper. Pure.

Longitude and latitude (WGS-84) are laid flat around the middle of what is shown: at a county's size the error is
far below the width of a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

METRES_PER_DEGREE = 111_320.0
WIDTH = 720.0
TALLEST = 620.0
MARGIN = 16.0
FONT = 13.0
SMALL_SCREEN_FONT = 26.0
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """An area to draw: its GeoJSON boundary, its words, where it leads, its css classes, and what it is known by."""

    label: str
    boundary: Mapping[str, Any] | None
    url: str = ""
    css: str = ""
    title: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """A place to mark; `css` is a light's key."""

    lon: float
    lat: float
    title: str
    url: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    shape: Shape
    path: str
    x: float
    y: float
    labelled: bool
    labelled_small: bool


@dataclass(frozen=True, slots=True)
class Dot:
    point: Point
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale bar: its length on the map and what it stands for."""

    length: float
    words: str


@dataclass(frozen=True, slots=True)
class Map:
    """What `parts/map.html` draws; `west`, `north`, `per_lon` and `per_lat` lead from a place on it back to degrees."""

    width: float
    height: float
    areas: list[Drawn]
    dots: list[Dot]
    scale: Scale
    bar_y: float
    ring: list[Drawn] = field(default_factory=list)
    west: float = 0.0
    north: float = 0.0
    per_lon: float = 1.0
    per_lat: float = 1.0


@dataclass(frozen=True, slots=True)
class _Flat:
    """Degrees to the map's own units, north up."""

    west: float
    north: float
    per_lon: float
    per_lat: float

    def __call__(self, lon: float, lat: float) -> Place:
        return MARGIN + (lon - self.west) * self.per_lon, MARGIN + (self.north - lat) * self.per_lat


def draw(shapes: Sequence[Shape], points: Sequence[Point] = (), *, around: Sequence[Shape] = ()) -> Map | None:
    """A map of `shapes` and `points`, with the shapes `around` as ground; None when nothing has a place."""
    shapes = [shape for shape in shapes if shape.boundary]
    around = [shape for shape in around if shape.boundary]
    box = _box(shapes, points, around)
    if box is None:
        return None
    west, south, east, north = box
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, tall = (east - west) * squeeze, north - south
    zoom = min((WIDTH - 2 * MARGIN) / wide, (TALLEST - 2 * MARGIN) / tall)
    width, height = wide * zoom + 2 * MARGIN, tall * zoom + 2 * MARGIN + 26
    flat = _Flat(west, north, zoom * squeeze, zoom)
    return Map(
        round(width, 1),
        round(height, 1),
        _areas(shapes, flat),
        [Dot(point, *(round(v, 1) for v in flat(point.lon, point.lat))) for point in points],
        _scale(zoom / METRES_PER_DEGREE, width),
        round(height - 12, 1),
        _areas(around, flat, labelled=False),
        flat.west,
        flat.north,
        flat.per_lon,
        flat.per_lat,
    )


def rings(boundary: Mapping[str, Any]) -> Iterator[Sequence[Sequence[float]]]:
    """Every ring of a Polygon or MultiPolygon."""
    polygons = boundary["coordinates"] if boundary["type"] == "MultiPolygon" else [boundary["coordinates"]]
    for polygon in polygons:
        yield from polygon


def _box(
    shapes: Iterable[Shape], points: Iterable[Point], around: Iterable[Shape]
) -> tuple[float, float, float, float] | None:
    places = [(p[0], p[1]) for s in (*shapes, *around) if s.boundary for ring in rings(s.boundary) for p in ring]
    places += [(point.lon, point.lat) for point in points]
    if not places:
        return None
    west, east = min(lon for lon, _ in places), max(lon for lon, _ in places)
    south, north = min(lat for _, lat in places), max(lat for _, lat in places)
    # A lone point still gets half a kilometre around it.
    room = max(0.0, 0.005 - (east - west)), max(0.0, 0.005 - (north - south))
    return west - room[0] / 2, south - room[1] / 2, east + room[0] / 2, north + room[1] / 2


def _areas(shapes: Sequence[Shape], flat: _Flat, *, labelled: bool = True) -> list[Drawn]:
    drawn: list[Drawn] = []
    wide, small = _Labels(FONT), _Labels(SMALL_SCREEN_FONT)
    for shape in sorted(shapes, key=lambda each: -_size(each)):
        flats = [[flat(place[0], place[1]) for place in ring] for ring in rings(shape.boundary or {})]
        x, y = _middle(max(flats, key=len))
        path = "".join(map(_line, flats))
        free = labelled and wide.fits(shape.label, x, y), labelled and small.fits(shape.label, x, y)
        drawn.append(Drawn(shape, path, round(x, 1), round(y, 1), *free))
    return drawn


class _Labels:
    """The labels written so far in one size; one that would lie on another is left out (the area keeps its title)."""

    def __init__(self, font: float) -> None:
        self.font = font
        self.taken: list[tuple[float, float, float]] = []

    def fits(self, label: str, x: float, y: float) -> bool:
        half = sum(self.font if ord(letter) > 0x2E80 else self.font * 0.56 for letter in label) / 2
        if any(abs(y - ty) < self.font * 1.2 and abs(x - tx) < half + th for tx, ty, th in self.taken):
            return False
        self.taken.append((x, y, half))
        return True


def _size(shape: Shape) -> float:
    places = [place for ring in rings(shape.boundary or {}) for place in ring]
    lons, lats = [p[0] for p in places], [p[1] for p in places]
    return (max(lons) - min(lons)) * (max(lats) - min(lats))


def _line(ring: Sequence[Place]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z"


def _middle(ring: Sequence[Place]) -> Place:
    """The centre of a ring's surface (of its corners, when it has none)."""
    surface = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = x1 * y2 - x2 * y1
        surface, x, y = surface + cross, x + (x1 + x2) * cross, y + (y1 + y2) * cross
    if abs(surface) < 1e-9:
        return sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)
    return x / (3 * surface), y / (3 * surface)


def _scale(per_metre: float, width: float) -> Scale:
    """The roundest length that is at most a quarter of the map."""
    longest = width / 4 / per_metre
    power = 10.0 ** math.floor(math.log10(longest))
    metres = next(step * power for step in (5, 2, 1) if step * power <= longest)
    words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    return Scale(round(metres * per_metre, 1), words)
