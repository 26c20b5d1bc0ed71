"""What one cell says."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.intake.files import cells
from anlan.intake.files.cells import Unreadable

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 11, 1, 16, tzinfo=UTC)
AFTERNOON = datetime(2026, 11, 2, 6, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "told",
    [
        "2026年11月2日",
        "2026-11-02",
        "2026/11/2",
        "2026.11.2",
        "２０２６年１１月２日",
        " 2026 年 11 月 2 日 ",
        "20261102",
        "46328",
    ],
)
def test_a_day_is_its_midnight_in_the_town(told: str) -> None:
    assert cells.moment(told, zone=SHANGHAI) == MIDNIGHT


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-02 14:05",
        "2026-11-02T14:05:00",
        "2026年11月2日14时05分",
        "2026年11月2日 下午2:05",
        "2026-11-02T06:05:00Z",
        "2026-11-02T01:05:00-0500",
        "2026.11.2　１４：０５",
        "46328.58680555556",
    ],
)
def test_a_moment_is_understood_however_it_is_written(told: str) -> None:
    assert cells.moment(told, zone=SHANGHAI) == AFTERNOON


@pytest.mark.parametrize(
    ("told", "zh", "en"),
    [
        ("2026年13月1日", "第 13 月不存在", "there is no month 13"),
        ("2026-02-30", "2026 年 2 月没有第 30 日", "2026-02 has no day 30"),
        ("2026-11-02 25:00", "没有 25:00:00 这个时刻", "there is no 25:00:00"),
        ("2026-11-02 午后", "看不出是几点", "not a time of day"),
        ("26.11.2", "看不出是哪一天", "not a date"),
        ("11/2/2026", "看不出是哪一天", "not a date"),
        ("昨天", "看不出是哪一天", "not a date"),
        ("0202-11-02", "请核对年份", "check it"),
        ("2026-11-02T14:05+99:00", "时区", "no offset"),
    ],
)
def test_a_date_that_cannot_be_is_refused_in_both_languages(told: str, zh: str, en: str) -> None:
    with pytest.raises(Unreadable) as refused:
        cells.moment(told, zone=SHANGHAI)
    assert zh in refused.value.text.zh
    assert en in refused.value.text.en


def test_a_declared_format_is_tried_first() -> None:
    assert cells.moment("11/2/2026", zone=SHANGHAI, formats=["%m/%d/%Y"]) == MIDNIGHT


def test_a_day_is_that_of_the_town_and_not_of_greenwich() -> None:
    assert cells.day("2026-11-02T01:00:00+08:00", zone=SHANGHAI) == date(2026, 11, 2)


@pytest.mark.parametrize(
    ("told", "value"), [("12", 12.0), ("1,234.5", 1234.5), ("－３", -3.0), (".5", 0.5), ("1e3", 1000.0)]
)
def test_a_number_is_read(told: str, value: float) -> None:
    assert cells.number(told) == value


@pytest.mark.parametrize("told", ["", "-", "1,23", "nan", "inf", "1e999", "十二", "1 2"])
def test_what_is_no_number_is_refused(told: str) -> None:
    with pytest.raises(Unreadable):
        cells.number(told)


@pytest.mark.parametrize(
    ("told", "value"),
    [("120.5", 120.5), ("东经120.5", 120.5), ("120°30′00″E", 120.5), ("87.5°W", -87.5), ("西经 87°30'0\"", -87.5)],
)
def test_a_longitude_is_read_in_degrees(told: str, value: float) -> None:
    assert cells.longitude(told) == pytest.approx(value)


def test_swapped_coordinates_are_noticed() -> None:
    with pytest.raises(Unreadable, match="经纬度写反"):
        cells.latitude("120.5")


@pytest.mark.parametrize("told", ["nan", "inf", "-200", "east", ""])
def test_what_is_no_longitude_is_refused(told: str) -> None:
    with pytest.raises(Unreadable):
        cells.longitude(told)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2199, 12, 30), timezones=st.just(SHANGHAI)))  # noqa: DTZ001
def test_what_a_computer_writes_is_read_back(moment: datetime) -> None:
    written = moment.replace(tzinfo=None).isoformat()
    # An hour that the clocks went through twice is taken for the first of the two.
    assert cells.moment(written, zone=SHANGHAI) == moment.replace(fold=0).astimezone(UTC)


@given(st.text(max_size=30))
def test_no_text_breaks_a_cell(told: str) -> None:
    for read in (cells.number, cells.longitude, cells.latitude, lambda text: cells.moment(text, zone=SHANGHAI)):
        with suppress(Unreadable):
            read(told)
