"""Areas move and close; what is open in them goes along."""

from __future__ import annotations

from anlan.casework import cases, clocks, counters, moves
from anlan.casework.cases import Opening
from anlan.casework.draft import CACHES, carry, load
from anlan.casework.models import Case, Tally
from anlan.ledger.models import Event
from anlan.places import areas
from anlan.places.record import day_of
from world import World, world


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
