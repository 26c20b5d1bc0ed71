"""What to fix first: every gain equals working everything out again with the case closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from anlan.index.counting.period import read as period
from anlan.index.editions import assessment
from anlan.index.editions.assessment import spec_of
from anlan.index.editions.edition import Edition
from anlan.index.editions.fix_first import Gain, fix_first, shortboard, to_next
from anlan.kernel import catalogue
from index_pack import case, closed, frozen, invented, lay, pack, worked_out

MONTH = period("2026-10")
LAST = date(2026, 10, 31)
SPREAD = """
key = "spread"
index = "small"
parent = "T"
title = { zh = "用时", en = "Days it took" }
summary = { zh = "中位数", en = "The median" }
unit = { zh = "天", en = "days" }
better = "down"
basis = { source = "x", mark = "U", checked_on = 2026-11-22 }
numerator = { table = "cases", measure = "median", column = "days_to_close", where = "valid", date = "closed_date" }
zero_denominator = "good"
score = { method = "goalposts", low = 40.0, high = 0.0 }
"""


@pytest.fixture(autouse=True)
def small(tmp_path: Path) -> Iterator[None]:
    folder = pack(tmp_path / "pack", rules=False)
    (folder / "indicators/spread.toml").write_text(SPREAD, encoding="utf-8")
    with catalogue.using([folder]):
        yield


def gains(found: Edition, area: str) -> list[Gain]:
    spec = spec_of(catalogue.current(), "small")
    with assessment.opened(found.facts, spec.tables) as engine:
        return fix_first(spec, engine, found, area, day=LAST)


def put_right(row: Mapping[str, Any]) -> dict[str, Any]:
    """The case as a hand would write it, closed on the last of the month."""
    days = (LAST - row["opened_date"]).days
    in_time = row["close_due_date"] is None or row["close_due_date"] >= LAST
    return {**row, "outcome": "cured", "closed_date": LAST, "closed_in_time": in_time, "days_to_close": days}


def whole(folder: Path, cases: list[dict[str, Any]], area: str) -> float:
    """The area's score, worked out from these cases."""
    made = worked_out(lay(folder, cases=cases), MONTH)
    return float(made.scored.index[made.scored.units.index(area), 0])


def told(seed: int) -> list[dict[str, Any]]:
    rows = [row | {"days_to_close": None} for row in invented(seed, 60)]
    for row in rows:
        if row["closed_date"]:
            row["days_to_close"] = (row["closed_date"] - row["opened_date"]).days
    return rows


@pytest.mark.parametrize(("seed", "area"), [(1, "1/"), (2, "1/a/"), (3, "1/b/2/")])
def test_each_gain_is_what_working_it_all_out_again_gives(seed: int, area: str, tmp_path: Path) -> None:
    cases = told(seed)
    found = frozen(tmp_path, cases, MONTH)
    listed = gains(found, area)
    open_ = {row["case"] for row in cases if not row["outcome"] and row["area_path"].startswith(area)}
    assert {gain.case for gain in listed} == open_
    before = whole(tmp_path / "before", cases, area)
    for number, gain in enumerate(listed[:6]):
        alone = [put_right(row) if row["case"] == gain.case else row for row in cases]
        assert gain.points == pytest.approx(whole(tmp_path / f"one{number}", alone, area) - before, abs=1e-9)
        assert sum(gain.parts.values()) == pytest.approx(gain.points, abs=1e-9)
        first = {each.case for each in listed[: number + 1]}
        all_of = [put_right(row) if row["case"] in first else row for row in cases]
        assert gain.together == pytest.approx(whole(tmp_path / f"all{number}", all_of, area) - before, abs=1e-9)


def test_the_most_is_given_back_first_and_then_what_is_overdue(tmp_path: Path) -> None:
    listed = gains(frozen(tmp_path, told(4), MONTH), "1/")
    points = [gain.points for gain in listed]
    assert points == sorted(points, reverse=True)
    least = [gain.overdue for gain in listed if gain.points == 0]
    assert least == sorted(least, reverse=True)


