"""Cases on their way to other Open311 servers: which go, how far each is, and what became of it. No HTTP here.

What was begun and has no known end is never begun again by itself, unless the other side takes the same request for one
(`sends_again`): it is looked for there, and else waits for a person.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db import transaction

from anlan.casework import cases
from anlan.casework.cases import Doing
from anlan.casework.engine import MOVED, OPENED
from anlan.casework.forwarding import FORWARDING, Forwarding
from anlan.casework.models import Case, Forward
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal, Text
from anlan.ledger import events
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.places.scope import reach_of

State = Literal["waiting", "sending", "token", "open", "closing", "closed", "unclear", "refused", "given_up"]
FOR_A_PERSON: Final = ("unclear", "refused")
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Only letters: numbers are masked wherever words are shown to everybody."""
BEGUN: Final = timedelta(minutes=5)
"""A sending that has not come to an end by then was cut off."""
_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=6)


class NotDeclared(Refusal):
    """Where it was to go is declared no more."""

    status = 409

    def __init__(self, target: str) -> None:
        super().__init__(
            f"规则里已经没有转送“{target}”，请管理员恢复声明，或选“不再转送”。",
            f"No forwarding “{target}” is declared any more: let the administrator restore it, or give this one up.",
        )


class NotForAPerson(Refusal):
    """It is not up to a person now: it is on its way, or done."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "这件转送现在不用人工处理，请刷新看最新情况。",
            "This forward does not wait for anybody now. Reload to see how it stands.",
        )


def all_forwardings() -> dict[str, Forwarding]:
    """Every declared forwarding by key."""
    return catalogue.current().all(FORWARDING)


def follow(told: Sequence[Event]) -> None:
    """The follower: a case that falls to a forwarding is put on its way there, once."""
    declared = {key: each for key, each in all_forwardings().items() if each.active}
    moments = {event.subject: event.recorded_at for event in told if event.kind in (OPENED, MOVED)} if declared else {}
    if not moments:
        return
    found = Case.objects.filter(pk__in=moments, closed_at=None).select_related("lead")
    at = max(moments.values())
    new = [
        Forward(id=new_id(), case=case, target=key, reference=_reference(), next_at=at, made_at=at, changed_at=at)
        for case in found
        for key, forwarding in declared.items()
        if falls_to(case, forwarding)
    ]
    Forward.objects.bulk_create(new, ignore_conflicts=True)


def falls_to(case: Case, forwarding: Forwarding) -> bool:
    """Whether the case goes there as it stands."""
    codes = set(case.area_path.strip("/").split("/"))
    return (
        bool(forwarding.service_code(case.topic))
        and (not forwarding.areas or not codes.isdisjoint(forwarding.areas))
        and (not forwarding.department or (case.lead is not None and case.lead.key == forwarding.department))
    )


def _reference() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(8))


def due(*, at: datetime, most: int) -> list[Forward]:
    """The forwards of which something is to be done now, the longest waiting first."""
    active = [key for key, each in all_forwardings().items() if each.active]
    rows = Forward.objects.filter(next_at__lte=at, target__in=active)
    return list(rows.select_related("case", "case__area", "case__site").order_by("next_at", "pk")[:most])


def claim(forward: Forward, state: State, *, at: datetime) -> bool:
    """Take it in hand alone, as `state`; False where somebody else has. Commit this before anything is sent."""
    mine = Forward.objects.filter(pk=forward.pk, state=forward.state, tries=forward.tries, next_at=forward.next_at)
    forward.state, forward.tries, forward.next_at, forward.changed_at = state, forward.tries + 1, at + BEGUN, at
    forward.sent_at = at if state == "sending" and forward.sent_at is None else forward.sent_at
    return bool(
        mine.update(
            state=state, tries=forward.tries, next_at=forward.next_at, changed_at=at, sent_at=forward.sent_at
        )
    )  # fmt: skip


def settle(
    forward: Forward, state: State, *, at: datetime, after: timedelta | None, trouble: Text | None = None
) -> None:
    """Write down how it stands; something is to be done again `after` that time, or never."""
    forward.state, forward.changed_at = state, at
    forward.next_at = at + after if after is not None else None
    forward.trouble_zh, forward.trouble_en = (trouble.zh[:400], trouble.en[:400]) if trouble else ("", "")
    with transaction.atomic():
        forward.save()
        _record(forward, by=None, at=at)


def arrived(forward: Forward, number: str, *, at: datetime) -> None:
    """The other side has it under this number: noted on the case."""
    declared = all_forwardings()[forward.target]
    forward.number, forward.tries = number[:200], 0
    title = declared.title
    note = f"已转送{title.zh}，对方编号 {number}（转送号 {forward.reference}）"
    trouble = None
    with transaction.atomic():
        try:
            with transaction.atomic():
                _act(forward, declared, declared.when_sent, note, key="arrived", at=at)
        except Refusal as refusal:
            # The number is known whatever becomes of the note.
            trouble = refusal.text
        settle(forward, "open", at=at, after=timedelta(minutes=declared.ask_minutes), trouble=trouble)


def ended(forward: Forward, told: str, *, at: datetime) -> None:
    """The other side has closed it: done on our side what is declared for that. Whether it is so, somebody verifies."""
    declared = all_forwardings()[forward.target]
    forward.told = told
    note = f"{declared.title.zh}：对方已办结（编号 {forward.number}）。{told}"
    try:
        with transaction.atomic():
            _act(forward, declared, declared.when_closed, note, key="ended", at=at)
            settle(forward, "closed", at=at, after=None)
    except Refusal as refusal:
        later = wait(forward.tries) if forward.tries < declared.most_tries else None
        settle(forward, "closing" if later else "refused", at=at, after=later, trouble=refusal.text)


def _act(forward: Forward, declared: Forwarding, act: str, words: str, *, key: str, at: datetime) -> None:
    case = Case.objects.get(pk=forward.case_id)
    while case.merged_into is not None:
        case = case.merged_into
    if case.closed_at is not None:
        return
    officer = Officer.objects.filter(username=declared.officer, is_active=True).first()
    if officer is None:
        raise Refusal(
            f"没有用户名为“{declared.officer}”的系统账号，请先登记并给它岗位。",
            f"There is no account “{declared.officer}”; enter it and give it a post.",
        )
    doing = Doing(act, {declared.told_in: words[:4000]}, key=f"forward:{forward.pk}:{key}")
    cases.act(case.pk, doing, by=officer, reach=reach_of(officer, at=at), at=at)


def wait(tries: int) -> timedelta:
    """How long until the next try: one minute, then twice as long each time, at most six hours."""
    return min(_FIRST * (1 << max(0, min(tries, 20) - 1)), _LONGEST)


def put_off(target: str, *, at: datetime) -> None:
    """The other side does not answer: whatever else is due there waits a little, so that it does not hold up others."""
    Forward.objects.filter(target=target, next_at__lte=at).update(next_at=at + _FIRST)


# ---------------------------------------------------------------- what a person decides


def found_there(forward: Forward, number: str, *, by: Officer, at: datetime) -> None:
    """Somebody has asked the other side, which has it under this number."""
    if not number.strip():
        raise Refusal("请填写对方编号。", "Fill in the other side's number.", field="number")
    _check_declared(forward)
    with transaction.atomic():
        _held(forward)
        _record(forward, by=by, at=at, said="found_there")
        arrived(forward, number.strip(), at=at)


def send_again(forward: Forward, *, by: Officer, at: datetime) -> None:
    """Somebody has asked the other side, which does not have it; or what it refused has been mended."""
    _check_declared(forward)
    with transaction.atomic():
        _held(forward)
        forward.tries, forward.sent_at, forward.token = 0, None, ""
        state: State = "closing" if forward.number else "waiting"
        _record(forward, by=by, at=at, said="send_again")
        settle(forward, state, at=at, after=timedelta(0))


def give_up(forward: Forward, *, by: Officer, at: datetime) -> None:
    """It is dealt with otherwise."""
    with transaction.atomic():
        _held(forward)
        _record(forward, by=by, at=at, said="give_up")
        settle(forward, "given_up", at=at, after=None)


def _check_declared(forward: Forward) -> None:
    if forward.target not in all_forwardings():
        raise NotDeclared(forward.target)


def _held(forward: Forward) -> None:
    state = Forward.objects.select_for_update().values_list("state", flat=True).get(pk=forward.pk)
    if state not in FOR_A_PERSON:
        raise NotForAPerson


def _record(forward: Forward, *, by: Officer | None, at: datetime, said: str = "") -> None:
    data = {"case": str(forward.case_id), "target": forward.target, "state": said or forward.state}
    if forward.number:
        data["number"] = forward.number
    events.append(
        NewEvent(
            "forward.changed", forward.pk, by=by.pk if by else None, at=at, recorded_at=at,
            area_path=forward.case.area_path, data=data,
        )
    )  # fmt: skip
