"""Cases that go on to another Open311 server: once, and only once; what is unclear waits for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

import howto
from anlan.casework import cases, forwards
from anlan.casework.cases import Doing
from anlan.casework.forwarding import FORWARDING
from anlan.casework.models import Case, Forward
from anlan.casework.timeline import timeline
from anlan.intake.jurisdiction import JURISDICTIONS
from anlan.kernel import catalogue
from anlan.ledger.models import Event
from anlan.places import officers
from anlan.presentation import checks, followers
from anlan.presentation.forwarding.turn import turn
from calling import opened
from other_side import Answer, HangUp, OtherSide, other_side
from serving import free_port
from world import FOUNDED, World, world

FILE = """
key = "water"
title = {{ zh = "自来水公司", en = "The water company" }}
endpoint = "{url}"
jurisdiction_id = "water.example"
key_env = "ANLAN_KEY_WATER"
topics = {{ manhole = "cover" }}
officer = "water_system"
{more}
"""
Declare = Callable[..., None]


@pytest.fixture
def town(media: Path) -> World:
    town = world(timezone.now() - timedelta(days=2))
    system = officers.create("water_system", name="自来水公司系统", is_machine=True, by=None, at=town.at)
    officers.post(system, "grid_worker", town.county, valid_from=FOUNDED, by=None, at=town.at)
    return town


@pytest.fixture
def side(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtherSide]:
    monkeypatch.setenv("ANLAN_KEY_WATER", "their-key")
    with other_side() as side:
        yield side


@pytest.fixture
def declare(tmp_path: Path, side: OtherSide) -> Iterator[Declare]:
    """Declares the forwarding, with more lines in its file or another address."""
    (tmp_path / "forwarding").mkdir()

    def write(more: str = "", url: str = "") -> None:
        (tmp_path / "forwarding/water.toml").write_text(FILE.format(url=url or side.url, more=more), "utf-8")
        catalogue.use([tmp_path])

    with catalogue.using([]):
        yield write


def cover(town: World, **more: Any) -> Forward:
    """A case about a manhole cover, on its way."""
    case = opened(town, topic="manhole", lon=122.02, lat=27.02, **more)
    followers.drain(at=timezone.now())
    return Forward.objects.get(case=case)


def go(forward: Forward, *, times: int = 1, after: timedelta = timedelta(0)) -> Forward:
    """So many turns of the loop, each when the next thing is due; how it stands then."""
    for _ in range(times):
        forward.refresh_from_db()
        turn(at=max(timezone.now(), forward.next_at or timezone.now()) + after)
    forward.refresh_from_db()
    return forward


def notes(case: Case) -> list[str]:
    return [said.value.zh for line in timeline(case) if line.kind == "note" for said in line.said]


def test_a_case_that_falls_to_it_is_sent_with_what_the_other_side_needs_and_no_more(
    town: World, side: OtherSide, declare: Declare
) -> None:
    declare()
    forward = go(cover(town, description="井盖松动，请打 13800007777", address="幸福路口"))
    assert (forward.state, forward.number, side.posts) == ("open", "1001", 1)
    [told] = side.taken
    assert {name: told[name] for name in ("api_key", "service_code", "jurisdiction_id", "lat", "long")} == {
        "api_key": "their-key", "service_code": "cover", "jurisdiction_id": "water.example", "lat": "27.020000",
        "long": "122.020000",
    }  # fmt: skip
    assert "13800007777" not in str(told)
    assert forward.reference in told["description"]
    assert notes(forward.case) == [f"已转送自来水公司，对方编号 1001（转送号 {forward.reference}）"]
    assert go(forward, times=3).state == "open"
    assert side.posts == 1


def test_other_cases_stay_here(town: World, side: OtherSide, declare: Declare) -> None:
    declare('areas = ["330101002"]')
    opened(town, topic="manhole")
    opened(town, topic="parking", area=town.west_grid)
    followers.drain(at=timezone.now())
    assert not Forward.objects.exists()
    assert cover(town, area=town.west_grid).state == "waiting"


def test_where_a_department_is_named_a_case_goes_once_that_department_leads_it(
    town: World, side: OtherSide, declare: Declare
) -> None:
    declare('department = "housing"')
    case = opened(town, topic="manhole")
    followers.drain(at=timezone.now())
    assert not Forward.objects.exists()
    for act, by, data in (
        ("register", town.triage, {}),
        ("dispatch", town.dispatcher, {"department": town.housing.pk}),
    ):
        cases.act(case.pk, Doing(act, data), by=by, reach=town.reach(by), at=timezone.now())
    followers.drain(at=timezone.now())
    assert Forward.objects.get().case == case


def test_what_is_closed_there_is_noted_here_and_nothing_is_closed(
    town: World, side: OtherSide, declare: Declare
) -> None:
    declare()
    forward = go(cover(town))
    side.status = "closed"
    forward = go(forward)
    case = forward.case
    case.refresh_from_db()
    assert forward.state == "closed"
    assert notes(case)[-1] == "自来水公司：对方已办结（编号 1001）。水务已处理"
    assert (case.closed_at, case.step) == (None, "collected")
    assert go(forward).state == "closed"
    assert len(notes(case)) == 2


def test_a_token_is_asked_until_it_has_become_a_number(town: World, side: OtherSide, declare: Declare) -> None:
    declare()
    waiting: list[dict[str, str]] = []

    def token(side: OtherSide, told: dict[str, str]) -> Answer:
        waiting.append(told)
        return 200, [{"token": "t-1"}]

    side.posting = token
    forward = go(cover(town))
    assert (forward.state, forward.token, forward.number) == ("token", "t-1", "")
    assert go(forward, times=2).state == "token"
    side.take(waiting[0])
    assert (go(forward).state, forward.number) == ("open", "1001")
    assert side.posts == 1


def test_a_server_that_is_not_there_is_tried_later_and_nothing_was_sent(
    town: World, side: OtherSide, declare: Declare
) -> None:
    declare(url=f"http://127.0.0.1:{free_port()}/v2")
    forward = cover(town)
    waits = []
    for _ in range(4):
        before = max(timezone.now(), forward.next_at or timezone.now())
        forward = go(forward)
        assert forward.state == "waiting"
        assert forward.next_at is not None
        waits.append(round((forward.next_at - before) / timedelta(minutes=1)))
    assert waits == [1, 2, 4, 8]
    assert "连接不上" in forward.trouble_zh
    declare()
    assert go(forward).state == "open"
    assert side.posts == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_tried_later(town: World, side: OtherSide, declare: Declare, status: int) -> None:
    declare()
    side.posting = lambda side, told: (status, [{"code": status, "description": "later"}])
    forward = go(cover(town), times=2)
    assert (forward.state, side.posts) == ("waiting", 2)
    side.posting = lambda side, told: side.take(told)
    assert go(forward).state == "open"
    assert len(side.taken) == 1


def test_what_the_other_side_refuses_waits_for_a_person_with_its_words(
    town: World, side: OtherSide, declare: Declare
) -> None:
    declare()
    side.posting = lambda side, told: (404, [{"code": 404, "description": "service_code not found"}])
    forward = go(cover(town), times=3)
    assert (forward.state, forward.next_at, side.posts) == ("refused", None, 1)
    assert "service_code not found" in forward.trouble_en
    side.posting = lambda side, told: side.take(told)
    forwards.send_again(forward, by=town.triage, at=timezone.now())
    assert go(forward).state == "open"


def _taken_and_lost(side: OtherSide, told: dict[str, str]) -> Answer:
    side.take(told)
    raise HangUp


def _taken_and_failed(side: OtherSide, told: dict[str, str]) -> Answer:
    side.take(told)
    return 500, b"<html>"


def _taken_and_mumbled(side: OtherSide, told: dict[str, str]) -> Answer:
    side.take(told)
    return 200, b"thank you"


@pytest.mark.parametrize("lost", [_taken_and_lost, _taken_and_failed, _taken_and_mumbled])
def test_what_was_taken_although_no_answer_came_is_found_there_and_not_sent_again(
    town: World, side: OtherSide, declare: Declare, lost: Any
) -> None:
    declare()
    side.posting = lost
    forward = go(cover(town))
    assert (forward.state, forward.number) == ("sending", "")
    assert "不知道" in forward.trouble_zh
    forward = go(forward)
    assert (forward.state, forward.number, side.posts) == ("open", "1001", 1)


def _lost(side: OtherSide, told: dict[str, str]) -> Answer:
    raise HangUp


def test_what_cannot_be_found_there_waits_for_a_person(town: World, side: OtherSide, declare: Declare) -> None:
    declare()
    side.posting = _lost
    forward = go(cover(town), times=6)
    assert (forward.state, forward.next_at, side.posts) == ("unclear", None, 1)
    with pytest.raises(Exception, match="编号"):
        forwards.found_there(forward, " ", by=town.triage, at=timezone.now())
    forwards.found_there(forward, "77", by=town.triage, at=timezone.now())
    forward.refresh_from_db()
    assert (forward.state, forward.number) == ("open", "77")
    with pytest.raises(forwards.NotForAPerson):
        forwards.give_up(forward, by=town.triage, at=timezone.now())


def test_where_the_same_request_is_taken_for_one_it_is_sent_again(
    town: World, side: OtherSide, declare: Declare
) -> None:
    declare("sends_again = true")
    side.posting = _lost
    forward = go(cover(town), times=2)
    assert forward.state == "waiting"
    side.posting = lambda side, told: side.take(told)
    assert go(forward).state == "open"
    assert (side.posts, len(side.taken)) == (2, 1)


def test_a_sending_that_was_cut_off_is_looked_for_first(town: World, side: OtherSide, declare: Declare) -> None:
    declare()
    forward, now = cover(town), timezone.now()
    assert forwards.claim(forward, "sending", at=now)
    # The process was killed here. Nobody else takes it up before its time.
    assert turn(at=now + timedelta(minutes=1)) == 0
    assert side.posts == 0
    forward = go(forward)
    assert (forward.state, side.posts) == ("sending", 0)
    assert go(forward, times=4).state == "unclear"
    assert side.posts == 0


def test_two_loops_send_once(town: World, side: OtherSide, declare: Declare) -> None:
    declare()
    forward = cover(town)
    one, other = Forward.objects.get(), Forward.objects.get()
    now = timezone.now()
    assert [forwards.claim(each, "sending", at=now) for each in (one, other)] == [True, False]
    assert turn(at=now) == 0
    assert forward.pk == one.pk


def test_without_its_key_nothing_is_sent_and_the_page_says_which(
    town: World, side: OtherSide, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare()
    monkeypatch.delenv("ANLAN_KEY_WATER")
    forward = go(cover(town))
    assert (forward.state, side.posts) == ("waiting", 0)
    assert "ANLAN_KEY_WATER" in forward.trouble_zh
    monkeypatch.setenv("ANLAN_KEY_WATER", "k")
    assert go(forward).state == "open"


def test_an_act_that_is_refused_here_is_tried_again_and_then_waits_for_a_person(
    town: World, side: OtherSide, declare: Declare
) -> None:
    declare('when_closed = "fix"\ntold_in = "result"\nwhen_sent = "assisted"\nmost_tries = 3')
    forward = go(cover(town))
    # Neither act is open to this account at this step; the number is known nevertheless.
    assert (forward.state, forward.number) == ("open", "1001")
    assert forward.trouble_zh
    side.status = "closed"
    assert go(forward).state == "closing"
    assert go(forward, times=5).state == "refused"
    forwards.give_up(forward, by=town.triage, at=timezone.now())
    forward.refresh_from_db()
    assert forward.state == "given_up"
    assert forward.case.closed_at is None


def test_answers_that_are_nonsense_do_no_harm(town: World, side: OtherSide, declare: Declare) -> None:
    declare()
    forward = go(cover(town))
    for said in (b"", b"\xff\xfe", b"null", b"[1, 2]", b"[" * 100_000, b'{"service_request_id": 5}', b"x" * (5 << 20)):
        side.reading = lambda side, path, said=said: (200, said)  # type: ignore[misc]
        forward = go(forward)
        assert (forward.state, forward.number) == ("open", "1001")
    side.reading = lambda side, path: side.tell(path)
    side.status = "closed"
    assert go(forward).state == "closed"


def test_a_case_that_is_closed_before_it_was_sent_is_not_sent(town: World, side: OtherSide, declare: Declare) -> None:
    declare()
    forward = cover(town)
    doing = Doing("refuse", {"reason": "不属受理范围"})
    cases.act(forward.case_id, doing, by=town.triage, reach=town.reach(town.triage), at=timezone.now())
    assert go(forward).state == "given_up"
    assert side.posts == 0


def test_where_the_case_was_merged_the_one_that_is_left_is_told(town: World, side: OtherSide, declare: Declare) -> None:
    declare()
    forward, other = go(cover(town)), opened(town, topic="parking")
    doing = Doing("merge", {"case": str(other.pk)})
    cases.act(forward.case_id, doing, by=town.triage, reach=town.reach(town.triage), at=timezone.now())
    side.status = "closed"
    assert go(forward).state == "closed"
    assert "对方已办结" in notes(other)[-1]


def test_every_step_is_in_the_ledger(town: World, side: OtherSide, declare: Declare) -> None:
    declare()
    forward = go(cover(town))
    side.status = "closed"
    go(forward)
    told = Event.objects.filter(subject=forward.pk, kind="forward.changed").order_by("seq")
    assert [event.data["state"] for event in told] == ["open", "closed"]
    assert all("their-key" not in str(event.data) for event in Event.objects.all())


def test_a_forwarding_that_would_close_or_prove_a_case_is_refused_at_the_start(declare: Declare) -> None:
    for wrong, field in (
        ('when_closed = "close"', "when_closed"), ('when_sent = "verify"', "when_sent"),
        ('when_closed = "no_such_act"', "when_closed"),
    ):  # fmt: skip
        declare(wrong)
        [problem] = [each for each in checks.problems(catalogue.current()) if each.field == field]
        assert problem.reason.zh != problem.reason.en
    declare()
    assert not checks.problems(catalogue.current())


def test_a_server_that_hangs_does_not_hold_up_the_others(town: World, side: OtherSide, declare: Declare) -> None:
    declare(url=f"http://127.0.0.1:{free_port()}/v2")
    for number in range(5):
        cover(town, title=f"{number}")
    at: datetime = timezone.now()
    assert turn(at=at) == 0
    assert Forward.objects.filter(tries=1).count() == 1
    assert not Forward.objects.filter(next_at__lte=at).exists()


def test_the_files_of_the_page_on_open311_are_well_declared(tmp_path: Path) -> None:
    howto.page("connect-open311").write(tmp_path)
    with catalogue.using([tmp_path / "packs/mine"]) as known:
        assert [problem.sentence.en for problem in checks.problems(known)] == []
        assert known.get(FORWARDING, "water").endpoint == "https://water.example/open311/v2"
        assert known.get(JURISDICTIONS, "default").jurisdiction_id == "qinglan.example"
