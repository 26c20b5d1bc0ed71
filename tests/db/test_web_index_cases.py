"""From a figure of the index to the cases in it: how many everybody learns, which ones only those who may see them."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

import index_deep
from anlan.casework.models import Case
from desk import at_desk, file_of, opened, text
from world import World, world


@pytest.fixture
def town(data: Path) -> World:
    """A published March: five hazards in the east, two of them late, and one in the west."""
    made = world()
    march = [opened(made, at=made.at + timedelta(minutes=count)) for count in range(5)]
    march.append(opened(made, area=made.west_grid, at=made.at))
    now = index_deep.written(data, made, "2026-03", march, late=march[:2])
    index_deep.out(now, signed_by=made.supervisor.pk, published_by=made.area_lead.pk)
    return made


def address(key: str, **query: str) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return reverse("index_cases", args=["peace", "2026-03", key]) + (f"?{asked}" if asked else "")


def test_a_figure_opens_onto_exactly_the_cases_in_it(town: World) -> None:
    answer = at_desk(town.analyst).get(address("D-1", area=town.east.code))
    assert len(answer.context["table"].rows) == 5
    assert answer.context["finding"].zh == "5 件事项"
    assert answer.context["agrees"].zh == "公布的是 5，按封存的事实重数也是 5。"
    east = Case.objects.filter(area_path__startswith=town.east.path)
    assert {row.url for row in answer.context["table"].rows} == {reverse("case", args=[case.number]) for case in east}
    assert at_desk(town.analyst).get(answer.context["table"].rows[0].url).status_code == 200


def test_what_pulls_a_share_down_is_shown_first(town: World) -> None:
    client = at_desk(town.analyst)
    answer = client.get(address("D-2", area=town.east.code))
    assert answer.context["made"].part == "rest"
    assert len(answer.context["table"].rows) == 2
    assert [words.zh for words, _, _ in answer.context["tabs"]] == [
        "算进分子的 3", "没做到的（在分母、不在分子） 2", "算进分母的 5",
    ]  # fmt: skip
    for (_, url, _), many in zip(answer.context["tabs"], (3, 2, 5), strict=True):
        assert len(client.get(url).context["table"].rows) == many


def test_how_many_is_everybodys_but_a_case_opens_within_reach_only(town: World) -> None:
    answer = at_desk(town.area_lead).get(address("D-1", area=town.county.code))
    assert answer.context["finding"].zh == "6 件事项，您能看到其中 5 件"
    assert len(answer.context["table"].rows) == 5
    west = Case.objects.get(area_path__startswith=town.west.path)
    assert west.number not in text(answer)
    nothing = at_desk(town.area_lead).get(address("D-1", area=town.west.code))
    assert nothing.context["finding"].zh == "1 件事项，您能看到其中 0 件"
    assert "没有您能打开的事项" in text(nothing)


def test_the_list_goes_out_as_a_file_to_those_who_may_export(town: World) -> None:
    query = {"area": town.county.code, "file": "xlsx"}
    book = load_workbook(io.BytesIO(file_of(at_desk(town.area_lead).get(address("D-1", **query)))))
    assert book.active.max_row == 6
    refused = at_desk(town.administrator).get(address("D-1", **query))
    assert refused.status_code == 404


def test_a_figure_that_was_told_opens_onto_its_source_and_what_it_was_corrected_from(town: World) -> None:
    answer = at_desk(town.analyst).get(address("P-1", area=town.east.code))
    rows = [[str(cell.value) for cell in row.cells] for row in answer.context["table"].rows]
    assert [(row[3], row[4], row[5]) for row in rows] == [
        ("90%", "问卷（更正）", "第 2 版 · 现行"), ("99%", "问卷", "第 1 版 · 已更正"),
    ]  # fmt: skip
    assert "2026-02-01 10:00" in text(answer), "when it was told, by the clock of the town"


def test_an_area_without_any_says_so(town: World) -> None:
    assert "一件也没有" in text(at_desk(town.analyst).get(address("D-1", area=town.other_village.code)))


def test_a_figure_that_the_facts_do_not_bear_out_is_told(town: World, data: Path) -> None:
    [folder] = (data / "index/peace/2026-03").iterdir()
    for part in (folder / "facts/cases").rglob("*.parquet"):
        pq.write_table(pq.read_table(part).slice(1), part)
    page = text(at_desk(town.analyst).get(address("D-1", area=town.county.code)))
    assert re.search("公布的是 6，按封存的事实重数是 [0-5]：对不上", page)


def test_the_list_asks_as_little_for_eleven_as_for_one(town: World, data: Path) -> None:
    client, counts = at_desk(town.analyst), []
    many = [opened(town, at=town.at + timedelta(hours=1, minutes=count)) for count in range(11)]
    for cases in (many[:1], many):
        made = index_deep.written(data, town, "2026-03", cases)
        index_deep.out(made, signed_by=town.supervisor.pk, published_by=town.area_lead.pk)
        client.get(address("D-1"))
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get(address("D-1")).context["table"].rows) == len(cases)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_who_may_not_see_figures_sees_none(town: World) -> None:
    assert at_desk(town.grid_worker).get(address("D-1")).status_code == 403
    assert at_desk(town.outsider).get(address("D-1")).status_code == 404
