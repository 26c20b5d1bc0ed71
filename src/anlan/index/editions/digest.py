"""One way to write a table as bytes, so that two tables have the same digest only when every bit is the same.

A Parquet file is no measure: the same rows give other bytes with another version of the library that writes it. Here a
row's place, a missing value and each of a number's 64 bits count, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_LENGTH: Final = Struct("<q")
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two tables are not the same: a row's number from 0, its column, and both values.

    `row` is −1 where the tables have not the same number of rows or not the same columns.
    """

    table: str
    row: int
    column: str
    kept: Any
    found: Any


def of_table(table: Any) -> str:
    """The SHA-256 of an Arrow table's columns, names and rows in their order (hex)."""
    whole = hashlib.sha256()
    for name in table.column_names:
        _field(whole, name.encode())
        for part in _bytes(table[name]):
            _field(whole, part)
    return whole.hexdigest()


def of_tables(tables: Mapping[str, Any]) -> str:
    """The SHA-256 of several tables by name (hex); their order does not count."""
    return of_names({name: of_table(table) for name, table in tables.items()})


def of_names(digests: Mapping[str, str]) -> str:
    """The SHA-256 of names with a digest each (hex); their order does not count."""
    whole = hashlib.sha256()
    for name in sorted(digests):
        _field(whole, name.encode())
        _field(whole, digests[name].encode())
    return whole.hexdigest()


def of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes (hex)."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            whole.update(piece)
    return whole.hexdigest()


def of_folder(folder: Path) -> str:
    """The SHA-256 of every file below a folder with its name (hex)."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        _field(whole, path.relative_to(folder).as_posix().encode())
        _field(whole, path.read_bytes())
    return whole.hexdigest()


def first_difference(name: str, kept: Any, found: Any) -> Difference | None:
    """Where two Arrow tables differ first, bit by bit; None when they are the same."""
    if kept.column_names != found.column_names or kept.num_rows != found.num_rows:
        shapes = [f"{table.num_rows} × {', '.join(table.column_names)}" for table in (kept, found)]
        return Difference(name, -1, "", *shapes)
    places = [(row, column) for column in kept.column_names if (row := _differs(kept[column], found[column])) >= 0]
    if not places:
        return None
    row, column = min(places)
    return Difference(name, row, column, kept[column][row].as_py(), found[column][row].as_py())


def _field(whole: Any, part: bytes) -> None:
    whole.update(_LENGTH.pack(len(part)))
    whole.update(part)


def _bytes(column: Any) -> tuple[bytes, bytes]:
    """Which rows have a value, and the values."""
    there = _there(column)
    if pa.types.is_floating(column.type):
        return there.tobytes(), _bits(column).tobytes()
    if pa.types.is_boolean(column.type) or pa.types.is_integer(column.type):
        return there.tobytes(), _whole(column).tobytes()
    texts = [str(value).encode() for value in column.to_pylist() if value is not None]
    return there.tobytes(), b"".join(_LENGTH.pack(len(text)) + text for text in texts)


def _there(column: Any) -> NDArray[np.bool_]:
    return np.asarray(pc.is_valid(column).to_numpy(), dtype=np.bool_)


def _bits(column: Any) -> NDArray[np.int64]:
    """The 64 bits of each number; every NaN, and what is missing, has the bits of one NaN."""
    values = np.asarray(pc.fill_null(column, float("nan")).to_numpy(), dtype="<f8").copy()
    values[np.isnan(values)] = np.nan
    return values.view("<i8")


def _whole(column: Any) -> NDArray[np.int64]:
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0).to_numpy(), dtype="<i8")


def _differs(kept: Any, found: Any) -> int:
    """The first row at which two columns of one length differ, or −1."""
    if kept.type != found.type:
        return 0 if len(kept) else -1
    unlike = _there(kept) != _there(found)
    if pa.types.is_floating(kept.type):
        unlike |= _bits(kept) != _bits(found)
    elif len(kept):
        same = pc.fill_null(pc.equal(kept, found), True)
        unlike |= ~np.asarray(same.to_numpy(), dtype=np.bool_)
    rows = np.flatnonzero(unlike)
    return int(rows[0]) if len(rows) else -1
