"""(a) One act with its commit, beside SpiffWorkflow 3 doing an equal step; and the engine alone."""

from __future__ import annotations

import gc
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.ground import ready
from benchmarks.rows import Row, row, timed, told

if TYPE_CHECKING:
    from world import World

CASES, FEW = 60, 8
STANDS = 200


def course(town: World) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Who does what with which words, and the step it leads to: all seven steps, one return and one rework."""
    wrong, right = town.market.pk, town.housing.pk
    return [
        ("triage", "register", "registered", {"note": "属实"}),
        ("dispatcher", "dispatch", "dispatched", {"department": wrong}),
        ("other_handler", "return", "returned", {"reason": "不属本部门职责"}),
        ("dispatcher", "dispatch", "dispatched", {"department": right, "officer": town.handler.pk}),
        ("handler", "accept", "handling", {}),
        ("handler", "fix", "fed_back", {"result": "通道已清空"}),
        ("grid_worker", "rework", "handling", {"reason": "二楼仍有杂物"}),
        ("handler", "fix", "fed_back", {"result": "二楼杂物已清走"}),
        ("grid_worker", "verify", "verified", {"note": "已到现场"}),
        ("dispatcher", "close", "closed", {}),
    ]


def run(*, small: bool) -> list[Row]:
    """Cases and processes walk in turn, course by course, so that both meet the same weather."""
    database = ready()
    from django.db import transaction

    from benchmarks.peer import Peer
    from world import world

    with transaction.atomic():
        town = world()
    peer = Peer()
    count = FEW if small else CASES
    committed = _beside(town, peer, range(count), "as committed", database)
    _stop_waiting_for_the_disk()
    unwaiting = _beside(town, peer, range(count, 2 * count), "without waiting for the disk", database)
    return [*committed, *unwaiting, *_engine(town, database, small=small)]


def _beside(town: World, peer: Any, numbers: range, how: str, database: str) -> list[Row]:
    """Both walk `numbers` times; the first walk fills caches and is not counted."""
    walks = [_walk(town, peer, number) for number in numbers][1:]
    both = [pair for walk in walks for pair in walk]
    ours, theirs = [mine.wall * 1e3 for mine, _ in both], [other.wall * 1e3 for _, other in both]
    mine, other = [mine.processor * 1e3 for mine, _ in both], [other.processor * 1e3 for _, other in both]
    faster = [sum(o.wall for _, o in walk) / sum(m.wall for m, _ in walk) for walk in walks]
    bare = [peer.bare().wall * 1e3 for _ in numbers]
    cheaper = [sum(o.processor for _, o in walk) / sum(m.processor for m, _ in walk) for walk in walks]
    return [
        row("a", f"One act, {how}", database, ours, "ms"),
        row("a", f"SpiffWorkflow's step, {how}", database, theirs, "ms"),
        row("a", f"The raw limit: one short row changed and committed, {how}", database, bare, "ms"),
        row("a", f"How many times faster, {how}", database, faster, "×", at_least=5, note="a whole course at a time"),
        row("a", f"One act, processor time, {how}", database, mine, "ms"),
        row("a", f"SpiffWorkflow's step, processor time, {how}", database, other, "ms"),
        row("a", f"How many times less processor time, {how}", database, cheaper, "×", note="a whole course at a time"),
    ]


def _stop_waiting_for_the_disk() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET synchronous_commit = off")
        else:
            cursor.execute("PRAGMA synchronous = OFF")


def _walk(town: World, peer: Any, number: int) -> list[tuple[Any, Any]]:
    from anlan.casework import cases
    from anlan.casework.cases import Doing, Opening
    from anlan.intake.models import Photo
    from anlan.kernel.ids import new_id

    opening = Opening("incident", town.grid, "东一村 12 号 · 疏散通道被占", topic="fire_exit")
    case = cases.open_case(opening, by=town.grid_worker, at=town.at)
    peer.begin(number)
    photo = Photo.objects.create(
        id=new_id(), digest="0" * 64, mime="image/jpeg", size=1, width=1, height=1, stage="after", added_at=town.at
    )
    mine, other, at = [], [], town.at
    gc.collect()  # nobody pays for what the other left behind
    for place, (who, act, to, words) in enumerate(course(town)):
        at += timedelta(hours=1)
        by, photos = getattr(town, who), (photo,) if act == "fix" else ()
        reach, doing = town.reach(by), Doing(act, words, photos=photos, key=f"{case.pk}:{place}")
        with timed() as spent:
            case = cases.act(case.pk, doing, by=by, reach=reach, at=at)
        mine.append(spent)
        assert case.step == to, (case.step, to)
    gc.collect()
    for _, _, to, words in course(town):
        with timed() as spent:
            peer.act(number, to, words)
        other.append(spent)
        assert peer.step(number) == (to if to != "closed" else "")
    return list(zip(mine, other, strict=True))


def _engine(town: World, database: str, *, small: bool) -> list[Row]:
    """Where a case with twelve events stands, from values alone."""
    from anlan.casework import cases, engine
    from anlan.casework.cases import Doing
    from anlan.casework.draft import load, pasts
    from anlan.casework.models import Case
    from anlan.ledger import events

    case = Case.objects.order_by("id")[0]
    by = town.supervisor
    cases.act(
        case.pk, Doing("reopen", {"reason": "又有新情况"}), by=by, reach=town.reach(by), at=town.at + timedelta(days=2)
    )
    draft, history = load(case), pasts(events.told(case.pk))[:12]
    assert len(history) == 12
    found = []
    for _ in range(20 if small else STANDS):
        with timed() as spent:
            for _ in range(50):
                engine.stand(draft.plan, history, draft.calendar)
        found.append(spent.processor / 50 * 1e6)
    return [row("a", "The engine alone: stand on 12 events", database, found, "µs", at_most=50)]


if __name__ == "__main__":
    told(run)
