"""Signals beside a score: few say nothing, and what is unusual is told with what chance leaves open."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from anlan.index.rulebook import integrity
from anlan.index.rulebook.integrity import BadSample, Count, fixed, interval, read, sample, seed_of
from anlan.index.rulebook.signal import SIGNALS
from anlan.kernel import catalogue

SHIPPED = catalogue.current().all(SIGNALS)
UNSEEN, SILENT = SHIPPED["fixed_unseen"], SHIPPED["silent_while_failing"]


def test_few_cases_say_nothing() -> None:
    assert read(UNSEEN, Count(9, 9)).raised == "few"
    assert read(UNSEEN, Count(0, 0)).share is None


@pytest.mark.parametrize(("unseen", "said"), [(0, "quiet"), (30, "quiet"), (35, "watch"), (60, "raised")])
def test_a_share_is_unusual_only_when_chance_would_not_do_it(unseen: int, said: str) -> None:
    found = read(UNSEEN, Count(unseen, 100))
    assert found.raised == said
    assert found.low is not None
    assert found.high is not None
    assert found.low <= unseen / 100 <= found.high


@pytest.mark.parametrize(("again", "said"), [(1, "quiet"), (4, "watch"), (9, "raised")])
def test_two_old_pictures_in_a_hundred_are_looked_at(again: int, said: str) -> None:
    assert read(SHIPPED["same_photo_twice"], Count(again, 100)).raised == said


def test_the_interval_of_a_share_is_clopper_and_pearsons() -> None:
    low, high = interval(2, 10)
    assert (round(low, 4), round(high, 4)) == (0.0368, 0.5069)
    assert interval(0, 10)[0] == 0.0
    assert interval(10, 10)[1] == 1.0


def test_fewer_reports_and_more_failed_checks_are_unusual_together_and_not_alone() -> None:
    def said(reports: int, failed: int) -> str:
        return read(
            SILENT, Count(reports, 0), before=Count(400, 0), against=(Count(10, 100), Count(failed, 100))
        ).raised

    assert said(200, 30) == "raised"
    assert said(200, 10) == "quiet"
    assert said(390, 30) == "quiet"
    assert said(200, 12) == "watch"
    assert read(SILENT, Count(3, 0), before=Count(9, 0), against=(Count(1, 5), Count(3, 5))).raised == "few"


def test_every_signal_says_what_it_is_what_to_ask_and_where_its_threshold_comes_from() -> None:
    assert len(SHIPPED) >= 6
    for signal in SHIPPED.values():
        assert signal.ask.zh
        assert signal.basis.source.zh
        assert 0 < signal.threshold < 1


# ---------------------------------------------------------------- the sample


def test_a_sample_is_the_same_draw_whatever_order_cases_come_in() -> None:
    cases = [str(number) for number in range(200)]
    drawn = sample(cases, 20, seed=7)
    assert drawn == sample(reversed(cases), 20, seed=7)
    assert drawn != sample(cases, 20, seed=8)
    more = [case for case in sample([*cases, "one more"], 20, seed=7) if case != "one more"]
    assert more == drawn[: len(more)]
    assert sample(cases[:3], 20, seed=7) == sample(cases[:3], 3, seed=7)
    assert sample([*cases, *cases], 20, seed=7) == drawn, "a case told twice has one lot"
    assert seed_of("peace", "2026-11") == seed_of("peace", "2026-11") != seed_of("peace", "2026-12")


def test_every_case_is_drawn_about_as_often_as_any_other() -> None:
    cases = [str(number) for number in range(20)]
    drawn = [case for seed in range(2000) for case in sample(cases, 5, seed=seed)]
    counts = [drawn.count(case) for case in cases]
    assert sum((count - 500) ** 2 / 500 for count in counts) < 43.8  # chi-square, 19 degrees, 0.1 %


def test_the_true_share_of_fixes_by_hand() -> None:
    found = fixed(18, 20, 100)
    assert found.share == 0.9
    numbers = [n for n in range(18, 99) if min(hypergeom.sf(17, 100, n, 20), hypergeom.cdf(18, 100, n, 20)) > 0.05]
    assert (found.low, found.high) == (numbers[0] / 100, numbers[-1] / 100)
    assert found.low == 0.74


def test_looking_at_every_case_leaves_nothing_open() -> None:
    assert fixed(7, 10, 10) == integrity.Fixed(0.7, 0.7, 0.7, 7, 10, 10)


@given(st.integers(1, 60), st.data())
def test_the_interval_holds_the_share_and_narrows_with_more_looks(of: int, data: st.DataObject) -> None:
    looked = data.draw(st.integers(1, of))
    found = fixed(data.draw(st.integers(0, looked)), looked, of)
    assert 0 <= found.low <= found.high <= 1
    assert found.low - 1e-9 <= round(found.share * of) / of + 1 / of
    assert math.isclose(found.low, found.share) or found.low < found.share + 1 / of


@pytest.mark.parametrize(("found", "looked", "of"), [(3, 2, 10), (1, 11, 10), (0, 0, 10), (-1, 2, 10)])
def test_an_impossible_sample_is_refused(found: int, looked: int, of: int) -> None:
    with pytest.raises(BadSample):
        fixed(found, looked, of)


def test_as_many_as_are_asked_for_are_enough() -> None:
    assert read(UNSEEN, Count(0, UNSEEN.at_least)).raised == "quiet"
    assert read(UNSEEN, Count(0, UNSEEN.at_least - 1)).raised == "few"


def test_too_few_checks_since_say_nothing_of_them() -> None:
    checks = (Count(10, 100), Count(1, SILENT.at_least - 1))
    assert read(SILENT, Count(200, 0), before=Count(400, 0), against=checks).raised == "few"


def test_nothing_is_not_more_than_nothing() -> None:
    strict = UNSEEN.model_copy(update={"threshold": 0.0})
    assert read(strict, Count(0, 100)).raised == "quiet"
    assert read(strict, Count(1, 100)).raised == "raised"


def test_every_signal_says_what_is_counted_and_when_it_is_unusual_also_while_it_is_not() -> None:
    for key, signal in SHIPPED.items():
        assert "异常" in signal.summary.zh, key
        assert "unusual above" in signal.summary.en, key
