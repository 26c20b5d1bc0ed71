"""The rows of alarms: each episode of a device, and what was found of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from anlan.casework import procedure
from anlan.casework.engine import MOVED
from anlan.casework.models import CaseReport
from anlan.facts.histories import Told, histories
from anlan.facts.known import Known
from anlan.intake.models import Episode
from anlan.intake.sensors.episodes import ALARMS

_MINUTE = timedelta(minutes=1)
_COLUMNS = (
    "pk", "trouble", "began_at", "ended_at", "verdict", "report", "report__area_path", "device", "device__code",
    "device__model", "device__area_path", "device__site",
)  # fmt: skip
_SAID: Final = {"": "", "real": "confirmed", "false": "false"}


class AlarmRow(NamedTuple):
    alarm: str
    device: str
    model: str
    sort: str
    area_path: str
    site: str
    began_date: date
    cleared_date: date | None
    verdict: str
    minutes_to_verdict: int | None
    repeats: int


def rows(ids: Sequence[UUID], known: Known) -> list[AlarmRow]:
    """The rows of these episodes."""
    span = timedelta(days=known.number("alarms", "repeat_days"))
    found = list(Episode.objects.filter(pk__in=ids, trouble__in=ALARMS).values_list(*_COLUMNS))
    before = _moments({row[7] for row in found})
    judged = _judged({row[5] for row in found if row[4]}, known)
    made = []
    for pk, trouble, began, ended, verdict, report, path, device, code, model, own_path, site in found:
        day = known.calendar_at(path or own_path).local_date
        at = judged.get(report)
        earlier = before[device]
        made.append(
            AlarmRow(
                alarm=str(pk), device=code, model=model, sort=known.sorts.get(model, ""), area_path=path or own_path,
                site=str(site) if site else "", began_date=day(began), cleared_date=day(ended) if ended else None,
                verdict=_said(verdict, trouble),
                minutes_to_verdict=max(at - began, timedelta()) // _MINUTE if at else None,
                repeats=bisect_left(earlier, began) - bisect_left(earlier, began - span),
            )
        )  # fmt: skip
    return made


def _said(verdict: str, trouble: str) -> str:
    """An alarm that came while somebody may have been testing, and was none, was the test."""
    return "test" if (verdict, trouble) == ("false", "doubtful") else _SAID[verdict]


def _moments(devices: set[int]) -> dict[int, list[datetime]]:
    """When each of these devices raised an alarm, in order."""
    found: dict[int, list[datetime]] = {device: [] for device in devices}
    told = Episode.objects.filter(device__in=devices, trouble__in=ALARMS).order_by("began_at")
    for device, began in told.values_list("device", "began_at"):
        found[device].append(began)
    return found


def _judged(reports: set[UUID | None], known: Known) -> dict[UUID, datetime]:
    """When the case of each of these reports was told what the alarm was."""
    links = list(
        CaseReport.objects.filter(report__in=reports).values_list("report", "case", "case__procedure", "case__edition")
    )
    told = histories(sorted({case for _, case, _, _ in links}), known.until) if links else {}
    found: dict[UUID, datetime] = {}
    for report, case, key, edition in links:
        at = _verdict_at(told[case], key, edition)
        if at is not None and (report not in found or at < found[report]):
            found[report] = at
    return found


def _verdict_at(told: Sequence[Told], key: str, edition: str) -> datetime | None:
    acts = procedure.of(key, edition).acts
    return next((event.at for event in told if event.kind == MOVED and acts[event.data["act"]].verdict), None)
