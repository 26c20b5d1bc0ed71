"""The residents' pages: report without an account, follow it by a code, say whether it is good. Nobody learns who."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from anlan.casework.models import Case
from anlan.intake import tracking
from anlan.intake.models import Attempt, Photo, Report
from anlan.ledger.models import Event
from desk import at_desk, hidden, text
from resident import code_of, page, picture, reported, send, told
from world import World, world

PHONE = "13800007777"
NAME = "只此一名"


@pytest.fixture
def town(media: Path) -> World:
    return world(timezone.now() - timedelta(days=2))


# ---------------------------------------------------------------- reporting


def test_a_resident_reports_with_a_photo_and_without_an_account(town: World) -> None:
    _, report = reported(photos=[picture()])
    assert (report.channel, report.by, report.topic, report.area) == ("resident", None, "fire_exit", town.grid)
    assert report.photos.count() == 1
    case = Case.objects.get()
    assert case.case_photos.count() == 1
    assert case.opened_by is None


def test_the_form_says_what_it_is_in_both_languages_and_asks_for_no_vendor_code(town: World) -> None:
    for lang, words in (("zh", "用我的位置"), ("en", "My position")):
        client = Client()
        client.cookies["lang"] = lang
        shown = text(client.get(reverse("resident")))
        assert words in shown
        assert "vendor/" not in shown
        assert "消防通道" in shown


def test_the_same_message_twice_is_one_report_with_one_code(town: World) -> None:
    client, sent = Client(), told(photos=[picture()])
    first = client.post(reverse("resident"), sent)
    code = code_of(client)
    again = client.post(reverse("resident"), {**sent, "photos": [picture()]})
    assert (first.status_code, again.status_code) == (302, 302)
    assert code_of(client) == code
    assert (Report.objects.count(), Case.objects.count(), Photo.objects.count()) == (1, 1, 1)


def test_what_officers_see_of_a_message_does_not_give_them_the_reporters_code(town: World) -> None:
    sent = told()
    Client().post(reverse("resident"), sent)
    report = Report.objects.get()
    assert sent["client_id"] not in str(report.__dict__) + str(list(Event.objects.values()))
    client = Client()
    client.post(reverse("resident"), told(client_id=report.message_id, seen="1"))
    assert tracking.find(code_of(client)) != report


def test_the_script_is_answered_in_words_it_can_show(town: World) -> None:
    client = Client()
    answer = send(client, script=True)
    assert answer.status_code == 201
    assert answer.json()["next"] == reverse("resident_sent")
    assert tracking.plain(answer.json()["code"]) == code_of(client)
    wrong = send(Client(), script=True, description="", lon=None, lat=None)
    assert wrong.status_code == 422
    assert wrong.json()["error"]["zh"] != wrong.json()["error"]["en"]


def test_nothing_told_or_no_place_is_said_beside_the_field_and_nothing_typed_is_lost(town: World) -> None:
    answer = send(description="", address="东一村 12 号")
    assert answer.status_code == 422
    assert "请拍一张照片" in text(answer)
    assert 'value="东一村 12 号"' in text(answer)
    answer = send(lon=None, lat=None)
    assert answer.status_code == 422
    assert "请说明在哪里" in text(answer)
    assert "三楼楼道堆物" in text(answer)
    assert not Report.objects.exists()


def test_photos_of_a_form_that_was_refused_need_not_be_chosen_again(town: World) -> None:
    client = Client()
    refused = send(client, photos=[picture()], lon=None, lat=None)
    assert "已收到 1 张照片" in text(refused)
    sent = told(kept=hidden(text(refused), "kept"), description="")
    assert client.post(reverse("resident"), sent).status_code == 302
    assert Report.objects.get().photos.count() == 1


def test_a_place_may_be_an_address_in_a_village(town: World) -> None:
    _, report = reported(lon=None, lat=None, address="东一村 12 号", area=town.village.code)
    assert (report.area, report.address) == (town.village, "东一村 12 号")


def test_what_the_telephone_says_of_time_is_believed_within_reason(town: World) -> None:
    now = timezone.now()
    an_hour_ago = now - timedelta(hours=1)
    assert reported(told_at=an_hour_ago.isoformat(), seen="1")[1].told_at == an_hour_ago
    ahead = (now + timedelta(days=1)).isoformat()
    for wrong in ("1900-01-01T00:00:00Z", ahead, "gestern", "2026-13-45T99:99", "9" * 500):
        assert abs(reported(told_at=wrong, seen="1")[1].told_at - now) < timedelta(minutes=5)


@pytest.mark.parametrize(
    "more",
    [
        {"description": "写" * 10_000},
        {"address": "甲" * 500},
        {"topic": "no_such_topic"},
        {"area": "999"},
        {"reporter_phone": "1" * 500},
        {"lon": "0", "lat": "0"},
        {"lon": "nan", "lat": "inf"},
        {"lon": "361", "lat": "-91"},
        {"photos": [SimpleUploadedFile("x.jpg", b"no photo at all", "image/jpeg")]},
        {"photos": [SimpleUploadedFile("x.jpg", b"<svg onload=alert(1)>", "image/jpeg")]},
        {"photos": [picture(name=f"{n}.jpg") for n in range(4)]},
        {"website": "http://example.com"},
    ],
)
def test_what_cannot_be_taken_is_refused_with_words_and_nothing_is_received(town: World, more: dict[str, Any]) -> None:
    answer = send(**more)
    assert answer.status_code == 422
    assert 'class="why"' in text(answer) or 'role="alert"' in text(answer)
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"description": "🚒🔥" * 50},
        {"description": "<script>alert(1)</script>", "reporter_name": "<script>alert(2)</script>"},
        {"description": "a\x00b"},
        {"description": "'; DROP TABLE intake_report; --"},
        {"client_id": "not a number"},
        {"client_id": None},
        {"joins": "forged", "kept": "forged", "seen": "1"},
        {"site": "no-such-site"},
        {"site": "\x00" * 100, "area": "\x00"},
        {"lon": "122.02", "lat": "", "address": "东一村 12 号", "area": "330101001001"},
    ],
)
def test_what_is_odd_but_harmless_is_taken_and_shown_as_words(town: World, more: dict[str, Any]) -> None:
    code, report = reported(**more)
    assert report.description
    shown = page(code)
    assert "<script>" not in shown.replace("<script src=", "")
    assert "<script>" not in text(at_desk(town.triage).get(reverse("case", args=[Case.objects.get().number])))


def test_what_is_too_large_is_turned_away_before_it_is_read(town: World) -> None:
    large = {"content_type": "text/plain", "CONTENT_LENGTH": "99999999"}
    answer: Any = Client().generic("POST", reverse("resident"), b"x", **large)  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert "24 MB" in text(answer)


# ---------------------------------------------------------------- is it one of these?


def test_without_a_script_the_form_comes_back_once_to_ask_whether_it_is_one_of_these(town: World) -> None:
    _, first = reported()
    client = Client()
    sent = told(photos=[picture()], lon="122.020300")
    answer = client.post(reverse("resident"), sent)
    assert answer.status_code == 409
    shown = text(answer)
    assert "附近已有人报过" in shown
    assert "约 30 米" in shown
    assert first.description not in shown.split("</fieldset>")[0]
    [token] = re.findall(r'name="joins" value="([^"]+)"', shown)
    chosen = {"client_id": sent["client_id"], "kept": hidden(shown, "kept"), "seen": "1", "joins": token}
    again = {**told(lon="122.020300"), **chosen}
    assert client.post(reverse("resident"), again).status_code == 302
    case = Case.objects.get()
    assert case.reports_count == 2
    assert case.case_photos.count() == 1
    assert "共有 2 份上报" in page(code_of(client))


def test_who_says_it_is_another_thing_gets_their_own_case(town: World) -> None:
    reported()
    reported(seen="1", joins="")
    assert Case.objects.count() == 2


def test_nearby_shows_what_and_where_and_nothing_of_who_or_what_was_said(town: World) -> None:
    reported(reporter_name=NAME, reporter_phone=PHONE, address="东一村 12 号 301 室")
    case = Case.objects.get()
    query = {"lon": "122.0203", "lat": "27.02", "topic": "fire_exit"}
    shown = text(Client().get(reverse("resident_near"), query))
    assert "消防通道与疏散" in shown
    for hidden_ in (NAME, PHONE, "301", "楼道堆物", case.number, case.title):
        assert hidden_ not in shown


@pytest.mark.parametrize(
    "query",
    [{}, {"lon": "x", "lat": "\x00"}, {"lon": "0", "lat": "0", "topic": "\x00"}, {"address": "'" * 900}],
)
def test_nearby_and_the_map_answer_nonsense_with_nothing(town: World, query: dict[str, str]) -> None:
    assert text(Client().get(reverse("resident_near"), query)).strip() == ""
    assert Client().get(reverse("resident_map"), query).status_code == 200


# ---------------------------------------------------------------- how often


def test_a_device_that_reports_without_end_is_told_when_to_come_back(town: World) -> None:
    client = Client()
    client.get(reverse("resident"))
    answers = [send(client, seen="1") for _ in range(9)]
    assert [answer.status_code for answer in answers] == [302] * 8 + [429]
    assert "以后" in text(answers[-1])
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert Report.objects.count() == 8
    assert send(client, script=True).json()["error"]["zh"]


def test_sending_again_what_has_arrived_costs_nothing(town: World) -> None:
    client, sent = Client(), told()
    client.get(reverse("resident"))
    assert {client.post(reverse("resident"), sent).status_code for _ in range(20)} == {302}


def test_guessing_codes_comes_to_an_end(town: World) -> None:
    code, _ = reported()
    client = Client()
    client.get(reverse("resident"))
    guesses = [f"ABCDEFGHJKL{letter}" for letter in tracking.LETTERS[:11]]
    answers = [client.get(reverse("resident_status", args=[guess])).status_code for guess in guesses]
    assert answers == [404] * 10 + [429]
    assert client.get(reverse("resident_status", args=[code])).status_code == 429, "else a right guess would be told"
    assert Client().get(reverse("resident_status", args=[code])).status_code == 200


def test_behind_a_proxy_of_ours_it_is_the_resident_who_is_counted(town: World) -> None:
    def tried(address: str, times: int) -> list[int]:
        page_, headers = reverse("resident_status", args=["ABCDEFGHJKLM"]), {"X-Forwarded-For": address}
        return [Client().get(page_, headers=headers).status_code for _ in range(times)]

    with override_settings(PROXIES=1):
        assert tried("forged, 10.0.0.7", 61)[-1] == 429
        assert tried("10.0.0.7, 10.0.0.8", 1) == [404]
    assert tried("10.0.0.9", 1) == [404], "nobody's word is taken without a proxy"
    assert "10.0.0" not in str(list(Attempt.objects.values()))
