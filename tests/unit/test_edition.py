"""Editions are folders: written whole or not at all, never changed, and every changed bit is found."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anlan.index.counting.period import read as period
from anlan.index.editions import digest, edition
from anlan.index.editions.edition import HISTORY, SCHEMAS, Facts, Manifest, NoEdition, SealMark, Spoilt, WrongState
from anlan.kernel.text import Text

AT = datetime(2026, 12, 3, 9, tzinfo=UTC)
ROWS: dict[str, list[dict[str, Any]]] = {
    "values": [
        {"area_path": "1/2/", "period": "2026-11", "indicator": "b", "numerator": 1.0, "denominator": None,
         "value": 1.0, "status": 0, "low": 0.1, "high": 4.7},
        {"area_path": "1/2/", "period": "2026-11", "indicator": "a", "numerator": None, "denominator": 0.0,
         "value": None, "status": 1, "low": None, "high": None},
    ],
    "scores": [{"area_path": "1/2/", "period": "2026-11", "node": "peace", "score": 91.5, "weight": 1.0,
                "points": 91.5}],
    "ranks": [{"area_path": "1/2/", "peer": "village", "score": 90.5, "rounded": 90.5, "rank": 1, "rank_low": 1,
               "rank_high": 2, "tied": True, "band": "green"}],
    "lines": [{"area_path": "1/2/", "rule": "x", "points": -1.0, "times": 2.0, "why": "[]"}],
    "signals": [{"area_path": "1/2/", "signal": "s", "raised": "quiet", "share": 0.1, "low": 0.0, "high": 0.3,
                 "above": 1.0, "below": 10.0}],
}  # fmt: skip


def tables() -> dict[str, Any]:
    return {name: edition.in_order(name, pa.Table.from_pylist(ROWS[name], SCHEMAS[name])) for name in SCHEMAS}


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """What an edition is written from: its tables, a declaration and a file of facts."""
    spec, facts = tmp_path / "spec", tmp_path / "facts"
    (spec / "indices").mkdir(parents=True)
    (spec / "indices/peace.toml").write_text('key = "peace"\n', encoding="utf-8")
    (facts / "cases/month=2026-11").mkdir(parents=True)
    pq.write_table(pa.table({"case": ["c"]}), facts / "cases/month=2026-11/part-0.parquet")
    (facts / "other").mkdir()
    (facts / "other/part-0.parquet").write_bytes(b"not counted")
    path = "cases/month=2026-11/part-0.parquet"
    manifest = Manifest(
        index="peace", period="2026-11", number=0, state="draft", title=Text(zh="平安指数", en="Peace Index"),
        spec_sha256=digest.of_folder(spec), facts=Facts(cut_off=AT, files={path: digest.of_file(facts / path)}),
        seed=7, seal=SealMark(number=3, chain="ab"), made_at=AT, made_by=5,
        result_sha256=digest.of_tables(tables()), history_sha256=digest.of_table(HISTORY.empty_table()),
        made_with={"numpy": "2"},
    )  # fmt: skip
    return {
        "root": tmp_path / "index",
        "manifest": manifest,
        "tables": {**tables(), "history": HISTORY.empty_table()},
        "spec": spec,
        "facts": facts,
    }


def test_an_edition_is_read_as_it_was_written(given: dict[str, Any]) -> None:
    made = edition.write(**given)
    assert made.folder == given["root"] / "peace/2026-11/1"
    found = edition.find(given["root"], "peace", "2026-11")
    assert found == made
    assert found.period == period("2026-11")
    assert [row["indicator"] for row in found.values().to_pylist()] == ["a", "b"]
    assert found.values(indicator="b").to_pylist() == [ROWS["values"][0]]
    assert found.ranks(area_path="1/").num_rows == 0
    assert found.manifest.seal == SealMark(number=3, chain="ab")
    assert sorted(path.name for path in found.folder.iterdir()) == sorted(
        ["manifest.json", "spec", "facts", "history.parquet", *(f"{name}.parquet" for name in SCHEMAS)]
    )
    found.check()


def test_only_the_facts_that_were_counted_are_kept_and_stay_when_the_month_is_restated(given: dict[str, Any]) -> None:
    made = edition.write(**given)
    source = given["facts"] / "cases/month=2026-11/part-0.parquet"
    part = source.with_suffix(".part")
    pq.write_table(pa.table({"case": ["c", "late"]}), part)
    part.replace(source)
    made.check()
    assert pq.read_table(made.facts / "cases/month=2026-11/part-0.parquet").num_rows == 1
    assert not (made.facts / "other").exists()


def test_a_correction_stands_beside_and_the_last_that_was_not_withdrawn_is_found(given: dict[str, Any]) -> None:
    root = given["root"]
    first, second = edition.write(**given), edition.write(**given)
    assert [each.manifest.number for each in edition.of_period(root, "peace", "2026-11")] == [1, 2]
    edition.move(second, "withdrawn", by=5, at=AT, why="mistaken")
    assert edition.find(root, "peace", "2026-11") == first
    assert edition.find(root, "peace", "2026-11", 2).manifest.withdrawn == edition.Deed(by=5, at=AT, why="mistaken")


def test_states_are_gone_through_in_order_and_nothing_else_is_written(given: dict[str, Any]) -> None:
    made = edition.write(**given)
    with pytest.raises(WrongState, match="cannot become published"):
        edition.move(made, "published", by=6, at=AT)
    before = {path.name: path.read_bytes() for path in made.folder.glob("*.parquet")}
    signed = edition.move(made, "signed", by=6, at=AT)
    out = edition.move(signed, "published", by=6, at=AT)
    assert {path.name: path.read_bytes() for path in made.folder.glob("*.parquet")} == before
    assert edition.published(given["root"], "peace") == {"2026-11": out}
    assert out.manifest.model_dump(exclude={"state", "signed", "published"}) == made.manifest.model_dump(
        exclude={"state", "signed", "published"}
    )
    with pytest.raises(WrongState):
        edition.move(out, "signed", by=6, at=AT)


@pytest.mark.parametrize("name", [("nothing", "2026-11"), ("peace", "2026-10"), ("..", "2026-11"), ("peace", "../x")])
def test_what_is_not_there_is_told(given: dict[str, Any], name: tuple[str, str]) -> None:
    edition.write(**given)
    for number in (None, 1):
        with pytest.raises(NoEdition, match="anlan index editions"):
            edition.find(given["root"], *name, number)


@pytest.mark.parametrize(
    "name", ["values.parquet", "spec/indices/peace.toml", "facts/cases/month=2026-11/part-0.parquet"]
)
def test_a_changed_file_is_found(given: dict[str, Any], name: str) -> None:
    made = edition.write(**given)
    path = made.folder / name
    if name == "values.parquet":
        rows = [{**row, "high": 4.700000000000001} if row["high"] else row for row in made.values().to_pylist()]
        pq.write_table(pa.Table.from_pylist(rows, SCHEMAS["values"]), path)
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(Spoilt, match="restore"):
        made.check()


@pytest.mark.parametrize("name", ["values", "history"])
def test_a_table_that_is_cut_or_gone_is_found_whoever_reads_it(given: dict[str, Any], name: str) -> None:
    made = edition.write(**given)
    path = made.folder / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:20])
    for _ in ("cut", "gone"):
        with pytest.raises(Spoilt, match=path.name):
            made.history() if name == "history" else made.table(name)
        path.unlink(missing_ok=True)


def test_a_manifest_that_cannot_be_read_is_told(given: dict[str, Any]) -> None:
    made = edition.write(**given)
    (made.folder / "manifest.json").write_text("{")
    with pytest.raises(Spoilt):
        edition.find(given["root"], "peace", "2026-11")


def test_what_cannot_be_written_whole_leaves_nothing(given: dict[str, Any]) -> None:
    del given["tables"]["lines"]
    with pytest.raises(KeyError):
        edition.write(**given)
    assert list((given["root"] / "peace/2026-11").iterdir()) == []


def test_editions_written_at_once_get_a_number_each(given: dict[str, Any]) -> None:
    writers = [threading.Thread(target=edition.write, kwargs=given) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [each.manifest.number for each in edition.every(given["root"])] == [1, 2, 3, 4, 5, 6]


def test_the_digest_tells_a_changed_bit_a_null_a_name_and_the_order_of_rows() -> None:
    def of(**columns: list[Any]) -> str:
        return digest.of_table(pa.table(columns))

    same = of(a=[1.0, None], b=["x", "y"])
    assert of(a=[1.0, None], b=["x", "y"]) == same
    others = [
        of(a=[1.0000000000000002, None], b=["x", "y"]),
        of(a=[1.0, 0.0], b=["x", "y"]),
        of(a=[None, 1.0], b=["y", "x"]),
        of(a=[1.0, None], b=["xy", ""]),
        of(a=[1.0, None], c=["x", "y"]),
    ]
    assert len({same, *others}) == 6
    assert of(a=[0.0]) != of(a=[-0.0])


def test_the_first_difference_is_named() -> None:
    kept = pa.table({"area": ["1/", "2/"], "score": [1.0, 2.0], "n": [1, 2]})
    assert digest.first_difference("t", kept, kept) is None
    found = pa.table({"area": ["1/", "2/"], "score": [1.0, 2.0000000000000004], "n": [1, 3]})
    told = digest.first_difference("t", kept, found)
    assert told == digest.Difference("t", 1, "n", 2, 3)
    assert digest.first_difference("t", kept, kept.slice(0, 1)).row == -1  # type: ignore[union-attr]
