"""The pages of what comes from machines and goes to them, and what a case shows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from anlan.casework import feeds
from anlan.casework.models import Case, Notice, Sending, Subscriber
from anlan.intake import clients
from anlan.intake.models import Report
from anlan.ledger.models import Event
from anlan.presentation import followers
from calling import opened
from receiving import HOUR, Receiver, receiving, subscribed, told
from wiring import System, order
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


# ---------------------------------------------------------------- pages


def test_the_pages_show_what_was_given_up_and_send_it_again(town: World, receiver: Receiver) -> None:
    subscribed(town, receiver)
    receiver.status = 400
    first, second = opened(town), opened(town)
    told(town.at + HOUR)
    client = Client()
    client.force_login(town.administrator)
    address = reverse("subscriber", args=["platform"])
    shown = client.get(address).content.decode()
    assert first.number in shown
    assert "对方拒收（400）" in shown
    receiver.status = 200
    change = reverse("subscriber_change", args=["platform"])
    one = Sending.objects.get(case=first)
    client.post(change, {"deed": "again", "pick": [str(one.pk), "x", "9" * 40]})
    told(timezone.now())
    assert Sending.objects.get(case=first).state == "sent"
    assert Sending.objects.get(case=second).state == "dead"
    client.post(change, {"deed": "all"})
    told(timezone.now())
    assert Sending.objects.get(case=second).state == "sent"
    client.post(change, {"deed": "pause"})
    assert "暂停" in client.get(reverse("subscribers")).content.decode()


def test_a_subscriber_and_a_client_are_registered_on_their_pages_and_their_secrets_shown_once(town: World) -> None:
    client = Client()
    client.force_login(town.administrator)
    given = {
        "title": "平台",
        "name": "plat",
        "feed": "provincial_progress",
        "area": town.county.code,
        "url": "https://a.example/x",
    }
    made = client.post(reverse("subscriber_add"), given)
    assert feeds.secret_of(Subscriber.objects.get()) in made.content.decode()
    bad = client.post(reverse("subscriber_add"), {**given, "name": "other", "url": "file:///etc/passwd"})
    assert bad.status_code == 422
    hook = {"title": "热线", "name": "rexian", "channel": "hotline_orders", "area": town.county.code}
    page = client.post(reverse("client_add"), hook).content.decode()
    assert "/hooks/rexian" in page
    again = client.post(reverse("client_add"), hook)
    assert again.status_code == 422
    for deed in ("rotate", "end", "stop", "start", "x"):
        assert client.post(reverse("client_change", args=["rexian"]), {"deed": deed}).status_code in (200, 302)
    shown = client.get(reverse("client", args=["rexian"])).content.decode()
    assert "签名不对" in shown


@pytest.mark.parametrize(
    "name", ["", "<script>", "a b", "'; DROP TABLE intake_client; --", "😀", "x" * 10_000, "A", "_x"]
)
def test_a_bad_name_is_refused_beside_its_field(town: World, name: str) -> None:
    client = Client()
    client.force_login(town.administrator)
    hook = {"title": "热线", "name": name, "channel": "hotline_orders", "area": town.county.code}
    feed_ = {
        "title": "平台",
        "name": name,
        "feed": "provincial_progress",
        "area": town.county.code,
        "url": "https://a.example/",
    }
    assert client.post(reverse("client_add"), hook).status_code == 422
    assert client.post(reverse("subscriber_add"), feed_).status_code == 422


def test_the_lists_of_settings_cost_the_same_at_one_row_and_at_eleven(town: World, receiver: Receiver) -> None:
    client = Client()
    client.force_login(town.administrator)
    clients.register("c-0", title="x", channel="hotline_orders", area=town.county, by=None, at=town.at)
    subscribed(town, receiver)
    pages = [reverse("clients"), reverse("subscribers")]
    before = [asked(client, page) for page in pages]
    for number in range(1, 11):
        clients.register(f"c-{number}", title="x", channel="hotline_orders", area=town.county, by=None, at=town.at)
        subscribed(town, receiver, name=f"s-{number}")
    assert [asked(client, page) for page in pages] == before


def asked(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


# ---------------------------------------------------------------- what comes later, on the case


def test_what_presses_for_an_order_is_told_to_the_case_and_to_those_who_have_it(town: World) -> None:
    hotline = System("hotline_orders", town.county, at=town.at)
    hotline.send(order())
    followers.drain(at=timezone.now())
    hotline.send({"orderNo": "c1", "refOrderNo": "RX-1", "type": "催办", "content": "三天了"})
    for _ in range(2):
        followers.drain(at=timezone.now())
    case = Case.objects.get()
    client = Client()
    client.force_login(town.dispatcher)
    shown = client.get(reverse("case", args=[case.number])).content.decode()
    assert shown.count("来件方催办") == 1
    assert "三天了" not in json.dumps(list(Event.objects.values_list("data", flat=True)), ensure_ascii=False)
    told_ = Notice.objects.filter(kind="told").values_list("officer__username", flat=True)
    assert sorted(told_) == ["baijie", "chendiao"]
    reports = client.get(reverse("case_reports", args=[case.number])).content.decode()
    assert "三天了" in reports
    assert Report.objects.get().additions.count() == 1
