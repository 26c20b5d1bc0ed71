"""When an area moves or closes, what is still open in it goes along, so that no case is left where nobody looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from anlan.casework.models import Case, Push, Subscriber
from anlan.intake.models import Client, Device, Report
from anlan.kernel.ids import new_id
from anlan.ledger import events
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event
from anlan.places.models import Area
from anlan.places.scope import under

CARRIED = "case.carried"


def follow(told: Sequence[Event]) -> None:
    """The follower: open cases, waiting reports and devices take the path their area has now; others stay."""
    for event in told:
        if event.kind == "area.moved":
            _carry(event, event.data["from"], event.data["to"])
        elif event.kind == "area.closed" and event.data["into"]:
            _carry(event, event.area_path, event.data["into"])


def _carry(event: Event, old: str, new: str) -> None:
    now = {area.path: area for area in Area.objects.filter(under(new, "path"), valid_to=None)}
    appended = []
    for case in Case.objects.select_for_update().filter(under(old), closed_at__isnull=True):
        area = now.get(new + case.area_path.removeprefix(old)) or now.get(new)
        if area is None:
            continue
        data = {"from": case.area_path, "to": area.path}
        carried = NewEvent(
            kind=CARRIED, subject=case.pk, by=event.by, at=event.at, recorded_at=event.recorded_at,
            area_path=area.path, key=f"{event.id}:{case.pk}", data=data, id=new_id(),
        )  # fmt: skip
        appended.append(carried)
        # Due at once, so that the sweep sets the deadlines by the calendar that holds there.
        Case.objects.filter(pk=case.pk).update(area=area, area_path=area.path, tick_at=event.recorded_at)
    events.append_many(appended)
    for rows in _others(old):
        for pk, path in list(rows.values_list("pk", "area_path")):
            area = now.get(new + path.removeprefix(old)) or now.get(new)
            if area is not None:
                there = {"area_path": area.path} if rows.model is Push else {"area": area, "area_path": area.path}
                rows.model.objects.filter(pk=pk).update(**there)


def _others(old: str) -> tuple[QuerySet[Any], ...]:
    """What else goes along: waiting reports, devices in use, pushes that nobody has answered, other systems."""
    return (
        Report.objects.filter(under(old), case_reports__isnull=True, withdrawn_at__isnull=True),
        Device.objects.filter(under(old), retired_date=None),
        Push.objects.filter(under(old), answered_at=None),
        Client.objects.filter(under(old)),
        Subscriber.objects.filter(under(old)),
    )
