"""The pages on which a file comes in, in both languages, with and without scripts."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from anlan.casework import triage, undoing
from anlan.intake.files import sheets
from anlan.intake.models import Batch, Listed, Report, Statistic, Upload, UploadRow
from anlan.intake.uploading import uploads
from anlan.intake.uploading import work as upload_work
from anlan.intake.uploading.layout import plans
from anlan.ledger.models import Event
from anlan.presentation import layout_files
from anlan.presentation.commands.work import LOOPS, exhaust
from anlan.presentation.saying import speaking_in
from desk import at_desk
from ledgers import BREAKS, FLAT, broken, good, mixed, workbook
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def desk(town: World, media: Path) -> Client:
    return at_desk(town.administrator)


def said(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def sent(desk: Client, content: bytes, *, name: str = "台账.xlsx", **more: str) -> Any:
    return desk.post("/imports/", {"file": SimpleUploadedFile(name, content), **more}, follow=True)


def checked(desk: Client, content: bytes) -> tuple[Upload, Any]:
    """The file once its columns were taken as they were guessed."""
    page = sent(desk, content)
    upload = Upload.objects.latest("uploaded_at")
    chosen = {f"c{number}": field for field, number in upload.columns.items()}
    given = {"do": "check", "layout": upload.layout, "sheet": upload.sheet, **chosen}
    return upload, desk.post(page.request["PATH_INFO"], given, follow=True)


def test_a_file_goes_from_its_columns_to_its_broken_cells_to_its_good_rows(desk: Client) -> None:
    page = sent(desk, workbook([good(1), broken(2, BREAKS[0]), broken(3, BREAKS[7])]))
    assert "隐患台账（18 栏）" in said(page)
    assert "据实践报告" in said(page)
    upload, page = checked(desk, workbook([good(1), broken(2, BREAKS[0]), broken(3, BREAKS[7])]))
    assert "第 13 月不存在" in said(page)
    assert 'name="cell-检查时间"' in said(page)
    address = f"/imports/files/{upload.pk}/"
    mended = desk.post(f"{address}rows/3/", {"cell-检查时间": "2026-03-01"}, headers={"HX-Request": "true"})
    assert "改好了" in said(mended)
    assert 'hx-swap-oob="true"' in said(mended)
    page = desk.post(address, {"do": "receive"}, follow=True)
    assert "好的行都收下了" in said(page)
    assert "只能是" in said(page)
    assert Report.objects.count() == 2
    desk.post(f"{address}rows/4/", {"cell-等级": "重大"})
    assert Report.objects.count() == 3
    assert "没有要改的行" in said(desk.get(address))


def test_every_page_of_it_is_in_english_too(town: World, media: Path) -> None:
    desk = at_desk(town.administrator, "en")
    page = sent(desk, workbook([good(1), broken(2, BREAKS[0])]))
    assert "Hazard ledger (18 columns)" in said(page)
    upload, page = checked(desk, workbook([good(1), broken(2, BREAKS[0])]))
    assert "There is no month 13" in said(page)
    assert "Receive the good rows" in said(desk.get(f"/imports/files/{upload.pk}/"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04junk", "损坏"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "图片"),
        (b"", "空的"),
        (b"<html><script>alert(1)</script></html>", "网页"),
        (b"a" * (sheets.LARGEST_FILE + 1), "最多 64 MB"),
    ],
)
def test_a_file_that_is_no_table_is_refused_beside_the_field(desk: Client, content: bytes, words: str) -> None:
    page = sent(desk, content)
    assert page.status_code == 422
    assert words in said(page)
    assert not Upload.objects.exists()


def test_a_table_nobody_knows_says_that_nothing_is_imported_and_what_to_do(desk: Client) -> None:
    page = said(sent(desk, workbook([("1", "2")], heads=(("甲", "乙"),))))
    assert "没有认出表头，还什么都没有导入" in page
    assert 'href="/imports/layouts/sheet_general/"' in page
    assert "没有认出表头" not in said(sent(desk, workbook([good(1)])))


def test_what_a_cell_says_is_shown_and_never_run(desk: Client) -> None:
    row = good(1)
    row[FLAT.index("等级")] = "<script>alert(1)</script>"
    _, page = checked(desk, workbook([row]))
    assert "<script>alert(1)" not in said(page)
    assert "&lt;script&gt;alert(1)" in said(page)


def test_strange_cells_end_as_sentences(desk: Client) -> None:
    rows = []
    for number, value in enumerate(["长" * 10_000, "🔥😀", "'; DROP TABLE intake_report; --", "\u202eabc"], 1):
        row = good(number)
        row[FLAT.index("等级")] = value
        rows.append(row)
    zero = good(9)
    zero[FLAT.index("经度")] = zero[FLAT.index("纬度")] = 0
    upload, page = checked(desk, workbook([*rows, zero]))
    assert page.status_code == 200
    upload.refresh_from_db()
    assert (upload.good, upload.bad) == (1, 4)
    long = desk.post(f"/imports/files/{upload.pk}/rows/2/", {"cell-等级": "长" * 9999, "cell-不存在": "x"}, follow=True)
    assert long.status_code == 200
    assert desk.post(f"/imports/files/{upload.pk}/rows/99/", {}).status_code == 404


def test_one_s_file_is_nobody_else_s(desk: Client, town: World) -> None:
    upload, _ = checked(desk, workbook([broken(1, BREAKS[0])]))
    other = at_desk(town.triage)
    for path in ("", "to-mend/"):
        assert other.get(f"/imports/files/{upload.pk}/{path}").status_code == 404
    assert other.post(f"/imports/files/{upload.pk}/rows/2/", {}).status_code == 404


def test_a_long_file_is_left_to_the_background_and_shows_how_far_it_is(desk: Client, town: World) -> None:
    rows, _ = mixed(uploads.AT_ONCE + 100, 10)
    upload, page = checked(desk, workbook(rows))
    assert "<progress" in said(page)
    assert 'hx-trigger="load delay:1s"' in said(page)
    loop = next(loop for loop in LOOPS if loop.name == "uploads")
    assert exhaust(loop) == len(rows)
    upload.refresh_from_db()
    assert (upload.state, upload.good, upload.bad) == ("checked", len(rows) - 10, 10)
    part = desk.get(f"/imports/files/{upload.pk}/", headers={"HX-Request": "true", "HX-Target": "upload-here"})
    assert "<html" not in said(part)


def test_the_page_of_broken_cells_asks_the_database_as_often_for_eleven_rows_as_for_one(desk: Client) -> None:
    counts = []
    for number in (1, 11):
        upload, _ = checked(desk, workbook([broken(n + number * 50, BREAKS[7]) for n in range(number)]))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert said(desk.get(f"/imports/files/{upload.pk}/")).count('aria-invalid="true"') == number
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 16


def test_the_list_of_files_asks_as_often_for_eleven_as_for_one(desk: Client, town: World) -> None:
    def look() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get("/imports/").status_code == 200
        return len(asked)

    checked(desk, workbook([good(1)]))
    one = look()
    for number in range(2, 12):
        checked(desk, workbook([good(number)]))
    assert look() == one <= 14


# ---------------------------------------------------------------- files that go out


def test_the_rows_that_wait_go_out_with_the_reasons_and_come_back_mended(desk: Client, town: World) -> None:
    upload, _ = checked(desk, workbook([good(1), broken(2, BREAKS[7]), broken(3, BREAKS[0])]))
    answer = desk.get(f"/imports/files/{upload.pk}/to-mend/")
    book = load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    assert heads[-1] == "错误原因"
    cell = sheet.cell(2, heads.index("等级") + 1)
    assert cell.comment is not None
    assert "只能是" in cell.comment.text
    assert "只能是" in str(sheet.cell(2, len(heads)).value)
    cell.value = "重大"
    sheet.cell(3, heads.index("检查时间") + 1).value = "2026-01-05"
    out = io.BytesIO()
    book.save(out)
    again, _ = checked(desk, out.getvalue())
    again.refresh_from_db()
    assert (again.good, again.bad) == (2, 0)


def test_nothing_in_a_file_that_goes_out_is_a_formula(desk: Client) -> None:
    row = broken(1, BREAKS[7])
    row[FLAT.index("整改要求")] = "+1+cmd|' /C calc'!A0"
    row[FLAT.index("检查人")] = "@SUM(1)"
    upload, _ = checked(desk, workbook([row]))
    book = load_workbook(io.BytesIO(desk.get(f"/imports/files/{upload.pk}/to-mend/").content))
    cells = [cell for cell in book.worksheets[0][2] if str(cell.value).startswith(("+", "@", "=", "-"))]
    assert len(cells) == 2
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in cells)


def test_every_layout_has_an_empty_table_that_is_recognised_and_explains_itself(desk: Client, town: World) -> None:
    for key, plan in plans().items():
        content = desk.get(f"/imports/layouts/{key}/").content
        book = load_workbook(io.BytesIO(content))
        assert [cell.value for cell in book.worksheets[0][1]] == [each.names[0] for each in plan.columns.values()]
        assert book["填写说明"].max_row > len(plan.columns)
        wants = sum(bool(layout_files.choices(column)) for column in plan.columns.values())
        assert len(book.worksheets[0].data_validations.dataValidation) == wants
        upload = uploads.begin(content, name="x.xlsx", layout="", by=town.administrator, at=town.at)
        assert upload.layout == key
    assert desk.get("/imports/layouts/nothing/").status_code == 404


HOUSES = """房屋编码,房屋地址,所属网格,房主,房东电话,建筑面积,居住人数
F1,幸福路 1 号,东一村一网格,甲,13800000000,120㎡,8 人
,幸福路 2 号,东一村一网格,,,1.5亩,
"""
WORKS = """企业名称,所属网格,统一社会信用代码,联系人,从业人数
五金厂,东一村一网格,91330000MA00000001,某某,１２０人
"""
FIGURES = """指标,辖区,期间,数值,单位,来源
火警,东镇,2026年2月,"1,204.5",起,月报
"""
LISTS = {
    "hazard_ledger": workbook([good(1), good(2), good(3)]),
    "rental_houses": HOUSES.encode(),
    "enterprises": WORKS.encode(),
    "figures": FIGURES.encode(),
}


@pytest.mark.parametrize("key", sorted(LISTS))
def test_what_goes_out_in_a_layout_adds_nothing_when_it_comes_in_again(town: World, media: Path, key: str) -> None:
    desk = at_desk(town.triage if key == "hazard_ledger" else town.administrator)
    upload, _ = checked(desk, LISTS[key])
    desk.post(f"/imports/files/{upload.pk}/", {"do": "receive"})
    before = (Report.objects.count(), Listed.objects.count(), Statistic.objects.count())
    assert sum(before) > 0
    out = desk.get(f"/imports/layouts/{key}/export/").content
    assert b"13800000000" not in out
    again, _ = checked(desk, out)
    again.refresh_from_db()
    assert (again.layout, again.good, again.changed, again.bad) == (key, 0, 0, 0)
    assert again.repeated == sum(before)


def test_a_file_imported_by_mistake_is_withdrawn_until_a_case_answers_it(desk: Client, town: World) -> None:
    upload, _ = checked(desk, LISTS["hazard_ledger"])
    desk.post(f"/imports/files/{upload.pk}/", {"do": "receive"})
    upload.refresh_from_db()
    address = f"/imports/{upload.batch_id}/"
    assert "整批撤回" in said(desk.get(address))
    assert desk.post(address, {"reason": ""}).status_code == 422
    assert "已撤回 3 条" in said(desk.post(address, {"reason": "传错了文件"}, follow=True))
    assert not Report.objects.filter(withdrawn_at=None).exists()
    assert Event.objects.filter(kind="batch.withdrawn").count() == 1
    assert "整批撤回" not in said(desk.get(address))
    other, _ = checked(desk, workbook([good(7)]))
    desk.post(f"/imports/files/{other.pk}/", {"do": "receive"})
    triage.take(Report.objects.get(withdrawn_at=None), by=town.triage, at=town.at)
    other.refresh_from_db()
    with pytest.raises(undoing.TooLate, match="1 条上报已经立为事项"):
        undoing.undo(Batch.objects.latest("started_at"), reason="x", by=town.administrator, at=town.at)


def test_a_correction_withdrawn_gives_back_the_figure_before_it(desk: Client, town: World) -> None:
    for value in ("5", "6"):
        upload, _ = checked(desk, f"指标,辖区,期间,数值\n火警,东镇,2026-02,{value}\n".encode())
        desk.post(f"/imports/files/{upload.pk}/", {"do": "receive"})
    upload.refresh_from_db()
    desk.post(f"/imports/{upload.batch_id}/", {"reason": "更正有误"})
    assert Statistic.objects.get(is_current=True).value == 5.0
    upload, _ = checked(desk, "指标,辖区,期间,数值\n火警,东镇,2026-02,7\n".encode())
    desk.post(f"/imports/files/{upload.pk}/", {"do": "receive"})
    assert list(Statistic.objects.order_by("version").values_list("version", "value")) == [(1, 5.0), (2, 6.0), (3, 7.0)]


def test_an_export_holds_nothing_from_beyond_one_s_reach(desk: Client, town: World) -> None:
    upload, _ = checked(desk, LISTS["hazard_ledger"])
    desk.post(f"/imports/files/{upload.pk}/", {"do": "receive"})
    plan = plans()["hazard_ledger"]
    with speaking_in("zh"):
        ours = layout_files.export(plan, town.reach(town.supervisor))
        theirs = layout_files.export(plan, town.reach(town.outsider))
    assert load_workbook(io.BytesIO(ours)).worksheets[0].max_row == 4
    assert load_workbook(io.BytesIO(theirs)).worksheets[0].max_row == 1


def test_a_row_mended_meanwhile_elsewhere_is_said_to_be_settled(desk: Client, town: World) -> None:
    upload, _ = checked(desk, workbook([broken(1, BREAKS[7])]))
    desk.post(f"/imports/files/{upload.pk}/", {"do": "receive"})
    held = UploadRow.objects.get().held
    assert held is not None
    desk.post(f"/held/{held.pk}/", {"discard": "1", "reason": "不要了"})
    assert "没有要改的行" in said(desk.get(f"/imports/files/{upload.pk}/"))
    assert upload_work.waiting() is None
