"""Run by a test as a process of its own: a small demo town is lived through, and its ledger exported as facts.

The arguments are the folder for the facts, and the day and hour at which the town is built.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import django

PACK = Path(__file__).parents[1] / "packs" / "qinglan"
DAYS, SITES, CASES = 82, 120, 360


def live(folder: str, at: datetime) -> None:
    """A town of eighty-two days, so that two months of it are whole."""
    from anlan.kernel import catalogue
    from anlan.presentation import facts
    from anlan.presentation.demo import town

    catalogue.use([PACK])
    town.build(at=at, say=print, days=DAYS, sites=SITES, count_of_cases=CASES)
    facts.export(facts.store(folder), at=at)


if __name__ == "__main__":
    django.setup()
    live(sys.argv[1], datetime.fromisoformat(sys.argv[2]))
