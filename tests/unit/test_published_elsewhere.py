"""The two indices that cities published, as declared: worked out against a hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anlan.index.counting.period import read as period
from anlan.index.editions import assessment
from anlan.index.editions.assessment import spec_of
from anlan.index.scoring.composite import score
from anlan.index.scoring.framework import framework
from anlan.index.scoring.panel import of_values
from anlan.index.scoring.spec import INDICES
from anlan.kernel import catalogue
from index_pack import lay


def told(figure: str, value: float, area: str, on: str = "2026-10-T2") -> dict[str, Any]:
    row = {"figure": figure, "area_path": area, "period": on, "version": 1, "current": True, "unit": "", "source": ""}
    return row | {"period_date": period(on).last, "value": value}


def test_ten_days_of_calls_with_a_death_by_fire_as_by_hand(tmp_path: Path) -> None:
    rows = [
        told("实有人口", 50_000.0, "1/a/", "2025"),
        told("违法犯罪警情数", 40.0, "1/a/"),
        told("火灾警情数", 2.0, "1/a/"),
        told("交通事故警情数", 10.0, "1/a/"),
        told("火灾死亡人数", 2.0, "1/a/"),
    ]
    spec = spec_of(catalogue.current(), "ten_day_calls")
    with assessment.opened(lay(tmp_path, statistics=rows), spec.tables) as engine:
        made = assessment.assess(spec, engine, period("2026-10-T2"))
    # 8 of 20 calls per 10,000: 60 points; 0.4 of 2: 80; 2 of 10: 80. 0.6 · 60 + 0.2 · 80 + 0.2 · 80 = 68. Two died: −2.
    town = made.scored.units.index("1/a/")
    assert made.scored.index[town, 0] == pytest.approx(68)
    assert made.final["1/a/"] == pytest.approx(66)
    [row] = [row for row in made.tables["ranks"].to_pylist() if row["area_path"] == "1/a/"]
    assert (row["peer"], row["band"]) == ("towns", "yellow")
    assert date(2026, 10, 11) in made.period


def test_fourteen_heads_of_equal_weight_are_their_mean() -> None:
    frame = framework(catalogue.current().get(INDICES, "fourteen_heads"))
    keys = [leaf.key for leaf in frame.leaves]
    assert len(keys) == 14
    values = np.arange(28.0).reshape(2, 1, 14) + 60
    scored = score(frame, of_values(values, units=["甲", "乙"], periods=["2026-10"], columns=keys))
    assert scored.index[:, 0] == pytest.approx(values[:, 0].mean(axis=1))
