"""Officers, their posts, their passwords and the lock against guessing."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from anlan.kernel.text import Refusal
from anlan.ledger.events import history
from anlan.ledger.models import Event
from anlan.places import lock, officers
from anlan.places.models import Knock, Officer, Post
from anlan.places.record import subject_of
from anlan.places.scope import reach_of
from world import AT, World, world

GOOD = "lantern-harbour-42"


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def newcomer() -> Officer:
    return officers.create("xinren", name="新人", phone="13000000000", password=GOOD, by=None, at=AT)


def fail(times: int) -> None:
    for _ in range(times):
        with pytest.raises(Refusal):
            officers.sign_in("xinren", "wrong-wrong-wrong", at=AT)


def test_a_newcomer_signs_in_and_may_do_nothing_yet(newcomer: Officer) -> None:
    assert officers.sign_in(" XinRen ", GOOD, at=AT) == newcomer
    assert not reach_of(newcomer, at=AT).may("cases.see")


def test_nobody_signs_in_where_no_password_was_set() -> None:
    officers.create("aning", name="阿宁", by=None, at=AT)
    for password in ("", "!", GOOD):
        with pytest.raises(officers.WrongSignIn):
            officers.sign_in("aning", password, at=AT)


def test_a_wrong_name_and_a_wrong_password_read_the_same(newcomer: Officer) -> None:
    said = []
    for name in ("xinren", "nobody"):
        with pytest.raises(officers.WrongSignIn) as refused:
            officers.sign_in(name, "wrong-wrong-wrong", at=AT)
        said.append(refused.value.text)
    assert said[0] == said[1]


def test_machines_and_those_who_left_do_not_sign_in(newcomer: Officer) -> None:
    officers.create("robot", name="接口", is_machine=True, password=GOOD, by=None, at=AT)
    officers.change(newcomer, is_active=False, by=None, at=AT)
    for name in ("robot", "xinren"):
        with pytest.raises(officers.WrongSignIn):
            officers.sign_in(name, GOOD, at=AT)


def test_five_wrong_passwords_lock_the_name_for_fifteen_minutes(newcomer: Officer) -> None:
    fail(4)
    with pytest.raises(lock.Locked, match="15 分钟"):
        officers.sign_in("xinren", "wrong-wrong-wrong", at=AT)
    with pytest.raises(lock.Locked):
        officers.sign_in("xinren", GOOD, at=AT + timedelta(minutes=14, seconds=59))
    assert officers.sign_in("xinren", GOOD, at=AT + timedelta(minutes=15)) == newcomer


def test_a_name_that_nobody_has_locks_in_the_same_words(newcomer: Officer) -> None:
    said: dict[str, list[object]] = {"xinren": [], "nobody": []}
    for name, answers in said.items():
        for minutes in (0, 0, 0, 0, 0, 3, 14, 15):
            with pytest.raises(Refusal) as refused:
                officers.sign_in(name, "wrong-wrong-wrong", at=AT + timedelta(minutes=minutes))
            answers.append((type(refused.value), refused.value.text, refused.value.field))
    assert said["xinren"] == said["nobody"]
    assert [answer[0] is lock.Locked for answer in said["nobody"]] == [False] * 4 + [True] * 3 + [False]  # type: ignore[index]


def test_a_name_with_no_wrong_password_for_a_day_is_forgotten() -> None:
    for name in ("one", "two"):
        with pytest.raises(officers.WrongSignIn):
            officers.sign_in(name, "wrong-wrong-wrong", at=AT)
    with pytest.raises(officers.WrongSignIn):
        officers.sign_in("three", "wrong-wrong-wrong", at=AT + timedelta(days=1, minutes=1))
    assert Knock.objects.count() == 1


def test_a_right_password_begins_the_count_again(newcomer: Officer) -> None:
    fail(4)
    officers.sign_in("xinren", GOOD, at=AT)
    fail(4)
    assert officers.sign_in("xinren", GOOD, at=AT) == newcomer


def test_a_lock_is_written_in_the_ledger(newcomer: Officer) -> None:
    fail(5)
    assert [event.kind for event in history(subject_of(newcomer))] == ["officer.created", "officer.locked"]


@pytest.mark.parametrize(
    ("password", "why"),
    [("short-1", "10"), ("password123", "常见"), ("8461937502", "数字"), ("xinren1234", "太像")],
)
def test_a_weak_password_is_refused_with_the_reason(newcomer: Officer, password: str, why: str) -> None:
    with pytest.raises(officers.WeakPassword) as refused:
        officers.set_password(newcomer, password, by=newcomer, at=AT)
    assert why in refused.value.text.zh
    assert refused.value.field == "password"


def test_every_weakness_is_said_at_once(newcomer: Officer) -> None:
    with pytest.raises(officers.WeakPassword) as refused:
        officers.set_password(newcomer, "123456", by=newcomer, at=AT)
    assert refused.value.text.zh.count("；") == 2


def test_a_new_password_opens_a_locked_name(newcomer: Officer) -> None:
    fail(5)
    newcomer.refresh_from_db()
    officers.set_password(newcomer, "another-lantern-7", by=None, at=AT, must_change=True)
    assert officers.sign_in("xinren", "another-lantern-7", at=AT).must_change_password


def test_ones_own_password_changes_with_the_old_one_and_to_another(newcomer: Officer) -> None:
    with pytest.raises(officers.WrongSignIn):
        officers.change_own_password(newcomer, "not-the-old-one", "another-lantern-7", at=AT)
    with pytest.raises(officers.WeakPassword):
        officers.change_own_password(newcomer, GOOD, GOOD, at=AT)
    officers.change_own_password(newcomer, GOOD, "another-lantern-7", at=AT)
    assert officers.sign_in("xinren", "another-lantern-7", at=AT) == newcomer


@pytest.mark.parametrize("username", ["", "a", "有名", "a b", "../x", "x" * 61])
def test_a_user_name_nobody_could_type_is_refused(username: str) -> None:
    with pytest.raises(officers.OfficerRefused) as refused:
        officers.create(username, name="某", by=None, at=AT)
    assert refused.value.field == "username"


def test_a_user_name_is_given_once_whatever_its_case(newcomer: Officer) -> None:
    with pytest.raises(officers.OfficerRefused, match="xinren"):
        officers.create("XINREN", name="别人", by=None, at=AT)


def test_a_post_says_what_it_lacks(town: World) -> None:
    for role, field in (("handler", "department"), ("party", "party"), ("inspector", "department")):
        with pytest.raises(officers.OfficerRefused) as refused:
            officers.post(town.analyst, role, town.county, by=None, at=AT)
        assert refused.value.field == field
    with pytest.raises(officers.OfficerRefused) as refused:
        officers.post(town.analyst, "inspector", town.county, department=town.fire, by=None, at=AT)
    assert refused.value.field == "certificate_no"
    with pytest.raises(Refusal, match="dispatcher"):
        officers.post(town.analyst, "dispacher", town.county, by=None, at=AT)


def test_the_same_post_is_not_given_twice(town: World) -> None:
    with pytest.raises(officers.OfficerRefused) as refused:
        officers.post(town.dispatcher, "dispatcher", town.county, by=None, at=AT)
    assert refused.value.field == "role"


def test_a_post_taken_away_is_gone_the_same_day(town: World) -> None:
    officers.unpost(Post.objects.get(officer=town.dispatcher), by=town.administrator, at=AT)
    assert not town.reach(town.dispatcher).may("cases.see")


def test_a_renewed_certificate_lets_the_inspector_act_again(town: World) -> None:
    later = AT.replace(year=2031)
    assert not town.reach(town.inspector, at=later).may("cases.act")
    held = Post.objects.get(officer=town.inspector)
    officers.renew_certificate(held, number="ZF-0002", until=date(2035, 12, 31), by=town.administrator, at=later)
    assert town.reach(town.inspector, at=later).may("cases.act")


def test_no_event_holds_a_name_a_user_name_or_a_phone(town: World, newcomer: Officer) -> None:
    officers.change(newcomer, name="改名", phone="13111111111", by=town.administrator, at=AT)
    officers.post(newcomer, "triage", town.county, by=town.administrator, at=AT)
    told = json.dumps(list(Event.objects.filter(kind__startswith="officer.").values_list("data", flat=True)))
    told = told.encode().decode("unicode_escape")
    for officer in Officer.objects.all():
        assert officer.name not in told
        assert officer.username not in told.replace("party", "")
    assert "13000000000" not in told
    assert "13111111111" not in told
