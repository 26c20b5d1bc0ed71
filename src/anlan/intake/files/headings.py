"""Where a sheet's headings stand: below a title, in one row or two, and which rows under them are no data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from anlan.intake.files import cells
from anlan.intake.files.workbook import Grid
from anlan.kernel.text import Text

WITHIN: Final = 12
"""Rows from the top in which headings are looked for."""
SEPARATOR: Final = "/"
"""Between a heading and the one below it, where headings take two rows."""

_TOTAL = re.compile(
    r"^(?:[本此]?页|当页|总|累|本月|本年)?(?:合计|小计|总计|共计|累计|合\s*计|总\s*计|total|subtotal|sum)[:：]?$"
)
_LONGEST_MARK = 12
_FOOT = re.compile(r"^(?:填表|制表|制单|填报|审核|审批|负责人签|备注|说明|注)[^:：]{0,8}[:：]")


@dataclass(frozen=True)
class Headings:
    """The headings of a table: their names as written, and the number, from 0, of the first row below them."""

    names: tuple[str, ...]
    below: int


def candidates(grid: Grid) -> Iterator[Headings]:
    """What could be the headings, from the top: every row, and two rows where the upper spans the lower."""
    for number, row in enumerate(grid.rows[:WITHIN]):
        if not any(cell.strip() for cell in row):
            continue
        if number + 1 < len(grid.rows) and _spans(grid, number):
            yield Headings(_joined(row, grid.rows[number + 1]), number + 2)
        yield Headings(_trimmed(row), number + 1)


def _spans(grid: Grid, number: int) -> bool:
    """Whether some cell of the row is a heading over several of the next row's, or goes down into it."""
    row, below = grid.rows[number], grid.rows[number + 1]
    wide = any(top == number == bottom and right > left for top, left, bottom, right in grid.merged)
    tall = any(top == number and bottom == number + 1 for top, _, bottom, _ in grid.merged)
    filled = [bool(cell.strip()) for cell in row]
    hanging = any(
        cell.strip() and not (place < len(filled) and filled[place]) for place, cell in enumerate(below) if place
    )
    gaps = any(not there for there in filled[: max((n for n, there in enumerate(filled) if there), default=0)])
    return (wide or tall or (hanging and gaps)) and len({cell for cell in row if cell.strip()}) > 1


def _joined(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    names: list[str] = []
    over = ""
    for place in range(max(len(upper), len(lower))):
        top = _one_line(upper[place]) if place < len(upper) else ""
        low = _one_line(lower[place]) if place < len(lower) else ""
        over = top or (over if low else "")
        names.append(low or top if not over or low in {"", over} else f"{over}{SEPARATOR}{low}")
    return _trimmed(names)


def _trimmed(row: Sequence[str]) -> tuple[str, ...]:
    names = [_one_line(cell) for cell in row]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _one_line(cell: str) -> str:
    return re.sub(r"\s*[\r\n]+\s*", "", cell.replace("\ufeff", "")).strip()


def unalike(names: Sequence[str]) -> tuple[str, ...]:
    """The names, blank ones as their column's number and repeated ones numbered, so that each is a column's own."""
    seen: dict[str, int] = {}
    told = []
    for name in (given or f"#{place}" for place, given in enumerate(names, 1)):
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(told)


def no_data(row: Sequence[str], names: Sequence[str]) -> Text | None:
    """Why a row below the headings is no data: a total, the headings once more, or the foot of the page; else None."""
    filled = [cell for cell in row if cell and not cell.isspace()]
    if not filled:
        return BLANK
    first = cells.plain(filled[0])
    if len(first) > _LONGEST_MARK:
        return FOOT if len(set(filled)) == 1 and _FOOT.match(first) else None
    if _TOTAL.match(first.casefold()) or (
        len(filled) > 1 and first.isdigit() and _TOTAL.match(cells.plain(filled[1][: 2 * _LONGEST_MARK]).casefold())
    ):
        return TOTAL
    if len(filled) <= 3 and len(set(filled)) <= 2 and _FOOT.match(first):
        return FOOT
    return AGAIN if _is_heading(row, names) else None


def _is_heading(row: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the row says the headings again; one of its first cells must, or it is not looked at further."""
    told = list(zip(row, names, strict=False))
    if not any(cell and name.endswith(cell) for cell, name in told[:3]):
        return False
    filled = [(cell.strip(), name) for cell, name in told if cell.strip()]
    same = sum(cell in {name, name.rpartition(SEPARATOR)[2]} for cell, name in filled)
    return len(filled) > 2 and same >= max(3, len(filled) * 0.8)


BLANK: Final = Text(zh="空行", en="blank rows")
TOTAL: Final = Text(zh="合计行", en="rows of totals")
FOOT: Final = Text(zh="表尾说明", en="notes at the foot")
AGAIN: Final = Text(zh="重复的表头", en="headings repeated")
