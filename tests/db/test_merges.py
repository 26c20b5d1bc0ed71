"""A town learns what is one thing from what its people merged and what they left apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from anlan.casework import cases, merges, neighbours, triage
from anlan.casework.cases import Doing
from anlan.casework.models import Case
from anlan.intake import likeness, reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.presentation.commands.main import app
from world import World, world

ADDRESS = "东一村 12 号"


@pytest.fixture
def town() -> World:
    return world()


def told(town: World, at: datetime, address: str = ADDRESS, **more: float) -> Report:
    """A report that waits in triage."""
    message = {
        "client_id": str(new_id()),
        "description": "有人说起",
        "area": town.grid.code,
        "address": address,
        **more,
    }
    channel = catalogue.current().get(CHANNELS, "officer_form")
    report = reports.receive(channel, message, by=town.volunteer, at=at).report
    assert report is not None
    return report


def taken(town: World, at: datetime, address: str = ADDRESS, **more: float) -> Case:
    """A report that became a case of its own."""
    report = told(town, at, address, **more)
    return triage.accept(report, procedure="incident", topic="waste", by=town.triage, at=at)


def attached(town: World, case: Case, at: datetime, address: str = ADDRESS) -> None:
    """A report that was attached to a case."""
    triage.attach(told(town, at, address), case, reach=town.reach(town.triage), at=at)


def merged(town: World, case: Case, into: Case, at: datetime) -> None:
    merging = Doing("merge", {"case": into.number})
    cases.act(case.pk, merging, by=town.triage, reach=town.reach(town.triage, at=at), at=at)


def days(town: World, count: float) -> datetime:
    return town.at + timedelta(days=count)


def learnt(town: World, *, since: float = 0, most: int = 100) -> list[tuple[float, bool]]:
    """The days between the two of each pair, and whether they were one thing; in the order of time."""
    known = merges.pairs(since=days(town, since), most=most)
    return [(round(found.days, 3), same) for found, same in known][::-1]


def test_a_report_that_was_attached_was_the_same_thing(town: World) -> None:
    case = taken(town, town.at)
    attached(town, case, days(town, 1))
    assert learnt(town) == [(1, True)]


def test_a_case_that_was_merged_was_the_same_thing_and_one_left_alone_was_not(town: World) -> None:
    first = taken(town, town.at)
    taken(town, days(town, 1))
    third = taken(town, days(town, 3))
    merged(town, third, first, days(town, 3.5))
    # The second beside the first; the third beside the first, into which it was merged, and beside the second.
    assert sorted(learnt(town)) == [(1, False), (2, False), (3, True)]


def test_what_came_later_is_not_what_a_report_repeats(town: World) -> None:
    taken(town, days(town, 2))
    taken(town, town.at)
    assert learnt(town) == [(2, False)]


def test_of_one_moment_only_the_earlier_was_there(town: World) -> None:
    taken(town, town.at)
    taken(town, town.at)
    assert learnt(town) == [(0, False)]


def test_a_pair_is_as_it_stood_when_the_report_was_told(town: World) -> None:
    case = taken(town, town.at)
    for day in (2, 4, 6):
        attached(town, case, days(town, day))
    assert learnt(town) == [(2, True)] * 3


def test_only_what_was_told_since_the_day_and_the_last_so_many_are_looked_at(town: World) -> None:
    case = taken(town, town.at)
    for day in (1, 3, 6):
        attached(town, case, days(town, day))
    assert learnt(town, since=2) == [(2, True), (3, True)]
    assert learnt(town, most=1) == [(3, True)]


# ---------------------------------------------------------------- the command


def anlan(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["likeness", "learn", "--since", "2026-01-01", *arguments])


def busy(town: World) -> None:
    """A town where what is told again after five days is always the same thing, and what lies next door never."""
    for number in range(20):
        again, point = f"东一村 {number} 号", {"lon": 122.005 + number * 0.004, "lat": 27.01}
        attached(town, taken(town, town.at, again), days(town, 5), again)
        taken(town, town.at, f"西一村 {number} 号", **point)
        taken(town, days(town, 0.5), f"西一村 {number + 100} 号", **point)


def test_what_was_learned_is_in_force_once_it_lies_in_a_pack(town: World, tmp_path: Path) -> None:
    busy(town)
    out = tmp_path / "mine/likeness/same_thing.toml"
    said = anlan("--out", str(out))
    assert said.exit_code == 0, said.output
    assert "40 对，其中 20 对是同一件 / 40 pairs, 20 of them one thing" in said.output
    assert str(out) in said.output
    case = taken(town, town.at, "东一村 99 号")
    later = told(town, days(town, 5), "东一村 99 号")
    [before] = neighbours.likely(later, Case.objects.all())
    with catalogue.using([tmp_path / "mine"]):
        [after] = neighbours.likely(later, Case.objects.all())
        assert likeness.in_use().learned is not None
    assert before.case == after.case == case.pk
    assert (before.likely, after.likely) == (False, True)
    again = anlan("--out", str(out))
    assert again.exit_code == 2
    assert "已经存在" in again.output


def test_a_town_that_merged_nothing_yet_is_told_so_and_nothing_is_written(town: World, tmp_path: Path) -> None:
    taken(town, town.at)
    out = tmp_path / "same_thing.toml"
    said = anlan("--out", str(out))
    assert said.exit_code == 2
    assert "至少需要 20 对同一件" in said.output
    assert "at least 20 pairs" in said.output
    assert not out.exists()
