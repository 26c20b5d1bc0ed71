"""An index done again under other choices: each replication is what a single calculation with these choices gives."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from anlan.index.scoring.composite import score
from anlan.index.scoring.framework import framework
from anlan.index.scoring.normalise import Normalising
from anlan.index.scoring.panel import Panel, of_values
from anlan.index.scoring.scenarios import Scenarios, Workshop
from anlan.index.scoring.spec import Aggregation, Imputing, IndexSpec
from anlan.index.scoring.sure import NothingDrawn, drawn, left_out, matters, nameable, ranks_of, sureness, tied

SPEC: dict[str, Any] = {
    "key": "i", "title": {"zh": "i", "en": "i"},
    "basis": {"source": "test", "mark": "U", "checked_on": "2026-11-22"},
    "heads": [{"key": key, "title": {"zh": key, "en": key}} for key in ("a", "b")],
    "columns": [
        {"key": key, "title": {"zh": key, "en": key}, "parent": parent, "better": "down" if key == "y" else "up"}
        for key, parent in zip("xyzwv", "aabbb", strict=True)
    ],
    "score": {"method": "minmax", "scale": [1, 100]},
}  # fmt: skip


def spec(**changes: Any) -> IndexSpec:
    return IndexSpec.model_validate({**copy.deepcopy(SPEC), **changes})


def data(*, gaps: bool = False) -> Panel:
    values = np.random.default_rng(7).lognormal(size=(30, 2, 5))
    if gaps:
        values[3, 1, 0] = values[9, 1, 3] = values[9, 1, 4] = np.nan
    return of_values(values, units=[f"u{row}" for row in range(30)], periods=["p", "q"], columns=list("xyzwv"))


def by_hand(changed: dict[str, Any], *, gaps: bool = False) -> Any:
    panel = data(gaps=gaps)
    return score(framework(spec(**changed)), panel).index[:, 1]


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {}, {"score": {"low": 0.2, "high": 3.0}, "columns": SPEC["columns"][:1] + SPEC["columns"][2:3]},
        {"score": {"method": "zscore"}}, {"score": {"method": "percentile"}, "aggregation": {"method": "ampi"}},
        {"score": {"method": "minmax", "over": "panel"}}, {"score": {"method": "zscore", "over": "p"}},
        {"score": {"method": "minmax", "log": "e", "cap": 2.5}, "treatment": {}},
        {"aggregation": {"method": "geometric"}, "imputing": {"method": "latest"}}, {"missing": {"rule": "zero"}},
        {"heads": [dict(SPEC["heads"][0], score={"method": "percentile"}), SPEC["heads"][1]]},
        {"weights": {"use": "mine", "sets": {"mine": {"a": 3.0, "v": 0.0}}}},
    ],
)  # fmt: skip
def test_with_nothing_left_open_every_replication_is_the_index_itself(changes: dict[str, Any], *, gaps: bool) -> None:
    if "columns" in changes:
        changes = changes | {"heads": SPEC["heads"]}
    shop = Workshop(framework(spec(**changes)), data(gaps=gaps), "q")
    np.testing.assert_allclose(shop.nominal(), by_hand(changes, gaps=gaps), rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        shop.with_values(data(gaps=gaps).value[:, 1]), by_hand(changes, gaps=gaps), rtol=0, atol=1e-9
    )


def test_every_replication_is_what_a_calculation_with_its_choices_gives() -> None:
    ways: list[dict[str, Any]] = [{"method": "minmax", "scale": [1, 100]}, {"method": "rank"}]
    means: list[dict[str, Any]] = [{"method": "arithmetic"}, {"method": "geometric"}, {"method": "harmonic"}]
    fills: list[dict[str, Any]] = [{"method": "mean"}, {"method": "latest"}]
    told = Scenarios(
        weights=0.0, normalising=tuple(map(Normalising.model_validate, ways)),
        aggregation=tuple(map(Aggregation.model_validate, means)), imputing=tuple(map(Imputing.model_validate, fills)),
    )  # fmt: skip
    assert told.factors == ("normalising", "aggregation", "imputing")
    grid = [(way, mean, fill) for way in (0, 1) for mean in (0, 1, 2) for fill in (0, 1)]
    picks = np.array([((way + 0.5) / 2, (mean + 0.5) / 3, (fill + 0.5) / 2) for way, mean, fill in grid])
    found = Workshop(framework(spec()), data(gaps=True), "q").again(picks, told)
    for row, (way, mean, fill) in zip(found, grid, strict=True):
        changed = {"score": ways[way], "aggregation": means[mean], "imputing": fills[fill]}
        np.testing.assert_allclose(row, by_hand(changed, gaps=True), rtol=0, atol=1e-9)


def test_weights_are_disturbed_by_no_more_than_declared_and_the_same_seed_gives_the_same() -> None:
    shop = Workshop(framework(spec()), data(), "q")
    told = Scenarios(replications=200, weights=0.2, seed=3)
    first = drawn(shop, told)
    assert np.array_equal(first, drawn(shop, told))
    assert not np.array_equal(first, drawn(shop, told.model_copy(update={"seed": 4})))
    leaves = score(framework(spec()), data()).leaves[:, 1]
    assert (first >= leaves.min(axis=1)[:, None]).all()
    assert (first <= leaves.max(axis=1)[:, None]).all()
    assert first.std(axis=1).min() > 0


def test_ends_that_lie_off_move_scores_and_keep_them_within_the_scale() -> None:
    columns = [dict(column, score={"low": 0.5, "high": 2.0}, better="up") for column in SPEC["columns"]]
    shop = Workshop(framework(spec(columns=columns)), data(), "q")
    found = drawn(shop, Scenarios(replications=50, weights=0.0, ends=0.1))
    assert found.min() >= 0
    assert found.max() <= 100
    assert found.std(axis=1).max() > 0.5


def test_a_choice_that_changes_nothing_does_not_matter_and_the_one_that_does_has_it_all() -> None:
    same = Normalising(method="minmax", scale=(1, 100))
    told = Scenarios(weights=0.0, normalising=(same, same), aggregation=(Aggregation(), Aggregation(method="min")))
    found = {each.factor: each for each in matters(Workshop(framework(spec()), data(), "q"), told, rows=64)}
    assert found["normalising"].total == pytest.approx(0, abs=1e-9)
    assert found["aggregation"].total == pytest.approx(1, abs=0.15)


def test_scenarios_that_leave_nothing_open_are_refused() -> None:
    with pytest.raises(NothingDrawn):
        matters(Workshop(framework(spec()), data(), "q"), Scenarios(weights=0.0))


def test_leaving_a_leaf_out_ranks_as_an_index_without_it() -> None:
    found = {shift.key: shift.ranks for shift in left_out(Workshop(framework(spec()), data(), "q"))}
    for key in "xyzwv":
        columns = [column for column in SPEC["columns"] if column["key"] != key]
        assert found[key].tolist() == ranks_of(by_hand({"columns": columns})[:, None])[:, 0].tolist()


def test_intervals_ties_and_who_may_be_named_last() -> None:
    source = np.random.default_rng(5)
    middles = np.array([90.0, 80.0, 79.9, 40.0, 39.9, np.nan])
    draws = middles[:, None] + source.normal(scale=1.0, size=(6, 2000))
    found = sureness(tuple("abcdef"), middles, draws)
    assert found.nominal[:5].tolist() == [1, 2, 3, 4, 5]
    assert list(zip(found.low[:5].tolist(), found.high[:5].tolist(), strict=True)) == [
        (1, 1),
        (2, 3),
        (2, 3),
        (4, 5),
        (4, 5),
    ]
    assert np.isnan(found.low[5])
    pairs = tied(draws[:5])
    assert pairs[1, 2]
    assert pairs[3, 4]
    assert not pairs[0, 1]
    # One is last by its figure; the draws say that it may as well be the other.
    assert nameable(found, 1).tolist() == [False] * 6
    assert nameable(found, 2).tolist() == [False, False, False, True, True, False]
    assert not found.outside.any()
    assert found.wider(0) == pytest.approx(0.8)
