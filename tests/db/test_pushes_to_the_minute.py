"""Pushes to the minute: who answered first, in time, and whether anybody else may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from anlan.casework import pushes
from anlan.casework.models import Call, Push, PushTo
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.presentation import followers
from desk import at_desk
from wiring import System, call
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def made(town: World) -> Call:
    """A call that has come, with its case and its pushes."""
    return rung(town)


def rung(town: World) -> Call:
    assert System("police_calls", town.county, at=town.at).send(call("J-1")).outcomes == ["received"]
    followers.drain(at=timezone.now())
    return Call.objects.get()


def push(of: Call, key: str) -> Push:
    return Push.objects.get(call=of, key=key)


def test_an_answer_in_the_last_moment_is_in_time(town: World, made: Call) -> None:
    scene = push(made, "scene")
    pushes.answer(scene.pk, "已处理", resolved=True, by=town.scene_officer, at=scene.due_at)
    assert Event.objects.get(kind="push.answered", subject=scene.pk).data["late"] is False


def test_the_same_answer_by_somebody_else_is_a_second_one(town: World, made: Call) -> None:
    scene = push(made, "scene")
    PushTo.objects.create(push=scene, officer=town.police_officer)
    first = pushes.answer(scene.pk, "已处理", resolved=True, by=town.scene_officer, at=scene.pushed_at)
    again = pushes.answer(scene.pk, "已处理", resolved=True, by=town.scene_officer, at=scene.due_at)
    assert again.answered_at == first.answered_at
    with pytest.raises(pushes.AnsweredBefore):
        pushes.answer(scene.pk, "已处理", resolved=True, by=town.police_officer, at=scene.due_at)


def test_a_call_was_resolved_when_somebody_said_so_first(town: World, made: Call) -> None:
    scene = push(made, "scene")
    pushes.answer(scene.pk, "已处理", resolved=True, by=town.scene_officer, at=scene.pushed_at)
    pushes.answer(
        push(made, "community").pk,
        "已回访",
        resolved=True,
        by=town.police_officer,
        at=scene.pushed_at + timedelta(hours=1),
    )
    made.refresh_from_db()
    assert made.resolved_at == scene.pushed_at


def test_a_machine_is_told_of_no_call(town: World) -> None:
    Officer.objects.filter(pk=town.scene_officer.pk).update(is_machine=True)
    people = push(rung(town), "scene").to.values_list("officer__username", flat=True)
    assert list(people) == ["zeren"]


@pytest.mark.parametrize(("since", "light"), [(timedelta(minutes=1), "ok"), (timedelta(days=30), "late")])
def test_the_inbox_says_of_a_push_whether_it_is_late(town: World, since: timedelta, light: str) -> None:
    told = timezone.now() - since
    assert System("police_calls", town.county, at=told).send(call("J-1")).outcomes == ["received"]
    followers.drain(at=timezone.now())
    mine = push(Call.objects.get(), "scene")
    Push.objects.filter(pk=mine.pk).update(due_at=told + timedelta(days=1))
    shown = at_desk(town.scene_officer).get(reverse("inbox")).content.decode()
    [entry] = [part for part in shown.split('<li class="entry ') if str(mine.pk) in part]
    assert entry.startswith(f"is-{light}")
