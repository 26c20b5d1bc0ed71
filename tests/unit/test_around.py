"""Which area of the whole tree a point belongs to: what holds it, or the nearest below that."""

from __future__ import annotations

from math import cos, hypot, radians
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anlan.intake.location import Around, Tree
from anlan.kernel.geometry import PolygonIndex

DEGREE = 111_320.0
LATTICE = 5e-5
PATHS = ["r/", "r/a/", "r/b/", "r/a/c/", "r/a/d/", "r/b/e/", "r/b/f/", "s/", "s/g/", "s/g/h/"]
Box = tuple[int, int, int, int]


def at(west: int, south: int) -> tuple[float, float]:
    return 100 + west * LATTICE, 30 + south * LATTICE


def geojson(box: Box) -> dict[str, Any]:
    (west, south), (east, north) = at(*box[:2]), at(*box[2:])
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def code(path: str) -> str:
    return path.rstrip("/")[-1]


def tree(drawn: dict[str, Box]) -> Tree:
    depths: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for path, box in drawn.items():
        depths.setdefault(path.count("/"), []).append((code(path), geojson(box)))
    indexes = [PolygonIndex(depths[depth]) for depth in sorted(depths, reverse=True)]
    return Tree({path: n for n, path in enumerate(PATHS)}, {code(path): path for path in PATHS}, indexes)


def metres(point: tuple[int, int], box: Box) -> float:
    lon, lat = at(*point)
    (west, south), (east, north) = at(*box[:2]), at(*box[2:])
    wide, high = max(west - lon, 0, lon - east), max(south - lat, 0, lat - north)
    return round(hypot(wide * cos(radians(lat)), high) * DEGREE, 3)


def naive(drawn: dict[str, Box], point: tuple[int, int], nearest_m: float, below: str) -> Around | None:
    """The rule of docs/decisions/0011, one area after the other."""
    holding = sorted((-path.count("/"), code(path), path) for path, box in drawn.items() if metres(point, box) == 0)
    held = Around(holding[0][2], 0.0) if holding else None
    above, depth = (held.path, held.path.count("/")) if held else (below, 0)
    near = sorted(
        (-path.count("/"), metres(point, box), code(path), path) for path, box in drawn.items()
        if path.count("/") > depth and path.startswith(above) and metres(point, box) <= nearest_m
    )  # fmt: skip
    return Around(near[0][3], near[0][1]) if near and nearest_m else held


boxes = st.tuples(*[st.integers(0, 30)] * 4).map(
    lambda told: (min(told[0], told[2]), min(told[1], told[3]), max(told[0], told[2]) + 1, max(told[1], told[3]) + 1)
)
trees = st.dictionaries(st.sampled_from(PATHS), boxes)
points = st.lists(st.tuples(st.integers(-12, 42), st.integers(-12, 42)), max_size=12)


@given(trees, points, st.sampled_from([0, 12.1, 50]), st.sampled_from(["", "r/", "r/b/"]))
def test_the_answer_is_that_of_the_written_rule(
    drawn: dict[str, Box], places: list[tuple[int, int]], nearest_m: float, below: str
) -> None:
    found = tree(drawn).around([at(*place) for place in places], nearest_m=nearest_m, below=below)
    assert found == [naive(drawn, place, nearest_m, below) for place in places]


def test_a_grid_of_another_village_is_not_near_enough_to_take_a_point_that_a_village_holds() -> None:
    drawn: dict[str, Box] = {"r/a/": (0, 0, 10, 10), "r/b/": (10, 0, 20, 10), "r/a/c/": (0, 0, 10, 10)}
    assert tree(drawn).around([at(11, 5)], nearest_m=50) == [Around("r/b/", 0.0)]
    drawn["r/b/e/"] = (12, 0, 20, 10)
    assert tree(drawn).around([at(11, 5)], nearest_m=50) == [Around("r/b/e/", metres((11, 5), drawn["r/b/e/"]))]


def test_nothing_is_found_where_nothing_is_drawn() -> None:
    assert tree({}).around([at(1, 1)], nearest_m=50) == [None]
    assert tree({"r/": (0, 0, 9, 9)}).around([], nearest_m=50) == []
