"""The city's own marks of duplicates, replayed in time order with what was known at each moment: the bars are kept."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from anlan.intake import learning, likeness
from anlan.intake.likeness import IN_USE, LIKENESS, NAMES, Likely, Likeness, Told, Weights
from anlan.intake.topic import TOPICS
from anlan.kernel.catalogue import Catalogue

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import duplicates
from benchmarks.duplicates import Line


@dataclass(frozen=True, slots=True)
class Real:
    """The rows in the order of their days, and for each what it may repeat."""

    catalogue: Catalogue
    asked: Likeness
    rows: list[Line]
    found: list[list[Likely]]

    @property
    def half(self) -> int:
        return len(self.rows) // 2


@pytest.fixture(scope="module")
def real(shared: Path) -> Real:
    file = shared / "reference/reports/chicago_sanitation_2011_2012.csv.gz"
    catalogue = duplicates.declared()
    asked = catalogue.get(LIKENESS, IN_USE)
    rows = duplicates.lines(file, catalogue)
    return Real(catalogue, asked, rows, list(duplicates.replay(rows, asked, catalogue)))


def test_every_row_of_the_file_is_judged(real: Real) -> None:
    assert len(real.rows) == len(real.found) == 37_230
    assert sum(line.marked for line in real.rows) == 1791


def test_the_bare_rule_is_judged_as_it_is_known(real: Real) -> None:
    known = duplicates.judge(real.rows, duplicates.bare(real.rows))
    assert (round(known.recall, 3), round(known.precision, 3)) == (0.985, 0.688)


def test_the_declared_weights_keep_the_bars(real: Real) -> None:
    known = duplicates.at_threshold(real.rows, real.found, real.asked.threshold)
    assert known.recall >= duplicates.RECALL == 0.97
    assert known.precision >= duplicates.PRECISION == 0.72


def test_each_half_of_the_time_keeps_them_too(real: Real) -> None:
    for part in (slice(None, real.half), slice(real.half, None)):
        known = duplicates.at_threshold(real.rows[part], real.found[part], real.asked.threshold)
        assert known.recall >= duplicates.RECALL
        assert known.precision >= duplicates.PRECISION


def test_they_are_kept_by_thresholds_far_to_either_side(real: Real) -> None:
    for threshold in (0.4, 0.6, 0.7, 0.8):
        known = duplicates.at_threshold(real.rows, real.found, threshold)
        assert known.recall >= duplicates.RECALL, threshold
        assert known.precision >= duplicates.PRECISION, threshold


def test_weights_learned_on_the_first_half_keep_them_on_the_second(real: Real) -> None:
    known = duplicates.pairs(real.rows[: real.half], real.found[: real.half])
    learned = learning.learn(known, real.asked, until=real.rows[real.half - 1].told.at.date())
    later = duplicates.again(real.found[real.half :], learned)
    judged = duplicates.at_threshold(real.rows[real.half :], later, learned.threshold)
    assert judged.recall >= duplicates.RECALL
    assert judged.precision >= duplicates.PRECISION


def test_they_are_kept_by_what_is_learned_from_nothing_too(real: Real) -> None:
    """So that it is the first half that teaches, and not the weights it started from."""
    nothing = real.asked.model_copy(update={"weights": Weights(**dict.fromkeys(NAMES, 0.0))})
    found = list(duplicates.replay(real.rows, nothing, real.catalogue))
    known = duplicates.pairs(real.rows[: real.half], found[: real.half])
    learned = learning.learn(known, nothing, until=real.rows[real.half - 1].told.at.date())
    later = duplicates.again(found[real.half :], learned)
    judged = duplicates.at_threshold(real.rows[real.half :], later, learned.threshold)
    assert judged.recall >= duplicates.RECALL
    assert judged.precision >= duplicates.PRECISION


def test_nothing_is_read_that_was_not_known_yet(real: Real) -> None:
    """When what is open at the moment of a report will be closed changes nothing of what it is told."""
    past, topics, looked = duplicates.Past(real.asked), real.catalogue.all(TOPICS), 0
    for line, some in zip(real.rows[:3000], real.found, strict=False):
        earlier = [known(told, line.told.at) for told in past.near(line.told)]
        assert likeness.rank(line.told, earlier, real.asked, topics) == some
        looked += len(earlier)
        past.add(line.told)
    assert looked > 500


def known(told: Told, at: datetime) -> Told:
    """What was known of it at a moment."""
    open_still = told.closed_at is None or told.closed_at > at
    return replace(told, closed_at=None) if open_still else told


def test_the_marks_are_not_read(real: Real) -> None:
    rows = [replace(line, marked=not line.marked) for line in real.rows[:3000]]
    assert list(duplicates.replay(rows, real.asked, real.catalogue)) == real.found[:3000]


def test_in_memory_the_squares_hide_nothing_that_is_near(real: Real) -> None:
    rows, asked = real.rows[20_000:20_400], real.asked
    for line, some in zip(rows, duplicates.replay(rows, asked, real.catalogue), strict=True):
        earlier = [other.told for other in rows[: rows.index(line)]]
        assert len(some) == len(likeness.rank(line.told, earlier, asked))
