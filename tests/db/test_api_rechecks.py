"""The API of looking again: everybody draws the same, what is found is written down once, and cases stay private."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import index_deep
from anlan.casework.models import Case
from anlan.casework.rechecks import RECHECKED
from anlan.index.rulebook import integrity
from anlan.ledger.models import Event
from calling import Caller
from desk import done, opened
from world import World, world

DRAW = "/rechecks/peace/2026-03"


@pytest.fixture
def town(data: Path) -> World:
    made = world()
    march = [opened(made), opened(made), opened(made, area=made.west_grid)]
    now = index_deep.written(data, made, "2026-03", march)
    index_deep.out(now, signed_by=made.supervisor.pk, published_by=made.area_lead.pk)
    return made


def draw(town: World, who: str = "supervisor", **asked: Any) -> Any:
    return Caller(getattr(town, who)).get(DRAW, **asked)


def record(town: World, case: Case, who: str = "supervisor", **said: Any) -> Any:
    return Caller(getattr(town, who)).send("POST", f"{DRAW}/{case.pk}", {"fixed": True, **said})


def test_the_draw_is_the_same_for_all_and_names_cases_to_those_who_may_see_them(town: World) -> None:
    whole = draw(town).json
    assert (whole["of"], whole["left"], whole["rate"], whole["area"]) == (3, 3, None, town.county.code)
    assert {row["number"] for row in whole["rows"]} == set(Case.objects.values_list("number", flat=True))
    lead = draw(town, "area_lead").json
    named = {each.pk for each in Case.objects.filter(area=town.grid)}
    assert [row["case"] for row in lead["rows"]] == [
        row["case"] if Case.objects.get(pk=row["case"]).pk in named else None for row in whole["rows"]
    ]
    assert draw(town, "outsider").status == 404
    assert draw(town, "grid_worker").status == 403
    assert draw(town, area="nowhere").status == 404
    assert draw(town, size=0).status == 422
    assert len(draw(town, area=town.west.code).json["rows"]) == 1


def test_what_is_found_is_recorded_and_a_correction_stands_beside_it(town: World) -> None:
    case = Case.objects.order_by("pk")[0]
    assert record(town, case, fixed=False).status == 422
    assert record(town, case, fixed=False, note="还堵着", key="1").json["times"] == 1
    assert record(town, case, fixed=False, note="还堵着", key="1").json["times"] == 1
    assert record(town, case).json == {"case": str(case.pk), "number": case.number, "fixed": True, "times": 2}
    told = draw(town).json
    rate = integrity.fixed(1, 1, 3)
    assert told["rate"] == {"share": 1.0, "low": rate.low, "high": rate.high, "fixed": 1, "looked": 1}
    assert told["left"] == 2
    assert Event.objects.filter(kind=RECHECKED, by=town.supervisor.pk).count() == 2


def test_only_who_had_no_part_records_and_only_what_was_drawn(town: World) -> None:
    case, other = Case.objects.order_by("pk")[0], opened(town)
    done(town, case, town.triage, "register")
    done(town, case, town.dispatcher, "dispatch", department=town.housing.pk)
    answer = record(town, case, "dispatcher")
    assert answer.status == 403
    assert "had a part in this case" in answer.error["en"]
    assert record(town, other).status == 404
    assert record(town, case, "analyst").status == 403
    assert record(town, case, "outsider").status == 404
    assert not Event.objects.filter(kind=RECHECKED).exists()
