"""Many rows of one table in one go, without a model instance each: for imports, where the ORM would be the cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Field

FEW = 4
"""Fewer rows than this are inserted one by one: COPY pays off later."""
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Encoded(str):
    """A value for a JSON column that is JSON text already."""

    __slots__ = ()


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert `rows`, their values in the order of `columns` (field attribute names, every one without a database
    default); gives their number. Values are as on an instance; a JSON value may be `Encoded`. Raises what the database
    raises, as Django's errors.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    postgres = connection.vendor == "postgresql"
    converters = [(place, converter(fields[name])) for place, name in enumerate(columns)]
    needed = [(place, convert) for place, convert in converters if convert is not None]
    ready = _ready(rows, needed)
    first = list(islice(ready, FEW))
    if not first:
        return 0
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(str(fields[name].column)) for name in columns)
    if postgres and len(first) == FEW:
        return _copy(f"COPY {table} ({names}) FROM STDIN", chain(first, ready))
    places = ", ".join(["%s"] * len(columns))
    return _execute_many(f"INSERT INTO {table} ({names}) VALUES ({places})", chain(first, ready))  # noqa: S608 - names of our models


Convert = Callable[[Any], Any]


def _ready(rows: Iterable[Sequence[Any]], needed: Sequence[tuple[int, Convert]]) -> Iterator[Sequence[Any]]:
    """The rows with their values converted, a column of many rows at a time."""
    left = iter(rows)
    while part := list(islice(left, _AT_ONCE)):
        columns: list[Sequence[Any]] = list(zip(*part, strict=True))
        for place, convert in needed:
            columns[place] = [None if value is None else convert(value) for value in columns[place]]
        yield from zip(*columns, strict=True)


_AT_ONCE = 2000


def _copy(statement: str, rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _execute_many(statement: str, rows: Iterable[Sequence[Any]]) -> int:
    ready = list(rows)
    if ready:
        with connection.cursor() as cursor:
            cursor.executemany(statement, ready)
    return len(ready)


def _json(value: Any) -> str:
    return value if isinstance(value, Encoded) else _compact(value)


def _kind(field: Field[Any, Any]) -> Field[Any, Any]:
    """The field whose values a column holds: a foreign key's is that of the key it points at."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return field


def converter(field: Field[Any, Any]) -> Convert | None:
    """What a value of `field` goes through on its way into this database; None when it goes as it is."""
    return _for_postgres(field) if connection.vendor == "postgresql" else _for_sqlite(field)


def _for_postgres(field: Field[Any, Any]) -> Convert | None:
    return _json if isinstance(field, models.JSONField) else None


def _for_sqlite(field: Field[Any, Any]) -> Convert | None:
    kind = _kind(field)
    if isinstance(kind, models.JSONField):
        return _json
    if isinstance(kind, models.UUIDField):
        return _hex
    if isinstance(kind, models.DateTimeField):
        return _naive
    if isinstance(kind, models.DateField):
        return str
    return None


def _hex(value: UUID) -> str:
    return value.int.to_bytes(16, "big").hex()  # what `.hex` gives, three times as fast


# Many rows of one import share their moments.
@lru_cache(maxsize=4096)
def _naive(value: datetime) -> str:
    """As Django writes a moment on SQLite: in UTC, without saying so."""
    return str(value.astimezone(UTC).replace(tzinfo=None))


def update_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Set `columns` of many rows, each row's primary key coming last; gives how many rows were given."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    key = model._meta.pk
    assert key is not None
    converters = [(place, converter(fields[name])) for place, name in enumerate((*columns, key.attname))]
    needed = [(place, convert) for place, convert in converters if convert is not None]
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(str(fields[name].column))} = %s" for name in columns)
    where = f"{quote(str(key.column))} = %s"
    statement = f"UPDATE {quote(model._meta.db_table)} SET {sets} WHERE {where}"  # noqa: S608 - names of our models
    return _execute_many(statement, _ready(rows, needed))


def add_to_rows(model: type[models.Model], column: str, added: Mapping[Any, int]) -> None:
    """Add to a column of many rows, called in the database as in the model; `added` by primary key."""
    key = model._meta.pk
    assert key is not None
    into_database, quote = converter(key), connection.ops.quote_name
    name = quote(column)
    statement = f"UPDATE {quote(model._meta.db_table)} SET {name} = {name} + %s WHERE {quote(str(key.column))} = %s"  # noqa: S608 - names of our models
    _execute_many(statement, [(count, into_database(pk) if into_database else pk) for pk, count in added.items()])


def rows_among(
    model: type[models.Model], columns: Sequence[str], *, within: tuple[str, str], name: str, among: Iterable[str]
) -> list[tuple[Any, ...]]:
    """`columns` of the rows whose text column `name` is `among` many texts and whose column `within[0]` is `within[1]`:
    one parameter however many there are, so that the database plans and binds it once.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(fields[column].column)) for column in columns)
    wanted, one = quote(str(fields[name].column)), quote(str(fields[within[0]].column))
    postgres = connection.vendor == "postgresql"
    many = "= ANY(%s)" if postgres else "IN (SELECT value FROM json_each(%s))"
    statement = f"SELECT {names} FROM {quote(model._meta.db_table)} WHERE {one} = %s AND {wanted} {many}"  # noqa: S608 - our names
    texts = list(among)
    with connection.cursor() as cursor:
        cursor.execute(statement, [within[1], texts if postgres else _compact(texts)])
        rows = cursor.fetchall()
    uuids = [place for place, column in enumerate(columns) if isinstance(_kind(fields[column]), models.UUIDField)]
    return rows if postgres or not uuids else [_with_uuids(row, uuids) for row in rows]


def _with_uuids(row: Sequence[Any], places: Sequence[int]) -> tuple[Any, ...]:
    values = list(row)
    for place in places:
        values[place] = values[place] and UUID(values[place])
    return tuple(values)
