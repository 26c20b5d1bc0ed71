"""The area tree, as it is and as it was."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from anlan.kernel.text import Refusal, Text
from anlan.ledger.events import history
from anlan.places import areas, officers, sites
from anlan.places.models import Area, Post, Site
from anlan.places.record import subject_of
from world import AT, FOUNDED, World, world

TODAY = AT.date()


@pytest.fixture
def town() -> World:
    return world()


def make(code: str, **changed: Any) -> Area:
    plain: dict[str, Any] = {
        "level": "grid",
        "name": Text(zh="新网格", en="New grid"),
        "parent": None,
        "valid_from": FOUNDED,
        "by": None,
        "at": AT,
    }
    return areas.create(code, **{**plain, **changed})


def test_the_ancestors_of_a_path_go_from_the_top_to_itself() -> None:
    assert areas.ancestors("33/07/81/") == ["33/", "33/07/", "33/07/81/"]
    assert areas.ancestors("") == []


def test_an_area_is_found_by_its_code_on_a_day_it_exists(town: World) -> None:
    assert areas.find("330101001", TODAY) == town.east
    with pytest.raises(areas.NoArea, match="330101001"):
        areas.find("330101001", date(2023, 12, 31))


def test_a_code_is_used_once_at_a_time(town: World) -> None:
    with pytest.raises(areas.AreaRefused, match="330101001001001"):
        make(town.grid.code, parent=town.village)


@pytest.mark.parametrize("code", ["", "33/07", "33 07", "AB", "村", "3" * 31])
def test_a_code_that_would_break_a_path_is_refused(code: str) -> None:
    with pytest.raises(areas.AreaRefused) as refused:
        make(code)
    assert refused.value.field == "code"


def test_a_path_too_long_for_its_column_is_refused() -> None:
    parent = None
    for level in ("province", "prefecture", "county"):
        parent = make(level[:3].ljust(30, "0"), level=level, parent=parent)
    with pytest.raises(areas.AreaRefused, match="120"):
        make("g" * 29, parent=make("t" * 26, level="township", parent=parent))


def test_a_village_cannot_lie_in_a_grid_nor_in_a_village(town: World) -> None:
    for parent in (town.grid, town.village):
        with pytest.raises(areas.AreaRefused) as refused:
            make("9", level="village", parent=parent)
        assert refused.value.field == "parent"


def test_a_level_nobody_knows_is_refused_with_those_there_are() -> None:
    with pytest.raises(areas.AreaRefused, match="township"):
        make("9", level="parish")


@pytest.mark.parametrize(
    "boundary",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [200, 0], [200, 1], [0, 0]]]},
        {"type": "Polygon"},
    ],
)
def test_a_boundary_that_is_no_polygon_in_degrees_is_refused(boundary: dict[str, Any]) -> None:
    with pytest.raises(areas.AreaRefused) as refused:
        make("9", boundary=boundary)
    assert refused.value.field == "boundary"


def test_moving_an_area_moves_all_below_it_and_keeps_the_tree_of_the_day_before(town: World) -> None:
    before = set(areas.at_day(TODAY - timedelta(days=1)).values_list("path", flat=True))
    moved = areas.move(town.village, town.west, day=TODAY, by=town.administrator, at=AT)
    assert moved.path == f"{town.west.path}{town.village.code}/"
    now = areas.find(town.grid.code, TODAY)
    assert now.path == f"{moved.path}{town.grid.code}/"
    assert now.parent == moved
    assert set(areas.at_day(TODAY - timedelta(days=1)).values_list("path", flat=True)) == before
    assert areas.at_day(TODAY).count() == len(before)


def test_the_children_of_a_day_are_those_of_that_day_through_moves_and_new_names(town: World) -> None:
    yesterday = TODAY - timedelta(days=1)
    renamed = areas.rename(town.west, Text(zh="新西镇", en="New West"), day=TODAY, by=None, at=AT)
    areas.move(town.village, renamed, day=TODAY, by=None, at=AT)
    for area, then, now in ((town.east, 2, 1), (town.west, 1, 2), (town.village, 2, 0)):
        assert areas.children(area, yesterday).count() == then
        assert areas.children(area, TODAY).count() == now
    assert areas.children(areas.find(town.village.code, TODAY), TODAY).count() == 2


def test_what_stands_in_a_moved_area_goes_with_it(town: World) -> None:
    moved = areas.move(town.village, town.west, day=TODAY, by=town.administrator, at=AT)
    site = Site.objects.select_related("area").get(pk=town.site.pk)
    assert site.area_path == site.area.path == f"{moved.path}{town.grid.code}/"
    assert town.reach(town.grid_worker).covers("cases.see", area_path=site.area_path)
    assert not town.reach(town.area_lead).covers("cases.see", area_path=site.area_path)


def test_a_post_that_ended_stays_where_it_was(town: World) -> None:
    held = Post.objects.get(officer=town.grid_worker)
    officers.unpost(held, by=None, at=AT, day=TODAY)
    areas.move(town.village, town.west, day=TODAY, by=None, at=AT)
    assert Post.objects.get(pk=held.pk).area_id == town.grid.pk


def test_an_area_cannot_move_into_itself(town: World) -> None:
    with pytest.raises(Refusal):
        areas.move(town.east, town.village, day=TODAY, by=None, at=AT)


def test_the_tree_is_not_changed_ahead_of_its_day(town: World) -> None:
    with pytest.raises(areas.AreaRefused) as refused:
        areas.move(town.village, town.west, day=TODAY + timedelta(days=1), by=None, at=AT)
    assert refused.value.field == "day"


def test_a_new_name_holds_from_its_day_and_the_old_one_before(town: World) -> None:
    areas.rename(town.east, Text(zh="新东镇", en="New East"), day=TODAY, by=town.administrator, at=AT)
    assert areas.find(town.east.code, TODAY).name_zh == "新东镇"
    assert areas.find(town.east.code, TODAY - timedelta(days=1)).name_zh == "东镇"
    village = areas.find(town.village.code, TODAY)
    assert village.parent is not None
    assert village.parent.name_zh == "新东镇"
    assert town.reach(town.area_lead).covers("cases.see", area_path=village.path)


def test_moving_twice_on_one_day_leaves_one_tree(town: World) -> None:
    there = areas.move(town.village, town.west, day=TODAY, by=None, at=AT)
    areas.rename(there, Text(zh="迁来村", en="Moved"), day=TODAY, by=None, at=AT)
    assert areas.at_day(TODAY).filter(code=town.village.code).count() == 1
    assert areas.find(town.village.code, TODAY).name_zh == "迁来村"


def test_an_area_closes_only_when_nothing_would_be_left_nowhere(town: World) -> None:
    with pytest.raises(areas.AreaRefused, match="下级"):
        areas.close(town.village, day=TODAY, by=None, at=AT)
    with pytest.raises(areas.AreaRefused) as refused:
        areas.close(town.grid, day=TODAY, by=None, at=AT)
    assert refused.value.field == "into"


def test_a_closed_area_hands_over_to_the_one_that_takes_it_in(town: World) -> None:
    areas.close(town.grid, into=town.next_grid, day=TODAY, by=town.administrator, at=AT)
    assert not areas.at_day(TODAY).filter(code=town.grid.code).exists()
    assert areas.find(town.grid.code, TODAY - timedelta(days=1)) == town.grid
    assert sites.find("house1").area == town.next_grid
    assert town.reach(town.grid_worker).covers("cases.see", area_path=town.next_grid.path)


def test_the_code_of_a_closed_area_may_be_given_again(town: World) -> None:
    areas.close(town.grid, into=town.next_grid, day=TODAY, by=None, at=AT)
    again = make(town.grid.code, parent=town.village, valid_from=TODAY)
    assert areas.find(town.grid.code, TODAY) == again


def test_every_change_of_the_tree_is_in_the_ledger_under_one_subject(town: World) -> None:
    areas.change(town.village, name=Text(zh="东壹村", en="East One"), by=town.administrator, at=AT)
    moved = areas.move(town.village, town.west, day=TODAY, by=town.administrator, at=AT)
    told = history(subject_of(moved))
    assert [event.kind for event in told] == ["area.created", "area.changed", "area.moved"]
    assert told[-1].data == {"from": town.village.path, "to": moved.path, "day": TODAY.isoformat()}
    assert told[-1].by == town.administrator.pk


def test_saying_again_what_is_so_changes_nothing(town: World) -> None:
    areas.change(town.village, name=Text(zh="东一村", en="East One"), boundary=town.village.boundary, by=None, at=AT)
    assert [event.kind for event in history(subject_of(town.village))] == ["area.created"]


def test_the_shapes_of_a_day_are_its_own(town: World) -> None:
    drawn = dict(areas.shapes(TODAY))
    assert town.grid.path in drawn
    assert town.neighbour_grid.path in drawn
    assert areas.shapes(date(2023, 1, 1)) == []
