"""What a reviewer marks: each flag is raised by data made for it, and correlations are those of the books."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from anlan.index.scoring.audit import Checked, audit, correlations, cronbach
from anlan.index.scoring.composite import score
from anlan.index.scoring.framework import framework
from anlan.index.scoring.panel import of_values
from anlan.index.scoring.spec import IndexSpec

NAN = float("nan")
COMMON, OTHER, *NOISES = np.random.default_rng(3).normal(size=(8, 200))


def checked(columns: dict[str, tuple[str, Any]], **more: Any) -> dict[str, Checked]:
    titles = {key: {"zh": key, "en": key} for key in ("i", "a", "b", *columns)}
    spec = IndexSpec.model_validate({
        "key": "i", "title": titles["i"], "basis": {"source": "test", "mark": "U", "checked_on": "2026-11-22"},
        "heads": [{"key": key, "title": titles[key]} for key in "ab"],
        "columns": [{"key": key, "title": titles[key], "parent": parent} for key, (parent, _) in columns.items()],
        **more,
    })  # fmt: skip
    values = np.stack([column for _, column in columns.values()], axis=1)[:, None, :]
    panel = of_values(values, units=[f"u{row}" for row in range(200)], periods=["p"], columns=list(columns))
    return {each.key: each for each in audit(score(framework(spec), panel), "p")}


def test_each_flag_is_raised_by_what_it_is_for() -> None:
    gaps = np.where(np.arange(200) % 2 == 0, NAN, COMMON)
    rare = np.zeros(200)
    rare[:3] = [1.0, 2.0, 90.0]
    found = checked({
        "fine": ("a", COMMON + 0.5 * NOISES[1]), "fine2": ("a", COMMON + 0.5 * NOISES[2]),
        "against": ("a", -COMMON + 0.5 * NOISES[3]), "gaps": ("a", gaps), "rare": ("a", rare),
        "same": ("b", OTHER), "same2": ("b", OTHER + 0.01 * NOISES[4]), "flat": ("b", np.ones(200)),
        "stray": ("b", 0.9 * COMMON + 0.3 * NOISES[5]),
    })  # fmt: skip
    raised = {key: set(each.flags) for key, each in found.items()}
    assert "coverage" in raised["gaps"]
    assert {"zeros", "outliers"} <= raised["rare"]
    assert "against" in raised["against"]
    assert "constant" in raised["flat"]
    assert "stray" in raised["stray"]
    alike = checked({"same": ("a", OTHER), "same2": ("a", OTHER + 0.01 * NOISES[0]), "c": ("b", COMMON)})
    assert "same" in alike["same"].flags
    assert "alpha" in raised["a"]
    assert not raised["fine"] & {"coverage", "zeros", "outliers", "constant", "stray", "same", "against"}
    assert found["gaps"].coverage == 0.5


def test_effective_weights_sum_to_one_and_favour_what_makes_the_index_vary() -> None:
    found = checked(
        {"loud": ("a", 50 + 12 * COMMON), "quiet": ("a", 50 + 1 * OTHER), "c": ("b", 50 + 5 * OTHER)},
        score={"low": 0.0, "high": 100.0},
    )
    leaves = [found[key] for key in ("loud", "quiet", "c")]
    assert sum(each.effective for each in leaves) == pytest.approx(1)
    assert found["loud"].effective > 10 * found["quiet"].effective
    assert "weight" in found["quiet"].flags
    assert found["loud"].nominal == found["quiet"].nominal == 0.25


def test_correlations_are_those_over_the_units_that_both_have() -> None:
    rows = np.stack([COMMON, np.where(np.arange(200) < 40, NAN, COMMON + 1.0 * NOISES[0]), OTHER, np.ones(200)])
    found = correlations(rows)
    here = slice(40, None)
    assert found[0, 1] == pytest.approx(stats.pearsonr(COMMON[here], rows[1, here]).statistic)
    assert found[0, 2] == pytest.approx(stats.pearsonr(COMMON, OTHER).statistic)
    assert np.isnan(found[3]).all()
    assert correlations(rows, by="rank")[0, 2] == pytest.approx(stats.spearmanr(COMMON, OTHER).statistic)


def test_cronbach_s_alpha_of_parallel_parts_follows_spearman_and_brown() -> None:
    parts = np.stack([COMMON, COMMON, COMMON])
    assert cronbach(parts) == pytest.approx(1)
    x, y = COMMON, OTHER - COMMON * np.cov(COMMON, OTHER)[0, 1] / COMMON.var(ddof=1)
    assert cronbach(np.stack([x, y])) == pytest.approx(0, abs=1e-9)
    assert np.isnan(cronbach(parts[:1]))
