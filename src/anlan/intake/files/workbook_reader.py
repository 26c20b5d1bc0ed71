"""Reads one sheet of a workbook in a process of its own, with little memory and nothing to lose.

The library that reads is fast and lives outside of Python: a file made to harm it may end the process it runs in.
Started as a program with the sheet's name; the workbook comes in by the standard input, its rows and merged ranges go
out.
"""

from __future__ import annotations

import io
import marshal
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineSheet, CalamineWorkbook

MOST_TEXT = 256 * 1024 * 1024
"""Letters in all cells together: one long text may stand in a million of them."""
TOO_MUCH = 3
"""What the process ends with when they are more."""
MOST_MEMORY = 1536 * 1024 * 1024
_REMEMBERED = 50_000


def main() -> None:
    """One sheet, out as what `marshal` writes: (rows of text, merged ranges)."""
    bound()
    with CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read())) as book:
        sheet = book.get_sheet_by_name(sys.argv[1])
        merged = [(*start, *end) for start, end in sheet.merged_cell_ranges or ()]
        marshal.dump((list(rows_of(sheet)), merged), sys.stdout.buffer)


def bound() -> None:
    """Lets this process have so much memory and no more, where the system can be told so."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def rows_of(sheet: CalamineSheet) -> Iterator[list[str]]:
    """Every row from the first on, blank ones too."""
    # Blank rows above what is filled in are there, blank columns before it are not.
    before = [""] * (sheet.start[1] if sheet.start else 0)
    known: dict[Any, str] = {}
    size = 0
    for row in sheet.iter_rows():
        cells = before + [cell if type(cell) is str else _known(cell, known) for cell in row]
        size += sum(map(len, cells))
        if size > MOST_TEXT:
            sys.exit(TOO_MUCH)
        yield cells


def _known(value: Any, known: dict[Any, str]) -> str:
    """The text of a value; days and small numbers recur, and are written once."""
    key = (type(value), value)
    text = known.get(key)
    if text is None:
        text = text_of(value)
        if len(known) < _REMEMBERED:
            known[key] = text
    return text


def text_of(value: Any) -> str:
    """A cell's value as somebody would have written it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return str(value)


if __name__ == "__main__":
    main()
