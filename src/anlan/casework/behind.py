"""The cases behind a figure: exactly those that the tallies were made of, as each case remembers what it counted as."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import BooleanField, F, Func, Q, QuerySet

from anlan.casework.contribution import COLUMNS
from anlan.casework.models import Case

_PLACES = {column: place for place, column in enumerate(COLUMNS)}


class _Counts(Func):
    """Whether the text of what a case counted as has one of the columns for this department in these days."""

    output_field = BooleanField()

    def __init__(self, rows: Any, *, columns: Iterable[str], department: int, first: date, last: date) -> None:
        places = ", ".join(str(_PLACES[column]) for column in columns)
        super().__init__(rows, places=places, department=int(department), first=first, last=last)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template=_SQLITE, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template=_POSTGRES, **context)


_SQLITE = (
    "EXISTS (SELECT 1 FROM json_each(%(expressions)s, '$[2]') counted, json_each(counted.value, '$[2]') place"
    " WHERE json_extract(counted.value, '$[0]') = %(department)s"
    " AND json_extract(counted.value, '$[1]') BETWEEN '%(first)s' AND '%(last)s' AND place.value IN (%(places)s))"
)
_POSTGRES = (
    "EXISTS (SELECT 1 FROM jsonb_array_elements((%(expressions)s)::jsonb -> 2) counted,"
    " jsonb_array_elements_text(counted -> 2) place WHERE (counted ->> 0)::bigint = %(department)s"
    " AND counted ->> 1 BETWEEN '%(first)s' AND '%(last)s' AND place::int IN (%(places)s))"
)


def counted(
    rows: QuerySet[Case], columns: Iterable[str], *, first: date, last: date, department: int = 0
) -> QuerySet[Case]:
    """Those of `rows` that count in `columns` on a day from `first` to `last`; department 0 is all of them.

    A column after "-" is taken off, as in a declared share: what counts there is left out.
    """
    plus = [column for column in columns if not column.startswith("-")]
    minus = [column[1:] for column in columns if column.startswith("-")]
    told: dict[str, Any] = {"department": department, "first": first, "last": last}
    found = rows.filter(Q(_Counts(F("counted__rows"), columns=plus, **told)))
    if minus:
        found = found.exclude(Q(_Counts(F("counted__rows"), columns=minus, **told)))
    return found
