"""待办, my next: what is late, what is due today, what is new, what waits on others; one list a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from anlan.casework import triage
from anlan.casework.models import Case
from anlan.casework.pushes import title_of
from anlan.kernel.text import Text
from anlan.places import holidays
from anlan.places.scope import under
from anlan.presentation.permissions import SIGNED_IN, needs
from anlan.presentation.web import lights
from anlan.presentation.web.case_rows import headline, lead_of, with_names
from anlan.presentation.web.deadlines import Calendars, case_time, step_title
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.mine import mine, to_act
from anlan.presentation.web.pushes_page import light_of as push_light
from anlan.presentation.web.pushes_page import waiting as pushed
from anlan.presentation.web.pushes_page import where
from anlan.presentation.web.wide import within_area

TITLE = Text(zh="待办", en="To do")
SHOWN = 25
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """A case as the inbox says it; `why` it is shown, where that is not plain."""

    case: Case
    url: str
    title: Text
    step: Text
    lead: Text
    light: lights.Light
    time: Text | None
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """One part of the inbox; `all_url` leads to the list with all of it when not all is shown."""

    key: str
    title: Text
    entries: list[Entry]
    all_url: str = ""

    @property
    def count(self) -> str:
        return f"{len(self.entries)}+" if self.all_url else str(len(self.entries))


@needs(SIGNED_IN)
def inbox(request: Asked) -> HttpResponse:
    """The inbox of the one who asks."""
    groups = _groups(request) if request.reach.may("cases.see") else []
    waiting = _reports(request)
    more, waiting = len(waiting) > SHOWN, waiting[:SHOWN]
    calls = pushed(request)
    said = {
        "title": TITLE, "groups": [group for group in groups if group.entries], "waiting": waiting,
        "more_waiting": more,
        "pushed": [(each, where(each.call), title_of(each), push_light(each, now=request.at)) for each in calls],
        "summary": _summary(groups, more, len(waiting), len(calls)),
        "may_report": request.reach.may("reports.receive"),
    }  # fmt: skip
    return render(request, "cases/inbox.html", said)


def end_of_day(at: datetime) -> datetime:
    """Midnight after the local day of `at`."""
    local = timezone.localtime(at)
    return timezone.make_aware(datetime.combine(local.date() + timedelta(days=1), time()))


def _groups(request: Asked) -> list[Group]:
    at, reach, tonight = request.at, request.reach, end_of_day(request.at)
    seen, turn = within_area(request), to_act(reach)
    act = _pressing(seen.filter(turn, due_at__isnull=False), at)
    # The deadline is wrapped so that SQLite goes by who is involved, and not through all that is due.
    wrapped = seen.alias(_due=Coalesce("due_at", Value(NEVER))).filter(_due__lt=NEVER)
    others = list(with_names(wrapped.filter(mine(reach)).exclude(turn).order_by("_due", "pk"))[: SHOWN + 1])
    still = list(with_names(seen.filter(mine(reach) | turn, due_at=None).order_by("-opened_at", "-pk"))[: SHOWN + 1])
    make = _Maker(at)
    parts = (
        ("late", Text(zh="已经超期", en="Overdue"), [c for c in act if _due(c) < at], "mine=act&light=late"),
        ("today", Text(zh="今天到期", en="Due today"), [c for c in act if at <= _due(c) < tonight],
         "mine=act&light=today"),
        ("new", Text(zh="新到和待办", en="New and next"), [c for c in act if _due(c) >= tonight], "mine=act"),
        ("others", Text(zh="等别人办理", en="Waiting on others"), others, "mine=involved"),
        ("still", Text(zh="挂账和暂停", en="Hung and paused"), still, "mine=involved&light=still"),
    )  # fmt: skip
    return [_shown(key, title, found, query, make) for key, title, found, query in parts]


def _pressing(rows: QuerySet[Case], at: datetime) -> list[Case]:
    """My cases, most pressing first; when what is late fills the page, what is still to come is asked for too."""
    rows = with_names(rows.order_by("due_at", "pk"))
    found = list(rows[: 3 * SHOWN + 1])
    if len(found) > 3 * SHOWN and _due(found[-1]) < at:
        found += rows.filter(due_at__gte=at)[: 2 * SHOWN + 1]
    return found


def _due(case: Case) -> datetime:
    assert case.due_at is not None
    return case.due_at


def entries_of(cases: Iterable[Case], at: datetime) -> list[Entry]:
    """These cases as the inbox says them."""
    make = _Maker(at)
    return [make(case) for case in cases]


class _Maker:
    """Makes entries; reads the calendars once, and only when there is something to reckon."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._calendars: Calendars | None = None

    def __call__(self, case: Case) -> Entry:
        if self._calendars is None:
            self._calendars = holidays.calendars()
        return Entry(
            case, reverse("case", args=[case.number]), headline(case), step_title(case), lead_of(case),
            lights.light_of(case, now=self.at), case_time(case, self._calendars, now=self.at),
        )  # fmt: skip


def _shown(key: str, title: Text, found: list[Case], query: str, make: Callable[[Case], Entry]) -> Group:
    more = f"{reverse('cases')}?{query}" if len(found) > SHOWN else ""
    return Group(key, title, [make(case) for case in found[:SHOWN]], more)


def _reports(request: Asked) -> list[Any]:
    """The reports nobody has taken yet, for those who triage."""
    if "triage" not in {hold.role for hold in request.reach.holds} or not request.reach.may("reports.see"):
        return []
    rows = triage.waiting(request.reach)
    if request.area:
        rows = rows.filter(under(request.area.path))
    return list(rows.select_related("area", "site")[: SHOWN + 1])


def _summary(groups: list[Group], more: bool, waiting: int, pushed: int) -> Text:
    """The first line: what needs me, in one breath."""
    counts = {group.key: group.count for group in groups}
    zh, en = [], []
    for key, one, other in (
        ("late", "{n} 件超期", "{n} overdue"), ("today", "{n} 件今天到期", "{n} due today"),
        ("new", "{n} 件待办", "{n} next"),
    ):  # fmt: skip
        if counts.get(key, "0") != "0":
            zh.append(one.format(n=counts[key]))
            en.append(other.format(n=counts[key]))
    if waiting:
        zh.append(f"{waiting}{'+' if more else ''} 条上报待受理")
        en.append(f"{waiting}{'+' if more else ''} reports to take up")
    if pushed:
        many = "5+" if pushed > 5 else str(pushed)
        zh.append(f"{many} 条推送待答复")
        en.append(f"{many} pushes to answer")
    if not zh:
        return Text(zh="没有要您办的事，风平浪静。", en="Nothing waits for you. Calm water.")
    return Text(zh="，".join(zh) + "。", en=", ".join(en) + ".")
