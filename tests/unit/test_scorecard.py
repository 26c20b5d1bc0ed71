"""Scorecards: what an area and a department lost and why, against before and peers, and what follows by rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from anlan.index.counting.period import read as period
from anlan.index.editions import scorecard
from anlan.index.editions.edition import Edition
from anlan.index.editions.scorecard import NoDepartment, NotScored
from anlan.index.rulebook.ladder import LADDERS
from anlan.index.scoring.panel import Status
from anlan.kernel import catalogue
from index_pack import case, closed, frozen, invented, pack

YEARLY = """
[[rules]]
key = "veto"
title = { zh = "否决", en = "Veto" }
empties = true
event = { table = "cases", where = "channel = 'veto'", date = "opened_date" }
"""


@pytest.fixture(autouse=True)
def small(tmp_path: Path) -> Iterator[None]:
    folder = pack(tmp_path / "pack")
    for key in ("cured", "prompt"):
        path = folder / f"indicators/{key}.toml"
        path.write_text(path.read_text("utf-8").replace("weight =", 'department = "fire"\nweight ='), encoding="utf-8")
    with catalogue.using([folder]):
        yield


def editions(tmp_path: Path) -> list[Edition]:
    """September, in which all went well in town a, and October, in which it did not."""
    september = [closed("0", "1/a/1/", opened_date=period("2026-09").first, closed_date=period("2026-09").last)]
    october = [case("1", "1/a/1/"), case("2", "1/a/1/", channel="unannounced"), closed("3", "1/b/1/")]
    return [
        frozen(tmp_path / name, rows, period(name)) for name, rows in (("2026-09", september), ("2026-10", october))
    ]


def test_an_area_s_card_by_hand(tmp_path: Path) -> None:
    card = scorecard.of_area(editions(tmp_path), "1/a/")
    # October: none of 2 cured: 0; none again: 100; H = 100/3. No case closed: T = 100. 3/4 · 100/3 + 25 = 50; −0.5.
    assert (card.score, card.before) == pytest.approx((49.5, 100.0))
    assert card.band == "red"
    rows = {row.key: row for row in card.rows}
    value = rows["cured"].value
    assert value is not None
    assert (value.value, value.denominator, value.status) == (0.0, 2.0, Status.PRESENT)
    assert rows["cured"].lost == pytest.approx(50)
    assert rows["cured"].change == pytest.approx(-100)
    # Town b cured its one, town c had none to cure: 0, 100 and 100, of which 100 is the middle.
    assert rows["cured"].peers == 100
    assert (rows["H"].indicators, rows["cured"].indicators) == (2, 0)
    assert [row.key for row in card.shortest] == ["cured"]
    assert [(one.rule, one.points) for one in card.taken] == [("found", -0.5)]
    assert [each["id"] for each in card.taken[0].why] == ["2"]
    [place] = card.places
    assert (place.peer, place.rank, place.size, place.before) == ("township", 3, 3, 1)


def test_what_follows_is_due_after_so_many_periods_in_one_colour(tmp_path: Path) -> None:
    rows = [case("1", "1/a/1/"), case("2", "1/a/1/", opened_date=period("2026-09").first)]
    one, two = (frozen(tmp_path / name, rows, period(name)) for name in ("2026-09", "2026-10"))
    assert scorecard.of_area([one], "1/a/").follows == ()
    assert [each.key for each in scorecard.of_area([one, two], "1/a/").follows] == ["talk"]


def test_a_department_s_card_by_hand(tmp_path: Path) -> None:
    card = scorecard.of_department(editions(tmp_path), "1/a/", "fire")
    # cured weighs 1/2 and has 0, prompt weighs 1/4 and has 100.
    assert (card.score, card.before) == pytest.approx((100 / 3, 100.0))
    assert (card.lost, card.share) == pytest.approx((50.0, 1.0))
    with pytest.raises(NoDepartment):
        scorecard.of_department(editions(tmp_path / "again"), "1/a/", "police")


def test_an_area_without_a_score_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotScored):
        scorecard.of_area(editions(tmp_path), "9/")


def test_the_years_stand_on_their_ladder(tmp_path: Path) -> None:
    rules = Path(catalogue.current().roots[-1]) / "rules/small_rules.toml"
    rules.write_text(rules.read_text("utf-8") + YEARLY, encoding="utf-8")
    with catalogue.using([rules.parents[1]]):
        good = [closed("1", "1/a/1/")]
        bad = [*good, closed("2", "1/a/1/", opened_date=period("2024").first, channel="veto")]
        years = [
            frozen(tmp_path / name, bad if name == "2024" else good, period(name))
            for name in ("2023", "2024", "2025", "2026")
        ]
        card = scorecard.of_area(years, "1/a/", ladders=catalogue.current().all(LADDERS).values())
    standing = card.ladders["peace_tripod"]
    assert (standing.years, standing.broken_in) == (2, 2024)
    assert standing.title is not None
    assert standing.title.zh == "平安牌"


def test_every_row_s_loss_sums_to_what_the_whole_lost(tmp_path: Path) -> None:
    found = frozen(tmp_path, invented(5), period("2026-10"))
    card = scorecard.of_area([found], "1/b/")
    leaves = [row for row in card.rows if row.value is not None]
    taken = sum(one.points for one in card.taken)
    assert 100 - sum(row.lost or 0 for row in leaves) + taken == pytest.approx(card.score, abs=1e-9)
