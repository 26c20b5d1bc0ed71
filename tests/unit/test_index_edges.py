"""Where other software stumbles: equal values, gaps, zeros, ties. Here each has a declared answer, and is told.

The cases are those written down of COINr 1.1.14 in the reference data (`ref_N_edge_behaviour.csv`). Not taken over are
Copeland's outranking, and weights found by optimisation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anlan.index.scoring.aggregate import Incomplete, combine
from anlan.index.scoring.composite import Scored, score
from anlan.index.scoring.filling import treated
from anlan.index.scoring.framework import Misframed, framework
from anlan.index.scoring.normalise import Normalising, normalise
from anlan.index.scoring.panel import Status, of_values
from anlan.index.scoring.positions import positions
from anlan.index.scoring.scenarios import Scenarios
from anlan.index.scoring.spec import Aggregation, IndexSpec, Missing, Treatment

NAN = float("nan")


def scored(values: list[list[float]], **more: Any) -> Scored:
    """Units × leaves x, y, z under one index of identities, unless said otherwise."""
    columns = [{"key": key, "title": {"zh": key, "en": key}} for key in "xyz"]
    told = {
        "key": "i", "title": {"zh": "i", "en": "i"}, "columns": columns, "score": {"method": "identity"},
        "basis": {"source": "test", "mark": "U", "checked_on": "2026-11-22"}, **more,
    }  # fmt: skip
    units = [f"u{row}" for row in range(len(values))]
    panel = of_values(np.array(values)[:, None], units=units, periods=["p"], columns=list("xyz"))
    return score(framework(IndexSpec.model_validate(told)), panel)


def one(method: str, values: list[float], weights: list[float] | None = None, **more: Any) -> float:
    rule = Aggregation.model_validate({"method": method, **more})
    w = np.array(weights or [1.0] * len(values))
    return float(combine(rule, Missing(), np.array(values)[:, None], w)[0])


@pytest.mark.parametrize("method", ["minmax", "zscore", "percentile", "fraction_of_max"])
def test_nobody_was_hurt_anywhere_is_a_column_that_still_counts(method: str) -> None:
    """COINr: NaN NaN NaN, or 0 0 0; and then the mean leaves the column out in silence."""
    rule = {"method": method, "constant": "full", "mean": 50.0}
    found = scored([[0, 1, 2], [0, 3, 4], [0, 5, 9]], score=rule)
    assert not np.isnan(found.score).any()
    assert np.allclose(found.weights("p")[:, 1:], 1 / 3)
    if method != "zscore":
        assert found.of("x")[:, 0].tolist() == [100, 100, 100]
        assert [(note.what, note.key) for note in found.notes] == [("constant", "x")]


def test_a_leaf_that_nobody_has_is_told_and_so_is_every_head_that_does_without() -> None:
    found = scored([[NAN, 1, 3], [NAN, 2, 4]])
    assert found.index[:, 0].tolist() == [2, 3]
    assert {(note.what, note.key, note.units) for note in found.notes} == {("empty", "x", 2), ("reweighted", "i", 2)}


@pytest.mark.parametrize(
    ("method", "wanted"), [("arithmetic", 2.5), ("geometric", 2), ("harmonic", 1.6), ("power", 2.5), ("median", 2.5)]
)
def test_every_mean_passes_over_a_gap_alike(method: str, wanted: float) -> None:
    """COINr's generalised mean of a gap is a gap; its others pass over it."""
    assert one(method, [1, NAN, 4]) == pytest.approx(wanted)
    assert np.isnan(one(method, [NAN, NAN, NAN]))


def test_a_zero_makes_a_geometric_or_harmonic_mean_zero_and_something_below_it_none() -> None:
    """COINr stops with an error."""
    assert one("geometric", [0, 4, 9]) == 0
    assert one("harmonic", [0, 4, 9]) == 0
    assert one("geometric", [0, 4, 9], [0.0, 1.0, 1.0]) == pytest.approx(6)
    assert np.isnan(one("geometric", [-1, 4, 9]))


