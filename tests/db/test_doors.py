"""Which door is stuck: its last message, how many come, what is held, how late they are; on a page and by command."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from typer.testing import CliRunner

from anlan.casework import feeds
from anlan.casework.models import Forward, Sending
from anlan.intake import clients, doors, hooks, reports
from anlan.intake.channel import CHANNELS
from anlan.intake.doors import Door
from anlan.intake.models import DoorHour, Ear
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.ledger import follow
from anlan.presentation import doors as status
from anlan.presentation import followers
from anlan.presentation.commands.main import app
from calling import message, opened
from desk import at_desk, text
from world import World, world


@pytest.fixture
def town() -> World:
    return world(timezone.now() - timedelta(days=40))


def send(town: World, number: int, at: datetime, channel: str = "api", **more: str) -> None:
    known = catalogue.current().get(CHANNELS, channel)
    reports.receive(known, message(id=f"n-{number}", **more), by=town.volunteer, at=at)


def door(key: str, at: datetime) -> Door:
    followers.drain(at=at)
    return next(each for each in doors.look(at=at) if each.key == key)


def test_a_door_tells_its_last_message_and_how_many_came(town: World) -> None:
    now = timezone.now().replace(minute=30)
    for number, hours in enumerate((0, 0, 5, 30, 100)):
        send(town, number, now - timedelta(hours=hours))
    found = door("api", now)
    assert (found.last_at, found.hour, found.day, found.state) == (now, 2, 3, "well")
    assert found.usual == pytest.approx(5 / (100 / 24), rel=0.05)


def test_what_is_held_is_counted_and_said(town: World) -> None:
    now = timezone.now()
    send(town, 1, now - timedelta(hours=3), topic="no such topic")
    found = door("api", now)
    assert (found.held, found.state) == (1, "held")
    assert found.says is not None
    assert "最早的已等 3 小时" in found.says.zh


def test_messages_that_come_late_show_as_a_delay(town: World) -> None:
    now = timezone.now()
    send(town, 1, now, told_at=(now - timedelta(days=3)).isoformat())
    found = door("api", now)
    assert found.delay is not None
    assert abs(found.delay - timedelta(days=3)) < timedelta(minutes=1)
    assert found.state == "stuck"


def test_a_door_where_nothing_came_for_too_long_is_silent(town: World) -> None:
    now = timezone.now()
    send(town, 1, now - timedelta(hours=5))
    followers.drain(at=now)
    channel = catalogue.current().get(CHANNELS, "api")
    quiet = channel.model_copy(update={"quiet_hours": 4})
    told = {"last": now - timedelta(hours=5), "first": now - timedelta(hours=5), "a_day": 1, "delays": 0}
    assert doors._door("api", quiet, told, {}, now).state == "silent"
    assert doors._door("api", channel, told, {}, now).state == "well"


def test_a_door_that_was_never_used_says_so(town: World) -> None:
    assert door("resident", timezone.now()).state == "never"


def test_counting_the_same_events_again_from_the_start_gives_the_same(town: World) -> None:
    now = timezone.now()
    for number in range(3):
        send(town, number, now)
    followers.drain(at=now)
    before = list(DoorHour.objects.values_list("channel", "hour", "received", "held", "delay_s"))
    DoorHour.objects.all().delete()
    follow.rewind("doors")
    followers.drain(at=now)
    assert list(DoorHour.objects.values_list("channel", "hour", "received", "held", "delay_s")) == before


def test_looking_takes_two_queries_however_much_came(town: World, django_assert_num_queries: object) -> None:
    now = timezone.now()
    for number in range(11):
        send(town, number, now - timedelta(hours=number), topic="no such topic" if number % 2 else "fire_exit")
    followers.drain(at=now)
    with django_assert_num_queries(2):  # type: ignore[operator]
        doors.look(at=now)


def test_a_loop_that_does_not_read_on_is_stuck(town: World) -> None:
    now = timezone.now()
    followers.drain(at=now)
    send(town, 1, now)
    assert status.are_well(status.every(at=now))
    now += timedelta(minutes=6)
    groups = status.every(at=now)
    assert not status.are_well(groups)
    stuck = [each for _, group in groups for each in group if each.state == "stuck"]
    assert {each.key for each in stuck} >= {"loop:cases", "loop:doors"}
    followers.drain(at=now)
    assert status.are_well(status.every(at=now + timedelta(days=1)))


def test_every_loop_says_in_both_languages_what_it_does(town: World) -> None:
    feeds.register(
        "next-county", title="邻县平台", feed="provincial_progress", area=town.county, url="http://127.0.0.1:9/in",
        by=None, at=town.at, allow_private=True,
    )  # fmt: skip
    groups = status.every(at=timezone.now())
    titles = {each.key: each.title for _, group in groups for each in group if each.kind == "loop"}
    assert len(titles) == len(followers.FOLLOWERS) + 1
    for key, title in titles.items():
        assert re.search(r"[\u4e00-\u9fff]", title.zh), key
        assert " " in title.en or title.en[0].isupper(), key
    assert titles["loop:feed:next-county"].zh == "送给邻县平台"


def test_the_command_ends_with_1_while_something_is_stuck(town: World) -> None:
    send(town, 1, timezone.now() - timedelta(minutes=6), topic="no such topic")
    first = CliRunner().invoke(app, ["doors"])
    assert first.exit_code == 1
    assert "anlan work" in first.output
    followers.drain(at=timezone.now())
    second = CliRunner().invoke(app, ["doors"])
    assert second.exit_code == 0
    assert "待核 held 1" in second.output


def test_the_page_shows_each_door_and_leads_to_what_is_held(town: World) -> None:
    send(town, 1, timezone.now(), topic="no such topic")
    followers.drain(at=timezone.now())
    page = text(at_desk(town.administrator).get(reverse("doors")))
    assert "没有积压的渠道" in page
    assert f"{reverse('quarantine')}?channel=api" in page
    assert "居民上报" in page
    assert "Unread" in text(at_desk(town.administrator, "en").get(reverse("doors")))


# ---------------------------------------------------------------- other ways in and out


def keyed(at: datetime) -> dict[str, Door]:
    return {each.key: each for _, group in status.every(at=at) for each in group}


def test_a_system_whose_deliveries_are_refused_is_shown_with_why(town: World) -> None:
    now = timezone.now()
    clients.register("hotline-1", title="热线", channel="hotline_orders", area=town.county, by=None, at=now)
    assert keyed(now)["client:hotline-1"].state == "never"
    hooks.take("hotline-1", {"X-Anlan-Signature": "sha256=00", "X-Anlan-Timestamp": "1"}, b"{}", at=now)
    door = keyed(now)["client:hotline-1"]
    assert (door.state, door.held) == ("held", 1)
    assert door.says is not None
    assert "签名不对" in door.says.zh or "没有签名" in door.says.zh


def test_a_listener_that_stopped_is_silent(town: World) -> None:
    now = timezone.now()
    Ear.objects.create(wire="mqtt", heard_until=now - timedelta(minutes=2))
    assert keyed(now)["listener:mqtt"].state == "well"
    assert keyed(now + timedelta(minutes=10))["listener:mqtt"].state == "silent"


def test_what_does_not_arrive_shows_how_long_it_waits(town: World) -> None:
    now = timezone.now()
    subscriber, _ = feeds.register(
        "platform-1", title="平台", feed="provincial_progress", area=town.county, url="https://example.invalid/",
        by=None, at=now,
    )  # fmt: skip
    case = opened(town, at=now)
    sent = Sending.objects.create(
        delivery=new_id(), subscriber=subscriber, case=case, event=new_id(), happening="opened", body="{}",
        queued_at=now, next_at=now,
    )  # fmt: skip
    assert keyed(now)["subscriber:platform-1"].state == "well"
    later = now + timedelta(hours=1)
    stuck = keyed(later)["subscriber:platform-1"]
    assert (stuck.state, stuck.held) == ("stuck", 1)
    Sending.objects.filter(pk=sent.pk).update(state="dead")
    assert keyed(later)["subscriber:platform-1"].state == "held"


def test_a_case_whose_passing_on_is_unclear_waits_for_a_person(town: World) -> None:
    now = timezone.now()
    Forward.objects.create(
        id=new_id(), case=opened(town, at=now), target="elsewhere", reference="ABCDEFGH", state="unclear", made_at=now,
        changed_at=now,
    )  # fmt: skip
    assert keyed(now)["forward:elsewhere"].state == "held"
