"""What other systems are told of cases: signed, in order, and nothing lost while one of them is down for an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from anlan.casework import cases, feed, feeds
from anlan.casework.cases import Doing
from anlan.casework.feed import FEEDS, FIELDS
from anlan.casework.models import Case, Sending
from anlan.kernel import catalogue
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.presentation import followers, sending
from calling import opened
from receiving import HOUR, SECRETS, Receiver, receiving, subscribed, told
from wiring import System, order
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def done(town: World, case: Case, act: str, by: Officer, **data: Any) -> None:
    at = town.at + timedelta(minutes=1 + Case.objects.get(pk=case.pk).rev)
    cases.act(case.pk, Doing(act, data), by=by, reach=town.reach(by), at=at)


def through(town: World, case: Case) -> None:
    """Registered and dispatched."""
    done(town, case, "register", town.triage)
    done(town, case, "dispatch", town.dispatcher, department=town.housing.pk)


# ---------------------------------------------------------------- what is told


def test_what_happens_to_a_case_arrives_signed_and_in_order(town: World, receiver: Receiver) -> None:
    made = subscribed(town, receiver)
    case = opened(town)
    through(town, case)
    assert told(town.at + HOUR) == 2
    assert [body["event"]["kind"] for body in receiver.bodies] == ["opened", "dispatched"]
    first = receiver.bodies[0]["case"]
    assert (first["number"], first["topic"], first["area"]) == (case.number, "fire_exit", town.grid.code)
    assert receiver.bodies[1]["case"]["department"] == "housing"
    assert all(receiver.is_signed(number, SECRETS[made.pk]) for number in range(2))
    assert not receiver.is_signed(0, "another secret")
    assert told(town.at + 2 * HOUR) == 0
    made.refresh_from_db()
    assert (made.sent_at, made.failures, feeds.lag(made)) == (town.at + HOUR, 0, 0)


def test_only_what_the_feed_asks_for_within_the_subscribers_area_is_told(town: World, receiver: Receiver) -> None:
    subscribed(town, receiver, area=town.east)
    opened(town)
    opened(town, area=town.west_grid)
    opened(town, area=town.neighbour_grid)
    assert told(town.at + HOUR) == 1
    assert receiver.bodies[0]["case"]["area"] == town.grid.code


def test_a_new_subscriber_is_not_told_of_the_past(town: World, receiver: Receiver) -> None:
    opened(town)
    subscribed(town, receiver)
    assert told(town.at + HOUR) == 0
    opened(town)
    assert told(town.at + HOUR) == 1


def test_results_go_back_to_the_hotline_under_its_own_number_and_of_its_own_orders_alone(
    town: World, receiver: Receiver
) -> None:
    subscribed(town, receiver, which="hotline_results")
    opened(town)
    hotline = System("hotline_orders", town.county, at=town.at)
    hotline.send(order("RX-7"))
    told(timezone.now())
    case = Case.objects.get(channel="hotline_orders")
    doing = Doing("decline", {"reason": "不归本热线管，请打 13800000000 询问"})
    act = next(key for key, each in _acts(case, town) if any(f.key == "reason" for f in each.fields))
    cases.act(case.pk, Doing(act, doing.data), by=town.triage, reach=town.reach(town.triage), at=timezone.now())
    told(timezone.now())
    assert [(body["orderNo"], body["status"]) for body in receiver.bodies] == [("RX-7", "opened"), ("RX-7", "closed")]
    assert receiver.bodies[1]["reply"] == "不归本热线管，请打 ＊＊＊ 询问"


def _acts(case: Case, town: World) -> list[Any]:
    return cases.allowed(case, by=town.triage, reach=town.reach(town.triage))


def test_nothing_personal_is_ever_sent(town: World, receiver: Receiver) -> None:
    subscribed(town, receiver)
    hotline = System("hotline_orders", town.county, at=town.at)
    hotline.send(order())
    told(timezone.now())
    sent = b"".join(body for _, body in receiver.got).decode()
    assert sent
    for secret in ("王某", "13800000000", "幸福路 3 号", "巷口三盏路灯"):
        assert secret not in sent
    assert not {"description", "address", "title", "reporter"} & set(FIELDS)


@pytest.mark.parametrize(
    "name", ["description", "address", "reporter_phone", "case.description", "number!r", "number:>9", "__class__"]
)
def test_a_feed_that_would_send_more_is_refused_where_it_stands(name: str) -> None:
    body = {"x": f"{{{name}}}"}
    with pytest.raises(ValueError, match="cannot be sent"):
        feed.Feed(key="x", title={"zh": "甲", "en": "A"}, happenings=("opened",), body=body)


# ---------------------------------------------------------------- down


def test_a_subscriber_that_is_down_for_an_hour_loses_nothing_and_is_told_in_order(
    town: World, receiver: Receiver
) -> None:
    made = subscribed(town, receiver)
    receiver.down()
    case, other = opened(town), opened(town)
    through(town, case)
    start, tries = town.at + HOUR, 0
    for minute in range(60):
        tries += told(start + timedelta(minutes=minute))
    made.refresh_from_db()
    assert 4 <= tries <= 8
    assert made.failures == tries
    assert receiver.got == []
    assert feeds.counts([made.pk])[made.pk] == {"waiting": 3, "sent": 0, "dead": 0}
    receiver.up()
    minute = 60
    while feeds.counts([made.pk])[made.pk]["waiting"] and minute < 200:
        told(start + timedelta(minutes=minute))
        minute += 1
    assert minute < 135
    numbers = [(body["case"]["number"], body["event"]["kind"]) for body in receiver.bodies]
    assert sorted(numbers) == sorted([(case.number, "opened"), (case.number, "dispatched"), (other.number, "opened")])
    assert [kind for number, kind in numbers if number == case.number] == ["opened", "dispatched"]
    made.refresh_from_db()
    assert made.failures == 0


def test_what_waits_too_long_is_given_up_with_the_reason_and_can_be_sent_again(town: World, receiver: Receiver) -> None:
    made = subscribed(town, receiver)
    receiver.down()
    opened(town)
    told(town.at)
    told(town.at + timedelta(days=8))
    [dead] = Sending.objects.all()
    assert dead.state == "dead"
    assert "连不上" in dead.error_zh
    assert dead.error_en
    receiver.up()
    assert told(town.at + timedelta(days=9)) == 0
    assert feeds.send_again(made, which=[dead.delivery], by=town.administrator, at=town.at + timedelta(days=9)) == 1
    assert told(town.at + timedelta(days=9)) == 1
    assert len(receiver.got) == 1
    assert Event.objects.filter(kind="subscriber.sent_again").count() == 1


def test_a_message_that_is_refused_does_not_hold_up_the_others(town: World, receiver: Receiver) -> None:
    made = subscribed(town, receiver)
    case = opened(town)
    receiver.status = 422
    told(town.at + HOUR)
    receiver.status = 200
    through(town, case)
    told(town.at + HOUR)
    assert feeds.counts([made.pk])[made.pk] == {"waiting": 0, "sent": 1, "dead": 1}
    assert "422" in Sending.objects.get(state="dead").error_en


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500, 503])
def test_a_fault_of_the_other_side_is_tried_again(town: World, receiver: Receiver, status: int) -> None:
    made = subscribed(town, receiver)
    opened(town)
    receiver.status = status
    told(town.at + HOUR)
    assert len(receiver.got) == 1
    assert feeds.counts([made.pk])[made.pk]["waiting"] == 1
    receiver.status = 204
    told(town.at + 2 * HOUR)
    assert feeds.counts([made.pk])[made.pk]["sent"] == 1
    nonces = [headers["X-Anlan-Nonce"] for headers, _ in receiver.got]
    assert nonces[0] == nonces[1], "the same however often it is tried"


def test_the_waits_grow_and_are_spread(town: World) -> None:
    declared = catalogue.current().get(FEEDS, "hotline_results")
    waits = [feeds.wait(declared, failures, "a") for failures in range(1, 9)]
    assert waits[:5] == sorted(waits[:5])
    assert all(timedelta(minutes=60) <= wait <= timedelta(minutes=72) for wait in waits[5:])
    assert len({feeds.wait(declared, 1, str(key)) for key in range(20)}) == 20


def test_what_was_taken_to_be_sent_by_one_who_died_is_sent_by_another(town: World, receiver: Receiver) -> None:
    made = subscribed(town, receiver)
    opened(town)
    followers.drain(at=town.at)
    assert feeds.claim(made, at=town.at) is not None
    assert feeds.claim(made, at=town.at) is None
    assert sending.send_due(at=town.at + timedelta(minutes=1)) == 0
    assert sending.send_due(at=town.at + feeds.CLAIM) == 1


def test_the_same_event_read_again_is_sent_once(town: World, receiver: Receiver) -> None:
    made = subscribed(town, receiver)
    opened(town)
    told(town.at + HOUR)
    feeds.followers()[feeds.cursor_of(made)](list(Event.objects.order_by("seq")))
    assert Sending.objects.count() == 1


def test_while_paused_it_waits_and_afterwards_it_is_sent(town: World, receiver: Receiver) -> None:
    made = subscribed(town, receiver)
    feeds.set_active(made, False, by=town.administrator, at=town.at)
    opened(town)
    assert told(town.at + HOUR) == 0
    assert feeds.lag(made) > 0
    feeds.set_active(made, True, by=town.administrator, at=town.at)
    assert told(town.at + HOUR) == 1


def test_no_transaction_is_open_while_something_is_sent(town: World, receiver: Receiver) -> None:
    subscribed(town, receiver)
    opened(town)
    followers.drain(at=town.at)
    depth = len(connection.savepoint_ids)
    seen = []

    def post(*_: Any) -> int:
        seen.append(len(connection.savepoint_ids))
        return 200

    assert sending.send_due(at=town.at, post=post) == 1
    assert seen == [depth]


# ---------------------------------------------------------------- where to


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/", "file:///etc/passwd", "javascript:alert(1)", "http://", "https://user:pass@x/", "http://x y/", "x",
        "http://[::1", "https://x:99999/", "http://x\n/", "h" * 600,
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_in_words(town: World, receiver: Receiver, url: str) -> None:
    with pytest.raises(feeds.SubscriberRefused, match="https"):
        subscribed(town, receiver, url=url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "::ffff:127.0.0.1", "fd00::1"]
)
def test_an_internal_address_is_called_only_where_that_was_allowed(host: str) -> None:
    with pytest.raises(sending.Unreachable, match="internal"):
        sending.allowed_address(host, 80, private=False)
    assert sending.allowed_address(host, 80, private=True)


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::", "255.255.255.255"])  # noqa: S104
def test_an_address_of_this_link_is_never_called(host: str) -> None:
    with pytest.raises(sending.Unreachable):
        sending.allowed_address(host, 80, private=True)


def test_a_name_that_does_not_exist_is_told_in_words(town: World, receiver: Receiver) -> None:
    made = subscribed(town, receiver, url="http://nobody.invalid/x")
    opened(town)
    told(town.at + HOUR)
    assert Sending.objects.get(subscriber=made).error_zh == "找不到对方的网址"


def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    connection_ = sending._Plain("moving.example", receiver.port, timeout=5)
    connection_.address = sending.allowed_address("127.0.0.1", receiver.port, private=True)
    connection_.request("POST", "/in", body=b"{}")
    assert connection_.getresponse().status == 200
    connection_.close()
    assert receiver.got[0][0]["Host"] == f"moving.example:{receiver.port}"


def test_of_a_case_nothing_is_taken_while_something_earlier_has_not_arrived(town: World, receiver: Receiver) -> None:
    made = subscribed(town, receiver)
    case, other = opened(town), opened(town)
    through(town, case)
    followers.drain(at=town.at + HOUR)
    taken = [feeds.claim(made, at=town.at + HOUR) for _ in range(3)]
    assert [each and (each.case_id, each.happening) for each in taken] == [
        (case.pk, "opened"), (other.pk, "opened"), None
    ]  # fmt: skip
