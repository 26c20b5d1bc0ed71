"""An index's tree: what fits grows together in order, what does not is refused with key and field."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from anlan.index.scoring.composite import effective
from anlan.index.scoring.framework import Framework, Misframed, framework
from anlan.index.scoring.pairwise import weigh
from anlan.index.scoring.spec import IndexSpec, Pairwise

BASIS = {"source": "test", "mark": "U", "checked_on": "2026-11-22"}


def title(words: str) -> dict[str, str]:
    return {"zh": words, "en": words}


def head(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "title": title(key), **more}


SMALL: dict[str, Any] = {
    "key": "small",
    "title": title("small"),
    "basis": BASIS,
    "heads": [head("b", order=2, weight=3.0), head("a", order=1), head("a1", parent="a", order=1)],
    "columns": [head("x", parent="a1"), head("y", parent="a", order=2, weight=3.0), head("z", parent="b")],
}


def grown(**changes: Any) -> Framework:
    told = copy.deepcopy(SMALL)
    told.update(changes)
    return framework(IndexSpec.model_validate(told))


def test_parents_stand_before_their_children_and_children_in_their_order() -> None:
    assert grown().keys == ("small", "a", "a1", "x", "y", "b", "z")


def test_the_nominal_weights_of_all_leaves_sum_to_one() -> None:
    tree = grown()
    assert tree.nominal[list(tree.leaf_nodes)].tolist() == [1 / 16, 3 / 16, 3 / 4]


def test_what_a_part_counts_for_is_its_share_all_the_way_up_and_nothing_where_it_has_no_score() -> None:
    tree = grown()
    whole, gap, none = [1.0] * 7, [1.0] * 7, [np.nan] * 7
    gap[tree.place("z")] = gap[tree.place("b")] = np.nan
    found = effective(tree, np.array([whole, gap, none]).T)
    leaves = [tree.place(key) for key in "xyz"]
    assert found[leaves, 0].tolist() == pytest.approx([1 / 16, 3 / 16, 3 / 4])
    assert found[leaves, 1].tolist() == pytest.approx([1 / 4, 3 / 4, 0.0])
    assert np.isnan(found[:, 2]).all(), "who has no index has no weights in it"


def test_a_rule_nearer_to_a_leaf_counts_before_one_farther_away() -> None:
    heads = [head("a", children={"method": "rank"}), head("b")]
    columns = [head("x", parent="a"), head("y", parent="a", score={"method": "zscore"}), head("z", parent="b")]
    tree = grown(heads=heads, columns=columns, score={"method": "borda"})
    found = {node.key: node.score.method for node in tree.nodes if node.score}
    assert found == {"x": "rank", "y": "zscore", "z": "borda"}


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"heads": [head("a", parent="b"), head("b", parent="a")]}, "heads[0].parent", "a → b → a"),
        ({"columns": [head("x", parent="a2")]}, "columns[0].parent", "did you mean “a”?"),
        ({"columns": [head("x", parent="a1"), head("x", parent="b")]}, "key", "“x” is used 2 times"),
        ({"columns": [head("x", parent="a1"), head("y", parent="a")]}, "heads[0]", "no indicator under “b”"),
        ({"columns": []}, "columns", "no indicator"),
        ({"heads": [head("a", weight=0.0), head("b", weight=0.0), head("a1", parent="a")]}, "weights", "sum to 0"),
        ({"weights": {"use": "eqal"}}, "weights.use", "did you mean “equal”?"),
        ({"weights": {"sets": {"mine": {"q": 1.0}}}}, "weights.sets.mine", "no head or indicator “q”"),
        ({"weights": {"pairwise": [{"keys": ["a", "x"], "rows": [[3.0]]}]}}, "pairwise[0].keys", "a, b"),
        (
            {"heads": [head("a", score={"method": "rank", "over": "p"}), *SMALL["heads"][::2]]},
            "score.over",
            "own period",
        ),
        ({"score": {"method": "minmax", "within": "towns"}}, "score.within", "no group of peers “towns”"),
    ],
)
def test_what_does_not_fit_is_refused_with_key_field_and_reason(changes: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(Misframed) as refused:
        grown(**changes)
    assert any(
        fault.declared == "small" and where in fault.field and said in fault.reason.en for fault in refused.value.faults
    )


def test_goalposts_that_stand_the_other_way_round_than_better_says_are_refused() -> None:
    columns = [head("x", parent="a1", better="down", score={"low": 0.0, "high": 9.0})]
    with pytest.raises(Misframed, match="yet no points are at 0 and full ones at 9"):
        grown(columns=[*columns, *SMALL["columns"][1:]])


def test_pairs_that_agree_give_their_ratios_as_weights() -> None:
    found = weigh(Pairwise.model_validate({"keys": ["a", "b", "c"], "rows": [[2, 4], ["4/2"]]}))
    assert np.allclose(found.weights, [4 / 7, 2 / 7, 1 / 7])
    assert found.ratio < 1e-9


def test_pairs_that_contradict_each_other_are_told_of() -> None:
    table = {"keys": ["x", "y", "z"], "rows": [[9, "1/9"], [9]]}
    columns = [head("x"), head("y"), head("z")]
    told = grown(heads=[], columns=columns, weights={"pairwise": [table]}).notes
    assert len(told) == 1
    assert "consistency ratio" in told[0].en