def test_a_case_that_came_after_the_day_is_not_there_to_be_closed(tmp_path: Path) -> None:
    rows = [case("1", "1/a/1/"), case("2", "1/a/1/", opened_date=date(2026, 11, 2))]
    assert [gain.case for gain in gains(frozen(tmp_path, rows, MONTH), "1/a/")] == ["1"]


def by_hand(tmp_path: Path) -> Edition:
    due = date(2026, 11, 4)
    rows = [
        closed("1", "1/a/1/", days_to_close=4), case("2", "1/a/1/", close_due_date=due, due_date=due),
        case("3", "1/a/2/", repeat=True), closed("4", "1/b/1/", days_to_close=4),
    ]  # fmt: skip
    return frozen(tmp_path, rows, MONTH)


def test_one_case_by_hand(tmp_path: Path) -> None:
    """Town a: 1 of 3 cured: 33⅓. 1 of 3 again, of 50 to 0: 33⅓. H = 33⅓. 1 of 1 prompt: 100; 4 days: 90. T = 95."""
    first, second = gains(by_hand(tmp_path), "1/a/")
    # Either closed: 2 of 3 cured: +33⅓, which counts 3/4 · 2/3 = 1/2: +16⅔. The days: median of 4 and 26 is 15: 62.5,
    # −27.5, which counts 1/4 · 1/2: −3.4375.
    assert first.points == pytest.approx(50 / 3 - 27.5 / 8, abs=1e-9)
    assert first.parts == pytest.approx({"cured": 50 / 3, "spread": -27.5 / 8})
    assert {first.case, second.case} == {"2", "3"}
    # Both: 3 of 3 cured, +66⅔ · 1/2; median of 4, 26, 26 is 26: 35, −55 · 1/8.
    assert second.together == pytest.approx(100 / 3 - 55 / 8, abs=1e-9)


def test_the_points_to_the_next_place_and_how_many_cases_it_takes(tmp_path: Path) -> None:
    found = by_hand(tmp_path)
    ranks = {row["area_path"]: row["rounded"] for row in found.ranks(peer="township").to_pylist()}
    [ahead] = to_next(found, "1/a/", gains(found, "1/a/"))
    assert ahead.rank == 3
    assert ahead.points == pytest.approx(ranks["1/b/"] - ranks["1/a/"])
    assert ahead.after is None
    assert to_next(found, "1/c/") == []


def test_the_short_boards_are_what_the_lost_points_are_made_of(tmp_path: Path) -> None:
    spec = spec_of(catalogue.current(), "small")
    found = by_hand(tmp_path)
    boards = {board.key: board for board in shortboard(spec.frame, found, "1/a/")}
    # H lacks 66⅔ of its 75 %, T lacks 5 of its 25 %: 50 and 1.25 points.
    assert (boards["H"].points, boards["T"].points) == pytest.approx((50, 1.25))
    assert boards["H"].share == pytest.approx(50 / 51.25)
    assert sum(board.share for board in boards.values() if board.depth == 1) == pytest.approx(1)
    assert sum(board.share for board in boards.values() if board.depth == 2) == pytest.approx(1)


def test_what_is_due_on_the_day_is_not_overdue_and_what_was_due_the_day_before_is(tmp_path: Path) -> None:
    rows = [
        case("1", "1/a/1/", due_date=LAST), case("2", "1/a/1/", close_due_date=LAST - timedelta(days=1)),
    ]  # fmt: skip
    assert {gain.case: gain.overdue for gain in gains(frozen(tmp_path, rows, MONTH), "1/a/")} == {"1": False, "2": True}


def test_a_case_that_does_not_count_is_not_there_to_be_closed(tmp_path: Path) -> None:
    rows = [case("1", "1/a/1/"), case("2", "1/a/1/", valid=False)]
    assert [gain.case for gain in gains(frozen(tmp_path, rows, MONTH), "1/a/")] == ["1"]


def test_the_very_points_that_are_lacking_are_enough_for_the_next_place(tmp_path: Path) -> None:
    found = by_hand(tmp_path)
    first, second = gains(found, "1/a/")
    [ahead] = to_next(found, "1/a/")
    enough = [replace(first, together=ahead.points - 1), replace(second, together=ahead.points)]
    assert to_next(found, "1/a/", enough)[0].after == 2
