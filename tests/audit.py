"""Run by a test as a process of its own: whether everything that is kept beside the ledger is what the ledger says.

Prints as JSON what it found. `audit` starts it.
"""

# ruff: noqa: T201 - the test reads what is printed
from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from installation import Installation


@dataclass(frozen=True, slots=True)
class Found:
    """`keys` says how many events bear a client's key, and on which case; the rest is what disagrees (nothing, one
    hopes): caches of cases with their histories, tallies with what they are when counted anew; what is there `twice`.
    """

    cases: int
    events: int
    keys: dict[str, list[str]]
    caches: list[str]
    tallies: list[str]
    twice: list[str]


def audit(installation: Installation) -> Found:
    """Let the loops finish what is left, then compare everything with the ledger."""
    for _ in range(2):  # what the first round rings is read in the second
        installation.anlan("work", "--once")
    return Found(**json.loads(installation.python(str(Path(__file__))).stdout))


def _caches() -> list[str]:
    """The cases whose caches are not what their history says."""
    from anlan.casework.draft import CACHES, carry, load
    from anlan.casework.models import Case

    wrong = []
    for case in Case.objects.all():
        kept = {name: getattr(case, name) for name in CACHES}
        draft = load(case)
        carry(case, draft.plan, draft.now, draft.calendar)
        wrong += [
            f"{case.number}.{name}: {kept[name]!r}, by its history {getattr(case, name)!r}"
            for name in CACHES
            if getattr(case, name) != kept[name]
        ]
    return wrong


def _tallies() -> list[str]:
    """Where the tallies kept by the follower are not those counted from the histories alone."""
    from django.db import transaction

    from anlan.casework import counters
    from anlan.casework.models import Spell, Tally

    def sums() -> dict[str, Any]:
        kept = {}
        for model in (Tally, Spell):
            for row in map(dict[str, Any], model.objects.values()):
                key = "/".join(str(row.pop(name)) for name in ("area_path", "department", "topic", "day"))
                counts = {name: n for name, n in row.items() if n}
                if counts:
                    kept[f"{model.__name__} {key} {counts.get('days', '')}"] = counts
        return kept

    before = sums()
    with transaction.atomic():
        counters.recount()
        after = sums()
        transaction.set_rollback(True)
    return [
        f"{key}: {before.get(key)}, from the histories {after.get(key)}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def main() -> None:
    """What the process does."""
    import django

    django.setup()
    from anlan.casework.models import Case, Notice
    from anlan.ledger.models import Event

    keys: dict[str, list[str]] = {}
    for key, subject in Event.objects.exclude(key=None).order_by("seq").values_list("key", "subject"):
        keys.setdefault(str(key), []).append(str(subject))
    once = Counter(Case.objects.values_list("number", flat=True))
    once += Counter(f"{officer} {event}" for officer, event in Notice.objects.values_list("officer", "event"))
    found = Found(
        cases=Case.objects.count(),
        events=Event.objects.count(),
        keys=keys,
        caches=_caches(),
        tallies=_tallies(),
        twice=[thing for thing, times in once.items() if times > 1],
    )
    print(json.dumps({name: getattr(found, name) for name in Found.__slots__}))


if __name__ == "__main__":
    main()
