"""How moments, spans, deadlines and lights are said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from anlan.presentation.web import lights, words
from anlan.presentation.web.lights import ClockLine, light_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)


@dataclass
class Clocked:
    closed_at: datetime | None = None
    warn_at: datetime | None = None
    due_at: datetime | None = None
    paused: bool = False
    hung: bool = False


def test_a_deadline_is_told_both_ways() -> None:
    due = datetime(2026, 11, 24, 17, 30, tzinfo=SHANGHAI)
    said = words.time_left(due, now=NOW, working_days=2)
    assert said.zh == "还剩 2 个工作日（11月24日 17:30）"
    assert said.en == "2 working days left (24 Nov 17:30)"


def test_the_last_working_day_is_told_in_hours() -> None:
    due = NOW + timedelta(hours=3, minutes=5)
    assert words.time_left(due, now=NOW, working_days=0).zh == "还剩 3 小时 5 分钟（11月22日 13:05）"


def test_what_is_late_says_by_how_much() -> None:
    due = NOW - timedelta(days=1, hours=3)
    said = words.time_left(due, now=NOW)
    assert said.zh == "超期 1 天 3 小时（11月21日 07:00）"
    assert said.en == "1 day 3 hours late (21 Nov 07:00)"


def test_a_span_is_never_nothing() -> None:
    assert words.span(timedelta(seconds=2)).zh == "1 分钟"
    assert words.span(timedelta(days=2, minutes=7)).en == "2 days"


def test_today_yesterday_and_other_years_are_said_so() -> None:
    assert words.moment(NOW - timedelta(hours=1), now=NOW).zh == "今天 09:00"
    assert words.moment(NOW - timedelta(days=1), now=NOW).en == "yesterday 10:00"
    assert words.moment(NOW - timedelta(days=400), now=NOW).zh == "2025年10月18日 10:00"
    assert words.day(date(2026, 3, 1), today=date(2026, 11, 22)).en == "1 Mar"


def test_each_state_of_a_clock_has_its_own_light() -> None:
    before, after = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    assert light_of(Clocked(), now=NOW) == lights.NO_LIMIT
    assert light_of(Clocked(due_at=before), now=NOW) == lights.LATE
    assert light_of(Clocked(due_at=after, warn_at=before), now=NOW) == lights.SOON
    assert light_of(Clocked(due_at=after, warn_at=after), now=NOW) == lights.ON_TIME
    assert light_of(Clocked(due_at=before, paused=True), now=NOW) == lights.PAUSED
    assert light_of(Clocked(due_at=before, hung=True), now=NOW) == lights.HUNG
    assert light_of(Clocked(due_at=before, closed_at=before), now=NOW) == lights.CLOSED


def test_no_two_lights_share_a_word_or_a_shape() -> None:
    every = [lights.LATE, lights.SOON, lights.ON_TIME, lights.HUNG, lights.PAUSED, lights.RETURNED, lights.NO_LIMIT]
    assert len({light.key for light in every}) == len({light.word.zh for light in every}) == len(every)


def test_a_clock_line_keeps_its_marks_between_its_ends() -> None:
    line = ClockLine(lights.LATE.word, NOW - timedelta(days=4), NOW, NOW - timedelta(days=2), NOW, lights.LATE)
    assert line.due_share == 50.0
    assert line.now_at == 100.0
    early = ClockLine(lights.ON_TIME.word, NOW, None, NOW, NOW, lights.ON_TIME)
    assert early.now_at == 0.0
    assert early.warn_share is None