def test_weights_that_sum_to_zero_are_refused_and_such_a_remainder_has_no_score_and_is_told() -> None:
    """COINr: NaN."""
    with pytest.raises(Misframed, match="sum to 0"):
        scored([[1, 2, 3]], weights={"use": "none", "sets": {"none": {"x": 0.0, "y": 0.0, "z": 0.0}}})
    found = scored([[NAN, 2, 3], [1, 2, 3]], weights={"use": "x", "sets": {"x": {"y": 0.0, "z": 0.0}}})
    assert np.isnan(found.index[0, 0])
    assert ("unscored", "i", 1) in {(note.what, note.key, note.units) for note in found.notes}


def test_what_is_missing_follows_the_declared_rule() -> None:
    gap = [[4.0, NAN, 8.0]]
    assert scored(gap, missing={"rule": "renormalise"}).index[0, 0] == 6
    assert scored(gap, missing={"rule": "zero"}).index[0, 0] == 4
    assert np.isnan(scored(gap, missing={"rule": "none"}).index[0, 0])
    assert np.isnan(scored(gap, missing={"rule": "renormalise", "at_least": 0.7}).index[0, 0])
    with pytest.raises(Incomplete, match="“i” lacks scores below it for 1 units"):
        scored(gap, missing={"rule": "refuse"})


def test_counts_that_are_mostly_zero_are_not_drawn_in_to_nothing() -> None:
    """COINr: the check gives NA, and the column is given back untreated with a warning."""
    counts = np.zeros(40)
    counts[:2] = [3.0, 8.0]
    assert np.array_equal(treated(Treatment(), counts), counts)


def test_three_equal_highs_are_drawn_in_together() -> None:
    """COINr stops with an error."""
    values = np.array([*np.linspace(1, 2, 40), 50.0, 50.0, 50.0])
    found = treated(Treatment(), values)
    assert found.max() == 2
    assert np.count_nonzero(found != values) == 3
    assert np.array_equal(treated(Treatment(most=2, log=False), values), values)


def test_ties_share_the_lowest_place() -> None:
    assert positions(np.array([5.0, 1, 1, 9]), "min").tolist() == [3, 1, 1, 4]


def test_each_cell_that_was_filled_is_marked() -> None:
    found = scored([[1, NAN, 3], [3, 4, 5], [8, 6, NAN]], imputing={"method": "median"})
    assert found.value[0, 0, 1] == 5
    assert found.value[2, 0, 2] == 4
    assert (found.status[:, 0] == Status.IMPUTED).sum() == 2
    assert {(note.key, note.units) for note in found.notes if note.what == "imputed"} == {("y", 1), ("z", 1)}


def test_which_choice_is_drawn_depends_on_no_other_draw() -> None:
    """COINr bins draws over their own range, so that a scenario depends on which others there are."""
    from anlan.index.scoring.scenarios import _index

    assert _index(np.array([0.0, 0.34, 0.5, 0.99, 1.0]), 3).tolist() == [0, 1, 1, 2, 2]
    assert _index(np.array([0.34]), 3).tolist() == [1]
    assert Scenarios(weights=0.0).factors == ()


def test_thin_units_are_put_aside_before_others_are_measured_by_them() -> None:
    found = scored([[1, 2, 3], [5, 6, 7], [900, NAN, NAN]], score={"method": "minmax"}, screening={"present": 0.6})
    assert np.isnan(found.index[2, 0])
    assert found.of("x")[:2, 0].tolist() == [0, 100]
    assert [note.units for note in found.notes if note.what == "screened"] == [1]


def test_a_logarithm_that_some_software_forgets_to_take_is_taken() -> None:
    """COINr's log_GII gives back what it was given."""
    rule = Normalising(method="identity", log="e", plus=1.0)
    assert normalise(rule, np.array([0.0, np.e - 1]), better="up").score.tolist() == pytest.approx([0, 1])
