"""What makes two things one, learned from what was merged: from enough of it, and with the sign it must have."""

from __future__ import annotations

import tomllib
from datetime import date
from itertools import product
from math import log
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.intake import learning, likeness
from anlan.intake.learning import Pair, TooFew, learn, written
from anlan.intake.likeness import Compared, Likeness, Weights, score
from anlan.kernel import catalogue
from anlan.kernel.catalogue import PACKAGE, Catalogue

DECLARED: Likeness = Catalogue([PACKAGE]).get(likeness.LIKENESS, likeness.IN_USE)
DAY = date(2026, 3, 6)
SPREAD = [
    Compared(place=place, metres=metres, days=days, topic=topic, words=words)
    for place, metres, days, topic, words in product(
        ("address", "other"), (0.0, 60.0), (0.0, 1.0, 2.0, 3.0), ("same", "other"), (0.0, 0.5, 1.0)
    )
]


def town(wanted: Weights, *, each: int = 400) -> list[Pair]:
    """Pairs that were merged exactly as often as these weights say."""
    like = DECLARED.model_copy(update={"weights": wanted})
    same = {pair: round(each * score(pair, like)) for pair in SPREAD}
    return [(pair, number < same[pair]) for pair in SPREAD for number in range(each)]


def weights(**more: float) -> Weights:
    return Weights(**(DECLARED.weights.model_dump() | more))


def test_a_town_that_merges_by_other_weights_is_found_out() -> None:
    wanted = weights(start=-2.0, same_place=2.5, other_place=0.0, near=1.0, day=-0.9, same_topic=1.5, words=2.0)
    found = learn(town(wanted), DECLARED, until=DAY).weights
    # Of the same place, another place and nearness only what they come to together is known.
    assert found.day == pytest.approx(wanted.day, abs=0.1)
    assert found.same_topic == pytest.approx(wanted.same_topic, abs=0.1)
    assert found.words == pytest.approx(wanted.words, abs=0.1)
    like = DECLARED.model_copy(update={"weights": wanted})
    learned = DECLARED.model_copy(update={"weights": found})
    for pair in SPREAD:
        assert score(pair, learned) == pytest.approx(score(pair, like), abs=0.03), pair


def test_what_the_town_does_not_have_keeps_its_weight() -> None:
    found = learn(town(weights(words=2.0)), DECLARED, until=DAY).weights
    assert found.photo == pytest.approx(DECLARED.weights.photo)
    assert found.closed_day == pytest.approx(DECLARED.weights.closed_day)


def test_a_few_merges_change_little() -> None:
    known = {same: [pair for pair in town(DECLARED.weights) if pair[1] is same] for same in (True, False)}
    chosen = [pair for some in known.values() for pair in some[:: len(some) // 30]]
    assert 60 <= len(chosen) <= 64
    found = learn(chosen, DECLARED, until=DAY).weights
    for name, weight in found.model_dump().items():
        assert abs(weight - getattr(DECLARED.weights, name)) < 2.5, name


def test_what_would_work_against_its_nature_weighs_nothing() -> None:
    pairs = [(pair, pair.topic == "other") for pair in SPREAD] * 4
    found = learn(pairs, DECLARED, until=DAY).weights
    assert found.same_topic == 0
    assert found.day <= 0


@given(st.lists(st.tuples(st.sampled_from(SPREAD), st.booleans()), max_size=120))
def test_whatever_was_merged_the_weights_can_be_declared(pairs: list[Pair]) -> None:
    enough = pairs + [(SPREAD[0], True), (SPREAD[-1], False)] * learning.FEWEST
    found = learn(enough, DECLARED, until=DAY)
    assert 0 < found.threshold < 1
    assert Likeness.model_validate(tomllib.loads(written(found))) == found


def test_too_few_are_refused_with_both_numbers() -> None:
    pairs = [(SPREAD[0], True)] * 19 + [(SPREAD[1], False)] * 100
    with pytest.raises(TooFew, match="19 对和 100 对"):
        learn(pairs, DECLARED, until=DAY)


def test_the_threshold_misses_hardly_any() -> None:
    known = town(DECLARED.weights)
    found = learn(known, DECLARED, until=DAY)
    scored = [(score(pair, found) >= found.threshold, same) for pair, same in known]
    right = sum(1 for likely, same in scored if likely and same)
    shown = sum(1 for likely, _ in scored if likely)
    wanted = sum(1 for _, same in scored if same)
    best = max(
        10 * sum(1 for pair, same in known if same and score(pair, found) >= level)
        / (9 * wanted + sum(1 for pair, _ in known if score(pair, found) >= level))
        for level in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
    )  # fmt: skip
    assert 10 * right / (9 * wanted + shown) >= best
    assert right / wanted > 0.9


def test_the_file_written_takes_the_place_of_the_declared_one(tmp_path: Path) -> None:
    found = learn(town(weights(words=2.0)), DECLARED, until=DAY)
    pack = tmp_path / "mine"
    (pack / "likeness").mkdir(parents=True)
    (pack / "likeness/same_thing.toml").write_text(written(found), encoding="utf-8")
    with catalogue.using([pack]):
        assert likeness.in_use() == found
        assert likeness.in_use().learned is not None
    assert likeness.in_use() == DECLARED


def test_the_arithmetic_solves_what_can_be_checked_by_hand() -> None:
    assert learning._solved([[2.0, 1.0], [1.0, 3.0]], [3.0, 5.0]) == pytest.approx([0.8, 1.4])
    # Nothing but a start: the share of what was one thing, as a logit, drawn a little to the declared one.
    rows = [((1.0, *[0.0] * (len(likeness.NAMES) - 1)), 3000, 1000)]
    [start, *_] = learning._newton(rows, [0.0] * len(likeness.NAMES), set())
    assert start == pytest.approx(log(3), abs=0.01)
