"""(a) One act with its commit, beside SpiffWorkflow 3 doing an equal step; and the engine alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.ground import ready
from benchmarks.rows import Row, Spent, row, timed, told

if TYPE_CHECKING:
    from world import World

CASES, FEW = 120, 12
TOGETHER = 6
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
    """Cases and processes walk in turn, some courses at a time, so that both meet the same weather."""
    database = ready()
    from django.db import transaction

    from anlan.kernel import memory
    from benchmarks.peer import Peer
    from world import world

    with transaction.atomic():
        town = world()
    peer = Peer()
    memory.settle()  # as a server does that is ready
    count = FEW if small else CASES
    committed = _beside(town, peer, range(count), "as committed", database)
    _stop_waiting_for_the_disk()
    unwaiting = _beside(town, peer, range(count, 2 * count), "without waiting for the disk", database)
    return [*committed, *unwaiting, *_engine(town, database, small=small)]


def _beside(town: World, peer: Any, numbers: range, how: str, database: str) -> list[Row]:
    """Both walk `numbers` times, some courses at a time; the first of them fill caches and are not counted."""
    turns = [(_walks(town, part), _steps(town, peer, part), peer.bare()) for part in _parts(numbers)][1:]
    mine, other = [each for turn in turns for each in turn[0]], [each for turn in turns for each in turn[1]]
    ratios = [(_ratio(theirs, ours, "wall"), _ratio(theirs, ours, "processor")) for ours, theirs, _ in turns]
    note = f"{TOGETHER} courses at a time"
    return [
        row("a", f"One act, {how}", database, [each.wall * 1e3 for each in mine], "ms"),
        row("a", f"SpiffWorkflow's step, {how}", database, [each.wall * 1e3 for each in other], "ms"),
        row("a", f"The raw limit: one short row changed and committed, {how}", database,
            [bare.wall * 1e3 for _, _, bare in turns], "ms"),
        row("a", f"How many times faster, {how}", database, [wall for wall, _ in ratios], "×", at_least=5, note=note),
        row("a", f"One act, processor time, {how}", database, [each.processor * 1e3 for each in mine], "ms"),
        row("a", f"SpiffWorkflow's step, processor time, {how}", database,
            [each.processor * 1e3 for each in other], "ms"),
        row("a", f"How many times less processor time, {how}", database, [each for _, each in ratios], "×", note=note),
    ]  # fmt: skip


def _parts(numbers: range) -> list[range]:
    return [numbers[start : start + TOGETHER] for start in range(0, len(numbers), TOGETHER)]


def _ratio(theirs: list[Spent], ours: list[Spent], what: str) -> float:
    spent: list[float] = [sum(getattr(each, what) for each in side) for side in (theirs, ours)]
    return spent[0] / spent[1]


def _stop_waiting_for_the_disk() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET synchronous_commit = off")
        else:
            cursor.execute("PRAGMA synchronous = OFF")


def _walks(town: World, numbers: range) -> list[Spent]:
    return [spent for _ in numbers for spent in _walk(town)]


def _walk(town: World) -> list[Spent]:
    """One case through the whole course, each act with its commit."""
    from anlan.casework import cases
    from anlan.casework.cases import Doing, Opening
    from anlan.intake.models import Photo
    from anlan.kernel.ids import new_id

    opening = Opening("incident", town.grid, "东一村 12 号 · 疏散通道被占", topic="fire_exit")
    case = cases.open_case(opening, by=town.grid_worker, at=town.at)
    photo = Photo.objects.create(
        id=new_id(), digest="0" * 64, mime="image/jpeg", size=1, width=1, height=1, stage="after", added_at=town.at
    )
    took, at = [], town.at
    for place, (who, act, to, words) in enumerate(course(town)):
        at += timedelta(hours=1)
        by, photos = getattr(town, who), (photo,) if act == "fix" else ()
        reach, doing = town.reach(by), Doing(act, words, photos=photos, key=f"{case.pk}:{place}")
        with timed() as spent:
            case = cases.act(case.pk, doing, by=by, reach=reach, at=at)
        took.append(spent)
        assert case.step == to, (case.step, to)
    return took


def _steps(town: World, peer: Any, numbers: range) -> list[Spent]:
    """The same course by SpiffWorkflow."""
    took = []
    for number in numbers:
        peer.begin(number)
        for _, _, to, words in course(town):
            with timed() as spent:
                peer.act(number, to, words)
            took.append(spent)
            assert peer.step(number) == (to if to != "closed" else "")
    return took


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
