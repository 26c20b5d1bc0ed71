"""A police call comes over the wire, signed; three people at three browsers see their push and answer it."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from anlan.intake import signing
from anlan.kernel.ids import new_id
from person import Person
from serving import eventually
from site_served import Site, Visit
from wiring import SCHEME, call

PEOPLE = {"scene_officer": "推送处警民警", "police_officer": "推送责任民警", "dispatcher": "推送综治平台"}


@pytest.fixture
def secret(site: Site) -> str:
    """The secret of the police system, registered by the command."""
    said = site.installation.anlan("clients", "add", f"police-{new_id().hex[-8:]}", "--channel", "police_calls",
                                   "--area", "330101").stdout  # fmt: skip
    found = re.search(r"/hooks/(\S+)\n.*Secret: (\S+)", said)
    assert found, said
    return f"{found[1]} {found[2]}"


def post(site: Site, secret: str, message: dict[str, Any]) -> Any:
    """What the served system answers to a signed call."""
    name, key = secret.split()
    body, timestamp, nonce = json.dumps(message).encode(), str(int(timezone.now().timestamp())), str(new_id())
    signed = signing.sign(key, SCHEME, timestamp=timestamp, nonce=nonce, body=body)
    headers = {SCHEME.timestamp: timestamp, SCHEME.nonce: nonce, SCHEME.header: signed}
    answer = httpx.post(f"{site.url}/hooks/{name}", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def look(person: Person, name: str) -> None:
    """A picture of the page for whoever wants to see it."""
    if folder := os.environ.get("ANLAN_PICTURES"):
        person.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_three_people_see_and_answer_the_pushes_of_one_call(site: Site, visit: Visit, secret: str) -> None:
    # Other tests may have let calls come to the same town.
    before = resolved(visit("dispatcher"))
    now = datetime.now(ZoneInfo("Asia/Shanghai")).isoformat()
    words = f"楼上漏水双方争吵 {new_id().hex[-6:]}"
    message = call(new_id().hex, callTime=now, brief=words)
    assert post(site, secret, message)["counts"] == {"received": 1}
    for who, title in PEOPLE.items():
        person = visit(who, width=390 if who == "scene_officer" else 1440)
        assert eventually(lambda person=person: came(person, words), seconds=40)  # type: ignore[misc]
        look(person, f"inbox-{who}")
        person.page.get_by_role("link", name=words).first.click()
        expect(person.page.locator("h1")).to_have_text(title)
        person.page.locator("textarea[name=text]").fill(f"{title}：已调解")
        person.page.get_by_label("已化解", exact=True).check()
        look(person, f"push-{who}")
        person.button("答复").click()
        expect(person.page.locator("main")).to_contain_text("已化解")
        person.go("/pushes/?state=answered")
        expect(person.page.locator("main")).to_contain_text("幸福里 3 幢 201")
        look(person, f"pushes-{who}")
    outsider = visit("outsider")
    outsider.go("/pushes/")
    expect(outsider.page.locator("main")).to_contain_text("没有等您答复的推送")
    dispatcher = visit("dispatcher")
    dispatcher.go("/calls/")
    dispatcher.page.locator("main [data-row] a.lead").first.click()
    panel = dispatcher.page.locator("section", has=dispatcher.page.locator("#case-pushes"))
    for title in PEOPLE.values():
        expect(panel).to_contain_text(f"{title}：已调解")
    look(dispatcher, "case")
    assert resolved(dispatcher) == before + 1
    look(dispatcher, "figures")


def resolved(person: Person) -> int:
    """How many calls the page of figures says were resolved: the share of the disputes, times the disputes."""
    person.go("/figures/calls/")
    told = person.page.locator("main").inner_text()
    found = re.search(r"(\d+) 起警情：纠纷占 ([\d.]+)%.*化解率 ([\d.]+)%", told)
    return round(int(found[1]) * float(found[2]) * float(found[3]) / 10_000) if found else 0


def came(person: Person, words: str) -> bool:
    person.go("/inbox/")
    return person.page.get_by_role("link", name=words).count() > 0


@pytest.mark.parametrize(("lang", "width"), [("zh", 1440), ("en", 390)])
def test_an_administrator_sees_what_came_and_what_is_told(
    site: Site, visit: Visit, secret: str, lang: str, width: int
) -> None:
    person = visit("administrator", lang=lang, width=width)
    name = secret.split(maxsplit=1)[0]
    person.go("/settings/clients/")
    expect(person.page.locator("main")).to_contain_text(name)
    look(person, f"clients-{lang}")
    person.go(f"/settings/clients/{name}/")
    expect(person.page.locator("main")).to_contain_text(f"/hooks/{name}")
    look(person, f"client-{lang}")
    person.go("/settings/subscribers/add/")
    person.page.locator("input[name=title]").fill("平台")
    person.page.locator("input[name=name]").fill(f"plat-{lang}-{new_id().hex[-6:]}")
    person.page.locator("input[name=url]").fill("https://platform.example/in")
    person.page.locator("select[name=feed]").select_option("provincial_progress")
    person.page.locator("select[name=area]").select_option("330101")
    look(person, f"subscriber-add-{lang}")
    person.page.locator("main form.form-a button[type=submit]").click()
    expect(person.page.locator(".secret")).to_be_visible()
    person.page.locator("main .form-acts a").click()
    expect(person.page.locator("main")).to_contain_text("https://platform.example/in")
    look(person, f"subscriber-{lang}")
