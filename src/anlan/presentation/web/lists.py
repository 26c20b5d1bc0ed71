"""Lists drawn from a few lines: columns, filters whose every state is an address, and paging by key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from anlan.kernel.text import Text
from anlan.presentation.web.lights import Light

PAGE_SIZE = 50
M = TypeVar("M", bound=Model)
Choices = Sequence[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `value(row)` may be a Text, a moment, a date, a Light, a model with a name, or plain words."""

    title: Text
    value: Callable[[Any], Any]
    sub: Callable[[Any], Any] | None = None
    css: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    column: Column
    value: Any
    sub: Any

    @property
    def css(self) -> str:
        return self.column.css


@dataclass(frozen=True, slots=True)
class Row:
    cells: list[Cell]
    url: str = ""
    light: Light | None = None
    key: str = ""

    @property
    def label(self) -> Any:
        return self.cells[0].value


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty list says: what will appear here, and how to begin."""

    title: Text
    text: Text
    url: str = ""
    act: Text | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list and the cursors to its neighbours ("" when there is none)."""

    items: list[Any]
    before: str = ""
    after: str = ""


@dataclass(slots=True)
class Table:
    """What `parts/table.html` draws. `pick` puts a box before each row; `drawer` opens rows in the right drawer."""

    caption: Text
    columns: Sequence[Column]
    rows: list[Row]
    empty: Empty | None = None
    page: Page | None = None
    pick: bool = False
    drawer: bool = False
    wide: bool = False
    quiet_caption: bool = False
    form: str = ""


def table(
    items: Iterable[Any],
    columns: Sequence[Column],
    *,
    caption: Text,
    url: Callable[[Any], str] | None = None,
    light: Callable[[Any], Light | None] | None = None,
    **rest: Any,
) -> Table:
    """A table of `items`; `rest` goes to `Table`."""
    rows = [
        Row(
            [Cell(column, column.value(item), column.sub(item) if column.sub else None) for column in columns],
            url(item) if url else "",
            light(item) if light else None,
            str(getattr(item, "pk", "")),
        )
        for item in items
    ]
    return Table(caption, columns, rows, **rest)


