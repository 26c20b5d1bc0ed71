"""Files in a layout's own columns: an empty one to fill in, the rows that could not be taken, and what is kept."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from anlan.intake import topic
from anlan.intake.channel import Column
from anlan.intake.files.unit import UNITS
from anlan.intake.models import Listed, Report, Statistic, UploadRow
from anlan.intake.reading import as_written
from anlan.intake.uploading.layout import Plan, Target
from anlan.intake.uploading.table import REASONS
from anlan.intake.uploading.work import whole
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.places.scope import Reach
from anlan.places.site_kind import all_kinds
from anlan.presentation.saying import say

MOST: Final = 50_000
ASKED: Final[dict[Target, str]] = {"reports": "cases.export", "sites": "sites.see", "statistics": "statistics.see"}
"""What somebody must be allowed in order to take out what was received."""
_BAD = PatternFill("solid", fgColor="FFF4D6D6")
_HEAD = PatternFill("solid", fgColor="FFE3EEF2")
_MUST = PatternFill("solid", fgColor="FFFFF4D6")
# Spreadsheets set to Chinese or Japanese take the full-width signs for the plain ones.
_RISKY = (*"=+-@＝＋－＠", "\t", "\r", "\n")
_KINDS: Final[dict[str, Text]] = {
    "text": Text(zh="文字", en="text"),
    "date": Text(zh="日期，如 2026-11-02 或 2026年11月2日", en="a date like 2026-11-02"),
    "datetime": Text(zh="日期和时间，如 2026-11-02 14:05", en="a date and time like 2026-11-02 14:05"),
    "number": Text(zh="数字", en="a number"),
    "lon": Text(zh="经度，如 120.123456", en="a longitude like 120.123456"),
    "lat": Text(zh="纬度，如 29.123456", en="a latitude like 29.123456"),
    "area_code": Text(zh="辖区的编码，或独一无二的名称", en="an area's code, or its name where only one has it"),
    "topic": Text(zh="类别的名称，从列表中选", en="a topic, from the list"),
    "choice": Text(zh="从列表中选", en="from the list"),
    "phone": Text(zh="电话号码；单独加密保管", en="a telephone number; kept apart and encrypted"),
    "period": Text(zh="一个月、季度或年，如 2026年11月", en="a month, quarter or year like 2026-11"),
    "site_kind": Text(zh="场所类型，从列表中选", en="a kind of site, from the list"),
}


def template(plan: Plan) -> bytes:
    """An empty table with the layout's headings, lists to choose from, and a sheet that explains every column."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = say(plan.title)[:31].replace("/", " ").replace("*", "")
    explained, lists = book.create_sheet(say(EXPLAINED)), book.create_sheet(say(LISTS))
    explained.append([say(title) for title in _EXPLAINS])
    example = next((each.message for each in plan.channel.examples if not each.refused), {})
    for place, (field, column) in enumerate(plan.columns.items(), 1):
        head = sheet.cell(1, place, column.names[0])
        head.font, head.fill = Font(bold=True), _MUST if column.required else _HEAD
        sheet.column_dimensions[get_column_letter(place)].width = 16
        chosen = choices(column)
        explained.append([_plain(cell) for cell in _explained(plan, field, column, chosen, example)])
        if chosen:
            _list(sheet, lists, place, chosen)
    sheet.freeze_panes = "A2"
    _decent(explained)
    if plan.basis is not None:
        explained.append([])
        explained.append([f"{say(BASIS)}：{say(plan.basis.source)}（{say(plan.basis.standing)}）"])
    return _saved(book)


EXPLAINED: Final = Text(zh="填写说明", en="How to fill in")
LISTS: Final = Text(zh="可选值", en="Choices")
BASIS: Final = Text(zh="栏目的依据", en="Where the columns are from")
_EXPLAINS: Final = (
    Text(zh="栏目", en="Column"), Text(zh="必填", en="Must be there"), Text(zh="填什么", en="What to write"),
    Text(zh="可选值", en="Choices"), Text(zh="也可以叫", en="Also called"), Text(zh="示例", en="Example"),
)  # fmt: skip
_YES: Final = Text(zh="是", en="yes")


def _explained(
    plan: Plan, field: str, column: Column, chosen: Sequence[str], example: Mapping[str, str]
) -> Iterator[str]:
    yield column.names[0]
    yield say(_YES) if column.required else ""
    kind = say(_KINDS[column.kind])
    yield f"{kind}（{say(catalogue.current().get(UNITS, column.unit).title)}）" if column.unit else kind
    yield "、".join(chosen)
    yield "、".join(column.names[1:])
    yield next((told for name, told in example.items() if name in column.names), "")


def choices(column: Column) -> list[str]:
    """What may be written in a column that is chosen from a list."""
    if column.kind == "choice":
        return list(column.choices)
    if column.kind == "topic":
        return [say(each.title) for each in catalogue.current().all(topic.TOPICS).values()]
    return [say(kind.title) for kind in all_kinds().values()] if column.kind == "site_kind" else []


