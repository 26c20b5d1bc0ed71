"""Places: the declared ties and rounding, peers among themselves, points to the next, and bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from anlan.index.scoring.composite import Scored, score
from anlan.index.scoring.framework import framework
from anlan.index.scoring.groups import Unlabelled
from anlan.index.scoring.panel import of_values
from anlan.index.scoring.ranks import matrix, places, ranked
from anlan.index.scoring.spec import IndexSpec, Peers, Ranking
from anlan.kernel.text import Text

NAN = float("nan")
LABELS = {"level": ["county", "town", "town", "town", "county", "town"]}


def scored(values: list[float], **more: Any) -> Scored:
    spec = IndexSpec.model_validate({
        "key": "i", "title": {"zh": "i", "en": "i"}, "score": {"method": "identity"},
        "basis": {"source": "test", "mark": "U", "checked_on": "2026-11-22"},
        "columns": [{"key": "x", "title": {"zh": "x", "en": "x"}}], **more,
    })  # fmt: skip
    panel = of_values(np.array(values)[:, None, None], units=list("abcdef"), periods=["p"], columns=["x"])
    return score(framework(spec), panel, labels=LABELS)


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({}, [1, 2, 4, 5]), ({"ties": "average"}, [1, 2, 4, 5]), ({"places": 1}, [1, 2, 2, 5]),
        ({"places": 1, "ties": "max"}, [1, 4, 4, 5]), ({"places": 1, "ties": "average"}, [1, 3, 3, 5]),
        ({"places": 1, "ties": "dense"}, [1, 2, 2, 3]), ({"best": "lowest"}, [5, 4, 2, 1]),
    ],
)  # fmt: skip
def test_ties_and_rounding_are_as_declared(rule: dict[str, Any], wanted: list[float]) -> None:
    found = ranked(np.array([99.0, 98.21, 98.16, 70.0, NAN, 98.20]), Ranking.model_validate(rule))
    assert found[:4].tolist() == wanted
    assert np.isnan(found[4])


def test_towns_are_ranked_among_towns_with_the_points_to_the_next_place() -> None:
    who = Peers(key="towns", title=Text(zh="乡镇", en="towns"), by=("level",), among={"level": ("town",)})
    found = places(scored([90, 80, 85, 80, 70, NAN]), "p", peers=who)
    assert [(each.unit, each.rank, each.of, each.tied, each.to_next) for each in found] == [
        ("c", 1, 3, 0, 0), ("b", 2, 3, 1, 5), ("d", 2, 3, 1, 5),
    ]  # fmt: skip
    assert {each.group for each in found} == {"town"}


def test_each_group_of_peers_is_ranked_by_itself() -> None:
    found = places(
        scored([90, 80, 85, 80, 70, 60]), "p", peers=Peers(key="level", title=Text(zh="", en=""), by=("level",))
    )
    assert {each.unit: each.rank for each in found} == {"a": 1, "e": 2, "c": 1, "b": 2, "d": 2, "f": 4}


def test_peers_by_what_is_not_told_of_units_are_refused() -> None:
    with pytest.raises(Unlabelled, match="kind"):
        places(scored([1, 2, 3, 4, 5, 6]), "p", peers=Peers(key="k", title=Text(zh="", en=""), by=("kind",)))


def test_bands_are_by_score_or_by_the_share_of_peers_not_above() -> None:
    bands = [
        {"key": "red", "title": {"zh": "红", "en": "red"}},
        {"key": "yellow", "title": {"zh": "黄", "en": "yellow"}, "least": 50},
        {"key": "green", "title": {"zh": "绿", "en": "green"}, "least": 90},
    ]  # fmt: skip
    values = [90.0, 50, 49.9, 89.9, 95, 10]
    by_score = {each.unit: each.band for each in places(scored(values, bands=bands), "p")}
    assert by_score == {"a": "green", "b": "yellow", "c": "red", "d": "yellow", "e": "green", "f": "red"}
    by_share = {each.unit: each.band for each in places(scored(values, bands=bands, band_by="share"), "p")}
    assert by_share == {"e": "green", "a": "yellow", "d": "yellow", "b": "yellow", "c": "red", "f": "red"}


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.floats(-5, 5).map(round)))
def test_many_columns_at_once_are_ranked_as_each_by_itself(scores: Any) -> None:
    found = matrix(scores)
    for column in range(scores.shape[1]):
        assert found[:, column].tolist() == ranked(scores[:, column]).tolist()
