"""Small areas are drawn to the area above by the published formula, worked out here once more, area by area."""

from __future__ import annotations

import math

import numpy as np
import pytest

from anlan.index.counting import period
from anlan.index.counting.shrinking import shrunk
from anlan.index.counting.tree import Tree, Version
from anlan.index.scoring.panel import Floats

OCTOBER = period.read("2026-10")
VERSIONS = [Version("1/", "county"), *(Version(f"1/{key}/", "village") for key in "abcd"), Version("2/", "county")]
TREE = Tree(VERSIONS)
PLACE = TREE.place


def counts(**told: float) -> Floats:
    found = np.zeros(len(TREE))
    for key, value in told.items():
        found[PLACE[f"1/{key}/"]] = value
    found[PLACE["1/"]] = sum(told.values())
    return found


def test_a_share_is_drawn_as_the_english_indices_draw_it() -> None:
    events, of = counts(a=1, b=4, c=30, d=0), counts(a=2, b=10, c=40, d=5)
    m = {
        key: math.log((r + 0.5) / (n - r + 0.5))
        for key, r, n in (("a", 1, 2), ("b", 4, 10), ("c", 30, 40), ("d", 0, 5))
    }
    whole = math.log(35.5 / (57 - 35 + 0.5))
    spread = sum((one - whole) ** 2 for one in m.values()) / 3
    variance = 3 * 4 / (2 * 2 * (2 - 1 + 1))
    weight = (1 / variance) / (1 / variance + 1 / spread)
    drawn = weight * m["a"] + (1 - weight) * whole
    found = shrunk(events, of, TREE, OCTOBER, "county")
    assert found[PLACE["1/a/"]] == pytest.approx(1 / (1 + math.exp(-drawn)), rel=1e-12)


def test_an_area_of_nothing_has_the_rate_above_it() -> None:
    found = shrunk(counts(a=0, b=4, c=30, d=1), counts(a=0, b=10, c=40, d=5), TREE, OCTOBER, "county")
    assert found[PLACE["1/a/"]] == pytest.approx(35.5 / (35.5 + 20.5), rel=1e-12)


def test_more_events_than_residents_are_drawn_by_their_logarithm() -> None:
    found = shrunk(counts(a=9, b=4, c=30, d=1), counts(a=3, b=10, c=40, d=5), TREE, OCTOBER, "county")
    assert 44.5 / 58 < found[PLACE["1/a/"]] < 9.5 / 3


def test_what_has_nothing_above_it_is_not_drawn() -> None:
    found = shrunk(counts(a=1, b=4, c=30, d=0), counts(a=2, b=10, c=40, d=5), TREE, OCTOBER, "county")
    assert np.isnan(found[[PLACE["1/"], PLACE["2/"]]]).all()


def test_areas_that_do_not_differ_have_one_rate() -> None:
    found = shrunk(counts(a=0, b=0, c=0, d=0), counts(a=10, b=10, c=10, d=10), TREE, OCTOBER, "county")
    leaves = found[[PLACE[f"1/{key}/"] for key in "abcd"]]
    assert np.ptp(leaves) < 0.05
    assert np.isfinite(leaves).all()


def test_where_nothing_happened_anywhere_there_is_nothing_to_draw_to() -> None:
    nothing = np.zeros(len(TREE))
    assert np.isnan(shrunk(nothing, nothing, TREE, OCTOBER, "county")).all()


def test_an_area_of_nothing_has_the_rate_above_it_where_events_are_more_than_residents() -> None:
    found = shrunk(counts(a=0, b=40, c=30, d=1), counts(a=0, b=10, c=40, d=5), TREE, OCTOBER, "county")
    assert found[PLACE["1/a/"]] == pytest.approx(71.5 / 55, rel=1e-12)
