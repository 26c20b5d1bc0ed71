"""Open311, sending requests: what is kept, for whom, and what is refused in which words."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from typer.testing import CliRunner

from anlan.casework.models import Case
from anlan.intake import quarantine, receipts, reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Photo, Report
from anlan.kernel import catalogue
from anlan.ledger import personal
from anlan.ledger.models import Event
from anlan.presentation.commands.main import app
from calling import Answer
from open311 import BASE, HERE, both, error, get, key_of, machine, post, sent, spark
from resident import picture
from world import World, world

FIELDS = (
    "service_request_id status status_notes service_name service_code description agency_responsible service_notice"
    " requested_datetime updated_datetime expected_datetime address address_id zipcode lat long media_url"
).split()

MATRIX = tomllib.loads((Path(__file__).parent.parent / "matrix.toml").read_text())
MAY = {action: frozenset(roles.split()) for action, roles in MATRIX["may"].items()}


@pytest.fixture
def town(media: Path) -> World:
    return world(timezone.now() - timedelta(days=2))


@pytest.fixture
def key(town: World) -> str:
    return machine(town)[1]


def one(number: str, **query: Any) -> dict[str, Any]:
    [found] = both(f"/requests/{number}", **query)
    assert isinstance(found, dict)
    return found


# ---------------------------------------------------------------- sending


def test_a_request_is_taken_in_through_the_one_door_and_opens_a_case(town: World, key: str) -> None:
    number = sent(key, **{"attribute[state]": "loose"})
    report = Report.objects.get()
    assert (report.channel, report.topic, report.description) == ("open311", "manhole", "井盖松动，有响声")
    assert (report.area, report.lon, report.lat) == (town.grid, 122.02, 27.02)
    assert report.raw["attribute[state]"] == "loose"
    case = Case.objects.get()
    assert (case.topic, case.opened_by, case.channel) == ("manhole", None, "open311")
    assert number == report.receipt.number
    assert str(report.pk) not in number


def test_every_field_of_the_standard_is_there(town: World, key: str) -> None:
    number = sent(key, address_string="幸福路口")
    found = one(number)
    assert list(found) == FIELDS
    assert (found["service_request_id"], found["status"], found["service_code"]) == (number, "open", "manhole")
    assert found["status_notes"] == "已收到，正在核对是否属实、该谁管。"
    assert found["agency_responsible"] == "受理员"
    assert (found["lat"], found["long"]) == (27.02, 122.02)
    assert found["address"] == "幸福路口, 东一村, 东镇, 甲县"
    assert datetime.fromisoformat(found["requested_datetime"]).utcoffset() is not None
    assert found["zipcode"] is None


def test_who_reported_goes_to_the_erasable_store_and_nowhere_else(town: World, key: str) -> None:
    told = {
        "first_name": "只此", "last_name": "一名", "phone": "13800007777", "email": "only@example.org",
        "device_id": "dev-99", "account_id": "acc-99", "attribute[fixmystreet_id]": "fms-99",
    }  # fmt: skip
    number = sent(key, **told)
    report = Report.objects.get()
    everything = str(report.__dict__) + str(list(Event.objects.values())) + str(list(Case.objects.values()))
    shown = str(both("/requests")) + str(one(number, extensions="true")) + str(both("/servicerequestupdates"))
    for secret in told.values():
        assert secret not in everything
        assert secret not in shown
    assert report.reporter_id is not None
    kept = personal.read(report.reporter_id)
    assert kept is not None
    assert (kept["reporter_name"], kept["reporter_phone"]) == ("只此 一名", "13800007777")
    assert (kept["reporter_email"], kept["reporter_device"], kept["reporter_account"]) == (
        "only@example.org", "dev-99", "acc-99",
    )  # fmt: skip
    assert "fms-99" in kept["reporter_besides"]


def test_numbers_of_telephones_in_the_words_are_not_shown(town: World, key: str) -> None:
    number = sent(key, description="井盖松动，请打 13800007777")
    assert "13800007777" not in str(one(number))
    assert Report.objects.get().description.endswith("13800007777")


def test_the_same_request_sent_again_is_one_report_with_one_number(town: World, key: str) -> None:
    assert sent(key) == sent(key)
    assert sent(key, description="别的事") != sent(key)
    assert sent(machine(town, "other")[1]) != sent(key)
    assert Report.objects.count() == 3
    first = post("/requests.json", api_key=key, service_code="parking", **HERE, headers={"Idempotency-Key": "k-1"})
    again = post("/requests.json", api_key=key, service_code="parking", **HERE, headers={"Idempotency-Key": "k-1"})
    assert first.json == again.json
    assert Report.objects.count() == 4


def test_an_answer_has_a_number_or_a_token_and_never_both(town: World, key: str) -> None:
    for form in ("xml", "json"):
        answer = post(f"/requests.{form}", api_key=key, service_code="parking", **HERE)
        said = answer.json if form == "json" else spark(ET.fromstring(answer.content))
        assert list(said[0]) == ["service_request_id", "service_notice", "account_id"]


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[None]:
    """An endpoint that answers with tokens."""
    (tmp_path / "open311").mkdir()
    (tmp_path / "open311/default.toml").write_text(
        'key = "default"\ntitle = { zh = "接口", en = "Endpoint" }\nchannel = "open311"\nanswers = "token"\n'
        'contact = { zh = "甲", en = "A" }\nkey_service = { zh = "乙", en = "B" }\n',
        "utf-8",
    )
    with catalogue.using([tmp_path]):
        yield


def test_an_endpoint_that_answers_with_tokens_tells_the_number_by_the_token(town: World, key: str, batch: None) -> None:
    assert both("/services")[0]["type"] == "batch"
    answer = post("/requests.json", api_key=key, service_code="parking", **HERE)
    assert list(answer.json[0]) == ["token", "service_notice", "account_id"]
    token = answer.json[0]["token"]
    [told] = both(f"/tokens/{token}")
    assert told["token"] == token
    assert one(told["service_request_id"])["service_code"] == "parking"
    for wrong in ("0" * 32, "x", "'", told["service_request_id"]):
        error(get(f"/tokens/{wrong}.xml"), 404)


def test_what_nobody_understands_waits_in_quarantine_and_has_a_token_until_it_is_mended(town: World, key: str) -> None:
    channel = catalogue.current().get(CHANNELS, "open311")
    told = {"message": "m-1", "service_code": "no such topic", "long": "122.02", "lat": "27.02"}
    received = reports.receive(channel, told, by=town.triage, at=town.at)
    assert received.held is not None
    token = receipts.issue_held(received.held).token
    assert both(f"/tokens/{token}") == [{"service_request_id": None, "token": token}]
    quarantine.mend(received.held, {"service_code": "parking"}, by=town.triage, at=town.at)
    [now] = both(f"/tokens/{token}")
    assert one(now["service_request_id"])["service_code"] == "parking"


@pytest.mark.parametrize("name", ["media", "photo1", "photo", "media[]"])
def test_photos_are_taken_under_any_of_the_names_clients_use(town: World, key: str, name: str) -> None:
    sent(key, **{name: picture()})
    assert Report.objects.get().photos.count() == 1
    assert Case.objects.get().case_photos.count() == 1


def test_several_photos_are_taken_and_too_many_are_refused(town: World, key: str) -> None:
    sent(key, photo1=picture("red"), photo2=picture("blue"), media=[picture("green"), picture("white")])
    assert Report.objects.get().photos.count() == 4
    answer = post("/requests.json", api_key=key, service_code="parking", **HERE, media=[picture() for _ in range(7)])
    assert "6" in error(answer, 400)


def test_an_address_of_media_is_kept_as_it_was_told(town: World, key: str) -> None:
    url = "http://169.254.169.254/latest/meta-data/a.jpg?x=1&y=2"
    number = sent(key, media_url=url)
    assert one(number)["media_url"] == url
    assert not Photo.objects.exists()
    second = sent(key, media_url=[url, "https://b.example/2.jpg"], description="两张")
    assert one(second)["media_url"] == url
    told = Report.objects.get(receipt__number=second).raw["media_url"]
    assert told.splitlines() == [url, "https://b.example/2.jpg"]


def test_a_place_may_be_an_address_or_a_site(town: World, key: str) -> None:
    only_address = {"lat": None, "long": None}
    there = key_of(town.grid_worker)
    sent(there, **only_address, address_string="东一村 12 号")
    assert Report.objects.get(address="东一村 12 号").area == town.grid
    number = sent(there, **only_address, address_id="house1")
    assert one(number)["address_id"] == "house1"
    answer = post("/requests.xml", api_key=there, service_code="parking", address_id="nowhere")
    assert "address_id" in error(answer, 400)


# ---------------------------------------------------------------- keys


def test_without_a_right_key_nothing_is_taken(town: World) -> None:
    good = {"service_code": "parking", **HERE}
    for wrong in ({}, {"api_key": ""}, {"api_key": "anlan_wrong"}, {"api_key": "\x00"}, {"api_key": "钥" * 4000}):
        for form in ("xml", "json"):
            assert "api_key" in error(post(f"/requests.{form}", **good, **wrong), 403)
    only_looks = key_of(town.grid_worker, "cases.see")
    assert "api_key" in error(post("/requests.xml", **good, api_key=only_looks), 403)
    assert not Report.objects.exists()


def test_a_key_of_another_county_reports_nothing_here(town: World) -> None:
    outsider = key_of(town.outsider)
    error(post("/requests.xml", service_code="parking", **HERE, api_key=outsider), 403)
    assert not Report.objects.exists()
    assert not Photo.objects.exists()


def test_a_key_reports_where_its_holder_may_report_and_nowhere_else(town: World) -> None:
    for role, officer in town.cast().items():
        for place, inside in ((HERE, True), ({"lat": "27.05", "long": "123.05"}, False)):
            answer = post("/requests.xml", service_code="parking", description=role, **place, api_key=key_of(officer))
            allowed = inside and role in MAY["reports.receive"]
            assert answer.status == (200 if allowed else 403), (role, inside, answer.content.decode())


def test_a_place_outside_of_the_jurisdiction_is_refused_and_not_taken(town: World, key: str, tmp_path: Path) -> None:
    (tmp_path / "open311").mkdir()
    (tmp_path / "open311/default.toml").write_text(
        'key = "default"\ntitle = { zh = "接口", en = "Endpoint" }\nchannel = "open311"\narea = "330101002"\n'
        'contact = { zh = "甲", en = "A" }\nkey_service = { zh = "乙", en = "B" }\n',
        "utf-8",
    )
    with catalogue.using([tmp_path]):
        answer = post("/requests.xml", api_key=key, service_code="parking", **HERE, media=picture())
        assert "outside of this jurisdiction" in error(answer, 400)
        assert not Report.objects.exists()
        assert not Photo.objects.exists()
        number = sent(key, lat="27.05", long="122.15")
        assert one(number)["address"] == "西一村, 西镇, 甲县"


def test_the_key_may_stand_in_the_address_or_in_a_header(town: World, key: str) -> None:
    good = {"service_code": "parking", **HERE}
    assert Answer(Client().post(f"{BASE}/requests.json?api_key={key}&jurisdiction_id=x", good)).status == 200
    assert post("/requests.json", **good, headers={"Authorization": f"Bearer {key}"}).status == 200


def test_a_client_is_entered_and_given_its_key_by_one_command(town: World) -> None:
    told = ["user", "system", "bloom", "--name", "Bloomington", "--area", town.county.code]
    said = CliRunner().invoke(app, told)
    assert said.exit_code == 0, said.output
    key = said.output.strip().splitlines()[-1]
    sent(key)
    report = Report.objects.get()
    assert report.by is not None
    assert (report.by.username, report.by.is_machine) == ("bloom", True)
    again = CliRunner().invoke(app, told)
    assert again.exit_code != 0
    assert "Traceback" not in again.output


# ---------------------------------------------------------------- what cannot be taken


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"service_code": ""}, 400),
        ({"service_code": "nothing"}, 404),
        ({"service_code": "dispute"}, 404),
        ({"jurisdiction_id": "\x00"}, 200),
        ({"lat": "", "long": ""}, 400),
        ({"lat": "27"}, 200),
        ({"lat": "27", "long": ""}, 400),
        ({"lat": "0", "long": "0"}, 400),
        ({"lat": "nan", "long": "inf"}, 400),
        ({"lat": "91", "long": "181"}, 400),
        ({"description": "写" * 10_000}, 400),
        ({"description": "写" * 4_000}, 200),
        ({"description": "🚒🔥" * 50}, 200),
        ({"description": "<script>alert(1)</script>&<b>"}, 200),
        ({"description": "a\x00b\x07c\ud7ff"}, 200),
        ({"description": "'; DROP TABLE intake_report; --"}, 200),
        ({"address_string": "甲" * 5_000}, 400),
        ({"media_url": "javascript:alert(1)"}, 400),
        ({"media_url": "file:///etc/passwd"}, 400),
        ({"media_url": "http://["}, 400),
        ({"media_url": "http://x/" + "a" * 3_000}, 400),
        ({"phone": "1" * 5_000, "email": "@" * 5_000}, 200),
        ({"attribute[state]": "wrong"}, 400),
        ({"attribute[state]": ["loose", "broken"]}, 400),
        ({"attribute[nobody_asks]": "x" * 50_000}, 200),
        ({"attribute[]": "x", "attribute[[state]]": "y"}, 200),
        ({"media": SimpleUploadedFile("x.jpg", b"no photo at all", "image/jpeg")}, 400),
        ({"media": SimpleUploadedFile("x.svg", b"<svg onload=alert(1)>", "image/svg+xml")}, 400),
        ({"media": SimpleUploadedFile("x.jpg", b"x" * (13 << 20), "image/jpeg")}, 400),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words_and_nothing_is_lost(
    town: World, key: str, told: dict[str, Any], status: int
) -> None:
    before = {"service_code": "manhole", **HERE, **told}
    for file in (each for each in told.values() if isinstance(each, SimpleUploadedFile)):
        file.seek(0)
    answer = post("/requests.xml", api_key=key, **before)
    if status == 200:
        assert answer.status == 200, answer.content.decode()
        number = spark(ET.fromstring(answer.content))[0]["service_request_id"]
        assert one(number)["service_request_id"] == number
    else:
        error(answer, status)
        assert not Report.objects.exists()
        assert not Photo.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"service_code=%ff%00&lat=1", "application/x-www-form-urlencoded; charset=nothing"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"&".join(b"a%d=1" % n for n in range(3000)), "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_cannot_be_read_is_answered_in_the_form_that_was_asked_for(
    town: World, body: bytes, content_type: str
) -> None:
    for form in ("xml", "json"):
        answer = Answer(Client().generic("POST", f"{BASE}/requests.{form}", body, content_type=content_type))
        assert answer.status in (400, 403)
        error(answer, answer.status)


def test_what_is_too_large_is_turned_away_before_it_is_read(town: World) -> None:
    answer = Client().generic("POST", f"{BASE}/requests.xml", b"", CONTENT_LENGTH=str(1 << 40))
    assert "MB" in error(Answer(answer), 400)
