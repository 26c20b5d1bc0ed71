"""What the town's closed cases turned out to be about: what topics are learned from."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from anlan.casework.models import CaseReport

_FOUND_OUT: Final = ("cured", "answered")


def topics_told(*, until: datetime, most: int) -> list[tuple[str, str]]:
    """What was told of the latest closed cases and the topic they were closed under, oldest first.

    Only cases that were dealt with: of one that was refused, merged away or void nobody found out what it was.
    """
    links = CaseReport.objects.filter(
        case__closed_at__lte=until, case__outcome__in=_FOUND_OUT, report__withdrawn_at=None
    ).exclude(report__description="")
    rows = links.order_by("-case__closed_at", "-pk").values_list("report__description", "case__topic")[:most]
    return list(rows)[::-1]
