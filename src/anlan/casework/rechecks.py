"""Looking again at cases that were drawn by lot after they were told as fixed: what was found, by whom, for which draw.

What is found moves no case and no score. It is told of the case, in its own history, and is never taken back: a later
record of the same case and edition stands instead of the earlier one, which stays beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from anlan.casework import cases
from anlan.casework.cases import NoCase
from anlan.casework.draft import Draft, load, plan_of
from anlan.casework.engine import MOVED, OPENED
from anlan.casework.models import Case
from anlan.kernel.ids import id_at
from anlan.kernel.text import Refusal, Text
from anlan.ledger import events, single
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.places.scope import Reach

RECHECKED: Final = "case.rechecked"
ACTION: Final = "cases.recheck"
LONGEST: Final = 1000
WORDS: Final[dict[bool, Text]] = {
    True: Text(zh="复查：整改属实", en="Looked at again: fixed"),
    False: Text(zh="复查：没有整改好", en="Looked at again: not fixed"),
}


class HadPart(Refusal):
    """Whoever had a part in a case does not look at it again."""

    status = 403


class BadFinding(Refusal):
    """What was found cannot be written down like this."""

    status = 422


@dataclass(frozen=True, slots=True)
class Drawn:
    """The edition in whose draw a case is looked at again."""

    index: str
    period: str
    number: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What stands of a case in a draw; `times` is how often it was recorded, corrections among them."""

    fixed: bool
    note: str
    by: int | None
    at: datetime
    times: int


def record(
    case_id: UUID, drawn: Drawn, *, fixed: bool, note: str, by: Officer, reach: Reach, at: datetime,
    key: str | None = None,
) -> Case:  # fmt: skip
    """Write down what was found. The same `key` twice is one record. Raises `NoCase`, `HadPart`, `BadFinding`."""
    said = note.replace("\x00", "").strip()
    if len(said) > LONGEST or (not fixed and not said):
        raise BadFinding(
            f"没有整改好的，请写明现场看到什么；说明最多 {LONGEST} 字。",
            f"Say what was found where it is not fixed, in at most {LONGEST} characters.",
            field="note",
        )
    with transaction.atomic():
        case = single.read(Case, case_id, lock=True)
        if case is None or not cases.covers(case, reach, ACTION):
            raise NoCase
        if key is not None and events.find(key) is not None:
            return case
        hindered = bar(load(case), by=by, reach=reach)
        if hindered is not None:
            raise hindered
        data: dict[str, Any] = {"index": drawn.index, "period": drawn.period, "edition": drawn.number, "fixed": fixed}
        if said:
            data["note"] = said
        events.append(
            NewEvent(RECHECKED, case.pk, by=by.pk, at=at, recorded_at=at, area_path=case.area_path, key=key, data=data,
                     id=id_at(at))
        )  # fmt: skip
        return case


def bar(draft: Draft, *, by: Officer, reach: Reach) -> Refusal | None:
    """Why this person may not look at the case again, or None: they had a part in it, or their department has it."""
    acted = Event.objects.filter(subject=draft.case.pk, by=by.pk, kind__in=(OPENED, MOVED))
    if by.pk == draft.now.handler or acted.exists():
        return HadPart(
            "您办理过这个事项，不能由您复查。请换一位没有参与办理的人。",
            "You had a part in this case and cannot look at it again. Let somebody who had none do so.",
        )
    if draft.involved() & reach.departments():
        return HadPart(
            "这个事项由您的部门办理，不能由本部门的人复查。请换一位其他部门的人。",
            "Your department dealt with this case and cannot look at it again. Let somebody of another one do so.",
        )
    return None


def standing(found: Iterable[UUID], drawn: Drawn) -> dict[UUID, Finding]:
    """What stands of each of these cases in the draws of an edition; those not looked at yet are missing."""
    stands: dict[UUID, Finding] = {}
    told = Event.objects.filter(subject__in=list(found), kind=RECHECKED).order_by("seq")
    for case, by, at, data in told.values_list("subject", "by", "at", "data"):
        if (data["index"], data["period"], data["edition"]) == (drawn.index, drawn.period, drawn.number):
            before = stands.get(case)
            times = before.times + 1 if before else 1
            stands[case] = Finding(data["fixed"], data.get("note", ""), by, at, times)
    return stands


def reopening(case: Case) -> str:
    """The act by which the procedure takes up a case where it stands again; "" where it has none."""
    plan = plan_of(case)
    found = [key for key in plan.acts_at.get(case.step, ()) if plan.acts[key].effect == "reopen"]
    return min(found, key=lambda key: bool(plan.acts[key].reporter), default="")
