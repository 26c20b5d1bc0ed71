"""The examples that an indicator carries are counted when somebody checks what is declared, not at every start."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from anlan.kernel.catalogue import PACKAGE, Catalogue
from anlan.presentation import checks

INDICATOR = """
key = "fires"
title = {{ zh = "火灾隐患起数", en = "Fire hazards" }}
summary = {{ zh = "本月立案的火灾隐患。", en = "Fire hazards of the month." }}
department = "fire"
unit = {{ zh = "起", en = "cases" }}
better = "down"
basis = {{ source = "x", mark = "U", checked_on = 2026-11-22 }}
numerator = {{ table = "cases", where = "topic_root = 'fire' and {where}", date = "opened_date" }}
score = {{ method = "goalposts", low = 9.0, high = 0.0 }}
[[examples]]
period = "2026-10"
rows = [{{ area_path = "1/", topic_root = "fire", valid = true, opened_date = 2026-10-03 }}]
value = {value}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A folder with the tables of facts alone, so that nothing else is tried."""
    shutil.copytree(PACKAGE / "facts/tables", tmp_path / "pack/tables")
    (tmp_path / "pack/indicators").mkdir()
    return tmp_path / "pack"


def declared(pack: Path, *, where: str = "valid", value: float = 1.0) -> Catalogue:
    (pack / "indicators/fires.toml").write_text(INDICATOR.format(where=where, value=value), encoding="utf-8")
    return Catalogue([pack])


def test_an_example_that_comes_out_as_it_says_is_no_problem(pack: Path) -> None:
    assert checks.problems(declared(pack)) == []


def test_an_example_that_comes_out_otherwise_is_told_with_its_file(pack: Path) -> None:
    [problem] = checks.problems(declared(pack, value=2.0))
    assert (str(problem.path), problem.field) == ("pack/indicators/fires.toml", "examples[0].value")
    assert "1" in problem.sentence.en


def test_a_start_does_not_count_examples_again(pack: Path) -> None:
    checks.refuse_problems(declared(pack, value=2.0))


def test_examples_are_not_tried_of_what_does_not_fit(pack: Path) -> None:
    found = checks.problems(declared(pack, where="nothing_of_the_kind", value=2.0))
    assert found
    assert not any(problem.field.startswith("examples") for problem in found)
