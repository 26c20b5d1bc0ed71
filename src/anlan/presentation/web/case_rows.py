"""Cases as rows: the same columns in the inbox, in lists, in a search and in an export."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from anlan.casework.models import Case
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.ledger.single import part
from anlan.places import holidays, register, tree
from anlan.places.models import Department, Officer, Site
from anlan.presentation.web import lights
from anlan.presentation.web.deadlines import Calendars, case_time, step_title
from anlan.presentation.web.lists import Column, Table, table

NUMBER = Text(zh="编号", en="Number")
WHAT = Text(zh="事项", en="Case")
AREA = Text(zh="辖区", en="Area")
STEP = Text(zh="环节", en="Step")
LEAD = Text(zh="主办", en="Led by")
LIGHT = Text(zh="状态", en="Light")
TIME = Text(zh="时间", en="Time")
NOBODY = Text(zh="未派", en="not sent yet")
JOINER = " · "


def topic_title(key: str) -> Text:
    """The words of a topic; its key when no file declares it any more."""
    topics = catalogue.current().all(TOPICS)
    if key in topics:
        return topics[key].title
    return Text(zh=key, en=key) if key else Text(zh="未分类", en="Unsorted")


def headline(case: Case) -> Text:
    """Where and what. Titles are kept in Chinese; the topic in one is said in English too."""
    what = topic_title(case.topic)
    if case.title.endswith(JOINER + what.zh):
        return Text(zh=case.title, en=case.title.removesuffix(what.zh) + what.en)
    return Text(zh=case.title, en=case.title)


def lead_of(case: Case) -> Text:
    """The department that leads, and the handler when there is one."""
    if case.lead is None:
        return NOBODY
    who = f"（{case.handler.name}）" if case.handler else ""
    return Text(zh=case.lead.name_zh + who, en=case.lead.name_en + (f" ({case.handler.name})" if case.handler else ""))


def with_names(query: QuerySet[Case]) -> QuerySet[Case]:
    """What a row shows, read in one query."""
    return query.select_related("area", "lead", "handler").only(
        "id", "number", "procedure", "edition", "topic", "title", "address", "area_path", "opened_at", "step",
        "closed_at", "clock", "warn_at", "due_at", "provisional", "paused", "hung", "returns", "reworks",
        "reports_count", "outcome",
        "area__name_zh", "area__name_en", "lead__name_zh", "lead__name_en", "handler__name",
    )  # fmt: skip


COLUMNS = (
    "id", "number", "procedure", "edition", "topic", "title", "address", "area_id", "area_path", "lead_id",
    "handler_id", "opened_at", "step", "closed_at", "clock", "warn_at", "due_at", "provisional", "paused", "hung",
    "returns", "reworks", "reports_count", "outcome", "rev",
)  # fmt: skip
"""What a row of a list shows of a case itself; whose it is and where stands in the register."""


def lean(query: QuerySet[Case], *more: str) -> QuerySet[Case, Any]:
    """The same cases as bare rows of `COLUMNS` and `more`: fifty are read in a third of the time of instances."""
    return query.values_list(*COLUMNS, *more, named=True)


def named(rows: Sequence[Any]) -> list[Case]:
    """Cases from `lean` rows, each with its area, lead and handler from the register."""
    known = register.current()
    where = tree.named(row.area_id for row in rows)
    leads = known.rows(Department.objects.all(), (row.lead_id for row in rows))
    people = known.rows(Officer.objects.all(), (row.handler_id for row in rows))
    found = []
    for row in rows:
        case = part(Case, COLUMNS, row[: len(COLUMNS)])
        case._state.fields_cache = {
            "area": where[row.area_id], "lead": leads.get(row.lead_id), "handler": people.get(row.handler_id),
        }  # fmt: skip
        if len(row) > len(COLUMNS):
            site = part(Site, ("id", "code"), (row.site_id, row.site__code)) if row.site_id else None
            case.__dict__["site_id"], case._state.fields_cache["site"] = row.site_id, site
        found.append(case)
    return found


def _when(case: Case, calendars: Calendars, now: datetime) -> Any:
    if case.closed_at is not None:
        return case.closed_at
    said = case_time(case, calendars, now=now)
    if said is not None and case.provisional:
        return Text.model_construct(zh=f"{said.zh} 暂定", en=f"{said.en}, provisional")
    return said


def _marks(case: Case) -> Text | None:
    """What a row says besides: returns, reworks, several reports."""
    zh, en = [], []
    for count, one, other in (
        (case.returns, "退回", "returned"), (case.reworks, "返工", "reworked"),
    ):  # fmt: skip
        if count:
            zh.append(f"{one} {count} 次")
            en.append(f"{other} ×{count}")
    if case.reports_count > 1:
        zh.append(f"{case.reports_count} 条上报")
        en.append(f"{case.reports_count} reports")
    return Text(zh="，".join(zh), en=", ".join(en)) if zh else None


def columns(now: datetime, calendars: Calendars) -> Sequence[Column]:
    """What, light and time, step, who, where."""
    return (
        Column(WHAT, headline, sub=lambda case: case.number),
        Column(
            LIGHT,
            lambda case: lights.light_of(case, now=now),
            sub=lambda case: _when(case, calendars, now),
            css="w-time",
        ),
        Column(STEP, step_title, sub=_marks),
        Column(LEAD, lead_of),
        Column(AREA, lambda case: case.area, sub=lambda case: case.address),
    )


def rows_of(cases: Iterable[Case], *, caption: Text, now: datetime, **rest: Any) -> Table:
    """A table of cases that open in the drawer; `rest` goes to the table."""
    found, address = list(cases), reverse("case", args=["-"]).replace("-", "{}")
    calendars = holidays.calendars() if found else holidays.calendar_at
    return table(
        found, columns(now, calendars), caption=caption, url=lambda case: address.format(case.number),
        light=lambda case: lights.light_of(case, now=now), drawer=True, **rest,
    )  # fmt: skip
