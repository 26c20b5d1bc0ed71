"""The door: signing in and out, the lock, passwords and the language."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from anlan.ledger.models import Event
from anlan.places import officers
from anlan.places.models import Officer
from anlan.presentation.web.frame import LANGUAGE_COOKIE
from world import AT, World, world

GOOD = "calm-water-2026"


@pytest.fixture
def town() -> World:
    made = world()
    officers.set_password(made.dispatcher, GOOD, by=None, at=AT)
    return made


def knock(client: Client, officer: Officer, password: str, **more: str) -> Any:
    return client.post(reverse("sign_in"), {"username": officer.username, "password": password, **more})


def test_the_right_password_opens_the_page_that_was_asked_for(town: World) -> None:
    client = Client()
    asked = client.get(reverse("sites"))
    door = client.get(asked.headers["Location"])
    answer = knock(client, town.dispatcher, GOOD, next=door.context["form"].hidden["next"])
    assert answer.headers["Location"] == reverse("sites")
    assert client.get(reverse("sites")).status_code == 200


def test_signing_in_never_leads_to_another_site(town: World) -> None:
    for target in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        answer = knock(Client(), town.dispatcher, GOOD, next=target)
        assert answer.headers["Location"] == reverse("home")


def test_a_wrong_password_and_a_wrong_name_are_told_in_the_same_words(town: World) -> None:
    wrong = knock(Client(), town.dispatcher, "not-this-one")
    nobody = Client().post(reverse("sign_in"), {"username": "nobody", "password": "not-this-one"})
    assert wrong.status_code == nobody.status_code == 422
    assert "用户名或密码不对" in wrong.content.decode()
    assert "用户名或密码不对" in nobody.content.decode()
    assert "not-this-one" not in wrong.content.decode()


def test_five_wrong_passwords_lock_the_name_and_the_sentence_says_for_how_long(town: World) -> None:
    client = Client()
    for _ in range(5):
        answer = knock(client, town.dispatcher, "not-this-one")
    assert "15 分钟" in answer.content.decode()
    assert "已锁定" in knock(client, town.dispatcher, GOOD).content.decode()
    client.cookies[LANGUAGE_COOKIE] = "en"
    assert "15 minutes" in knock(client, town.dispatcher, GOOD).content.decode()


def test_signing_in_gives_the_session_a_new_name(town: World) -> None:
    client = Client()
    client.get(reverse("sign_in"))
    session = client.session
    session["kept"] = 1
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before or ""
    knock(client, town.dispatcher, GOOD)
    assert client.cookies["sessionid"].value != before


def test_signing_in_is_written_in_the_ledger_without_the_name(town: World) -> None:
    knock(Client(), town.dispatcher, GOOD)
    event = Event.objects.filter(kind="officer.signed_in").latest("seq")
    assert event.by == town.dispatcher.pk
    assert town.dispatcher.username not in str(event.data)


def test_signing_out_needs_a_post_and_ends_the_session(town: World) -> None:
    client = Client()
    knock(client, town.dispatcher, GOOD)
    assert client.get(reverse("sign_out")).status_code == 405
    client.post(reverse("sign_out"))
    assert client.get(reverse("me")).status_code == 302


def test_a_form_from_elsewhere_is_refused_in_words(town: World) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = knock(client, town.dispatcher, GOOD)
    assert answer.status_code == 403
    assert "页面已过期" in answer.content.decode()


def test_who_must_change_the_password_can_do_nothing_else_first(town: World) -> None:
    officers.set_password(town.dispatcher, GOOD, by=None, at=AT, must_change=True)
    client = Client()
    assert knock(client, town.dispatcher, GOOD).headers["Location"] == reverse("password")
    assert client.get(reverse("sites")).headers["Location"] == reverse("password")
    new = "quiet-lake-2026"
    answer = client.post(reverse("password"), {"old": GOOD, "new": new, "again": new})
    assert answer.headers["Location"] == reverse("home")
    assert client.get(reverse("sites")).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("not-this-one", "quiet-lake-2026", "quiet-lake-2026", "原密码不对"),
        (GOOD, "quiet-lake-2026", "quiet-lake-2027", "两次输入的新密码不一样"),
        (GOOD, GOOD, GOOD, "新密码不能和原密码一样"),
        (GOOD, "short", "short", "密码至少要 10 位"),
        (GOOD, "83649203847561", "83649203847561", "密码不能全是数字"),
        (GOOD, "", "", "请填写这一项"),
    ],
)
def test_a_password_change_says_what_is_wrong(town: World, old: str, new: str, again: str, words: str) -> None:
    client = Client()
    client.force_login(town.dispatcher)
    answer = client.post(reverse("password"), {"old": old, "new": new, "again": again})
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_changing_the_password_ends_the_other_sessions(town: World) -> None:
    here, elsewhere = Client(), Client()
    knock(here, town.dispatcher, GOOD)
    knock(elsewhere, town.dispatcher, GOOD)
    here.post(reverse("password"), {"old": GOOD, "new": "quiet-lake-2026", "again": "quiet-lake-2026"})
    assert here.get(reverse("me")).status_code == 200
    assert elsewhere.get(reverse("me")).status_code == 302


def test_the_language_stays_where_it_was_chosen_and_with_the_person(town: World) -> None:
    client = Client()
    knock(client, town.dispatcher, GOOD)
    answer = client.post(reverse("language"), {"lang": "en", "next": reverse("me")})
    assert answer.headers["Location"] == reverse("me")
    assert "My posts" in client.get(reverse("me")).content.decode()
    town.dispatcher.refresh_from_db()
    assert town.dispatcher.language == "en"
    elsewhere = Client()
    knock(elsewhere, town.dispatcher, GOOD)
    assert "My posts" in elsewhere.get(reverse("me")).content.decode()


def test_nonsense_as_a_language_changes_nothing() -> None:
    answer = Client().post(reverse("language"), {"lang": "xx", "next": "/sign-in/"})
    assert LANGUAGE_COOKIE not in answer.cookies
