"""The sample index: what it promises of itself, and that each figure's own SQL gives what a person gets by hand."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from anlan.index.counting.indicator import INDICATORS, Example, Indicator
from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.pairwise import weigh
from anlan.index.scoring.spec import INDICES, IndexSpec
from anlan.kernel import catalogue
from answering import answers, of_example

FOLDER = catalogue.PACKAGE / "index/indicators"
KEYS = sorted(path.stem for path in FOLDER.glob("*.sql"))
HEARD_OF = {"B1-07", "B1-08", "D1-05", "D2-02"}
"""The third-level indicators of the published index whose names are public."""


@pytest.fixture(scope="module")
def spec() -> IndexSpec:
    return catalogue.current().get(INDICES, "peace_sample")


@pytest.fixture(scope="module")
def indicators() -> dict[str, Indicator]:
    return {k: each for k, each in catalogue.current().all(INDICATORS).items() if each.index == "peace_sample"}


@pytest.fixture(scope="module")
def tree(spec: IndexSpec, indicators: dict[str, Indicator]) -> Framework:
    return framework(spec, indicators.values())


def test_there_are_8_heads_19_below_them_123_indicators_and_22_departments(
    spec: IndexSpec, indicators: dict[str, Indicator]
) -> None:
    first = [head.key for head in spec.heads if not head.parent]
    second = [head.key for head in spec.heads if head.parent in first]
    assert (len(first), len(second), len(first) + len(second)) == (8, 19, len(spec.heads))
    assert (len(indicators), len(spec.departments)) == (123, 22)
    assert sorted(indicators) == KEYS, "each has its plain SQL beside it"


def test_every_department_answers_for_something_and_every_head_has_indicators(
    spec: IndexSpec, indicators: dict[str, Indicator]
) -> None:
    assert {each.department for each in indicators.values()} == {each.key for each in spec.departments}
    assert {each.parent for each in indicators.values()} == {head.key for head in spec.heads if head.parent}
    assert all(each.key.startswith(f"{each.parent}-") for each in indicators.values())


def test_the_weights_hold_together_and_petitions_are_shown_without_being_scored(
    spec: IndexSpec, tree: Framework, indicators: dict[str, Indicator]
) -> None:
    [table] = spec.weights.pairwise
    assert weigh(table).ratio < 0.1
    assert tree.notes == ()
    assert sum(float(tree.nominal[place]) for place in tree.leaf_nodes) == pytest.approx(1, abs=1e-12)
    unscored = [each for each in indicators.values() if each.weight == 0]
    assert [each.key for each in unscored] == ["A2-01"]
    assert all(each.note is not None for each in unscored)


def test_every_mark_says_what_is_known(indicators: dict[str, Indicator]) -> None:
    marks = Counter(each.basis.mark for each in indicators.values())
    assert set(marks) == {"V2", "S", "U"}, "nobody has read the official list"
    assert {each.key for each in indicators.values() if each.basis.mark == "V2"} >= HEARD_OF
    for each in indicators.values():
        assert ("未核" in each.basis.source.zh) == (each.basis.mark == "U"), each.key


def test_what_anlan_does_not_record_comes_as_statistics_and_says_so(indicators: dict[str, Indicator]) -> None:
    for each in indicators.values():
        assert (each.standing == "statistics") == (each.numerator.table == "statistics"), each.key
        if each.standing == "statistics":
            assert each.absent == "missing", f"{each.key}: a figure nobody told is not zero"


def test_nothing_counts_kilometres_or_sign_ins_or_names_a_person(indicators: dict[str, Indicator]) -> None:
    told = {each.key: FOLDER.joinpath(f"{each.key}.toml").read_text("utf-8") for each in indicators.values()}
    barred = re.compile(r"里程|公里|登录|登陆|在线时长|重点人员|kilomet|sign-?ins?\b|log-?ins?\b", re.IGNORECASE)
    assert {key: barred.findall(text) for key, text in told.items() if barred.search(text)} == {}


@pytest.mark.parametrize("key", KEYS)
def test_the_plain_sql_of_an_indicator_gives_what_its_examples_say(key: str, indicators: dict[str, Indicator]) -> None:
    declared = indicators[key]
    assert declared.examples, f"{key} has no example"
    for example in declared.examples:
        assert _asked(declared, example) == pytest.approx(example.value, abs=1e-9)


def _asked(declared: Indicator, example: Example) -> float | None:
    found = answers(Path(FOLDER, f"{declared.key}.sql"), of_example(declared, example), period=example.period)
    row = found.get(example.area_path)
    return row.value if row else None
