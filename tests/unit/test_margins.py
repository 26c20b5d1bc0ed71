"""What small numbers leave open: which values have an interval, of which kind, and how far a place reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anlan.index.counting.indicator import Indicator
from anlan.index.editions import margins
from anlan.index.scoring.framework import framework
from anlan.index.scoring.noise import Noise, interval
from anlan.index.scoring.panel import Panel, Status
from anlan.index.scoring.ranks import Place
from anlan.index.scoring.spec import IndexSpec, Ranking

ROWS = {"table": "cases", "where": "valid", "date": "opened_date"}
TOLD = {"table": "statistics", "measure": "given", "where": "figure = 'residents'"}


def indicator(key: str, above: dict[str, Any], below: dict[str, Any] | None = None, **more: Any) -> Indicator:
    said: dict[str, Any] = {
        "key": key, "index": "i", "title": {"zh": "甲", "en": "a"}, "summary": {"zh": "甲", "en": "a"},
        "unit": {"zh": "起", "en": "cases"}, "better": "down", "numerator": above, "denominator": below,
        "basis": {"source": "x", "mark": "U", "checked_on": "2026-11-22"},
        "score": {"method": "goalposts", "low": 9.0, "high": 0.0},
    }  # fmt: skip
    return Indicator.model_validate({name: value for name, value in (said | more).items() if value is not None})


def panel(above: list[float], below: list[float], status: list[Status] | None = None) -> Panel:
    """One column of so many units in one period."""
    r, n = (np.array(each, dtype=float)[:, None, None] for each in (above, below))
    codes = np.array(status or [Status.PRESENT] * len(above), dtype=np.uint8)[:, None, None]
    return Panel(tuple(f"{row}/" for row in range(len(above))), ("2026-10",), ("x",), r / n, codes, r, n)


def test_only_what_is_counted_is_left_open_by_counting_and_in_its_own_way() -> None:
    mean = {"table": "cases", "measure": "average", "column": "reworks", "date": "opened_date"}
    other = {"table": "reports", "where": "joined", "date": "told_date"}
    told = margins.kinds([
        indicator("share", ROWS, ROWS), indicator("rate", ROWS, TOLD, per=10000), indicator("plain", ROWS),
        indicator("stock", ROWS | {"measure": "stock", "until": "closed_date"}),
        indicator("change", ROWS, compare="last_year"), indicator("mean", mean), indicator("given", TOLD),
        indicator("ratio", ROWS, other),
    ])  # fmt: skip
    assert told == {
        "share": Noise("binomial", 1), "rate": Noise("poisson", 10000), "plain": Noise("poisson", 1),
        "stock": Noise("poisson", 1),
    }  # fmt: skip


def test_a_plain_count_is_so_many_in_one() -> None:
    one, shared = indicator("x", ROWS), indicator("x", ROWS, TOLD)
    bare = panel([3.0], [np.nan])
    assert margins.counts(bare, [one, indicator("elsewhere", ROWS)]).denominator == 1.0
    assert bare.denominator is not None
    assert np.isnan(bare.denominator).all(), "what was handed in stays as it was"
    assert margins.counts(panel([3.0], [7.0]), [shared]).denominator == 7.0


def test_an_interval_is_in_the_indicator_s_unit() -> None:
    low, high = margins.intervals(panel([3.0], [20000.0]), {"x": Noise("poisson", 10000)})
    by_hand = interval("poisson", np.array([3.0]), np.array([20000.0]), level=0.9)
    assert (low.item(), high.item()) == pytest.approx((by_hand.low[0] * 10000, by_hand.high[0] * 10000))
    assert low.item() < 1.5 < high.item()


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.PRESENT])
def test_what_was_not_counted_here_has_no_interval(status: Status) -> None:
    low, high = margins.intervals(panel([3.0, 3.0], [9.0, 9.0], [Status.PRESENT, status]), {"x": Noise("binomial")})
    assert np.isnan([low[1], high[1]]).all()
    assert not np.isnan([low[0], high[0]]).any()


def test_a_share_of_more_than_there_is_was_none() -> None:
    over = panel([5.0, 2.0], [4.0, 4.0])
    low, high = margins.intervals(over, {"x": Noise("binomial")})
    by_hand = interval("poisson", np.array([5.0, 2.0]), np.array([4.0, 4.0]), level=0.9)
    assert high[:, 0, 0].tolist() == pytest.approx(by_hand.high.tolist())
    assert low[:, 0, 0].tolist() == pytest.approx(by_hand.low.tolist())


def test_chance_has_bounds_where_more_happened_than_there_was_to_happen_to() -> None:
    frame = framework(IndexSpec.model_validate({
        "key": "i", "title": {"zh": "i", "en": "i"}, "score": {"low": 2.0, "high": 0.0},
        "basis": {"source": "test", "mark": "U", "checked_on": "2026-11-22"},
        "columns": [{"key": "x", "title": {"zh": "x", "en": "x"}, "better": "down"}],
    }))  # fmt: skip
    over = panel([5.0, 2.0], [4.0, 4.0])
    shares, rates = (
        margins.draws(frame, over, "2026-10", {"x": Noise(kind)}, {}, seed=3) for kind in ("binomial", "poisson")
    )
    assert shares.tolist() == rates.tolist()
    assert not np.isnan(shares).any()


def place(unit: str, score: float) -> tuple[str, Place]:
    return "towns", Place(unit, "towns", "", score, score, 1, 2, 0, 0.0, "")


@pytest.mark.parametrize(("apart", "found"), [(9.0, [(1, 1), (2, 2)]), (0.0, [(1, 2), (1, 2)])])
def test_a_place_reaches_as_far_as_the_draws_take_it(apart: float, found: list[tuple[int, int]]) -> None:
    drawn = np.random.default_rng(1).normal(size=(3, 200)) + np.array([[apart], [0.0], [99.0]])
    said = margins.of_places([place("a", 71.0 + apart), place("b", 71.0)], ["a", "b", "c"], drawn, Ranking())
    assert said == {("towns", "a"): found[0], ("towns", "b"): found[1]}


def test_who_has_no_score_has_no_place_to_be_sure_of() -> None:
    drawn = np.array([[50.0] * 9, [np.nan] * 9])
    said = margins.of_places([place("a", 50.0), place("b", np.nan)], ["a", "b"], drawn, Ranking())
    assert said == {("towns", "a"): (1, 1)}
