"""The page of what was passed on: what waits for a person is seen, and decided by whoever may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from anlan.casework.models import Case, Forward
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from calling import opened
from desk import at_desk, text
from world import World, world

WATER = """
key = "water"
title = { zh = "自来水公司", en = "The water company" }
endpoint = "http://127.0.0.1:9/v2"
key_env = "ANLAN_KEY_WATER"
topics = { manhole = "cover" }
officer = "water_system"
"""


@pytest.fixture
def town() -> World:
    return world()


def passed_on(case: Case, state: str = "unclear", **more: Any) -> Forward:
    at = timezone.now()
    given = {"target": "water", "reference": new_id().hex[-8:].upper(), "made_at": at, "changed_at": at, **more}
    return Forward.objects.create(id=new_id(), case=case, state=state, **given)


def test_what_waits_for_a_person_stands_out_in_both_languages(town: World) -> None:
    passed_on(opened(town), trouble_zh="已发出，不知道对方收下没有", trouble_en="whether it was taken is not known")
    passed_on(opened(town), "closed", number="对方-77")
    for lang, words in (("zh", "有 1 件等人处理"), ("en", "1 waiting for somebody")):
        client = at_desk(town.triage)
        client.cookies["lang"] = lang
        shown = text(client.get(reverse("forwards")))
        assert words in shown
        assert ("不知道对方收下没有" if lang == "zh" else "is not known") in shown
        assert "对方-77" not in shown
    assert "对方-77" in text(at_desk(town.triage).get(reverse("forwards"), {"state": "closed"}))
    assert "没有在转送的事项" in text(at_desk(town.outsider).get(reverse("forwards")))


@pytest.mark.parametrize(
    ("decide", "sent", "state"),
    [("found", {"number": "88"}, "open"), ("again", {}, "waiting"), ("give_up", {}, "given_up")],
)
def test_somebody_decides_after_asking_the_other_side(
    town: World, tmp_path: Path, decide: str, sent: dict[str, str], state: str
) -> None:
    client, forward = at_desk(town.triage), passed_on(opened(town))
    address = reverse("forward", args=[forward.pk])
    assert "先向对方问清楚" in text(client.get(address))
    for wrong in ({"decide": "found"}, {"decide": "nonsense"}, {}):
        assert client.post(address, wrong).status_code == 422
    # Where it goes is not declared: it can only be given up.
    if decide != "give_up":
        assert "已经没有转送" in text(client.post(address, {"decide": decide, **sent}))
    (tmp_path / "forwarding").mkdir()
    (tmp_path / "forwarding/water.toml").write_text(WATER, "utf-8")
    with catalogue.using([tmp_path]):
        answer = client.post(address, {"decide": decide, **sent})
        assert answer.status_code == 302, text(answer)
        forward.refresh_from_db()
        assert forward.state == state
        assert client.post(address, {"decide": decide, **sent}).status_code == 422


def test_who_only_looks_decides_nothing(town: World) -> None:
    forward = passed_on(opened(town))
    address = reverse("forward", args=[forward.pk])
    shown = text(at_desk(town.dispatcher).get(address))
    assert "先向对方问清楚" not in shown
    assert at_desk(town.dispatcher).post(address, {"decide": "give_up"}).status_code == 403
    assert at_desk(town.outsider).get(address).status_code == 404
    forward.refresh_from_db()
    assert forward.state == "unclear"


def test_a_list_of_eleven_takes_as_many_queries_as_a_list_of_one(town: World) -> None:
    client = at_desk(town.triage)

    def asked() -> int:
        client.get(reverse("forwards"))
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse("forwards")).status_code == 200
        return len(seen)

    passed_on(opened(town))
    one = asked()
    for _ in range(10):
        passed_on(opened(town))
    assert asked() == one <= 12
