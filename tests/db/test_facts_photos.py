"""A row for each photo of a case; and whether its picture had been given before, which nothing later changes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from anlan.casework import cases, triage
from anlan.casework.cases import Doing, Opening
from anlan.casework.models import Case
from anlan.facts import same_picture
from anlan.facts.table import TABLES
from anlan.index.counting import behind, duckdb_engine
from anlan.index.counting.period import around
from anlan.index.editions import signs
from anlan.index.rulebook.signal import SIGNALS
from anlan.intake import photo_print, reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Photo
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from chance import lived
from exported import Facts, again, months
from world import World, world

LOOK = 0x0F1E_2D3C_4B5A_6978
ASKED = "SELECT stage, act, given_before, exact, first_case FROM photos WHERE photo = '{}' AND \"case\" = '{}'"


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts(tmp_path / "facts", tmp_path / "aside")


def picture(town: World, digest: str, *, stage: str = "after", look: int | None = None, **more: Any) -> Photo:
    return Photo.objects.create(
        id=new_id(), digest=digest * 64, mime="image/jpeg", size=1, width=1, height=1, stage=stage, by=town.handler,
        added_at=town.at, look=photo_print.to_column(look), **more,
    )  # fmt: skip


def sent(town: World, *, days: float = 0) -> Case:
    """A case that the housing department has to fix."""
    at = town.at + timedelta(days=days)
    opening = Opening("incident", town.grid, "事项", topic="manhole", lon=122.02, lat=27.02)
    case = cases.open_case(opening, by=town.triage, at=at)
    for by, doing in ((town.triage, Doing("register", {})),
                      (town.dispatcher, Doing("dispatch", {"department": town.housing.pk}))):  # fmt: skip
        case = cases.act(case.pk, doing, by=by, reach=town.reach(by), at=at)
    return case


def fixed(town: World, case: Case, photo: Photo, *, days: float = 1) -> Case:
    at = town.at + timedelta(days=days)
    doing = Doing("fix", {"result": "已修好"}, photos=(photo,), place=(122.02, 27.02))
    return cases.act(case.pk, doing, by=town.handler, reach=town.reach(town.handler), at=at)


def closed(town: World, case: Case, *, days: float = 2) -> Case:
    at = town.at + timedelta(days=days)
    for act, by in (("verify", town.grid_worker), ("close", town.dispatcher)):
        case = cases.act(case.pk, Doing(act, {}), by=by, reach=town.reach(by), at=at)
    return case


def row(facts: Facts, photo: Photo, case: Case) -> tuple[Any, ...]:
    [found] = facts.ask(ASKED.format(photo.pk, case.pk))
    return found


# ---------------------------------------------------------------- what a row says


def test_a_photo_is_a_row_with_its_act_its_place_and_how_its_case_ended(town: World, facts: Facts) -> None:
    case = sent(town)
    photo = picture(town, "a", taken_at=town.at + timedelta(hours=20), lon=122.021, lat=27.02)
    closed(town, fixed(town, case, photo))
    facts.export(town.at)
    asked = """SELECT "case", area_path, topic_root, procedure, act, department, stage, given_date, taken_date, metres,
        placed, given_before, valid, outcome, closed_date FROM photos"""
    assert facts.ask(asked) == [
        (str(case.pk), town.grid.path, "city_environment", "incident", "fix", "housing", "after", date(2026, 3, 7),
         date(2026, 3, 7), 99, True, False, True, "cured", date(2026, 3, 8))
    ]  # fmt: skip


def test_a_photo_without_a_place_is_measured_from_its_act_and_one_of_a_report_has_no_act(
    town: World, facts: Facts
) -> None:
    form = catalogue.current().get(CHANNELS, "officer_form")
    message = {"client_id": "1", "description": "井盖没了", "area": town.grid.code, "topic": "manhole",
               "lon": "122.02", "lat": "27.02"}  # fmt: skip
    first, second = picture(town, "a", stage="before"), picture(town, "b", stage="before")
    told = reports.receive(form, message, by=town.grid_worker, at=town.at, photos=[first]).report
    more = reports.receive(form, message | {"client_id": "2"}, by=town.grid_worker, at=town.at, photos=[second]).report
    assert told is not None
    assert more is not None
    case = triage.take(told, by=town.grid_worker, at=town.at)
    assert case is not None
    assert triage.join(more, case.pk, at=town.at + timedelta(days=30)) is not None
    facts.export(town.at)
    asked = "SELECT photo, act, stage, metres, placed, month FROM photos ORDER BY given_at"
    assert facts.ask(asked) == [
        (str(first.pk), "", "before", None, False, "2026-03"), (str(second.pk), "", "before", None, False, "2026-04"),
    ]  # fmt: skip


# ---------------------------------------------------------------- the same picture


def test_the_same_bytes_on_another_case_were_given_before_and_the_first_time_they_were_not(
    town: World, facts: Facts
) -> None:
    one, other = sent(town), sent(town)
    first, second = picture(town, "a"), picture(town, "a")
    fixed(town, one, first), fixed(town, other, second)
    facts.export(town.at)
    assert row(facts, first, one) == ("after", "fix", False, False, "")
    assert row(facts, second, other) == ("after", "fix", True, True, str(one.pk))


@pytest.mark.parametrize(("turned", "is_same"), [(0b111, True), (0b1111, False)])
def test_a_picture_sent_again_in_other_bytes_is_known_by_its_print(
    town: World, facts: Facts, turned: int, is_same: bool
) -> None:
    one, other = sent(town), sent(town)
    first, second = picture(town, "a", look=LOOK), picture(town, "b", look=LOOK ^ (turned << 60))
    fixed(town, one, first), fixed(town, other, second)
    facts.export(town.at)
    assert row(facts, second, other) == ("after", "fix", is_same, False, str(one.pk) if is_same else "")


def test_the_photo_before_the_fix_cannot_be_that_after_it(town: World, facts: Facts) -> None:
    case = sent(town)
    before = picture(town, "a", stage="before")
    doing = Doing("accept", {}, photos=(before,))
    cases.act(case.pk, doing, by=town.handler, reach=town.reach(town.handler), at=town.at)
    after = picture(town, "a")
    fixed(town, case, after)
    facts.export(town.at)
    assert row(facts, before, case)[2:] == (False, False, "")
    assert row(facts, after, case) == ("after", "fix", True, True, str(case.pk))


def test_the_same_fix_shown_again_on_its_own_case_is_no_reuse(town: World, facts: Facts) -> None:
    case = fixed(town, sent(town), picture(town, "a"))
    doing = Doing("rework", {"reason": "没修好"})
    cases.act(case.pk, doing, by=town.grid_worker, reach=town.reach(town.grid_worker), at=town.at + timedelta(days=1))
    fixed(town, case, picture(town, "a"), days=2)
    facts.export(town.at)
    assert facts.column("SELECT given_before FROM photos") == [False, False]


# ---------------------------------------------------------------- bit by bit


def test_what_comes_later_changes_no_earlier_answer_even_when_it_is_said_to_have_happened_before(
    town: World, facts: Facts
) -> None:
    one, other = sent(town), sent(town)
    first, second = picture(town, "a", look=LOOK), picture(town, "a", look=LOOK)
    fixed(town, one, first, days=5)
    facts.export(town.at)
    before = facts.files()
    fixed(town, other, second, days=3)  # a phone that was out of the network
    run = facts.export(town.at)
    assert months(run, "photos") == ["2026-03"]
    [change] = [each for each in run.months if each.table == "photos"] if run else []
    assert (change.added, change.removed, change.changed) == (1, 0, 0)
    assert row(facts, first, one)[2:] == (False, False, "")
    assert row(facts, second, other)[2:] == (True, True, str(one.pk))
    assert before.keys() == facts.files().keys()
    assert again(facts, town.at, "fresh").files() == facts.files()


def test_a_case_that_is_closed_says_so_of_its_photos_in_whatever_month_they_lie(town: World, facts: Facts) -> None:
    case = fixed(town, sent(town), picture(town, "a"))
    facts.export(town.at)
    assert facts.ask("SELECT outcome, closed_date FROM photos") == [("", None)]
    closed(town, case, days=40)
    assert months(facts.export(town.at), "photos") == ["2026-03"]
    assert facts.ask("SELECT outcome, closed_date FROM photos") == [("cured", date(2026, 4, 15))]
    assert again(facts, town.at, "fresh").files() == facts.files()


def test_every_photo_of_a_busy_town_is_a_row_as_comparing_each_with_each_would_have_it(
    town: World, facts: Facts
) -> None:
    lived(town, 7, count=30)
    facts.export(town.at)
    shown = facts.ask("""SELECT p."case", p.stage, p.given_before, p.first_case, p.photo, p.event FROM photos p""")
    assert len(shown) > 10
    digests = {str(each.pk): each.digest for each in Photo.objects.all()}
    at = {str(event): place for event, place in same_picture.positions({row[5] for row in shown}).items()}
    for case, stage, said, first, photo, event in shown:
        earlier = sorted(
            (at[other[5]], other[4], other[0])
            for other in shown
            if at[other[5]] < at[event] and other[4] != photo and digests[other[4]] == digests[photo]
            and (other[0] != case or (stage == "after" and other[1] == "before"))
        )  # fmt: skip
        assert (said, first) == (bool(earlier), earlier[0][2] if earlier else "")


# ---------------------------------------------------------------- quick


def test_the_search_goes_by_the_indexes_and_not_through_every_photo(town: World) -> None:
    Photo.objects.bulk_create(
        Photo(id=new_id(), digest=f"{number:064x}", mime="image/jpeg", size=1, width=1, height=1, added_at=town.at,
              look=photo_print.to_column(number * 0x9E37_79B9_7F4A_7C15 % 2**64))
        for number in range(3000)
    )  # fmt: skip
    mask, postgres = photo_print.PARTS[3], connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE intake_photo")
        asked = f"SELECT id, look FROM intake_photo WHERE (look & {mask}) IN ({mask}, 0)"  # noqa: S608
        cursor.execute(f"{'EXPLAIN' if postgres else 'EXPLAIN QUERY PLAN'} {asked}")
        plan = " ".join(str(part) for found in cursor for part in found)
    assert "photo_look_3" in plan


# ---------------------------------------------------------------- what the signal makes of it


def test_the_signal_counts_the_photos_of_fixes_that_had_been_given_and_points_at_their_case(
    town: World, facts: Facts
) -> None:
    told = catalogue.current().get(SIGNALS, "same_photo_twice")
    given = [fixed(town, sent(town), picture(town, digest)) for digest in "abca"]
    for case in given:
        closed(town, case)
    facts.export(town.at)
    tables = catalogue.current().all(TABLES)
    with duckdb_engine.over_folder(facts.folder) as engine:
        rows = signs.table([told], engine, tables, around(date(2026, 3, 1), "month")).to_pylist()
    [grid] = [row for row in rows if row["area_path"] == town.grid.path]
    assert (grid["above"], grid["below"], grid["raised"]) == (1, 4, "few")
    rows = behind.counted(facts.folder, tables, told.part.numerator, town.grid.path, around(date(2026, 3, 1), "month"))
    assert rows.cases == [str(given[3].pk)]
