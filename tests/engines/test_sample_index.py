"""Every sample indicator, counted over a town's facts, is what its own plain SQL says, area by area, on each engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

import counted_town
from anlan.facts.table import TABLES
from anlan.index.counting import duckdb_engine, period, spark_engine
from anlan.index.counting.examples import strangers
from anlan.index.counting.indicator import INDICATORS, Indicator
from anlan.index.counting.run import Engine, count
from anlan.index.scoring.panel import Panel, Status
from anlan.index.scoring.spec import INDICES
from anlan.kernel import catalogue
from answering import Answer, answers, of_export
from installation import Installations

AT, MONTHS = "2026-11-20T16:00:00+08:00", ("2026-09", "2026-10")
FOLDER = catalogue.PACKAGE / "index/indicators"
DECLARED = {key: each for key, each in catalogue.current().all(INDICATORS).items() if each.index == "peace_sample"}
KEYS = list(DECLARED)
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

Answers = Mapping[tuple[str, str], Mapping[str, Answer]]


@pytest.fixture(scope="module")
def facts(installations: Installations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The facts of a small town that was lived through."""
    folder, made = tmp_path_factory.mktemp("facts"), installations.make()
    made.python(counted_town.__file__, str(folder), AT)
    yield folder
    installations.remove(made)


@pytest.fixture(scope="module")
def told(facts: Path) -> Answers:
    """What the plain SQL of each indicator says of each month."""
    tables = of_export(facts)
    return {(key, name): answers(FOLDER / f"{key}.sql", tables, period=name) for key in KEYS for name in MONTHS}


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def panel(request: pytest.FixtureRequest, facts: Path) -> Panel:
    """All of them in one run of an engine."""
    with _over(request.param, facts) as engine:
        months = [period.read(name) for name in MONTHS]
        return count(DECLARED.values(), engine, months, catalogue.current().all(TABLES)).panel


def _over(engine: str, facts: Path) -> AbstractContextManager[Engine]:
    if engine == "duckdb":
        return duckdb_engine.over_folder(facts)
    return spark_engine.over_folder(facts, "local-cluster[2,1,1024]", {"spark.sql.shuffle.partitions": "2"})


@pytest.mark.parametrize("key", KEYS)
def test_an_indicator_is_what_its_plain_sql_says_of_every_area(key: str, panel: Panel, told: Answers) -> None:
    column = panel.columns.index(key)
    for at, name in enumerate(MONTHS):
        said = told[key, name]
        value = {unit: panel.value[place, at, column] for place, unit in enumerate(panel.units)}
        assert {unit for unit, each in value.items() if not math.isnan(each)} == said.keys(), name
        for unit, answer in said.items():
            assert value[unit] == pytest.approx(answer.value, rel=1e-9, abs=1e-9), (name, unit)
            said_parts = [math.nan if part is None else part for part in answer[:2]]
            parts = _parts(panel, unit, at, column)
            assert parts == pytest.approx(said_parts, rel=1e-9, abs=1e-9, nan_ok=True), (name, unit)


def _parts(panel: Panel, unit: str, at: int, column: int) -> list[float]:
    assert panel.numerator is not None
    assert panel.denominator is not None
    place = panel.units.index(unit)
    return [float(array[place, at, column]) for array in (panel.numerator, panel.denominator)]


def test_the_plain_sql_has_something_to_say_of_the_county_and_its_towns(told: Answers) -> None:
    [county] = {path for answer in told.values() for path in answer if path.count("/") == 1}
    silent = {key for key, answer in told.items() if county not in answer}
    assert len(silent) <= 0.05 * len(told), "in so small a town a rare thing may not happen in a month"
    towns = {(key, path) for (key, _), answer in told.items() for path in answer if path.count("/") == 2}
    assert len(towns) >= 0.9 * len(KEYS) * 3


def test_areas_differ_in_most_of_them(told: Answers) -> None:
    moving = {key for (key, _), answer in told.items() if len({round(each.value, 9) for each in answer.values()}) > 1}
    assert len(moving) >= 0.7 * len(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_engine_gives_what_its_examples_say(key: str) -> None:
    assert list(strangers(DECLARED[key], catalogue.current().all(TABLES))) == []
    assert DECLARED[key].examples


def test_a_small_share_is_drawn_to_the_county_and_says_so(panel: Panel) -> None:
    small = [each for each in DECLARED.values() if each.shrink_to == "county"]
    columns = [panel.columns.index(each.key) for each in small]
    status, county = panel.status[:, :, columns], _county(panel)
    assert panel.denominator is not None
    has_rate = panel.denominator[county][:, columns] > 0
    below = np.delete(status, county, axis=0)[:, has_rate]
    assert (below == Status.SHRUNK).any()
    assert not (below == Status.TOO_SMALL).any()


def _county(panel: Panel) -> int:
    return next(place for place, unit in enumerate(panel.units) if unit.count("/") == 1)


def test_all_indicators_of_the_index_are_here() -> None:
    assert len(KEYS) == 123
    assert isinstance(DECLARED["A1-01"], Indicator)
    assert catalogue.current().get(INDICES, "peace_sample").title.zh == "示例指标集"
