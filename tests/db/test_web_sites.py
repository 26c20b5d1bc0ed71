"""The pages of sites: the list, one site with its QR sign and map, and the forms that keep them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from anlan.places import sites
from anlan.places.models import Officer, Site
from world import AT, World, world


@pytest.fixture
def town() -> World:
    return world()


def at_desk(officer: Officer) -> Client:
    client = Client()
    client.force_login(officer)
    return client


def words_of(client: Client, name: str, *args: Any, **query: str) -> str:
    return client.get(reverse(name, args=args), query).content.decode()


def test_the_list_shows_what_lies_within_reach_and_nothing_else(town: World) -> None:
    words = words_of(at_desk(town.dispatcher), "sites")
    assert "东一村出租房" in words
    assert "邻村出租房" not in words


def test_the_list_is_narrowed_by_kind_text_state_and_area(town: World) -> None:
    client = at_desk(town.dispatcher)
    assert "东一村小店" not in words_of(client, "sites", kind="rental_house")
    assert "东一村出租房" not in words_of(client, "sites", q="小店")
    assert "东一村出租房" not in words_of(client, "sites", state="closed")
    assert "东一村小店" not in words_of(client, "sites", area=town.grid.code)


def test_nonsense_in_the_address_is_dropped_rather_than_refused(town: World) -> None:
    client = at_desk(town.dispatcher)
    for query in ({"kind": "nothing"}, {"after": "broken"}, {"before": "W10="}, {"area": "0"}, {"q": "\x00"}):
        assert client.get(reverse("sites"), query).status_code == 200


def test_pages_follow_one_another_forwards_and_back(town: World) -> None:
    for number in range(120):
        sites.create(name=f"出租房 {number:03d}", kind="rental_house", area=town.grid, by=None, at=AT)
    client = at_desk(town.dispatcher)
    first = client.get(reverse("sites")).context["table"].page
    second = client.get(reverse("sites"), {"after": first.after}).context["table"].page
    third = client.get(reverse("sites"), {"after": second.after}).context["table"].page
    seen = [site.pk for page in (first, second, third) for site in page.items]
    assert len(seen) == len(set(seen)) == Site.objects.exclude(area=town.neighbour_grid).count()
    assert third.after == first.before == ""
    back = client.get(reverse("sites"), {"before": third.before}).context["table"].page
    assert [site.pk for site in back.items] == [site.pk for site in second.items]


def test_the_list_asks_as_little_at_eleven_rows_as_at_one(town: World) -> None:
    client = at_desk(town.dispatcher)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(reverse("sites"), {"kind": "hotel"})
        return len(queries)

    sites.create(name="宾馆", kind="hotel", area=town.grid, by=None, at=AT)
    asked()  # what the register keeps is read the first time
    one = asked()
    for number in range(10):
        sites.create(name=f"宾馆 {number}", kind="hotel", area=town.grid, operator=town.party, by=None, at=AT)
    assert asked() == one <= 12


def test_a_site_page_shows_its_map_its_sign_and_who_answers(town: World) -> None:
    words = words_of(at_desk(town.dispatcher), "site", "house1")
    assert 'class="map"' in words
    assert 'class="qr"' in words
    assert "谁负责" in words
    assert "这里还没有事项" in words


def test_the_outsider_finds_no_page_of_the_site(town: World) -> None:
    client = at_desk(town.outsider)
    for name in ("site", "site_qr", "site_change"):
        assert client.get(reverse(name, args=["house1"])).status_code == 404
    assert client.post(reverse("site_close", args=["house1"])).status_code == 404
    assert Site.objects.get(code="house1").is_active


def test_a_landlord_sees_their_own_site_and_no_other(town: World) -> None:
    words = words_of(at_desk(town.landlord), "sites")
    assert "东一村出租房" in words
    assert "东一村小店" not in words


def test_a_site_is_registered_changed_closed_and_opened_again(town: World) -> None:
    client = at_desk(town.administrator)
    answers = {
        "name": "新宾馆",
        "kind": "hotel",
        "area": town.grid.code,
        "address": "",
        "operator": "",
        "lon": "",
        "lat": "",
    }
    made = client.post(reverse("site_add"), answers)
    site = Site.objects.get(name="新宾馆")
    assert made.headers["Location"] == reverse("site", args=[site.code])
    client.post(
        reverse("site_change", args=[site.code]), answers | {"name": "改名宾馆", "lon": "122.01", "lat": "27.01"}
    )
    site.refresh_from_db()
    assert (site.name, site.lon) == ("改名宾馆", 122.01)
    client.post(reverse("site_close", args=[site.code]))
    assert not Site.objects.get(pk=site.pk).is_active
    client.post(reverse("site_close", args=[site.code]))
    assert Site.objects.get(pk=site.pk).is_active


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "请填写这一项"),
        ({"kind": "castle"}, "请从列表中选择"),
        ({"area": "330199001001001"}, "请从列表中选择"),
        ({"lon": "122"}, "经度和纬度要么都填"),
        ({"lon": "x", "lat": "27"}, "请填数字"),
        ({"lon": "nan", "lat": "27"}, "请填数字"),
        ({"lon": "500", "lat": "27"}, "超出范围"),
        ({"name": "长" * 121}, "太长了"),
    ],
)
def test_a_wrong_answer_is_said_beside_its_field(town: World, changed: dict[str, str], words: str) -> None:
    answers = {
        "name": "新宾馆",
        "kind": "hotel",
        "area": town.grid.code,
        "address": "",
        "operator": "",
        "lon": "",
        "lat": "",
    }
    answer = at_desk(town.administrator).post(reverse("site_add"), answers | changed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Site.objects.filter(kind="hotel").exists()


def test_a_dispatcher_cannot_register_a_site(town: World) -> None:
    assert at_desk(town.dispatcher).get(reverse("site_add")).status_code == 403