def _list(sheet: Any, lists: Any, place: int, chosen: Sequence[str]) -> None:
    letter = get_column_letter(place)
    for row, value in enumerate(chosen, 1):
        lists.cell(row, place, _plain(value))
    rule = DataValidation(
        type="list", formula1=f"'{lists.title}'!${letter}$1:${letter}${len(chosen)}", allow_blank=True
    )
    rule.add(f"{letter}2:{letter}5000")
    sheet.add_data_validation(rule)


def _decent(sheet: Any) -> None:
    for place, width in enumerate((16, 10, 34, 40, 40, 24), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.cell(1, place).font = Font(bold=True)
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")


def bad_rows(columns: Sequence[str], rows: Iterable[UploadRow]) -> bytes:
    """The rows that wait, with what is wrong beside them and on the cells, to be mended and sent again."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(say(Text(zh="待改正的行", en="Rows to mend")))
    sheet.freeze_panes = "A2"
    sheet.column_dimensions[get_column_letter(len(columns) + 1)].width = 60
    sheet.append([_bold(sheet, name) for name in (*columns, REASONS)])
    for row in rows:
        told, wrong = whole(row), reasons_by_column(row)
        cells = [safe(sheet, told.get(name, "")) for name in columns]
        for name, cell in zip(columns, cells, strict=True):
            if name in wrong:
                cell.fill = _BAD
                cell.comment = Comment(say(wrong[name]), "Anlan", width=320, height=90)
        said = "\n".join(say(Text(zh=each["zh"], en=each["en"])) for each in row.reasons)
        sheet.append([*cells, safe(sheet, said)])
    return _saved(book)


def reasons_by_column(row: UploadRow) -> dict[str, Text]:
    """What is wrong with each cell of a row, by its heading."""
    return {each["column"]: Text(zh=each["zh"], en=each["en"]) for each in row.reasons}


def export(plan: Plan, reach: Reach) -> bytes:
    """What was received in this layout and is within reach, in its own columns; nothing personal is in it."""
    fields = [field for field, column in plan.columns.items() if not column.personal]
    rows = {"reports": _reports, "sites": _sites, "statistics": _statistics}[plan.target](plan, reach)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(say(plan.title)[:31].replace("/", " "))
    sheet.freeze_panes = "A2"
    sheet.append([_bold(sheet, plan.heading(field)) for field in fields])
    for told in rows:
        sheet.append([safe(sheet, told.get(field, "")) for field in fields])
    return _saved(book)


def _reports(plan: Plan, reach: Reach) -> Iterator[Mapping[str, str]]:
    mine: QuerySet[Report] = Report.objects.filter(
        reach.q(ASKED["reports"]), channel=plan.key, withdrawn_at=None
    ).order_by("told_at", "pk")
    names = {name: field for field, column in plan.columns.items() for name in reversed(column.names)}
    for raw in mine.values_list("raw", flat=True)[:MOST].iterator(chunk_size=2000):
        yield {names[name]: told for name, told in raw.items() if name in names}


def _sites(plan: Plan, reach: Reach) -> Iterator[Mapping[str, str]]:
    found = Listed.objects.filter(
        reach.q(ASKED["sites"], area="site__area_path", party="site__operator"), layout=plan.key
    )
    rows = found.select_related("site__area", "site__operator").order_by("number")
    kinds, zone = all_kinds(), ZoneInfo(plan.channel.time_zone)
    for listed in rows[:MOST].iterator(chunk_size=2000):
        site, party = listed.site, listed.site.operator
        told = {
            "name": site.name, "code": site.code, "address": site.address, "area": site.area.code,
            "kind": kinds[site.kind].title.zh if site.kind in kinds else site.kind,
            "operator": party.name if party else "", "operator_code": party.official_code if party else "",
            "lon": site.lon, "lat": site.lat, **listed.values,
        }  # fmt: skip
        told = {field: value for field, value in told.items() if field in listed.fields}
        yield {field: as_written(value, zone) for field, value in told.items() if value not in (None, "")}


def _statistics(plan: Plan, reach: Reach) -> Iterator[Mapping[str, str]]:
    found = Statistic.objects.filter(reach.q(ASKED["statistics"]), layout=plan.key, is_current=True)
    for each in found.select_related("area").order_by("area_path", "figure", "period")[:MOST].iterator(chunk_size=2000):
        yield {
            "figure": each.figure, "area": each.area.code, "period": each.period, "value": f"{each.value:.10g}",
            "unit": each.unit, "source": each.source,
        }  # fmt: skip


def safe(sheet: Any, value: str) -> Any:
    """A cell that is text and stays text: nothing in it is ever run, not even when somebody edits it."""
    cell = WriteOnlyCell(sheet, value=_plain(value))
    if value.startswith(_RISKY):
        cell.data_type, cell.quotePrefix = "s", True
    return cell


def _plain(value: str) -> str:
    """Without what no workbook may hold."""
    return "".join(letter for letter in value if letter >= " " or letter in "\t\n\r")[:32_000]


def _bold(sheet: Any, words: str) -> Any:
    heading = WriteOnlyCell(sheet, value=_plain(words))
    heading.font, heading.fill = Font(bold=True), _HEAD
    return heading


def _saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
