"""Whether a score can be trusted: signals beside it, the cases they point at, and a sample drawn by lot."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.urls import reverse
from typer.testing import CliRunner

import index_deep
from anlan.casework.models import Case
from anlan.index.editions import edition
from anlan.index.rulebook import integrity
from anlan.kernel.catalogue import PACKAGE
from anlan.presentation.commands.main import app
from desk import at_desk, done, hidden, opened, text
from world import World, world


@pytest.fixture
def town(data: Path) -> World:
    """A published March of six hazards; in the east everything is fixed too fast."""
    made = world()
    march = [opened(made, at=made.at + timedelta(minutes=count)) for count in range(5)]
    march.append(opened(made, area=made.west_grid, at=made.at))
    signals = {made.county.path: ("watch", 0.6), made.east.path: ("raised", 0.9), made.west.path: ("quiet", 0.2)}
    now = index_deep.written(data, made, "2026-03", march, late=march[:2], signals=signals)
    index_deep.out(now, signed_by=made.supervisor.pk, published_by=made.area_lead.pk)
    return made


def shown(town: World, who: str = "analyst", **query: str) -> Any:
    return at_desk(getattr(town, who)).get(reverse("index_integrity", args=["peace", "2026-03"]), query)


def test_a_signal_says_how_sure_it_is_and_what_to_look_at(town: World) -> None:
    answer = shown(town, area=town.east.code)
    [read] = answer.context["reads"]
    assert (read.raised, read.share, read.interval, read.counts) == ("raised", "90.0%", "80.0%~100.0%", "9/10")
    assert answer.context["finding"].zh == "1 个信号中 1 个异常：整改过快"
    for words in ("异常，请核查", "到现场看几件。", "从不计入得分", "未核验"):
        assert words in text(answer), words


def test_the_areas_below_stand_with_what_is_unusual_first(town: World) -> None:
    answer = shown(town, area=town.county.code)
    assert answer.context["finding"].zh == "1 个信号中 1 个偏高，数量还不足以断定"
    assert [row.cells[0].value for row in answer.context["below"].rows] == ["东镇", "西镇"]
    assert "异常，请核查" in str(answer.context["below"].rows[0].cells[1].value)


def test_a_signal_opens_onto_its_cases_within_reach(town: World) -> None:
    answer = shown(town, area=town.county.code, signal="fixed_fast")
    assert len(answer.context["table"].rows) == 4
    lead = shown(town, "area_lead", area=town.county.code, signal="fixed_fast")
    assert lead.context["table"].caption.zh == "4 件事项，您能看到其中 3 件"
    assert shown(town, signal="nothing").status_code == 404


def test_beside_an_old_picture_stands_the_case_that_had_it_first_for_those_who_may_see_that(
    town: World, data: Path
) -> None:
    made = edition.find(data / "index", "peace", "2026-03")
    west = Case.objects.get(area=town.west_grid)
    again = Case.objects.filter(area=town.grid)[0]
    shipped = PACKAGE / "index/signals/same_photo_twice.toml"
    shutil.copy(shipped, made.folder / "spec/signals/same_photo_twice.toml")
    row = {"event": "e", "photo": "p", "case": str(again.pk), "area_path": again.area_path, "stage": "after",
           "valid": True, "outcome": "cured", "given_before": True, "closed_date": date(2026, 3, 9),
           "first_case": str(west.pk)}  # fmt: skip
    folder = made.facts / "photos/month=2026-03"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row]), folder / "part-0.parquet")
    answer = shown(town, area=town.county.code, signal="same_photo_twice")
    [line] = answer.context["table"].rows
    assert line.cells[0].sub == again.number
    assert reverse("case", args=[west.number]) in line.cells[-1].value
    assert west.number in text(answer)
    lead = text(shown(town, "area_lead", area=town.county.code, signal="same_photo_twice"))
    assert "不在您职责内的事项" in lead
    assert west.number not in lead


def test_the_sample_is_drawn_by_a_lot_that_anybody_draws_again(town: World, data: Path) -> None:
    answer = shown(town, area=town.county.code)
    made = edition.find(data / "index", "peace", "2026-03").manifest
    assert answer.context["seed"] == integrity.seed_of("peace", "2026-03", made.result_sha256)
    assert answer.context["of"] == answer.context["drawn"] == 6
    assert len(answer.context["sample"].rows) == 6
    assert len(shown(town, "area_lead", area=town.county.code).context["sample"].rows) == 5


def page_of(case: Case, **query: str) -> str:
    return reverse("index_recheck", args=["peace", "2026-03", case.pk], query={"area": "330101", **query})


def found(town: World, case: Case, answer: str, note: str = "", who: str = "supervisor", **query: str) -> Any:
    client = at_desk(getattr(town, who))
    key = hidden(text(client.get(page_of(case, **query))), "key")
    return client.post(page_of(case, **query), {"fixed": answer, "note": note, "key": key}, follow=True)


def drawn(town: World, who: str = "supervisor", **query: str) -> Any:
    return shown(town, who, area=town.county.code, **query)


def test_what_is_found_gives_the_true_rate_with_its_interval(town: World) -> None:
    assert "抽到的 6 件还都没有看" in text(drawn(town))
    for number, case in enumerate(Case.objects.order_by("pk")[:4]):
        answer = found(town, case, "no" if number == 0 else "yes", "还堵着" if number == 0 else "")
        assert f"已记录 {case.number}" in text(answer)
    rate = integrity.fixed(3, 4, 6)
    page = text(drawn(town))
    assert f"约 75.0%，九成把握在 {rate.low * 100:.1f}% 到 {rate.high * 100:.1f}% 之间" in page
    assert "还有 2 件没有看" in page
    assert "还堵着" in page
    assert page.count("整改属实</span>") == 3


def test_the_later_record_stands_and_says_that_it_is_one(town: World) -> None:
    case = Case.objects.all()[0]
    found(town, case, "no", "还堵着")
    answer = found(town, case, "yes", "看错了楼层")
    assert "第 2 次记录：看错了楼层" in text(answer)
    assert "约 100.0%" in text(answer)
    story = text(at_desk(town.supervisor).get(reverse("case", args=[case.number])))
    for words in ("复查：没有整改好", "复查：整改属实", "peace 2026-03 #1", "还堵着"):
        assert words in story, words


def test_what_is_not_fixed_needs_a_word_and_an_answer(town: World) -> None:
    case = Case.objects.all()[0]
    answer = found(town, case, "no")
    assert answer.status_code == 422
    assert "请写明现场看到什么" in text(answer)
    assert found(town, case, "").status_code == 422
    assert "还都没有看" in text(drawn(town))


def test_a_double_click_is_one_record(town: World) -> None:
    case, client = Case.objects.all()[0], at_desk(town.supervisor)
    said = {"fixed": "yes", "note": "", "key": hidden(text(client.get(page_of(case))), "key")}
    for _ in range(2):
        client.post(page_of(case), said)
    assert "次记录" not in text(drawn(town))


def test_whoever_had_a_part_is_told_why_they_cannot(town: World) -> None:
    case = Case.objects.order_by("opened_at")[0]
    done(town, case, town.triage, "register")
    done(town, case, town.dispatcher, "dispatch", department=town.housing.pk)
    answer = at_desk(town.dispatcher).get(page_of(case))
    assert answer.status_code == 403
    assert "您办理过这个事项，不能由您复查" in text(answer)
    posted = at_desk(town.dispatcher).post(page_of(case), {"fixed": "yes", "key": "1"})
    assert posted.status_code == 403
    assert "还都没有看" in text(drawn(town))


def test_only_a_case_that_was_drawn_is_recorded_by_those_who_may(town: World) -> None:
    other = opened(town)
    assert at_desk(town.supervisor).get(page_of(other)).status_code == 404
    case = Case.objects.order_by("opened_at")[0]
    made = drawn(town, size="1")
    [row] = made.context["sample"].rows
    for each in Case.objects.exclude(pk=other.pk):
        expected = 200 if each.number == row.cells[0].sub else 404
        assert at_desk(town.supervisor).get(page_of(each, size="1")).status_code == expected
    assert at_desk(town.analyst).get(page_of(case)).status_code == 403
    assert at_desk(town.outsider).get(page_of(case)).status_code == 404
    assert "记录<span" not in text(drawn(town, "analyst"))
    assert "记录<span" in text(drawn(town))


def test_what_is_not_fixed_and_closed_can_be_taken_up_again_from_here(town: World) -> None:
    case = Case.objects.order_by("opened_at")[0]
    done(town, case, town.triage, "decline", reason="现场未见")
    answer = found(town, case, "no", "还堵着")
    assert reverse("case_act", args=[case.number, "reopen"]) in text(answer)


def test_more_are_drawn_by_asking_for_more_and_the_first_ones_stay(town: World) -> None:
    few = [row.label.zh for row in drawn(town, size="3").context["sample"].rows]
    every = [row.cells[0].sub for row in drawn(town).context["sample"].rows]
    assert len(few) == 3
    assert [row.cells[0].sub for row in drawn(town, size="3").context["sample"].rows] == every[:3]
    for size in ("0", "501", "x", "9999999"):
        assert "1 到 500 的整数" in text(drawn(town, size=size))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_draw_is_taken_along_as_a_file(town: World, kind: str) -> None:
    case = Case.objects.all()[0]
    found(town, case, "no", "=还堵着")
    url = reverse("index_recheck_list", args=["peace", "2026-03", kind], query={"area": "330101"})
    answer = at_desk(town.supervisor).get(url)
    content = b"".join(answer)
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert rows[0][:2] == ["签号", "编号"]
        assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5", "6"]
        [mine] = [row for row in rows if row[1] == case.number]
        assert mine[7:10] == ["没有整改好", "'=还堵着", town.supervisor.name]
    assert at_desk(town.outsider).get(url).status_code == 404
    assert at_desk(town.grid_worker).get(url).status_code == 403


def test_the_command_draws_the_same_and_writes_it_down(town: World, tmp_path: Path) -> None:
    page = [row.cells[0].sub for row in drawn(town).context["sample"].rows]
    found(town, Case.objects.get(number=page[0]), "yes")
    file = tmp_path / "draw.csv"
    asked = ["index", "recheck", "peace", "2026-03", "--area", town.county.code, "--csv", str(file)]
    answer = CliRunner().invoke(app, asked)
    assert answer.exit_code == 0, answer.output
    assert [line.split()[1] for line in answer.output.splitlines()[:6]] == page
    assert "peace 2026-03 #1: 6 of 6 drawn" in answer.output
    assert "About 100.0% are truly fixed" in answer.output
    rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
    assert [row[1] for row in rows[1:]] == page
    assert "2 of 6 drawn" in CliRunner().invoke(app, [*asked[:4], "--size", "2"]).output
    wrong = CliRunner().invoke(app, [*asked[:4], "--area", "nowhere"])
    assert "no area with the code" in wrong.stderr


def test_who_may_not_see_figures_sees_none(town: World) -> None:
    assert shown(town, "grid_worker").status_code == 403
    assert shown(town, "outsider").status_code == 404
