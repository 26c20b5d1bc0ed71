"""When an area moves or closes, what is still open in it goes along, so that no case is left where nobody looks."""

from __future__ import annotations

from collections.abc import Sequence

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
    for device in Device.objects.filter(under(old), retired_date=None).select_related("area"):
        area = now.get(new + device.area_path.removeprefix(old)) or now.get(new)
        if area is not None:
            Device.objects.filter(pk=device.pk).update(area=area, area_path=area.path)
    waiting = Report.objects.filter(under(old), case_reports__isnull=True, withdrawn_at__isnull=True)
    for report in waiting:
        area = now.get(new + report.area_path.removeprefix(old)) or now.get(new)
        if area is not None:
            Report.objects.filter(pk=report.pk).update(area=area, area_path=area.path)
    for push in Push.objects.filter(under(old), answered_at=None):
        area = now.get(new + push.area_path.removeprefix(old)) or now.get(new)
        if area is not None:
            Push.objects.filter(pk=push.pk).update(area_path=area.path)
    for machine in (Client, Subscriber):
        for each in machine.objects.filter(under(old)):
            area = now.get(new + each.area_path.removeprefix(old)) or now.get(new)
            if area is not None:
                machine.objects.filter(pk=each.pk).update(area=area, area_path=area.path)
