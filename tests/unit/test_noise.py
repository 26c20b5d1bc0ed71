"""Rates of few events: their intervals, what they are drawn to, and how far places follow from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from anlan.index.scoring.framework import framework
from anlan.index.scoring.noise import NoCounts, Noise, NoLabel, draws, interval, shrunk
from anlan.index.scoring.panel import Panel, of_values
from anlan.index.scoring.spec import IndexSpec
from anlan.index.scoring.sure import nameable, sureness

SPEC: dict[str, Any] = {
    "key": "i", "title": {"zh": "i", "en": "i"},
    "basis": {"source": "test", "mark": "U", "checked_on": "2026-11-22"},
    "columns": [{"key": "fires", "title": {"zh": "f", "en": "f"}, "better": "down"}],
    "score": {"low": 20.0, "high": 0.0},
}  # fmt: skip


def floats(*values: float) -> Any:
    return np.array(values, dtype=float)


def test_the_interval_of_a_count_is_garwood_s() -> None:
    found = interval("poisson", floats(0, 3, 100), floats(1, 1, 1), level=0.95)
    assert found.low.tolist() == pytest.approx([0, stats.chi2.ppf(0.025, 6) / 2, stats.chi2.ppf(0.025, 200) / 2])
    assert found.high.tolist() == pytest.approx(
        [stats.chi2.ppf(0.975, 2) / 2, stats.chi2.ppf(0.975, 8) / 2, 121.6], rel=1e-3
    )


def test_the_interval_of_a_share_stays_within_nothing_and_all() -> None:
    found = interval("binomial", floats(0, 5, 10, 0), floats(10, 10, 10, 0), level=0.95)
    assert found.low[0] == 0
    assert found.high[2] == 1
    assert found.low[1] == pytest.approx(stats.beta.ppf(0.025, 5.5, 5.5))
    assert np.isnan([found.low[3], found.middle[3], found.high[3]]).all()


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_an_interval_holds_the_truth_as_often_as_it_says(kind: Any) -> None:
    source = np.random.default_rng(11)
    n = np.full(4000, 40.0)
    r = source.binomial(40, 0.3, 4000) if kind == "binomial" else source.poisson(12, 4000)
    found = interval(kind, r.astype(float), n, level=0.9)
    assert np.mean((found.low <= 0.3) & (found.high >= 0.3)) >= 0.88


def test_small_areas_are_drawn_to_their_town_by_the_published_formula() -> None:
    r, n = floats(0, 5, 40), floats(4, 50, 100)
    found = shrunk("binomial", r, n, np.array([0, 0, 0]))
    m = np.log((r + 0.5) / (n - r + 0.5))
    s = (n + 1) * (n + 2) / (n * (r + 1) * (n - r + 1))
    whole = np.log((45 + 0.5) / (154 - 45 + 0.5))
    between = ((m - whole) ** 2).sum() / 2
    w = (1 / s) / (1 / s + 1 / between)
    assert found.weight.tolist() == pytest.approx(w.tolist())
    assert found.rate().tolist() == pytest.approx((1 / (1 + np.exp(-(w * m + (1 - w) * whole)))).tolist())
    assert found.weight[0] < found.weight[1] < found.weight[2]
    span = found.interval()
    assert (span.low < span.middle).all()
    assert (span.middle < span.high).all()


def test_areas_all_alike_have_the_rate_of_their_town() -> None:
    found = shrunk("poisson", floats(2, 2, np.nan), floats(10, 10, 10), np.array([0, 0, 0]))
    assert found.rate()[:2] == pytest.approx(20.0 / 100 * np.ones(2), rel=0.2)
    assert np.isnan(found.rate()[2])


def counted(events: list[float], people: list[float]) -> Panel:
    """Fires per 10,000 people of areas in one month."""
    r, n = np.array(events)[:, None, None], np.array(people)[:, None, None]
    units = [f"v{row}" for row in range(len(events))]
    plain = of_values(r / n * 10000, units=units, periods=["p"], columns=["fires"])
    return Panel(plain.units, plain.periods, plain.columns, plain.value, plain.status, r, n)


def test_a_village_with_one_fire_is_not_named_last_and_a_town_with_many_is() -> None:
    tree = framework(IndexSpec.model_validate(SPEC))
    # One fire among 600 people is 16.7 in 10,000: the worst figure, and hardly any evidence.
    panel = counted([1, 2, 3, 2, 30], [600, 4000, 5000, 4500, 20000])
    found = draws(tree, panel, "p", {"fires": Noise("poisson", per=10000)}, count=600, seed=2)
    nominal = 100 - panel.value[:, 0, 0] * 5
    told = sureness(panel.units, nominal, found)
    assert told.nominal[0] == 5
    assert told.low[0] < 5
    assert not nameable(told, 1).any()
    surer = counted([1, 2, 3, 2, 400], [600, 4000, 5000, 4500, 20000])
    found = draws(tree, surer, "p", {"fires": Noise("poisson", per=10000)}, count=600, seed=2)
    assert np.array_equal(found, draws(tree, surer, "p", {"fires": Noise("poisson", per=10000)}, count=600, seed=2))


def test_drawn_to_the_town_a_village_with_one_fire_is_not_even_the_last() -> None:
    tree = framework(IndexSpec.model_validate(SPEC))
    panel = counted([1, 2, 3, 2, 30], [600, 4000, 5000, 4500, 20000])
    noise = {"fires": Noise("poisson", per=10000, shrink="parent")}
    found = draws(tree, panel, "p", noise, labels={"parent": ["t"] * 5}, count=300)
    assert np.median(found, axis=1).argmin() == 4
    with pytest.raises(NoLabel):
        draws(tree, panel, "p", noise, labels={"level": ["village"] * 5})


def test_without_counts_nothing_can_be_drawn() -> None:
    plain = of_values(np.ones((2, 1, 1)), units=["a", "b"], periods=["p"], columns=["fires"])
    with pytest.raises(NoCounts):
        draws(framework(IndexSpec.model_validate(SPEC)), plain, "p", {"fires": Noise("poisson")})
