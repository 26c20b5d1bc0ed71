"""The rows of reports: what was told, without who told it or in which words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from anlan.casework.models import CaseReport
from anlan.facts.known import Known
from anlan.intake.models import Photo, Report
from anlan.ledger.models import Event

_MINUTE = timedelta(minutes=1)
_COLUMNS = (
    "pk", "channel", "area_path", "topic", "told_at", "received_at", "site", "lon", "lat", "reporter", "withdrawn_at",
)  # fmt: skip


class ReportRow(NamedTuple):
    report: str
    channel: str
    area_path: str
    topic: str
    topic_root: str
    told_date: date
    received_date: date
    case: str
    joined: bool
    has_photo: bool
    with_contact: bool
    located: bool
    by_resident: bool
    minutes_to_receive: int


def rows(ids: Sequence[UUID], known: Known) -> list[ReportRow]:
    """The rows of these reports, in four queries; one that was withdrawn has none."""
    cases = _cases(ids)
    opened = _opened(ids)
    shown = set(Photo.objects.filter(report__in=ids).values_list("report", flat=True))
    made = []
    for pk, channel, path, topic, told, received, site, lon, lat, reporter, withdrawn in _reports(ids):
        if withdrawn is not None:
            continue
        case, topic_now = cases.get(pk, ("", topic))
        day = known.calendar_at(path).local_date
        made.append(
            ReportRow(
                report=str(pk), channel=channel, area_path=path, topic=topic_now, topic_root=known.root(topic_now),
                told_date=day(told), received_date=day(received), case=case, joined=bool(case) and pk not in opened,
                has_photo=pk in shown, with_contact=reporter is not None,
                located=site is not None or (lon is not None and lat is not None),
                by_resident=channel in known.residents, minutes_to_receive=max(received - told, timedelta()) // _MINUTE,
            )
        )  # fmt: skip
    return made


def days(ids: Sequence[UUID], known: Known) -> list[date]:
    """The days these reports lie on, those withdrawn since among them."""
    told = Report.objects.filter(pk__in=ids).values_list("area_path", "told_at")
    return [known.calendar_at(path).local_date(at) for path, at in told]


def _reports(ids: Sequence[UUID]) -> Sequence[tuple[Any, ...]]:
    return list(Report.objects.filter(pk__in=ids).values_list(*_COLUMNS))


def _cases(ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """The case a report answered first, with the topic it has now. A case it was merged into is not another one."""
    found: dict[UUID, tuple[str, str]] = {}
    joined = CaseReport.objects.filter(report__in=ids).order_by("joined_at", "pk")
    for report, case, topic in joined.values_list("report", "case", "case__topic"):
        found.setdefault(report, (str(case), topic))
    return found


def _opened(ids: Sequence[UUID]) -> set[UUID]:
    """The reports for which a case was opened: the key of the opening names the report."""
    keys = {f"open:{pk}": pk for pk in ids}
    return {keys[key] for key in Event.objects.filter(key__in=list(keys)).values_list("key", flat=True) if key in keys}
