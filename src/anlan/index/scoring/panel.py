"""Values of many indicators for many units over several periods: what engines give and scores are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anlan.kernel.text import Refusal, Text

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]


class Status(IntEnum):
    """What stands behind a value."""

    PRESENT = 0
    MISSING = 1
    """Nobody has told it, or it could not be worked out: NaN."""
    TOO_SMALL = 2
    """The denominator is smaller than declared, and nothing to draw the value to: NaN."""
    SHRUNK = 3
    """Drawn towards the rate of the declared area above, for the denominator is small."""
    SET = 4
    """Not worked out but set by the declared rule for what is missing or has nothing to be divided by."""
    IMPUTED = 5
    """Filled in from other values by the index's declared rule."""


WORDS: Final[dict[Status, Text]] = {
    Status.PRESENT: Text(zh="有数", en="counted"),
    Status.MISSING: Text(zh="缺数", en="missing"),
    Status.TOO_SMALL: Text(zh="基数过小", en="too small to say"),
    Status.SHRUNK: Text(zh="基数小，已向上级收缩", en="small, drawn to the area above"),
    Status.SET: Text(zh="按规则取值", en="set by rule"),
    Status.IMPUTED: Text(zh="插补", en="filled in"),
}
"""The words for each."""


class Misshapen(Refusal):
    """An array does not fit the units, periods and columns it is said to be of."""

    def __init__(self, name: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        super().__init__(
            f"“{name}”的形状是 {found}，应为 {wanted}（单位 × 期间 × 指标）。",
            f"“{name}” has the shape {found}; it must be {wanted} (units × periods × columns).",
        )


@dataclass(frozen=True, slots=True)
class Panel:
    """Values by unit, period and column; every array has this shape, NaN where there is none.

    Units are area paths, or any names without repetition; periods are in the order of time. `numerator` and
    `denominator` are what the value was divided from, where it was divided.
    """

    units: tuple[str, ...]
    periods: tuple[str, ...]
    columns: tuple[str, ...]
    value: Floats
    status: Codes
    numerator: Floats | None = None
    denominator: Floats | None = None

    def __post_init__(self) -> None:
        wanted = (len(self.units), len(self.periods), len(self.columns))
        for name in ("value", "status", "numerator", "denominator"):
            found = getattr(self, name)
            if found is not None and found.shape != wanted:
                raise Misshapen(name, found.shape, wanted)

    def at(self, period: str) -> Floats:
        """The values of one period: units × columns. Raises ValueError when there is no such period."""
        return self.value[:, self.periods.index(period), :]


def of_values(value: Floats, *, units: Sequence[str], periods: Sequence[str], columns: Sequence[str]) -> Panel:
    """A panel of values alone: what is NaN is missing."""
    status = np.where(np.isnan(value), Status.MISSING, Status.PRESENT).astype(np.uint8)
    return Panel(tuple(units), tuple(periods), tuple(columns), value, status)
