"""一警情三推送: one call, three people who sign in for themselves, each with receipt, answer and clock."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from anlan.casework import calls, cases, pushes, triage
from anlan.casework.cases import Doing
from anlan.casework.models import Call, Case, Notice, Push
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.kernel.catalogue import PACKAGE
from anlan.ledger.models import Event
from anlan.places import areas
from anlan.places.models import Officer
from anlan.presentation import followers
from calling import Caller
from wiring import System, call
from world import World, world

SPAN: dict[str, Any] = {"first": date(2026, 1, 1), "last": date(2026, 12, 31)}


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def police(town: World) -> System:
    return System("police_calls", town.county, at=town.at)


def rung(police: System, number: str = "J-1", **more: Any) -> Call:
    """A call that has come, with its case and its pushes."""
    said = police.send(call(number, **more))
    assert said.outcomes == ["received"], said
    followers.drain(at=timezone.now())
    return Call.objects.get(report__message_id=number)


def to(push: Push) -> list[str]:
    return sorted(push.to.values_list("officer__username", flat=True))


def sent(of: Call) -> dict[str, Push]:
    return {push.key: push for push in Push.objects.filter(call=of)}


def page(answer: Any) -> str:
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def desk(officer: Officer) -> Client:
    client = Client()
    client.force_login(officer)
    return client


# ---------------------------------------------------------------- three pushes


def test_one_call_raises_three_pushes_to_three_different_people(police: System, town: World) -> None:
    found = sent(rung(police))
    assert {key: to(push) for key, push in found.items()} == {
        "scene": ["chujing"], "community": ["zeren"], "platform": ["chendiao"],
    }  # fmt: skip
    at = found["scene"].pushed_at
    assert found["scene"].due_at - at == timedelta(minutes=60)
    assert Call.objects.get().pushed
    assert Call.objects.get().case == Case.objects.get()
    assert Event.objects.filter(kind="push.sent").count() == 3


def test_three_sign_ins_each_see_and_answer_their_own_push_and_an_outsider_none(police: System, town: World) -> None:
    found = sent(rung(police))
    people = {"scene": town.scene_officer, "community": town.police_officer, "platform": town.dispatcher}
    for key, officer in people.items():
        client, push = desk(officer), found[key]
        listed = page(client.get(reverse("pushes")))
        assert "幸福里 3 幢 201" in listed
        assert f"/pushes/{push.pk}/" in client.get(reverse("pushes")).content.decode()
        assert all(
            str(other.pk) not in client.get(reverse("pushes")).content.decode()
            for name, other in found.items() if name != key
        )  # fmt: skip
        assert client.get(reverse("inbox")).content.decode().count(str(push.pk)) == 1
        assert "楼上漏水双方争吵" in page(client.get(reverse("push", args=[push.pk])))
        push.refresh_from_db()
        assert push.received_by == officer
        assert push.answered_at is None
        done = client.post(reverse("push", args=[push.pk]), {"text": f"{officer.name}已调解", "resolved": "yes"})
        assert done.status_code == 302
        push.refresh_from_db()
        assert (push.answered_by, push.answer, push.resolved) == (officer, f"{officer.name}已调解", True)
    for push in found.values():
        for stranger in (town.outsider, town.grid_worker, town.triage):
            assert desk(stranger).get(reverse("push", args=[push.pk])).status_code == 404
            assert desk(stranger).post(reverse("push", args=[push.pk]), {"text": "x"}).status_code == 404
            assert Caller(stranger).post(f"/pushes/{push.pk}/answer", {"text": "x", "resolved": True}).status == 404
    assert page(desk(town.outsider).get(reverse("pushes"))).count("幸福里") == 0
    kinds = list(Event.objects.filter(kind__startswith="push.").order_by("seq").values_list("kind", flat=True))
    assert kinds == ["push.sent"] * 3 + ["push.received", "push.answered"] * 3


def test_the_case_shows_its_pushes_with_receipt_and_answer(police: System, town: World) -> None:
    made = rung(police)
    push = sent(made)["community"]
    pushes.answer(push.pk, "已上门调解", resolved=True, by=town.police_officer, at=timezone.now())
    assert made.case is not None
    said = page(desk(town.dispatcher).get(reverse("case", args=[made.case.number])))
    for words in (
        "推送处警民警",
        "推送责任民警",
        "推送综治平台",
        "楚警",
        "任警",
        "陈调",
        "已上门调解",
        "已化解",
        "未签收",
    ):
        assert words in said, words


def test_a_push_is_answered_and_received_by_the_api(police: System, town: World) -> None:
    push = sent(rung(police))["scene"]
    caller = Caller(town.scene_officer)
    [row] = caller.get("/pushes").json["items"]
    assert (row["id"], row["received_at"]) == (str(push.pk), None)
    assert caller.post(f"/pushes/{push.pk}/receive").json["received_at"]
    told = {"text": "现场已平息", "resolved": False}
    assert caller.post(f"/pushes/{push.pk}/answer", told).json["answer"] == "现场已平息"
    assert caller.post(f"/pushes/{push.pk}/answer", told).status == 200
    again = caller.post(f"/pushes/{push.pk}/answer", {"text": "改口", "resolved": True})
    assert (again.status, again.error["zh"]) == (409, "这条推送已经答复，不必再答。")
    assert caller.get("/pushes").json["items"] == []
    assert len(caller.get("/pushes", open=False).json["items"]) == 1


@pytest.mark.parametrize("text", ["", "   ", "一" * 1001])
def test_an_answer_that_says_nothing_or_too_much_is_refused_in_words(police: System, town: World, text: str) -> None:
    push = sent(rung(police))["scene"]
    client = desk(town.scene_officer)
    answer = client.post(reverse("push", args=[push.pk]), {"text": text, "resolved": "yes"})
    assert answer.status_code == 422
    push.refresh_from_db()
    assert push.answered_at is None


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE casework_push; --", "😀 已处理", "一" * 1000]
)
def test_an_odd_answer_is_kept_and_shown_as_it_is(police: System, town: World, text: str) -> None:
    push = sent(rung(police))["scene"]
    client = desk(town.scene_officer)
    assert client.post(reverse("push", args=[push.pk]), {"text": text, "resolved": "no"}).status_code == 302
    push.refresh_from_db()
    assert (push.answer, push.resolved) == (text, False)
    assert "<script>alert" not in client.get(reverse("push", args=[push.pk])).content.decode()


def test_whom_the_message_does_not_name_is_found_by_post(police: System, town: World) -> None:
    assert to(sent(rung(police, officer={"account": "nobody-here"}))["scene"]) == ["zeren"]


def test_a_call_where_no_police_officer_serves_goes_to_the_platform_so_that_nobody_is_told_of_none(
    police: System, town: World
) -> None:
    west = {"address": "西一村口", "areaCode": town.west_grid.code}
    found = sent(rung(police, place=west, officer={}))
    assert {key: to(push) for key, push in found.items()} == {
        "scene": ["baijie", "chendiao"], "community": ["chendiao"], "platform": ["chendiao"],
    }  # fmt: skip


def test_the_follower_may_read_everything_again(police: System) -> None:
    rung(police)
    before = (Push.objects.count(), Notice.objects.count(), Event.objects.count())
    pushes.follow(list(Event.objects.order_by("seq")))
    assert (Push.objects.count(), Notice.objects.count(), Event.objects.count()) == before


def test_the_end_of_the_case_answers_the_push_to_the_platform(police: System, town: World) -> None:
    made = rung(police)
    assert made.case is not None
    doing = Doing("refuse", {"reason": "不属受理范围"})
    cases.act(made.case.pk, doing, by=town.triage, reach=town.reach(town.triage), at=timezone.now())
    followers.drain(at=timezone.now())
    found = sent(made)
    assert found["platform"].answered_at is not None
    assert found["platform"].resolved is False
    assert found["scene"].answered_at is None


# ---------------------------------------------------------------- late


def test_a_push_that_is_not_answered_in_time_is_raised_once(police: System, town: World) -> None:
    push = sent(rung(police))["scene"]
    assert pushes.sweep(at=push.due_at - timedelta(seconds=1)) == 0
    assert pushes.sweep(at=push.due_at) == 1
    assert pushes.sweep(at=push.due_at + timedelta(hours=1)) == 0
    push.refresh_from_db()
    assert push.late_at == push.due_at
    told = Notice.objects.filter(kind="push_late").values_list("officer__username", flat=True)
    assert sorted(told) == ["chendiao", "chujing", "jiangdu"]
    assert Event.objects.filter(kind="push.overran", subject=push.pk).count() == 1
    later = pushes.answer(push.pk, "晚了", resolved=True, by=town.scene_officer, at=push.due_at + timedelta(hours=2))
    assert later.late_at is not None


def test_a_push_that_waits_goes_along_when_its_area_moves(police: System, town: World) -> None:
    push = sent(rung(police))["scene"]
    areas.move(town.grid, town.other_village, day=timezone.localdate(), by=None, at=timezone.now())
    followers.drain(at=timezone.now())
    push.refresh_from_db()
    assert push.area_path.startswith(town.other_village.path)


def test_an_answered_push_is_never_late(police: System, town: World) -> None:
    push = sent(rung(police))["scene"]
    pushes.answer(push.pk, "已处理", resolved=True, by=town.scene_officer, at=push.pushed_at)
    assert pushes.sweep(at=push.due_at + timedelta(minutes=1)) == 0


def test_everybody_pushed_to_is_told_once(police: System, town: World) -> None:
    rung(police)
    followers.drain(at=timezone.now())
    told = Notice.objects.filter(kind="pushed").order_by("officer__username")
    assert [notice.officer.username for notice in told] == ["chendiao", "chujing", "zeren"]
    assert all("李某" not in notice.text_zh and "幸福里" not in notice.text_zh for notice in told)


# ---------------------------------------------------------------- repeats


def at(day: int, hour: int = 9) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:00:00+08:00"


def test_calls_from_one_address_site_point_or_caller_are_linked_within_the_days(police: System, town: World) -> None:
    first = rung(police, "J-1", callTime=at(1))
    spelt = {"address": "幸福里３幢 201 ", "areaCode": "330101001001001"}
    same = rung(police, "J-2", callTime=at(3), place=spelt, caller={})
    assert (same.repeats, same.first) == (first, first)
    caller = rung(police, "J-3", callTime=at(4), place={"address": "别处", "areaCode": town.west_grid.code})
    assert caller.repeats in (first, same)
    other = rung(police, "J-4", callTime=at(5), place={"address": "再别处", "areaCode": "330101001001001"}, caller={})
    assert other.repeats is None
    assert [each.pk for each in calls.row_of(caller)] == [first.pk, same.pk, caller.pk]
    late = rung(police, "J-5", callTime="2026-05-30T09:00:00+08:00", caller={})
    assert late.repeats is None


def test_a_call_told_earlier_that_comes_later_begins_the_row(police: System) -> None:
    second = rung(police, "J-2", callTime=at(3))
    first = rung(police, "J-1", callTime=at(1))
    second.refresh_from_db()
    assert (first.repeats, second.repeats, second.first) == (None, first, first)


def test_the_case_shows_the_other_calls_from_its_place(police: System, town: World) -> None:
    rung(police, "J-1", callTime=at(1), brief="第一次吵")
    made = rung(police, "J-2", callTime=at(2), brief="第二次吵")
    assert made.case is not None
    said = page(desk(town.dispatcher).get(reverse("case", args=[made.case.number])))
    assert "同一地点的报警（2 次）" in said
    assert "第一次吵" in said


def test_who_called_stands_nowhere_in_the_open_and_is_forgotten_after_the_days_of_linking(police: System) -> None:
    made = rung(police, callTime=at(1))
    assert made.caller
    assert "13900000000" not in made.caller
    assert "13900000000" not in str(Report.objects.get().raw)
    pushes.sweep(at=datetime.fromisoformat(at(1)) + timedelta(days=32))
    made.refresh_from_db()
    assert made.caller == ""


# ---------------------------------------------------------------- figures


def several(police: System, town: World) -> None:
    """Five calls: four disputes, two of them from one place, one of something else, in two townships."""
    rung(police, "J-1", callTime=at(1), caller={})
    rung(police, "J-2", callTime=at(2), caller={})
    rung(police, "J-3", callTime=at(2), caller={}, place={"address": "甲", "areaCode": "330101001001001"})
    rung(police, "J-4", callTime=at(2), caller={}, place={"address": "乙", "areaCode": town.west_grid.code})
    rung(
        police,
        "J-5",
        callTime=at(3),
        caller={},
        type={"name": "违法停车"},
        place={"address": "丙", "areaCode": "330101001"},
    )
    push = Push.objects.get(call__report__message_id="J-1", key="scene")
    pushes.answer(push.pk, "已调解", resolved=True, by=town.scene_officer, at=timezone.now())


def test_the_figures_count_disputes_repeats_pushes_and_what_was_resolved(police: System, town: World) -> None:
    several(police, town)
    found = calls.figures(town.reach(town.dispatcher), town.county.path, **SPAN)
    assert found[town.county.path] == {"calls": 5, "disputes": 4, "repeats": 1, "pushed": 5, "resolved": 1}
    assert found[town.east.path]["calls"] == 4
    assert found[town.west.path] == {"calls": 1, "disputes": 1, "repeats": 0, "pushed": 1, "resolved": 0}
    said = Caller(town.dispatcher).get("/statistics/calls", area="330101", since="2026-01-01", until="2026-12-31").json
    assert said["rates"]["dispute_share"] == {"value": 0.8, "numerator": 4, "denominator": 5}
    assert said["rates"]["resolved_rate"]["value"] == 0.2


def test_every_figure_leads_to_exactly_the_calls_it_counts(police: System, town: World) -> None:
    several(police, town)
    client = desk(town.dispatcher)
    days = "from=2026-03-01&to=2026-03-31"
    sheet = client.get(f"{reverse('call_figures')}?{days}").content.decode()
    counts = calls.figures(town.reach(town.dispatcher), town.county.path, **SPAN)
    for area in (town.county, town.east, town.west):
        for key, number in counts[area.path].items():
            url = f"/calls/?area={area.code}&from=2026-03-01&to=2026-03-31&figure={key}"
            assert (url.replace("&", "&amp;") in sheet or url in sheet) == (number > 0 or key == "calls"), (
                area.code,
                key,
            )
            rows = client.get(url).content.decode().count('<tr role="row" data-row')
            assert rows == number, (area.code, key)


def test_nobody_counts_the_calls_of_another_county(police: System, town: World) -> None:
    several(police, town)
    assert calls.counted(town.reach(town.outsider), town.county.path, **SPAN).count() == 0
    answer = desk(town.outsider).get(f"{reverse('calls')}?area=330101&from=2026-03-01&to=2026-03-31")
    assert answer.status_code == 404


def test_the_lists_cost_the_same_at_one_row_and_at_eleven(police: System, town: World) -> None:
    rung(police, "J-0", callTime=at(1))
    client, days = desk(town.dispatcher), "?from=2026-03-01&to=2026-03-31"
    pages = [reverse("pushes"), reverse("calls") + days, reverse("call_figures") + days]
    before = [asked(client, address) for address in pages]
    for number in range(1, 11):
        rung(police, f"J-{number}", callTime=at(1, 8 + number), caller={})
    assert [asked(client, address) for address in pages] == before


def asked(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_a_call_whose_case_a_person_opens_is_pushed_before_and_told_of_after(
    police: System, town: World, tmp_path: Path
) -> None:
    shipped = (PACKAGE / "casework/pushes/police_three.toml").read_text("utf-8")
    (tmp_path / "mine/pushes").mkdir(parents=True)
    (tmp_path / "mine/pushes/own.toml").write_text(shipped.replace('opens = "incident"\n', ""), encoding="utf-8")
    with catalogue.using([tmp_path / "mine"]):
        made = rung(police)
        assert not Call.objects.exclude(case=None).exists()
        assert to(sent(made)["scene"]) == ["chujing"]
        assert not Notice.objects.filter(kind="pushed").exists()
        case = triage.accept(made.report, procedure="incident", topic="dispute", by=town.triage, at=timezone.now())
        followers.drain(at=timezone.now())
        made.refresh_from_db()
        assert made.case == case
        assert Notice.objects.filter(kind="pushed", case=case).count() == 3
