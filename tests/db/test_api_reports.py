"""Reports by the API: received, held, mended, imported."""

from __future__ import annotations

import pytest

from anlan.casework.models import Case
from anlan.intake.models import Quarantined, Report
from anlan.ledger.models import Event
from calling import Caller, message, opened, token_of
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def test_the_same_message_twice_is_one_report(town: World) -> None:
    caller = Caller(token=token_of(town.triage))
    first, second = (caller.post("/reports", {"message": message()}) for _ in range(2))
    assert (first.status, second.status) == (201, 200)
    assert first.json["report"] == second.json["report"]
    assert second.json["repeated"]


def test_the_key_numbers_a_message_that_has_no_number(town: World) -> None:
    caller, body = Caller(town.triage), message()
    body.pop("id")
    answers = [caller.post("/reports", {"message": body, "key": "k-1"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 200]
    assert Report.objects.get().message_id == f"{town.triage.pk}:k-1"


def test_what_is_not_understood_is_held_with_reasons_mended_and_sent_again(town: World) -> None:
    held = Caller(town.triage).post("/reports", {"message": message(topic="no_such_topic")})
    assert held.status == 202
    assert [reason["field"] for reason in held.json["reasons"]] == ["topic"]
    caller, address = Caller(town.triage), f"/quarantine/{held.json['held']}"
    assert caller.get("/quarantine", state="held").json["items"][0]["raw"]["topic"] == "no_such_topic"
    assert caller.post(f"{address}/mend", {"changes": {"topic": "still_none"}}).status == 422
    mended = caller.post(f"{address}/mend", {"changes": {"topic": "fire_exit"}})
    assert mended.status == 200
    assert caller.get(f"/reports/{mended.json['report']}").json["topic"] == "fire_exit"
    assert caller.post(f"{address}/discard", {"reason": "重复"}).error


def test_nobody_mends_a_message_into_another_county(town: World) -> None:
    held = Caller(town.triage).post("/reports", {"message": message(topic="no_such_topic")}).json["held"]
    changes = {"topic": "fire_exit", "area": town.neighbour_grid.code}
    assert Caller(town.triage).post(f"/quarantine/{held}/mend", {"changes": changes}).status == 422
    assert not Report.objects.exists()


def test_a_held_message_is_discarded_with_a_reason(town: World) -> None:
    held = Caller(town.triage).post("/reports", {"message": message(topic="no_such_topic")}).json["held"]
    assert Caller(town.triage).post(f"/quarantine/{held}/discard", {"reason": ""}).error["field"] == "reason"
    assert Caller(town.triage).post(f"/quarantine/{held}/discard", {"reason": "测试数据"}).json["state"] == "discarded"
    assert Quarantined.objects.get().state == "discarded"


def test_nobody_reports_for_a_place_out_of_reach(town: World) -> None:
    answer = Caller(town.grid_worker).post("/reports", {"message": message(area="330199001001001")})
    assert answer.error["field"] == "area"
    assert not Report.objects.exists()


def test_who_reported_is_told_only_to_those_who_may_know_and_each_reading_is_recorded(town: World) -> None:
    body = message(reporter_name="王某", reporter_phone="13800000000")
    report = Caller(town.grid_worker).post("/reports", {"message": body}).json["report"]
    assert Caller(town.triage).post(f"/reports/{report}/reporter").status == 422
    told = Caller(town.triage).post(f"/reports/{report}/reporter", {"reason": "call_back"})
    assert told.json["fields"]["reporter_phone"] == "13800000000"
    read = Event.objects.get(kind="reporter.read")
    assert (read.by, read.data) == (town.triage.pk, {"reason": "call_back"})
    for officer in (town.grid_worker, town.dispatcher, town.analyst, town.administrator, town.handler):
        answer = Caller(officer).get(f"/reports/{report}")
        assert b"13800000000" not in answer.content
        assert Caller(officer).post(f"/reports/{report}/reporter", {"reason": "tell"}).status == 403
    assert b"13800000000" not in Caller(town.triage).get(f"/reports/{report}").content
    assert Event.objects.filter(kind="reporter.read").count() == 1


def test_a_report_joins_one_case_with_an_event_and_none_once_it_was_withdrawn(town: World) -> None:
    case, triage = opened(town), Caller(town.triage)
    one, other = (
        Caller(town.grid_worker).post("/reports", {"message": message(id=number)}).json["report"]
        for number in ("one", "other")
    )
    joining = {"case": str(case.pk)}
    assert triage.post(f"/reports/{one}/attach", joining).status == 200
    assert triage.post(f"/reports/{one}/attach", joining).status == 409
    assert Event.objects.get(subject=case.pk, kind="case.joined").data == {"report": one}
    said = [line["title"]["en"] for line in triage.get(f"/cases/{case.pk}/timeline").json]
    assert said[-1] == "One more report was attached to this case"
    assert triage.post(f"/reports/{other}/withdraw", {"reason": "看错了"}).status == 200
    assert triage.post(f"/reports/{other}/attach", joining).status == 409
    taken = {"procedure": "incident", "topic": "fire_exit"}
    assert triage.post(f"/reports/{other}/accept", taken).status == 409
    case.refresh_from_db()
    assert case.reports_count == 1


def test_whoever_handles_a_case_never_learns_who_told_of_it(town: World) -> None:
    report = Caller(town.grid_worker).post("/reports", {"message": message(reporter_phone="138")}).json["report"]
    taken = {"procedure": "incident", "topic": "fire_exit"}
    case = Caller(town.triage).post(f"/reports/{report}/accept", taken).json["case"]
    assert Caller(town.supervisor).post(f"/reports/{report}/reporter", {"reason": "verify"}).status == 200
    Case.objects.filter(pk=case).update(handler=town.supervisor)
    assert Caller(town.supervisor).post(f"/reports/{report}/reporter", {"reason": "verify"}).status == 403


def test_a_sheet_is_imported_and_says_what_became_of_its_rows(town: World) -> None:
    sheet = (
        "编号,时间,类别,描述,网格编码\nA-1,2026年3月2日,违停,占道停车,330101001001001\nA-2,2026年13月1日,违停,占道,\n"
    )
    caller = Caller(town.triage)
    done = caller.upload("/imports", sheet.encode("gb18030"), "台账.csv", channel="sheet_general")
    assert done.status == 201
    assert (done.json["received"], done.json["quarantined"]) == (1, 1)
    assert caller.get(f"/imports/{done.json['id']}").json["rows"] == 2
    again = caller.upload("/imports", sheet.encode("gb18030"), "台账.csv", channel="sheet_general")
    assert (again.json["received"], again.json["repeated"]) == (0, 2)
    assert caller.upload("/imports", b"%PDF-1.4", "x.pdf", channel="sheet_general").error
    assert caller.upload("/imports", sheet.encode(), "x.csv", channel="nothing").error["field"] == "channel"
    assert caller.post("/imports", {}).status == 422
