"""What other published indices do is said in a declaration, not in code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import anlan.index as ix
from anlan.index.scoring.composite import score
from anlan.index.scoring.framework import framework
from anlan.index.scoring.panel import of_values
from anlan.index.scoring.spec import IndexSpec

NAN = float("nan")


def part(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "title": {"zh": key, "en": key}, **more}


def index(values: dict[str, list[float]], columns: list[dict[str, Any]], **more: Any) -> Any:
    basis = {"source": "test", "mark": "U", "checked_on": "2026-11-22"}
    spec = IndexSpec.model_validate({**part("i", columns=columns, basis=basis), **more})
    cube = np.array(list(values.values())).T[:, None, :]
    panel = of_values(cube, units=[str(row) for row in range(len(cube))], periods=["p"], columns=list(values))
    return score(framework(spec), panel).index[:, 0].tolist()


def test_half_weights_as_the_global_innovation_index_gives_some_indicators() -> None:
    values = {"x": [10.0, 90.0], "y": [40.0, 60.0]}
    columns = [part("x"), part("y", weight=0.5)]
    assert index(values, columns, score={"method": "identity"}) == pytest.approx([20, 80])


def test_a_product_of_two_groups_as_risk_is_hazard_times_vulnerability() -> None:
    values = {"a": [50.0, 80.0], "b": [70.0, 100.0], "c": [20.0, 0.0]}
    heads = [part("hazard"), part("vulnerability")]
    columns = [part("a", parent="hazard"), part("b", parent="hazard"), part("c", parent="vulnerability")]
    told = {"heads": heads, "score": {"method": "identity"}, "by_depth": [{"method": "product", "factor": 0.01}]}
    assert index(values, columns, **told) == pytest.approx([12, 0])
    told["by_depth"] = [{"method": "geometric"}]
    assert index(values, columns, **told) == pytest.approx([np.sqrt(60 * 20), 0])


def test_the_best_three_of_five_and_zeros_for_those_who_have_fewer() -> None:
    rows = np.array([[9.0, 7, 5, 1, 0], [9, NAN, 3, NAN, NAN], [NAN, NAN, NAN, NAN, 6]])
    values = dict(zip("vwxyz", rows.T.tolist(), strict=True))
    columns = [part(key) for key in "vwxyz"]
    told = {"score": {"method": "identity"}, "aggregation": {"best": 3, "pad": 3}}
    assert index(values, columns, **told) == pytest.approx([7, 4, 2])
    assert index(values, columns, score={"method": "identity"}, missing={"rule": "zero"}) == pytest.approx(
        [4.4, 2.4, 1.2]
    )


def test_ranks_transformed_exponentially_and_weighted_as_the_english_deprivation_index() -> None:
    values = {"income": [3.0, 1.0, 2.0, 4.0], "crime": [1.0, 2.0, 3.0, 4.0]}
    columns = [part("income", weight=22.5), part("crime", weight=9.3)]
    found = index(values, columns, score={"method": "exp_rank", "decay": 23.0})

    def transformed(rank: float) -> float:
        return float(-23 * np.log(1 - rank / 4 * (1 - np.exp(-100 / 23))))

    wanted = [
        (22.5 * transformed(a) + 9.3 * transformed(b)) / 31.8 for a, b in zip([3, 1, 2, 4], [1, 2, 3, 4], strict=True)
    ]
    assert found == pytest.approx(wanted)
    assert found[3] == pytest.approx(100)


def test_a_logarithm_with_a_cap_and_zeros_that_are_the_worst() -> None:
    values = {"income": [100.0, 2738.6127875, 75000.0, 90000.0, 0.0]}
    rule = {"low": 100.0, "high": 75000.0, "cap": 75000.0, "log": "e", "zeros": "worst"}
    assert index(values, [part("income", score=rule)]) == pytest.approx([0, 50, 100, 100, 0])


def test_classes_by_thresholds_as_an_air_quality_index_has_them_and_the_worst_one_counts() -> None:
    pm = {"method": "piecewise", "points": [[0, 0], [35, 50], [75, 100], [115, 150]]}
    ozone = {"method": "piecewise", "points": [[0, 0], [160, 50], [200, 100]]}
    values = {"pm": [35.0, 55.0], "ozone": [180.0, 80.0]}
    columns = [part("pm", score=pm), part("ozone", score=ozone)]
    assert index(values, columns, aggregation={"method": "max"}) == pytest.approx([75, 75])


def test_the_penalised_mean_of_mazziotta_and_pareto() -> None:
    """Values around 100 with spread 10; mean less standard deviation times coefficient of variation."""
    values = {"x": [90.0, 110.0, 100.0], "y": [90.0, 110.0, 120.0]}
    told = {"score": {"method": "identity"}, "aggregation": {"method": "ampi"}}
    assert index(values, [part("x"), part("y")], **told) == pytest.approx([90, 110, 110 - 100 / 110])


def test_a_pillar_ranked_before_it_goes_up_and_one_rounded() -> None:
    values = {"x": [1.0, 5.0, 9.0], "y": [0.126, 0.5, 0.9]}
    heads = [part("a", score={"method": "percentile"}), part("b", places=2)]
    columns = [part("x", parent="a"), part("y", parent="b")]
    found = index(values, columns, heads=heads, score={"method": "identity"}, aggregation={"method": "sum"})
    assert found == pytest.approx([0.13, 50.5, 100.9])


def test_points_for_a_town_measured_among_towns_of_its_kind() -> None:
    import pandas as pd

    table = pd.DataFrame({"kind": ["rural", "rural", "urban", "urban"], "x": [1.0, 3.0, 50.0, 90.0]})
    spec = part("i", columns=[part("x")], basis={"source": "t", "mark": "U", "checked_on": "2026-11-22"},
                score={"method": "minmax", "within": "kind"},
                ranking={"peers": [part("kind", by=["kind"])]})  # fmt: skip
    assert ix.score(spec, table).scores["i"].tolist() == [0, 100, 0, 100]
