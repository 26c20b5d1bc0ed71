"""Nobody hands on, or takes up, more than is theirs: the matrix of who may give what to whom, by API and desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from anlan.kernel import catalogue
from anlan.places import officers
from anlan.places.models import Officer, Post, Token
from anlan.places.role import all_roles
from asking import undone
from calling import Answer, Caller, token_of
from desk import at_desk
from world import FOUNDED, World, world

CERTIFICATE = {"certificate_no": "ZF-9", "certificate_until": "2030-12-31"}


@pytest.fixture
def town() -> World:
    return world()


def system(town: World, name: str, area: str) -> Officer:
    made = officers.create(name, name="系统", is_machine=True, by=None, at=town.at)
    officers.post(made, "grid_worker", getattr(town, area), valid_from=FOUNDED, by=None, at=town.at)
    return made


# Whom a token is for -> what the administrator of the county is answered when issuing it.
TOKENS = {
    "oneself": 201, "a system of ours": 201, "a colleague": 403, "another administrator": 403,
    "a system of the neighbours": 404, "somebody of the neighbours": 404,
}  # fmt: skip


@pytest.fixture
def whom(town: World) -> dict[str, Officer]:
    second = officers.create("second", name="副管", by=None, at=town.at)
    officers.post(second, "administrator", town.county, by=None, at=town.at)
    return {
        "oneself": town.administrator,
        "a system of ours": system(town, "ours", "county"),
        "a colleague": town.triage,
        "another administrator": second,
        "a system of the neighbours": system(town, "theirs", "neighbour"),
        "somebody of the neighbours": town.outsider,
    }


def test_a_token_is_issued_to_oneself_or_to_a_system_and_never_in_anothers_name(
    town: World, whom: dict[str, Officer]
) -> None:
    assert set(whom) == set(TOKENS)
    found = {}
    for name, officer in whom.items():
        with undone():
            body = {"officer": officer.pk, "name": "x", "actions": ["cases.see"]}
            found[name] = Caller(town.administrator).post("/tokens", body).status
    assert found == TOKENS


def test_the_desk_issues_the_same_tokens_as_the_api(town: World, whom: dict[str, Officer]) -> None:
    for name, officer in whom.items():
        with undone():
            answers = {"name": "x", "officer": officer.username, "actions": ["cases.see"], "until": ""}
            answer = Answer(at_desk(town.administrator).post(reverse("token_issue"), answers))
            assert (answer.status == 200) == Token.objects.filter(officer=officer).exists() == (TOKENS[name] == 201)


def test_nobody_gives_themselves_a_post_of_any_role(town: World) -> None:
    me, before = town.administrator, Post.objects.count()
    for key, role in all_roles().items():
        more: dict[str, Any] = dict(CERTIFICATE if role.certified else {})
        more |= {"department": "housing"} if role.reach == "department" else {}
        more |= {"party": town.party.pk} if role.reach == "party" else {}
        body = {"officer": me.pk, "role": key, "area": town.county.code} | more
        assert Caller(me).post("/posts", body).status == 403, key
        asked = {"role": key, "area": town.county.code, "valid_from": "2026-03-06"} | more
        assert Answer(at_desk(me).post(reverse("post_add", args=[me.pk]), asked)).status == 422, key
        with undone():
            given = Caller(me).post("/posts", body | {"officer": town.volunteer.pk})
            assert given.status == 201, (key, given)
    assert Post.objects.count() == before


def test_nobody_renews_their_own_certificate_or_resets_their_own_password(town: World) -> None:
    officers.post(town.inspector, "administrator", town.county, by=None, at=town.at)
    me = Caller(town.inspector)
    held = Post.objects.get(officer=town.inspector, role="inspector")
    renewal = {"number": "ZF-2", "until": "2035-12-31"}
    assert me.post(f"/posts/{held.pk}/certificate", renewal).status == 403
    assert Caller(town.administrator).post(f"/posts/{held.pk}/certificate", renewal).status == 200
    password = {"password": "quiet-lake-2026"}
    assert me.post(f"/officers/{town.inspector.pk}/password", password).status == 403
    desk = at_desk(town.inspector)
    assert desk.post(reverse("officer_password", args=[town.inspector.pk])).status_code == 403
    shown = desk.get(reverse("officer", args=[town.inspector.pk])).content.decode()
    assert reverse("post_add", args=[town.inspector.pk]) not in shown
    assert reverse("officer_password", args=[town.inspector.pk]) not in shown


def test_a_reset_password_is_changed_before_anything_else_is_done(town: World) -> None:
    answer = Caller(town.administrator).post(f"/officers/{town.triage.pk}/password", {"password": "quiet-lake-2026"})
    assert answer.status == 200
    town.triage.refresh_from_db()
    assert Caller(town.triage).get("/cases").status == 403
    assert at_desk(town.triage).get(reverse("cases")).headers["Location"] == reverse("password")


def test_who_will_hold_a_post_further_up_is_not_taken_over_meanwhile(town: World) -> None:
    officers.post(
        town.triage, "triage", town.neighbour, valid_from=town.at.date().replace(year=2099), by=None, at=town.at
    )
    body = {"password": "quiet-lake-2026"}
    assert Caller(town.administrator).post(f"/officers/{town.triage.pk}/password", body).error["field"] == "officer"
    desk = at_desk(town.administrator)
    assert desk.post(reverse("officer_password", args=[town.triage.pk])).status_code == 404


CLERK = """
key = "clerk"
title = { zh = "人事员", en = "Staff clerk" }
summary = { zh = "管人员，不管别的", en = "Keeps the people and nothing else" }
reach = "area"
actions = ["officers.see", "officers.edit", "tokens.edit"]
"""


@contextmanager
def with_a_clerk(folder: Path) -> Iterator[None]:
    (folder / "mine/roles").mkdir(parents=True)
    (folder / "mine/roles/clerk.toml").write_text(CLERK, encoding="utf-8")
    with catalogue.using([folder / "mine"]):
        yield


def test_who_may_not_administer_something_makes_nobody_who_may(tmp_path: Path) -> None:
    with with_a_clerk(tmp_path):
        town = world_with_clerk()
        clerk = Officer.objects.get(username="clerk")
        given = {role: _give(clerk, town, role) for role in ("triage", "clerk", "administrator")}
        assert given == {"triage": (201, 302), "clerk": (201, 302), "administrator": (403, 422)}
        ours = system(town, "ours", "county")
        body = {"officer": ours.pk, "name": "x", "actions": ["areas.edit"]}
        assert Caller(clerk).post("/tokens", body).status == 403
        assert Caller(clerk).post("/tokens", body | {"actions": ["cases.see"]}).status == 201


def world_with_clerk() -> World:
    """The town without its cast by role, for a role that it does not know."""
    town = world()
    clerk = officers.create("clerk", name="人事", by=None, at=town.at)
    officers.post(clerk, "clerk", town.county, by=None, at=town.at)
    return town


def _give(clerk: Officer, town: World, role: str) -> tuple[int, int]:
    with undone():
        body = {"officer": town.volunteer.pk, "role": role, "area": town.county.code}
        by_api = Caller(clerk).post("/posts", body).status
    with undone():
        asked = {"role": role, "area": town.county.code, "valid_from": "2026-03-06"}
        by_desk = Answer(at_desk(clerk).post(reverse("post_add", args=[town.volunteer.pk]), asked)).status
    return by_api, by_desk


def test_a_token_that_keeps_people_makes_nobody_an_administrator(town: World) -> None:
    narrow = Caller(token=token_of(town.administrator, ["officers.edit", "officers.see"]))
    body = {"officer": town.volunteer.pk, "area": town.county.code}
    assert narrow.post("/posts", body | {"role": "administrator"}).status == 403
    assert narrow.post("/posts", body | {"role": "triage"}).status == 201
