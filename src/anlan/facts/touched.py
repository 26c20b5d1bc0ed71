"""What new events touch: the cases, reports, alarms, calls, pushes and figures whose rows may be others now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from anlan.casework.models import Call, Case, CaseReport, Push
from anlan.facts.case_places import later_at_the_same_places
from anlan.facts.known import Known
from anlan.facts.statistic_rows import Figure
from anlan.intake.models import Device, Episode, Report, Statistic
from anlan.intake.sensors.episodes import ALARMS
from anlan.ledger import order
from anlan.ledger.models import Event
from anlan.ledger.order import Position
from anlan.places.models import Site
from anlan.places.record import subject_of
from anlan.places.scope import under

CASE: Final = ("case.opened", "case.moved", "case.rang", "case.joined", "case.carried", "case.told")
REPORT: Final = (
    "report.received", "report.withdrawn", "report.added", "report.mended", "report.pressed", "report.remarked",
)  # fmt: skip
STATISTIC: Final = ("statistic.recorded", "statistic.corrected", "statistic.withdrawn")
DEVICE: Final = ("device.troubled", "device.recovered", "device.changed", "device.retired")
PUSH: Final = ("push.sent", "push.received", "push.answered", "push.overran")
PLACE: Final = ("site.changed", "area.moved", "area.closed", "area.changed", "calendar.loaded")
_ASKED = 500

Kinds = dict[Any, set[str]]
"""What is touched, and by which kinds of event."""


@dataclass(slots=True)
class Touched:
    """What is to be made anew, by what it is; `everything` says why all of it is."""

    cases: Kinds = field(default_factory=dict)
    reports: Kinds = field(default_factory=dict)
    alarms: Kinds = field(default_factory=dict)
    calls: Kinds = field(default_factory=dict)
    pushes: Kinds = field(default_factory=dict)
    figures: Kinds = field(default_factory=dict)
    events: dict[str, Kinds] = field(default_factory=dict)
    everything: bool = False


def since(position: Position, known: Known) -> Touched:
    """What the events after `position` touch, directly and by what hangs on it."""
    found = Touched()
    for kind, subject in order.columns_between(position, known.until, "kind", "subject", kinds=(*CASE, *REPORT)):
        _note(found.cases if kind in CASE else found.reports, subject, kind)
    devices: Kinds = {}
    for kind, subject, path, data in order.columns_between(
        position, known.until, "kind", "subject", "area_path", "data", kinds=(*STATISTIC, *DEVICE, *PUSH, *PLACE)
    ):
        _other(found, devices, kind, subject, path, data)
    _own_events(found, position, known)
    if not found.everything:
        _hanging(found, devices, known)
    return found


def _note(into: Kinds, what: Any, kind: str) -> None:
    into.setdefault(what, set()).add(kind)


def _all(into: Kinds, what: Iterable[Any], kind: str) -> None:
    for each in what:
        _note(into, each, kind)


def _other(found: Touched, devices: Kinds, kind: str, subject: UUID, path: str, data: dict[str, Any]) -> None:
    if kind in STATISTIC:
        _note(found.figures, (data["figure"], path, data["period"]), kind)
    elif kind in PUSH:
        _note(found.pushes, subject, kind)
        _note(found.calls, UUID(data["call"]), kind)
    elif kind in DEVICE:
        _note(devices, data.get("device") or data.get("code") or _code(subject), kind)
    elif kind == "site.changed":
        sites = [site.pk for site in Site.objects.only("pk").iterator() if subject_of(site) == subject]
        _all(found.cases, Case.objects.filter(site__in=sites).values_list("pk", flat=True), kind)
    elif kind == "calendar.loaded":
        _all(found.cases, Case.objects.filter(closed_at=None).values_list("pk", flat=True), kind)
    elif kind == "area.changed":
        # Days are those of the area's calendar: with another one, every row may lie elsewhere.
        found.everything = found.everything or "calendar" in data["fields"]
    else:
        _carried(found, data["to"] if kind == "area.moved" else data["into"], kind)


def _code(subject: UUID) -> str:
    """The device that an event is about, where the event does not say its code."""
    return next((each.code for each in Device.objects.only("pk", "code").iterator() if subject_of(each) == subject), "")


def _carried(found: Touched, new: str, kind: str) -> None:
    """What went along when an area moved, and of which no event of its own tells."""
    if not new:
        return
    waiting = Report.objects.filter(under(new), case_reports__isnull=True)
    _all(found.reports, waiting.values_list("pk", flat=True), kind)
    _all(found.pushes, Push.objects.filter(under(new), answered_at=None).values_list("pk", flat=True), kind)
    there = Episode.objects.filter(under(new, "device__area_path"), trouble__in=ALARMS)
    _all(found.alarms, there.values_list("pk", flat=True), kind)


def _own_events(found: Touched, position: Position, known: Known) -> None:
    """The events of tables that are read from events alone."""
    own = {key: table.events for key, table in known.tables.items() if table.of_events}
    if not own:
        return
    kinds = {kind for events in own.values() for kind in events}
    for seq, kind in order.columns_between(position, known.until, "seq", "kind", kinds=kinds):
        for key, events in own.items():
            if kind in events:
                _note(found.events.setdefault(key, {}), seq, kind)


def _hanging(found: Touched, devices: Kinds, known: Known) -> None:
    """Reports and calls go with their cases, alarms with their reports; what repeats goes with what it repeats."""
    told = list(found.cases)
    for part in _parts(told):
        links = CaseReport.objects.filter(case__in=part).values_list("case", "report")
        for case, report in links:
            found.reports.setdefault(report, set()).update(found.cases[case])
        for case, call in Call.objects.filter(case__in=part).values_list("case", "pk"):
            found.calls.setdefault(call, set()).update(found.cases[case])
        _all(found.cases, later_at_the_same_places(part, known) - found.cases.keys(), "case.opened")
    for reports in _parts(list(found.reports)):
        kinds = found.reports
        for pk in Call.objects.filter(pk__in=reports).values_list("pk", flat=True):
            found.calls.setdefault(pk, set()).update(kinds[pk])
        for report, pk in Episode.objects.filter(report__in=reports, trouble__in=ALARMS).values_list("report", "pk"):
            found.alarms.setdefault(pk, set()).update(kinds[report])
    for calls in _parts(list(found.calls)):
        _all(found.calls, Call.objects.filter(repeats__in=calls).values_list("pk", flat=True), "report.received")
    for codes in _parts(list(devices)):
        theirs = Episode.objects.filter(device__code__in=codes, trouble__in=ALARMS)
        for code, pk in theirs.values_list("device__code", "pk"):
            found.alarms.setdefault(pk, set()).update(devices[code])


def _parts(what: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(what), _ASKED):
        yield what[start : start + _ASKED]


# ---------------------------------------------------------------- everything there is


def all_cases() -> Iterator[UUID]:
    return Case.objects.order_by("opened_at", "pk").values_list("pk", flat=True).iterator(chunk_size=10_000)


def all_reports() -> Iterator[UUID]:
    return Report.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000)


def all_alarms() -> Iterator[UUID]:
    found = Episode.objects.filter(trouble__in=ALARMS).order_by("device", "pk")
    return found.values_list("pk", flat=True).iterator(chunk_size=10_000)


def all_calls() -> Iterator[UUID]:
    return Call.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000)


def all_pushes() -> Iterator[UUID]:
    return Push.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000)


def all_figures() -> Iterator[Figure]:
    columns = ("figure", "area_path", "period")
    return Statistic.objects.order_by(*columns).values_list(*columns).distinct().iterator(chunk_size=10_000)


def all_events(kinds: Iterable[str], until: Position) -> Iterator[int]:
    tx, seq = until
    found = Event.objects.filter(kind__in=list(kinds), tx__lte=tx).exclude(tx=tx, seq__gt=seq).order_by("seq")
    return found.values_list("seq", flat=True).iterator(chunk_size=10_000)
