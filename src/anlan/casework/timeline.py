"""A case's history in plain sentences: who did what, when, with which words and photos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from anlan.casework.draft import plan_of
from anlan.casework.engine import MOVED, OPENED, RANG
from anlan.casework.later import TOLD, WHAT
from anlan.casework.models import Case
from anlan.casework.plan import Plan
from anlan.casework.procedure import FormField
from anlan.casework.rechecks import RECHECKED
from anlan.casework.rechecks import WORDS as FOUND
from anlan.intake.sensors.device_model import SORTS
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.ledger.models import Event
from anlan.places.models import Department, Officer
from anlan.places.role import all_roles

JOINED = "case.joined"
YES = {True: Text(zh="是", en="yes"), False: Text(zh="否", en="no")}
SYSTEM = Text(zh="系统", en="System")
PUBLIC = Text(zh="上报人", en="The reporter")


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was filled in: the label, and the value in words."""

    label: Text
    value: Text


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline. `kind` is opened, act, return, rework, rang or joined; `photos` are photo ids."""

    id: UUID
    at: datetime
    kind: str
    title: Text
    by: Text
    office: Text | None
    said: tuple[Said, ...]
    photos: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class _Names:
    officers: Mapping[int, str]
    offices: Mapping[int, Text]
    departments: Mapping[int, Text]
    cases: Mapping[str, str]
    unnamed: frozenset[int]


def timeline(case: Case, events: Iterable[Event] | None = None) -> list[Line]:
    """Every act and every rung in order, oldest first (at most five queries whatever the length)."""
    told = list(events) if events is not None else list(Event.objects.filter(subject=case.id).order_by("seq"))
    plan, names = plan_of(case), _names(told)
    return [line for event in told if (line := _line(plan, event, names)) is not None]


def opener(case: Case) -> Officer | None:
    """Who opened the case, where that may be said: not a volunteer or a landlord whose report opened it."""
    opened_by = case.opened_by
    return opened_by if opened_by is not None and _people({opened_by.pk})[opened_by.pk][2] else None


def _names(events: list[Event]) -> _Names:
    people = {event.by for event in events if event.by is not None}
    departments: set[int] = set()
    cases: set[str] = set()
    for event in events:
        fields = event.data.get("fields") or {}
        people.update(v for k, v in fields.items() if k == "officer")
        departments.update(v for k, v in fields.items() if k in ("department", "suggest"))
        departments.update(fields.get("assisting") or ())
        cases.update(v for v in (fields.get("case"), event.data.get("case")) if v)
    officers = _people(people)
    known = Department.objects.filter(pk__in=departments)
    return _Names(
        officers={pk: name for pk, (name, _, _) in officers.items()},
        offices={pk: office for pk, (_, office, _) in officers.items() if office is not None},
        departments={d.pk: Text(zh=d.name_zh, en=d.name_en) for d in known} if departments else {},
        cases=dict(_numbers(cases)) if cases else {},
        unnamed=frozenset(pk for pk, (_, _, on_duty) in officers.items() if not on_duty),
    )


def _numbers(cases: set[str]) -> Iterable[tuple[str, str]]:
    return ((str(pk), number) for pk, number in Case.objects.filter(pk__in=cases).values_list("pk", "number"))


def _people(ids: set[int]) -> dict[int, tuple[str, Text | None, bool]]:
    """Everybody's name, office (a post's department, else the post itself) and whether any post of theirs is a duty
    over an area or in a department, in one query."""
    found: dict[int, tuple[str, Text | None, bool]] = {}
    columns = ("pk", "name", "posts__role", "posts__department__name_zh", "posts__department__name_en")
    roles = all_roles()
    for pk, name, role, zh, en in Officer.objects.filter(pk__in=ids).order_by("posts__pk").values_list(*columns):
        held = roles.get(role)
        office = Text(zh=zh, en=en) if zh else held.title if held else None
        on_duty = held is not None and held.reach in ("area", "department")
        _, known, before = found.get(pk, (name, None, False))
        found[pk] = (name, known or office, on_duty or before)
    return found


def _line(plan: Plan, event: Event, names: _Names) -> Line | None:
    made = _TITLES.get(event.kind)
    if made is None:
        return None
    kind, title = made(plan, event, names)
    by, office = _who(plan, event, names)
    return Line(
        id=event.id, at=event.at, kind=kind, title=title, by=by, office=office, said=_said(plan, event, names),
        photos=tuple(UUID(photo) for photo in event.data.get("photos") or ()),
    )  # fmt: skip


def _who(plan: Plan, event: Event, names: _Names) -> tuple[Text, Text | None]:
    """Who did it. A volunteer or a landlord whose report opened the case is not named to those it is about."""
    if event.kind == OPENED and event.by in names.unnamed:
        return PUBLIC, None
    if event.kind == MOVED and event.by is None and plan.acts[event.data["act"]].reporter:
        return PUBLIC, None
    by = names.officers.get(event.by or 0)
    return (Text(zh=by, en=by) if by else SYSTEM), names.offices.get(event.by or 0)


def _opened(plan: Plan, event: Event, names: _Names) -> tuple[str, Text]:
    step = plan.procedure.steps[plan.first].title
    return "opened", Text(zh=f"收到并登记（{step.zh}）", en=f"Received and recorded ({step.en})")


def _moved(plan: Plan, event: Event, names: _Names) -> tuple[str, Text]:
    act = plan.acts[event.data["act"]]
    kind = act.effect if act.effect in ("return", "rework", "hang", "note", "assign") else "act"
    return kind, act.title


def _rang(plan: Plan, event: Event, names: _Names) -> tuple[str, Text]:
    clock = plan.procedure.clocks[event.data["clock"]]
    rung = clock.ladder[event.data["rung"]] if event.data["rung"] < len(clock.ladder) else None
    before = rung is not None and (rung.before is not None or (rung.at is not None and rung.at < 1))
    if before:
        return "rang", Text(zh=f"{clock.title.zh}将到，已提醒", en=f"{clock.title.en}: due soon, reminded")
    if event.data.get("level"):
        return "rang", Text(zh=f"{clock.title.zh}已超，已上报上级", en=f"{clock.title.en}: overdue, raised a level")
    return "rang", Text(zh=f"{clock.title.zh}已到，已提醒", en=f"{clock.title.en}: time is up, reminded")


def _joined(plan: Plan, event: Event, names: _Names) -> tuple[str, Text]:
    if "reports" in event.data:
        return "joined", _witnesses(event)
    if "case" not in event.data:
        return "joined", Text(zh="又有一条上报并入本事项", en="One more report was attached to this case")
    number = names.cases.get(event.data["case"], "")
    return "joined", Text(zh=f"事项 {number} 并入本事项", en=f"Case {number} was merged into this one")


def _witnesses(event: Event) -> Text:
    """Devices that told of the same, many at once."""
    count = event.data["reports"]
    sorts = [SORTS[sort] for sort in event.data.get("sorts", ()) if sort in SORTS]
    zh, en = f"又有 {count} 台设备报警，并入本事项", f"{count} more devices told of it and were attached"
    if sorts:
        zh, en = f"{zh}（新的种类：{'、'.join(s.zh for s in sorts)}）", f"{en} (new: {', '.join(s.en for s in sorts)})"
    if event.data.get("flood"):
        zh, en = f"{zh}；短时间内大量点位报警，标记为批量报警", f"{en}; so many at once that it is tagged as a flood"
    return Text(zh=zh, en=en)


def _told(plan: Plan, event: Event, names: _Names) -> tuple[str, Text]:
    return "joined", WHAT[event.data["what"]]


def _rechecked(plan: Plan, event: Event, names: _Names) -> tuple[str, Text]:
    return "rechecked", FOUND[event.data["fixed"]]


_TITLES = {
    OPENED: _opened, MOVED: _moved, RANG: _rang, JOINED: _joined, TOLD: _told, RECHECKED: _rechecked,
}  # fmt: skip
FOUND_THERE = Text(zh="现场看到", en="Found there")
DRAWN_FOR = Text(zh="抽查所据", en="Drawn for")


def _said(plan: Plan, event: Event, names: _Names) -> tuple[Said, ...]:
    if event.kind == RECHECKED:
        drawn = f"{event.data['index']} {event.data['period']} #{event.data['edition']}"
        said = [(DRAWN_FOR, drawn), (FOUND_THERE, event.data.get("note", ""))]
        return tuple(Said(label, Text(zh=words, en=words)) for label, words in said if words)
    if event.kind != MOVED:
        return ()
    fields = event.data.get("fields") or {}
    act = plan.acts[event.data["act"]]
    return tuple(Said(f.label, _words(f, fields[f.key], names)) for f in act.fields if f.key in fields)


def _words(wanted: FormField, value: Any, names: _Names) -> Text:
    if wanted.type == "department":
        return names.departments.get(value, Text(zh=str(value), en=str(value)))
    if wanted.type == "departments":
        found = [names.departments[v] for v in value if v in names.departments]
        return Text(zh="、".join(t.zh for t in found), en=", ".join(t.en for t in found))
    if wanted.type == "choice":
        return next((c.title for c in wanted.choices if c.key == value), Text(zh=str(value), en=str(value)))
    if wanted.type == "yes_no":
        return YES[bool(value)]
    if wanted.type == "topic":
        topic = catalogue.current().all(TOPICS).get(value)
        return topic.title if topic else Text(zh=str(value), en=str(value))
    word = {"officer": lambda: names.officers.get(value, ""), "case": lambda: names.cases.get(value, "")}
    plain = word[wanted.type]() if wanted.type in word else f"{value:g}" if isinstance(value, float) else str(value)
    return Text(zh=plain, en=plain)
