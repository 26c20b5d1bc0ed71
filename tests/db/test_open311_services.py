"""Open311, what can be reported and where: discovery, services, their definitions, the point that is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.presentation import checks
from calling import Answer
from open311 import both, error, get
from world import World, world

TWO = """
key = "{key}"
title = {{ zh = "接口", en = "Endpoint" }}
jurisdiction_id = "{name}"
channel = "open311"
contact = {{ zh = "值班室", en = "The duty office" }}
key_service = {{ zh = "值班室", en = "The duty office" }}
"""


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def two(tmp_path: Path, town: World) -> object:
    """Two jurisdictions at one endpoint."""
    (tmp_path / "open311").mkdir()
    for key, name in (("default", "jia.example"), ("other", "yi.example")):
        (tmp_path / f"open311/{key}.toml").write_text(TWO.format(key=key, name=name), "utf-8")
    with catalogue.using([tmp_path]) as known:
        yield known


def test_discovery_says_where_it_is_and_what_it_speaks_in_both_forms(town: World) -> None:
    said = both("/discovery")
    assert set(said) == {"changeset", "contact", "key_service", "endpoints"}
    [endpoint] = said["endpoints"]
    assert endpoint == {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": "http://testserver/open311/v2",
        "changeset": said["changeset"],
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }


def test_every_topic_is_offered_but_the_sensitive_ones(town: World) -> None:
    topics = catalogue.current().all(TOPICS)
    said = {each["service_code"]: each for each in both("/services")}
    assert set(said) == {key for key, topic in topics.items() if not topic.sensitive}
    assert "dispute" not in said
    assert said["manhole"] == {
        "service_code": "manhole", "service_name": "窨井盖", "description": "缺失、破损、松动、沉降的井盖。",
        "metadata": True, "type": "realtime", "keywords": ", ".join(topics["manhole"].words.zh), "group": "市容环境",
    }  # fmt: skip
    assert said["parking"]["metadata"] is False


def test_the_words_are_english_for_whoever_asks_for_english(town: World) -> None:
    for query, headers in (({"lang": "en"}, {}), ({}, {"Accept-Language": "en-GB,en;q=0.8"})):
        answer = Answer(Client().get("/open311/v2/services.json", query, headers=headers))
        said = {each["service_code"]: each["service_name"] for each in answer.json}
        assert said["manhole"] == "Manhole covers"


def test_a_definition_asks_what_the_topic_declares(town: World) -> None:
    said = both("/services/gas_leak")
    assert said["service_code"] == "gas_leak"
    told, signs = said["attributes"]
    assert (told["variable"], told["required"], told["order"], told["values"]) == (False, False, 1, [])
    assert (signs["variable"], signs["datatype"], signs["order"]) == (True, "multivaluelist", 2)
    assert signs["values"][0] == {"key": "smell", "name": "有气味"}
    assert both("/services/parking") == {"service_code": "parking", "attributes": []}


def test_a_service_that_is_not_offered_is_not_there(town: World) -> None:
    for code in ("nothing", "dispute", "0", "'; DROP TABLE", "<script>", "𝄞" * 300):
        assert "service_code" in error(get(f"/services/{code}.xml"), 404)
        error(get(f"/services/{code}.json"), 404)


def test_slashes_too_many_and_an_ending_in_capitals_are_borne_with(town: World) -> None:
    for path in ("//services.xml", "/services.xml/", "/services.XML", "///services.json//", "/services//manhole.xml"):
        assert get(path).status == 200, path
    assert Answer(Client().get("/open311//v2//services.xml")).status == 200
    assert Answer(Client().get("/open311/discovery.json")).json == get("/discovery.json").json


def test_a_form_that_is_none_is_refused_and_an_address_that_is_none_is_not_there(town: World) -> None:
    for path in ("/services.csv", "/services", "/requests.html", "/requests/1", "/services.", "/discovery"):
        assert ".xml" in error(get(path), 400), path
    for path in ("/", "/nothing.xml", "/nothing", "/services/a/b.xml", "/x" * 200):
        error(get(path), 404)
    error(Answer(Client().get("/open311/v3/services.xml")), 404)


def test_a_method_that_is_none_is_refused(town: World) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        error(Answer(Client().generic(method, "/open311/v2/requests.xml")), 400)
    error(Answer(Client().post("/open311/v2/services.json")), 400)
    assert Client().head("/open311/v2/services.xml").status_code == 200


def test_where_there_is_one_jurisdiction_its_name_may_be_left_out(town: World) -> None:
    assert (
        both("/services") == both("/services", jurisdiction_id="") == both("/services", jurisdiction_id="any.example")
    )


def test_where_there_are_two_the_name_is_needed_and_must_be_one_of_theirs(two: object) -> None:
    assert "jurisdiction_id" in error(get("/services.xml"), 400)
    assert "jurisdiction_id" in error(get("/requests.json", jurisdiction_id=""), 400)
    assert "elsewhere" in error(get("/services.xml", jurisdiction_id="elsewhere"), 404)
    assert get("/services.xml", jurisdiction_id="JIA.example").status == 200
    assert get("/discovery.xml").status == 200


def test_a_point_is_here_or_it_is_not(town: World) -> None:
    inside = both("/location", lat="27.02", long="122.02")
    assert (inside["inside"], inside["area"]) == (True, "东一村, 东镇, 甲县")
    outside = both("/location", lat="1", long="1")
    assert (outside["inside"], outside["area"]) == (False, None)
    for query in (
        {},
        {"lat": "27"},
        {"lat": "0", "long": "0"},
        {"lat": "nan", "long": "1"},
        {"lat": "91", "long": "0"},
    ):
        error(get("/location.xml", **query), 400)


def test_a_page_of_another_site_may_read_what_is_public(town: World) -> None:
    assert get("/services.json").response["Access-Control-Allow-Origin"] == "*"


GOOD = """
key = "default"
title = { zh = "接口", en = "Endpoint" }
channel = "open311"
contact = { zh = "甲", en = "A" }
key_service = { zh = "乙", en = "B" }
"""
LIFT = """
key = "lift"
title = { zh = "电梯", en = "Lift" }
"""


@pytest.mark.parametrize(
    ("folder", "text", "field"),
    [
        ("open311", GOOD.replace("open311", "opne311"), "channel"),
        ("open311", GOOD + 'topics = ["dispute"]', "topics"),
        ("open311", GOOD + 'topics = ["no_such_topic"]', "topics"),
        ("open311", GOOD + 'also_shows = ["nobody"]', "also_shows"),
        ("open311", GOOD.replace('"default"', '"second"'), "jurisdiction_id"),
        ("open311", GOOD + 'jurisdiction_id = "a b"', "jurisdiction_id"),
        ("topics", LIFT + '[[questions]]\ncode = "a"\ntitle = { zh = "问", en = "Ask" }\ntype = "singlevaluelist"',
         "questions"),
        ("topics", LIFT + '[[questions]]\ncode = "a b"\ntitle = { zh = "问", en = "Ask" }', "questions"),
        ("topics", LIFT + '[[questions]]\ncode = "a"\ntitle = { zh = "问", en = "Ask" }\n' * 2, ""),
    ],
)  # fmt: skip
def test_what_is_misdeclared_is_told_in_both_languages(tmp_path: Path, folder: str, text: str, field: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "one.toml").write_text(text, "utf-8")
    with catalogue.using([tmp_path]) as known:
        found = checks.problems(known)
    assert any(problem.field.startswith(field) for problem in found), [problem.sentence.en for problem in found]
    assert all(problem.reason.zh != problem.reason.en for problem in found)


NONSENSE = (
    "a\x00b", "9" * 5000, "-1", "nan", "²", "0001-01-01", "9999-12-31T23:59:59-12:00", "2026-02-30", "\ud800", "🚒",
    "<script>alert(1)</script>", "'; DROP TABLE x; --", "a,b,,c", "true", "1e400", "%", "[", "x" * 3000,
)  # fmt: skip
NAMES = (
    "jurisdiction_id service_request_id service_code start_date end_date status page page_size extensions updated_after"
    " updated_before lat long lang api_key token"
).split()


@pytest.mark.parametrize("noun", ["discovery", "services", "requests", "location", "servicerequestupdates"])
def test_no_nonsense_in_any_word_breaks_anything(town: World, noun: str) -> None:
    for name in NAMES:
        for told in NONSENSE:
            answer = get(f"/{noun}.json", **{name: told.encode("utf-8", "surrogatepass")})
            if answer.status != 200:
                error(answer, answer.status)
                assert answer.status in (400, 404)


def test_no_nonsense_in_any_address_breaks_anything(town: World) -> None:
    for told in (
        "a%00b",
        "%ff",
        "%ED%A0%80",
        "9" * 3000,
        "%2e%2e%2f",
        "..",
        "%3Cscript%3E",
        "'",
        "%20",
        "%25",
        "[",
        "²",
    ):
        for path in ("services/{}.xml", "requests/{}.json", "tokens/{}.xml", "photos/{}/{}.jpg", "{}", "{}.xml"):
            answer = Answer(Client().get(f"/open311/v2/{path.replace('{}', told)}"))
            assert answer.status in (200, 400, 404), (path, told)
            if answer.status != 200 and answer.response["Content-Type"].startswith(("text/xml", "application/json")):
                error(answer, answer.status)
