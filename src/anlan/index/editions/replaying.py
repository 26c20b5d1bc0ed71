"""Work an edition out again from nothing but what it keeps, and compare every bit."""

from __future__ import annotations

from dataclasses import dataclass

from anlan.index.editions import assessment, digest
from anlan.index.editions.digest import Difference
from anlan.index.editions.edition import SCHEMAS, Edition


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out: the digest of the result, and where it first differs from what is kept, table by table."""

    result_sha256: str
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether every bit is the same."""
        return not self.differences


def replay(edition: Edition) -> Replayed:
    """The facts, declarations and rankings kept, worked out anew by the program as it is now.

    Raises Spoilt when one of them is not what was frozen.
    """
    edition.check()
    spec = assessment.spec_of(edition.spec(), edition.manifest.index)
    history = assessment.read_history(edition.history())
    with assessment.opened(edition.facts, spec.tables) as engine:
        made = assessment.assess(spec, engine, edition.period, history=history, seed=edition.manifest.seed)
    kept = edition.tables()
    found = [digest.first_difference(name, kept[name], made.tables[name]) for name in SCHEMAS]
    return Replayed(digest.of_tables(made.tables), tuple(one for one in found if one is not None))
