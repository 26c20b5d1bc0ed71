"""How sure an edition is, and what a reviewer would mark: worked out from the published values, the same each time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

import index_town
from anlan.kernel.text import Text
from anlan.places import areas
from anlan.places.models import Area
from anlan.presentation.web.index import asked as index_asked
from anlan.presentation.web.index import sure as index_sure
from anlan.presentation.web.index import trust as index_trust
from desk import at_desk, file_of, text
from world import FOUNDED, World, world

PERIOD = "2026-02"


@pytest.fixture
def town(data: Path) -> World:
    """A published month of the sample index for every area of both counties, and six villages more."""
    made = world()
    for number in range(6):
        words = Text(zh=f"西{number}村", en=f"West {number}")
        code, since = f"33010100210{number}", FOUNDED
        areas.create(code, level="village", name=words, parent=made.west, valid_from=since, by=None, at=made.at)
    paths = list(Area.objects.order_by("path").values_list("path", flat=True))
    index_town.publish(data / "index", paths, PERIOD)
    return made


def shown(client: Client, page: str, **query: str) -> Any:
    return client.get(reverse(page, args=[index_town.INDEX, PERIOD]), query)


def group(client: Client, words: str) -> str:
    """The key of the peers with this title."""
    peers = shown(client, "index_sure").context["peers"]
    return str(next(key for title, _, key, _ in peers if title.zh == words))


def test_places_stand_with_the_interval_that_many_ways_to_work_it_out_leave(town: World) -> None:
    client = at_desk(town.analyst)
    answer = shown(client, "index_sure", peer=group(client, "村（社区）"))
    found = answer.context["unrest"].found
    assert len(answer.context["table"].rows) == len(found.units) == 9
    assert (found.low <= found.nominal).all()
    assert (found.nominal <= found.high).all()
    assert answer.context["unrest"].replications == 1000
    assert len(answer.context["without"].rows) == 10
    assert sum(each.total for each in answer.context["unrest"].matters) > 0
    assert answer.context["matters"].title.zh.startswith("名次变动主要来自：")


def test_the_same_edition_gives_the_same_places_each_time(town: World) -> None:
    edition = index_asked.published(index_town.INDEX)[0]
    sight = index_asked.Sight(edition, ("330101/",), ("330101/",))
    units = index_trust.scored_units(next(each for each in sight.groups if each.title.zh == "村（社区）"))
    one, other = index_sure._worked(sight, units), index_sure._worked(sight, units)
    assert one.found.low.tolist() == other.found.low.tolist()
    assert [each.total for each in one.matters] == [each.total for each in other.matters]


def test_two_areas_are_no_ranking(town: World) -> None:
    client = at_desk(town.analyst)
    assert "至少要有三个辖区" in text(shown(client, "index_sure", peer=group(client, "县（市、区）")))
    assert "至少要有四个辖区" in text(shown(client, "index_audit", peer=group(client, "县（市、区）")))


def test_the_audit_marks_what_a_reviewer_would_and_shows_every_figure(town: World) -> None:
    client = at_desk(town.analyst)
    answer = shown(client, "index_audit", peer=group(client, "村（社区）"))
    rows = answer.context["every"].rows
    assert len(rows) == 8 + 19 + 123
    marked = [*answer.context["marked"].rows, *answer.context["more"].rows]
    assert answer.context["finding"].zh.startswith(f"150 项中有 {len(marked)} 项被标出，最多的是：")
    flags = [str(row.cells[1].value).count("flag") for row in marked]
    assert len(answer.context["marked"].rows) == 20
    assert flags == sorted(flags, reverse=True), "those with most against them stand first"
    assert len(answer.context["chart"].said["labels"]) == 8
    assert sum(answer.context["chart"].said["series"][0]["values"]) == pytest.approx(100, abs=0.5)
    assert "克隆巴赫" in text(answer)


def test_both_come_as_files(town: World) -> None:
    client = at_desk(town.analyst)
    for page, rows in (("index_sure", 9), ("index_audit", 150)):
        answer = shown(client, page, peer=group(client, "村（社区）"), file="xlsx")
        assert load_workbook(io.BytesIO(file_of(answer))).active.max_row == rows + 1


def test_both_ask_little(town: World) -> None:
    client = at_desk(town.analyst)
    for page in ("index_sure", "index_audit"):
        shown(client, page)
        with CaptureQueriesContext(connection) as queries:
            assert shown(client, page).status_code == 200
        assert len(queries) <= 7, page


def test_who_may_not_see_figures_sees_neither(town: World) -> None:
    for page in ("index_sure", "index_audit"):
        assert shown(at_desk(town.grid_worker), page).status_code == 403
