"""The first sheet of an xlsx file as rows of text. Formulas are kept as they are written and never computed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from anlan.kernel.text import Refusal

LARGEST_UNPACKED = 512 * 1024 * 1024
_MOST_PARTS = 2000
_HEAD = 4096
_ENTITIES = (b"<!DOCTYPE", b"<!ENTITY", b"\xff\xfe", b"\xfe\xff")


class BadWorkbook(Refusal):
    """The workbook cannot be opened or must not be."""


def records(content: bytes, *, most_rows: int, most_columns: int) -> list[list[str]]:
    """Every row of the first sheet, blank ones too; refuses what is damaged, hides too much or defines entities."""
    _inspect(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            return list(_rows(book.worksheets[0], most_rows, most_columns))
        finally:
            book.close()
    # openpyxl lets whatever a damaged part provokes come through.
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        IndexError,
        TypeError,
        SyntaxError,
        OSError,
        EOFError,
    ):
        raise _damaged() from None


def _damaged() -> BadWorkbook:
    return BadWorkbook(
        "这个 xlsx 文件不完整或已损坏，没有导入任何内容：请在表格软件里打开并重新保存。",
        "This xlsx file is cut off or damaged; nothing was imported. "
        "Open it in a spreadsheet program and save it anew.",
    )


def _inspect(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                limit = LARGEST_UNPACKED >> 20
                raise BadWorkbook(
                    f"这个 xlsx 解压后超过 {limit} MB：请分成几个文件。",
                    f"This xlsx unpacks to more than {limit} MB: split it.",
                )
            if "[Content_Types].xml" not in archive.namelist():
                raise BadWorkbook(
                    "这是 zip 压缩包，不是 xlsx：请解压后导入其中的表格。",
                    "This is a zip archive, not an xlsx: unpack it and import the table in it.",
                )
            for part in parts:
                _inspect_part(archive, part)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError):
        raise _damaged() from None


def _inspect_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """A spreadsheet never needs a document type; one that has it means to blow up the parser."""
    if not part.filename.endswith((".xml", ".rels")):
        return
    with archive.open(part) as stream:
        head = stream.read(_HEAD)
    if any(mark in head for mark in _ENTITIES):
        raise BadWorkbook(
            "这个 xlsx 里有不允许的内容（XML 实体）：请重新保存后再导入。",
            "This xlsx holds XML entities, which are not allowed: save it anew.",
        )


def _rows(sheet: Any, most_rows: int, most_columns: int) -> Iterator[list[str]]:
    # The size that the file claims may be a lie or missing; it is counted instead.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        if number > most_rows or len(row) > most_columns:
            raise BadWorkbook(
                f"超过 {most_rows} 行或 {most_columns} 列：请分成几个文件，只留需要的列。",
                f"More than {most_rows} rows or {most_columns} columns: split it and keep the columns that are needed.",
            )
        yield [_text(value) for value in row]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
