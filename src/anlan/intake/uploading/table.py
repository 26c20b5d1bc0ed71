"""The table in an uploaded file: kept on disk until all of it is received, read once, its rows as messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from anlan.intake.channel import Column
from anlan.intake.files import cells, headings, sheets
from anlan.intake.files.sheets import File
from anlan.intake.files.workbook import Grid
from anlan.intake.models import Upload
from anlan.intake.uploading.layout import Plan
from anlan.kernel.text import Refusal, Text

REASONS = "错误原因"
"""The column of a file of bad rows that says what is wrong; never read."""


class Gone(Refusal):
    """The file itself is no longer kept."""


def path_of(upload: UUID) -> Path:
    """Where an uploaded file waits until all of it is received."""
    return Path(settings.MEDIA_ROOT).parent / "imports" / f"{upload}.sheet"


def keep(upload: UUID, content: bytes) -> None:
    """Keep the file as it came, for nobody else to read."""
    path = path_of(upload)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


def forget(upload: UUID) -> None:
    """The file is not needed any more."""
    path_of(upload).unlink(missing_ok=True)
    let_go()


def let_go() -> None:
    """Give back the memory that the sheet last worked on takes."""
    _Remembered.last = None


def file_of(upload: Upload) -> File:
    """The file as tables; raises `Gone` when it is not kept any more."""
    try:
        content = path_of(upload.pk).read_bytes()
    except OSError:
        raise Gone(
            "这份文件已经不在服务器上，请重新上传；已收下的行不会重复。",
            "The file is no longer on the server. Upload it again; rows received before are not repeated.",
        ) from None
    return sheets.open_file(content, name=upload.file_name)


def remember(upload: UUID, sheet: str, grid: Grid) -> None:
    """The rows of a sheet that was read just now, so that it need not be read again."""
    _Remembered.last = ((upload, sheet), grid)


class _Remembered:
    """The sheet last worked on, so that each part need not read it anew; set at once, for threads share it."""

    last: tuple[tuple[UUID, str], Grid] | None = None


def grid_of(upload: Upload) -> Grid:
    """The rows of the chosen sheet."""
    known = _Remembered.last
    if known is not None and known[0] == (upload.pk, upload.sheet):
        return known[1]
    grid = file_of(upload).grid(upload.sheet)
    remember(upload.pk, upload.sheet, grid)
    return grid


@dataclass(frozen=True)
class Row:
    """One row of data, by its number in the file; `left_out` says why it is none."""

    number: int
    cells: Sequence[str]
    left_out: Text | None = None


def rows_of(upload: Upload, grid: Grid, start: int, count: int) -> Iterator[Row]:
    """So many rows below the headings, from the `start`th on."""
    names: list[str] = upload.headings
    first = upload.below + start
    for number, row in enumerate(grid.rows[first : first + count], first + 1):
        yield Row(number, row, headings.no_data(row, names))


class Messages:
    """Turns rows into messages of a layout: a chosen column under the layout's own heading, the others as they are.

    A column that the officer said is not to be read is not there at all.
    """

    def __init__(self, upload: Upload, plan: Plan) -> None:
        self.plan = plan
        names = headings.unalike(upload.headings)
        chosen = {number: field for field, number in upload.columns.items()}
        known = {cells.plain(name).casefold() for column in plan.columns.values() for name in column.names}
        self.keys: list[tuple[int, str]] = []
        self.fields: dict[str, str] = {}
        for number, name in enumerate(names):
            field = chosen.get(number)
            if field is not None:
                key = self._own(plan, field, name)
                self.fields[key] = field
                self.keys.append((number, key))
            elif cells.plain(name).casefold() not in known and not name.startswith(("#", REASONS)):
                self.keys.append((number, name))
        self.area_key = next((key for key, field in self.fields.items() if field == "area"), "")
        if not self.area_key and "area" in plan.columns:
            self.area_key = plan.heading("area")
        self._over = [
            (key, _ways(plan.columns[field])) for key, field in self.fields.items() if plan.columns[field].leave_out
        ]

    @staticmethod
    def _own(plan: Plan, field: str, name: str) -> str:
        """A heading that means this field already stays, so that the same file by another door is the same."""
        plain = cells.plain(name).casefold()
        first = next((f for f, column in plan.columns.items() if plain in map(_folded, column.names)), "")
        return name if first == field and plan.channel.same_by == "cells" else plan.heading(field)

    def of(self, row: Sequence[str]) -> dict[str, str]:
        """The message a row is."""
        return {key: row[number] if number < len(row) else "" for number, key in self.keys}

    def columns(self) -> list[str]:
        """The headings under which cells are read, in the table's order."""
        return [key for _, key in self.keys if key in self.fields]

    def is_over(self, message: Mapping[str, str]) -> Text | None:
        """Why a row is not taken at all, where one of its cells says that it is over and done with."""
        for key, over in self._over:
            meant = over.get(_folded(message.get(key, "")))
            if meant is not None:
                return Text(zh=f"「{key}」是“{meant}”的行", en=f"rows whose “{key}” is “{meant}”")
        return None


def _ways(column: Column) -> dict[str, str]:
    """Every way of writing what a row is left out for, and what it means."""
    told = {_folded(name): value for name, value in column.map.items() if value in column.leave_out}
    return {**{_folded(value): value for value in column.leave_out}, **told}


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    return cells.plain(name).casefold()