def page_of(
    query: QuerySet[M, Any], request: HttpRequest, *, order: Sequence[str], size: int = PAGE_SIZE, strict: bool = False
) -> Page:
    """One page of `query` by key: the last row's `order` values are the cursor, so page 50 costs what page 1 costs.

    `order` names non-null columns, "-" for descending, ending in a unique one; all in the same direction. A cursor that
    was not given by this list means the first page, or raises `ValueError` when `strict`.
    """
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    backwards = bool(before) and not after
    given = _read(before if backwards else after, len(order))
    cursor = _fitting(query.model, order, given)
    if strict and given and not cursor:
        raise ValueError("no cursor of this list")
    way = [_flipped(name) for name in order] if backwards else list(order)
    rows = list((query.filter(_beyond(way, cursor)) if cursor else query).order_by(*way)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    has_before, has_after = (more, True) if backwards else (bool(cursor), more)
    first = cursor_of(rows[0], order) if rows and has_before else ""
    last = cursor_of(rows[-1], order) if rows and has_after else ""
    return Page(rows, first, last)


def _flipped(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: Sequence[str], cursor: Sequence[Any]) -> Q:
    """The rows after the cursor; the leading column stands alone too, so that its index is used."""
    name, value = order[0], cursor[0]
    column, way = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
    if len(order) == 1:
        return Q(**{f"{column}__{way}": value})
    deeper = Q(**{column: value}) & _beyond(order[1:], cursor[1:])
    return Q(**{f"{column}__{way}e": value}) & (Q(**{f"{column}__{way}": value}) | deeper)


def cursor_of(item: Any, order: Sequence[str]) -> str:
    """The place of `item` in a list in this order, as an address carries it."""
    values = [_plain(_reached(item, name.lstrip("-"))) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _reached(item: Any, path: str) -> Any:
    for part in path.split("__"):
        item = getattr(item, part)
    return item


def _plain(value: Any) -> Any:
    return (
        {"at": value.isoformat()} if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value
    )


def _read(cursor: str, length: int) -> list[Any]:
    """The values in a cursor; a broken one means the first page, never an error."""
    if not cursor or len(cursor) > 500:
        return []
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        read = [parse_datetime(v["at"]) if isinstance(v, dict) else v for v in values]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return read if len(read) == length and all(isinstance(v, str | int | float | datetime) for v in read) else []


def _fitting(model: type[Model], order: Sequence[str], values: Sequence[Any]) -> list[Any]:
    """The values as their columns hold them; none at all when one of them cannot stand in its column."""
    try:
        return [_as_held(_column(model, name.lstrip("-")), value) for name, value in zip(order, values, strict=False)]
    except (ValidationError, ValueError, TypeError, OverflowError):
        return []


def _column(model: type[Model], name: str) -> Any:
    parts, found = name.split("__"), model
    for part in parts[:-1]:
        found = found._meta.get_field(part).related_model  # type: ignore[assignment]
    return found._meta.pk if parts[-1] == "pk" else found._meta.get_field(parts[-1])


def _as_held(column: Any, value: Any) -> Any:
    held = column.to_python(value)
    if isinstance(held, datetime):
        if held.tzinfo is None:
            raise ValueError("a moment must know its time zone")
        return held.astimezone(UTC)
    if isinstance(held, str) and "\x00" in held:
        raise ValueError("no text holds NUL")
    return held


@dataclass(slots=True)
class Filter:
    """One box of the filter bar. `kind` is search, choice or date; `apply(query, value)` narrows the list."""

    key: str
    title: Text
    kind: str = "choice"
    choices: Choices | Callable[[], Choices] = ()
    apply: Callable[[QuerySet[Any], str], QuerySet[Any]] | None = None
    hint: Text | None = None
    value: str = ""

    def shown(self) -> Any:
        """The words of the value that is set."""
        return dict(self.offered()).get(self.value, self.value)

    def offered(self) -> Choices:
        """The choices; those that have to be looked up are asked for only when they are needed."""
        return self.choices() if callable(self.choices) else self.choices


@dataclass(frozen=True, slots=True)
class Chip:
    title: Text
    value: Any
    url: str


@dataclass(slots=True)
class Filters:
    """The filter bar of one list, as the address sets it. Values that make no sense are dropped."""

    fields: list[Filter]
    chips: list[Chip] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    export_url: str = ""

    @classmethod
    def of(cls, request: HttpRequest, fields: list[Filter], *, keep: Sequence[str] = ("area",)) -> Filters:
        """The fields with the values of the address. `keep` names other parameters that a new search keeps."""
        chips = []
        for each in fields:
            each.value = _value(each, request.GET.get(each.key, "").strip())
            if each.value:
                rest = request.GET.copy()
                for gone in (each.key, "after", "before"):
                    rest.pop(gone, None)
                chips.append(Chip(each.title, each.shown(), "?" + rest.urlencode()))
        names = {each.key for each in fields}
        kept = [(key, request.GET[key]) for key in keep if key in request.GET and key not in names]
        return cls(fields, chips, kept)

    def narrow(self, query: QuerySet[M]) -> QuerySet[M]:
        """`query` narrowed by every filter that is set."""
        for each in self.fields:
            if each.value and each.apply:
                query = each.apply(query, each.value)
        return query

    def values(self) -> Mapping[str, str]:
        return {each.key: each.value for each in self.fields if each.value}


def _value(each: Filter, given: str) -> str:
    given = given.replace("\x00", "")[:100]
    if not given:
        return ""
    if each.kind == "choice":
        return given if any(given == str(value) for value, _ in each.offered()) else ""
    if each.kind == "date":
        try:
            day = date.fromisoformat(given)
        except ValueError:
            return ""
        # What is reckoned with a day of year 1 or 9999 overflows.
        return day.isoformat() if 1900 <= day.year <= 2200 else ""
    return given
