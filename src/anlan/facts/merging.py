"""A month of a table put together: what lay there, without the rows of what was touched, and those made anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from anlan.facts import columns
from anlan.facts.sources import BETWEEN
from anlan.facts.store import Store
from anlan.facts.table import FactTable

_ADDED: Final = "SELECT *, {sign}::TINYINT AS sign FROM (SELECT * FROM {one} EXCEPT SELECT * FROM {other})"


@dataclass(frozen=True, slots=True)
class Merged:
    """The month as it is now, and the rows taken back (sign -1) and added (+1); no `changes`: nothing is different."""

    rows: pa.Table
    changes: pa.Table

    def counts(self, table: FactTable) -> tuple[int, int, int]:
        """How many rows were added, removed and changed."""
        signs = self.changes.column(columns.SIGN.name).to_pylist()
        named = zip(*(self.changes.column(key).to_pylist() for key in table.row), strict=True)
        taken: set[tuple[object, ...]] = set()
        given: set[tuple[object, ...]] = set()
        for row, sign in zip(named, signs, strict=True):
            (given if sign > 0 else taken).add(row)
        return len(given - taken), len(taken - given), len(taken & given)


def merge(table: FactTable, before: pa.Table | None, made: pa.Table, owner: tuple[str, ...], keys: pa.Array) -> Merged:
    """`made` are all rows of the things `keys` in this month; `before` is what lay there (None: nothing)."""
    if before is None:
        signs = pa.array([1] * made.num_rows, pa.int8())
        return Merged(made, made.append_column(columns.SIGN, signs))
    theirs = pc.is_in(named(before, owner), keys)
    taken, kept = before.filter(theirs), before.filter(pc.invert(theirs))
    changes = signed(table, taken, made)
    return Merged(columns.in_order(table, pa.concat_tables([kept, made])) if changes.num_rows else before, changes)


def named(rows: pa.Table, owner: tuple[str, ...]) -> pa.ChunkedArray:
    """What each row belongs to, as one text."""
    parts = [rows.column(key) for key in owner]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, BETWEEN)


def signed(table: FactTable, taken: pa.Table, given: pa.Table) -> pa.Table:
    """The rows of which only one side knows, by what names them, those taken back first."""
    schema = pa.schema([*columns.schema(table), columns.SIGN])
    with duckdb.connect(config={"threads": 1}) as database:
        database.register("taken", taken)
        database.register("given", given)
        gone = _ADDED.format(sign=-1, one="taken", other="given")
        come = _ADDED.format(sign=1, one="given", other="taken")
        order = ", ".join(f'"{key}"' for key in (*table.row, "sign"))
        found = database.sql(f"({gone}) UNION ALL ({come}) ORDER BY {order}").to_arrow_table()
    return found.cast(schema).combine_chunks()


def holds(store: Store, name: str, owner: tuple[str, ...], keys: pa.Array) -> bool:
    """Whether a month's file has a row of one of the things `keys`; reads no more than the columns that name them.

    Ids grow with time, so that most parts of most files are passed over by their least and greatest id alone.
    """
    low, high = pc.min(keys).as_py(), pc.max(keys).as_py()
    with store.filesystem.open_input_file(store.path(name)) as opened:
        file = pq.ParquetFile(opened)
        place = file.schema_arrow.get_field_index(owner[0])
        for number in range(file.num_row_groups):
            known = file.metadata.row_group(number).column(place).statistics
            if len(owner) == 1 and known is not None and known.has_min_max and (known.min > high or known.max < low):
                continue
            if pc.any(pc.is_in(named(file.read_row_group(number, columns=list(owner)), owner), keys)).as_py():
                return True
    return False


def emptied(table: FactTable, rows: pa.Table, months: int) -> pa.Table:
    """The rows of a month that lies `months` back, without what may not be kept so long."""
    for place, column in enumerate(table.columns):
        if column.keep_months and months >= column.keep_months:
            kind = columns.ARROW[column.type]
            nothing = pa.array([""] * len(rows), kind) if column.type == "string" else pa.nulls(len(rows), kind)
            rows = rows.set_column(place, rows.schema.field(place), nothing)
    return rows
