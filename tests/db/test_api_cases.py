"""Cases by the API: from report to proof, once and many at once, with photos."""

from __future__ import annotations

from typing import Any

import pytest

from anlan.casework import cases
from anlan.casework.cases import Opening
from anlan.intake.models import Photo
from anlan.ledger.models import Event
from anlan.places.models import Officer
from calling import Caller, message, opened, picture
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def test_a_report_becomes_a_case_that_is_proven_closed(town: World, media: Any) -> None:
    told = Caller(town.grid_worker).post("/reports", {"message": message()})
    assert told.status == 201
    report = told.json["report"]
    triage = Caller(town.triage)
    assert [row["id"] for row in triage.get("/reports/waiting").json["items"]] == [report]
    assert triage.get(f"/reports/{report}/proposal").json["procedure"]
    taken = triage.post(f"/reports/{report}/accept", {"procedure": "incident", "topic": "fire_exit"})
    case = taken.json["case"]
    assert (
        triage.post(f"/reports/{report}/accept", {"procedure": "incident", "topic": "fire_exit"}).json["case"] == case
    )
    assert triage.get("/reports/waiting").json["items"] == []

    def do(who: Officer, act: str, photos: list[str] | None = None, **data: Any) -> Any:
        answer = Caller(who).post(f"/cases/{case}/acts", {"act": act, "data": data, "photos": photos or []})
        assert answer.status == 200, answer
        return answer.json

    assert "register" in [offer["key"] for offer in triage.get(f"/cases/{case}/acts").json]
    do(town.triage, "register")
    do(town.dispatcher, "dispatch", department=town.housing.pk, officer=town.handler.pk)
    do(town.handler, "return", reason="消防通道归消防队管")
    do(town.dispatcher, "dispatch", department=town.housing.pk)
    do(town.handler, "accept")
    photo = Caller(town.handler).upload("/photos", picture(), "after.jpg", stage="after")
    assert photo.status == 201
    fixed = do(town.handler, "fix", photos=[photo.json["id"]], result="已清空")
    assert [each["stage"] for each in fixed["photos"]] == ["after"]
    assert Caller(town.grid_worker).get(f"/photos/{photo.json['id']}").content[:2] == b"\xff\xd8"
    assert Caller(town.handler).post(f"/cases/{case}/acts", {"act": "verify"}).status == 403
    do(town.grid_worker, "verify")
    closed = do(town.dispatcher, "close")
    assert (closed["outcome"], closed["light"]) == ("cured", "closed")
    lines = triage.get(f"/cases/{case}/timeline").json
    assert len(lines) == 9
    assert Caller(town.dispatcher).post(f"/cases/{case}/acts", {"act": "dispatch"}).status == 409


def test_the_same_key_twice_is_one_act_wherever_it_is_given(town: World) -> None:
    case, caller = opened(town), Caller(town.triage)
    for _ in range(2):
        assert caller.post(f"/cases/{case.pk}/acts", {"act": "register", "key": "k-1"}).status == 200
    assert caller.post(f"/cases/{case.pk}/acts", {"act": "register"}, Idempotency_Key="k-1").status == 200
    assert Event.objects.filter(subject=case.pk, kind="case.moved").count() == 1
    assert caller.post(f"/cases/{case.pk}/acts", {"act": "register"}, Idempotency_Key="a b").error["field"] == "key"


