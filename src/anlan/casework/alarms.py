"""From what devices report to cases: alarms of one site and panel are one case with many witnesses, at once.

An alarm's case is opened, and its people are told, in the transaction in which the alarm is written down. What is to be
mended is one case for a panel, or for the grid where a device has none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q

from anlan.casework import notices, triage
from anlan.casework.cases import Opening, open_case
from anlan.casework.draft import plan_of
from anlan.casework.engine import MOVED
from anlan.casework.models import Case, CaseReport, DeviceCase
from anlan.casework.timeline import JOINED
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Device, Episode, Report
from anlan.intake.sensors import device_model, devices, episodes
from anlan.intake.sensors.alarms import is_flood
from anlan.kernel import catalogue
from anlan.kernel.ids import id_at
from anlan.kernel.text import Refusal
from anlan.ledger import events
from anlan.ledger.bulk import insert_rows
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event
from anlan.places.models import Site

logger = logging.getLogger(__name__)

_JOIN: Final = ("case_id", "report_id", "joined_at")


@dataclass(frozen=True, slots=True)
class _Group:
    """What becomes one case: for alarms a site and panel, for upkeep a panel or a grid."""

    key: str
    is_alarm: bool
    panel: int
    site: int | None


def answer(reports: Sequence[UUID], *, at: datetime) -> list[Case]:
    """Every report of a device has its case after this, but one that is refused, which waits in triage. In order: the
    alarms first, a group at a time. The same report again changes nothing.
    """
    found = Episode.objects.filter(report__in=reports, report__case_reports__isnull=True, report__withdrawn_at=None)
    rows = {each.report_id: each for each in found.select_related(
        "device", "report", "report__area", "report__site", "report__site__operator")}  # fmt: skip
    groups: dict[_Group, list[Episode]] = {}
    for report in reports:
        if report in rows:
            groups.setdefault(_group(rows[report]), []).append(rows[report])
    cases = []
    for group in sorted(groups, key=lambda each: not each.is_alarm):
        with suppress(Refusal), transaction.atomic():
            cases.append(_answer(group, groups[group], at))
    return cases


def _group(episode: Episode) -> _Group:
    device = episode.device
    panel = device.panel_id or (device.pk if _is_panel(device) else None)
    if episode.trouble in episodes.ALARMS:
        assert episode.report is not None
        place = f"s{device.site_id or 0}:p{panel or 0}" if device.site_id or panel else f"d{device.pk}"
        return _Group(f"alarm:{episode.report.topic}:{place}", True, panel or device.pk, device.site_id)
    return _Group(f"upkeep:{f'p{panel}' if panel else device.area_path}", False, panel or device.pk, None)


def _is_panel(device: Device) -> bool:
    declared = devices.model_of(device.model)
    return declared is not None and declared.sort == "panel"


def _answer(group: _Group, members: Sequence[Episode], at: datetime) -> Case:
    """Held by the panel or the site, so that two listeners do not open two cases of one group."""
    if group.site is not None:
        list(Site.objects.select_for_update(of=("self",)).filter(pk=group.site).values_list("pk"))
    list(Device.objects.select_for_update(of=("self",)).filter(pk=group.panel).values_list("pk"))
    standing = _standing(group, at)
    if standing is None:
        return _open(group, members, at)
    _join(standing, members, at)
    return standing.case


def _standing(group: _Group, at: datetime) -> DeviceCase | None:
    """The group's case that is still open; of alarms, one that was joined within the declared window."""
    found = DeviceCase.objects.select_related("case").filter(key=group.key, case__closed_at=None)
    if group.is_alarm:
        found = found.filter(last_at__gte=at - timedelta(minutes=device_model.rules().window))
    return found.order_by("-last_at").first()


def _open(group: _Group, members: Sequence[Episode], at: datetime) -> Case:
    first = members[0].report
    assert first is not None
    route = triage.propose(first).route
    if route is None:
        raise Refusal("没有这类报警的流程。", "There is no procedure for such an alarm.")
    opening = Opening(
        procedure=route.procedure, area=first.area, title=_title(members[0], first), topic=first.topic,
        description=first.description, address=first.address, site=first.site,
        party=first.site.operator if first.site else None, lon=first.lon, lat=first.lat, channel=first.channel,
        lengths=dict(route.lengths),
    )  # fmt: skip
    key = f"open:{first.pk}"
    case = open_case(opening, by=None, at=at, report=first, key=key)
    made = DeviceCase.objects.create(case=case, key=group.key, last_at=at, devices=1, sorts=_sort(members[0]))
    if opened := events.find(key):
        notices.tell([opened])
    if len(members) > 1:
        _join(made, members[1:], at)
    return case


