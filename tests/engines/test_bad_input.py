"""What cannot be counted is refused in a sentence that names the file and the key, and nothing comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anlan.index.counting import coverage, examples, period
from anlan.index.counting.coverage import HalfImported, OverNothing
from anlan.index.counting.duckdb_engine import DuckDB, over_tables
from anlan.index.counting.fitting import strangers
from anlan.index.counting.given import NoSuchArea
from anlan.index.counting.indicator import Indicator
from anlan.index.counting.run import NoFacts, count
from anlan.index.scoring.panel import Panel, Status
from anlan.index.scoring.spec import INDICES, Coverage, IndexSpec
from anlan.kernel import catalogue
from engine_cases import FIRE, OPENED, RESIDENTS
from invented_facts import TABLES, indicator, table, tables

OCTOBER = period.read("2026-10")
SPLIT = [
    {"path": "1/", "code": "1", "level": "county", "valid_from": date(2020, 1, 1)},
    {"path": "1/a/", "code": "a", "level": "township", "valid_from": date(2020, 1, 1), "valid_to": date(2025, 7, 1)},
    {"path": "1/b/", "code": "b", "level": "township", "valid_from": date(2025, 7, 1)},
    {"path": "1/c/", "code": "c", "level": "township", "valid_from": date(2025, 7, 1)},
]
RATE = indicator("rate", FIRE, RESIDENTS, per=10000)


def residents(path: str, name: str, day: date, value: float = 100.0) -> dict[str, Any]:
    return {"area_path": path, "figure": "residents", "period": name, "period_date": day, "value": value,
            "version": 1, "current": True}  # fmt: skip


def fires(*days: int, path: str = "1/b/") -> list[dict[str, Any]]:
    return [
        {"area_path": path, "topic_root": "fire", "valid": True, "opened_date": date(2026, 10, day)} for day in days
    ]


@pytest.fixture
def split() -> Iterator[DuckDB]:
    """A county whose one town was split in two last year; one more fire in the town before that."""
    facts = tables(fires(1, 2), [])
    old = {"area_path": "1/a/", "topic_root": "fire", "valid": True, "opened_date": date(2025, 6, 1)}
    facts |= {"areas": table("areas", SPLIT), "cases": table("cases", [*fires(1, 2), old])}
    with over_tables(facts) as engine:
        yield engine


def test_a_figure_for_an_area_that_was_split_before_is_refused_with_those_there_are_now(split: DuckDB) -> None:
    split.add("statistics", table("statistics", [residents("1/a/", "2025", date(2025, 12, 31))]))
    with pytest.raises(NoSuchArea) as refused:
        count([RATE], split, [OCTOBER], TABLES)
    assert "statistics/1/a//2025：指标“rate”" in refused.value.text.zh
    assert "自 2025-07-01 起已撤销，现为 1/b/、1/c/" in refused.value.text.zh
    assert "closed on 2025-07-01; now there are 1/b/, 1/c/" in refused.value.text.en


def test_a_figure_from_before_the_split_holds_for_nobody_now(split: DuckDB) -> None:
    split.add("statistics", table("statistics", [residents("1/a/", "2024", date(2024, 12, 31))]))
    panel = count([RATE], split, [OCTOBER], TABLES).panel
    assert panel.units == ("1/", "1/b/", "1/c/")
    assert np.isnan(panel.value).all()
    assert (panel.status == Status.MISSING).all()


def test_what_happened_before_the_split_still_counts_for_the_county(split: DuckDB) -> None:
    split.add("statistics", table("statistics", [residents("1/", "2025", date(2025, 12, 31), 1000.0)]))
    panel = count([indicator("fires", FIRE, window="year")], split, [period.read("2025-12")], TABLES).panel
    assert dict(zip(panel.units, panel.value[:, 0, 0], strict=True)) == {"1/": 1.0, "1/b/": 0.0, "1/c/": 0.0}


def test_a_figure_for_no_area_is_refused(split: DuckDB) -> None:
    split.add("statistics", table("statistics", [residents("9/", "2025", date(2025, 12, 31))]))
    with pytest.raises(NoSuchArea, match="没有这个辖区"):
        count([RATE], split, [OCTOBER], TABLES)


def test_a_table_without_facts_is_refused() -> None:
    with over_tables({}) as engine, pytest.raises(NoFacts, match="没有“cases”这张表"):
        count([indicator("fires", FIRE)], engine, [OCTOBER], TABLES)


def found(made: Indicator) -> dict[str, str]:
    return {key: reason.en for key, reason in strangers(made, TABLES)}


@pytest.mark.parametrize(
    ("numerator", "denominator", "key", "said"),
    [
        (FIRE, OPENED | {"table": "populace"}, "denominator.table", "no fact table “populace”"),
        (FIRE | {"where": "topic_rot = 'fire'"}, None, "numerator.where", "did you mean “topic_root”?"),
        (FIRE | {"where": "returns = 'three'"}, None, "numerator.where", "compares a number with words"),
        (FIRE | {"measure": "sum", "column": "topic"}, None, "numerator.column", "“topic” is no number"),
        (FIRE | {"measure": "sum", "column": "retruns"}, None, "numerator.column", "did you mean “returns”?"),
        (FIRE | {"date": "topic"}, None, "numerator.date", "“topic” is no date"),
        (FIRE | {"date": ""}, None, "numerator.date", "Say by which `date`"),
        ({"table": "sites", "date": "active"}, None, "numerator.date", "it takes no `date`"),
        ({"table": "sites", "where": "active = 1"}, None, "numerator.where", "compares true or false with a number"),
    ],
)
def test_an_indicator_that_does_not_fit_its_tables_is_told_with_its_key(
    numerator: Any, denominator: Any, key: str, said: str
) -> None:
    assert said in found(indicator("wrong", numerator, denominator))[key]


def test_good_needs_to_know_what_good_is() -> None:
    made = indicator("wrong", FIRE, OPENED, zero_denominator="good")
    assert "Give goalposts" in found(made)["zero_denominator"]


@pytest.mark.parametrize(
    ("rule", "value", "status"),
    [
        ("missing", np.nan, Status.MISSING),
        ("zero", 0.0, Status.SET),
        ("good", 2.0, Status.SET),
        ("bad", 9.0, Status.SET),
    ],
)
def test_a_denominator_of_nothing_is_what_the_indicator_says(rule: str, value: float, status: Status) -> None:
    score = {"method": "goalposts", "low": 9.0, "high": 2.0}
    none = OPENED | {"where": "topic_root = 'nothing'"}
    made = indicator("rate", FIRE, none, zero_denominator=rule, score=score)
    with over_tables({"cases": table("cases", fires(1))}) as engine:
        panel = count([made], engine, [OCTOBER], TABLES).panel
    np.testing.assert_equal(panel.value[0, 0, 0], value)
    assert panel.status[0, 0, 0] == status


def test_an_example_that_comes_out_otherwise_is_told() -> None:
    example = {"period": "2026-10", "rows": fires(1, 2), "value": 3.0}
    told = examples.strangers(indicator("fires", FIRE, examples=[example]), TABLES)
    assert [(key, reason.en) for key, reason in told] == [("examples[0].value", "These rows give 2, not 3.")]


def half(**rule: Any) -> IndexSpec:
    spec = next(iter(catalogue.current().all(INDICES).values()))
    return spec.model_copy(update={"key": "peace", "coverage": Coverage(**rule)})


def test_a_month_half_imported_is_refused_or_its_indicators_are_missing(tmp_path: Path) -> None:
    made = [indicator("fires", FIRE), indicator("people", RESIDENTS)]
    facts = tables(fires(*range(1, 11)), [residents("1/", "2026-10", OCTOBER.last)])
    facts["areas"] = table("areas", SPLIT[:1] + SPLIT[2:])
    with over_tables(facts) as engine:
        counted = count(made, engine, [OCTOBER], TABLES)
        with pytest.raises(HalfImported) as refused:
            coverage.hold(half(tables={"cases": 0.9}), made, counted, engine, TABLES, [OCTOBER])
        missing = coverage.hold(half(tables={"cases": 0.9}, short="missing"), made, counted, engine, TABLES, [OCTOBER])
        whole = coverage.hold(half(tables={"cases": 0.3}), made, counted, engine, TABLES, [OCTOBER])
    assert "peace: coverage.tables.cases" in refused.value.text.zh
    assert "31 天中只有 10 天" in refused.value.text.zh
    assert "on 10 of the 31 days of 2026-10" in refused.value.text.en
    assert np.isnan(missing.value[:, 0, 0]).all()
    assert missing.value[0, 0, 1] == 100.0
    np.testing.assert_array_equal(whole.value, counted.panel.value)


# ---------------------------------------------------------------- figures given in part

GIVEN = [
    indicator("calls", {"table": "statistics", "measure": "given", "where": "figure = 'calls'"}),
    indicator("thefts", {"table": "statistics", "measure": "given", "where": "figure = 'thefts'"}),
    RATE,
]
ASKED: dict[str, Any] = {"figures": {"county": 1.0, "township": 1.0}, "again": 0.9}


def told(figure: str, path: str, month: int = 10, value: float = 0.0) -> dict[str, Any]:
    row = residents(path, f"2026-{month:02}", period.read(f"2026-{month:02}").last, value)
    return row | {"figure": figure}


def held(rows: list[dict[str, Any]], **rule: Any) -> Panel:
    """What the indicators come to in October, if the figures are all there."""
    population = [residents(path, "2025", date(2025, 12, 31)) for path in ("1/b/", "1/c/")]
    facts = tables([], []) | {"areas": table("areas", SPLIT), "statistics": table("statistics", [*population, *rows])}
    with over_tables(facts) as engine:
        counted = count(GIVEN, engine, [OCTOBER], TABLES)
        return coverage.hold(half(**rule), GIVEN, counted, engine, TABLES, [OCTOBER])


BOTH = [told(figure, path) for figure in ("calls", "thefts") for path in ("1/b/", "1/c/")]
BEFORE = [told(figure, path, 9) for figure in ("calls", "thefts") for path in ("1/b/", "1/c/")]


def test_a_figure_of_one_town_and_not_of_the_other_is_refused_with_file_key_and_area() -> None:
    with pytest.raises(HalfImported) as refused:
        held(BOTH[:3], **ASKED)
    assert refused.value.field == "coverage.figures.township"
    assert refused.value.text.zh == (
        "peace: coverage.figures.township：2026-10 的统计数只到了一部分：thefts.numerator（figure = 'thefts'）："
        "township 一级 2 个辖区中只有 1 个有数（50%），少于声明的 100%，缺 1/c/。请补报（没有发生的报 0）后再算。"
    )
    assert "thefts.numerator（figure = 'thefts'）: 1 of 2 areas of the level township have one" in refused.value.text.en
    assert "lacking: 1/c/. Bring in the rest first" in refused.value.text.en


def test_figures_of_the_month_before_of_which_some_are_not_told_again_are_refused_by_name() -> None:
    with pytest.raises(HalfImported) as refused:
        held([*BEFORE, *BOTH[:2]], **ASKED)
    assert refused.value.field == "coverage.again"
    assert (
        "2026-09 报过的 2 项中，本期只报了 1 项（50%），少于声明的 90%，缺 1 项：thefts.numerator"
        in refused.value.text.zh
    )
    assert "of the 2 given for 2026-09, 1 were given again" in refused.value.text.en


@pytest.mark.parametrize("rows", [[*BEFORE, *BOTH], BOTH, BEFORE, [told("calls", "1/"), *BOTH[2:]]])
def test_figures_told_whole_or_not_at_all_or_for_the_county_alone_are_worked_out(rows: list[dict[str, Any]]) -> None:
    panel = held(rows, **ASKED)
    np.testing.assert_array_equal(panel.value, held(rows).value)
    assert not np.isnan(panel.value[1:, 0, 2]).any()  # the residents of last year hold still


def test_if_the_index_says_so_only_the_figures_told_in_part_are_missing() -> None:
    panel = held(BOTH[:3], **ASKED, short="missing")
    assert np.isnan(panel.value[:, 0, 1]).all()
    assert (panel.status[:, 0, 1] == Status.MISSING).all()
    assert panel.value[:, 0, 0].tolist() == [0.0, 0.0, 0.0]


def test_something_over_a_given_figure_of_nothing_is_refused_with_file_key_and_area() -> None:
    none = [residents(path, "2025", date(2025, 12, 31), 0.0) for path in ("1/b/", "1/c/")]
    facts = tables(fires(1, 2), none) | {"areas": table("areas", SPLIT)}
    with over_tables(facts) as engine:
        counted = count([RATE], engine, [OCTOBER], TABLES)
        with pytest.raises(OverNothing) as refused:
            coverage.hold(half(over_nothing="refuse"), [RATE], counted, engine, TABLES, [OCTOBER])
        panel = coverage.hold(half(), [RATE], counted, engine, TABLES, [OCTOBER])
    assert "rate.denominator（figure = 'residents'）：1/ 2026-10 的分母是 0，分子却是 2" in refused.value.text.zh
    assert "for 1/ in 2026-10 it is 0, and the numerator 2: they cannot be divided; 1 more" in refused.value.text.en
    assert np.isnan(panel.value).all()  # as the indicator itself says
