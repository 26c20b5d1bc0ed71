"""What is the matter with devices, at its edges: who listened, what lasts, what goes out first."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from anlan.intake.models import Device, Ear, Episode, Report
from anlan.intake.sensors import devices, episodes
from anlan.intake.sensors.alarms import Change
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def registered(town: World, code: str = "s-1", *, overdue: float | None = None) -> Device:
    """A smoke detector; `overdue`: the minute from which on it is silent."""
    made = devices.register(code=code, by=None, at=town.at, model="smoke_nb", site=town.site)
    Device.objects.filter(pk=made.pk).update(overdue_at=None if overdue is None else later(town, overdue))
    return made


def later(town: World, minutes: float) -> datetime:
    return town.at + timedelta(minutes=minutes)


def test_what_is_the_matter_and_lasts_is_not_noted_twice(town: World) -> None:
    device = registered(town)
    assert len(episodes.note([device.pk], "false", at=later(town, 1))) == 1
    assert episodes.note([device.pk], "false", at=later(town, 2)) == []
    assert Episode.objects.count() == 1


def test_nobody_is_silent_for_the_time_in_which_nobody_listened(town: World) -> None:
    registered(town, overdue=10)
    Ear.objects.create(wire="mqtt", heard_until=later(town, 9))
    assert episodes.sweep(at=later(town, 30)) == (0, [])
    Ear.objects.update(heard_until=later(town, 10))
    assert episodes.sweep(at=later(town, 30))[0] == 1
    assert Device.objects.get().silent_at is not None


@pytest.mark.parametrize(("away", "shifted"), [(1.5, 0), (1.6, 1.6), (60, 60)])
def test_only_a_listener_that_was_away_for_long_puts_off_what_was_due(town: World, away: float, shifted: float) -> None:
    registered(town, overdue=100)
    episodes.listening("mqtt", at=town.at)
    episodes.listening("mqtt", at=later(town, away))
    assert Device.objects.get().overdue_at == later(town, 100 + shifted)
    assert Ear.objects.get().heard_until == later(town, away)


def test_of_what_begins_at_once_alarms_go_out_first_and_each_ends_by_itself(town: World) -> None:
    one, two = registered(town), registered(town, "s-2")
    at = later(town, 1)
    reports = episodes.apply(
        [one, two],
        [
            (one, Change("battery", True, at), ""), (two, Change("alarm", True, at), ""),
            (two, Change("fault", True, at), ""), (two, Change("fault", False, later(town, 2)), ""),
        ],
        at=later(town, 3),
    )  # fmt: skip
    told = [Report.objects.get(pk=pk).topic for pk in reports]
    assert told == ["fire_alarm", "device_upkeep", "device_upkeep"]
    ends = {episode.trouble: episode.ended_at for episode in Episode.objects.all()}
    assert ends == {"battery": None, "alarm": None, "fault": later(town, 2)}
