"""The vocabulary of a unit: how people write it, and what each way is worth. One file a unit, in a folder `units`."""

from __future__ import annotations

import re
from typing import Final

from pydantic import Field

from anlan.intake.files import cells
from anlan.intake.files.cells import Unreadable
from anlan.kernel.catalogue import Declaration, Kind
from anlan.kernel.text import Text

_TIMES: Final = {"": 1.0, "百": 1e2, "千": 1e3, "万": 1e4, "亿": 1e8}
_ABOUT = re.compile(r"^(?:约|大约|大概|近|≈|~|不到|超过|超)+\s*")
_PARTS = re.compile(r"([+-]?[\d,]*\.?\d+)\s*(.*)", re.DOTALL)
_ROUGHLY = re.compile(r"(?:余|多|左右|上下|以上)")


class Unit(Declaration):
    """A unit in which a figure is kept. `names` are the ways of writing it and its kin, each with its worth in it."""

    title: Text
    names: dict[str, float] = Field(min_length=1)


UNITS: Final = Kind("units", Unit)


def quantity(text: str, unit: Unit) -> float:
    """The number that `text` writes, in `unit`: "12 平方米", "约5间", "1,200", "3.5万元". A bare one is in it."""
    told = _ABOUT.sub("", cells.plain(text))
    found = _PARTS.fullmatch(told)
    if found is None:
        raise Unreadable(
            f"不是数字，请写成 12 或 12{unit.title.zh}", f"this is not a number; write it like 12 ({unit.title.en})"
        )
    value = cells.number(found[1])
    rest = _ROUGHLY.sub("", found[2]).strip().casefold()
    worth = _worth(rest, unit)
    if worth is None:
        known = [name for name in unit.names if name][:6]
        raise Unreadable(
            f"单位「{found[2].strip()}」不认识，可以写：{'、'.join(known)}",
            f"the unit “{found[2].strip()}” is not known; write one of {', '.join(known)}",
        )
    return round(value * worth, 6)


def _worth(rest: str, unit: Unit) -> float | None:
    known = {cells.plain(name).casefold(): worth for name, worth in unit.names.items()}
    for times, much in _TIMES.items():
        if rest.startswith(times) and (left := rest.removeprefix(times).strip()) in {"", *known}:
            return much * known.get(left, 1.0)
        if rest in known:
            return known[rest]
    return None