def _title(episode: Episode, report: Report) -> str:
    place = report.site.name if report.site else report.address or report.area.name_zh
    return f"{place} · {report.description}"[:200]


def _sort(episode: Episode) -> str:
    declared = devices.model_of(episode.device.model)
    return declared.sort if declared else ""


def _join(standing: DeviceCase, members: Sequence[Episode], at: datetime) -> None:
    """Many witnesses at once: a row each, one event for all of them."""
    case = standing.case
    insert_rows(CaseReport, _JOIN, [(case.pk, each.report_id, at) for each in members])
    Case.objects.filter(pk=case.pk).update(reports_count=F("reports_count") + len(members))
    known = standing.sorts.split()
    fresh = sorted({_sort(each) for each in members} - {*known, ""})
    standing.devices += len(members)
    standing.sorts = " ".join([*known, *fresh])
    standing.last_at = max(standing.last_at, at)
    flood = standing.flood_at is None and _floods(standing, at)
    if flood:
        standing.flood_at = at
    standing.save()
    data = {"reports": len(members), "report": str(members[0].report_id)}
    data |= {"sorts": fresh} if fresh and standing.key.startswith("alarm:") else {}
    data |= {"flood": True} if flood else {}
    joined = NewEvent(JOINED, case.pk, by=None, at=at, recorded_at=at, area_path=case.area_path, data=data,
                      id=id_at(at))  # fmt: skip
    told = events.append(joined)
    if "sorts" in data:
        notices.tell([told])


def _floods(standing: DeviceCase, at: datetime) -> bool:
    rules = device_model.rules()
    since = at - timedelta(seconds=rules.flood_seconds)
    recent = Episode.objects.filter(report__case_reports__case=standing.case_id, began_at__gte=since)
    moments = list(recent.values_list("began_at", flat=True)[: 10 * rules.flood_points])
    return is_flood(moments, points=rules.flood_points, seconds=rules.flood_seconds)


# ---------------------------------------------------------------- following


def follow(told: Sequence[Event]) -> None:
    """The follower: reports of devices that have no case yet, and what a person found of an alarm."""
    for event in told:
        if event.kind == MOVED:
            _judge(event)
    received = [event.subject for event in told if event.kind == triage.RECEIVED]
    if received:
        left = Report.objects.filter(pk__in=received, channel__in=device_channels(), case_reports__isnull=True)
        waiting = list(left.order_by("received_at", "pk").values_list("pk", flat=True))
        if waiting:
            answer(waiting, at=max(event.recorded_at for event in told))


def device_channels() -> list[str]:
    """The channels through which devices report."""
    return [key for key, channel in catalogue.current().all(CHANNELS).items() if channel.kind == "device"]


def _judge(event: Event) -> None:
    case = Case.objects.filter(pk=event.subject, by_devices__isnull=False).first()
    if case is None:
        return
    verdict = plan_of(case).acts[event.data["act"]].verdict
    mine = Episode.objects.filter(report__case_reports__case=case, trouble__in=episodes.ALARMS, verdict="")
    judged = list(mine.values_list("device", flat=True)) if verdict else []
    if not judged:
        return
    mine.update(verdict=verdict)
    if verdict == "false":
        Device.objects.filter(pk__in=judged).update(false_alarms=F("false_alarms") + 1)
        answer(episodes.note(_cry_wolf(judged, event.at), "false", at=event.recorded_at), at=event.recorded_at)


def _cry_wolf(ids: Iterable[int], at: datetime) -> list[int]:
    """Those that were found false as often, in as many days, as their model says."""
    found = []
    for device in Device.objects.filter(pk__in=ids, retired_date=None):
        declared = devices.model_of(device.model)
        if declared is None:
            continue
        since = at - timedelta(days=declared.false_days)
        wolf = Count("pk", filter=Q(verdict="false", began_at__gte=since))
        if device.episodes.aggregate(times=wolf)["times"] >= declared.false_times:
            found.append(device.pk)
    return found


def sweep(*, at: datetime) -> int:
    """What nobody tells: alarms that are over, devices that fell silent, and the cases of these; how many devices."""
    with transaction.atomic():
        devices_, reports = episodes.sweep(at=at)
        answer(reports, at=at)
    return devices_
