"""The draw of an edition: which of the cases told as fixed are looked at again, and what that says of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from anlan.casework.rechecks import Drawn, Finding, standing
from anlan.facts.table import TABLES
from anlan.index.counting import behind
from anlan.index.counting.behind import NoRows
from anlan.index.counting.indicator import Measure
from anlan.index.editions.edition import Edition
from anlan.index.rulebook import integrity
from anlan.index.rulebook.integrity import Fixed
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal

SIZE: Final = 20
MOST: Final = 500
FIXED: Final = Measure(table="cases", where="valid and outcome = 'cured'", date="closed_date")
"""What was told as fixed in a period."""


class BadSize(Refusal):
    """So many cannot be drawn."""

    def __init__(self) -> None:
        super().__init__(
            f"抽查件数应是 1 到 {MOST} 的整数。", f"Between 1 and {MOST} cases can be drawn.", field="size"
        )


@dataclass(frozen=True, slots=True)
class Draw:
    """The cases drawn, in the order of their lots, of all `of` that were told as fixed."""

    edition: Drawn
    area_path: str
    seed: int
    of: int
    cases: tuple[UUID, ...]

    def found(self) -> dict[UUID, Finding]:
        """What was found of those that somebody has looked at."""
        return standing(self.cases, self.edition)

    def rate(self, found: Mapping[UUID, Finding]) -> Fixed | None:
        """The true share of fixes with its interval; None while nobody has looked at any."""
        if not found:
            return None
        return integrity.fixed(sum(each.fixed for each in found.values()), len(found), self.of)


def draw(edition: Edition, area_path: str, size: int = SIZE) -> Draw:
    """Draw `size` of the cases of an area that were told as fixed in the edition's period: the same for everybody.

    More are drawn by asking for more: the first ones stay. Raises BadSize.
    """
    if not 1 <= size <= MOST:
        raise BadSize
    manifest = edition.manifest
    try:
        tables = catalogue.current().all(TABLES)
        every = behind.counted(edition.facts, tables, FIXED, area_path, edition.period).cases
    except NoRows:
        every = []
    seed = integrity.seed_of(manifest.index, manifest.period, manifest.result_sha256)
    lots = tuple(UUID(each) for each in integrity.sample(every, size, seed=seed))
    return Draw(Drawn(manifest.index, manifest.period, manifest.number), area_path, seed, len(every), lots)


def size_of(given: str) -> int:
    """How many are asked for, as an address or a form says it. Raises BadSize."""
    if not given:
        return SIZE
    if not (given.isdecimal() and given.isascii() and len(given) < 7):
        raise BadSize
    return int(given)
