"""Lists by the API: narrowed, walked by cursors, and as cheap for eleven rows as for one; exports."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from anlan.casework.models import Case, Notice
from anlan.kernel.ids import new_id
from calling import Caller, message, opened
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def queries(caller: Caller, path: str) -> tuple[int, int]:
    """How many rows a list has, and how many queries it asks."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = caller.get(path, limit=100)
    assert answer.status == 200, answer
    return len(answer.json["items"]), len(captured)


def fill(town: World, number: int) -> None:
    """One more of everything."""
    by, at = town.administrator, town.at
    case = opened(town, at=at + timedelta(minutes=number))
    caller = Caller(town.triage)
    caller.post("/reports", {"message": message(id=f"m-{number}")})
    caller.post("/reports", {"message": message(id=f"h-{number}", topic="no_such_topic")})
    caller.upload(
        "/imports", f"编号,时间,描述\nB-{number},2026-03-02,占道\n".encode(), "x.csv", channel="sheet_general"
    )
    admin = Caller(by)
    admin.post("/areas", {"code": f"33010100100100{number:02}x", "level": "grid", "name": {"zh": "网", "en": "G"},
                          "parent": "330101001001"})  # fmt: skip
    admin.post("/sites", {"name": "店", "kind": "shopfront", "area": "330101001001001", "operator": town.party.pk})
    admin.post("/parties", {"kind": "person", "name": "某", "area": "330101001"})
    admin.post("/departments", {"key": f"d{number}", "name": {"zh": "局", "en": "Office"}, "area": "330101"})
    made = admin.post("/officers", {"username": f"u{number}", "name": "人", "is_machine": True}).json["id"]
    admin.post("/posts", {"officer": made, "role": "triage", "area": "330101"})
    admin.post("/duties", {"topic": "fire_exit", "area": "330101001001", "department": "fire", "officer": made,
                           "valid_from": f"2026-03-{number + 1:02}"})  # fmt: skip
    admin.post("/tokens", {"officer": made, "name": "系统", "actions": ["cases.see"]})
    Notice.objects.create(
        id=new_id(), officer=by, case=case, kind="due", event=new_id(), text_zh="到期", text_en="due", at=at
    )


LISTS = (
    "/cases /reports /reports/waiting /quarantine /imports /areas /sites /parties /departments /officers /posts /duties"
    " /tokens /notices"
).split()


def test_no_list_asks_more_for_eleven_rows_than_for_one(town: World) -> None:
    caller = Caller(town.administrator)
    fill(town, 1)
    first = {path: queries(caller, path) for path in LISTS}
    for number in range(2, 12):
        fill(town, number)
    then = {path: queries(caller, path) for path in LISTS}
    for path in LISTS:
        assert then[path][0] >= first[path][0] + 10, path
        assert then[path][1] == first[path][1] <= 12, path


def test_a_list_is_walked_by_its_cursors_and_shows_every_row_once(town: World) -> None:
    for minutes in range(7):
        opened(town, at=town.at + timedelta(minutes=minutes))
    caller, seen, after = Caller(town.triage), [], ""
    while True:
        page = caller.get("/cases", limit=3, after=after).json
        seen += [row["number"] for row in page["items"]]
        after = page["after"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


def test_cases_are_narrowed_as_on_the_desk(town: World) -> None:
    here, there = opened(town), opened(town, area=town.west_grid, topic="food_safety")
    Caller(town.triage).post(f"/cases/{here.pk}/acts", {"act": "register"})
    caller = Caller(town.dispatcher)

    def found(**query: Any) -> set[str]:
        answer = caller.get("/cases", **query)
        assert answer.status == 200, answer
        return {row["id"] for row in answer.json["items"]}

    both = {str(here.pk), str(there.pk)}
    step = Case.objects.get(pk=here.pk).step
    assert found() == both
    assert found(area="330101001") == {str(here.pk)}
    assert found(topic="food_safety") == {str(there.pk)}
    assert found(topic="fire") <= {str(here.pk)}
    assert found(step=step) == {str(here.pk)}
    assert found(q="12 号", state="open") == both
    assert found(q=here.number) == {str(here.pk)}
    assert found(state="closed") == set()
    assert found(light="late") == found(light="late", sort="due") == both
    assert found(since="2026-03-06", until="2026-03-06") == both
    assert found(until="2026-03-05") == set()
    assert caller.get("/cases", area="330199").status == 404
    assert caller.get("/cases", department="nothing").status == 404
    assert caller.get("/cases", topic="nothing").error["field"] == "topic"


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_lists_are_exported_as_files_within_reach(town: World, form: str) -> None:
    mine = opened(town, title="=cmd|'/c calc'!A1")
    opened(town, area=town.neighbour_grid, title="邻县的事")
    answer = Caller(town.triage).get("/export/cases", form=form)
    assert answer.status == 200
    assert f"cases.{form}" in answer.response["Content-Disposition"]
    content = answer.content
    if form == "xlsx":
        assert content[:2] == b"PK"
    else:
        assert mine.number.encode() in content
        assert "邻县".encode() not in content
        assert (b"'=cmd" in content) == (form == "csv")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_file_begins_a_formula_in_either_width(town: World, sign: str) -> None:
    opened(town, title=f"{sign}1+1", address=f"{sign}2+2")
    caller = Caller(town.triage)
    [line] = list(csv.reader(caller.get("/export/cases", form="csv").content.decode("utf-8-sig").splitlines()))[1:]
    sheet = load_workbook(io.BytesIO(caller.get("/export/cases", form="xlsx").content)).active
    assert sheet is not None
    row = [cell.value for cell in list(sheet.rows)[1]]
    for cells in (line, row):
        assert f"'{sign}1+1" in cells
        assert f"'{sign}2+2" in cells


def test_reports_and_events_are_exported_to_those_who_may(town: World) -> None:
    Caller(town.triage).post("/reports", {"message": message()})
    assert "三楼楼道堆物".encode() in Caller(town.triage).get("/export/reports").content
    assert Caller(town.handler).get("/export/reports").status == 403
    assert b"report.received" in Caller(town.supervisor).get("/export/events").content
    assert Caller(town.triage).get("/export/events").status == 403
