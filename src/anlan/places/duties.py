"""Duties "1+X": one table that answers who is responsible for this, here, today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from anlan.kernel.text import Refusal
from anlan.places.areas import ancestors
from anlan.places.models import Area, Department, Duty, Officer
from anlan.places.record import record
from anlan.places.scope import on, under


class DutyRefused(Refusal):
    """The duty cannot be given so."""


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who answers: always a department; an officer and a deputy where they are named and still serve."""

    department: Department
    officer: Officer | None
    deputy: Officer | None
    duty: Duty


def responsible(topic: str | Sequence[str], area_path: str, *, day: date) -> Responsible | None:
    """Who answers for `topic` at `area_path` on `day`; one query.

    A duty for the topic goes before one for every topic, and the nearest area before those above it. `topic` may be a
    chain from the topic to its parents: the most specific that anybody has goes first. None when nobody has the duty.
    """
    found = _held(topic, area_path, day, in_use=True)
    return _responsible(found[0]) if found else None


def retired(topic: str | Sequence[str], area_path: str, *, day: date) -> tuple[int, ...]:
    """The departments (ids) that would answer on `day` if they had not been retired, the nearest to it first."""
    return tuple(dict.fromkeys(duty.department_id for duty in _held(topic, area_path, day, in_use=False)))


def _held(topic: str | Sequence[str], area_path: str, day: date, *, in_use: bool) -> list[Duty]:
    """The duties that fit, the first of them first, of departments in use or of retired ones."""
    chain = [topic] if isinstance(topic, str) else list(topic)
    order = {key: rank for rank, key in enumerate(dict.fromkeys([*chain, ""]))}
    found = on_day(day).filter(area__path__in=ancestors(area_path), topic__in=order, department__is_active=in_use)
    named = found.select_related("area", "department", "officer", "deputy")
    return sorted(named, key=lambda duty: (order[duty.topic], -len(duty.area.path), -duty.pk))


def on_day(day: date) -> QuerySet[Duty]:
    """Every duty that holds on `day`."""
    return Duty.objects.filter(on(day))


def table(area_path: str, day: date) -> QuerySet[Duty]:
    """The duties that hold on `day` in the subtree of `area_path`, by area and topic, ready to be shown."""
    shown = on_day(day).filter(under(area_path, "area__path"))
    return shown.select_related("area", "department", "officer", "deputy").order_by("area__path", "topic")


@transaction.atomic
def assign(
    *,
    topic: str,
    area: Area,
    department: Department,
    by: Officer | None,
    at: datetime,
    valid_from: date,
    officer: Officer | None = None,
    deputy: Officer | None = None,
    valid_to: date | None = None,
) -> Duty:
    """Give the duty for `topic` ("" = every topic) in `area`; the one who had it until then is relieved that day."""
    _check(department, officer, deputy, valid_from, valid_to)
    for earlier in on_day(valid_from).filter(topic=topic, area=area):
        end(earlier, day=valid_from, by=by, at=at)
    duty = Duty.objects.create(
        topic=topic,
        area=area,
        department=department,
        officer=officer,
        deputy=deputy,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    data = {
        "topic": topic,
        "department": department.pk,
        "officer": officer.pk if officer else None,
        "deputy": deputy.pk if deputy else None,
        "from": valid_from.isoformat(),
    }
    record("duty.assigned", duty, by=by, at=at, area_path=area.path, data=data)
    return duty


@transaction.atomic
def end(duty: Duty, *, day: date, by: Officer | None, at: datetime) -> Duty:
    """The duty no longer holds from `day` on."""
    duty.valid_to = max(day, duty.valid_from)
    duty.save(update_fields=["valid_to"])
    data = {"topic": duty.topic, "day": duty.valid_to.isoformat()}
    record("duty.ended", duty, by=by, at=at, area_path=duty.area.path, data=data)
    return duty


def _check(
    department: Department, officer: Officer | None, deputy: Officer | None, valid_from: date, valid_to: date | None
) -> None:
    if not department.is_active:
        raise DutyRefused(
            f"{department.name_zh}已停用；请选择在用的部门。",
            f"{department.name_en} is retired; choose a department in use.",
            field="department",
        )
    if officer is not None and officer == deputy:
        raise DutyRefused(
            "责任人和副手不能是同一个人；请另选副手，或留空。",
            "The officer and the deputy cannot be one person; choose another deputy, or none.",
            field="deputy",
        )
    if valid_to is not None and valid_to <= valid_from:
        raise DutyRefused(
            "结束日期要晚于开始日期。", "The duty must end on a later day than it begins.", field="valid_to"
        )


def _responsible(duty: Duty) -> Responsible:
    serving = [who for who in (duty.officer, duty.deputy) if who is not None and who.is_active]
    return Responsible(
        department=duty.department,
        officer=serving[0] if serving else None,
        deputy=serving[1] if len(serving) > 1 else None,
        duty=duty,
    )