def test_a_deed_that_put_the_case_out_of_reach_is_answered_twice_alike(town: World) -> None:
    case = opened(town)
    Caller(town.triage).post(f"/cases/{case.pk}/acts", {"act": "register"})
    data = {"department": town.housing.pk}
    Caller(town.dispatcher).post(f"/cases/{case.pk}/acts", {"act": "dispatch", "data": data})
    body = {"act": "return", "data": {"reason": "不归住建局管"}, "key": "k-9"}
    answers = [Caller(town.handler).post(f"/cases/{case.pk}/acts", body) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert Caller(town.handler).get(f"/cases/{case.pk}").status == 404


def test_another_persons_key_is_not_mine(town: World) -> None:
    first, second = opened(town), opened(town)
    assert Caller(town.triage).post(f"/cases/{first.pk}/acts", {"act": "register", "key": "k"}).status == 200
    assert Caller(town.triage).post(f"/cases/{second.pk}/acts", {"act": "register", "key": "k"}).status == 409
    assert Caller(town.area_lead).post(f"/cases/{first.pk}/acts", {"act": "register", "key": "k"}).status in (403, 409)


def test_a_case_that_has_moved_on_is_told(town: World) -> None:
    case, rev = opened(town), 1
    Caller(town.triage).post(f"/cases/{case.pk}/acts", {"act": "register", "rev": rev})
    answer = Caller(town.dispatcher).post(f"/cases/{case.pk}/acts", {"act": "dispatch", "rev": rev})
    assert answer.status == 409
    assert "白洁" in answer.error["zh"]


def test_a_case_is_opened_for_something_seen(town: World) -> None:
    body = {"procedure": "incident", "topic": "fire_exit", "site": "house1", "title": "楼道堆物", "key": "open-1"}
    caller = Caller(town.grid_worker)
    answers = [caller.post("/cases", body) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].json["id"] == answers[1].json["id"]
    assert answers[0].json["site"] == "house1"
    assert caller.post("/cases", body | {"site": "house9"}).error["field"] == "site"
    assert caller.post("/cases", body | {"topic": "nothing", "key": "2"}).error["field"] == "topic"
    assert caller.post("/cases", body | {"procedure": "nothing", "key": "3"}).status in (404, 422)


def test_who_opened_a_case_is_told_by_name_unless_a_resident_told_of_it(town: World) -> None:
    seen = {}
    for officer in (town.grid_worker, town.triage, town.volunteer, town.landlord):
        opening = Opening(procedure="incident", area=town.grid, title="楼道堆物", party=town.party)
        case = cases.open_case(opening, by=officer, at=town.at)
        answer = Caller(town.supervisor).get(f"/cases/{case.pk}")
        seen[officer.name] = answer.json["opened_by"]
    named = {who.name: {"id": who.pk, "name": who.name} for who in (town.grid_worker, town.triage)}
    assert seen == named | {town.volunteer.name: None, town.landlord.name: None}


def test_one_act_on_many_cases_is_done_to_each_by_itself(town: World) -> None:
    fresh, done, stranger = opened(town), opened(town), opened(town, area=town.neighbour_grid)
    Caller(town.triage).post(f"/cases/{done.pk}/acts", {"act": "register"})
    body = {"cases": [str(fresh.pk), str(done.pk), str(stranger.pk)], "act": "register", "key": "bulk"}
    first, second = (Caller(town.triage).post("/cases/acts", body).json for _ in range(2))
    assert [row["done"] for row in first] == [True, False, False]
    assert [row["done"] for row in second] == [True, False, False]
    assert first[1]["error"]["zh"]
    assert Event.objects.filter(subject=fresh.pk, kind="case.moved").count() == 1


def test_a_photo_of_somebody_else_or_of_another_case_is_not_evidence(town: World, media: Any) -> None:
    photo = Caller(town.grid_worker).upload("/photos", picture(), "a.jpg").json["id"]
    case = opened(town)
    body = {"act": "register", "photos": [photo]}
    assert Caller(town.triage).post(f"/cases/{case.pk}/acts", body).error["field"] == "photos"
    assert Caller(town.triage).get(f"/photos/{photo}").status == 404


@pytest.mark.parametrize(
    ("content", "name", "field"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "a.svg", "photos"),
        (b"\xff\xd8" + b"0" * (30 << 20), "big.jpg", "photos"),
        (b"not a photo", "a.jpg", "photos"),
        (picture(), "a.jpg", "stage"),
    ],
)
def test_what_is_no_photo_is_refused_with_a_sentence(
    town: World, media: Any, content: bytes, name: str, field: str
) -> None:
    stage = {"stage": "sometime"} if field == "stage" else {}
    answer = Caller(town.handler).upload("/photos", content, name, **stage)
    assert answer.status == 422
    assert answer.error["field"] == field
    assert not Photo.objects.exists()
