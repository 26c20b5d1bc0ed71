"""What follows from what a device tells: laws that hold for every history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.intake.sensors import alarms
from anlan.intake.sensors.alarms import Change, Standing
from anlan.intake.sensors.device_model import DeviceModel, Limits, Told
from anlan.kernel.text import Text

AT = datetime(2026, 3, 6, 2, 0, tzinfo=UTC)
MODEL = DeviceModel(key="m", title=Text(zh="型", en="m"), sort="smoke", clear_after=10, forget_after=60)
TOLD: list[Told] = list(get_args(Told))

histories = st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(TOLD)), max_size=40).map(
    lambda steps: [
        (AT + timedelta(seconds=sum(step for step, _ in steps[: n + 1])), told) for n, (_, told) in enumerate(steps)
    ]
)


def at(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def began(changes: list[Change]) -> list[tuple[str, datetime]]:
    return [(change.trouble, change.at) for change in changes if change.began]


def played(*told: tuple[float, Told]) -> list[Change]:
    return alarms.replay([(at(minutes), each) for minutes, each in told], model=MODEL)[1]


@given(histories)
def test_the_first_alarm_goes_out_in_the_moment_it_is_told(history: list[tuple[datetime, Told]]) -> None:
    now = Standing()
    for moment, told in history:
        before, _ = alarms.settle(now, at=moment, model=MODEL)
        now, changes = alarms.hear(now, told, at=moment, model=MODEL)
        if told == "alarm" and before.alarm != "alarm":
            assert ("alarm", moment) in began(changes)
        if told == "doubtful" and not before.alarm:
            assert ("doubtful", moment) in began(changes)


@given(histories)
def test_an_alarm_that_stands_is_not_raised_again(history: list[tuple[datetime, Told]]) -> None:
    standing: set[str] = set()
    for change in alarms.replay(history, model=MODEL)[1]:
        assert (change.trouble in standing) != change.began
        (standing.add if change.began else standing.remove)(change.trouble)


@given(histories)
def test_a_test_never_raises_anything(history: list[tuple[datetime, Told]]) -> None:
    for moment, told in history:
        changes = alarms.hear(Standing(), "test", at=moment, model=MODEL)[1]
        assert changes == [], told
    silent = [(moment, told) for moment, told in history if told == "test"]
    assert began(alarms.replay(silent, model=MODEL)[1]) == []


@given(histories, st.integers(0, 40))
def test_a_restart_changes_nothing(history: list[tuple[datetime, Told]], cut: int) -> None:
    whole = alarms.replay(history, model=MODEL)
    first = alarms.replay(history[:cut], model=MODEL)
    # What is kept across a restart is the standing alone, moments as text.
    kept = replace(first[0], sets=tuple(datetime.fromisoformat(each.isoformat()) for each in first[0].sets))
    then = alarms.replay(history[cut:], model=MODEL, now=kept)
    assert (then[0], first[1] + then[1]) == whole


@given(histories, st.integers(0, 5000))
def test_a_sweep_between_two_messages_changes_no_episode(history: list[tuple[datetime, Told]], later: int) -> None:
    """Whether somebody looked in between or not, the same begins and ends at the same moments."""
    now, swept = Standing(), list[Change]()
    for place, (moment, told) in enumerate(history):
        now, changes = alarms.hear(now, told, at=moment, model=MODEL)
        following = history[place + 1][0] if place + 1 < len(history) else moment
        now, more = alarms.settle(now, at=min(moment + timedelta(seconds=later), following), model=MODEL)
        swept += changes + more
    plain = alarms.replay(history, model=MODEL)[1]
    assert [c for c in swept if c.began] == [c for c in plain if c.began]


def test_repeats_are_absorbed_until_it_has_been_over_for_the_declared_time() -> None:
    told = played((0, "alarm"), (1, "alarm"), (2, "clear"), (11, "alarm"), (12, "clear"), (23, "alarm"))
    assert began(told) == [("alarm", at(0)), ("alarm", at(23))]
    assert [change.at for change in told if not change.began] == [at(22)]


def test_an_alarm_that_is_not_repeated_is_forgotten_in_the_end() -> None:
    assert began(played((0, "alarm"), (59, "alarm"), (118, "alarm"), (179, "alarm"))) == [
        ("alarm", at(0)), ("alarm", at(179))
    ]  # fmt: skip


def test_a_real_alarm_after_a_doubtful_one_goes_out_too_and_a_doubtful_one_after_a_real_one_does_not() -> None:
    assert began(played((0, "doubtful"), (1, "doubtful"), (2, "alarm"), (3, "doubtful"))) == [
        ("doubtful", at(0)), ("alarm", at(2))
    ]  # fmt: skip


def test_four_times_within_the_hour_is_chatter_once() -> None:
    told = played((0, "alarm"), (1, "clear"), (20, "alarm"), (21, "clear"), (40, "alarm"), (41, "clear"), (55, "alarm"),
                  (56, "clear"), (58, "alarm"))  # fmt: skip
    assert [each for each in began(told) if each[0] == "chatter"] == [("chatter", at(55))]


def test_a_fault_a_low_battery_and_silence_are_no_alarm() -> None:
    told = played((0, "fault"), (1, "fault"), (2, "battery"), (3, "mended"), (4, "fault"), (5, "normal"))
    assert began(told) == [("fault", at(0)), ("battery", at(2)), ("fault", at(4))]
    now, changes = alarms.fall_silent(Standing(), at=at(0))
    assert began(changes) == [("silent", at(0))]
    assert alarms.fall_silent(now, at=at(1))[1] == []
    assert alarms.hear(now, "heartbeat", at=at(2), model=MODEL)[1] == [Change("silent", False, at(2))]


@pytest.mark.parametrize(
    ("value", "standing", "means"),
    [
        (19.9, "", "value"), (20, "", "alarm"), (17, "alarm", "value"), (15, "alarm", "value"),
        (14.9, "alarm", "clear"), (0.05, "", "fault"),
        (0.11, "fault", "value"), (0.6, "fault", "mended"),
    ],
)  # fmt: skip
def test_a_reading_is_over_only_once_it_is_well_inside_its_limits(value: float, standing: str, means: Told) -> None:
    limits = Limits(alarm_above=20, fault_below=0.1, margin=0.5 if standing == "fault" else 5)
    now = Standing(alarm="alarm" if standing == "alarm" else "", fault_at=AT if standing == "fault" else None)
    assert alarms.means(value, limits, now) == means


def test_so_many_points_in_so_short_a_time_are_a_flood() -> None:
    seconds = [AT + timedelta(seconds=3 * n) for n in range(20)]
    assert alarms.is_flood(seconds, points=20, seconds=60)
    assert not alarms.is_flood(seconds, points=20, seconds=50)
    assert not alarms.is_flood(seconds[:19], points=20, seconds=60)


def test_an_alarm_told_in_the_moment_in_which_the_one_before_is_over_is_another() -> None:
    assert began(played((0, "alarm"), (1, "clear"), (11, "alarm"))) == [("alarm", at(0)), ("alarm", at(11))]


def test_an_hour_before_to_the_minute_is_no_longer_within_the_hour() -> None:
    told = played((0, "alarm"), (1, "clear"), (20, "alarm"), (21, "clear"), (40, "alarm"), (41, "clear"), (60, "alarm"))
    assert [each for each in began(told) if each[0] == "chatter"] == []


def test_points_that_tell_within_the_time_to_the_second_are_a_flood() -> None:
    assert alarms.is_flood([AT, AT + timedelta(seconds=60)], points=2, seconds=60)


def test_an_alarm_is_forgotten_though_somebody_told_just_before_that_it_was_over() -> None:
    ends = [change.at for change in played((0, "alarm"), (55, "clear"), (200, "heartbeat")) if not change.began]
    assert ends == [at(60)]
