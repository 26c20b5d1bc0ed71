"""What is told later about a report is told to the cases that answer it: pressed for, added to, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from anlan.casework.models import Case
from anlan.kernel.ids import id_at
from anlan.kernel.text import Text
from anlan.ledger import events
from anlan.ledger.events import AlreadyRecorded, NewEvent
from anlan.ledger.models import Event

TOLD: Final = "case.told"
WHAT: Final[dict[str, Text]] = {
    "report.pressed": Text(zh="来件方催办", en="The sender presses for it"),
    "report.added": Text(zh="来件方补充了情况（见上报原文）", en="The sender added to it (see the reports as told)"),
    "report.withdrawn": Text(zh="来件方撤回了上报", en="The report was withdrawn"),
}


def follow(told: Sequence[Event]) -> None:
    """The follower: each case hears of it once; what was said stands with the report, not in the event."""
    for event in told:
        if event.kind not in WHAT:
            continue
        for case in Case.objects.filter(case_reports__report=event.subject):
            heard = NewEvent(
                TOLD, case.pk, by=event.by, at=event.at, recorded_at=event.recorded_at, area_path=case.area_path,
                key=f"told:{event.id}:{case.pk}", data={"report": str(event.subject), "what": event.kind},
                id=id_at(event.recorded_at),
            )  # fmt: skip
            with suppress(AlreadyRecorded):
                events.append(heard)
