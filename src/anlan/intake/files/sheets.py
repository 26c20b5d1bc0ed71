"""Tables that come as files: CSV (plain or gzipped), xlsx and xls, read whole or refused whole.

What a file is, is seen from its bytes, never from its name. Nothing in it is run: formulas stay text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from anlan.intake.channel import Channel
from anlan.intake.files import cells, headings, workbook
from anlan.intake.files.headings import Headings
from anlan.intake.files.workbook import Book, Grid
from anlan.kernel.text import Refusal

LARGEST_FILE = 64 * 1024 * 1024
LARGEST_TEXT = 512 * 1024 * 1024
MOST_ROWS = 500_000
MOST_COLUMNS = 200
SURPLUS = "+"
"""The key under which a row carries the cells that stand beyond the headings."""

ENCODINGS = ("utf-8-sig", "gb18030")
"""What a text file is tried as, where no channel says otherwise."""

_DELIMITERS = ",\t;"
_LISTED = 20
_FOREIGN = {
    b"%PDF": ("PDF", "a PDF"),
    b"Rar!": ("RAR 压缩包", "a RAR archive"),
    b"7z\xbc\xaf": ("7z 压缩包", "a 7z archive"),
    b"\x89PNG": ("图片", "a picture"),
    b"\xff\xd8\xff": ("图片", "a picture"),
}


class Unusable(Refusal):
    """The file as a whole cannot be taken; nothing of it was received."""


@dataclass(frozen=True)
class Sheet:
    """A table that was read whole. `digest` is the file's sha256; row 1 is the first row of the file."""

    name: str
    digest: str
    columns: tuple[str, ...]
    encoding: str
    first_row: int
    records: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.records)

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """(row number, message) of every row that is not blank."""
        columns, width = self.columns, len(self.columns)
        for number, record in enumerate(self.records, self.first_row):
            if len(record) == width:
                message = dict(zip(columns, record, strict=True))
            else:
                message = dict(zip(columns, [*record, *[""] * width], strict=False))
                surplus = " ".join(cell for cell in record[width:] if cell.strip())
                if surplus:
                    message[SURPLUS] = surplus
            if any(record):
                yield number, message


@dataclass(frozen=True)
class File:
    """A file that was found to be tables. `encoding` is xlsx, xls or that of its text; `hidden` are unseen sheets."""

    name: str
    digest: str
    encoding: str
    names: tuple[str, ...]
    hidden: frozenset[str] = frozenset()
    book: Book | None = None
    text: str = ""

    def grid(self, name: str) -> Grid:
        """One sheet's rows; raises `Unusable` or `BadWorkbook`."""
        if self.book is not None:
            return self.book.grid(name, most_rows=MOST_ROWS, most_columns=MOST_COLUMNS)
        return Grid(_records(self.text))

    @property
    def shown(self) -> tuple[str, ...]:
        """The sheets that somebody who opens the file sees; all of them where none is."""
        return tuple(name for name in self.names if name not in self.hidden) or self.names


def open_file(content: bytes, *, name: str, encodings: Sequence[str] = ENCODINGS) -> File:
    """The tables in `content`, or `Unusable` saying what is wrong, where, and what to do."""
    if len(content) > LARGEST_FILE:
        size, limit = len(content) >> 20, LARGEST_FILE >> 20
        raise Unusable(
            f"文件有 {size} MB，最多 {limit} MB：请分成几个文件。",
            f"The file has {size} MB, at most {limit} MB are taken: split it.",
        )
    for mark, (zh, en) in _FOREIGN.items():
        if content.startswith(mark):
            raise Unusable(
                f"这是{zh}：请另存为 xlsx 或 CSV（UTF-8）再导入。",
                f"This is {en}: save it as xlsx or CSV (UTF-8) and import that.",
            )
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        book = workbook.open_book(content)
        return File(name, digest, "xlsx" if content.startswith(b"PK") else "xls", book.names, book.hidden, book)
    if name.casefold().endswith((".xlsx", ".xlsm", ".xls")) and b"\0" in content:
        raise Unusable(
            "这个文件叫 Excel，里面却不是 Excel 表格，多半是没有传完整或已损坏：请在表格软件里打开看看，"
            "另存为 xlsx 再导入；打不开的话，请重新要一份。",
            "This file is named as an Excel file and is none inside; it was probably cut off or damaged. Open it in a "
            "spreadsheet program, save it as xlsx and import that; if it does not open, ask for it again.",
        )
    text, encoding = _decoded(_unpacked(content), encodings)
    if text[:2000].lstrip("\ufeff \r\n\t").casefold().startswith(("<html", "<!doctype", "<?xml", "<table", "{\\rtf")):
        raise Unusable(
            "这是网页或其他文件，只是改了扩展名：请在表格软件里打开，另存为 xlsx 再导入。",
            "This is a web page or something else under a table's name: open it in a spreadsheet program, save it as "
            "xlsx and import that.",
        )
    return File(name, digest, encoding, (name,), text=text)


def read(content: bytes, channel: Channel, *, name: str) -> Sheet:
    """The table in `content`, or `Unusable` saying what is wrong, where, and what to do."""
    file = open_file(content, name=name, encodings=channel.encodings)
    grid = file.grid(file.shown[0])
    found = _headings_at(grid, channel)
    return Sheet(name, file.digest, _headings(found.names), file.encoding, found.below + 1, grid.rows[found.below :])


