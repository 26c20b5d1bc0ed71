"""Rows of a fact table as Arrow and as Parquet: the same rows give the same bytes, on any day and any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from anlan.facts.table import FactTable, Type

ARROW: Final[dict[Type, pa.DataType]] = {
    "string": pa.string(),
    "int": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "moment": pa.timestamp("us"),  # UTC, without a zone: no engine shifts it by where it happens to run
}
SIGN: Final = pa.field("sign", pa.int8(), nullable=False)
WRITING: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 3,
    "version": "2.6",
    "data_page_version": "1.0",
    "row_group_size": 131_072,
    "write_statistics": True,
    "use_dictionary": True,
}
"""How every file is written. Whatever is changed here changes every file: it is part of the fingerprint."""


def schema(table: FactTable) -> pa.Schema:
    """The columns as Arrow types them."""
    return pa.schema([pa.field(c.key, ARROW[c.type], nullable=c.null) for c in table.columns])


def arrow(table: FactTable, fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """`rows`, whose values stand in the order of `fields`, as the columns of `table`. Moments are made UTC."""
    given = dict(zip(fields, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(fields, ())
    made = []
    for column in table.columns:
        values: Iterable[Any] = given[column.key]
        if column.type == "moment":
            values = [None if each is None else _utc(each) for each in values]
        made.append(pa.array(values, ARROW[column.type]))
    return pa.Table.from_arrays(made, schema=schema(table))


def in_order(table: FactTable, rows: pa.Table) -> pa.Table:
    """The rows by what names them."""
    return rows.sort_by([(key, "ascending") for key in table.row]).combine_chunks()


def parquet(rows: pa.Table) -> bytes:
    """The rows as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, **WRITING)
    return bytes(sink.getvalue())


def digest(content: bytes) -> str:
    """What a file is known by."""
    return hashlib.sha256(content).hexdigest()


def month_of(day: date) -> str:
    """The month a date lies in, as the folders are named."""
    return f"{day.year:04d}-{day.month:02d}"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
