"""Files: read whole or refused whole, with a sentence."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.files import sheets
from anlan.intake.files.sheets import SURPLUS, Unusable
from anlan.intake.files.workbook import BadWorkbook
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal

AFTERNOON = datetime(2026, 11, 2, 14, 5)  # noqa: DTZ001 - a spreadsheet's cells have no zone
HEAD = "编号,时间,描述\n"


@pytest.fixture
def channel() -> Channel:
    return catalogue.current().get(CHANNELS, "sheet_general")


def workbook(*rows: Sequence[object]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def refusal(content: bytes, channel: Channel) -> Refusal:
    with pytest.raises((Unusable, BadWorkbook)) as refused:
        sheets.read(content, channel, name="台账.csv")
    return refused.value


def test_a_csv_is_read_with_its_row_numbers(channel: Channel) -> None:
    sheet = sheets.read(f"{HEAD}1,2026-11-02,堆物\n\n2,2026-11-03,漏气\n".encode(), channel, name="a.csv")
    assert list(sheet.rows()) == [
        (2, {"编号": "1", "时间": "2026-11-02", "描述": "堆物"}),
        (4, {"编号": "2", "时间": "2026-11-03", "描述": "漏气"}),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_a_csv_in_any_declared_encoding_is_read_alike(channel: Channel, encoding: str) -> None:
    sheet = sheets.read(f"{HEAD}1,2026-11-02,堆物\n".encode(encoding), channel, name="a.csv")
    assert [message["描述"] for _, message in sheet.rows()] == ["堆物"]


def test_a_gbk_file_where_only_utf8_is_declared_is_refused_with_what_to_do(channel: Channel) -> None:
    only = channel.model_copy(update={"encodings": ("utf-8",)})
    told = refusal(f"{HEAD}1,2026-11-02,堆物\n".encode("gbk"), only)
    assert "第 1 行" in told.text.zh
    assert "GBK" in told.text.zh
    assert "looks like GBK" in told.text.en


def test_a_gzip_that_is_cut_off_is_refused_whole_saying_where(channel: Channel) -> None:
    rows = "".join(f"{n},2026-11-02,堆物{n * 7919}\n" for n in range(5000))
    packed = gzip.compress((HEAD + rows).encode())
    assert len(sheets.read(packed, channel, name="a.csv.gz")) == 5000
    told = refusal(packed[: len(packed) // 2], channel)
    assert "不完整" in told.text.zh
    assert "Nothing was imported" in told.text.en


@pytest.mark.parametrize("place", [12, 40, -3])
def test_a_damaged_gzip_is_refused(channel: Channel, place: int) -> None:
    packed = bytearray(gzip.compress(f"{HEAD}1,2026-11-02,堆物\n".encode() * 3))
    packed[place] ^= 0xFF
    assert "压缩文件" in refusal(bytes(packed), channel).text.zh


def test_a_gzip_of_several_parts_is_read_on(channel: Channel) -> None:
    packed = gzip.compress(HEAD.encode()) + gzip.compress("1,2026-11-02,堆物\n".encode())
    assert len(sheets.read(packed, channel, name="a.csv.gz")) == 1


def test_a_missing_column_is_named_beside_the_columns_there_are(channel: Channel) -> None:
    told = refusal("编号,时间,备注\n1,2026-11-02,x\n".encode(), channel)
    assert "缺少列：描述/" in told.text.zh
    assert "编号、时间、备注" in told.text.zh
    assert "Columns missing: 描述/" in told.text.en


def test_an_empty_file_is_refused(channel: Channel) -> None:
    assert "空的" in refusal(b"", channel).text.zh
    assert "空的" in refusal(b"\n\n,,\n", channel).text.zh


def test_a_title_above_the_headings_is_passed_over(channel: Channel) -> None:
    sheet = sheets.read(f"巡查台账,,\n{HEAD}1,2026-11-02,堆物\n".encode(), channel, name="a.csv")
    assert [row_no for row_no, _ in sheet.rows()] == [3]


def test_two_columns_of_one_name_are_refused(channel: Channel) -> None:
    assert "出现了两次" in refusal("时间,描述,描述\n".encode(), channel).text.zh


def test_cells_beyond_the_headings_are_kept_for_the_quarantine(channel: Channel) -> None:
    sheet = sheets.read(
        f"{HEAD}1,2026-11-02,堆物,多,余\n2,2026-11-02,x,\n3,2026-11-02\n".encode(), channel, name="a.csv"
    )
    messages = [message for _, message in sheet.rows()]
    assert messages[0][SURPLUS] == "多 余"
    assert SURPLUS not in messages[1]
    assert messages[2]["描述"] == ""


def test_a_quote_that_never_closes_is_refused_with_its_row(channel: Channel) -> None:
    assert "第 3 行" in refusal(f'{HEAD}1,2026-11-02,好\n2,2026-11-02,"坏\n3,2026-11-02,x\n'.encode(), channel).text.zh


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_other_delimiters_are_noticed(channel: Channel, delimiter: str) -> None:
    text = f"{HEAD}1,2026-11-02,堆物\n".replace(",", delimiter)
    assert [m["描述"] for _, m in sheets.read(text.encode(), channel, name="a.csv").rows()] == ["堆物"]


def test_a_workbook_is_read_as_text(channel: Channel) -> None:
    content = workbook(["编号", "时间", "描述"], [1.0, AFTERNOON, "堆物"], [], ["A-2", "2026年11月3日", True])
    rows = list(sheets.read(content, channel, name="a.xlsx").rows())
    assert rows[0] == (2, {"编号": "1", "时间": "2026-11-02 14:05:00", "描述": "堆物"})
    assert rows[1] == (4, {"编号": "A-2", "时间": "2026年11月3日", "描述": "TRUE"})


def test_a_formula_stays_the_text_it_is(channel: Channel) -> None:
    content = workbook(["编号", "时间", "描述"], [1, "2026-11-02", '=HYPERLINK("http://x","y")'])
    assert [m["描述"] for _, m in sheets.read(content, channel, name="a.xlsx").rows()] == ['=HYPERLINK("http://x","y")']


def test_a_workbook_that_is_cut_off_is_refused(channel: Channel) -> None:
    content = workbook(["编号", "时间", "描述"], [1, "2026-11-02", "x"])
    assert "xlsx" in refusal(content[: len(content) // 2], channel).text.zh


def test_a_zip_that_is_no_workbook_is_refused(channel: Channel) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", HEAD)
    assert "zip" in refusal(out.getvalue(), channel).text.zh


def test_a_workbook_with_xml_entities_is_refused(channel: Channel) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    assert "XML" in refusal(out.getvalue(), channel).text.en


def test_a_workbook_that_unpacks_to_far_too_much_is_refused(channel: Channel, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(520):
                part.write(b" " * (1 << 20))
    assert "512 MB" in refusal(bomb.read_bytes(), channel).text.zh


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xd0\xcf\x11\xe0rest", "损坏"), (b"%PDF-1.7", "PDF"), (b"Rar!\x1a", "RAR"), (b"\x89PNG", "图片")],
)
def test_another_kind_of_file_is_named_and_refused(channel: Channel, content: bytes, said: str) -> None:
    assert said in refusal(content, channel).text.zh


def test_utf16_is_read_by_the_mark_at_its_beginning(channel: Channel) -> None:
    sheet = sheets.read(f"{HEAD}1,2026-11-02,堆物\n".encode("utf-16"), channel, name="a.csv")
    assert [message["描述"] for _, message in sheet.rows()] == ["堆物"]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(channel: Channel) -> None:
    assert "最多 64 MB" in refusal(b"a" * (sheets.LARGEST_FILE + 1), channel).text.zh


@pytest.mark.parametrize("name", ["台账.xlsx", "台账.XLS"])
def test_a_damaged_excel_file_is_called_damaged_and_not_badly_encoded(name: str, channel: Channel) -> None:
    with pytest.raises(Unusable) as refused:
        sheets.read(b"\x00\xff\x8f cut off", channel, name=name)
    assert "已损坏" in refused.value.text.zh
    assert "encoding" not in refused.value.text.en
