"""The index in a notebook: tables in, tables out, without Django and without a town."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import anlan.index as ix
from anlan.index.scoring.frames import NoSuchColumn, Repeated
from anlan.kernel.catalogue import DeclarationError

SPEC: dict[str, Any] = {
    "key": "i", "title": {"zh": "i", "en": "i"},
    "basis": {"source": "test", "mark": "U", "checked_on": "2026-11-22"},
    "heads": [{"key": "a", "title": {"zh": "a", "en": "a"}}],
    "columns": [
        {"key": "x", "title": {"zh": "x", "en": "x"}, "parent": "a"},
        {"key": "y", "title": {"zh": "y", "en": "y"}, "parent": "a", "denominator": "people", "better": "down"},
        {"key": "z", "title": {"zh": "z", "en": "z"}},
    ],
    "score": {"low": 0.0, "high": 10.0},
    "ranking": {"peers": [{"key": "sort", "title": {"zh": "s", "en": "s"}, "by": ["sort"]}]},
}  # fmt: skip
SPEC["columns"][1]["score"] = {"low": 1.0, "high": 0.0}
TABLE = pd.DataFrame({
    "town": ["n", "n", "m", "m", "o", "o"], "year": [2020, 2021] * 3, "x": [1.0, 2, 4, 4, 9, np.nan],
    "y": [5, 5, 10, 0, 2, 2], "people": [10] * 6, "z": [3, 3, 6, 5, 8, 8], "sort": ["s", "s", "t", "t", "t", "t"],
})  # fmt: skip


def made() -> ix.Scores:
    return ix.score(SPEC, TABLE, unit="town", period="year")


def test_a_table_gives_a_table_of_scores_a_row_a_unit_and_period() -> None:
    found = made().scores
    assert list(found.columns) == ["i", "a", "x", "y", "z"]
    assert found.loc[("n", "2021"), "a"] == pytest.approx((20 + 50) / 2)
    assert found.loc[("m", "2020"), "i"] == pytest.approx(((40 + 0) / 2 + 60) / 2)
    assert found.loc[("o", "2021"), "a"] == pytest.approx(80)


def test_parts_sum_to_the_change_and_gaps_have_a_line_of_their_own() -> None:
    found = made().explain("2020", "2021")
    assert found.loc["n"].to_dict() == pytest.approx({"change": 2.5, "x": 2.5, "y": 0, "z": 0, "(a)": 0})
    assert found.drop(columns="change").sum(axis=1).tolist() == pytest.approx(found["change"].tolist())
    assert "o" in found.index
    notes = made().notes
    assert notes.loc[notes["what"] == "reweighted", ["key", "period", "units"]].values.tolist() == [["a", "2021", 1]]


def test_ranks_are_among_peers_and_two_units_are_compared_part_by_part() -> None:
    found = made()
    assert found.ranks("2020", peers="sort")["rank"].to_dict() == {"n": 1, "o": 1, "m": 2}
    assert found.compare("m", "o", "2020").sum() == pytest.approx(2 * found.compare("m", "o", "2020")["change"])
    assert found.weights("2021").loc["o", ["x", "y", "z"]].tolist() == [0, 0.5, 0.5]
    assert found.lost("2020").loc["m", "x"] == pytest.approx(15)


def test_how_sure_what_matters_and_what_if_left_out_are_tables_too() -> None:
    values = np.random.default_rng(1).uniform(0, 10, size=(20, 3))
    table = pd.DataFrame(values, columns=["x", "y", "z"]).assign(people=10.0, sort="s")
    found = ix.score(SPEC, table)
    told = ix.Scenarios(replications=100, ends=0.1)
    sure = found.sureness(told)
    assert (sure["low"] <= sure["nominal"]).mean() > 0.8
    assert list(found.matters(told, rows=16).index) == ["ends", "weights"]
    assert found.left_out().shape == (20, 3)
    assert found.audit().loc["a", "nominal"] == 0.5
    assert found.scores.shape == (20, 5)


def test_an_index_is_read_by_key_from_a_file_or_from_what_it_says(tmp_path: Path) -> None:
    assert ix.read("hdi").title.en == "Human Development Index"
    path = tmp_path / "mine.toml"
    path.write_text('key = "mine"\ntitel = { zh = "我", en = "mine" }\n')
    with pytest.raises(DeclarationError, match="titel"):
        ix.read(path)


def test_tables_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(NoSuchColumn, match="did you mean “town”"):
        ix.score(SPEC, TABLE, unit="towm")
    with pytest.raises(Repeated, match="“n” stands twice"):
        ix.score(SPEC, TABLE, unit="town")


def test_neither_django_nor_pandas_is_needed_to_import_the_layer() -> None:
    asked = "import sys, anlan.index.scoring.composite; print('django' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    asked = "import anlan.index as ix, sys; ix.score; print('django' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )
