"""Which layout a table is, and which of its columns is what: by what the headings say and what the cells look like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from anlan.intake.channel import Column
from anlan.intake.files import cells, headings
from anlan.intake.files.cells import Unreadable
from anlan.intake.files.headings import SEPARATOR, Headings
from anlan.intake.files.unit import UNITS, quantity
from anlan.intake.files.workbook import Grid
from anlan.intake.uploading.layout import Plan
from anlan.kernel import catalogue

LEAST: Final = 0.55
"""Headings less alike than this are not taken for one another."""
_LOOKED = 40
_FITS = 0.15


@dataclass(frozen=True)
class Guess:
    """A layout, where the headings stand, which column each field is read from, and how sure that is, from 0 to 1."""

    plan: Plan
    headings: Headings
    columns: Mapping[str, int]
    sure: Mapping[str, float]
    confidence: float


def best(grid: Grid, plans: Mapping[str, Plan], *, most: int = 3) -> list[Guess]:
    """The likeliest layouts of a sheet, the best first; none where nothing is alike."""
    found: dict[str, Guess] = {}
    for place in headings.candidates(grid):
        for plan in plans.values():
            guess = match(grid, place, plan)
            if guess.columns and (plan.key not in found or guess.confidence > found[plan.key].confidence + 1e-9):
                found[plan.key] = guess
    return sorted(found.values(), key=lambda each: -each.confidence)[:most]


def match(grid: Grid, place: Headings, plan: Plan) -> Guess:
    """How well a sheet with these headings fits one layout."""
    sample = grid.rows[place.below : place.below + _LOOKED]
    scored: list[tuple[float, int, str]] = []
    for field, column in plan.columns.items():
        for number, name in enumerate(place.names):
            alike = _alike(name, column.names) if name else 0.0
            if alike >= LEAST:
                scored.append((alike + _FITS * (_fitting(sample, number, column, plan) - 0.5), number, field))
    columns: dict[str, int] = {}
    sure: dict[str, float] = {}
    for score, number, field in sorted(scored, key=lambda each: (-each[0], each[1])):
        if field not in columns and number not in columns.values():
            columns[field], sure[field] = number, round(min(1.0, max(score, 0.0)), 2)
    return Guess(plan, place, columns, sure, _confidence(place.names, plan, sure))


def _confidence(names: Sequence[str], plan: Plan, sure: Mapping[str, float]) -> float:
    """What is explained of the headings and of the layout together; what must be there and is not weighs heavily."""
    weight = {field: 2.0 if column.required else 1.0 for field, column in plan.columns.items()}
    found = sum(weight[field] * score for field, score in sure.items())
    missing = sum(weight[field] for field, column in plan.columns.items() if column.required and field not in sure)
    told = sum(bool(name) for name in names) + sum(weight[field] - 1 for field in sure)
    if not found or not told:
        return 0.0
    return round(max(0.0, min(1.0, found / (told + missing * 2))), 3)


@lru_cache(maxsize=8192)
def _alike(name: str, known: tuple[str, ...]) -> float:
    """How alike a heading is to the nearest of the names: the same words count 1, else their pairs of letters."""
    forms = {name, name.rpartition(SEPARATOR)[2]}
    return max(_near(_key(form), _key(other)) for form in forms for other in known)


@lru_cache(maxsize=8192)
def _key(name: str) -> str:
    return "".join(letter for letter in cells.plain(name).casefold() if letter.isalnum() or letter == SEPARATOR)


def _near(one: str, other: str) -> float:
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    mine, theirs = _pairs(one), _pairs(other)
    if not mine or not theirs:
        return 0.0
    return 0.95 * 2 * len(mine & theirs) / (len(mine) + len(theirs))


@lru_cache(maxsize=8192)
def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 2] for at in range(len(text) - 1))


def _fitting(sample: Sequence[Sequence[str]], number: int, column: Column, plan: Plan) -> float:
    """The share of a column's cells that can be read as the kind asks; half where the kind asks nothing."""
    told = [row[number].strip() for row in sample if number < len(row) and row[number].strip()]
    read = _reader(column, plan)
    if not told or read is None:
        return 0.5
    known = {cells.plain(each).casefold() for each in (*column.map, *column.choices)}
    return sum(cells.plain(cell).casefold() in known or _reads(read, cell) for cell in told) / len(told)


def _reads(read: Callable[[str], Any], cell: str) -> bool:
    try:
        read(cell)
    except Unreadable:
        return False
    return True


def _reader(column: Column, plan: Plan) -> Callable[[str], Any] | None:
    zone = ZoneInfo(plan.channel.time_zone)
    if column.kind in ("date", "datetime"):
        return lambda text: cells.moment(text, zone=zone, formats=column.formats)
    if column.unit:
        unit = catalogue.current().get(UNITS, column.unit)
        return lambda text: quantity(text, unit)
    known: dict[str, Callable[[str], Any]] = {
        "number": cells.number, "lon": cells.longitude, "lat": cells.latitude, "phone": cells.phone,
        "period": cells.period,
    }  # fmt: skip
    if column.kind == "choice":
        return _never
    return known.get(column.kind)


def _never(text: str) -> None:
    raise Unreadable("", "")


def fingerprint(names: Sequence[str]) -> str:
    """By what the same headings are known again, whatever file and order of rows they come in."""
    told = json.dumps([_key(name) for name in names], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()
