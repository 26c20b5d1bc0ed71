"""Ledgers as workbooks: rows that are good, and rows broken in twelve ways, each in one cell that is known."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

TOP = [
    "序号", "检查时间", "检查单位", "检查人", "检查项目", "工点", "隐患描述", "类型", "等级", "整改要求", "整改期限",
    "责任单位", None, None, None, "责任人", "完成日期", "销号情况", "经度", "纬度", "辖区",
]  # fmt: skip
BELOW = [None] * 11 + ["建设", "设计", "施工", "监理"] + [None] * 6
FLAT = [top or f"责任单位/{low}" for top, low in zip(TOP, BELOW, strict=True)]
FLAT[11] = "责任单位/建设"
FIRST = date(2025, 1, 1)
AREA = "东一村一网格"


def good(number: int, *, days: int = 360) -> list[Any]:
    """A row of the ledger with nothing wrong in it; the dates are written in five ways."""
    day = FIRST + timedelta(days=number % days)
    written = [day, f"{day.year}年{day.month}月{day.day}日", f"{day.year}.{day.month}.{day.day}", day.isoformat(), day]
    units = ["建设公司", "设计院", "施工公司", "监理公司"]
    told = f"第 {number} 处：配电箱未上锁"
    return [
        number, written[number % 5], "安监站", "检查员甲", "临时用电", f"{number % 97} 号工点", told, "临时用电",
        "一般", "上锁", written[(number + 1) % 5], *units, "责任人乙", None, "未销号", 122.02, 27.02, AREA,
    ]  # fmt: skip


@dataclass(frozen=True)
class Break:
    """One way of being wrong: the column, what stands in it, and words of the reason that must be given."""

    column: str
    value: Any
    says: str

    @property
    def place(self) -> int:
        return FLAT.index(self.column)


BREAKS = (
    Break("检查时间", "2026年13月1日", "第 13 月不存在"),
    Break("检查时间", "昨天", "看不出是哪一天"),
    Break("检查时间", date(1900, 3, 5), "1900 年太早"),
    Break("检查时间", date(2199, 1, 1), "还没有到"),
    Break("工点", None, "必须填写"),
    Break("隐患描述", "#N/A", "算不出来"),
    Break("类型", "别的什么", "没有这个类别"),
    Break("等级", "很大", "只能是"),
    Break("整改期限", "=TODAY()+7", "这是公式"),
    Break("经度", "二百", "不是经度"),
    Break("纬度", 127.0, "写反"),
    Break("辖区", "没有的村", "没有这个编码的辖区"),
)


def broken(number: int, how: Break) -> list[Any]:
    """The row `number`, wrong in one cell."""
    row = good(number)
    row[how.place] = how.value
    if how.column == "辖区":
        row[FLAT.index("经度")] = row[FLAT.index("纬度")] = None
    return row


def workbook(rows: Iterable[Sequence[Any]], *, heads: Sequence[Sequence[Any]] = (FLAT,)) -> bytes:
    """The rows under their headings, in an .xlsx."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("隐患台账")
    for head in heads:
        sheet.append(list(head))
    for row in rows:
        sheet.append([_error(sheet, cell) if cell == "#N/A" else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _error(sheet: Any, value: str) -> Any:
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "e"
    return cell


def as_people_keep_it(rows: Iterable[Sequence[Any]], last: Sequence[Any] = ()) -> bytes:
    """With a title, headings of two rows, merged cells, and a row of totals at the end."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["某某工程安全隐患排查治理台账"])
    sheet.append(TOP)
    sheet.append(BELOW)
    for row in rows:
        sheet.append(list(row))
    if last:
        sheet.append(list(last))
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(TOP))
    sheet.merge_cells("L2:O2")
    for place, name in enumerate(TOP, 1):
        if name and name != "责任单位":
            sheet.merge_cells(start_row=2, end_row=3, start_column=place, end_column=place)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def mixed(count: int, bad: int) -> tuple[list[list[Any]], dict[int, Break]]:
    """`count` rows of which `bad` are broken, in turn in each of the ways; the broken ones by their row in the file."""
    every = count // bad
    rows: list[list[Any]] = []
    known: dict[int, Break] = {}
    for number in range(1, count + 1):
        if number % every == 0 and len(known) < bad:
            how = BREAKS[len(known) % len(BREAKS)]
            known[number + 1] = how
            rows.append(broken(number, how))
        else:
            rows.append(good(number))
    return rows, known
