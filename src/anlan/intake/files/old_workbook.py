"""What an old workbook (.xls) holds, looked at before anything opens it: macros, a password, formulas."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Final

import olefile

from anlan.intake.files.packed_workbook import MOST_CELLS, BadWorkbook, Looked, damaged, locked, macros, too_many_cells

SIGNATURE: Final = b"\xd0\xcf\x11\xe0"

_BOUNDSHEET, _FILEPASS, _FORMULA, _BOOLERR, _EXTERNAL = 0x0085, 0x002F, 0x0006, 0x0205, 0x01AE
_FILLED = {0x0006, 0x00FD, 0x027E, 0x0203, 0x0204, 0x0205, 0x00D6}
_MANY = 0x00BD
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
FORMULA: Final = "=…"
"""What stands for a formula of an old workbook: that it is one is known, what it says is not."""


def inspect(content: bytes) -> dict[str, Looked]:
    """Every worksheet by its name, in order. Raises `BadWorkbook` for what is damaged, locked, or holds a program."""
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as file:
            return _sheets(_stream(file))
    except (OSError, struct.error, IndexError, ValueError, KeyError, TypeError, RecursionError, UnicodeDecodeError):
        raise damaged() from None


def _stream(file: olefile.OleFileIO) -> bytes:
    names = {"/".join(path).casefold() for path in file.listdir(streams=True, storages=True)}
    if "encryptedpackage" in names:
        raise locked()
    if any("vba" in name for name in names):
        raise macros()
    for name in ("Workbook", "Book"):
        if file.exists(name):
            found: bytes = file.openstream(name).read()
            return found
    raise BadWorkbook(
        "这不是表格文件（可能是 Word 或其他文件）：请另存为 xlsx 或 CSV 再导入。",
        "This is no spreadsheet (perhaps Word or something else): save the table as xlsx or CSV and import that.",
    )


def _sheets(stream: bytes) -> dict[str, Looked]:
    starts: list[tuple[str, int, bool]] = []
    for kind, body in _records(stream, 0):
        if kind == _FILEPASS:
            raise locked()
        if kind == _BOUNDSHEET and body[5] == 0:
            starts.append((_name(body), int.from_bytes(body[:4], "little"), bool(body[4] & 3)))
        if kind == _BOUNDSHEET and body[5] in (1, 6):
            raise macros()
        if kind == _EXTERNAL and len(body) > 4 and body[2:4] not in (b"\x01\x04", b"\x01\x3a"):
            raise BadWorkbook(
                "这个文件链接着别的工作簿：请在表格软件里断开链接，粘贴为数值后再导入。",
                "This file is linked to other workbooks: break the links, paste values, and import again.",
            )
    return {name: _looked(stream, start, hidden=hidden) for name, start, hidden in starts}


def _name(body: bytes) -> str:
    length, wide = body[6], body[7] & 1
    return body[8 : 8 + length * 2].decode("utf-16-le") if wide else body[8 : 8 + length].decode("latin-1")


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """The records of one substream, to its end mark."""
    place, end = start, len(stream)
    while place + 4 <= end:
        kind, length = struct.unpack_from("<HH", stream, place)
        yield kind, stream[place + 4 : place + 4 + length]
        place += 4 + length
        if kind == 0x000A:
            return
    raise ValueError("cut off")


def _looked(stream: bytes, start: int, *, hidden: bool) -> Looked:
    seen = Looked(hidden=hidden)
    for kind, body in _records(stream, start):
        if kind not in _FILLED and kind != _MANY:
            continue
        row, column = struct.unpack_from("<HH", body)
        if kind == _FORMULA:
            seen.special[row, column] = FORMULA
        elif kind == _BOOLERR and body[7]:
            seen.special[row, column] = _ERRORS.get(body[6], "#N/A")
        elif kind == _MANY:
            column += (len(body) - 12) // 6
        seen.rows, seen.columns = max(seen.rows, row + 1), max(seen.columns, column + 1)
    if seen.rows * seen.columns > MOST_CELLS:
        raise too_many_cells()
    return seen
