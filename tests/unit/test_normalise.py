"""From values to scores: each declared way by hand, and nothing that turns into NaN unseen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from anlan.index.scoring.normalise import Direction, Normalising, NotLog, NotReference, by_groups, normalise

NAN = float("nan")
UNITS = ("p", "q", "r", "s", "t")
VALUES = np.array([1.0, 4.0, 2.0, 4.0, NAN])


def scored(better: Direction = "up", values: Any = VALUES, **told: Any) -> list[float]:
    rule = Normalising.model_validate(told)
    found: list[float] = normalise(rule, np.asarray(values, dtype=float), better=better, units=UNITS).score.tolist()
    return [round(each, 9) for each in found]


@pytest.mark.parametrize(
    ("told", "better", "wanted"),
    [
        ({"method": "identity"}, "up", [1, 4, 2, 4]),
        ({"method": "goalposts", "low": 2, "high": 4}, "up", [0, 100, 0, 100]),
        ({"method": "goalposts", "low": 5, "high": 1}, "down", [100, 25, 75, 25]),
        ({"method": "goalposts", "low": 2, "high": 4, "clip": False}, "up", [-50, 100, 0, 100]),
        ({"method": "minmax", "scale": (1, 100)}, "up", [1, 100, 34, 100]),
        ({"method": "minmax"}, "down", [100, 0, 66.666666667, 0]),
        ({"method": "target", "target": 2}, "up", [50, 100, 100, 100]),
        ({"method": "target", "target": 2}, "down", [100, 50, 100, 50]),
        ({"method": "rank"}, "up", [1, 3, 2, 3]),
        ({"method": "rank", "ties": "max"}, "up", [1, 4, 2, 4]),
        ({"method": "rank", "ties": "average"}, "down", [4, 1.5, 3, 1.5]),
        ({"method": "borda"}, "up", [0, 2, 1, 2]),
        ({"method": "percentile"}, "up", [0, 66.666666667, 33.333333333, 66.666666667]),
        ({"method": "percentile_max"}, "up", [25, 100, 50, 100]),
        ({"method": "fraction_of_max", "scale": (0, 1)}, "up", [0.25, 1, 0.5, 1]),
        ({"method": "distance_to_max", "scale": (0, 1)}, "up", [0, 1, 0.333333333, 1]),
        ({"method": "distance_to_reference", "reference": "r", "scale": (0, 1)}, "up", [0, 3, 1, 3]),
        ({"method": "distance_to_target", "target": 7, "scale": (0, 1)}, "up", [0, 0.5, 0.166666667, 0.5]),
        ({"method": "piecewise", "points": [(1, 10), (3, 20)]}, "up", [10, 20, 15, 20]),
        ({"method": "steps", "points": [(2, 60), (4, 90)]}, "up", [60, 90, 60, 90]),
        ({"method": "goalposts", "low": 1, "high": 4, "log": "2"}, "up", [0, 100, 50, 100]),
        ({"method": "goalposts", "low": 1, "high": 4, "power": 2}, "up", [0, 100, 11.111111111, 100]),
        ({"method": "minmax", "cap": 3}, "up", [0, 100, 50, 100]),
    ],
)
def test_each_way_gives_what_a_person_works_out(told: dict[str, Any], better: Direction, wanted: list[float]) -> None:
    found = scored(better, **told)
    assert found[:4] == pytest.approx(wanted, abs=1e-8)
    assert np.isnan(found[4])


def test_the_z_score_of_a_sample_and_of_a_whole_population() -> None:
    values = [1.0, 2.0, 3.0, NAN, NAN]
    assert scored(values=values, method="zscore")[:3] == [-1, 0, 1]
    assert scored(values=values, method="zscore", mean=50, spread=10, population=True)[0] == pytest.approx(37.752551286)


def test_the_exponential_transform_of_ranks_ends_at_one_hundred_and_halves_near_the_top() -> None:
    values = np.arange(1.0, 32845.0)
    found = normalise(Normalising(method="exp_rank"), values, better="up").score
    assert found[-1] == pytest.approx(100)
    # The published property of the constant 23: a tenth of the units lies above a score of 50.
    assert np.mean(found > 50) == pytest.approx(0.10, abs=0.003)


def test_zeros_may_be_the_worst_score_and_stay_out_of_what_the_others_are_measured_by() -> None:
    assert scored(values=[0, 10, 100, 1000, NAN], method="minmax", log="10", zeros="worst")[:4] == [0, 0, 50, 100]


@pytest.mark.parametrize(("rule", "wanted"), [("full", 100), ("middle", 50), ("zero", 0)])
@pytest.mark.parametrize(
    "method", ["minmax", "percentile", "percentile_max", "exp_rank", "quantiles", "distance_to_max"]
)
def test_a_column_of_equal_values_gets_what_is_declared_and_is_told(method: str, rule: str, wanted: float) -> None:
    rule_ = Normalising.model_validate({"method": method, "constant": rule})
    found = normalise(rule_, np.array([7.0, 7.0, NAN]), better="up")
    assert found.constant
    assert found.score[:2].tolist() == [wanted, wanted]
    assert np.isnan(found.score[2])


@pytest.mark.parametrize(
    "told", [{"method": "goalposts"}, {"method": "target"}, {"low": 1, "high": 1}, {"method": "steps"},
             {"method": "piecewise", "points": [(2, 0), (1, 1)]}],
)  # fmt: skip
def test_a_rule_that_lacks_what_it_needs_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Normalising.model_validate(told)


def test_what_has_no_logarithm_and_a_reference_that_is_not_there_are_refused() -> None:
    with pytest.raises(NotLog):
        scored(values=[0, 1, 2, 3, 4], method="minmax", log="e")
    with pytest.raises(NotReference):
        scored(method="distance_to_reference", reference="t")


@given(
    arrays.arrays(np.float64, st.integers(1, 12), elements=st.one_of(st.just(NAN), st.floats(-1e6, 1e6))),
    st.sampled_from(
        ["minmax", "zscore", "rank", "percentile", "percentile_max", "exp_rank", "normal_rank", "quantiles"]
    ),
    st.randoms(use_true_random=False),
)
def test_no_value_present_is_lost_and_relabelling_changes_nothing(values: Any, method: str, random: Any) -> None:
    rule = Normalising.model_validate({"method": method})
    found = normalise(rule, values, better="up").score
    assert np.array_equal(np.isnan(found), np.isnan(values))
    order = list(range(len(values)))
    random.shuffle(order)
    assert np.allclose(normalise(rule, values[order], better="up").score, found[order], equal_nan=True)


@given(
    arrays.arrays(np.float64, 6, elements=st.floats(-100, 100)), st.floats(-100, 100), st.sampled_from([(0, 9), (9, 0)])
)
def test_another_unit_changes_no_goalpost_score(values: Any, another: float, posts: tuple[float, float]) -> None:
    rule = Normalising(low=posts[0], high=posts[1])
    better: Direction = "up" if posts[0] < posts[1] else "down"
    alone = normalise(rule, values, better=better).score
    assert np.array_equal(normalise(rule, np.append(values, another), better=better).score[:-1], alone)


def test_two_units_are_enough_for_a_spread() -> None:
    assert scored(values=[1.0, 3.0], method="zscore", population=True) == [-1.0, 1.0]


def test_units_that_differ_by_next_to_nothing_are_alike() -> None:
    assert scored(values=[0.0, 6e-215], method="zscore", mean=5.0) == [5.0, 5.0]


def test_what_belongs_to_no_group_has_no_score() -> None:
    rule = Normalising(method="minmax")
    found = by_groups(rule, np.array([1.0, 3.0, 7.0, 9.0]), np.array([0, 0, -1, -1]), better="up").score
    assert np.array_equal(found, [0.0, 100.0, NAN, NAN], equal_nan=True)
