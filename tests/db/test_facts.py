"""What is exported equals what happened, counted another way; exported twice, anew or bit by bit it is the same."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from anlan.casework import cases, counters, figures, triage
from anlan.casework.cases import Doing, Opening
from anlan.casework.models import Case
from anlan.casework.procedure import PROCEDURES
from anlan.facts import manifest
from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.ledger import seal
from anlan.ledger.models import Event
from anlan.places import areas, holidays, sites
from chance import Chance, lived
from exported import Facts, again, months
from world import World, world

LATER = timedelta(days=80)


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts(tmp_path / "facts", tmp_path / "aside")


def opened(town: World, *, days: float = 0, **more: Any) -> Case:
    """A case of the grid, so many days after the world began."""
    given: dict[str, Any] = {"area": town.grid, "title": "事项", "topic": "fire_exit", **more}
    opening = Opening(procedure=given.pop("procedure", "incident"), **given)
    return cases.open_case(opening, by=town.triage, at=town.at + timedelta(days=days))


def act(town: World, case: Case, key: str, *, days: float, **data: Any) -> Case:
    who = {"register": town.triage, "dispatch": town.dispatcher, "return": town.handler, "void": town.supervisor}[key]
    return cases.act(
        case.pk, Doing(key, data), by=who, reach=town.reach(who), at=town.at + timedelta(days=days)
    )  # fmt: skip


def told(town: World, number: int, **more: str) -> Report:
    form = catalogue.current().get(CHANNELS, "officer_form")
    message = {"client_id": str(number), "description": "说明", "area": town.grid.code, **more}
    received = reports.receive(form, message, by=town.grid_worker, at=town.at)
    assert received.report is not None
    return received.report


# ---------------------------------------------------------------- the same bytes


@pytest.mark.parametrize("seed", [1, 2])
def test_bit_by_bit_and_all_at_once_give_the_same_files_to_the_byte(town: World, facts: Facts, seed: int) -> None:
    chance, at = Chance(town, seed), town.at + LATER
    done: list[Case] = []
    for number in range(6):
        done += [chance.case() for _ in range(5)]
        for case in done[:: number + 2]:
            if case.closed_at is None:
                chance.act(case, at + timedelta(hours=number))
        facts.export(at)
    assert again(facts, at, "fresh").files() == facts.files()
    assert {name.partition("/")[0] for name in facts.files()} >= {"cases", "steps", "clocks", "sites", "areas"}


def test_exporting_again_writes_nothing(town: World, facts: Facts) -> None:
    lived(town, 3, count=8)
    assert facts.export(town.at) is not None
    before = {path: path.stat().st_mtime_ns for path in facts.folder.glob("**/*")}
    assert facts.export(town.at + LATER) is None
    assert {path: path.stat().st_mtime_ns for path in facts.folder.glob("**/*")} == before


def test_only_the_months_that_new_events_touch_are_written_and_each_is_told(town: World, facts: Facts) -> None:
    first, second = opened(town), opened(town, days=40)
    facts.export(town.at)
    before = facts.files()
    act(town, second, "register", days=41)
    run = facts.export(town.at)
    assert run is not None
    assert months(run, "cases") == ["2026-04"]
    assert months(run, "steps") == ["2026-04"]
    [change] = [each for each in run.months if each.table == "cases"]
    assert (change.added, change.removed, change.changed, change.late) == (0, 0, 1, False)
    assert change.kinds["case.moved"] == 1
    after = facts.files()
    assert {name for name in after if after[name] != before.get(name)} >= {"cases/month=2026-04/part-0.parquet"}
    assert after["cases/month=2026-03/part-0.parquet"] == before["cases/month=2026-03/part-0.parquet"]
    assert facts.column('SELECT "case" FROM cases ORDER BY opened_date') == [str(first.pk), str(second.pk)]


def test_what_is_told_late_restates_the_month_it_belongs_to_and_says_so(town: World, facts: Facts) -> None:
    opened(town), opened(town, days=40)
    facts.export(town.at)
    opened(town, days=1, topic="manhole")
    run = facts.export(town.at)
    assert run is not None
    late = {change.table: change for change in run.months if change.late}
    assert (late["cases"].month, late["cases"].added, late["cases"].removed, late["cases"].changed) == (
        "2026-03", 1, 0, 0,
    )  # fmt: skip
    assert late["steps"].kinds == {"case.opened": 1}


def test_a_deadline_that_moves_into_another_month_takes_its_clock_along(town: World, facts: Facts) -> None:
    case = opened(town, procedure="hazard", days=20)
    facts.export(town.at)
    holidays.load("china", {date(2026, 3, day): False for day in range(26, 32)}, "通知", by=None, at=town.at)
    before = facts.ask('SELECT clock, due_date FROM clocks ORDER BY "case", clock')
    run = facts.export(town.at)
    after = facts.ask('SELECT clock, due_date FROM clocks ORDER BY "case", clock')
    assert before != after
    assert {"2026-03", "2026-04"} <= set(months(run, "clocks"))
    assert facts.column('SELECT count(*) FROM clocks GROUP BY "case", clock') == [1] * len(after)
    assert again(facts, town.at, "fresh").files() == facts.files()
    assert str(case.pk) in facts.column('SELECT "case" FROM clocks')


def test_the_manifest_says_how_far_was_read_and_under_which_seal(town: World, facts: Facts) -> None:
    opened(town)
    seal.seal(at=town.at)
    facts.export(town.at)
    now = manifest.read(facts.store)
    assert now is not None
    last = Event.objects.order_by("-tx", "-seq")[0]
    assert now.cursor == (last.tx, last.seq)
    assert now.cut_off == last.recorded_at.isoformat()
    assert now.seal is not None
    assert seal.verify(head=now.seal.chain_sha256).ok
    assert now.tables["cases"].rows == 1


# ---------------------------------------------------------------- counted another way


def test_cases_add_up_to_the_tallies_that_the_follower_keeps(town: World, facts: Facts) -> None:
    found = lived(town, 7, count=60)
    counters.recount()
    facts.export(town.at + LATER)
    columns = {
        "reported": "true", "registered": "registered_date IS NOT NULL", "dispatched": "dispatched_date IS NOT NULL",
        "handled_in_time": "handled_in_time", "closed_in_time": "closed_in_time", "voided": "outcome = 'void'",
        "merged": "outcome = 'merged'", "refused": "outcome = 'refused'", "returned": "returns > 0",
        "extended": "extensions > 0", "hung_ever": "hung_ever", "closed": "closed_in_time IS NOT NULL",
        "handled": "handled_in_time IS NOT NULL", "shuffled": "returns > 1", "hung": "hung AND outcome = ''",
    }  # fmt: skip
    assert len(found) == 60
    for path in (town.county.path, town.east.path, town.grid.path, town.west.path):
        sums = figures.sums(path)
        for column, where in columns.items():
            counted = facts.ask(f"SELECT area_path FROM cases WHERE {where}")  # noqa: S608 - our own
            assert sum(each.startswith(path) for (each,) in counted) == sums[column], (path, column)
    took = "SELECT sum(days_to_close) FROM cases WHERE outcome IN ('cured', 'answered', 'merged')"
    assert facts.column(took) == [_days()]


def _days() -> int:
    closed = Case.objects.filter(outcome__in=("cured", "answered", "merged"))
    return sum((_local(case.closed_at) - _local(case.opened_at)).days for case in closed)


def _local(moment: Any) -> date:
    return holidays.calendar("china").local_date(moment)


def test_steps_and_returns_are_the_events_one_by_one(town: World, facts: Facts) -> None:
    lived(town, 8, count=40)
    facts.export(town.at + LATER)
    moved = list(Event.objects.filter(kind__in=("case.opened", "case.moved")).order_by("seq"))
    assert sorted(facts.column("SELECT event FROM steps")) == sorted(str(event.id) for event in moved)
    returned = [event for event in moved if event.kind == "case.moved" and _effect(event) == "return"]
    assert returned
    nth: Counter[str] = Counter()
    wanted = []
    for event in returned:
        nth[str(event.subject)] += 1
        wanted.append((str(event.id), str(event.subject), nth[str(event.subject)]))
    assert facts.ask('SELECT event, "case", nth FROM returns ORDER BY event') == sorted(wanted)
    # Each step begins where the one before it ended.
    walked = facts.ask('SELECT "case", step_from, step_to, event FROM steps')
    order = {str(event.id): event.seq for event in moved}
    stood: dict[str, str] = {}
    for case, before, after, _ in sorted(walked, key=lambda step: order[step[3]]):
        assert stood.get(case, "") == before
        stood[case] = after
    assert stood == {str(pk): step for pk, step in Case.objects.values_list("pk", "step")}


def _effect(event: Event) -> str:
    key, edition = Case.objects.values_list("procedure", "edition").get(pk=event.subject)
    return catalogue.current().all(PROCEDURES)[f"{key}@{edition}"].acts[event.data["act"]].effect


def test_a_case_told_by_hand_has_the_figures_a_person_would_write(town: World, facts: Facts) -> None:
    case = opened(town, site=town.site)
    act(town, case, "register", days=0.25)
    act(town, case, "dispatch", days=1, department=town.housing.pk)
    act(town, case, "return", days=2, reason="不归住建局管")
    facts.export(town.at)
    asked = """SELECT number, area_path, topic, topic_root, department, site, site_kind, opened_at, opened_date,
        registered_date, dispatched_date, handled_date, outcome, valid, returns, minutes_to_register,
        minutes_to_dispatch, minutes_to_handle, days_to_close, handled_in_time, by_resident FROM cases"""
    [row] = facts.ask(asked)
    utc = town.at.astimezone(UTC).replace(tzinfo=None)
    assert row == (
        case.number, town.grid.path, "fire_exit", row[3], "", str(town.site.pk), "rental_house", utc, date(2026, 3, 6),
        date(2026, 3, 6), date(2026, 3, 7), None, "", True, 1, 360, 1440, None, None, None, False,
    )  # fmt: skip
    assert facts.ask("SELECT department, at_date, nth FROM returns") == [("housing", date(2026, 3, 8), 1)]
    steps = facts.ask('SELECT act, step_from, department, minutes_in_step FROM steps ORDER BY "at"')
    assert [(name, office, minutes) for name, _, office, minutes in steps] == [
        ("", "", None), ("register", "", 360), ("dispatch", "", 1080), ("return", "housing", 1440),
    ]  # fmt: skip


def test_the_same_thing_at_the_same_site_again_is_a_repeat_whichever_is_told_first(town: World, facts: Facts) -> None:
    second = opened(town, days=100, site=town.site)
    opened(town, days=101, site=town.shop)
    other = opened(town, days=102, site=town.site, topic="manhole")
    facts.export(town.at)
    assert facts.column('SELECT "case" FROM cases WHERE repeat') == []
    opened(town, days=1, site=town.site)
    run = facts.export(town.at)
    assert facts.column('SELECT "case" FROM cases WHERE repeat') == [str(second.pk)]
    assert str(other.pk) not in facts.column('SELECT "case" FROM cases WHERE repeat')
    assert set(months(run, "cases")) == {"2026-03", "2026-06"}
    opened(town, days=300, site=town.site)
    facts.export(town.at)
    assert len(facts.column('SELECT "case" FROM cases WHERE repeat')) == 1
    assert again(facts, town.at, "fresh").files() == facts.files()


# ---------------------------------------------------------------- reports, areas, sites


def test_a_report_is_counted_with_its_case_and_gone_once_it_is_withdrawn(town: World, facts: Facts) -> None:
    first, second = told(town, 1, topic="manhole"), told(town, 2, topic="manhole")
    case = triage.take(first, by=town.triage, at=town.at)
    assert case is not None
    triage.attach(second, case, reach=town.reach(town.triage), at=town.at)
    third = told(town, 3)
    facts.export(town.at)
    rows = facts.ask('SELECT report, "case", joined, by_resident FROM reports ORDER BY report')
    assert {row[0]: row[1:] for row in rows} == {
        str(first.pk): (str(case.pk), False, False),
        str(second.pk): (str(case.pk), True, False),
        str(third.pk): ("", False, False),
    }
    assert facts.column("SELECT reports FROM cases") == [2]
    reports.withdraw(third, reason="说错了", by=town.grid_worker, at=town.at)
    run = facts.export(town.at)
    assert run is not None
    [change] = [each for each in run.months if each.table == "reports"]
    assert (change.added, change.removed, change.changed) == (0, 1, 0)
    assert str(third.pk) not in facts.column("SELECT report FROM reports")


def test_a_case_that_goes_along_with_its_area_lies_in_the_new_one(town: World, facts: Facts) -> None:
    from anlan.presentation import followers

    case = opened(town)
    told(town, 1)
    facts.export(town.at)
    areas.move(town.village, town.west, day=town.at.date(), by=None, at=town.at)
    followers.drain(at=town.at)
    facts.export(town.at)
    assert facts.ask('SELECT "case", area_path FROM cases') == [
        (str(case.pk), f"{town.west.path}{town.village.code}/{town.grid.code}/")
    ]
    assert again(facts, town.at, "fresh").files() == facts.files()
    versions = facts.ask("SELECT code, path, valid_to FROM areas ORDER BY valid_from, path")
    assert [each[1:] for each in versions if each[0] == town.village.code] == [
        (town.village.path, town.at.date()),
        (f"{town.west.path}{town.village.code}/", None),
    ]


def test_a_site_that_is_corrected_is_corrected_in_its_cases(town: World, facts: Facts) -> None:
    opened(town, site=town.site)
    facts.export(town.at)
    sites.change(town.site, by=None, at=town.at, kind="shopfront")
    facts.export(town.at)
    assert facts.column("SELECT site_kind FROM cases") == ["shopfront"]
    assert dict(facts.ask("SELECT site, kind FROM sites"))[str(town.site.pk)] == "shopfront"


# ---------------------------------------------------------------- changes to count on from


def test_the_changes_of_a_run_turn_what_lay_there_into_what_lies_there(town: World, facts: Facts) -> None:
    chance = Chance(town, 11)
    done = [chance.case() for _ in range(12)]
    facts.export(town.at)
    with duckdb.connect() as database:
        _load(database, facts, "before")
        for case in done:
            if case.closed_at is None:
                chance.act(case, town.at + LATER)
        run = facts.export(town.at + LATER)
        assert run is not None
        _load(database, facts, "after")
        assert run.changes["cases"].rows > 0
        for key, file in run.changes.items():
            read = f"SELECT * FROM read_parquet('{facts.folder / file.name}')"  # noqa: S608 - our own
            database.execute(f"CREATE VIEW delta AS {read}")
            rest = "SELECT * EXCLUDE (sign) FROM delta WHERE sign"
            made = f"(SELECT * FROM before_{key} EXCEPT ALL {rest} = -1) UNION ALL {rest} = 1"  # noqa: S608
            lies = f"SELECT * FROM after_{key}"  # noqa: S608
            for one, other in ((made, lies), (lies, made)):
                assert database.sql(f"({one}) EXCEPT ALL ({other})").fetchall() == []
            database.execute("DROP VIEW delta")


def _load(database: Any, facts: Facts, name: str) -> None:
    for key in ("cases", "steps", "clocks", "returns", "photos", "reports", "sites"):
        if list((facts.folder / key).glob("**/part-0.parquet")):
            files = f"{facts.folder}/{key}/**/part-0.parquet"
            rows = f"SELECT * FROM read_parquet('{files}', hive_partitioning = false)"  # noqa: S608 - our own
            database.execute(f"CREATE TABLE {name}_{key} AS {rows}")


def test_a_table_without_a_row_can_be_read_and_its_file_goes_when_there_is_one(town: World, facts: Facts) -> None:
    facts.export(town.at)
    assert facts.ask("SELECT * FROM cases") == facts.ask("SELECT * FROM calls") == []
    assert "cases/month=1970-01/part-0.parquet" in facts.files()
    opened(town)
    facts.export(town.at)
    assert [name for name in facts.files() if name.startswith("cases/")] == ["cases/month=2026-03/part-0.parquet"]
    assert again(facts, town.at, "fresh").files() == facts.files()


def test_only_so_many_runs_keep_their_changes(town: World, facts: Facts) -> None:
    for number in range(5):
        opened(town, days=number)
        facts.export(town.at, keep=2)
    now = manifest.read(facts.store)
    assert now is not None
    assert [run.number for run in now.runs] == [4, 5]
    kept = sorted(path.name for path in facts.folder.glob("changes/cases/*.parquet"))
    assert kept == ["00000004.parquet", "00000005.parquet"]
