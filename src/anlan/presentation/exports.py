"""Lists as files: cases, reports and events as CSV, Excel or JSON lines, with what the reach allows and no more."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone
from openpyxl import Workbook

from anlan.casework import cases
from anlan.casework.draft import plan_of
from anlan.casework.models import Case
from anlan.intake.models import Report
from anlan.kernel.text import Refusal, Text
from anlan.ledger.models import Event
from anlan.places.scope import Reach
from anlan.presentation.web.case_export import cell

M = TypeVar("M", bound=Model)
FORMATS: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson; charset=utf-8",
}
MOST_ROWS: Final = 1_000_000
_ROUND = 2000
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Column(Generic[M]):
    """One column: its key in JSON, its heading in both languages, and its value."""

    key: str
    title: Text
    value: Callable[[M], Any]


@dataclass(frozen=True, slots=True)
class Export(Generic[M]):
    """What can be exported: the rows a reach allows, and their columns."""

    columns: tuple[Column[M], ...]
    rows: Callable[[Reach], QuerySet[M]]


def _cases(reach: Reach) -> QuerySet[Case]:
    return cases.visible(reach, "cases.export").select_related("area", "lead", "site").order_by("opened_at", "id")


def _reports(reach: Reach) -> QuerySet[Report]:
    mine = reach.q("reports.see", owner="by")
    return Report.objects.filter(mine).select_related("area", "site").order_by("told_at", "id")


def _events(reach: Reach) -> QuerySet[Event]:
    return Event.objects.filter(reach.q("ledger.see")).order_by("seq")


def _column(key: str, zh: str, en: str, value: Callable[[Any], Any] | None = None) -> Column[Any]:
    return Column(key, Text(zh=zh, en=en), value or (lambda row: getattr(row, key)))


EXPORTS: Final[dict[str, Export[Any]]] = {
    "cases": Export(
        (
            _column("number", "编号", "Number"),
            _column("title", "事项", "Case"),
            _column("topic", "类别", "Topic"),
            _column("procedure", "流程", "Procedure"),
            _column("step", "环节", "Step", lambda case: plan_of(case).procedure.steps[case.step].title.zh),
            _column("outcome", "结果", "Outcome"),
            _column("area_code", "辖区编码", "Area code", lambda case: case.area.code),
            _column("area", "辖区", "Area", lambda case: case.area.name_zh),
            _column("address", "地址", "Address"),
            _column("site", "场所", "Site", lambda case: case.site.name if case.site else ""),
            _column("lead", "主办", "Led by", lambda case: case.lead.name_zh if case.lead else ""),
            _column("opened_at", "立案时间", "Opened"),
            _column("due_at", "期限", "Due"),
            _column("closed_at", "办结时间", "Closed"),
            _column("returns", "退回次数", "Returns"),
            _column("extensions", "延期次数", "Extensions"),
            _column("reworks", "返工次数", "Reworks"),
            _column("lon", "经度", "Longitude"),
            _column("lat", "纬度", "Latitude"),
            _column("id", "标识", "Id", lambda case: str(case.pk)),
        ),
        _cases,
    ),
    "reports": Export(
        (
            _column("message_id", "编号", "Number"),
            _column("channel", "渠道", "Channel"),
            _column("told_at", "上报时间", "Told"),
            _column("received_at", "收到时间", "Received"),
            _column("topic", "类别", "Topic"),
            _column("description", "描述", "Description"),
            _column("address", "地址", "Address"),
            _column("area_code", "辖区编码", "Area code", lambda report: report.area.code),
            _column("area", "辖区", "Area", lambda report: report.area.name_zh),
            _column("site", "场所", "Site", lambda report: report.site.name if report.site else ""),
            _column("lon", "经度", "Longitude"),
            _column("lat", "纬度", "Latitude"),
            _column("withdrawn_at", "撤回时间", "Withdrawn"),
            _column("id", "标识", "Id", lambda report: str(report.pk)),
        ),
        _reports,
    ),
    "events": Export(
        (
            _column("seq", "序号", "Seq"),
            _column("kind", "类型", "Kind"),
            _column("subject", "对象", "Subject", lambda event: str(event.subject)),
            _column("by", "人员", "By"),
            _column("at", "发生时间", "At"),
            _column("recorded_at", "记录时间", "Recorded"),
            _column("area_path", "辖区路径", "Area path"),
            _column("data", "内容", "Data"),
            _column("id", "标识", "Id", lambda event: str(event.id)),
        ),
        _events,
    ),
}


def find(what: str) -> Export[Any]:
    """The export `what`."""
    if what not in EXPORTS:
        raise Refusal(
            f"不能导出“{what}”；可以导出：{'、'.join(EXPORTS)}。",
            f"'{what}' cannot be exported; what can: {', '.join(EXPORTS)}.",
            field="what",
        )
    return EXPORTS[what]


def write(export: Export[M], rows: Iterable[M], form: str) -> Iterator[bytes]:
    """The file, piece by piece; `form` is csv, xlsx or jsonl. Moments are in the installation's time zone."""
    if form == "xlsx":
        return _xlsx(export, rows)
    return _csv(export, rows) if form == "csv" else _jsonl(export, rows)


def read(query: QuerySet[M]) -> Iterator[M]:
    """The rows of `query`, a round at a time."""
    return query[:MOST_ROWS].iterator(chunk_size=_ROUND)


def _headings(export: Export[M]) -> list[str]:
    return [f"{column.title.zh} {column.title.en}" for column in export.columns]


def _line(cells: Sequence[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()


def _csv(export: Export[M], rows: Iterable[M]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf"  # without it Excel reads Chinese as noise
    yield _line(_headings(export))
    for row in rows:
        yield _line(_cells(export, row))


def _jsonl(export: Export[M], rows: Iterable[M]) -> Iterator[bytes]:
    for row in rows:
        said = {column.key: _moment(column.value(row)) for column in export.columns}
        yield json.dumps(said, ensure_ascii=False).encode() + b"\n"


def _xlsx(export: Export[M], rows: Iterable[M]) -> Iterator[bytes]:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Anlan")
    sheet.freeze_panes = "A2"
    sheet.append(_headings(export))
    for row in rows:
        sheet.append(_cells(export, row))
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def _cells(export: Export[M], row: M) -> list[Any]:
    """A row as a spreadsheet may hold it: what a resident wrote is shown and never run."""
    values = (column.value(row) for column in export.columns)
    return [cell(json.dumps(each, ensure_ascii=False) if isinstance(each, dict) else each) for each in values]


def _moment(value: Any) -> Any:
    return timezone.localtime(value).isoformat() if isinstance(value, datetime) else value
