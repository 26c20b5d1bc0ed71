"""Two things told are one thing or not: what is compared, how it is weighed, and why it is said to be so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.intake import likeness
from anlan.intake.likeness import Compared, Likeness, Told, Weights, compare, rank, say, score
from anlan.intake.topic import Topic
from anlan.kernel.catalogue import PACKAGE, Catalogue
from anlan.kernel.text import Text

AT = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)
DECLARED: Likeness = Catalogue([PACKAGE]).get(likeness.LIKENESS, likeness.IN_USE)
TOPICS = {
    "waste": Topic(key="waste", title=Text(zh="垃圾", en="Waste")),
    "bins": Topic(key="bins", title=Text(zh="垃圾桶", en="Bins"), parent="waste"),
    "noise": Topic(key="noise", title=Text(zh="噪音", en="Noise")),
}
HERE = Told(AT, address="文化路12号", lon=122.0, lat=27.0, topic="bins", text="楼下垃圾桶满了没人收")

places = st.sampled_from(["site", "address", "other", ""])
metres = st.none() | st.floats(0, 5000)
days = st.floats(0, 100)
found = st.builds(
    Compared, place=places, metres=metres, days=days, closed_days=st.none() | days,
    topic=st.sampled_from(["same", "kin", "other"]), words=st.floats(0, 1), photo=st.none() | st.integers(0, 64),
)  # fmt: skip
told = st.builds(
    Told, at=st.integers(0, 10**7).map(lambda s: AT + timedelta(seconds=s)), site=st.none() | st.integers(1, 3),
    address=st.sampled_from(["", "文化路12号", "文化路 １２号", "12 Main St"]), lon=st.none() | st.floats(121.9, 122.1),
    lat=st.floats(26.9, 27.1), topic=st.sampled_from(["", "waste", "bins", "noise"]), text=st.text(max_size=30),
    photos=st.lists(st.integers(0, 2**64 - 1), max_size=2).map(tuple),
)  # fmt: skip


def earlier(**more: Any) -> Told:
    return replace(HERE, **({"at": AT - timedelta(days=1)} | more))


def chance(**more: Any) -> float:
    return score(Compared(**more), DECLARED)


@given(found)
def test_a_score_lies_between_nothing_and_certain(pair: Compared) -> None:
    assert 0 <= score(pair, DECLARED) <= 1


@given(told, told)
def test_of_two_open_things_it_does_not_matter_which_is_compared_with_which(one: Told, two: Told) -> None:
    assert compare(one, two, TOPICS) == compare(two, one, TOPICS)


@given(found, metres, metres)
def test_farther_apart_is_never_likelier(pair: Compared, one: float | None, two: float | None) -> None:
    near, far = sorted(distance if distance is not None else 10**6 for distance in (one, two))
    scores = [score(pair.model_copy(update={"metres": distance}), DECLARED) for distance in (near, far)]
    assert scores[0] >= scores[1]


@given(found, days, days)
def test_longer_ago_is_never_likelier(pair: Compared, one: float, two: float) -> None:
    soon, late = sorted((one, two))
    for field in ("days", "closed_days"):
        scores = [score(pair.model_copy(update={field: each}), DECLARED) for each in (soon, late)]
        assert scores[0] >= scores[1]


@given(found)
def test_what_is_closed_is_never_likelier_than_what_is_open(pair: Compared) -> None:
    assert score(pair, DECLARED) <= score(pair.model_copy(update={"closed_days": None}), DECLARED)


@given(found)
def test_every_pair_has_its_reasons_in_both_languages(pair: Compared) -> None:
    reasons = say(pair)
    assert len(reasons.zh.split("，")) == len(reasons.en.split(", ")) >= 2


def test_the_reasons_are_said_as_one_would_say_them() -> None:
    said = say(compare(HERE, earlier(topic="noise", text=""), TOPICS))
    assert said == Text(zh="同一地址，1 天前，仍在办理", en="same address, 1 day apart, still open")


def test_all_reasons_are_said() -> None:
    closed = earlier(
        address="", site=None, topic="waste", photos=(0b111,), closed_at=AT - timedelta(hours=2), lat=27.0004
    )
    said = say(compare(replace(HERE, photos=(0,)), closed, TOPICS))
    assert said.zh == "相距 44 米，1 天前，刚刚办结，类别相近，说法相近，照片相似"
    assert said.en == "44 m away, 1 day apart, just closed, related topic, similar words, similar photo"


def test_a_case_that_was_closed_later_is_still_open_at_the_moment_of_the_report() -> None:
    assert compare(HERE, earlier(closed_at=AT + timedelta(hours=1)), TOPICS).closed_days is None
    assert compare(HERE, earlier(closed_at=AT), TOPICS).closed_days == 0


@pytest.mark.parametrize("written", ["文化路 12 号", "文化路１２号", " 文化路12号。"])
def test_an_address_is_the_same_however_it_is_typed(written: str) -> None:
    assert compare(HERE, earlier(address=written), TOPICS).place == "address"


@pytest.mark.parametrize("written", ["文化路112号", "文化路1-2号", "文化路12号院"])
def test_another_number_is_another_address(written: str) -> None:
    assert compare(HERE, earlier(address=written), TOPICS).place == "other"


def test_the_same_words_for_a_place_two_villages_away_are_another_place() -> None:
    assert compare(HERE, earlier(lat=27.05), TOPICS).place == "other"


def test_two_shops_of_one_building_are_two_places() -> None:
    assert compare(replace(HERE, site=1), earlier(site=2), TOPICS).place == "other"
    assert compare(replace(HERE, site=1), earlier(site=1, address=""), TOPICS).place == "site"


def test_topics_are_the_same_kin_or_other() -> None:
    kinds = [compare(HERE, earlier(topic=topic), TOPICS).topic for topic in ("bins", "waste", "noise", "")]
    assert kinds == ["same", "kin", "other", "other"]


def test_words_are_compared_by_characters_in_chinese_and_by_letters_in_english() -> None:
    assert likeness.words("楼下垃圾桶满了", "垃圾桶满了，没人收") > 0.5
    assert likeness.words("楼下垃圾桶满了", "夜里施工太吵") == 0
    assert likeness.words("Overflowing bins!", "the bin is overflowing") > 0.4
    assert likeness.words("Overflowing bins", "noise at night") < 0.1
    assert likeness.words("", "") == 0


def test_across_the_date_line_is_near() -> None:
    assert likeness.metres(replace(HERE, lon=179.9999), replace(HERE, lon=-179.9999)) == pytest.approx(19.8, abs=0.2)


def test_the_likeliest_comes_first_and_of_equals_the_latest() -> None:
    things = [earlier(at=AT - timedelta(days=2)), earlier(), earlier(), earlier(at=AT - timedelta(days=9))]
    assert [likely.place for likely in rank(HERE, things, DECLARED, TOPICS)] == [2, 1, 0, 3]


def test_what_is_too_far_too_old_or_closed_too_long_is_not_looked_at() -> None:
    far = earlier(address="", lat=27.002)
    old = earlier(at=AT - timedelta(days=61))
    closed = earlier(at=AT - timedelta(days=9), closed_at=AT - timedelta(days=4))
    assert rank(HERE, [far, old, closed], DECLARED, TOPICS) == []


def test_a_feature_cannot_be_declared_to_work_against_its_nature() -> None:
    weights = DECLARED.weights.model_dump()
    for name, wrong in (("near", -1.0), ("photo", -0.1), ("day", 0.5), ("closed", 1.0)):
        with pytest.raises(ValueError, match=name):
            Weights(**(weights | {name: wrong}))


def test_an_example_that_comes_out_otherwise_is_told() -> None:
    wrong = [example.model_copy(update={"likely": not example.likely}) for example in DECLARED.examples]
    refused = list(likeness.strangers(DECLARED.model_copy(update={"examples": tuple(wrong)})))
    assert [where for where, _ in refused] == [f"examples[{number}]" for number in range(len(wrong))]
    assert list(likeness.strangers(DECLARED)) == []


def test_more_in_common_is_likelier() -> None:
    ladder = [
        chance(metres=60, days=1),
        chance(metres=10, days=1),
        chance(metres=10, days=1, topic="kin"),
        chance(metres=10, days=1, topic="same"),
        chance(metres=10, days=1, topic="same", words=0.5),
        chance(place="address", metres=10, days=1, topic="same", words=0.5),
        chance(place="address", metres=10, days=1, topic="same", words=0.5, photo=3),
    ]
    assert ladder == sorted(set(ladder))
