"""What a figure is made of: the rows that are shown are the very rows that were counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from anlan.facts.table import TABLES
from anlan.index.counting import behind, run
from anlan.index.counting.behind import NoRows
from anlan.index.counting.period import read as period
from anlan.index.editions.assessment import opened
from anlan.kernel import catalogue
from index_pack import lay
from invented_facts import cases, indicator, statistics

PERIODS = [period(name) for name in ("2026-02", "2026-Q3", "2026-08-T2")]
COUNTED = [
    indicator("plain", {"table": "cases", "where": "valid", "date": "opened_date"}),
    indicator(
        "share", {"table": "cases", "where": "closed_in_time", "date": "closed_date"},
        {"table": "cases", "where": "valid", "date": "closed_date"},
    ),
    indicator("rolling", {"table": "cases", "where": "returns > 0", "date": "opened_date"}, window="days:45"),
    indicator("year", {"table": "cases", "where": "repeat", "date": "opened_date"}, window="year"),
    indicator("to_date", {"table": "cases", "where": "", "date": "opened_date"}, window="year_to_date"),
    indicator("open", {"table": "cases", "measure": "stock", "where": "valid", "date": "opened_date",
                       "until": "closed_date"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented county of three towns and twelve villages."""
    return lay(tmp_path_factory.mktemp("facts"), cases=cases(900, seed=5), statistics=statistics(seed=5))


def test_as_many_rows_are_shown_as_were_counted_in_every_window_at_every_level(facts: Path) -> None:
    tables = catalogue.current().all(TABLES)
    many = 0
    for each in PERIODS:
        with opened(facts, tables) as engine:
            panel = run.count(COUNTED, engine, [each], tables).panel
        assert panel.numerator is not None
        assert panel.denominator is not None
        for path in ("1/", "1/a/", "1/a/1/"):
            unit = panel.units.index(path)
            for column, declared in enumerate(COUNTED):
                above = behind.rows(facts, tables, declared, path, each)
                assert above.count == panel.numerator[unit, 0, column], (declared.key, path, each.name)
                many += above.count
                if declared.denominator:
                    under = behind.rows(facts, tables, declared, path, each, "denominator")
                    rest = behind.rows(facts, tables, declared, path, each, "rest")
                    assert under.count == panel.denominator[unit, 0, column]
                    assert set(rest.cases) == set(under.cases) - set(above.cases)
    assert many > 500


def test_figures_are_shown_with_those_they_corrected(facts: Path) -> None:
    tables = catalogue.current().all(TABLES)
    told = {"table": "statistics", "measure": "given", "where": "figure = 'residents'", "carry": 24}
    found = behind.rows(facts, tables, indicator("people", told), "1/", period("2026-09"))
    versions = found.found["version"].to_pylist()
    assert max(versions) > 1
    assert set(found.found["current"].to_pylist()) == {True, False}
    assert found.cases == []
    assert max(found.found["period_date"].to_pylist()) <= date(2026, 9, 30)


def test_what_falls_short_is_told_only_where_both_parts_are_rows_of_one_table_and_date() -> None:
    assert [each.key for each in COUNTED if behind.can_tell_rest(each)] == ["share"]


def test_facts_that_are_not_kept_are_told(tmp_path: Path) -> None:
    with pytest.raises(NoRows, match="keeps no facts of “cases”"):
        behind.rows(tmp_path, catalogue.current().all(TABLES), COUNTED[0], "1/", PERIODS[0])
