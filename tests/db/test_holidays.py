"""Notices of holidays, laid over the calendars that are shipped."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from anlan.kernel.text import Refusal
from anlan.kernel.workdays import calendar_for
from anlan.ledger.models import Event
from anlan.places import holidays
from world import AT, SHANGHAI, world

EVE = date(2050, 3, 4)  # a Friday of a year for which no notice is out
NOTICE = "国办发明电〔2049〕1号（虚构）"


def test_without_a_notice_the_calendar_is_the_one_that_is_shipped() -> None:
    assert holidays.calendar("china") is calendar_for("china")


def test_a_loaded_notice_moves_what_is_due() -> None:
    start = datetime(2050, 3, 3, 10, tzinfo=SHANGHAI)
    before = holidays.calendar("china").add(start, 1, "working_days")
    assert holidays.load("china", {EVE: False, EVE + timedelta(days=1): True}, NOTICE, by=None, at=AT) == 2
    after = holidays.calendar("china").add(start, 1, "working_days")
    assert before.at.astimezone(SHANGHAI).date() == EVE
    assert before.provisional
    assert after.at.astimezone(SHANGHAI).date() == EVE + timedelta(days=1)


def test_the_same_notice_again_changes_nothing() -> None:
    holidays.load("china", {EVE: False}, NOTICE, by=None, at=AT)
    assert holidays.load("china", {EVE: False}, NOTICE, by=None, at=AT + timedelta(hours=1)) == 0
    assert Event.objects.filter(kind="calendar.loaded").count() == 1


def test_a_corrected_notice_counts_at_once_even_at_the_same_moment() -> None:
    for works in (False, True, False):
        holidays.load("china", {EVE: works}, NOTICE, by=None, at=AT)
        assert holidays.calendar("china").is_working(EVE) is works


def test_a_calendar_is_kept_until_a_notice_changes_it() -> None:
    holidays.load("china", {EVE: False}, NOTICE, by=None, at=AT)
    assert holidays.calendar("china") is holidays.calendar("china")


def test_a_notice_for_one_calendar_leaves_the_others_alone() -> None:
    holidays.load("china", {EVE: False}, NOTICE, by=None, at=AT)
    assert holidays.calendar("china_09_18").is_working(EVE)


def test_a_notice_without_a_source_or_for_no_calendar_is_refused() -> None:
    with pytest.raises(holidays.NoticeRefused):
        holidays.load("china", {EVE: False}, " ", by=None, at=AT)
    with pytest.raises(Refusal, match="china"):
        holidays.load("chine", {EVE: False}, NOTICE, by=None, at=AT)


def test_an_area_works_by_its_own_calendar_or_by_that_of_the_area_above() -> None:
    town = world()
    assert holidays.calendar_at(town.grid.path) is calendar_for("china")
    town.east.calendar = "always"
    town.east.save()
    assert holidays.calendar_at(town.grid.path) is calendar_for("always")
    assert holidays.calendar_at(town.west_grid.path) is calendar_for("china")
