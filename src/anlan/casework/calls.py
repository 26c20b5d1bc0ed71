"""Police calls as they are counted: linked with the calls before them from the same place, and the figures of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from math import cos, radians
from typing import Any, Final

from django.db.models import Count, Q, QuerySet
from django.utils.crypto import salted_hmac

from anlan.casework.models import Call, CaseReport
from anlan.casework.push import Link, Pushes
from anlan.intake.likeness import plain_address
from anlan.intake.models import Report
from anlan.intake.topic import TOPICS, lineage
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.ledger import personal
from anlan.places.areas import ancestors
from anlan.places.record import day_of
from anlan.places.scope import Reach, under

_METRES_A_DEGREE: Final = 111_195.0

FIGURES: Final[dict[str, tuple[Text, Q]]] = {
    "calls": (Text(zh="警情", en="Calls"), Q()),
    "disputes": (Text(zh="纠纷警情", en="Disputes"), Q(is_dispute=True)),
    "repeats": (Text(zh="重复报警", en="Repeated calls"), Q(repeats__isnull=False)),
    "pushed": (Text(zh="已推送", en="Pushed"), Q(pushed=True)),
    "resolved": (Text(zh="已化解", en="Resolved"), Q(pushed=True, resolved_at__isnull=False)),
}
"""What is counted of calls, and which calls count."""
RATES: Final[dict[str, tuple[Text, str, str, Text]]] = {
    "dispute_share": (Text(zh="纠纷警情占比", en="Share of disputes"), "disputes", "calls", Text(
        zh="纠纷警情 ÷ 全部警情", en="Disputes over all calls")),
    "repeat_rate": (Text(zh="重复报警率", en="Repeat rate"), "repeats", "calls", Text(
        zh="同一地点（或同一来电）在规定天数内再次报警的警情 ÷ 全部警情",
        en="Calls that repeat an earlier one from the same place or caller within the days declared, over all calls")),
    "push_rate": (Text(zh="推送率", en="Push rate"), "pushed", "calls", Text(
        zh="各条推送都有人接收的警情 ÷ 全部警情", en="Calls each push of which reached somebody, over all calls")),
    "resolved_rate": (Text(zh="化解率", en="Resolved rate"), "resolved", "pushed", Text(
        zh="已化解（答复为已化解，或事项办结）÷ 已推送",
        en="Calls answered as resolved, or whose case was closed as cured or answered, over those pushed")),
}  # fmt: skip
"""The rates: the figure above the line and the one below it. The names are published, the formulas not verified."""


def keep(report: Report, declared: Pushes, *, at: datetime) -> Call:
    """The call that `report` is, linked with those before it; the same report again is the same call."""
    known = Call.objects.filter(pk=report.pk).first()
    if known is not None:
        return known
    joined = CaseReport.objects.filter(report=report).order_by("joined_at", "pk").first()
    call = Call(
        report=report, case_id=joined.case_id if joined else None, area_path=report.area_path, told_at=report.told_at,
        day=day_of(report.told_at), is_dispute=_is_dispute(report, declared), site_id=report.site_id,
        address=plain_address(report.address)[:200], lon=report.lon, lat=report.lat, caller=_caller(report),
    )  # fmt: skip
    before = alike(call, declared.link).filter(told_at__lte=call.told_at).order_by("-told_at", "-pk").first()
    if before is not None:
        call.repeats, call.first_id = before, before.first_id or before.pk
    call.save(force_insert=True)
    # A call that was told earlier may come later than the one that repeats it.
    later = alike(call, declared.link).filter(told_at__gt=call.told_at, repeats=None).exclude(pk=call.pk)
    began = call.first_id or call.pk
    for pk in list(later.values_list("pk", flat=True)):
        Call.objects.filter(Q(pk=pk) | Q(first=pk)).update(first=began)
        Call.objects.filter(pk=pk).update(repeats=call)
    return call


def _is_dispute(report: Report, declared: Pushes) -> bool:
    return not set(declared.disputes).isdisjoint(lineage(catalogue.current().all(TOPICS), report.topic))


def _caller(report: Report) -> str:
    told = personal.read(report.reporter_id) if report.reporter_id else None
    digits = "".join(each for each in (told or {}).get("reporter_phone", "") if each.isdigit())
    return salted_hmac("anlan.casework.caller", digits, algorithm="sha256").hexdigest() if len(digits) > 6 else ""


def alike(call: Call, link: Link) -> QuerySet[Call]:
    """The calls from the same site, address or caller, or so near, within so many days before or after."""
    span = timedelta(days=link.days)
    here = Q(pk__in=[])
    if call.site_id:
        here |= Q(site=call.site_id)
    if call.address:
        around = ancestors(call.area_path)
        here |= Q(under(around[-2] if len(around) > 1 else call.area_path), address=call.address)
    if call.caller:
        here |= Q(caller=call.caller)
    if call.lon is not None and call.lat is not None and link.metres:
        high = link.metres / _METRES_A_DEGREE
        wide = high / max(0.01, cos(radians(call.lat)))
        here |= Q(lat__range=(call.lat - high, call.lat + high), lon__range=(call.lon - wide, call.lon + wide))
    return Call.objects.filter(here, told_at__range=(call.told_at - span, call.told_at + span))


def row_of(call: Call) -> QuerySet[Call]:
    """The calls linked with this one, itself among them, oldest first."""
    began = call.first_id or call.pk
    found = Call.objects.filter(Q(pk=began) | Q(first=began))
    return found.select_related("case", "report").order_by("told_at", "pk")


def forget_callers(links: Iterable[int], *, at: datetime) -> int:
    """Forget who called once no call can be linked by it any more; how many calls it was."""
    longest = max(links, default=0)
    return Call.objects.filter(told_at__lt=at - timedelta(days=longest + 1)).exclude(caller="").update(caller="")


# ---------------------------------------------------------------- figures


def counted(reach: Reach, area_path: str, *, first: date, last: date, figure: str = "calls") -> QuerySet[Call]:
    """Exactly the calls that count in a figure of an area and some days, within this person's reach."""
    within = reach.q("statistics.see") & under(area_path) & Q(day__gte=first, day__lte=last)
    return Call.objects.filter(within, FIGURES[figure][1])


def figures(reach: Reach, area_path: str, *, first: date, last: date) -> dict[str, dict[str, int]]:
    """The counts of every area below `area_path` that had a call, and of `area_path` itself, by path: one query."""
    paths = counted(reach, area_path, first=first, last=last).values("area_path")
    sums = paths.annotate(**{f"n_{key}": Count("pk", filter=which or None) for key, (_, which) in FIGURES.items()})
    found: dict[str, dict[str, int]] = {area_path: dict.fromkeys(FIGURES, 0)}
    rows: Iterable[Any] = sums.order_by()
    for row in rows:
        for path in ancestors(row["area_path"]):
            if path.startswith(area_path):
                into = found.setdefault(path, dict.fromkeys(FIGURES, 0))
                for key in FIGURES:
                    into[key] += row[f"n_{key}"]
    return found
