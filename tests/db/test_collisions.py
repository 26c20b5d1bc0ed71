"""Two transactions of which the database lets only one go on: the other's person is told so, and no page fails."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from anlan.casework import cases
from anlan.casework.cases import Opening
from anlan.casework.models import Case
from anlan.presentation.web.frame import LANGUAGE_COOKIE
from world import World, world

SAID = {"zh": "别人在同一时刻", "en": "Somebody else did something at the same moment"}


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def case(town: World) -> Case:
    opening = Opening(procedure="incident", area=town.grid, title="楼道堆物", topic="fire_exit")
    return cases.open_case(opening, by=town.grid_worker, at=town.at)


# SQLite has one writer, who never has to give way.
if connection.vendor == "postgresql":

    @pytest.fixture(params=["40P01", "40001"])
    def given_way(request: pytest.FixtureRequest, case: Case) -> None:
        """Whoever changes a case from now on has to give way, as after a deadlock or a serialization failure."""
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION gives_way() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION 'given way' USING ERRCODE = '{request.param}'; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER gives_way BEFORE UPDATE ON casework_case FOR EACH ROW EXECUTE FUNCTION gives_way()"
            )

    @pytest.mark.usefixtures("given_way")
    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_who_had_to_give_way_on_a_page_is_asked_to_try_again(town: World, case: Case, language: str) -> None:
        client = Client()
        client.force_login(town.triage)
        client.cookies[LANGUAGE_COOKIE] = language
        answer = client.post(reverse("case_act", args=[case.number, "register"]), {"rev": str(case.rev), "key": "one"})
        assert answer.status_code == 409
        assert SAID[language] in answer.content.decode()

    @pytest.mark.usefixtures("given_way")
    def test_who_had_to_give_way_by_the_api_is_asked_to_try_again_in_both_languages(town: World, case: Case) -> None:
        client = Client()
        client.force_login(town.triage)
        address = f"/api/v1/cases/{case.pk}/acts"
        answer = client.post(address, {"act": "register", "data": {}}, content_type="application/json")
        assert answer.status_code == 409, answer.content
        assert all(words in answer.json()["error"][language] for language, words in SAID.items())
