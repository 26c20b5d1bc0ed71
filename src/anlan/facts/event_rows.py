"""The rows of tables that are nothing but a declaration: one row an event, its columns read from it by `value`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from anlan.facts.histories import dashed
from anlan.facts.known import Known
from anlan.facts.table import Column, FactTable
from anlan.kernel.text import Refusal
from anlan.ledger.models import Event

LONGEST: Final = 64
_EXPECTED: Final[dict[str, tuple[type, ...]]] = {
    "string": (str, int), "int": (int,), "double": (int, float), "bool": (bool,), "date": (date,),
    "moment": (datetime,),
}  # fmt: skip


class NoFact(Refusal):
    """What an event says is not what the table's column declares."""


def rows(table: FactTable, ids: Sequence[int], known: Known) -> Iterator[tuple[Any, ...]]:
    """The rows of these events (by seq), in the order of the table's columns."""
    for event in Event.objects.filter(seq__in=ids, kind__in=table.events).order_by("seq"):
        yield tuple(_value(table, column, event, known) for column in table.columns)


def _value(table: FactTable, column: Column, event: Event, known: Known) -> Any:
    told = _told(column.value, event, known)
    if told is None or told == "":
        return _nothing(table, column, event)
    if column.type in ("date", "moment") and isinstance(told, str):
        told = date.fromisoformat(told) if column.type == "date" else datetime.fromisoformat(told)
    fits = isinstance(told, _EXPECTED[column.type]) and (column.type == "bool" or not isinstance(told, bool))
    if not fits or (column.type == "string" and not _is_key(str(told))):
        raise NoFact(
            f"事实表“{table.key}”的列“{column.key}”：事件 {event.seq} 里是“{str(told)[:20]}”，不是{column.type}"
            f"（文字只能是代码，不超过 {LONGEST} 字、不换行）。请改 value。",
            f"Table '{table.key}', column '{column.key}': event {event.seq} says '{str(told)[:20]}', which is no "
            f"{column.type} (a text must be a key of at most {LONGEST} characters on one line). Correct its value.",
        )
    return str(told) if column.type == "string" else told


def _told(value: str, event: Event, known: Known) -> Any:
    if value.startswith("data."):
        found: Any = event.data
        for part in value.split(".")[1:]:
            found = found.get(part) if isinstance(found, dict) else None
        return found
    if value.endswith("_date"):
        return known.calendar_at(event.area_path).local_date(getattr(event, value.removesuffix("_date") + "_at"
                                                                     if value != "at_date" else "at"))  # fmt: skip
    return dashed(getattr(event, value)) if value in ("id", "subject") else getattr(event, value)


def _nothing(table: FactTable, column: Column, event: Event) -> Any:
    if column.type == "string":
        return ""
    if column.null:
        return None
    raise NoFact(
        f"事实表“{table.key}”的列“{column.key}”：事件 {event.seq} 里没有这一项。请写 null = true，或改 value。",
        f"Table '{table.key}', column '{column.key}': event {event.seq} does not say it. Set null = true, or correct "
        "its value.",
    )


def _is_key(text: str) -> bool:
    return len(text) <= LONGEST and "\n" not in text
