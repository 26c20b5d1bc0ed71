"""An index worked out whole from a folder of facts: against a hand, frozen, and worked out again to the same bits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from anlan.index.counting.period import read as period
from anlan.index.editions import digest, edition, replaying
from anlan.index.editions.assessment import Assessed
from anlan.index.editions.edition import Edition
from anlan.index.rulebook.deductions import Place, Ranking
from anlan.kernel import catalogue
from index_pack import case, closed, frozen, invented, lay, pack, worked_out

MONTH = period("2026-10")
SEED = 11
HISTORY = [
    Ranking(
        MONTH.before, {f"1/{town}/": Place("township", rank, 3) for town, rank in zip("abc", (3, 1, 2), strict=True)}
    )
]


@pytest.fixture(autouse=True)
def small(tmp_path: Path) -> Iterator[None]:
    with catalogue.using([pack(tmp_path / "pack")]):
        yield


CASES = [
    closed("1", "1/a/1/"), closed("2", "1/a/1/", in_time=False), case("3", "1/a/2/"), case("4", "1/a/2/", repeat=True),
    closed("5", "1/b/1/"), closed("6", "1/b/1/"),
    case("7", "1/b/2/", channel="unannounced"), case("8", "1/b/2/", channel="unannounced", reworks=1),
]  # fmt: skip


def assessed(facts: Path, history: list[Ranking] | None = None) -> Assessed:
    return worked_out(facts, MONTH, history=HISTORY if history is None else history, seed=SEED)


def rows(table: Any, *keys: str) -> dict[Any, dict[str, Any]]:
    return {tuple(row[key] for key in keys): row for row in table.to_pylist()}


def test_a_town_from_its_cases_to_its_place_as_by_hand(tmp_path: Path) -> None:
    made = assessed(lay(tmp_path / "facts", cases=CASES))
    scores = rows(made.tables["scores"], "area_path", "node")
    # a: 2 of 4 cured: 50. 1 of 4 again: 25 % of goalposts 50 to 0: 50. H = (2·50 + 50) / 3 = 50. 1 of 2 in time: 50.
    nodes = ("cured", "again", "H", "prompt", "T", "small")
    assert [scores["1/a/", node]["score"] for node in nodes] == pytest.approx([50] * 6, abs=1e-12)
    # b: 2 of 4 cured: 50; none again: 100; H = 200/3; T = 100; the whole = (3·200/3 + 100) / 4 = 75.
    assert scores["1/b/", "small"]["score"] == pytest.approx(75, abs=1e-12)
    # c has no case at all: nothing to divide by is good.
    assert scores["1/c/", "small"]["score"] == pytest.approx(100, abs=1e-12)
    assert scores["1/b/", "cured"]["weight"] == pytest.approx(0.5, abs=1e-15)
    assert scores["1/b/", "cured"]["points"] == pytest.approx(25, abs=1e-12)
    lines = rows(made.tables["lines"], "area_path", "rule")
    # b was found out twice, once not put right: 0.5 + 2 · 0.5; and fell from the first place to the second. c rose to
    # the first, but 100 is all there is.
    assert {key: row["points"] for key, row in lines.items() if len(key[0]) == 4} == pytest.approx(
        {("1/b/", "found"): -1.5, ("1/b/", "last"): -1.0, ("1/c/", "last"): 1.0, ("1/c/", "ceiling:small_rules"): -1.0}
    )
    assert [each["id"] for each in json.loads(lines["1/b/", "found"]["why"])] == ["7", "8"]
    ranks = rows(made.tables["ranks"], "area_path", "peer")
    towns = [ranks[f"1/{town}/", "township"] for town in "abc"]
    assert [town["score"] for town in towns] == pytest.approx([50.0, 72.5, 100.0], abs=1e-12)
    assert [(town["rank"], town["band"]) for town in towns] == [(3, "red"), (2, "yellow"), (1, "green")]


def test_values_and_places_say_what_few_cases_leave_open(tmp_path: Path) -> None:
    made = assessed(lay(tmp_path / "facts", cases=CASES))
    values = rows(made.tables["values"], "area_path", "indicator")
    one = values["1/a/", "cured"]
    assert (one["numerator"], one["denominator"], one["value"]) == (2.0, 4.0, 50.0)
    assert 0 < one["low"] < 20
    assert 80 < one["high"] < 100
    towns = [row for row in made.tables["ranks"].to_pylist() if row["peer"] == "township"]
    assert all(row["rank_low"] <= row["rank"] <= row["rank_high"] for row in towns)
    assert any(row["rank_low"] < row["rank_high"] for row in towns)


def test_the_points_of_leaves_and_the_lines_sum_to_the_final_score(tmp_path: Path) -> None:
    made = assessed(lay(tmp_path / "facts", cases=invented(7)))
    scores, lines = made.tables["scores"].to_pylist(), made.tables["lines"].to_pylist()
    leaves = {indicator.key for indicator in made.spec.indicators}
    for area, final in made.final.items():
        parts = [row["points"] for row in scores if row["area_path"] == area and row["node"] in leaves]
        parts += [row["points"] for row in lines if row["area_path"] == area]
        assert final == pytest.approx(sum(parts), abs=1e-9)


def test_of_a_town_in_which_nothing_happened_yet_tables_without_a_file_are_empty(tmp_path: Path) -> None:
    made = assessed(lay(tmp_path / "facts", cases=CASES[:1]), [])
    assert made.tables["signals"].num_rows > 0
    assert {row["signal"] for row in made.tables["signals"].to_pylist()} <= {each.key for each in made.spec.signals}


# ---------------------------------------------------------------- frozen, and worked out again


def kept_of(tmp_path: Path, seed: int) -> Edition:
    return frozen(tmp_path, invented(seed), MONTH, history=HISTORY, seed=SEED)


@pytest.mark.parametrize("seed", range(5))
def test_from_what_an_edition_keeps_alone_the_same_bits_come_again(seed: int, tmp_path: Path) -> None:
    kept = kept_of(tmp_path, seed)
    with catalogue.using([]):
        again = replaying.replay(edition.read(kept.folder))
    assert again.differences == ()
    assert again.result_sha256 == kept.manifest.result_sha256


def test_the_order_of_rows_in_a_file_and_of_files_changes_no_bit(tmp_path: Path) -> None:
    first = assessed(lay(tmp_path / "one", cases=invented(3)))
    other = assessed(lay(tmp_path / "two", cases=reversed(invented(3))))
    assert digest.of_tables(first.tables) == digest.of_tables(other.tables)


def test_one_case_more_in_the_kept_facts_is_not_worked_with_but_refused(tmp_path: Path) -> None:
    kept = kept_of(tmp_path, 1)
    path = kept.facts / "cases/month=2026-10/part-0.parquet"
    pq.write_table(pq.read_table(path).slice(1), tmp_path / "less.parquet")
    (tmp_path / "less.parquet").replace(path)
    with pytest.raises(edition.Spoilt, match="part-0"):
        replaying.replay(kept)


def test_a_result_that_was_changed_together_with_its_digest_is_found_by_working_it_out(tmp_path: Path) -> None:
    kept = kept_of(tmp_path, 1)
    tables = kept.tables()
    better = tables["ranks"].to_pylist()
    better[0]["score"] += 1e-12
    tables["ranks"] = type(tables["ranks"]).from_pylist(better, edition.SCHEMAS["ranks"])
    pq.write_table(tables["ranks"], kept.folder / "ranks.parquet")
    said = kept.manifest.model_copy(update={"result_sha256": digest.of_tables(tables)})
    (kept.folder / "manifest.json").write_text(said.model_dump_json(), encoding="utf-8")
    again = replaying.replay(edition.read(kept.folder))
    [found] = again.differences
    assert (found.table, found.row, found.column) == ("ranks", 0, "score")
