"""Run by a test as a process of its own: an export that is killed at its so-manieth touch of the disk.

With `more` instead of a folder it lets so many cases be told in the town that stands: half of them long ago.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()


def more(count: int) -> None:
    """Cases of today and of two months ago, in turn."""
    from datetime import timedelta

    from django.utils import timezone

    from anlan.casework import cases
    from anlan.casework.cases import Opening
    from anlan.places.models import Area, Officer

    grid, triage = Area.objects.get(code="330101001001001"), Officer.objects.get(username="baijie")
    for number in range(count):
        at = timezone.now() - timedelta(days=60 * (number % 2))
        cases.open_case(Opening("incident", grid, f"又一件 {number}", topic="manhole"), by=triage, at=at)


def main(folder: Path, touches: int) -> None:
    """Export into `folder`; killed just before the touch `touches` (0: never)."""
    from django.utils import timezone

    from anlan.facts import store
    from anlan.facts.export import export

    left = [touches]

    def mortal(touch: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return touch(*given)

        return counted

    for name in ("write", "move", "delete"):
        setattr(store.Store, name, mortal(getattr(store.Store, name)))
    export(store.open_store(folder), aside=folder.with_name("aside"), at=timezone.now())
    print(touches - left[0])  # noqa: T201 - the test reads it


if __name__ == "__main__":
    if sys.argv[1] == "more":
        more(int(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]))
