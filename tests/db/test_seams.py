"""The published list of holes and overlaps: by the command, the API, and on the area's page for who may draw."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from typer.testing import CliRunner, Result

from anlan.kernel.text import Text
from anlan.places import areas, seams
from anlan.places.models import Area, Officer
from anlan.presentation.commands.main import app
from calling import Caller
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def redrawn(area: Area, west: float, south: float, east: float, north: float) -> None:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    areas.change(area, boundary={"type": "Polygon", "coordinates": [ring]}, by=None, at=timezone.now())


def fit(area: Area) -> seams.Fit:
    return seams.fit(Area.objects.get(pk=area.pk), timezone.localdate())


def anlan(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def page(officer: Officer, area: Area, **query: Any) -> str:
    client = Client()
    client.force_login(officer)
    return client.get(reverse("area", args=[area.code]), query).content.decode()


def test_what_is_drawn_well_fits(town: World) -> None:
    for area in (town.county, town.east, town.village, town.grid):
        assert fit(area) == seams.Fit((), (), ())
    assert fit(town.county).ok


def test_what_does_not_fit_is_found_and_found_again_once_drawn_anew(town: World) -> None:
    redrawn(town.next_grid, 122.04, 27.0, 122.1, 27.04)
    found = fit(town.village)
    [shared] = found.overlaps
    assert (shared.one, shared.other) == (town.grid.code, town.next_grid.code)
    assert shared.square_metres == pytest.approx(0.01 * 0.04 * 111_320**2 * 0.8912, rel=1e-2)
    [hole] = found.holes
    assert 122.05 < hole.lon < 122.1
    assert 27.04 < hole.lat < 27.05
    redrawn(town.next_grid, 122.05, 27.0, 122.1, 27.05)
    assert fit(town.village).ok


def test_a_child_without_a_boundary_is_named(town: World) -> None:
    Area.objects.filter(pk=town.next_grid.pk).update(boundary=None)
    found = fit(town.village)
    assert found.undrawn == (town.next_grid.code,)
    assert len(found.holes) == 1
    Area.objects.filter(pk=town.grid.pk).update(boundary=None)
    assert fit(town.village) == seams.Fit((), (), ())


def test_the_command_lists_everything_and_says_by_its_exit_code_whether_all_fits(town: World) -> None:
    well = anlan("areas", "check", town.county.code)
    assert (well.exit_code, well.output) == (0, "边界全部吻合。 / All boundaries fit.\n")
    redrawn(town.next_grid, 122.04, 27.0, 122.1, 27.04)
    Area.objects.filter(code="330101001002001").update(boundary=None)
    found = anlan("areas", "check")
    assert found.exit_code == 1
    assert "330101001001  东一村 · East One" in found.output
    assert f"重叠 overlap  {town.grid.code} + {town.next_grid.code}" in found.output
    assert "空隙 hole" in found.output
    assert "In 1 areas" in found.output  # no child of 东二村 is drawn, so there is nothing to fit
    assert anlan("areas", "check", "330101002").exit_code == 0
    assert anlan("areas", "check", "nowhere").exit_code == 2
    assert anlan("areas", "check", town.village.code, "--day", "2025-06-01").exit_code == 1


def test_the_page_shows_it_to_whoever_may_draw_and_to_nobody_else(town: World) -> None:
    assert "没有重叠，也没有空隙" in page(town.administrator, town.village)
    redrawn(town.next_grid, 122.04, 27.0, 122.1, 27.04)
    words = page(town.administrator, town.village)
    assert "边界的重叠和空隙" in words
    assert "平方米" in words
    assert reverse("area", args=[town.next_grid.code]) in words
    assert "重叠和空隙" not in page(town.dispatcher, town.village)
    assert "重叠和空隙" not in page(town.administrator, town.grid)
    assert "重叠和空隙" not in page(town.administrator, town.village, day="2025-06-01")


def test_the_page_speaks_english_too(town: World) -> None:
    redrawn(town.next_grid, 122.04, 27.0, 122.1, 27.04)
    client = Client()
    client.force_login(town.administrator)
    client.post(reverse("language"), {"lang": "en"})
    words = client.get(reverse("area", args=[town.village.code])).content.decode()
    assert "Overlaps and holes of the boundaries" in words
    assert "m²" in words


def test_the_page_asks_as_little_for_eleven_seams_as_for_one(town: World) -> None:
    client = Client()
    client.force_login(town.administrator)

    def asked() -> int:
        client.get(reverse("area", args=[town.village.code]))  # what the register keeps is read the first time
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(reverse("area", args=[town.village.code]))
        return len(queries)

    redrawn(town.next_grid, 122.04, 27.0, 122.1, 27.05)
    one = asked()
    for number in range(10):
        ring = [[122.0, 27.0], [122.001, 27.0], [122.001, 27.001], [122.0, 27.001], [122.0, 27.0]]
        areas.create(
            f"3301010010019{number:02}",
            level="grid",
            name=Text(zh=f"新网格{number}", en=f"New {number}"),
            parent=town.village,
            valid_from=timezone.localdate(),
            boundary={"type": "Polygon", "coordinates": [ring]},
            by=None,
            at=timezone.now(),
        )
    assert asked() == one <= 12
    assert len(fit(town.village).overlaps) > 11


def test_the_api_tells_it_to_whoever_may_draw(town: World) -> None:
    redrawn(town.next_grid, 122.04, 27.0, 122.1, 27.04)
    found = Caller(town.administrator).get(f"/areas/{town.village.code}/seams").json
    assert [(each["one"], each["other"]) for each in found["overlaps"]] == [(town.grid.code, town.next_grid.code)]
    assert found["overlaps"][0]["square_metres"] > 1_000_000
    assert len(found["holes"]) == 1
    assert found["undrawn"] == []
    assert Caller(town.dispatcher).get(f"/areas/{town.village.code}/seams").status == 403
    assert Caller(town.outsider).get(f"/areas/{town.village.code}/seams").status == 404
