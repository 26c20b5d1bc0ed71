"""Deadlines in the unit of their own clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from anlan.kernel.workdays import calendar_for
from anlan.presentation.web.deadlines import time_left

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI)
CHINA = calendar_for("china")


def test_working_days_are_counted_over_the_weekend() -> None:
    due = datetime(2026, 11, 24, 17, 30, tzinfo=SHANGHAI)
    said = time_left(due, "working_days", CHINA, now=FRIDAY)
    assert said.zh == "还剩 2 个工作日（11月24日 17:30）"
    assert said.en == "2 working days left (24 Nov 17:30)"


def test_on_the_last_day_the_hours_are_said() -> None:
    due = datetime(2026, 11, 20, 17, 30, tzinfo=SHANGHAI)
    assert time_left(due, "working_days", CHINA, now=FRIDAY).zh == "还剩 7 小时 30 分钟（11月20日 17:30）"


def test_working_minutes_stand_still_through_the_night() -> None:
    due = datetime(2026, 11, 23, 9, 30, tzinfo=SHANGHAI)
    evening = datetime(2026, 11, 20, 17, 15, tzinfo=SHANGHAI)
    assert time_left(due, "working_minutes", CHINA, now=evening).zh == "还剩 45 个工作分钟（11月23日 09:30）"
    assert time_left(due, "working_minutes", CHINA, now=FRIDAY).en == "6 working hours 30 minutes left (23 Nov 09:30)"


def test_what_is_late_is_late_by_the_wall_clock() -> None:
    said = time_left(FRIDAY - timedelta(days=1, hours=3), "working_days", CHINA, now=FRIDAY)
    assert said.zh == "超期 1 天 3 小时（11月19日 07:00）"
    assert said.en == "1 day 3 hours late (19 Nov 07:00)"
