"""Working calendars: the known answers, and what must hold for every start and length."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from anlan.kernel import catalogue
from anlan.kernel.catalogue import Catalogue, DeclarationError
from anlan.kernel.text import Text
from anlan.kernel.workdays import CALENDARS, Calendar, CalendarSpec, Unit, Untimely, calendar_for

SHANGHAI = ZoneInfo("Asia/Shanghai")
UNITS: tuple[Unit, ...] = get_args(Unit)
DAY_UNITS: tuple[Unit, ...] = ("calendar_days", "working_days")
WORKING_UNITS: tuple[Unit, ...] = ("working_minutes", "working_hours")
NOTICE_2027 = {date(2027, 1, day): False for day in (1, 2, 3)}


def moment(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def local(at: datetime, zone: ZoneInfo = SHANGHAI) -> str:
    return at.astimezone(zone).isoformat(sep=" ")[:16]


def weekdays(key: str, zone: str, *shifts: tuple[str, str], off: tuple[date, ...] = ()) -> CalendarSpec:
    return CalendarSpec(key=key, title=Text(zh="平日", en="Weekdays"), time_zone=zone, shifts=shifts, off=off)


@cache
def calendar(key: str) -> Calendar:
    if key == "american":
        shifts = ("01:00", "12:00"), ("13:00", "23:30")
        return Calendar(weekdays(key, "America/Chicago", *shifts).model_copy(update={"weekend": ()}))
    if key == "seasons":
        summer = {"begins": "05-01", "ends": "09-30", "shifts": (("08:00", "12:00"), ("15:00", "18:00"))}
        winter = {"begins": "12-15", "ends": "02-15", "shifts": (("09:30", "12:00"), ("13:00", "16:30"))}
        said = calendar_for("china").spec.model_dump() | {"key": key, "seasons": (summer, winter)}
        return Calendar(CalendarSpec.model_validate(said))
    return calendar_for(key)


CALENDAR_KEYS = ("china", "china_09_18", "always", "american", "seasons")
starts = st.integers(min_value=0, max_value=26 * 365 * 86_400_000_000).map(
    lambda microseconds: datetime(2002, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
keys = st.sampled_from(CALENDAR_KEYS)
lengths = st.integers(min_value=0, max_value=400)


@pytest.mark.parametrize(
    ("start", "hours", "key", "due"),
    [
        ("2026-10-09 17:00", 4, "china_09_18", "2026-10-10 12:00"),
        ("2026-09-30 17:00", 2, "china_09_18", "2026-10-08 10:00"),
        ("2026-09-20 10:00", 1, "china_09_18", "2026-09-20 11:00"),
        ("2026-02-13 17:00", 3, "china_09_18", "2026-02-14 11:00"),
        ("2026-02-14 17:00", 2, "china_09_18", "2026-02-24 10:00"),
        ("2025-12-31 17:00", 2, "china_09_18", "2026-01-04 10:00"),
        ("2026-09-30 16:30", 8, "china", "2026-10-08 17:30"),
        ("2026-10-03 11:00", 2, "china", "2026-10-08 11:00"),
    ],
)
def test_known_answers_in_working_hours(start: str, hours: int, key: str, due: str) -> None:
    assert local(calendar_for(key).add(moment(start), hours, "working_hours").at) == due
    assert local(calendar_for(key).add(moment(start), hours * 60, "working_minutes").at) == due


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-09-24", 5, "2026-10-09"),
        ("2026-02-12", 3, "2026-02-24"),
        ("2026-04-30", 7, "2026-05-13"),
        ("2026-06-18", 15, "2026-07-10"),
    ],
)
@pytest.mark.parametrize("hour", ["00:00", "09:30", "23:59"])
def test_known_answers_in_working_days(start: str, days: int, due: str, hour: str) -> None:
    assert local(calendar_for("china").add(moment(f"{start} {hour}"), days, "working_days").at) == f"{due} 17:30"


def test_four_hours_from_monday_at_five_are_due_on_tuesday_at_eleven_and_warned_an_hour_before() -> None:
    office = Calendar(weekdays("glpi", "Asia/Shanghai", ("08:00", "18:00")))
    monday = moment("2026-11-23 17:00")
    assert local(office.add(monday, 4, "working_hours").at) == "2026-11-24 11:00"
    assert local(office.add(monday, 3, "working_hours").at) == "2026-11-24 10:00"


def test_forty_eight_hours_are_four_working_days_of_twelve() -> None:
    zone = ZoneInfo("Europe/Berlin")
    spec = weekdays("zammad", "Europe/Berlin", ("09:00", "21:00"), off=(date(2016, 11, 11),))
    office = Calendar(spec)
    start = moment("2016-11-09 23:00", zone)
    due = office.add(start, 48, "working_hours").at
    assert local(due, zone) == "2016-11-16 21:00"
    assert office.between(start, due, "working_days") == 4
    assert due == office.add(start, 4, "working_days").at


def test_our_day_table_equals_an_independent_one_on_every_day_but_one() -> None:
    other = holidays.country_holidays("CN", years=range(2004, 2027))
    ours = calendar_for("china")
    days = (date(2004, 1, 1) + timedelta(days=n) for n in range((date(2027, 1, 1) - date(2004, 1, 1)).days))
    assert [day for day in days if ours.is_working(day) != other.is_working_day(day)] == [date(2005, 12, 31)]


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_year_has_the_working_days_that_were_announced(year: int) -> None:
    before, last = moment(f"{year - 1}-12-31"), moment(f"{year}-12-31")
    assert calendar_for("china").between(before, last, "working_days") == 248


def test_a_case_opened_on_friday_is_due_on_monday() -> None:
    assert local(calendar_for("china").add(moment("2026-11-20 16:00"), 1, "working_days").at) == "2026-11-23 17:30"


def test_calendar_days_end_with_the_local_day() -> None:
    due = calendar_for("china").add(moment("2026-09-24 10:00"), 15, "calendar_days")
    assert due.at.astimezone(SHANGHAI) == moment("2026-10-09 23:59:59")
    assert due.at.tzinfo is UTC


def test_a_part_of_a_day_counts_as_a_whole_one() -> None:
    china, start = calendar_for("china"), moment("2026-11-23 10:00")
    assert china.add(start, 0.5, "working_days") == china.add(start, 1, "working_days")
    assert china.add(start, 1.5, "calendar_days") == china.add(start, 2, "calendar_days")


def test_hours_run_through_nights_and_holidays() -> None:
    assert local(calendar_for("china").add(moment("2026-09-30 20:00"), 24, "hours").at) == "2026-10-01 20:00"
    assert local(calendar_for("always").add(moment("2026-09-30 20:00"), 24, "working_hours").at) == "2026-10-01 20:00"


def test_a_working_day_of_a_calendar_round_the_clock_ends_on_its_own_day() -> None:
    always = calendar_for("always")
    due = always.add(moment("2026-11-20 16:00"), 1, "working_days").at
    assert always.local_date(due) == date(2026, 11, 21)
    assert local(due) == "2026-11-21 23:59"


def test_summer_and_winter_hours_follow_the_day_of_the_year() -> None:
    seasons = calendar("seasons")
    assert local(seasons.add(moment("2026-05-06 07:00"), 5, "working_hours").at) == "2026-05-06 16:00"
    assert local(seasons.add(moment("2026-11-23 07:00"), 5, "working_hours").at) == "2026-11-23 15:30"
    assert local(seasons.add(moment("2026-12-16 07:00"), 5, "working_hours").at) == "2026-12-16 15:30"
    assert local(seasons.close_of(date(2026, 1, 5)).at) == "2026-01-05 16:30"
    assert local(seasons.close_of(date(2026, 7, 6)).at) == "2026-07-06 18:00"


def test_a_night_in_which_the_clock_skips_an_hour_is_an_hour_shorter() -> None:
    chicago, zone = calendar("american"), ZoneInfo("America/Chicago")
    spring = moment("2026-03-08 00:00", zone)
    assert local(chicago.add(spring, 11, "working_hours").at, zone) == "2026-03-08 14:00"
    autumn = moment("2026-11-01 00:00", zone)
    assert local(chicago.add(autumn, 11, "working_hours").at, zone) == "2026-11-01 11:00"
    assert chicago.add(spring, 24, "hours").at - spring == timedelta(hours=24)


def test_a_shift_inside_the_skipped_hour_has_no_length() -> None:
    shifts = (("02:10", "02:40"), ("02:50", "04:00"))
    office = Calendar(calendar("american").spec.model_copy(update={"shifts": shifts}))
    zone = ZoneInfo("America/Chicago")
    start = moment("2026-03-08 00:00", zone)
    assert office.between(start, moment("2026-03-08 12:00", zone), "working_minutes") <= 70
    due = office.add(start, 30, "working_minutes").at
    assert moment("2026-03-08 03:00", zone) <= due.astimezone(zone) <= moment("2026-03-08 04:00", zone)


def test_a_length_into_a_year_not_announced_is_provisional_and_final_once_the_notice_is_loaded() -> None:
    china, start = calendar_for("china"), moment("2026-12-30 10:00")
    guess = china.add(start, 3, "working_days")
    assert (local(guess.at), guess.provisional) == ("2027-01-04 17:30", True)
    announced = china.with_days(NOTICE_2027)
    final = announced.add(start, 3, "working_days")
    assert (local(final.at), final.provisional) == ("2027-01-05 17:30", False)
    assert announced.add(start, 20, "working_hours").provisional is False
    assert china.add(start, 20, "working_hours").provisional is True
    assert china.add(start, 30, "calendar_days").provisional is False


def test_the_last_days_of_a_year_wait_for_the_next_notice() -> None:
    china = calendar_for("china")
    assert china.is_known(date(2026, 12, 24))
    assert not china.is_known(date(2026, 12, 29))
    assert not china.is_known(date(2027, 3, 1))
    assert china.with_days(NOTICE_2027).is_known(date(2026, 12, 29))
    assert not china.is_known(date(2003, 12, 31))


def test_one_day_off_in_a_year_to_come_does_not_announce_the_year() -> None:
    storm = calendar_for("china").with_days({date(2027, 7, 15): False})
    assert not storm.is_working(date(2027, 7, 15))
    assert not storm.is_known(date(2027, 7, 16))
    assert storm.with_days({}, years=[2027]).is_known(date(2027, 7, 16))


def test_a_calendar_without_a_seed_knows_every_year_unless_it_says_which() -> None:
    assert calendar_for("always").is_known(date(2040, 1, 1))
    spec = calendar_for("always").spec.model_copy(update={"announced": (2011, 2012)})
    assert not Calendar(spec).is_known(date(2013, 1, 1))
    assert Calendar(spec).is_known(date(2012, 12, 31))


def test_a_notice_is_put_over_earlier_days() -> None:
    china = calendar_for("china").with_days({date(2026, 11, 23): False}).with_days({date(2026, 11, 22): True})
    assert not china.is_working(date(2026, 11, 23))
    assert china.is_working(date(2026, 11, 22))


@given(keys, starts, lengths, lengths, st.sampled_from([*WORKING_UNITS, *DAY_UNITS, "hours", "minutes"]))
def test_two_lengths_one_after_the_other_are_their_sum(key: str, start: datetime, a: int, b: int, unit: Unit) -> None:
    days = calendar(key)
    assert days.add(days.add(start, a, unit).at, b, unit).at == days.add(start, a + b, unit).at


@given(keys, starts, starts, lengths, st.sampled_from(UNITS))
def test_who_starts_later_is_never_due_earlier(key: str, one: datetime, two: datetime, n: int, unit: Unit) -> None:
    assume(n > 0)
    earlier, later = sorted((one, two))
    assert calendar(key).add(earlier, n, unit).at <= calendar(key).add(later, n, unit).at


@given(keys, starts, lengths, st.sampled_from(UNITS))
def test_between_gives_back_what_was_added(key: str, start: datetime, n: int, unit: Unit) -> None:
    days = calendar(key)
    due = days.add(start, n, unit).at
    assert days.between(start, due, unit) == n
    assert days.between(due, start, unit) == -n


@given(keys, starts, lengths, lengths, lengths)
def test_a_pause_moves_the_deadline_by_its_working_time(key: str, start: datetime, n: int, worked: int, p: int) -> None:
    """What was left when the clock stopped is still left when it runs again."""
    days = calendar(key)
    assume(worked <= n)
    stopped = days.add(start, worked, "working_minutes").at
    resumed = days.add(stopped, p, "working_minutes").at
    paused = days.between(stopped, resumed, "working_minutes")
    due = days.add(start, n + paused, "working_minutes").at
    assert due == days.add(resumed, n - worked, "working_minutes").at
    assert days.between(days.add(start, n, "working_minutes").at, due, "working_minutes") == p


@given(
    starts, st.integers(1, 60), st.sampled_from(UNITS), st.dictionaries(st.integers(1, 500), st.booleans(), max_size=5)
)
def test_a_notice_for_days_after_completion_changes_nothing(
    start: datetime, n: int, unit: Unit, later: dict[int, bool]
) -> None:
    china = calendar("china")
    due = china.add(start, n, unit)
    done = china.local_date(due.at)
    changed = china.with_days({done + timedelta(days=days): working for days, working in later.items()})
    assert changed.add(start, n, unit).at == due.at


@given(keys, starts, st.integers(1, 400))
def test_working_time_is_due_inside_a_shift(key: str, start: datetime, n: int) -> None:
    days = calendar(key)
    due = days.add(start, n, "working_minutes").at
    assert days.is_working(days.local_date(due - timedelta(microseconds=1)))
    assert days.between(due - timedelta(minutes=1), due, "working_minutes") > 0


@given(starts, st.floats(min_value=0, max_value=500), st.floats(min_value=0, max_value=500))
def test_more_time_is_never_due_earlier(start: datetime, a: float, b: float) -> None:
    small, big = sorted((a, b))
    for unit in UNITS:
        assert calendar("china").add(start, small, unit).at <= calendar("china").add(start, big, unit).at


def test_a_working_minute_counts_seconds_too() -> None:
    due = calendar_for("china").add(moment("2026-11-23 11:59:20"), 1, "working_minutes").at
    assert due.astimezone(SHANGHAI) == moment("2026-11-23 13:30:20")


def test_what_cannot_be_reckoned_is_refused_in_words() -> None:
    china = calendar_for("china")
    with pytest.raises(Untimely, match="不能是负数"):
        china.add(moment("2026-11-23"), -1, "hours")
    for unit in WORKING_UNITS + DAY_UNITS:
        with pytest.raises(Untimely, match="2080"):
            china.add(moment("2080-11-23"), 100_000, unit)
        with pytest.raises(Untimely, match="1990"):
            china.add(moment("1989-06-01"), 1, unit)
    with pytest.raises(ValueError, match="time zone"):
        china.add(moment("2026-11-23").replace(tzinfo=None), 1, "working_hours")
    with pytest.raises(Untimely, match="2080"):
        china.is_working(date(2081, 1, 1))


@pytest.mark.parametrize(
    ("line", "field", "words"),
    [
        ('shifts = [["12:00", "09:00"]]', "shifts", "结束应晚于开始"),
        ('shifts = [["09:00", "12:00"], ["11:00", "17:00"]]', "shifts", "不能重叠"),
        ('shifts = [["9", "12:00"]]', "shifts.0.0", "00:00 到 24:00"),
        ('shifts = [["09:00", "12:00"]]\nweekend = [0]', "weekend.0", "不能小于 1"),
        ('shifts = [["09:00", "12:00"]]\nsesons = []', "sesons", "“seasons”"),
        ('shifts = [["09:00", "12:00"]]\nseed = "french"', "seed", "只能是"),
        ('shifts = [["09:00", "12:00"]]\noff = [2026-01-01]\nworking = [2026-01-01]', "", "2026-01-01"),
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(tmp_path: Path, line: str, field: str, words: str) -> None:
    (tmp_path / "calendars").mkdir()
    text = f'key = "x"\ntitle = {{ zh = "一", en = "x" }}\ntime_zone = "Asia/Shanghai"\n{line}\n'
    (tmp_path / "calendars" / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError, match=words) as caught:
        Catalogue([tmp_path]).all(CALENDARS)
    assert caught.value.field == field


def test_a_time_zone_and_a_season_must_exist() -> None:
    given_spec = calendar_for("china").spec.model_dump()
    with pytest.raises(ValidationError, match="no time zone"):
        CalendarSpec.model_validate(given_spec | {"time_zone": "Asia/Nowhere"})
    season = {"begins": "02-30", "ends": "03-01", "shifts": (("09:00", "12:00"),)}
    with pytest.raises(ValidationError, match="not a month and day"):
        CalendarSpec.model_validate(given_spec | {"seasons": (season,)})


def test_a_pack_replaces_the_shipped_calendar(tmp_path: Path) -> None:
    (tmp_path / "calendars").mkdir()
    text = (catalogue.PACKAGE / "kernel/calendars/china.toml").read_text(encoding="utf-8")
    text = text.replace('["13:30", "17:30"]', '["14:00", "18:00"]')
    (tmp_path / "calendars" / "ours.toml").write_text(text, encoding="utf-8")
    with catalogue.using([tmp_path]):
        assert local(calendar_for("china").close_of(date(2026, 11, 23)).at) == "2026-11-23 18:00"
    assert local(calendar_for("china").close_of(date(2026, 11, 23)).at) == "2026-11-23 17:30"
    assert calendar_for("china") is calendar_for("china")


def test_no_two_shifts_of_a_calendar_overlap() -> None:
    for key in CALENDAR_KEYS:
        openings = calendar(key)._openings
        assert all(end <= begin for end, begin in pairwise(_edges(openings.begins, openings.ends)) if begin != end)


def _edges(begins: list[int], ends: list[int]) -> list[int]:
    return [edge for pair in zip(begins, ends, strict=True) for edge in pair]
