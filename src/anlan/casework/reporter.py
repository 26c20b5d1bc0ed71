"""What whoever reported may do, known by the code alone: say whether they are satisfied; if not, have it done again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeGuard, get_args

from django.db import transaction

from anlan.casework import cases
from anlan.casework.acts import Actor, Missing, NotNow
from anlan.casework.cases import Doing
from anlan.casework.draft import Draft, load
from anlan.casework.models import Case, CaseReport
from anlan.intake.models import Photo, Report
from anlan.kernel.text import Refusal
from anlan.places.scope import Reach

Satisfaction = Literal["satisfied", "fairly", "dissatisfied"]
LONGEST = 1000
_REPORTER = Actor(0, frozenset(), frozenset(), is_reporter=True)
# Seven digits or more, however they are grouped; a date is not meant.
_NUMBER = re.compile(r"(?<![0-9-])(?!20[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}(?![0-9]))[0-9](?:[ -]?[0-9]){6,}[0-9xX]?")


class Answered(Refusal):
    """This reporter has said already what they think of this result."""

    status = 409


@dataclass(frozen=True, slots=True)
class Offer:
    """The acts open to whoever told the report, by key; "" = not open. `key` is what their answer is known by."""

    rates: str
    objects: str
    key: str


def answering(report: Report) -> Case | None:
    """The case that answers the report: where that was merged into another, the other."""
    joined = CaseReport.objects.filter(report=report).order_by("joined_at", "pk").select_related("case").first()
    case, seen = (joined.case if joined else None), set()
    while case is not None and case.merged_into_id is not None and case.pk not in seen:
        seen.add(case.pk)
        case = Case.objects.get(pk=case.merged_into_id)
    return case


def offer(draft: Draft, report: Report) -> Offer:
    """What whoever told `report` may say of the case as it stands: once, and once more after it was taken up again."""
    plan, now = draft.plan, draft.now
    again = sum(now.done.get(name, 0) for name, act in plan.acts.items() if act.reporter == "objects")
    key = f"reporter:{report.pk}:{again}"
    if key in draft.keys:
        return Offer("", "", key)
    here = {plan.acts[name].reporter: name for name in reversed(plan.acts_at[now.step])}
    objects = here.get("objects", "")
    used = bool(objects) and now.done.get(objects, 0) >= plan.acts[objects].at_most
    return Offer(here.get("rates", ""), "" if used else objects, key)


def answer(report: Report, case: Case, satisfaction: Satisfaction, *, reason: str = "", at: datetime) -> Case:
    """Record what the reporter thinks of the result. Not satisfied, with the reason, the case is taken up once more."""
    reason = masked(reason.strip())[:LONGEST]
    if satisfaction == "dissatisfied" and not reason:
        raise Missing("请写一句哪里不满意。", "Please say what is not satisfactory.", field="reason")
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        draft = load(Case.objects.get(pk=case.pk))
        offered = offer(draft, report)
        if not offered.rates:
            raise _not_now(draft, offered)
        doing = _doing(offered, satisfaction, reason)
        cases.perform(draft, doing, by=None, who=_REPORTER, reach=Reach(0, ()), at=at, recorded_at=at)
        cases.save(draft)
        return draft.case


def add(
    report: Report,
    case: Case,
    words: str,
    *,
    key: str,
    photos: tuple[Photo, ...] = (),
    again: bool = False,
    at: datetime,
) -> Case:
    """Note on the case what its reporter tells later on, once for each `key`; numbers in it are masked.

    `again`: they say that it is not done. A closed case that they may still object to is then taken up once more.
    Raises `NotNow` where the case is closed and stays so.
    """
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        draft = load(Case.objects.get(pk=case.pk))
        if f"adds:{key}" in draft.keys:
            return draft.case
        objects = offer(draft, report).objects if again else ""
        plan = draft.plan
        adds = next((name for name in plan.acts_at[draft.now.step] if plan.acts[name].reporter == "adds"), "")
        if not objects and not adds:
            raise NotNow(
                "事项已经办结，不能再补充；如仍有问题，请重新上报。",
                "The case is closed and nothing can be added; report it anew if the problem is still there.",
            )
        field = "reason" if objects else "note"
        doing = Doing(objects or adds, {field: masked(words)}, photos=photos, key=f"adds:{key}")
        cases.perform(draft, doing, by=None, who=_REPORTER, reach=Reach(0, ()), at=at, recorded_at=at)
        cases.save(draft)
        return draft.case


def _doing(offered: Offer, satisfaction: Satisfaction, reason: str) -> Doing:
    if satisfaction == "dissatisfied" and offered.objects:
        return Doing(offered.objects, {"reason": reason}, key=offered.key)
    said = {"satisfaction": satisfaction, **({"note": reason} if reason else {})}
    return Doing(offered.rates, said, key=offered.key)


def _not_now(draft: Draft, offered: Offer) -> Refusal:
    if offered.key in draft.keys:
        return Answered("您已经评价过了，谢谢。", "You have given your answer already. Thank you.")
    return NotNow(
        "现在还不能评价：等办结以后，这里会请您评价。",
        "It is too early to answer: you will be asked here once it is done.",
    )


def is_satisfaction(said: str) -> TypeGuard[Satisfaction]:
    """Whether it is one of the three answers."""
    return said in get_args(Satisfaction)


def masked(text: str) -> str:
    """`text` without telephone and identity numbers: what stands in the ledger can never be erased."""
    return _NUMBER.sub("＊＊＊", text)
