"""Which rows come from what: for each thing in the ledger the tables it has rows in, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, NamedTuple

from anlan.facts import (
    alarm_rows,
    call_rows,
    case_rows,
    event_rows,
    report_rows,
    snapshot_rows,
    statistic_rows,
    touched,
)
from anlan.facts.histories import dashed
from anlan.facts.known import Known
from anlan.facts.photo_rows import PhotoRow
from anlan.facts.table import FactTable
from anlan.facts.touched import Kinds, Touched
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Text

CHUNK: Final = 2000
BETWEEN: Final = "\x1f"
Rows = Iterable[Sequence[Any]]


class Out(NamedTuple):
    """Rows of one table; `fields` names their values in order."""

    table: str
    fields: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True)
class Source:
    """One sort of thing. `owner` are the columns that name the thing in each of its tables; a thing's rows are made
    anew together. `gone` gives the days on which rows lay of things that may have none any more. Rows of the tables
    `moving` may lie in another month than before.
    """

    name: str
    tables: tuple[str, ...]
    owner: tuple[str, ...]
    rows: Callable[[Sequence[Any], Known], Iterable[Out]]
    everything: Callable[[], Iterator[Any]]
    touched: Callable[[Touched], Kinds]
    key: Callable[[Any], str] = dashed
    gone: Callable[[Sequence[Any], Known], Iterable[date]] | None = None
    moving: tuple[str, ...] = ()


def _cases(ids: Sequence[Any], known: Known) -> Iterator[Out]:
    made = case_rows.rows(ids, known)
    yield Out("cases", case_rows.CaseRow._fields, made.cases)
    yield Out("steps", case_rows.StepRow._fields, made.steps)
    yield Out("returns", case_rows.ReturnRow._fields, made.returns)
    yield Out("clocks", case_rows.ClockRow._fields, made.clocks)
    yield Out("photos", PhotoRow._fields, made.photos)


def _reports(ids: Sequence[Any], known: Known) -> Iterator[Out]:
    yield Out("reports", report_rows.ReportRow._fields, report_rows.rows(ids, known))


def _alarms(ids: Sequence[Any], known: Known) -> Iterator[Out]:
    yield Out("alarms", alarm_rows.AlarmRow._fields, alarm_rows.rows(ids, known))


def _calls(ids: Sequence[Any], known: Known) -> Iterator[Out]:
    yield Out("calls", call_rows.CallRow._fields, call_rows.calls(ids, known))


def _pushes(ids: Sequence[Any], known: Known) -> Iterator[Out]:
    yield Out("pushes", call_rows.PushRow._fields, call_rows.pushes(ids, known))


def _figures(ids: Sequence[Any], known: Known) -> Iterator[Out]:
    yield Out("statistics", statistic_rows.StatisticRow._fields, statistic_rows.rows(ids, known))


def _key_of_figure(figure: tuple[str, str, str]) -> str:
    return BETWEEN.join(figure)


FIXED: Final = (
    Source("cases", ("cases", "steps", "returns", "clocks", "photos"), ("case",), _cases,
           touched.all_cases, lambda found: found.cases, moving=("clocks",)),
    Source("reports", ("reports",), ("report",), _reports, touched.all_reports, lambda found: found.reports,
           gone=report_rows.days),
    Source("alarms", ("alarms",), ("alarm",), _alarms, touched.all_alarms, lambda found: found.alarms),
    Source("calls", ("calls",), ("report",), _calls, touched.all_calls, lambda found: found.calls),
    Source("pushes", ("pushes",), ("push",), _pushes, touched.all_pushes, lambda found: found.pushes),
    Source("figures", ("statistics",), ("figure", "area_path", "period"), _figures, touched.all_figures,
           lambda found: found.figures, key=_key_of_figure),
)  # fmt: skip
SNAPSHOTS: Final[dict[str, tuple[tuple[str, ...], Callable[[], Rows]]]] = {
    "sites": (snapshot_rows.SiteRow._fields, snapshot_rows.sites),
    "areas": (snapshot_rows.AreaRow._fields, snapshot_rows.areas),
}
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "cases": case_rows.CaseRow._fields,
    "steps": case_rows.StepRow._fields,
    "returns": case_rows.ReturnRow._fields,
    "clocks": case_rows.ClockRow._fields,
    "photos": PhotoRow._fields,
    "reports": report_rows.ReportRow._fields,
    "alarms": alarm_rows.AlarmRow._fields,
    "calls": call_rows.CallRow._fields,
    "pushes": call_rows.PushRow._fields,
    "statistics": statistic_rows.StatisticRow._fields,
    "sites": snapshot_rows.SiteRow._fields,
    "areas": snapshot_rows.AreaRow._fields,
}
"""The columns there are of each table that is made here; what is declared chooses among them."""


def sources(known: Known) -> list[Source]:
    """Every source, those of tables that are declared alone among them."""
    return [*FIXED, *(_of_events(table, known) for table in known.tables.values() if table.of_events)]


def _of_events(table: FactTable, known: Known) -> Source:
    """Events never change, so that a table of them is only ever added to."""

    def rows(ids: Sequence[Any], known: Known) -> Iterator[Out]:
        yield Out(table.key, table.names, event_rows.rows(table, ids, known))

    return Source(
        table.key, (table.key,), table.row, rows, partial(touched.all_events, table.events, known.until),
        lambda found: found.events.get(table.key, {}), key=str,
    )  # fmt: skip


def strangers(table: FactTable) -> Iterator[tuple[str, Text]]:
    """(field, reason) of columns that nothing fills."""
    fields = FIELDS.get(table.key)
    if fields is None:
        if not table.of_events:
            yield (
                "columns",
                Text(
                    zh="没有程序产生这张表：请给每一列写 value，逐事件成行。",
                    en="Nothing makes this table: give each column a `value`, so that each event is a row.",
                ),
            )
        return
    if table.of_events:
        yield "columns", Text(zh="这张表由程序产生，不能写 value。", en="This table is made; no `value` belongs here.")
    for number, column in enumerate(table.columns):
        if column.key not in fields:
            yield f"columns[{number}].key", unknown("列", "column", column.key, fields)