def _unpacked(content: bytes) -> bytes:
    """The file without its gzip, refused when the packing is cut off, damaged or hides too much."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    parts: list[bytes] = []
    total = 0
    rest = content
    while rest.startswith(b"\x1f\x8b"):
        stream = zlib.decompressobj(wbits=31)
        try:
            part = stream.decompress(rest, LARGEST_TEXT - total + 1)
        except zlib.error:
            raise _broken(total + sum(map(len, parts)), parts) from None
        parts.append(part)
        total += len(part)
        if total > LARGEST_TEXT:
            limit = LARGEST_TEXT >> 20
            raise Unusable(f"解压后超过 {limit} MB：请分成几个文件。", f"It unpacks to more than {limit} MB: split it.")
        if not stream.eof:
            raise _broken(total, parts)
        rest = stream.unused_data
    return b"".join(parts)


def _broken(size: int, parts: Sequence[bytes]) -> Unusable:
    lines = sum(part.count(b"\n") for part in parts)
    return Unusable(
        f"压缩文件不完整或已损坏：解出 {size} 字节、到第 {lines + 1} 行为止。没有导入任何内容，请重新取得完整的文件。",
        f"The gzip file is cut off or damaged: it ends after {size} bytes, in row {lines + 1}. "
        "Nothing was imported; fetch the whole file again.",
    )


def _decoded(content: bytes, encodings: Sequence[str]) -> tuple[str, str]:
    """The text in the first of the encodings that fits strictly, and that encoding's name. UTF-16 says so itself."""
    furthest = 0
    utf16 = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ()
    for encoding in (*utf16, *encodings):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError as error:
            furthest = max(furthest, error.start)
    raise _undecodable(content, encodings, furthest)


def _undecodable(content: bytes, encodings: Sequence[str], furthest: int) -> Unusable:
    row = content.count(b"\n", 0, furthest) + 1
    tried = "、".join(encodings)
    guess_zh, guess_en = "", ""
    if _is_gbk(content):
        guess_zh, guess_en = "它像是 GBK 编码。", "It looks like GBK. "
    return Unusable(
        f"第 {row} 行有不能识别的文字，按 {tried} 都读不通。{guess_zh}"
        "请另存为“CSV UTF-8”，或在渠道的 encodings 里加上它的编码。",
        f"Row {row} cannot be read as {', '.join(encodings)}. {guess_en}Save the file as “CSV UTF-8”, "
        "or add its encoding to the channel's `encodings`.",
    )


def _is_gbk(content: bytes) -> bool:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _records(text: str) -> list[list[str]]:
    """The rows of a CSV, blank ones too so that the count stays that of the file."""
    head = text[:65536].split("\n", headings.WITHIN)[: headings.WITHIN]
    delimiter = max(_DELIMITERS, key=lambda mark: max(line.count(mark) for line in head))
    found: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for record in reader:
            found.append(record)
            if len(found) > MOST_ROWS:
                raise _too_many_rows()
    except csv.Error as error:
        raise Unusable(
            f"第 {len(found) + 1} 行读不通（{error}）：多半是引号没有成对，请改正后再导入。",
            f"Row {len(found) + 1} cannot be read ({error}): a quote is not closed, most likely; mend it.",
        ) from None
    return found


def _too_many_rows() -> Unusable:
    return Unusable(f"超过 {MOST_ROWS} 行：请分成几个文件。", f"More than {MOST_ROWS} rows: split the file.")


def _headings_at(grid: Grid, channel: Channel) -> Headings:
    """The first headings near the top that name every required column."""
    best: Sequence[str] = ()
    missing = [column.names for column in channel.columns.values() if column.required]
    most = -1
    for found in headings.candidates(grid):
        names = {_plain(cell) for cell in found.names}
        known = sum(any(_plain(n) in names for n in column.names) for column in channel.columns.values())
        lacking = [
            column.names
            for column in channel.columns.values()
            if column.required and not any(_plain(n) in names for n in column.names)
        ]
        if known and not lacking:
            return found
        if known > most:
            best, most, missing = found.names, known, lacking
    raise _no_headings(best, missing)


def _plain(name: str) -> str:
    return cells.plain(name).casefold()


def _no_headings(found: Sequence[str], missing: Sequence[Sequence[str]]) -> Unusable:
    there = [cell.strip() for cell in found if cell.strip()][:_LISTED]
    if not there:
        return Unusable("文件是空的：第一行应是表头。", "The file is empty: its first row must have the headings.")
    lacking = ["/".join(names) for names in missing]
    if not lacking:
        return Unusable(
            f"表头里没有一列是这个渠道认识的。文件里有：{'、'.join(there)}。请选对渠道。",
            f"No heading is known to this channel. The file has: {', '.join(there)}. Choose the right channel.",
        )
    return Unusable(
        f"缺少列：{'、'.join(lacking)}。文件里有：{'、'.join(there)}。请补上，或在渠道的 from 里加上这一列的叫法。",
        f"Columns missing: {', '.join(lacking)}. The file has: {', '.join(there)}. "
        "Add them, or add the name used here to `from` in the channel.",
    )


def _headings(record: Sequence[str]) -> tuple[str, ...]:
    """The headings as written, trailing blank ones dropped; two alike are refused, for one would hide the other."""
    names = [name.replace("\ufeff", "").strip() for name in record]
    while names and not names[-1]:
        names.pop()
    seen: set[str] = set()
    for place, name in enumerate(names):
        if not name:
            names[place] = f"#{place + 1}"
        elif name in seen or name == SURPLUS:
            raise Unusable(
                f"表头里「{name}」出现了两次：请改名或删去一列。",
                f"The heading “{name}” stands twice: rename or remove one.",
            )
        seen.add(name)
    if len(names) > MOST_COLUMNS:
        raise Unusable(
            f"超过 {MOST_COLUMNS} 列：请只留需要的列。",
            f"More than {MOST_COLUMNS} columns: keep those that are needed.",
        )
    return tuple(names)
