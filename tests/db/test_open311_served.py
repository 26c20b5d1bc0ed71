"""Open311 on a server that really runs, spoken to by clients that others wrote: they work without a change."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from georeport import GeoReport

import definitions
from installation import Installations
from open311 import BASE, HERE, spark
from resident import picture
from serving import served
from settled import Town, settle


@pytest.fixture(scope="module")
def site(installations: Installations) -> Iterator[tuple[str, Town]]:
    """The address of the endpoint, and the town behind it."""
    installation = installations.make()
    town = settle(installation)
    with served(installation, "--no-work") as server:
        yield f"{server.url}{BASE}", town
    installations.remove(installation)


def sent(site: tuple[str, Town], form: str = "json", **told: Any) -> str:
    """A request sent as FixMyStreet sends it: a form, the key in it."""
    url, town = site
    given = {
        "jurisdiction_id": "anywhere.example", "api_key": town.secrets["grid_worker"], "service_code": "manhole",
        "description": "title: 井盖\n\ndetail: 松动", **HERE, "first_name": "A", "last_name": "B",
        "email": "a@example.org", "attribute[easting]": "1", "attribute[state]": "loose", "deviceid": "FMS", **told,
    }  # fmt: skip
    answer = httpx.post(f"{url}/requests.{form}", data=given)
    assert answer.status_code == 200, answer.text
    said = answer.json() if form == "json" else spark(ET.fromstring(answer.content))
    return str(said[0]["service_request_id"])


@pytest.mark.parametrize("form", ["json", "xml"])
def test_georeport_reads_everything(site: tuple[str, Town], form: str) -> None:
    numbers = {sent(site, description=f"{form} {number}") for number in range(2)}
    client = GeoReport(site[0] + "/", jurisdiction="anywhere.example", output_format=form)
    services = {each["service_code"]: each for each in client.get_service_list()}
    assert services["manhole"]["metadata"] in (True, "true")
    definition = client.get_service_definition("manhole")
    assert definition["service_code"] == "manhole"
    found = client.get_service_requests(service_code="manhole", status="open")
    assert numbers <= {each["service_request_id"] for each in found}
    some = client.get_service_requests(service_request_id=",".join(numbers))
    assert {each["service_request_id"] for each in some} == numbers
    one = client.get_service_request(numbers.pop())
    assert (one["status"], one["service_name"]) == ("open", "窨井盖")
    if form == "json":
        definitions.check("/services", list(services.values()))
        definitions.check("/services/", definition)
        definitions.check("/requests", found)


def test_a_client_that_speaks_xml_alone_sends_and_follows(site: tuple[str, Town]) -> None:
    url, town = site
    number = sent(site, "xml")
    listed = ET.fromstring(httpx.get(f"{url}//requests.xml").content)
    assert number in {each.findtext("service_request_id") for each in listed.iter("request")}
    assert all(each.findtext("lat") and each.findtext("long") for each in listed.iter("request"))
    update = {
        "jurisdiction_id": "anywhere.example", "api_key": town.secrets["grid_worker"], "service_request_id": number,
        "update_id": "77", "status": "OPEN", "description": "更新", "updated_datetime": "2026-03-06T10:00:00Z",
        "email": "a@example.org", "first_name": "A", "last_name": "B",
    }  # fmt: skip
    answer = httpx.post(f"{url}/servicerequestupdates.xml", data=update)
    assert answer.status_code == 200, answer.text
    assert ET.fromstring(answer.content).findtext("request_update/update_id")
    told = ET.fromstring(httpx.get(f"{url}/servicerequestupdates.xml").content)
    assert {each.findtext("service_request_id") for each in told} >= {number}
    assert all(each.findtext("update_id") for each in told)


def test_a_client_that_sends_photos_in_a_form_of_many_parts(site: tuple[str, Town]) -> None:
    url, town = site
    for name in ("media", "photo1"):
        answer = httpx.post(
            f"{url}/requests.json",
            data={"api_key": town.secrets["grid_worker"], "service_code": "parking", "description": name, **HERE},
            files={name: ("a.jpg", picture().read(), "image/jpeg")},
        )
        assert answer.status_code == 200, answer.text
        assert set(answer.json()[0]) == {"service_request_id", "service_notice", "account_id"}


def test_the_same_sent_many_times_at_one_moment_is_one_request(site: tuple[str, Town]) -> None:
    url, town = site
    told = {"api_key": town.secrets["grid_worker"], "service_code": "parking", "description": "同一时刻", **HERE}
    photo = picture().read()

    def send(_: int) -> str:
        answer = httpx.post(f"{url}/requests.json", data=told, files={"media": ("a.jpg", photo)}, timeout=60)
        assert answer.status_code == 200, answer.text
        return str(answer.json()[0]["service_request_id"])

    with ThreadPoolExecutor(8) as pool:
        [number] = set(pool.map(send, range(8)))
    headers = town.bearer("triage")
    root = url.removesuffix(BASE)
    listed = httpx.get(f"{root}/api/v1/reports", params={"channel": "open311"}, headers=headers).json()["items"]
    [report] = [row for row in listed if row["description"] == "同一时刻"]
    whole = httpx.get(f"{root}/api/v1/reports/{report['id']}", headers=headers).json()
    assert (len(whole["photos"]), len(whole["cases"])) == (1, 1)
    assert number


def test_errors_come_over_the_wire_as_the_standard_writes_them(site: tuple[str, Town]) -> None:
    url, town = site
    key = town.secrets["grid_worker"]
    asked = (
        (httpx.post(f"{url}/requests.xml", data={"service_code": "manhole", **HERE}), 403),
        (httpx.post(f"{url}/requests.xml", data={"api_key": key, "service_code": "x", **HERE}), 404),
        (httpx.post(f"{url}/requests.xml", data={"api_key": key, "service_code": "manhole"}), 400),
        (httpx.get(f"{url}/requests/1.xml"), 404),
        (httpx.get(f"{url}/tokens/1.xml"), 404),
        (httpx.get(f"{url}/requests.xml?start_date=1900-01-01&end_date=2026-01-01"), 400),
        (httpx.get(f"{url}/services.pdf"), 400),
    )
    for answer, status in asked:
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        assert ET.fromstring(answer.content).findtext("error/code") == str(status)
