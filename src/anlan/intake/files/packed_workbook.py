"""What a packed workbook (.xlsx) holds, looked at before anything opens it: its size, its macros, its formulas.

Nothing is believed that the file says of itself: what it unpacks to is counted while it is unpacked.
"""

from __future__ import annotations

import copy
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Final
from xml.etree import ElementTree as ET

from anlan.kernel.text import Refusal

LARGEST_UNPACKED: Final = 512 * 1024 * 1024
MOST_PARTS: Final = 2000
MOST_CELLS: Final = 12_000_000
"""Cells in the rectangle that a sheet spans, blank ones too: each of them costs memory."""
STEEPEST: Final = 300
"""Times its packed size; a real sheet packs ten to sixty times."""

_STEEP_FROM = 16 * 1024 * 1024
_PIECE = 1 << 20
_HEAD = 4096
_ENTITIES = (b"<!DOCTYPE", b"<!ENTITY", b"\xff\xfe", b"\xfe\xff")
_CELL = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*?(/?)>')
_SPECIAL = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)>\s*(?:<(?:\w+:)?f(?:\s[^>]*?)?(?:/>|>([^<]*)<)|<(?:\w+:)?v>(#[^<]{2,20})<)"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ROWS = re.compile(rb'<(?:\w+:)?row\s(?:[^>]*?\s)?r="(\d{1,7})"')
_COLUMNS = re.compile(rb' r="([A-Z]{1,3})\d')
_WIDE, _LONG = 200, 500_000
_PLACE = re.compile(rb'(?:^|\s)r="([A-Z]{1,3})(\d{1,7})"')


class BadWorkbook(Refusal):
    """The workbook cannot be opened or must not be."""


@dataclass
class Looked:
    """What was seen of one sheet: the far corner of what is filled in, and what stands in its cells that no value is.

    `special` maps (row, column), from 0, to the text of a formula ("=SUM(A1)") or of an error ("#N/A").
    """

    rows: int = 0
    columns: int = 0
    special: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: bool = False


def damaged() -> BadWorkbook:
    """What is said of a file that cannot be read to its end."""
    return BadWorkbook(
        "这个 Excel 文件不完整或已损坏，没有导入任何内容：请在表格软件里打开并重新保存为 xlsx。",
        "This Excel file (xlsx) is cut off or damaged; nothing was imported. "
        "Open it in a spreadsheet program and save it anew as xlsx.",
    )


def inspect(content: bytes) -> dict[str, Looked]:
    """Every worksheet by its name, in order. Raises `BadWorkbook` for what is damaged, hides too much or could run."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_sizes(archive)
            _refuse_kinds(archive)
            small = {part.filename: b"" for part in archive.infolist()}
            return _sheets(archive, small)
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        NotImplementedError,
        KeyError,
        ET.ParseError,
        ValueError,
        zlib.error,
    ):
        raise damaged() from None
    except RuntimeError:  # a part that is locked with a password
        raise locked() from None


def locked() -> BadWorkbook:
    """What is said of a file with a password."""
    return BadWorkbook(
        "这个文件设了打开密码：请在表格软件里去掉密码后再导入。",
        "This file is locked with a password: remove the password in the spreadsheet program and import it again.",
    )


def macros() -> BadWorkbook:
    """What is said of a file with a program in it."""
    return BadWorkbook(
        "这个文件里有宏（程序），不能导入：请另存为不含宏的 xlsx 再导入。",
        "This file holds macros (programs) and is not taken: save it as an xlsx without macros and import that.",
    )


def too_large() -> BadWorkbook:
    """What is said of a file that unpacks to more than is ever needed."""
    limit = LARGEST_UNPACKED >> 20
    return BadWorkbook(
        f"这个文件解压后超过 {limit} MB 或压缩得异常紧：请分成几个文件，或另存一次。",
        f"This file unpacks to more than {limit} MB, or far more than a table would: split it, or save it anew.",
    )


def too_many_cells() -> BadWorkbook:
    """What is said of a sheet that spans far too much."""
    return BadWorkbook(
        "表格的范围太大（很远的地方还有内容，或同一长文字重复太多）：请删去用不到的行和列，或分成几个文件。",
        "The sheet spans far too much (something stands very far out, or one long text is repeated over and over): "
        "delete the rows and columns that are not needed, or split it.",
    )


def _refuse_sizes(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise too_large()
    if any(part.file_size > _STEEP_FROM and part.file_size > STEEPEST * part.compress_size for part in parts):
        raise too_large()


def _refuse_kinds(archive: zipfile.ZipFile) -> None:
    names = {name.casefold() for name in archive.namelist()}
    if "[content_types].xml" not in names:
        if "mimetype" in names and "content.xml" in names:
            raise BadWorkbook(
                "这是 ODS 表格：请另存为 xlsx 或 CSV 再导入。",
                "This is an ODS sheet: save it as xlsx or CSV and import that.",
            )
        raise BadWorkbook(
            "这是 zip 压缩包，不是 xlsx：请解压后导入其中的表格。",
            "This is a zip archive, not an xlsx: unpack it and import the table in it.",
        )
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in name for name in names):
        raise macros()
    if any("/externallinks/" in name for name in names):
        raise BadWorkbook(
            "这个文件链接着别的工作簿：请在表格软件里断开链接（数据 → 编辑链接），粘贴为数值后再导入。",
            "This file is linked to other workbooks: break the links (Data, Edit links), paste values, import again.",
        )


def _sheets(archive: zipfile.ZipFile, parts: dict[str, bytes]) -> dict[str, Looked]:
    """Reads every part once, to its end, counting; keeps what says which sheet is in which part."""
    budget, looked = LARGEST_UNPACKED, dict[str, Looked]()
    for part in archive.infolist():
        sheet = "/worksheets/" in part.filename and part.filename.endswith(".xml")
        keeps = part.filename.endswith(("workbook.xml", "workbook.xml.rels", "[Content_Types].xml"))
        seen, tail, kept = Looked(), b"", list[bytes]()
        for piece in _pieces(archive, part, budget):
            budget -= len(piece)
            if sheet:
                tail = _look(tail + piece, seen)
            if keeps:
                kept.append(piece)
        if sheet:
            _look_at(tail, seen)
            looked[part.filename] = seen
        if keeps:
            parts[part.filename] = b"".join(kept)
    if not any(name.endswith("workbook.xml") for name in parts):
        raise BadWorkbook(
            "这不是 xlsx 表格（可能是 xlsb、Word 或演示文稿）：请另存为 xlsx 再导入。",
            "This is no xlsx workbook (perhaps xlsb, Word or slides): save the table as xlsx and import that.",
        )
    if b"macroEnabled" in parts.get("[Content_Types].xml", b""):
        raise macros()
    return {name: replace(looked[part], hidden=hidden) for name, part, hidden in _named(parts) if part in looked}


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo, budget: int) -> Iterator[bytes]:
    # A part that says it is smaller than it is would be cut there and look whole.
    honest, told = copy.copy(part), part.file_size
    honest.file_size = budget + 1
    text, got = part.filename.endswith((".xml", ".rels", ".vml")), 0
    with archive.open(honest) as stream:
        while piece := stream.read(_PIECE):
            if text and got == 0 and any(mark in piece[:_HEAD] for mark in _ENTITIES):
                raise BadWorkbook(
                    "这个 xlsx 里有不允许的内容（XML 实体）：请重新保存后再导入。",
                    "This xlsx holds XML entities, which are not allowed: save it anew.",
                )
            got += len(piece)
            if got > budget:
                raise too_large()
            yield piece
    if got != told:
        raise damaged()


def _look(content: bytes, seen: Looked) -> bytes:
    """Looks at the whole rows of what is there; gives back the beginning of a row that is not whole yet."""
    end = content.rfind(b"row>") + 4
    if end < 4:
        if len(content) > 64 * _PIECE:
            raise too_many_cells()
        return content
    _look_at(content[:end], seen)
    return content[end:]


def _look_at(content: bytes, seen: Looked) -> None:
    rows, columns = max(map(int, _ROWS.findall(content)), default=0), set(_COLUMNS.findall(content))
    width = max(map(_column, columns), default=0)
    if width > _WIDE or rows > _LONG:
        # Formats alone may reach far out and do no harm; content may not.
        filled = [found for found in _CELL.findall(content) if not found[2]]
        width = max((_column(column) for column in {found[0] for found in filled}), default=0)
        rows = max((int(row) for row in {found[1] for found in filled}), default=0)
    seen.columns, seen.rows = max(seen.columns, width), max(seen.rows, rows)
    if seen.rows * seen.columns > MOST_CELLS:
        raise too_many_cells()
    formulas = len(_FORMULA.findall(content)) if b"<f" in content or b":f" in content else 0
    if formulas or b'"e"' in content:
        _note_special(content, seen, formulas)


def _note_special(content: bytes, seen: Looked, formulas: int) -> None:
    for attributes, formula, error in _SPECIAL.findall(content):
        place = _PLACE.search(attributes)
        if error and b't="e"' not in attributes:
            continue
        formulas -= not error
        if place is None:
            formulas += 1
            continue
        said = error.decode("utf-8", "replace") or "=" + (unescape(formula.decode("utf-8", "replace")) or "…")
        seen.special[int(place[2]) - 1, _column(place[1]) - 1] = said
    if formulas > 0:
        raise BadWorkbook(
            "表里有公式，但文件没有写明在哪个单元格：请全选、复制、粘贴为数值，另存后再导入。",
            "The sheet holds formulas without saying in which cell: select all, copy, paste values, save.",
        )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _named(parts: dict[str, bytes]) -> Iterator[tuple[str, str, bool]]:
    """(sheet's name, the part that holds it, whether it is hidden), in the workbook's order."""
    book = next(name for name in parts if name.endswith("workbook.xml"))
    folder = posixpath.dirname(book)
    related = parts[posixpath.join(folder, "_rels", posixpath.basename(book) + ".rels")]
    targets = {each.get("Id"): each.get("Target", "") for each in ET.fromstring(related)}  # noqa: S314 - no entities in it
    for element in ET.fromstring(parts[book]).iter():  # noqa: S314 - no entities in it
        if element.tag.endswith("}sheet"):
            key = next((value for name, value in element.attrib.items() if name.endswith("}id")), "")
            target = targets.get(key, "")
            part = target[1:] if target.startswith("/") else posixpath.join(folder, target)
            yield element.get("name", ""), part, element.get("state", "visible") != "visible"
