"""The rows of police calls and of what was pushed of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from anlan.casework.models import Call, Push
from anlan.facts.known import Known


class CallRow(NamedTuple):
    report: str
    area_path: str
    told_date: date
    is_dispute: bool
    pushed: bool
    resolved: bool
    resolved_date: date | None
    repeat: bool


class PushRow(NamedTuple):
    push: str
    key: str
    area_path: str
    pushed_date: date
    received: bool
    answered: bool
    in_time: bool | None


def calls(ids: Sequence[UUID], known: Known) -> list[CallRow]:
    """The rows of these calls, named by their reports."""
    made = []
    columns = ("pk", "area_path", "told_at", "is_dispute", "pushed", "resolved_at", "repeats")
    for pk, path, told, dispute, pushed, resolved, repeats in Call.objects.filter(pk__in=ids).values_list(*columns):
        day = known.calendar_at(path).local_date
        row = CallRow(str(pk), path, day(told), dispute, pushed, resolved is not None, day(resolved) if resolved
                      else None, repeats is not None)  # fmt: skip
        made.append(row)
    return made


def pushes(ids: Sequence[UUID], known: Known) -> list[PushRow]:
    """The rows of these pushes."""
    made = []
    columns = ("pk", "key", "area_path", "pushed_at", "due_at", "received_at", "answered_at", "late_at")
    for pk, key, path, pushed, due, received, answered, late in Push.objects.filter(pk__in=ids).values_list(*columns):
        in_time = answered <= due if answered else False if late else None
        made.append(
            PushRow(str(pk), key, path, known.calendar_at(path).local_date(pushed), received is not None,
                    answered is not None, in_time)
        )  # fmt: skip
    return made
