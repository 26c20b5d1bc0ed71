"""Maps drawn on the server."""

from __future__ import annotations

from typing import Any

import pytest

from anlan.presentation.web.mapping import MARGIN, TALLEST, WIDTH, Map, Point, Shape, draw


def square(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = west + side, south + side
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def drawn(*shapes: Shape, points: tuple[Point, ...] = ()) -> Map:
    found = draw(shapes, points)
    assert found is not None
    return found


def test_nothing_to_draw_is_no_map() -> None:
    assert draw([]) is None
    assert draw([Shape("无界", None)]) is None


def test_north_is_up_and_east_is_right() -> None:
    found = drawn(Shape("南", square(120, 28, 0.1)), Shape("北", square(120.2, 28.2, 0.1)))
    south, north = found.areas[0], found.areas[1]
    if south.shape.label != "南":
        south, north = north, south
    assert north.y < south.y
    assert north.x > south.x


def test_the_map_fits_its_frame() -> None:
    for shape in (square(120, 28, 0.001), square(120, 28, 5), square(0, 60, 1)):
        found = drawn(Shape("方", shape))
        assert found.width <= WIDTH + 0.1
        assert found.height <= TALLEST + 2 * MARGIN
        assert 0 < found.scale.length <= found.width / 4 + 1


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    found = drawn(Shape("方", square(120, 0, 0.1)))
    per_metre = (found.width - 2 * MARGIN) / (0.1 * 111_320)
    metres = float(found.scale.words.split()[0]) * (1000 if "km" in found.scale.words else 1)
    assert found.scale.length == pytest.approx(metres * per_metre, rel=0.01)


def test_labels_never_lie_on_one_another() -> None:
    crowd = [Shape(f"很长的网格名称{n}", square(120 + n * 0.001, 28, 0.0005)) for n in range(30)]
    kept = [area for area in drawn(*crowd).areas if area.labelled]
    assert 0 < len(kept) < 30
    assert len([area for area in drawn(*crowd).areas if area.labelled_small]) <= len(kept)


def test_a_lone_point_is_drawn_with_room_around_it() -> None:
    found = drawn(points=(Point(120.0, 28.0, "这里"),))
    dot = found.dots[0]
    assert 0 < dot.x < found.width
    assert 0 < dot.y < found.height


def test_several_polygons_are_one_area() -> None:
    parts = [square(120, 28, 0.1)["coordinates"], square(121, 28, 0.1)["coordinates"]]
    found = drawn(Shape("飞地", {"type": "MultiPolygon", "coordinates": parts}))
    assert found.areas[0].path.count("M") == 2
