"""Alarms, police calls, tables that are nothing but a file, what may not be kept, and that nobody is in any of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
import pytest
from django.utils import timezone

from anlan.casework import calls, cases, pushes
from anlan.casework.cases import Doing, Opening
from anlan.casework.models import Call, Case, Push
from anlan.facts import columns, sources
from anlan.facts.event_rows import NoFact
from anlan.facts.table import TABLES
from anlan.intake.channel import CHANNELS
from anlan.intake.door import Door
from anlan.intake.models import Episode, Report
from anlan.intake.sensors import devices
from anlan.intake.uploading.layout import plans
from anlan.intake.uploading.outside import Statistics
from anlan.intake.uploading.targets import Taking
from anlan.kernel import catalogue
from anlan.presentation import checks, followers
from anlan.presentation.facts import BEHIND
from anlan.presentation.hearing import Hearing
from chance import lived
from exported import Facts, again, months
from wiring import System, call
from world import World, world

SECRETS = ("李某", "13900000000", "楼上漏水双方争吵", "邻里吵闹到半夜", "幸福里 3 幢 201", "东一村出租房", "阿宁")
PACK = """
key = "hangings"
title = { zh = "挂账", en = "Hangings" }
summary = { zh = "每次办理动作一行。", en = "One row an act." }
grain = { zh = "一个动作", en = "an act" }
month = "on_date"
row = ["event"]
events = ["case.moved"]
columns = [
  { key = "event", type = "string", title = { zh = "事件", en = "Event" }, value = "id" },
  { key = "case", type = "string", title = { zh = "事项", en = "Case" }, value = "subject" },
  { key = "area_path", type = "string", title = { zh = "路径", en = "Path" }, value = "area_path", keep_months = 2 },
  { key = "on_date", type = "date", title = { zh = "日", en = "Day" }, value = "at_date" },
  { key = "act", type = "string", title = { zh = "动作", en = "Act" }, value = "data.act" },
  { key = "department", type = "int", title = { zh = "部", en = "To" }, null = true, value = "data.fields.department" },
]
"""


@pytest.fixture
def town(media: Path) -> World:
    return world()


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts(tmp_path / "facts", tmp_path / "aside")


def everything(town: World, facts: Facts) -> None:
    """At least one row of every table."""
    lived(town, 41, count=25)
    police = System("police_calls", town.county, at=town.at)
    police.send(call("J-1"))
    police.send(call("J-2"))
    devices.register(code="s-1", model="smoke_nb", site=town.site, by=None, at=town.at)
    Hearing("mqtt").json([("s-1", orjson.dumps({"event": "fire", "seq": 1}))], at=town.at)
    Door(catalogue.current().get(CHANNELS, "officer_form"), by=town.grid_worker, at=town.at).take(
        [(None, {"client_id": "1", "description": "邻里吵闹到半夜", "area": town.grid.code, "topic": "dispute"})]
    )
    figure(town)
    followers.drain(at=timezone.now())
    facts.export(timezone.now(), behind=BEHIND)


def figure(town: World) -> None:
    plan = plans()["figures"]
    taking = Taking(by=town.administrator, at=town.at, reach=town.reach(town.administrator))
    message = {"指标": "常住人口", "辖区": "东镇", "期间": "2025", "数值": "31000"}
    assert [each.kind for each in Statistics(plan, taking).take([(1, message)])] == ["good"]


# ---------------------------------------------------------------- what is declared is what is exported


def test_every_file_has_exactly_the_columns_and_types_that_are_declared(town: World, facts: Facts) -> None:
    everything(town, facts)
    for table in catalogue.current().all(TABLES).values():
        files = list((facts.folder / table.key).glob("**/part-0.parquet"))
        assert files, table.key
        for file in files:
            assert pq.read_schema(file).equals(columns.schema(table)), file


def test_nobody_is_named_in_any_file_and_nothing_is_told_in_their_words(town: World, facts: Facts) -> None:
    everything(town, facts)
    assert Report.objects.filter(description="邻里吵闹到半夜").exists()
    with duckdb.connect() as database:
        for file in facts.folder.glob("**/*.parquet"):
            rows = database.execute("SELECT * FROM read_parquet($1)", [str(file)]).fetchall()
            said = str(rows)
            assert [secret for secret in SECRETS if secret in said] == [], file
    kinds = {column.privacy for table in catalogue.current().all(TABLES).values() for column in table.columns}
    assert kinds == {"public", "internal"}


# ---------------------------------------------------------------- alarms


def alarm(hearing: Hearing, seq: int, at: Any, code: str = "s-1") -> None:
    hearing.json([(code, orjson.dumps({"event": "fire", "seq": seq}))], at=at)


def test_an_alarm_is_a_row_and_what_was_found_of_it_comes_later(town: World, facts: Facts) -> None:
    devices.register(code="s-1", model="smoke_nb", site=town.site, by=None, at=town.at)
    hearing = Hearing("mqtt")
    for number in range(3):
        alarm(hearing, number + 1, town.at + timedelta(days=20 * number))
        followers.drain(at=town.at + timedelta(days=20 * number))
    facts.export(town.at, behind=BEHIND)
    asked = """SELECT device, model, area_path, site, began_date, verdict, minutes_to_verdict, repeats FROM alarms
        ORDER BY began_date"""
    rows = facts.ask(asked)
    assert [row[:4] for row in rows] == [("s-1", "smoke_nb", town.grid.path, str(town.site.pk))] * 3
    assert [row[4:] for row in rows] == [
        (date(2026, 3, 6), "", None, 0), (date(2026, 3, 26), "", None, 1), (date(2026, 4, 15), "", None, 1),
    ]  # fmt: skip
    case = Case.objects.filter(procedure="fire_alarm").order_by("opened_at")[0]
    at = case.opened_at + timedelta(minutes=7)
    doing = Doing("false_alarm", {"reason": "炒菜油烟"})
    cases.act(case.pk, doing, by=town.dispatcher, reach=town.reach(town.dispatcher), at=at)
    facts.export(town.at, behind=BEHIND)
    assert facts.column("SELECT verdict FROM alarms ORDER BY began_date") == ["", "", ""]  # nobody has read it yet
    followers.drain(at=at)
    run = facts.export(town.at, behind=BEHIND)
    assert months(run, "alarms") == ["2026-03"]
    assert [row[5:7] for row in facts.ask(asked)] == [("false", 7), ("", None), ("", None)]
    assert Episode.objects.filter(verdict="false").count() == 1
    assert again(facts, town.at, "fresh").files() == facts.files()


# ---------------------------------------------------------------- police calls


def test_calls_and_pushes_are_what_the_pages_of_calls_count(town: World, facts: Facts) -> None:
    police = System("police_calls", town.county, at=town.at)
    for number in ("J-1", "J-2", "J-3"):
        police.send(call(number))
    police.send(call("J-4", place={"address": "别处", "areaCode": "330101002001001"}, caller={}))
    followers.drain(at=timezone.now())
    facts.export(timezone.now(), behind=BEHIND)
    first = Push.objects.filter(key="scene").order_by("pk")[0]
    pushes.answer(first.pk, "已调解", resolved=True, by=town.scene_officer, at=first.pushed_at + timedelta(minutes=1))
    late = Push.objects.filter(key="scene").order_by("pk")[1]
    pushes.sweep(at=late.due_at)
    followers.drain(at=timezone.now())
    facts.export(timezone.now(), behind=BEHIND)
    span: dict[str, Any] = {"first": date(2026, 1, 1), "last": date(2026, 12, 31)}
    wanted = calls.figures(town.reach(town.analyst), town.county.path, **span)[town.county.path]
    counted = """SELECT count(*), count(*) FILTER (is_dispute), count(*) FILTER (repeat), count(*) FILTER (pushed),
        count(*) FILTER (pushed AND resolved) FROM calls"""
    assert facts.ask(counted) == [tuple(wanted[key] for key in ("calls", "disputes", "repeats", "pushed", "resolved"))]
    assert wanted["repeats"] == 2
    rows = {row[0]: row[1:] for row in facts.ask("SELECT push, received, answered, in_time FROM pushes")}
    assert rows[str(first.pk)] == (True, True, True)
    assert rows[str(late.pk)] == (False, False, False)
    assert len(rows) == Push.objects.count()
    assert facts.column("SELECT count(*) FROM reports WHERE by_resident") == [Call.objects.count()]
    assert again(facts, timezone.now(), "fresh").files() == facts.files()


# ---------------------------------------------------------------- a table that is nothing but a file


def packed(folder: Path, text: str = PACK) -> Sequence[Path]:
    file = folder / "pack/tables/hangings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return [*catalogue.current().roots, folder / "pack"]


def moved(town: World, days: float = 0) -> Case:
    at = town.at + timedelta(days=days)
    case = cases.open_case(Opening("incident", town.grid, "事项", topic="manhole"), by=town.triage, at=at)
    cases.act(case.pk, Doing("register", {}), by=town.triage, reach=town.reach(town.triage), at=at)
    doing = Doing("dispatch", {"department": town.housing.pk})
    return cases.act(case.pk, doing, by=town.dispatcher, reach=town.reach(town.dispatcher), at=at)


def test_a_table_is_added_by_one_file_and_followed_like_any_other(town: World, facts: Facts, tmp_path: Path) -> None:
    first = moved(town)
    with catalogue.using(packed(tmp_path)) as known:
        assert checks.problems(known) == []
        facts.export(town.at)
        second = moved(town, days=30)
        run = facts.export(town.at)
        assert months(run, "hangings") == ["2026-04"]
        assert facts.ask('SELECT "case", on_date, act, department FROM hangings ORDER BY on_date, act DESC') == [
            (str(first.pk), date(2026, 3, 6), "register", None),
            (str(first.pk), date(2026, 3, 6), "dispatch", town.housing.pk),
            (str(second.pk), date(2026, 4, 5), "register", None),
            (str(second.pk), date(2026, 4, 5), "dispatch", town.housing.pk),
        ]
        assert again(facts, town.at, "fresh").files() == facts.files()


def test_what_may_not_be_kept_so_long_is_emptied_when_its_months_are_over(
    town: World, facts: Facts, tmp_path: Path
) -> None:
    moved(town), moved(town, days=30)
    with catalogue.using(packed(tmp_path)):
        facts.export(town.at + timedelta(days=30))
        assert set(facts.column("SELECT area_path FROM hangings")) == {town.grid.path}
        run = facts.export(town.at + timedelta(days=60))
        assert months(run, "hangings") == ["2026-03"]
        assert facts.ask("SELECT DISTINCT month, area_path FROM hangings ORDER BY month") == [
            ("2026-03", ""), ("2026-04", town.grid.path),
        ]  # fmt: skip
        assert facts.export(town.at + timedelta(days=61)) is None
        assert again(facts, town.at + timedelta(days=61), "fresh").files() == facts.files()


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [('value = "data.act"', 'value = "data.fields"', "is no string"),
     ('type = "int"', 'type = "date"', "is no date"), ('null = true', 'null = false', "does not say it")],
)  # fmt: skip
def test_an_event_that_does_not_say_what_is_declared_is_named(
    town: World, facts: Facts, tmp_path: Path, right: str, wrong: str, says: str
) -> None:
    moved(town)
    with catalogue.using(packed(tmp_path, PACK.replace(right, wrong))), pytest.raises(NoFact, match=says):
        facts.export(town.at)


def test_words_of_people_cannot_be_declared_into_a_table(town: World, facts: Facts, tmp_path: Path) -> None:
    case = moved(town)
    doing = Doing("return", {"reason": "不归住建局管，" * 20})
    cases.act(case.pk, doing, by=town.handler, reach=town.reach(town.handler), at=town.at)
    wrong = PACK.replace('value = "data.act"', 'value = "data.fields.reason"')
    with catalogue.using(packed(tmp_path, wrong)), pytest.raises(NoFact, match="must be a key"):
        facts.export(town.at)


@pytest.mark.parametrize(
    ("text", "says"),
    [(PACK.replace('value = "data.act"', 'value = ""'), "a `month`, and each of its columns"),
     (PACK.replace('key = "hangings"', 'key = "cases"'), "no `value` belongs here"),
     (PACK.replace('keep_months = 2', 'keep_months = -1'), "at least 0"),
     (PACK.replace('value = "at_date"', 'value = "by"'), "Does not match")],
)  # fmt: skip
def test_a_file_that_cannot_be_a_table_is_refused_with_the_reason(tmp_path: Path, text: str, says: str) -> None:
    with catalogue.using(packed(tmp_path, text)) as known:
        found = [problem.sentence.en for problem in checks.problems(known)]
    assert any(says in each for each in found), found


def test_a_column_that_nothing_fills_is_named_with_the_likely_one() -> None:
    table = catalogue.current().get(TABLES, "returns")
    column = table.columns[0].model_copy(update={"key": "nht"})
    [(where, reason)] = sources.strangers(table.model_copy(update={"columns": (*table.columns, column)}))
    assert where == "columns[8].key"
    assert "did you mean “nth”" in reason.en
