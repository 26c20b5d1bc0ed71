"""What is kept of places holds exactly as long as nobody changes them, by whatever way."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client

from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.ledger import personal
from anlan.places import areas, departments, holidays, officers, register, tokens, tree
from anlan.places.models import Area, Department, Duty, Holiday, Officer, Post, Token
from anlan.places.scope import reach_of
from world import World, world

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
KEPT: list[type[Model]] = [Area, Department, Officer, Post, Duty, Token, Holiday]


def stamp() -> str:
    return register.current().stamp


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def full(town: World) -> World:
    """A town that has a row in every table of which something is kept."""
    tokens.issue(town.dispatcher, "clients", ["cases.see"], at=AT)
    holidays.load("china", {date(2031, 1, 1): False}, "通知", by=None, at=AT)
    return town


def test_what_is_kept_is_made_once(town: World) -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(1)
        return made

    assert register.current().kept("what", make) is register.current().kept("what", make)
    assert made == [1]


def test_nothing_is_kept_of_what_is_not_there(town: World) -> None:
    asked: list[int] = []
    for _ in range(2):
        assert register.current().kept("nothing", lambda: asked.append(1)) is None
    assert asked == [1, 1]


def test_what_is_kept_has_an_end() -> None:
    known = register.Register("stamp", catalogue.current())
    first = known.kept(0, object)
    for number in range(1, register.MOST + 1):
        known.kept(number, object)
    assert known.kept(0, object) is not first


@pytest.mark.parametrize("model", KEPT, ids=lambda model: model.__name__)
def test_every_change_of_a_table_counts_even_one_by_hand(full: World, model: type[Model]) -> None:
    column = {Officer: "name", Area: "name_zh", Department: "name_zh", Token: "name", Holiday: "source", Post: "role"}
    statement = 'UPDATE "{}" SET "{}" = \'x\''.format(model._meta.db_table, column.get(model, "topic"))  # noqa: S608 - names of our models
    seen = {stamp()}
    with connection.cursor() as cursor:
        cursor.execute(statement)
    seen.add(stamp())
    row = model._default_manager.order_by("-pk").first()
    assert row is not None
    copy = {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
    copy |= {"id": 10**6, "username": "zz", "key": "zz", "digest": "zz", "path": "zz/", "date": date(2040, 1, 1)}
    model._default_manager.create(**{name: value for name, value in copy.items() if hasattr(row, name)})
    seen.add(stamp())
    model._default_manager.filter(pk=10**6).delete()
    seen.add(stamp())
    assert len(seen) == 4


def test_signing_in_and_failing_to_changes_nothing_that_is_kept(town: World) -> None:
    officers.set_password(town.handler, "correct horse battery", by=None, at=AT)
    before = stamp()
    with pytest.raises(officers.WrongSignIn):
        officers.sign_in(town.handler.username, "wrong horse battery", at=AT)
    officers.sign_in(town.handler.username, "correct horse battery", at=AT)
    personal.make("reporter", {"phone": "1"}, keep_until=AT.date(), at=AT).save()
    assert stamp() == before


def test_a_change_that_is_taken_back_is_as_if_it_had_never_been(town: World) -> None:
    before, reach = stamp(), reach_of(town.handler, at=AT)
    with transaction.atomic():
        Post.objects.filter(officer=town.handler).update(role="triage")
        assert reach_of(town.handler, at=AT).may("cases.see")
        assert stamp() != before
        transaction.set_rollback(True)
    assert stamp() == before
    assert reach_of(town.handler, at=AT).holds == reach.holds


def test_a_request_looks_once_and_sees_its_own_changes(town: World) -> None:
    with register.held():
        before = register.current()
        assert register.current() is before
        officers.change(town.handler, name="新名字", by=None, at=AT)
        found = officers.of(town.handler.pk)
        assert found is not None
        assert found.name == "新名字"
        assert register.current() is not before


def test_the_officer_of_a_request_is_an_instance_of_its_own(town: World) -> None:
    one, other = officers.of(town.handler.pk), officers.of(town.handler.pk)
    assert one == other
    assert one is not other
    assert officers.of(10**9) is None


def test_other_declarations_are_another_register(town: World) -> None:
    before = register.current()
    with catalogue.using([]):
        assert register.current() is not before


def test_whoever_is_dismissed_is_out_at_once(town: World, client: Client) -> None:
    client.force_login(town.handler)
    assert client.get("/inbox/").status_code == 200
    officers.change(town.handler, is_active=False, by=None, at=AT)
    assert client.get("/inbox/").status_code == 302


def test_a_token_revoked_opens_nothing_from_then_on(town: World) -> None:
    token, secret = tokens.issue(town.dispatcher, "clients", ["cases.see"], at=AT)
    assert tokens.read(secret, at=AT) is not None
    tokens.revoke(token, by=None, at=AT)
    assert tokens.read(secret, at=AT) is None


def test_names_follow_at_once(town: World) -> None:
    day = AT.date()
    assert tree.of_day(town.grid.code, day) is not None
    areas.rename(town.grid, Text(zh="新网格", en="New grid"), day=day, by=None, at=AT)
    after = tree.of_day(town.grid.code, day)
    assert after is not None
    assert after.name_zh == "新网格"


def test_a_retired_department_is_no_choice_from_then_on(town: World) -> None:
    known = register.current().rows(Department.objects.all(), [town.market.pk])
    assert known[town.market.pk].is_active
    departments.retire(town.market, by=None, at=AT)
    assert not register.current().rows(Department.objects.all(), [town.market.pk])[town.market.pk].is_active
