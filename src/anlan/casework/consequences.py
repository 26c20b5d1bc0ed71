"""What an act brings with it beyond the case's own step: assisting units, extensions, merging, splitting."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from anlan.casework.acts import Actor, Missing, extensible
from anlan.casework.draft import Draft
from anlan.casework.models import Case, CaseReport, Unit
from anlan.casework.procedure import Act
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.ids import id_at
from anlan.ledger import events
from anlan.ledger.events import NewEvent
from anlan.places import officers, register
from anlan.places.models import Department, Officer
from anlan.places.scope import Reach, posts_of


def before(draft: Draft, act: Act, data: dict[str, Any], *, who: Actor, reach: Reach, at: datetime) -> None:
    """Check what the fields name and add to `data` what the act's effect needs to be rebuilt from history alone."""
    fields: dict[str, Any] = data["fields"]
    for wanted in act.fields:
        value = fields.get(wanted.key)
        if value in (None, "", []):
            fields.pop(wanted.key, None)
        elif wanted.type == "topic":
            catalogue.current().get(TOPICS, value)
        elif wanted.type in ("department", "departments"):
            _departments(wanted.key, value if isinstance(value, list) else [value])
        elif wanted.type == "case":
            fields[wanted.key] = str(_target(draft, value, reach).pk)
    if "officer" in fields:
        _handler(fields["officer"], fields.get("department"), at)
    if fields.get("assisting"):
        data["assisting"] = _asked(draft, fields["assisting"], at)
    if act.effect == "assist_done":
        data["departments"] = sorted(who.departments & set(draft.now.assisting))
    if act.effect == "ask_extension":
        data["clock"] = _extension(draft, fields)


def hold(case: UUID, other: Any) -> None:
    """Lock the case and the `other` that an act names, both until the transaction ends, before either is read.

    Always in the order of their ids: two cases merged into each other at one moment would else wait for each other.
    """
    either = Q(pk=case) | _named(other.strip()) if isinstance(other, str) else Q(pk=case)
    list(Case.objects.select_for_update().filter(either).order_by("pk").values_list("pk"))


def after(draft: Draft, act: Act, event: NewEvent, *, by: Officer | None, at: datetime, recorded_at: datetime) -> None:
    """Write what follows into the tables beside the case, in the same transaction."""
    for department, due in (event.data.get("assisting") or {}).items():
        Unit.objects.update_or_create(
            case=draft.case,
            department_id=int(department),
            defaults={
                "task": event.data["fields"].get("task", ""),
                "asked_at": at,
                "due_at": datetime.fromisoformat(due) if due else None,
                "done_at": None,
            },
        )
    if act.effect == "assist_done":
        done = Unit.objects.filter(case=draft.case, department__in=event.data["departments"], done_at=None)
        done.update(done_at=at)
    elif act.effect == "merge":
        merge(draft.case, UUID(event.data["fields"]["case"]), by=by, at=at, recorded_at=recorded_at)


def merge(case: Case, target: UUID, *, by: Officer | None, at: datetime, recorded_at: datetime) -> None:
    """The target answers the merged case's reports too; the merged case keeps its own."""
    reports = list(CaseReport.objects.filter(case=case).values_list("report_id", flat=True))
    known = set(CaseReport.objects.filter(case=target, report__in=reports).values_list("report_id", flat=True))
    fresh = [report for report in reports if report not in known]
    CaseReport.objects.bulk_create(CaseReport(case_id=target, report_id=r, joined_at=at) for r in fresh)
    Case.objects.filter(pk=target).update(reports_count=F("reports_count") + len(fresh))
    joined = NewEvent(
        kind="case.joined", subject=target, by=by.pk if by else None, at=at, recorded_at=recorded_at,
        area_path=case.area_path, data={"case": str(case.pk)}, id=id_at(recorded_at),
    )  # fmt: skip
    events.append(joined)


def _departments(field: str, ids: list[int]) -> None:
    known = register.current().rows(Department.objects.all(), ids)
    if not all(pk in known and known[pk].is_active for pk in ids):
        raise Missing(
            "所选部门不存在或已停用，请重新选择。",
            "A department chosen does not exist or is no longer active. Choose again.",
            field=field,
        )


def _handler(officer: int, department: int | None, at: datetime) -> None:
    who = officers.of(officer)
    if who is None or not any(post.department_id == department for post in posts_of(who, at=at)):
        raise Missing(
            "所选经办人不在主办部门任职，请重新选择经办人，或只选部门。",
            "The handler chosen holds no post in the lead department. Choose another, or the department only.",
            field="officer",
        )


def _target(draft: Draft, value: str, reach: Reach) -> Case:
    target = Case.objects.filter(_named(value.strip())).first()
    if target is None or not reach.covers("cases.see", area_path=target.area_path, owners=(target.opened_by_id,)):
        raise Missing(
            f"没有编号为“{value}”的事项，或不在您的辖区。请核对编号。",
            f"There is no case '{value}', or it is outside your area. Check the number.",
            field="case",
        )
    if target.pk == draft.case.pk or target.merged_into_id is not None or target.outcome in ("void", "refused"):
        raise Missing(
            "不能并入自己、已被并案或已作废的事项，请并入仍在办理（或正常办结）的那一件。",
            "A case cannot be merged into itself, or into one that is merged or void. Choose the one being dealt with.",
            field="case",
        )
    return target


def _named(value: str) -> Q:
    try:
        return Q(pk=UUID(value))
    except ValueError:
        return Q(number=value)


def _asked(draft: Draft, departments: list[int], at: datetime) -> dict[str, str]:
    """Who is asked now, and by when. Whoever assisted before is asked anew; whoever still owes a part keeps its day."""
    length = draft.plan.procedure.assisting
    due = draft.calendar.add(at, length.n, length.unit).at.isoformat() if length else ""
    return {str(department): due for department in departments if not draft.now.owes(department)}


def _extension(draft: Draft, fields: dict[str, Any]) -> str:
    key = extensible(draft.plan, draft.now)
    rule = draft.plan.procedure.clocks[key].extension
    assert rule is not None
    if float(fields["length"]) > rule.longest:
        raise Missing(
            f"一次最多延长 {rule.longest:g}，您申请了 {fields['length']:g}。",
            f"At most {rule.longest:g} may be asked for; you asked for {fields['length']:g}.",
            field="length",
        )
    return key
