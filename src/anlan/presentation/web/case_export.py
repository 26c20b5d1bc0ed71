"""Lists as files: Excel and CSV, row by row, with nothing in a cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from anlan.casework.models import Case
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name, say
from anlan.presentation.web import lights
from anlan.presentation.web.case_filters import filters, narrowed
from anlan.presentation.web.case_rows import headline, topic_title, with_names
from anlan.presentation.web.cases import sort_of, state_of
from anlan.presentation.web.deadlines import step_title
from anlan.presentation.web.frame import Asked

MOST = 50_000
AT_ONCE = 2_000
# Spreadsheets set to Chinese or Japanese take the full-width signs for the plain ones.
RISKY = (*"=+-@＝＋－＠", "\t", "\r", "\n")
CUT = Text(
    zh="只导出了前 {n} 行；请用筛选缩小范围后分次导出。",
    en="Only the first {n} rows are here; narrow the list with filters and export in parts.",
)
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Out:
    """One column of a file."""

    title: Text
    value: Callable[[Any], Any]
    width: int = 14


def cell(value: Any) -> str | int | float | None:
    """What may stand in a cell: numbers as they are, moments as local text, and no text that begins a formula."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    text = str(say(value)) if isinstance(value, Text) else str(value)
    text = "".join(letter for letter in text if letter >= " " or letter in "\t\n\r")
    return f"'{text}" if text.startswith(RISKY) else text


def columns(at: datetime) -> Sequence[Out]:
    """The columns of an export of cases."""
    return (
        Out(Text(zh="编号", en="Number"), lambda c: c.number, 20),
        Out(Text(zh="事项", en="Case"), headline, 40),
        Out(Text(zh="类别", en="Topic"), lambda c: topic_title(c.topic)),
        Out(Text(zh="辖区", en="Area"), lambda c: name(c.area)),
        Out(Text(zh="地址", en="Address"), lambda c: c.address, 30),
        Out(Text(zh="环节", en="Step"), step_title),
        Out(Text(zh="状态", en="Light"), lambda c: lights.light_of(c, now=at).word),
        Out(Text(zh="主办部门", en="Lead department"), lambda c: name(c.lead)),
        Out(Text(zh="经办人", en="Handler"), lambda c: c.handler.name if c.handler else None),
        Out(Text(zh="立案时间", en="Opened"), lambda c: c.opened_at, 17),
        Out(Text(zh="到期时间", en="Due"), lambda c: c.due_at, 17),
        Out(Text(zh="办结时间", en="Closed"), lambda c: c.closed_at, 17),
        Out(Text(zh="退回次数", en="Returns"), lambda c: c.returns, 9),
        Out(Text(zh="返工次数", en="Reworks"), lambda c: c.reworks, 9),
        Out(Text(zh="上报条数", en="Reports"), lambda c: c.reports_count, 9),
    )


@needs("cases.export")
def case_export(request: Asked, kind: str) -> HttpResponseBase:
    """The list as the address filters it, as `xlsx` or `csv`."""
    if kind not in ("xlsx", "csv"):
        raise NotFound
    bar = filters(request)
    rows, _ = narrowed(request, bar, state_of(request), action="cases.export")
    order = ("-opened_at", "-pk") if sort_of(request) == "opened" else ("due_at", "pk")
    found = _taken(with_names(rows).order_by(*order))
    stamp = f"{timezone.localtime(request.at):%Y%m%d-%H%M}"
    outs = columns(request.at)
    return excel(f"cases-{stamp}.xlsx", outs, found) if kind == "xlsx" else text(f"cases-{stamp}.csv", outs, found)


def _taken(rows: QuerySet[Case]) -> Iterator[Case]:
    """At most one row more than a file holds, read in parts."""
    return rows[: MOST + 1].iterator(chunk_size=AT_ONCE)


def lines(outs: Sequence[Out], rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The rows of a file without its heading; the last one says so when the list was cut."""
    for count, row in enumerate(rows):
        if count == MOST:
            yield [say(CUT.format(n=MOST))]
            return
        yield [cell(out.value(row)) for out in outs]


def excel(file_name: str, outs: Sequence[Out], rows: Iterable[Any]) -> FileResponse:
    """An Excel file, written to disk row by row and sent from there."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    for place, out in enumerate(outs, 1):
        sheet.column_dimensions[get_column_letter(place)].width = out.width
    sheet.append([_bold(sheet, say(out.title)) for out in outs])
    for line in lines(outs, rows):
        sheet.append(line)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it when it is sent
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=file_name, content_type=SHEET)


def _bold(sheet: Any, words: str) -> Any:
    heading = WriteOnlyCell(sheet, value=words)
    heading.font = Font(bold=True)
    return heading


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        return value


def text(file_name: str, outs: Sequence[Out], rows: Iterable[Any]) -> StreamingHttpResponse:
    """A CSV file, sent while it is read; the mark at its beginning lets a spreadsheet see that it is UTF-8."""
    writer, language = csv.writer(_Echo()), translation.get_language()

    def parts() -> Iterator[str]:
        yield "\ufeff" + heading
        told = lines(outs, rows)
        while True:
            # The language of the request is over when this is sent, so it is set again for each line.
            with translation.override(language):
                line = next(told, None)
            if line is None:
                return
            yield writer.writerow(line)

    heading = writer.writerow([say(out.title) for out in outs])
    response = StreamingHttpResponse(parts(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
