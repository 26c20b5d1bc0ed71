"""Which topics a text is about: by declared words from the first day, by what the town taught later."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.intake import suggestion
from anlan.intake.suggestion import SUGGESTING, Suggesting, by_words, suggest
from anlan.intake.topic import TOPICS, Topic
from anlan.intake.topic_learning import TooFew, learn
from anlan.kernel.catalogue import PACKAGE, Catalogue

KNOWN = Catalogue([PACKAGE])
HOW: Suggesting = KNOWN.get(SUGGESTING, suggestion.IN_USE)
FOR_ALL: dict[str, Topic] = KNOWN.all(TOPICS)
DAY = date(2026, 3, 6)
# How people of one village speak: no declared word stands in it.
DIALECT = ("涵头塌咧", "涵头冒水", "涵头板不见了", "涵头边上走不得")
PLAIN = ("路灯不亮", "路灯坏了一排", "楼道灯不亮")


def village(many: int = 400) -> list[tuple[str, str]]:
    """What was told of cases that turned out to be manholes, and lamps."""
    return [
        (f"{DIALECT[n % 4]}，第 {n} 户门口", "manhole") if n % 2 else (f"{PLAIN[n % 3]}，第 {n} 户", "streetlight")
        for n in range(many)
    ]


MODEL, JUDGED = learn(village(), FOR_ALL, HOW, until=DAY)


def test_declared_words_suggest_from_the_first_day_and_say_which_words() -> None:
    first = by_words(FOR_ALL, "厨房有燃气味，怀疑漏气", HOW)[0]
    assert first.topic == "gas_leak"
    assert "燃气味" in first.because


def test_declared_words_alone_are_never_sure_enough_to_be_taken() -> None:
    everything = "，".join(FOR_ALL["gas_leak"].words.zh)
    assert by_words(FOR_ALL, everything, HOW)[0].confidence < HOW.unproven < HOW.certain


def test_a_text_without_any_known_word_suggests_nothing() -> None:
    assert by_words(FOR_ALL, "zzz", HOW) == []


def test_a_towns_own_words_are_learned() -> None:
    asked = "涵头又塌咧"
    assert by_words(FOR_ALL, asked, HOW) == []
    first = suggest(FOR_ALL, asked, HOW, MODEL)[0]
    assert (first.topic, first.confidence > HOW.unproven) == ("manhole", True)
    assert "涵头" in first.because


def test_a_topic_the_town_never_had_is_still_suggested_after_learning() -> None:
    found = [each.topic for each in suggest(FOR_ALL, "厨房有燃气味，怀疑漏气", HOW, MODEL)]
    assert "gas_leak" in found


def test_it_is_judged_on_the_latest_cases_which_it_has_not_seen() -> None:
    # In the latest fifth everybody says something new, of which nothing could be learned before.
    later = [(chr(0x9000 + n) + chr(0x9100 + n), "manhole") for n in range(100)]
    _, judged = learn([*village(400), *later], FOR_ALL, HOW, until=DAY)
    assert judged.learned.reports == 100
    assert judged.learned.first < 50
    assert judged.learned_from == 500


def test_sure_ones_are_counted_with_how_many_were_right() -> None:
    many, right = JUDGED.certain
    assert many > 0
    assert many == right == sum(step.reports for step in JUDGED.steps if step.low >= HOW.certain)
    assert JUDGED.learned.first > JUDGED.words.first


def test_too_little_is_not_learned_from() -> None:
    with pytest.raises(TooFew, match=str(HOW.fewest)):
        learn(village(HOW.fewest - 1), FOR_ALL, HOW, until=DAY)


def test_one_topic_alone_teaches_nothing() -> None:
    with pytest.raises(TooFew):
        learn([("涵头塌咧", "manhole")] * 300, FOR_ALL, HOW, until=DAY)


def test_a_model_is_the_same_after_it_was_stored() -> None:
    again = suggestion.read(MODEL.written)
    for text in ("涵头又塌咧", "路灯", "漏气"):
        assert suggest(FOR_ALL, text, HOW, again) == suggest(FOR_ALL, text, HOW, MODEL)


def test_a_topic_that_was_taken_out_is_not_suggested_any_more() -> None:
    left = {key: topic for key, topic in FOR_ALL.items() if key != "manhole"}
    assert "manhole" not in [each.topic for each in suggest(left, "涵头又塌咧", HOW, MODEL)]


@given(st.text(st.characters(categories=["L", "N", "P", "Z"]) | st.sampled_from(string.printable), max_size=200))
def test_whatever_is_told_confidences_fall_and_are_probabilities(text: str) -> None:
    for found in (by_words(FOR_ALL, text, HOW), suggest(FOR_ALL, text, HOW, MODEL)):
        told = [each.confidence for each in found]
        assert told == sorted(told, reverse=True)
        assert all(HOW.least <= confidence <= 1 for confidence in told)
        assert sum(told) <= 1 + 1e-9
        assert len(found) <= HOW.shown
