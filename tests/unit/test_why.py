"""The parts of a change sum to the change, whatever the tree, the methods and the gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlan.index.scoring import why
from anlan.index.scoring.composite import Scored, score
from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.panel import of_values
from anlan.index.scoring.spec import IndexSpec

NAN = float("nan")
BASIS = {"source": "test", "mark": "U", "checked_on": "2026-11-22"}
SAME = {"method": "identity"}
MEANS: list[dict[str, Any]] = [
    {"method": "arithmetic"}, {"method": "geometric"}, {"method": "harmonic"}, {"method": "power", "p": 0.5},
    {"method": "power", "p": 3.0}, {"method": "power", "p": -2.0}, {"method": "ampi"},
    {"method": "ampi", "penalty": "+"}, {"method": "sum"}, {"method": "product", "factor": 0.01}, {"method": "min"},
    {"method": "max"}, {"method": "median"}, {"method": "arithmetic", "best": 2}, {"method": "arithmetic", "pad": 3},
    {"method": "geometric", "best": 2},
]  # fmt: skip


def part(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "title": {"zh": key, "en": key}, **more}


def tree(heads: list[dict[str, Any]], columns: list[dict[str, Any]], **more: Any) -> Framework:
    told = {"key": "i", "title": {"zh": "i", "en": "i"}, "basis": BASIS, "score": SAME, **more}
    return framework(IndexSpec.model_validate({**told, "heads": heads, "columns": columns}))


def scored(frame: Framework, *periods: list[list[float]]) -> Scored:
    """Scores of units given as rows of values, a list of rows for each period."""
    values = np.array(periods, dtype=float).transpose(1, 0, 2)
    units = [f"u{row}" for row in range(values.shape[0])]
    return score(frame, of_values(values, units=units, periods=["p0", "p1"][: len(periods)], columns=[
        leaf.key for leaf in frame.leaves
    ]))  # fmt: skip


def whole(found: why.Why) -> Any:
    return found.leaf.sum(axis=1) + found.other.sum(axis=1)


def test_in_an_arithmetic_tree_a_leaf_s_part_is_its_weight_times_its_change() -> None:
    frame = tree(
        [part("a", weight=3.0), part("b")], [part("x", parent="a"), part("y", parent="a"), part("z", parent="b")]
    )
    found = why.between_periods(scored(frame, [[10, 20, 30]], [[14, 20, 22]]), "p0", "p1")
    assert found.leaf[0].tolist() == pytest.approx([3 / 4 / 2 * 4, 0, -8 / 4])
    assert found.change.tolist() == pytest.approx([-0.5])
    assert found.under("a").tolist() == pytest.approx([1.5])


def test_a_geometric_mean_is_split_by_logarithmic_means() -> None:
    frame = tree([], [part("x"), part("y")], aggregation={"method": "geometric"})
    found = why.between_periods(scored(frame, [[1, 4]], [[4, 9]]), "p0", "p1")
    logarithmic = (6 - 2) / np.log(6 / 2)
    assert found.leaf[0].tolist() == pytest.approx([logarithmic * np.log(4) / 2, logarithmic * np.log(9 / 4) / 2])
    assert found.other[0].tolist() == pytest.approx([0, 0, 0], abs=1e-12)


def test_a_leaf_told_of_for_the_first_time_is_the_head_s_own_line() -> None:
    frame = tree([part("a"), part("b")], [part("x", parent="a"), part("y", parent="a"), part("z", parent="b")])
    found = why.between_periods(scored(frame, [[40, NAN, 30]], [[44, 80, 30]]), "p0", "p1")
    # x counted 1 and then a half of a, so three quarters on the way; a is half of the index. a moved from 40 to 62.
    assert found.leaf[0].tolist() == pytest.approx([0.75 * 4 / 2, 0, 0])
    assert found.other[0, frame.place("a")] == pytest.approx((22 - 3) / 2)


def test_what_kept_a_product_at_zero_has_the_whole_gain() -> None:
    frame = tree([], [part("x"), part("y")], aggregation={"method": "geometric"})
    found = why.between_periods(scored(frame, [[0, 25]], [[16, 36]]), "p0", "p1")
    assert found.leaf[0].tolist() == pytest.approx([24, 0])


def test_two_units_are_told_apart_by_the_same_parts_with_the_other_sign() -> None:
    frame = tree([part("a")], [part("x", parent="a"), part("y", parent="a"), part("z")], aggregation={"method": "ampi"})
    found = scored(frame, [[10, 20, 30], [40, 15, 60]])
    there, back = (why.between_units(found, "p0", *pair) for pair in (("u0", "u1"), ("u1", "u0")))
    assert there.leaf == pytest.approx(-back.leaf)
    assert whole(there) == pytest.approx(there.change)


def test_short_boards_sum_to_what_lacks_to_a_full_score() -> None:
    frame = tree([part("a", weight=3.0)], [part("x", parent="a"), part("y", parent="a"), part("z")])
    found = why.lost(scored(frame, [[50, 90, 80]]), "p0")
    assert found.leaf[0].tolist() == pytest.approx([18.75, 3.75, 5])
    assert found.change.tolist() == pytest.approx([27.5])


def test_a_unit_without_a_score_at_one_end_has_no_parts() -> None:
    frame = tree([], [part("x"), part("y")], missing={"rule": "none"})
    found = why.between_periods(scored(frame, [[1, NAN], [1, 2]], [[1, 2], [2, 4]]), "p0", "p1")
    assert np.isnan(found.change).tolist() == [True, False]
    assert np.isnan(found.leaf).all(axis=1).tolist() == [True, False]


@st.composite
def trees(draw: st.DrawFn) -> tuple[Framework, int]:
    count = draw(st.integers(0, 5))
    heads = []
    for number in range(count):
        parent = draw(st.sampled_from(["", *(f"h{other}" for other in range(number))]))
        heads.append(part(f"h{number}", parent=parent, weight=draw(st.sampled_from([0.5, 1.0, 2.0])),
                          aggregation=draw(st.sampled_from(MEANS)), missing=draw(missing())))  # fmt: skip
    if count and draw(st.booleans()):
        heads[0]["score"] = draw(st.sampled_from([{"method": "minmax", "scale": [1, 100]}, {"method": "percentile"}]))
    columns = [part(f"x{number}", parent=f"h{number}") for number in range(count)] + [part("r")]
    for number in range(draw(st.integers(1, 6))):
        parent = draw(st.sampled_from(["", *(f"h{other}" for other in range(count))]))
        columns.append(part(f"y{number}", parent=parent, weight=draw(st.sampled_from([0.0, 0.5, 1.0, 3.0]))))
    rule = draw(st.sampled_from(MEANS))
    places = draw(st.sampled_from([None, None, 2]))
    return tree(heads, columns, aggregation=rule, missing=draw(missing()), places=places), len(columns)


def missing() -> st.SearchStrategy[dict[str, Any]]:
    rules = [{"rule": "renormalise"}, {"rule": "zero"}, {"rule": "none"}, {"rule": "renormalise", "at_least": 0.5}]
    return st.sampled_from(rules)


def cells() -> st.SearchStrategy[float]:
    return st.one_of(
        st.floats(0, 100, allow_subnormal=False).map(lambda x: round(x, 3)), st.sampled_from([NAN, 0.0, 100.0])
    )


@settings(max_examples=400, deadline=None)
@given(st.data(), trees())
def test_the_parts_sum_to_the_whole(data: st.DataObject, grown: tuple[Framework, int]) -> None:
    frame, leaves = grown
    rows = st.lists(st.lists(cells(), min_size=leaves, max_size=leaves), min_size=3, max_size=3)
    found = scored(frame, data.draw(rows), data.draw(rows))
    for told in (why.between_periods(found, "p0", "p1"), why.between_units(found, "p1", "u0", "u2")):
        size = np.maximum(1.0, np.nan_to_num(np.abs(found.index)).max())
        here = ~np.isnan(told.change)
        assert np.allclose(whole(told)[here], told.change[here], rtol=0, atol=1e-9 * size)
        assert np.isnan(told.leaf[~here]).all()
        for key in frame.keys:
            assert not np.isinf(told.under(key)).any()


MEANT = [rule for rule in MEANS if rule["method"] not in {"min", "max", "median"} and "best" not in rule]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.lists(st.sampled_from(MEANT), min_size=3, max_size=3))
def test_without_gaps_and_picking_nothing_is_left_for_the_heads_own_lines(
    data: st.DataObject, rules: list[dict[str, Any]]
) -> None:
    heads = [part("a", aggregation=rules[1]), part("b", aggregation=rules[2], weight=2.0)]
    columns = [part(key, parent=parent) for key, parent in zip("uvwxyz", "aaabbb", strict=True)]
    frame = tree(heads, columns, aggregation=rules[0])
    rows = st.lists(st.lists(st.floats(5, 100), min_size=6, max_size=6), min_size=2, max_size=2)
    found = scored(frame, data.draw(rows), data.draw(rows))
    told = why.between_periods(found, "p0", "p1")
    # A mean less its penalty can lie below 0, and a geometric mean above that has no score.
    here = ~np.isnan(told.change)
    size = max(1.0, float(np.nan_to_num(np.abs(found.index)).max()))
    assert np.abs(told.other[here]).max(initial=0.0) < 1e-9 * size
    assert np.allclose(told.leaf.sum(axis=1)[here], told.change[here], rtol=0, atol=1e-9 * size)


@settings(max_examples=150, deadline=None)
@given(st.data(), trees(), st.permutations(range(4)))
def test_another_order_of_units_changes_no_score_and_no_part(
    data: st.DataObject, grown: tuple[Framework, int], order: list[int]
) -> None:
    frame, leaves = grown
    rows = data.draw(st.lists(st.lists(cells(), min_size=leaves, max_size=leaves), min_size=4, max_size=4))
    found, other = scored(frame, rows), scored(frame, [rows[at] for at in order])
    np.testing.assert_array_equal(found.index[order], other.index)


def test_what_moved_a_mean_up_and_what_moved_it_down_are_told_though_it_hardly_moved() -> None:
    frame = tree([], [part("x"), part("y")], aggregation={"method": "geometric"})
    found = why.between_periods(scored(frame, [[10.0, 40.0]], [[40 * (1 + 3e-15), 10.0]]), "p0", "p1")
    assert found.leaf[0].tolist() == pytest.approx([10 * np.log(4), -10 * np.log(4)], rel=1e-6)


def test_a_head_that_jumps_among_all_by_next_to_nothing_has_the_jump_itself() -> None:
    ranked = {"method": "percentile", "scale": (0, 100)}
    frame = tree([part("a", score=ranked)], [part("x", parent="a"), part("y", parent="a")])
    before, after = [[10.0, 30.0], [20, 20.000001]], [[30.00001, 10], [20, 20.000001]]
    found = why.between_periods(scored(frame, before, after), "p0", "p1")
    assert found.change.tolist() == pytest.approx([100, -100])
    assert np.abs(found.leaf).max() <= 100
    assert whole(found).tolist() == pytest.approx([100, -100])
