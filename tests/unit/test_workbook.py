"""Workbooks as people have them, and as people who mean harm make them."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from anlan.intake.files import headings, sheets, workbook
from anlan.intake.files.sheets import Unusable
from anlan.intake.files.workbook import BadWorkbook, Grid

EMPTY: Mapping[str, bytes] = {}
NOON = datetime(2026, 11, 2, 12, 30)  # noqa: DTZ001 - a spreadsheet's cells have no zone


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def of(fill: Callable[[Any], object]) -> bytes:
    book = Workbook()
    fill(book.active)
    return saved(book)


def old(fill: Callable[[Any], object]) -> bytes:
    book = xlwt.Workbook()
    fill(book.add_sheet("台账"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(
    content: bytes, change: Callable[[str, bytes], bytes] = lambda _, part: part, more: Mapping[str, bytes] = EMPTY
) -> bytes:
    """The packed workbook with its parts changed, and some more put in."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given_, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given_.namelist():
            made.writestr(name, change(name, given_.read(name)))
        for name, part in more.items():
            made.writestr(name, part)
    return out.getvalue()


def grid(content: bytes, sheet: int = 0) -> Grid:
    file = sheets.open_file(content, name="台账.xlsx")
    return file.grid(file.names[sheet])


def refused(content: bytes) -> str:
    with pytest.raises((BadWorkbook, Unusable)) as told:
        grid(content)
    assert told.value.text.en
    return told.value.text.zh


def small() -> bytes:
    return of(lambda sheet: sheet.append(["编号", "时间"]))


def test_an_old_workbook_is_read_like_a_new_one() -> None:
    def fill(sheet: Any) -> None:
        sheet.write(0, 0, "编号")
        sheet.write(1, 0, 12.0)
        sheet.write(1, 1, NOON, xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm"))
        sheet.write_merge(2, 3, 0, 1, "并")
        sheet.write(3, 2, "尾")

    assert grid(old(fill)).rows == [
        ["编号", "", ""],
        ["12", "2026-11-02 12:30:00", ""],
        ["并", "并", ""],
        ["并", "并", "尾"],
    ]


def test_a_formula_shows_itself_and_not_what_it_last_came_to() -> None:
    def fill(sheet: Any) -> None:
        sheet["B2"] = '=HYPERLINK("http://x","y")'
        sheet["C2"] = 3

    assert grid(of(fill)).rows[1] == ["", '=HYPERLINK("http://x","y")', "3"]


def test_a_formula_in_an_old_workbook_is_seen() -> None:
    def fill(sheet: Any) -> None:
        sheet.write(0, 0, "数")
        sheet.write(1, 0, xlwt.Formula("1+1"))

    assert grid(old(fill)).rows == [["数"], ["=…"]]


def test_an_error_in_a_cell_stays_in_sight() -> None:
    def fill(sheet: Any) -> None:
        sheet["A1"] = "数"
        sheet["A2"] = "#N/A"
        sheet["A2"].data_type = "e"

    assert grid(of(fill)).rows == [["数"], ["#N/A"]]


def test_a_merged_cell_says_the_same_in_every_row_it_covers() -> None:
    def fill(sheet: Any) -> None:
        for row in (["工点", "隐患"], ["一号", "甲"], ["", "乙"], ["", "丙"]):
            sheet.append(row)
        sheet.merge_cells("A2:A4")

    assert [row[0] for row in grid(of(fill)).rows] == ["工点", "一号", "一号", "一号"]


@pytest.mark.parametrize("epoch", [datetime(1899, 12, 30), datetime(1904, 1, 1)])  # noqa: DTZ001
def test_a_date_is_the_same_day_in_either_way_of_counting(epoch: datetime) -> None:
    book = Workbook()
    book.epoch = epoch
    assert book.active is not None
    book.active["A1"] = date(2026, 11, 2)
    assert grid(saved(book)).rows == [["2026-11-02"]]


def test_a_hidden_sheet_is_known_and_not_taken_for_the_first() -> None:
    book = Workbook()
    assert book.active is not None
    book.active.sheet_state = "hidden"
    book.create_sheet("给人看的")
    book.create_sheet("第三张")["A1"] = 1
    file = sheets.open_file(saved(book), name="x.xlsx")
    assert (file.hidden, file.shown) == (frozenset({"Sheet"}), ("给人看的", "第三张"))


def test_every_heading_of_two_rows_has_its_own_name() -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["隐患台账"])
        sheet.append(["序号", "隐患描述", "责任单位", None, None, "责任人"])
        sheet.append([None, None, "建设", "施工", "监理", None])
        sheet.append([1, "堆物", "甲", "乙", "丙", "丁"])
        sheet.merge_cells("A1:F1")
        sheet.merge_cells("C2:E2")
        for column in "ABF":
            sheet.merge_cells(f"{column}2:{column}3")

    found = list(headings.candidates(grid(of(fill))))
    assert ("序号", "隐患描述", "责任单位/建设", "责任单位/施工", "责任单位/监理", "责任人") in [
        each.names for each in found if each.below == 3
    ]


def test_headings_of_two_rows_are_found_in_a_csv_too() -> None:
    rows = grid("序号,责任单位,,责任人\n,建设,施工,\n1,甲,乙,丙\n".encode())
    assert next(headings.candidates(rows)).names == ("序号", "责任单位/建设", "责任单位/施工", "责任人")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (["合计", "", "12"], "合计行"),
        (["", "总 计", "12"], "合计行"),
        (["", "", ""], "空行"),
        (["填表人：某某", "", ""], "表尾说明"),
        (["序号", "描述", "数"], "重复的表头"),
    ],
)
def test_a_row_that_is_no_data_is_told_apart(row: list[str], why: str) -> None:
    told = headings.no_data(row, ("序号", "描述", "数"))
    assert told is not None
    assert told.zh == why


