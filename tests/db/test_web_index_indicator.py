"""The page of an indicator: what it means, how sure its values are, and the way to what they are made of."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

import index_deep
from desk import at_desk, file_of, opened, text
from world import World, world


@pytest.fixture
def town(data: Path) -> World:
    """Two published months: in March the grid of the east had five hazards, two of them late; in February, one."""
    made = world()
    early = [opened(made, at=made.at - timedelta(days=20))]
    march = [opened(made, at=made.at + timedelta(minutes=count)) for count in range(5)]
    march.append(opened(made, area=made.west_grid, at=made.at))
    before = index_deep.written(data, made, "2026-02", early)
    now = index_deep.written(data, made, "2026-03", march, late=march[:2])
    for each in (before, now):
        index_deep.out(each, signed_by=made.supervisor.pk, published_by=made.area_lead.pk)
    return made


def address(key: str = "D-1", **query: str) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return reverse("index_indicator", args=["peace", "2026-03", key]) + (f"?{asked}" if asked else "")


def test_the_page_says_what_is_counted_and_that_its_basis_is_unverified(town: World) -> None:
    page = text(at_desk(town.analyst).get(address()))
    for words in ("火灾隐患起数", "本月立案的火灾隐患起数。", "未核验", "越低越好", "10 得 0 分，0 得 100 分"):
        assert words in page, words
    assert "key = &quot;D-1&quot;" in page
    assert "/index/peace/2026-03/cards/department-fire/" in page
    assert "未核验" not in text(at_desk(town.analyst).get(address("D-2")))


def test_values_stand_by_area_the_worst_first_each_with_its_interval(town: World) -> None:
    made = at_desk(town.analyst).get(address(area=town.county.code)).context["made"]
    assert [(each.label, each.value.value) for each in made.below] == [("东镇", 5.0), ("西镇", 1.0)]
    chart = at_desk(town.analyst).get(address(area=town.county.code)).context["chart"]
    assert chart.title.zh == "东镇最差：5 起；甲县整体 6 起"
    assert chart.said["series"][0]["low"] == [4.5, 0.9]
    assert [row.cells[2].value for row in chart.table.rows] == ["4.5~5.5", "0.9~1.1"]


def test_no_area_is_named_worst_where_the_intervals_meet(town: World) -> None:
    chart = at_desk(town.analyst).get(address("P-1", area=town.county.code)).context["chart"]
    assert chart.title.zh == "甲县整体 93%；最差的几个地方差距在误差之内，分不出先后"


def test_the_trend_goes_over_the_published_months(town: World) -> None:
    trend = at_desk(town.analyst).get(address(area=town.east.code)).context["trend"]
    assert trend.title.zh == "东镇比上期变差：1 起 → 5 起"
    assert trend.said["labels"] == ["2026-02", "2026-03"]
    assert trend.said["series"][0]["values"] == [1.0, 5.0]


def test_the_tables_come_as_a_file(town: World) -> None:
    book = load_workbook(io.BytesIO(file_of(at_desk(town.analyst).get(address(area=town.county.code, file="xlsx")))))
    rows = [[cell.value for cell in line] for line in book.active.iter_rows(min_row=2)]
    assert [row[0] for row in rows] == ["东镇", "西镇", "甲县", "甲县"]
    assert rows[0][1:8] == ["2026-03", 5, None, 5, 4.5, 5.5, 50]


def test_what_is_not_there_is_not_found(town: World) -> None:
    client = at_desk(town.analyst)
    assert client.get(address("D-9")).status_code == 404
    assert client.get(address(area="1")).status_code == 404
    assert at_desk(town.outsider).get(address()).status_code == 404
    assert at_desk(town.grid_worker).get(address()).status_code == 403


def test_the_page_asks_little_however_many_areas_there_are(town: World) -> None:
    client = at_desk(town.analyst)
    client.get(address())
    for area in (town.county, town.grid):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address(area=area.code)).status_code == 200
        assert len(queries) <= 9, area
