"""Open311, asking for requests: what is shown of them, how they are found, and the same in both forms."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from anlan.casework import cases, course
from anlan.casework.cases import Doing
from anlan.casework.draft import load
from anlan.casework.models import Case
from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Quarantined, Receipt, Report
from anlan.kernel import catalogue
from anlan.presentation import followers
from anlan.presentation.open311 import spark as forms
from calling import Answer
from open311 import both, error, get, machine, sent, spark
from resident import do, picture, reported, to_the_end
from world import World, world

FIELDS = (
    "service_request_id status status_notes service_name service_code description agency_responsible service_notice"
    " requested_datetime updated_datetime expected_datetime address address_id zipcode lat long media_url"
).split()


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


# ---------------------------------------------------------------- asking


def test_open_and_closed_are_the_only_states_and_closing_sets_the_date(town: World, key: str) -> None:
    number, other = sent(key), sent(key, description="别的")
    case = Case.objects.get(case_reports__report__receipt__number=number)
    to_the_end(town, case)
    case.refresh_from_db()
    found = one(number)
    assert found["status"] == "closed"
    assert found["status_notes"].startswith("已整改并经他人核查属实，事项办结。")
    assert case.closed_at is not None
    assert datetime.fromisoformat(found["updated_datetime"]) == case.closed_at.replace(microsecond=0)
    listed = {status: [each["service_request_id"] for each in both("/requests", status=status)] for status in
              ("open", "closed", "open,closed", "")}  # fmt: skip
    assert listed["closed"] == [number]
    assert listed["open"] == [other]
    assert set(listed["open,closed"]) == set(listed[""]) == {number, other}
    error(get("/requests.xml", status="fixed"), 400)


def test_a_photo_of_the_fix_is_everybodys_and_that_of_the_report_is_not(town: World, key: str) -> None:
    number = sent(key, media=picture("red"))
    assert one(number)["media_url"] is None
    error(get(f"/photos/{number}/1.jpg"), 404)
    to_the_end(town, Case.objects.get())
    url = one(number)["media_url"]
    answer = Answer(Client().get(url))
    assert (answer.status, answer.content[:2]) == (200, b"\xff\xd8")
    for place in ("2", "0", "x", "²", "9" * 99):
        error(get(f"/photos/{number}/{place}.jpg"), 404)


def test_the_office_is_named_and_no_person(town: World, key: str) -> None:
    number = sent(key)
    case = Case.objects.get()
    do(town, case, "triage", "register")
    do(town, case, "dispatcher", "dispatch", department=town.housing.pk, officer=town.handler.pk)
    found = one(number, extensions="true")
    assert found["agency_responsible"] == "住建局"
    assert not any(name in str(found) for name in ("丁办", "白洁", "陈调", "系统 fms"))
    assert [note["description"] for note in found["notes"]][-1] == "已派给负责的部门，等待处置。"


def test_the_promised_date_is_the_expected_one(town: World, key: str) -> None:
    number = sent(key)
    case = Case.objects.get()
    do(town, case, "triage", "register")
    expected = one(number)["expected_datetime"]
    case.refresh_from_db()
    dates = [until.due_at for until in course.dates(load(case)) if until.due_at]
    assert datetime.fromisoformat(expected) == min(dates).replace(microsecond=0)


def test_extensions_add_what_was_asked_and_what_has_passed(town: World, key: str) -> None:
    number = sent(key, **{"attribute[state]": "loose"})
    found = one(number, extensions="true")
    assert list(found) == [*FIELDS, "attributes", "extended_attributes", "notes"]
    assert found["attributes"] == [{"name": "state", "label": "井盖怎么了", "value": "松动、有响声", "code": "loose"}]
    assert found["extended_attributes"]["stage"] == "intake"
    both_values = {"attribute[signs][]": ["smell", "dizzy"]}
    number = sent(key, service_code="gas_leak", **both_values)
    assert [each["code"] for each in one(number, extensions="true")["attributes"]] == ["smell", "dizzy"]


def test_a_merged_report_answers_with_the_case_it_was_merged_into(town: World, key: str) -> None:
    first, second = sent(key), sent(key, description="同一个井盖")
    old = Case.objects.get(case_reports__report__receipt__number=first)
    new = Case.objects.get(case_reports__report__receipt__number=second)
    doing = Doing("merge", {"case": str(old.pk)})
    cases.act(new.pk, doing, by=town.triage, reach=town.reach(town.triage), at=timezone.now())
    assert [one(number)["status"] for number in (first, second)] == ["open", "open"]
    assert both("/requests", status="closed") == []
    to_the_end(town, old)
    assert {each["service_request_id"] for each in both("/requests", status="closed")} == {first, second}


def test_a_case_that_turns_out_sensitive_is_listed_no_more_and_told_coarsely(town: World, key: str) -> None:
    number = sent(key, address_string="幸福里 3 幢")
    Case.objects.update(topic="dispute")
    assert both("/requests") == []
    found = one(number)
    assert (found["lat"], found["long"], found["description"]) == (None, None, None)
    assert "幸福里" not in str(found)
    assert number not in Answer(Client().get("/GeoReport/bulk")).content.decode()


def test_numbers_override_everything_else(town: World, key: str) -> None:
    numbers = [sent(key, description=f"第 {n} 个") for n in range(3)]
    asked = {"service_request_id": ",".join([*numbers[:2], "999999999999", "x", ""]), "status": "nonsense"}
    found = both("/requests", **asked, start_date="nonsense", service_code="nothing")
    assert {each["service_request_id"] for each in found} == set(numbers[:2])
    for wrong in ("1", "x", "1" * 12, "%00", "<b>", "9" * 500):
        assert "service_request_id" in error(get(f"/requests/{wrong}.xml"), 404)


def test_what_other_channels_brought_is_not_shown(town: World, key: str) -> None:
    api = catalogue.current().get(CHANNELS, "api")
    told = {"id": "x", "description": "某事", "area": town.grid.code, "topic": "parking"}
    reports.receive(api, told, by=town.triage, at=town.at)
    followers.drain(at=timezone.now())
    assert both("/requests") == []


def test_what_residents_told_is_shown_without_their_words_where_a_town_wants_it(town: World, tmp_path: Path) -> None:
    (tmp_path / "open311").mkdir()
    (tmp_path / "open311/default.toml").write_text(
        'key = "default"\ntitle = { zh = "接口", en = "Endpoint" }\nchannel = "open311"\nalso_shows = ["resident"]\n'
        'contact = { zh = "甲", en = "A" }\nkey_service = { zh = "乙", en = "B" }\n',
        "utf-8",
    )
    with catalogue.using([tmp_path]):
        reported(address="幸福里 3 幢 502", lon="122.0212345", lat="27.0212345")
        reported(topic="dispute", seen="1")
        followers.drain(at=timezone.now())
        [found] = both("/requests")
        assert (found["lat"], found["long"]) == (27.021, 122.021)
        assert (found["description"], found["address"]) == (None, "东一村, 东镇, 甲县")


# ---------------------------------------------------------------- time and pages


def days_ago(number: str, days: float) -> None:
    at = timezone.now() - timedelta(days=days)
    Report.objects.filter(receipt__number=number).update(told_at=at)
    Receipt.objects.filter(number=number).update(requested_at=at)


def test_the_last_ninety_days_are_shown_when_nothing_is_asked(town: World, key: str) -> None:
    new, old = sent(key), sent(key, description="旧事")
    days_ago(old, 91)
    assert [each["service_request_id"] for each in both("/requests")] == [new]
    start = (timezone.now() - timedelta(days=95)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = both("/requests", start_date=start)
    assert [each["service_request_id"] for each in found] == [new, old] or found[0]["service_request_id"] == old


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", 200),
        ("2026-01-01", "2026-04-01", 200),
        ("2026-01-01T00:00:00Z", "2026-04-01T00:00:01Z", 400),
        ("2026-01-01", "2026-04-02", 400),
        ("2026-04-01T00:00:00Z", "2026-01-01T00:00:00Z", 400),
        ("1900-01-01", "", 200),
        ("1900-01-01", "2026-01-01", 400),
        ("0001-01-01", "", 400),
        ("9999-12-31", "", 400),
        ("2026-02-30", "", 400),
        ("2026-01-01T08:00:00+0800", "2026-01-02T08:00:00 08:00", 200),
        ("2026-01-01T08:00:00-05:00", "2026-01-02T08:00:00.123Z", 200),
        ("2026-01-01 08:00", "2026-01-02T08:00", 200),
        ("2026-01-01T08:00:00+99:99", "", 400),
        ("yesterday", "", 400),
        ("\x00", "", 400),
        ("2026-01-01'; DROP TABLE", "", 400),
        ("9" * 5000, "", 400),
        ("", "2026-01-01T00:00:00Z", 200),
    ],
)
def test_a_span_of_days_is_read_in_many_ways_and_is_at_most_ninety_long(
    town: World, start: str, end: str, status: int
) -> None:
    for path in ("/requests.xml", "/servicerequestupdates.json"):
        answer = get(path, start_date=start, end_date=end)
        if status == 200:
            assert answer.status == 200, answer.content.decode()
        else:
            error(answer, status)


def test_pages_hold_together(town: World, key: str) -> None:
    numbers = {sent(key, description=f"第 {n} 个") for n in range(5)}
    pages = [both("/requests", page=page, page_size=2) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert {each["service_request_id"] for page in pages for each in page} == numbers
    for query in ({"page": "0"}, {"page": "x"}, {"page_size": "1001"}, {"page_size": "-1"}, {"page": "9" * 30}):
        error(get("/requests.json", **query), 400)


def test_requests_are_found_by_topic_and_by_when_they_last_changed(town: World, key: str) -> None:
    cover, car = sent(key), sent(key, service_code="parking", description="占道")
    assert [each["service_request_id"] for each in both("/requests", service_code="parking")] == [car]
    assert len(both("/requests", service_code="parking,manhole")) == 2
    error(get("/requests.xml", service_code="nothing"), 404)
    now = timezone.now()
    later = (now + timedelta(hours=1)).isoformat()
    assert len(both("/requests", updated_after=(now - timedelta(hours=1)).isoformat())) == 2
    assert both("/requests", updated_after=later) == []
    assert len(both("/requests", updated_before=later)) == 2
    assert both("/requests", updated_before=(now - timedelta(days=1)).isoformat()) == []
    assert cover != car


def test_a_list_of_eleven_takes_as_many_queries_as_a_list_of_one(town: World, key: str) -> None:
    def asked(path: str) -> int:
        get(path)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert get(path).status == 200
        return len(seen)

    paths = ("/requests.xml", "/requests.json?extensions=true", "/servicerequestupdates.xml")
    sent(key)
    first = [asked(path) for path in paths]
    for number in range(10):
        sent(key, description=f"第 {number} 个", lat=f"27.0{number}1", long=f"122.{number:02}1")
    assert len(both("/requests")) == 11
    assert [asked(path) for path in paths] == first
    assert max(first) <= 8


def test_everything_is_in_one_file_under_the_headings_of_the_bulk_format(town: World, key: str) -> None:
    number, risky = sent(key), sent(key, description="=HYPERLINK(1)")
    days_ago(risky, 400)
    for address in ("/GeoReport/bulk", "/open311/GeoReport/bulk.csv"):
        answer = Answer(Client().get(address))
        assert answer.response["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert [row["service_request_id"] for row in rows] == [risky, number]
        assert rows[0]["description"] == "'=HYPERLINK(1)"
        assert list(rows[0]) == [
            "service_request_id", "requested_datetime", "updated_datetime", "closed_date", "status_description",
            "status_notes", "source", "service_name", "service_subtype", "description", "agency_responsible",
            "address", "lat", "long",
        ]  # fmt: skip
    error(Answer(Client().get("/GeoReport/bulk", {"start_date": "x"})), 400)


# ---------------------------------------------------------------- one answer in two forms

words = st.one_of(st.none(), st.booleans(), st.text(max_size=40), st.floats(allow_nan=False, allow_infinity=False))
request = st.fixed_dictionaries(
    {
        "service_request_id": st.text(min_size=1, max_size=12),
        "metadata": st.booleans(),
        "description": st.one_of(st.none(), st.text()),
        "lat": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
        "order": st.integers(1, 99),
        "notes": st.lists(st.fixed_dictionaries({"datetime": st.text(), "description": st.text()}), max_size=3),
        "extended_attributes": st.fixed_dictionaries({"stage": st.text(), "photos": st.just([])}),
    }
)


@given(st.lists(request, max_size=4))
def test_xml_read_by_the_spark_convention_says_what_json_says(answer: list[dict[str, Any]]) -> None:
    in_xml = ET.fromstring(forms.said("service_requests", answer, "xml"))
    assert spark(in_xml) == json.loads(forms.said("service_requests", answer, "json"))


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_whatever_is_told_the_xml_can_be_read(told: str) -> None:
    [error_] = ET.fromstring(forms.said("errors", [{"code": 400, "description": told}], "xml"))
    assert error_.find("code") is not None


def test_words_with_anything_in_them_come_back_alike_in_both_forms(town: World, key: str) -> None:
    told = "a<b>&amp;\r\n]]>\x0b\ufffe“引号”\t🚒"
    number = sent(key, description=told)
    assert one(number)["description"] == "a<b>&amp;\n]]>\ufffd\ufffd“引号”\t🚒"


def test_nothing_of_a_held_message_is_shown(town: World, key: str) -> None:
    channel = catalogue.current().get(CHANNELS, "open311")
    reports.receive(channel, {"message": "m", "service_code": "?"}, by=town.triage, at=town.at)
    assert Quarantined.objects.count() == 1
    assert both("/requests") == []
