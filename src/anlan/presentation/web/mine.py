"""Which cases wait for me: the steps whose owner I am, asked of the database in one condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from anlan.casework.models import Notice, Unit
from anlan.casework.procedure import PROCEDURES, Procedure
from anlan.kernel import catalogue
from anlan.places.scope import NOTHING, Hold, Reach, under

Where = tuple[str, str]
"""A procedure's key and edition."""


def _steps(procedures: Iterable[Procedure], role: str, office: str) -> dict[Where, list[str]]:
    """The steps that `role` owns in `office`, by procedure and edition."""
    found: dict[Where, list[str]] = {}
    for declared in procedures:
        for key, step in declared.steps.items():
            if step.owner is not None and role in step.owner.roles and step.owner.office == office:
                found.setdefault((declared.key, declared.edition), []).append(key)
    return found


def _standing(steps: Mapping[Where, list[str]]) -> Q:
    """The cases that stand on one of these steps."""
    condition = Q()
    for (key, edition), names in steps.items():
        condition |= Q(procedure=key, edition=edition, step__in=names)
    return condition if steps else NOTHING


def to_act(reach: Reach) -> Q:
    """The open cases on which it is this person's turn, or their department's to assist."""
    declared = list(catalogue.current().all(PROCEDURES).values())
    condition, any_turn = Q(), False
    for hold in reach.holds:
        if "cases.act" not in hold.actions | hold.area_actions:
            continue
        turn = _turn(hold, declared, reach)
        if turn is not None:
            condition, any_turn = condition | (under(hold.path) & turn), True
    if any_turn and _may_decide(declared, reach):
        condition |= Q(pk__in=_to_decide(reach.officer))
    return Q(closed_at=None) & condition if any_turn else NOTHING


def _may_decide(declared: Iterable[Procedure], reach: Reach) -> bool:
    """Whether one of this person's roles grants extensions anywhere."""
    roles = {hold.role for hold in reach.holds}
    acts = (act for each in declared for act in each.acts.values() if act.effect == "grant_extension")
    return any(not roles.isdisjoint(act.who.roles) for act in acts)


def _to_decide(officer: int) -> QuerySet[Notice, Any]:
    """The cases in which this person was asked for more time and nobody has answered since."""
    answered = Notice.objects.filter(case=OuterRef("case"), kind="extension_decided", at__gte=OuterRef("at"))
    asked = Notice.objects.filter(officer=officer, kind="extension_asked", case__closed_at=None)
    return asked.exclude(Exists(answered)).values("case")


def _turn(hold: Hold, declared: Iterable[Procedure], reach: Reach) -> Q | None:
    """Where it is the turn of whoever holds this post."""
    any_office = _steps(declared, hold.role, "any")
    lead = _steps(declared, hold.role, "lead")
    party = _steps(declared, hold.role, "party")
    turns: list[Q] = []
    if any_office:
        turns.append(_standing(any_office) & _narrowed(hold, reach))
    if lead and hold.department is not None:
        turns.append(_standing(lead) & Q(lead=hold.department))
    if party and hold.party is not None:
        turns.append(_standing(party) & Q(party=hold.party))
    if hold.department is not None:
        turns.append(Q(pk__in=Unit.objects.filter(department=hold.department, done_at=None).values("case")))
    if not turns:
        return None
    whole = turns[0]
    for turn in turns[1:]:
        whole |= turn
    return whole


def _narrowed(hold: Hold, reach: Reach) -> Q:
    if hold.reach == "department":
        assisted = Unit.objects.filter(department=hold.department).values("case")
        return Q(lead=hold.department) | Q(pk__in=assisted)
    if hold.reach == "own":
        return Q(opened_by=reach.officer) | Q(handler=reach.officer)
    return Q(party=hold.party) if hold.reach == "party" else Q()


def mine(reach: Reach) -> Q:
    """The open cases I opened, handle, or my departments lead."""
    own = Q(opened_by=reach.officer) | Q(handler=reach.officer)
    departments = reach.departments()
    return Q(closed_at=None) & (own | Q(lead__in=departments) if departments else own)