def test_a_row_of_data_is_never_taken_for_something_else() -> None:
    assert headings.no_data(["1", "合计金额写错", "12"], ("序号", "描述", "数")) is None


# ---------------------------------------------------------------- what must not be opened


def test_a_file_with_macros_is_refused() -> None:
    assert "宏" in refused(changed(small(), more={"xl/vbaProject.bin": b"x"}))
    typed = changed(small(), lambda name, part: part.replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml"))
    assert "宏" in refused(typed)


def test_a_file_linked_to_other_workbooks_is_refused() -> None:
    assert "链接" in refused(changed(small(), more={"xl/externalLinks/externalLink1.xml": b"<x/>"}))


def test_a_packed_file_of_another_kind_is_named() -> None:
    assert "Word" in refused(changed(small()).replace(b"xl/workbook.xml", b"xl/workbook.bin"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", "<x/>")
    assert "ODS" in refused(out.getvalue())


def test_a_web_page_under_the_name_of_a_table_is_refused() -> None:
    assert "网页" in refused(b"<html><table><tr><td>1</td></tr></table></html>")


def test_a_part_that_says_it_is_smaller_than_it_is_is_refused() -> None:
    content = bytearray(changed(small(), lambda name, part: part + b" " * 5000 if "sheet1" in name else part))
    for found in re.finditer(b"xl/worksheets/sheet1.xml", bytes(content)):
        head = content.rfind(b"PK", 0, found.start())
        at = head + (22 if content[head + 2] == 3 else 24)
        size = struct.unpack_from("<I", content, at)[0]
        struct.pack_into("<I", content, at, size - 4000)
    assert "损坏" in refused(bytes(content))


def test_a_part_packed_far_too_tightly_is_refused_before_it_is_unpacked() -> None:
    assert "压缩得异常紧" in refused(changed(small(), more={"xl/media/image1.png": b" " * (20 << 20)}))


def test_a_cell_very_far_out_is_refused_before_memory_is_taken_for_it() -> None:
    def fill(sheet: Any) -> None:
        sheet["A1"] = "编号"
        sheet["XFD1048576"] = "x"

    assert "范围太大" in refused(of(fill))


def test_formats_without_content_far_out_do_no_harm() -> None:
    content = changed(small(), lambda name, part: part.replace(b"</row>", b'<c r="XFD1" s="0"/></row>'))
    assert grid(content).rows == [["编号", "时间"]]


def test_one_long_text_in_very_many_cells_is_refused() -> None:
    cells = b"".join(b'<c r="%c%c2" t="s"><v>0</v></c>' % (a, b) for a in b"AB" for b in range(65, 91))
    strings = b'<sst xmlns="x"><si><t>' + b"x" * (6 << 20) + b"</t></si></sst>"
    content = changed(
        small(),
        lambda _, part: part.replace(b"</row>", b'</row><row r="2">' + cells + b"</row>"),
        more={"xl/sharedStrings.xml": strings},
    )
    assert "重复太多" in refused(content)


def test_too_many_rows_or_columns_are_refused() -> None:
    with pytest.raises(BadWorkbook, match="超过 2 行"):
        workbook.open_book(of(lambda sheet: [sheet.append([1]) for _ in range(3)])).grid(
            "Sheet", most_rows=2, most_columns=9
        )
    assert "200 列" in refused(of(lambda sheet: sheet.append(range(201))))


def test_a_file_with_a_password_is_refused() -> None:
    ole = old(lambda sheet: sheet.write(0, 0, "x"))
    locked = bytearray(ole)
    at = ole.find(b"\x42\x00\x02\x00")  # the record of the code page comes early; a lock stands in its place
    struct.pack_into("<H", locked, at, 0x002F)
    assert "密码" in refused(bytes(locked))


def test_an_old_workbook_that_is_cut_off_is_refused() -> None:
    content = old(lambda sheet: sheet.write(0, 0, "x"))
    assert "损坏" in refused(content[: len(content) // 3])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 5000), st.booleans())
def test_a_spoilt_workbook_is_read_or_refused_and_nothing_else(noise: bytes, at: int, new: bool) -> None:
    whole = SMALL if new else OLD
    place = at % len(whole)
    try:
        grid(whole[:place] + noise + whole[place + len(noise) :])
    except (BadWorkbook, Unusable):
        return


SMALL = small()
OLD = old(lambda sheet: sheet.write(0, 0, "x"))

CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).filter(
        lambda text: not text.startswith("=")
    ),
    st.integers(-(10**14), 10**14),
    st.booleans(),
    st.dates(date(1970, 1, 1), date(2200, 1, 1)),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),  # noqa: DTZ001
)


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat() if value == datetime.combine(value.date(), datetime.min.time()) else str(value)
    return str(value)


@settings(max_examples=60, deadline=timedelta(seconds=2))
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_what_a_workbook_is_given_is_what_is_read(rows: list[list[Any]]) -> None:
    content = of(lambda sheet: [sheet.append(["头", *row]) for row in rows])
    read = grid(content).rows
    assert [(row + [""] * 4)[1:4] for row in read] == [[written(cell) for cell in row] for row in rows]
