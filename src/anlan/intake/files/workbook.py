"""Workbooks, new (.xlsx) and old (.xls), as rows of text. Formulas are kept as they are written and never computed."""

from __future__ import annotations

import marshal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from anlan.intake.files import old_workbook, packed_workbook
from anlan.intake.files.packed_workbook import BadWorkbook, Looked, damaged, too_many_cells

__all__ = ["BadWorkbook", "Book", "Grid", "open_book"]

Merged = tuple[int, int, int, int]

READER: Final = Path(__file__).with_name("workbook_reader.py")
LONGEST: Final = 180
"""Seconds after which a sheet is given up."""
TOO_MUCH: Final = 3
"""With what the reader ends when the cells hold too much."""
_WIDEST = 200


@dataclass(frozen=True)
class Grid:
    """A sheet as rows of text, blank ones too, from its first row on.

    `merged` are (first row, first column, last row, last column), from 0: their value stands in every cell they cover.
    """

    rows: list[list[str]]
    merged: tuple[Merged, ...] = ()


@dataclass(frozen=True)
class Book:
    """A workbook that was found safe to open, its sheets by name. `hidden` are those that who opens it does not see."""

    content: bytes
    sheets: dict[str, Looked] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Its sheets, in order."""
        return tuple(self.sheets)

    @property
    def hidden(self) -> frozenset[str]:
        """The sheets that somebody who opens the workbook does not see."""
        return frozenset(name for name, seen in self.sheets.items() if seen.hidden)

    def grid(self, name: str, *, most_rows: int, most_columns: int) -> Grid:
        """The sheet `name`; raises `BadWorkbook` when it has more than so many rows or columns."""
        seen = self.sheets[name]
        if seen.rows > most_rows or seen.columns > most_columns:
            raise _too_many(most_rows, most_columns)
        rows, merged = _read(self.content, name)
        if len(rows) > most_rows:
            raise _too_many(most_rows, most_columns)
        _set(rows, seen.special)
        _spread(rows, merged)
        return Grid(rows, tuple(merged))


def open_book(content: bytes) -> Book:
    """The workbook in `content`, looked through first; raises `BadWorkbook` with what is wrong and what to do."""
    old = content.startswith(old_workbook.SIGNATURE)
    looked = old_workbook.inspect(content) if old else packed_workbook.inspect(content)
    if not looked:
        raise BadWorkbook("这个文件里没有工作表。", "There is no worksheet in this file.")
    return Book(content, looked)


def _read(content: bytes, name: str) -> tuple[list[list[str]], list[Merged]]:
    """The rows as another process read them: what a file does to the reader, it does not do to us."""
    command = [sys.executable, "-I", str(READER), name]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=LONGEST, check=True)  # noqa: S603 - our own program
        found: tuple[list[list[str]], list[Merged]] = marshal.loads(done.stdout)  # noqa: S302 - what our own program wrote
    except subprocess.CalledProcessError as ended:
        # Out of memory, the reader is ended by a signal.
        raise (too_many_cells() if ended.returncode == TOO_MUCH or ended.returncode < 0 else damaged()) from None
    except (subprocess.SubprocessError, ValueError, EOFError, TypeError):
        raise damaged() from None
    return found


def _too_many(most_rows: int, most_columns: int) -> BadWorkbook:
    return BadWorkbook(
        f"超过 {most_rows} 行或 {most_columns} 列：请分成几个文件，只留需要的列。",
        f"More than {most_rows} rows or {most_columns} columns: split it and keep the columns that are needed.",
    )


def _set(rows: list[list[str]], special: dict[tuple[int, int], str]) -> None:
    """Puts what no value is in its cell: what a formula last came to is not to be trusted."""
    for (row, column), said in special.items():
        while len(rows) <= row:
            rows.append([])
        cells = rows[row]
        cells += [""] * (column + 1 - len(cells))
        cells[column] = said


def _spread(rows: list[list[str]], merged: list[Merged]) -> None:
    """A merged cell's value belongs to every row and column it covers."""
    for top, left, bottom, right in merged:
        value = rows[top][left] if top < len(rows) and left < len(rows[top]) else ""
        if not value:
            continue
        for cells in rows[top : bottom + 1]:
            cells.extend([""] * (min(right, left + _WIDEST) + 1 - len(cells)))
            cells[left : right + 1] = [value] * len(cells[left : right + 1])
