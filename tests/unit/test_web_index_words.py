"""How figures of an index are said, and which cases are worth being told to close first."""

from __future__ import annotations

from datetime import date

import pytest

from anlan.index.editions.fix_first import Gain
from anlan.kernel.text import Text
from anlan.presentation.web.index.first import worthwhile
from anlan.presentation.web.index.words import with_unit

MINUTES = Text(zh="分钟", en="minutes")


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (5.0, "5 分钟", "5 minutes"),
        (2879.0, "2,879 分钟", "2,879 minutes"),
        (24614.0, "24,614 分钟（17.1 天）", "24,614 minutes (17.1 days)"),
        (None, "–", "–"),
    ],
)
def test_many_minutes_are_days_besides(value: float | None, zh: str, en: str) -> None:
    said = with_unit(value, MINUTES)
    assert (said.zh, said.en) == (zh, en)


def test_nobody_is_sent_to_close_what_gives_nothing_that_can_be_seen() -> None:
    found = [_gain(points) for points in (0.4, 0.0005, 0.0004, 0.0, -0.1)]
    assert [gain.points for gain in worthwhile(found)] == [0.4, 0.0005]


def _gain(points: float) -> Gain:
    day = date(2026, 10, 1)
    return Gain("c", "SJ-1", "1/", "", "fire_exit", "", day, None, None, False, points, points, {})
