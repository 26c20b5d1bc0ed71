"""Open311, the updates that FixMyStreet exchanges: what happened here, and what is told there later on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from anlan.casework.models import Case, CaseReport
from anlan.casework.timeline import PUBLIC, timeline
from anlan.intake.models import Remark, Report
from anlan.ledger import personal
from anlan.ledger.events import history
from anlan.ledger.models import Event
from anlan.presentation import followers
from open311 import both, error, key_of, machine, post, sent
from resident import do, picture, to_the_end
from world import World, world


@pytest.fixture
def town(media: Path) -> World:
    return world(timezone.now() - timedelta(days=2))


@pytest.fixture
def key(town: World) -> str:
    return machine(town)[1]


def told(key: str, number: str, update_id: str = "u-1", **more: Any) -> Any:
    given = {"description": "今天又响了", "status": "OPEN", "updated_datetime": "2026-03-06T10:00:00Z", **more}
    return post("/servicerequestupdates.json", api_key=key, service_request_id=number, update_id=update_id, **given)


def notes(case: Case) -> list[str]:
    return [said.value.zh for line in timeline(case) if line.kind == "note" for said in line.said]


def test_what_happened_is_told_step_by_step_with_the_state_after_it(town: World, key: str) -> None:
    number = sent(key)
    to_the_end(town, Case.objects.get())
    found = both("/servicerequestupdates")
    assert [each["status"] for each in found] == ["OPEN"] * (len(found) - 1) + ["CLOSED"]
    assert {each["service_request_id"] for each in found} == {number}
    assert len({each["update_id"] for each in found}) == len(found) >= 6
    fixed = next(each for each in found if each["media_url"])
    assert "通道已清空" in fixed["description"]
    assert [each["external_status_code"] for each in found][:3] == ["intake", "registration", "dispatch"]
    extended = both("/servicerequestupdates", extensions="true")
    assert [each["status"] for each in extended][:3] == ["FOR_TRIAGE", "INVESTIGATING", "ACTION_SCHEDULED"]
    assert extended[-1]["status"] == "FIXED"


def test_only_what_happened_between_the_two_moments_is_told(town: World, key: str) -> None:
    sent(key)
    now = timezone.now()
    assert len(both("/servicerequestupdates", start_date=(now - timedelta(hours=1)).isoformat())) == 1
    span = {"start_date": (now - timedelta(days=3)).isoformat(), "end_date": (now - timedelta(days=2)).isoformat()}
    assert both("/servicerequestupdates", **span) == []


def test_what_a_client_tells_later_is_noted_on_the_case_once(town: World, key: str) -> None:
    number = sent(key)
    first, again = told(key, number), told(key, number)
    assert first.status == again.status == 200
    assert first.json == again.json
    case = Case.objects.get()
    assert notes(case) == ["今天又响了"]
    assert [line.by for line in timeline(case) if line.kind == "note"] == [PUBLIC]
    assert Remark.objects.get().noted_at is not None
    told(key, number, "u-2", description="别的")
    assert len(notes(case)) == 2


def test_who_told_it_is_kept_apart_and_numbers_in_the_words_are_masked(town: World, key: str) -> None:
    number = sent(key)
    told(key, number, description="请打 13800007777", email="only@example.org", first_name="只此", phone="13900007777")
    everything = str(list(Event.objects.values())) + str(list(Case.objects.values())) + str(both("/requests"))
    everything += str(both("/servicerequestupdates"))
    for secret in ("13800007777", "only@example.org", "只此", "13900007777"):
        assert secret not in everything
    reporter = Remark.objects.get().reporter_id
    assert reporter is not None
    assert personal.read(reporter) == {
        "name": "只此", "phone": "13900007777", "email": "only@example.org",
    }  # fmt: skip


def test_a_photo_that_comes_with_an_update_is_seen_with_the_case(town: World, key: str) -> None:
    number = sent(key)
    assert told(key, number, photo1=picture()).status == 200
    assert Case.objects.get().case_photos.count() == 1
    assert Report.objects.get().photos.count() == 1


def test_an_update_waits_for_the_case_where_there_is_none_yet(town: World, key: str) -> None:
    number = sent(key)
    case = Case.objects.get()
    CaseReport.objects.all().delete()
    assert told(key, number).status == 200
    assert Remark.objects.get().noted_at is None
    report = Report.objects.get()
    CaseReport.objects.create(case=case, report=report, joined_at=timezone.now())
    followers.drain(at=timezone.now())
    assert notes(case) == ["今天又响了"]
    assert Remark.objects.get().noted_at is not None


def test_whoever_says_that_it_is_not_done_has_it_taken_up_once_more(town: World, key: str) -> None:
    number = sent(key)
    case = Case.objects.get()
    to_the_end(town, case)
    assert told(key, number, status="REOPEN", description="还是松的").status == 200
    case.refresh_from_db()
    assert case.step == "registered"
    assert both(f"/requests/{number}")[0]["status"] == "open"
    assert history(case.pk)[-1].data["fields"] == {"reason": "对方系统里的状态：REOPEN\n还是松的"}


def test_a_closed_case_takes_no_more_remarks_and_says_so(town: World, key: str) -> None:
    number = sent(key)
    case = Case.objects.get()
    to_the_end(town, case)
    assert "已经办结" in error(told(key, number, status="FIXED"), 400)
    assert not Remark.objects.exists()


def test_only_the_client_that_sent_it_may_add_to_it(town: World, key: str) -> None:
    number = sent(key)
    other, outsider = machine(town, "other")[1], key_of(town.outsider)
    for wrong in (other, outsider, "", "anlan_wrong"):
        error(told(wrong, number), 403)
    assert not Remark.objects.exists()


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"update_id": ""}, 400),
        ({"update_id": "x" * 500}, 400),
        ({"status": "DONE"}, 400),
        ({"description": "写" * 10_000}, 400),
        ({"media_url": "javascript:alert(1)"}, 400),
        ({"description": "<script>🚒\x00"}, 200),
        ({"description": ""}, 200),
        ({"updated_datetime": "1900-01-01"}, 200),
    ],
)
def test_an_update_that_cannot_be_taken_is_refused_in_words(
    town: World, key: str, more: dict[str, Any], status: int
) -> None:
    number = sent(key)
    answer = told(key, number, **more)
    if status == 200:
        assert answer.status == 200, answer.content.decode()
    else:
        error(answer, status)
        assert not Remark.objects.exists()
    error(told(key, "999999999999"), 404)


def test_a_list_of_updates_names_nobody(town: World, key: str) -> None:
    sent(key)
    case = Case.objects.get()
    do(town, case, "triage", "register")
    do(town, case, "dispatcher", "dispatch", department=town.housing.pk, officer=town.handler.pk)
    assert not any(name in str(both("/servicerequestupdates")) for name in ("丁办", "白洁", "陈调", "系统 fms"))
