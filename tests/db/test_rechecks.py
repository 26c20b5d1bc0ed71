"""A case that was told as fixed is looked at again by somebody who had no part in it; all that is found is kept."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from anlan.casework import cases, rechecks
from anlan.casework.cases import Doing, NoCase, Opening
from anlan.casework.draft import load
from anlan.casework.models import Case
from anlan.casework.rechecks import RECHECKED, BadFinding, Drawn, HadPart
from anlan.casework.timeline import timeline
from anlan.intake.models import Photo
from anlan.kernel.ids import new_id
from anlan.ledger import seal
from anlan.ledger.models import Event
from anlan.places import officers
from anlan.places.models import Officer
from exported import Facts, again
from world import World, world

MARCH = Drawn("peace", "2026-03", 1)


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def case(town: World) -> Case:
    """Dispatched and closed by the dispatcher, fixed by the housing department, verified by the grid worker."""
    opening = Opening("incident", town.grid, "事项", topic="manhole")
    made = cases.open_case(opening, by=town.triage, at=town.at)
    photo = Photo.objects.create(
        id=new_id(), digest="a" * 64, mime="image/jpeg", size=1, width=1, height=1, stage="after", by=town.handler,
        added_at=town.at,
    )  # fmt: skip
    for by, act, data in (
        (town.triage, "register", {}), (town.dispatcher, "dispatch", {"department": town.housing.pk}),
        (town.handler, "fix", {"result": "已修好"}), (town.grid_worker, "verify", {}), (town.dispatcher, "close", {}),
    ):  # fmt: skip
        doing = Doing(act, data, photos=(photo,) if act == "fix" else (), place=(122.02, 27.02))
        made = cases.act(made.pk, doing, by=by, reach=town.reach(by), at=town.at)
    return made


def record(town: World, case: Case, who: Officer | None = None, **more: Any) -> Case:
    by = who or town.supervisor
    given: dict[str, Any] = {"fixed": True, "note": "", "at": town.at + timedelta(days=30), **more}
    return rechecks.record(case.pk, given.pop("drawn", MARCH), by=by, reach=town.reach(by), **given)


def test_what_was_found_is_in_the_ledger_and_in_the_story_of_the_case_and_moves_nothing(
    town: World, case: Case
) -> None:
    before = Case.objects.values().get(pk=case.pk)
    record(town, case, fixed=False, note="井盖还是松的")
    assert Case.objects.values().get(pk=case.pk) == before
    [event] = Event.objects.filter(subject=case.pk, kind=RECHECKED)
    assert (event.by, event.area_path) == (town.supervisor.pk, town.grid.path)
    assert event.data == {
        "index": "peace", "period": "2026-03", "edition": 1, "fixed": False, "note": "井盖还是松的",
    }  # fmt: skip
    line = timeline(case)[-1]
    assert (line.title.zh, line.by.zh) == ("复查：没有整改好", town.supervisor.name)
    assert [(said.label.zh, said.value.zh) for said in line.said] == [
        ("抽查所据", "peace 2026-03 #1"), ("现场看到", "井盖还是松的"),
    ]  # fmt: skip
    seal.seal(at=town.at + timedelta(days=31))
    assert seal.verify().ok


def test_of_one_case_and_edition_the_later_record_stands_and_both_are_kept(town: World, case: Case) -> None:
    assert rechecks.standing([case.pk], MARCH) == {}
    record(town, case, fixed=False, note="还是松的")
    record(town, case, note="看错了，已经修好", at=town.at + timedelta(days=31))
    other = Drawn("peace", "2026-03", 2)
    record(town, case, fixed=False, note="又松了", drawn=other)
    found = rechecks.standing([case.pk], MARCH)[case.pk]
    assert (found.fixed, found.note, found.times) == (True, "看错了，已经修好", 2)
    assert not rechecks.standing([case.pk], other)[case.pk].fixed
    assert Event.objects.filter(kind=RECHECKED).count() == 3


def test_the_same_key_twice_is_one_record(town: World, case: Case) -> None:
    for _ in range(2):
        record(town, case, key="web:1")
    assert rechecks.standing([case.pk], MARCH)[case.pk].times == 1


def test_whoever_had_a_part_in_it_cannot_look_again(town: World, case: Case) -> None:
    with pytest.raises(HadPart, match="had a part in this case"):
        record(town, case, town.dispatcher)
    officers.post(town.supervisor, role="handler", area=town.county, department=town.housing, by=None, at=town.at)
    with pytest.raises(HadPart, match="Your department dealt with"):
        record(town, case)
    assert not Event.objects.filter(kind=RECHECKED).exists()


@pytest.mark.parametrize("who", ["handler", "grid_worker", "triage", "analyst", "outsider"])
def test_who_may_not_look_again_does_not_learn_that_there_is_such_a_case(town: World, case: Case, who: str) -> None:
    with pytest.raises(NoCase):
        record(town, case, getattr(town, who))


@pytest.mark.parametrize("note", ["", " \n", "长" * 1001])
def test_what_is_not_fixed_is_said_in_words_that_fit(town: World, case: Case, note: str) -> None:
    with pytest.raises(BadFinding, match="at most 1000"):
        record(town, case, fixed=False, note=note)


def test_a_case_can_be_taken_up_again_where_its_procedure_says_so(town: World, case: Case) -> None:
    assert rechecks.reopening(case) == "reopen"
    opened = cases.open_case(Opening("incident", town.grid, "事项", topic="manhole"), by=town.triage, at=town.at)
    assert rechecks.reopening(opened) == ""
    record(town, case, fixed=False, note="还是松的")
    doing = Doing("reopen", {"reason": "复查没有整改好"})
    at = town.at + timedelta(days=31)
    done = cases.act(case.pk, doing, by=town.dispatcher, reach=town.reach(town.dispatcher), at=at)
    assert load(done).now.outcome == ""


def test_each_record_is_a_row_of_the_facts_without_its_words(town: World, case: Case, tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts", tmp_path / "aside")
    facts.export(town.at)
    record(town, case, fixed=False, note="还是松的")
    record(town, case, at=town.at + timedelta(days=31))
    facts.export(town.at)
    asked = 'SELECT "case", area_path, index, period, edition, fixed, at_date FROM rechecks ORDER BY "at"'
    shared = (str(case.pk), town.grid.path, "peace", "2026-03", 1)
    assert facts.ask(asked) == [(*shared, False, date(2026, 4, 5)), (*shared, True, date(2026, 4, 6))]
    assert "还是松的" not in str(facts.ask("SELECT * FROM rechecks"))
    assert again(facts, town.at, "fresh").files() == facts.files()


def test_what_is_not_fixed_may_be_said_at_length(town: World, case: Case) -> None:
    record(town, case, fixed=False, note="长" * rechecks.LONGEST)
    assert len(rechecks.standing([case.pk], MARCH)[case.pk].note) == rechecks.LONGEST
