"""Every measure in every window, counted by the engine for every area, beside the same counted row by row by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from anlan.index.counting import period
from anlan.index.counting.duckdb_engine import DuckDB, over_tables
from anlan.index.counting.run import count
from engine_cases import PLAIN
from invented_facts import TABLES, TREE, Plain, by_hand, cases, statistics, tables

ROWS = cases(3000, seed=4)
TOLD = statistics(seed=5)
PERIODS = ["2026-02", "2026-09", "2025-12-T2", "2026-10-T3", "2026-Q3", "2026", "2026-03-01"]


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDB]:
    with over_tables(tables(ROWS, TOLD)) as made:
        yield made


@pytest.mark.parametrize("plain", PLAIN, ids=lambda plain: plain.indicator.key)
@pytest.mark.parametrize("name", PERIODS)
def test_a_value_is_what_counting_by_hand_gives(plain: Plain, name: str, engine: DuckDB) -> None:
    asked = period.read(name)
    panel = count([plain.indicator], engine, [asked], TABLES).panel
    assert set(panel.units) == {path for path, _ in TREE}
    wanted = [by_hand(plain, ROWS, TOLD, path, asked) for path in panel.units]
    np.testing.assert_allclose(panel.value[:, 0, 0], wanted, rtol=1e-9, atol=1e-9)
    assert asked.kind == "day" or not all(map(math.isnan, wanted))


def test_many_indicators_over_many_months_are_counted_in_one_pass_a_date(engine: DuckDB) -> None:
    months = [period.read(f"2026-{month:02}") for month in range(1, 11)]
    counted = count([plain.indicator for plain in PLAIN], engine, months, TABLES)
    assert len(counted.found.cells) == 3
    for number, plain in enumerate(PLAIN):
        for at, month in enumerate(months):
            alone = count([plain.indicator], engine, [month], TABLES).panel
            np.testing.assert_array_equal(counted.panel.value[:, at, number], alone.value[:, 0, 0])
