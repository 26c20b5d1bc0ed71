"""The frame of the desk: who may open what, what a refusal looks like, and what every page promises."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from anlan.kernel.text import Refusal
from anlan.places.models import Officer
from anlan.places.role import ACTIONS, all_roles
from anlan.presentation.permissions import PUBLIC, SIGNED_IN, WEB, NotFound, NotPermitted
from anlan.presentation.web import errors
from anlan.presentation.web.frame import BAR, MENU
from world import World, world

TEMPLATES = Path(errors.__file__).parents[1] / "templates"
PLAIN = ["home", "me", "password", "search", "sites", "areas", "settings", "responsible", "calendar", "declared"]


@pytest.fixture
def town() -> World:
    return world()


def at_desk(officer: Officer, language: str = "zh") -> Client:
    client = Client()
    client.force_login(officer)
    client.cookies["lang"] = language
    return client


def patterns(found: list[URLPattern | URLResolver] | None = None) -> Iterator[URLPattern]:
    """Every address of the desk, those of the API apart (they have a table of their own)."""
    for each in get_resolver().url_patterns if found is None else found:
        if isinstance(each, URLPattern):
            yield each
        elif not each.namespace:
            yield from patterns(each.url_patterns)


def test_every_address_stands_in_the_permission_table_and_asks_what_the_table_says() -> None:
    said = {str(each.name): getattr(each.callback, "needs", None) for each in patterns()}
    assert said == {name: action for name, action in WEB.items() if name in said}
    assert set(WEB) <= set(said)


def test_the_table_asks_only_for_actions_that_exist() -> None:
    assert set(WEB.values()) <= {*ACTIONS, PUBLIC, SIGNED_IN}


def test_every_page_sends_a_stranger_to_the_door() -> None:
    for each in patterns():
        if WEB[str(each.name)] != PUBLIC and not each.pattern.converters:
            address = reverse(str(each.name))
            answer = Client().get(address)
            assert (answer.status_code, answer.headers.get("Location", "").split("?")[0]) in {
                (302, reverse("sign_in")),
                (405, ""),
            }, address


def test_an_officer_without_the_action_is_told_so_in_words(town: World) -> None:
    answer = at_desk(town.grid_worker).get(reverse("officers"))
    assert answer.status_code == 403
    assert "您的岗位没有这项权限" in answer.content.decode()


def test_an_officer_without_any_post_sees_the_door_of_nothing_but_their_own_page(town: World) -> None:
    nobody = Officer.objects.create_user("nobody", "x", name="无岗")
    client = at_desk(nobody)
    assert client.get(reverse("sites")).status_code == 403
    assert "您还没有岗位" in client.get(reverse("me")).content.decode()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", PLAIN)
def test_the_plain_pages_open_in_both_languages(town: World, name: str, language: str) -> None:
    answer = at_desk(town.administrator, language).get(reverse(name), follow=True)
    assert answer.status_code == 200
    words = answer.content.decode()
    assert f'lang="{"en" if language == "en" else "zh-CN"}"' in words
    assert not re.search(r"\b(None|null|True|False)\b", re.sub(r"<[^>]+>", " ", words))


def test_no_menu_has_more_than_seven_words_nor_a_bar_more_than_four(town: World) -> None:
    assert len(MENU) <= 7
    assert len(BAR) >= 4
    for officer in town.cast().values():
        context = at_desk(officer).get(reverse("me")).context
        assert len(context["menu"]) <= 7
        assert 1 <= len(context["bar"]) <= 4


def test_every_page_forbids_what_is_not_our_own(town: World) -> None:
    headers = at_desk(town.dispatcher).get(reverse("me")).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_no_template_holds_a_script_or_a_style_of_its_own() -> None:
    for path in sorted(TEMPLATES.rglob("*.html")):
        words = path.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]* src=)[^>]*>", words), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", words), path
        assert not re.search(r"(src|href)=\"(https?:)?//", words), path


def test_no_template_says_a_sentence_in_one_language_only() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    for path in sorted(TEMPLATES.rglob("*.html")):
        words = re.sub(r"{%.*?%}|{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        alone = [line for line in words.splitlines() if han.search(line) and "lang=" not in line]
        assert [line for line in alone if path.name not in {"error_plain.html", "sign.html"}] == [], path


def test_what_does_not_exist_and_what_lies_outside_look_the_same(town: World) -> None:
    client = at_desk(town.outsider)
    there, nowhere = client.get(reverse("site", args=["house1"])), client.get(reverse("site", args=["nothing"]))
    assert there.status_code == nowhere.status_code == 404
    changing = re.compile(r"[\w-]{64}|/sites/\w+/|%2Fsites%2F\w+%2F|to=/sites/\w+/")
    assert changing.sub("", there.content.decode()) == changing.sub("", nowhere.content.decode())


def test_an_unknown_address_says_what_to_do_in_both_languages(town: World) -> None:
    words = at_desk(town.dispatcher).get("/nowhere/").content.decode()
    assert "地址可能写错了" in words
    assert "The address may be wrong" in words


def test_refusals_have_the_status_of_what_they_say() -> None:
    class Stale(Refusal):
        pass

    class Ours(Refusal):
        status = 410

    assert errors.status_of(Refusal("不", "no")) == 422
    assert errors.status_of(Stale("不", "no")) == 409
    assert errors.status_of(Ours("不", "no")) == 410
    assert errors.status_of(NotFound()) == 404
    assert errors.status_of(NotPermitted()) == 403


def test_a_refusal_inside_a_page_comes_as_a_fragment(town: World) -> None:
    client = at_desk(town.grid_worker)
    words = client.get(reverse("officers"), headers={"HX-Request": "true"}).content.decode()
    assert "您的岗位没有这项权限" in words
    assert "<html" not in words


def test_the_page_of_a_failure_needs_neither_database_nor_session() -> None:
    request = RequestFactory().get("/")
    for answer in (errors.server_error(request), errors.bad_request(request), errors.csrf_failed(request)):
        words = answer.content.decode()
        assert answer.status_code >= 400
        assert 'lang="en"' in words
        assert "Traceback" not in words


def test_a_page_can_be_opened_in_a_drawer(town: World) -> None:
    client = at_desk(town.dispatcher)
    words = client.get(reverse("site", args=["house1"]), headers={"HX-Request": "true", "HX-Target": "drawer-body"})
    assert "<html" not in words.content.decode()
    assert 'data-title="东一村出租房"' in words.content.decode()


def test_the_area_switch_offers_only_what_lies_within_reach(town: World) -> None:
    words = at_desk(town.grid_worker).get(reverse("area_switch"), {"to": "/sites/"}).content.decode()
    assert "邻县" not in words
    assert "甲县" not in words
    assert f"/sites/?area={town.grid.code}" in words


def test_the_area_switch_never_leads_away_from_the_site(town: World) -> None:
    words = at_desk(town.dispatcher).get(reverse("area_switch"), {"to": "//evil.example/"}).content.decode()
    assert "evil" not in words


def test_search_finds_what_is_within_reach_and_nothing_else(town: World) -> None:
    mine = at_desk(town.dispatcher).get(reverse("search"), {"q": "出租房"}).content.decode()
    assert "东一村出租房" in mine
    assert "邻村出租房" not in mine
    theirs = at_desk(town.outsider).get(reverse("search"), {"q": "东一村"}).content.decode()
    assert reverse("site", args=["house1"]) not in theirs


def test_suggestions_stay_within_reach(town: World) -> None:
    client = at_desk(town.administrator)
    asked = {"action": "areas.edit", "parent": "村"}
    assert "东一村" in client.get(reverse("suggest", args=["area"]), asked).content.decode()
    assert "邻村" not in client.get(reverse("suggest", args=["area"]), asked).content.decode()
    grid = at_desk(town.grid_worker).get(reverse("suggest", args=["area"]), asked).content.decode()
    assert "option" not in grid
    assert client.get(reverse("suggest", args=["nonsense"]), {"action": "no.such", "x": "y"}).status_code == 200


def test_what_is_suggested_is_what_a_form_of_ones_own_asks_for(town: World) -> None:
    for officer in (town.landlord, town.handler, town.grid_worker, town.inspector):
        client = at_desk(officer)
        for kind, action in itertools.product(("officer", "department", "party"), ACTIONS):
            if (officer, kind, action) != (town.inspector, "party", "sites.edit"):
                asked = client.get(reverse("suggest", args=[kind]), {"action": action, "x": "a"})
                assert "option" not in asked.content.decode(), (officer.name, kind, action)


def test_an_area_out_of_reach_is_named_on_no_page(town: World) -> None:
    for name in ("inbox", "cases", "triage", "sites", "areas", "search", "statistics", "board"):
        said = at_desk(town.dispatcher).get(reverse(name), {"area": town.neighbour.code}, follow=True)
        assert "邻县" not in said.content.decode(), name
        assert said.status_code == (404 if name in ("statistics", "board") else 200)


def test_every_role_can_open_its_first_page(town: World) -> None:
    assert set(town.cast()) == set(all_roles())
    for officer in town.cast().values():
        assert at_desk(officer).get(reverse("home"), follow=True).status_code == 200, officer.username
