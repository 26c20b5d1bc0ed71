"""Areas move and close; what is open in them goes along."""

from __future__ import annotations

import pytest

from anlan.casework import cases, clocks, counters, moves
from anlan.casework.cases import Opening
from anlan.casework.draft import CACHES, carry, load
from anlan.casework.models import Case, Tally
from anlan.kernel.text import Text
from anlan.ledger.models import Event
from anlan.places import areas
from anlan.places.record import day_of
from installation import Installation
from world import FOUNDED, World, world


def opened(town: World) -> Case:
    opening = Opening(procedure="incident", area=town.grid, title="东一村 · 消防通道", topic="fire_exit")
    return cases.open_case(opening, by=town.grid_worker, at=town.at)


def told(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind=kind))


def test_an_open_case_goes_along_when_its_village_moves_to_another_town() -> None:
    town = world()
    case, closed = opened(town), opened(town)
    reach = town.reach(town.triage)
    cases.act(closed.pk, cases.Doing("refuse", {"reason": "重复"}), by=town.triage, reach=reach, at=town.at)
    areas.move(town.village, town.west, day=day_of(town.at), by=None, at=town.at)
    for _ in range(2):
        moves.follow(told("area.moved"))
    case.refresh_from_db()
    closed.refresh_from_db()
    assert case.area_path.startswith(town.west.path)
    assert case.area.path == case.area_path
    assert closed.area_path == town.grid.path
    assert Event.objects.filter(kind="case.carried").count() == 1
    assert cases.visible(town.reach(town.grid_worker)).filter(pk=case.pk).exists()


def test_an_open_case_goes_into_the_area_that_takes_over_a_closed_one() -> None:
    town = world()
    case = opened(town)
    areas.close(town.grid, into=town.next_grid, day=day_of(town.at), by=None, at=town.at)
    moves.follow(told("area.closed"))
    case.refresh_from_db()
    assert case.area_path == town.next_grid.path


def test_a_case_opened_for_an_area_that_has_just_closed_goes_to_the_one_that_took_it_over() -> None:
    town = world()
    areas.close(areas.find(town.grid.code, FOUNDED), into=town.next_grid, day=day_of(town.at), by=None, at=town.at)
    areas.move(town.village, town.west, day=day_of(town.at), by=None, at=town.at)
    moves.follow([*told("area.closed"), *told("area.moved")])
    case = opened(town)
    assert case.area_path == case.area.path == f"{town.west.path}{town.village.code}/{town.next_grid.code}/"
    assert Event.objects.get(subject=case.pk).area_path == case.area_path


def test_a_case_opened_for_an_area_that_was_renamed_is_in_it_under_its_new_name() -> None:
    town = world()
    areas.rename(
        areas.find(town.grid.code, FOUNDED), Text(zh="新名", en="New"), day=day_of(town.at), by=None, at=town.at
    )
    assert opened(town).area.name_zh == "新名"


def test_a_case_for_a_closed_area_that_nobody_took_over_is_refused() -> None:
    town = world()
    name = Text(zh="空网格", en="Empty Grid")
    grid = areas.create("e1", level="grid", name=name, parent=town.village, valid_from=FOUNDED, by=None, at=town.at)
    areas.close(areas.find("e1", FOUNDED), day=day_of(town.at), by=None, at=town.at)
    opening = Opening(procedure="incident", area=grid, title="空网格 · 消防通道", topic="fire_exit")
    with pytest.raises(areas.NoArea) as refused:
        cases.open_case(opening, by=town.grid_worker, at=town.at)
    assert "空网格已撤销" in refused.value.text.zh
    assert refused.value.field == "area"


OPENED_WHILE_IT_CLOSES = """
import sys; sys.path[:0] = ["tests", "tests/db"]
import django; django.setup()
import threading
from django.db import connections, transaction
from anlan.casework import cases, moves
from anlan.casework.models import Case
from anlan.ledger.models import Event
from anlan.places import areas
from anlan.places.record import day_of
from test_moves import opened
from world import world
town = world()
inside, closed = threading.Event(), threading.Event()
def open_slowly():
    with transaction.atomic():
        opened(town)
        inside.set()
        closed.wait(2)
    connections.close_all()
thread = threading.Thread(target=open_slowly)
thread.start()
inside.wait()
grid = areas.find(town.grid.code, day_of(town.at))
areas.close(grid, into=town.next_grid, day=day_of(town.at), by=None, at=town.at)
with transaction.atomic():
    moves.follow(list(Event.objects.filter(kind="area.closed")))
closed.set()
thread.join()
print(Case.objects.get().area_path == town.next_grid.path)
"""


def test_a_case_opened_while_its_area_is_being_closed_is_not_left_behind(installation: Installation) -> None:
    assert installation.python("-c", OPENED_WHILE_IT_CLOSES).stdout == "True\n"


def test_what_goes_along_is_counted_where_it_is_now() -> None:
    town = world()
    case = opened(town)
    counters.count(told("case.opened"))
    areas.move(town.village, town.west, day=day_of(town.at), by=None, at=town.at)
    moves.follow(told("area.moved"))
    counters.count(told("case.carried"))
    kept = list(Tally.objects.order_by("pk").exclude(opened=0).values_list("area_path", "opened"))
    assert town.west.path in dict(kept)
    counters.recount()
    assert kept == list(Tally.objects.order_by("pk").exclude(opened=0).values_list("area_path", "opened"))
    clocks.sweep(at=town.at)
    case.refresh_from_db()
    swept = {name: getattr(case, name) for name in CACHES}
    draft = load(case)
    carry(case, draft.plan, draft.now, draft.calendar)
    assert {name: getattr(case, name) for name in CACHES} == swept
