"""One turn of the loop that passes cases on: whatever is due, each by itself; what is unclear is never guessed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from anlan.casework import forwards
from anlan.casework.forwarding import Forwarding
from anlan.casework.forwards import State
from anlan.casework.models import Forward
from anlan.kernel.text import Text
from anlan.presentation.forwarding import speech
from anlan.presentation.forwarding.speech import NoSecret
from anlan.presentation.forwarding.wire import NotSent, Reply, Unknown

logger = logging.getLogger(__name__)

MOST: Final = 10
LOOKS: Final = 3
"""How often what may have been taken is looked for on the other side before a person is asked."""
GIVE_UP: Final = timedelta(days=1)
"""For so long a request is sent again to a server that takes the same one for one."""
LATER: Final = (408, 425, 429, 503)
"""Answers by which the other side says that it did not take it now."""


def turn(*, at: datetime) -> int:
    """Do what is due; how much it was. A server that does not answer is left alone for the rest of the turn."""
    done, silent = 0, set[str]()
    for forward in forwards.due(at=at, most=MOST):
        if forward.target in silent:
            continue
        declared = forwards.all_forwardings()[forward.target]
        try:
            done += STEPS[forward.state](forward, declared, at)
        except (NotSent, Unknown):
            silent.add(forward.target)
            forwards.put_off(forward.target, at=at)
    return done


# ---------------------------------------------------------------- sending


def _send(forward: Forward, declared: Forwarding, at: datetime) -> int:
    if forward.case.closed_at is not None:
        forwards.settle(forward, "given_up", at=at, after=None, trouble=CLOSED_HERE)
        return 1
    try:
        speech.key_of(declared)
    except NoSecret as refusal:
        forwards.settle(forward, "waiting", at=at, after=timedelta(minutes=10), trouble=refusal.text)
        return 0
    if not forwards.claim(forward, "sending", at=at):
        return 0
    try:
        reply = speech.create(declared, forward)
    except NotSent as error:
        forward.sent_at = None
        _later(forward, declared, "waiting", _silent(error), at)
        raise
    except Unknown as error:
        logger.info("%s: %s", forward.target, error)
        _unknown(forward, Text(zh="对方没有答完就断开了", en="the other system broke off"), at)
        raise
    _sent(forward, declared, reply, at)
    return 1


def _sent(forward: Forward, declared: Forwarding, reply: Reply, at: datetime) -> None:
    if reply.status in LATER:
        forward.sent_at = None
        _later(forward, declared, "waiting", _says(speech.errors(declared, reply)), at)
    elif 400 <= reply.status < 500:
        forwards.settle(forward, "refused", at=at, after=None, trouble=_says(speech.errors(declared, reply)))
    elif not 200 <= reply.status < 300 or not _named(forward, declared, reply, at):
        _unknown(forward, _says(speech.errors(declared, reply)), at)


def _named(forward: Forward, declared: Forwarding, reply: Reply, at: datetime) -> bool:
    """Take up the number or the token that the answer names; whether there was one."""
    for item in speech.items(declared, reply) or ():
        if number := speech.text(item, "service_request_id"):
            forwards.arrived(forward, number, at=at)
            return True
        if token := speech.text(item, "token"):
            forward.token, forward.tries = token[:200], 0
            forwards.settle(forward, "token", at=at, after=timedelta(minutes=1))
            return True
    return False


def _unknown(forward: Forward, why: Text, at: datetime) -> None:
    """It went out, and nobody knows whether it was taken: it is looked for before anything else is done."""
    forward.tries = 0
    trouble = Text(zh=f"{NOT_KNOWN.zh}（{why.zh}）", en=f"{NOT_KNOWN.en} ({why.en})")
    forwards.settle(forward, "sending", at=at, after=forwards.wait(1), trouble=trouble)


def _look(forward: Forward, declared: Forwarding, at: datetime) -> int:
    """It was sent, and nobody knows what became of it: look for its reference on the other side."""
    if not forwards.claim(forward, "sending", at=at):
        return 0
    reply = _answer(forward, declared, "sending", lambda: speech.look_for(declared, forward, at=at), at)
    listed = speech.items(declared, reply) if reply.status == 200 else None
    for item in listed or ():
        number = speech.text(item, "service_request_id")
        if number and forward.reference in speech.text(item, "description"):
            forwards.arrived(forward, number, at=at)
            return 1
    young = forward.sent_at is not None and at - forward.sent_at < GIVE_UP
    if listed is not None and declared.sends_again and young:
        forwards.settle(forward, "waiting", at=at, after=forwards.wait(1), trouble=NOT_FOUND)
    elif forward.tries < LOOKS:
        forwards.settle(forward, "sending", at=at, after=forwards.wait(forward.tries), trouble=NOT_FOUND)
    else:
        forwards.settle(forward, "unclear", at=at, after=None, trouble=NOT_FOUND)
    return 1


# ---------------------------------------------------------------- asking


def _ask_token(forward: Forward, declared: Forwarding, at: datetime) -> int:
    if not forwards.claim(forward, "token", at=at):
        return 0
    reply = _answer(forward, declared, "token", lambda: speech.ask_token(declared, forward.token), at)
    for item in speech.items(declared, reply) or () if reply.status == 200 else ():
        if number := speech.text(item, "service_request_id"):
            forwards.arrived(forward, number, at=at)
            return 1
    _later(forward, declared, "token", NO_NUMBER_YET, at)
    return 1


def _ask_number(forward: Forward, declared: Forwarding, at: datetime) -> int:
    if not forwards.claim(forward, "open", at=at):
        return 0
    reply = _answer(forward, declared, "open", lambda: speech.ask_number(declared, forward.number), at)
    listed = speech.items(declared, reply) if reply.status == 200 else None
    found = next((i for i in listed or () if speech.text(i, "service_request_id") == forward.number), None)
    if found is None:
        _later(forward, declared, "open", _says(speech.errors(declared, reply)), at)
        return 1
    forward.tries, forward.told = 0, speech.text(found, "status_notes")
    if speech.text(found, "status").lower() == "closed":
        forwards.ended(forward, forward.told, at=at)
    else:
        forwards.settle(forward, "open", at=at, after=timedelta(minutes=declared.ask_minutes))
    return 1


def _end(forward: Forward, declared: Forwarding, at: datetime) -> int:
    """It is closed there, and our side could not be told of it the last time."""
    if not forwards.claim(forward, "closing", at=at):
        return 0
    forwards.ended(forward, forward.told, at=at)
    return 1


STEPS: Final[dict[str, Callable[[Forward, Forwarding, datetime], int]]] = {
    "waiting": _send, "sending": _look, "token": _ask_token, "open": _ask_number, "closing": _end,
}  # fmt: skip


def _answer(forward: Forward, declared: Forwarding, state: State, ask: Callable[[], Reply], at: datetime) -> Reply:
    """What the other side answers; where it does not, it is asked again later and the error goes on."""
    try:
        return ask()
    except (NotSent, Unknown) as error:
        _later(forward, declared, state, _silent(error), at)
        raise


def _later(forward: Forward, declared: Forwarding, state: State, trouble: Text, at: datetime) -> None:
    """Again after a while that grows. After too many times a person is asked; what is known there is asked on for."""
    if forward.tries < declared.most_tries or state == "open":
        forwards.settle(forward, state, at=at, after=forwards.wait(forward.tries), trouble=trouble)
    else:
        forwards.settle(forward, "unclear" if state == "sending" else "refused", at=at, after=None, trouble=trouble)


def _silent(error: Exception) -> Text:
    """What a person is told; the machine's own words for it are of no use to them."""
    if isinstance(error, NotSent):
        return Text(
            zh="连接不上对方的系统，稍后会再试", en="The other system cannot be reached; it is tried again later"
        )
    return Text(zh="对方的系统没有答完就断开了，稍后会再试", en="The other system broke off; it is asked again later")


def _says(words: str) -> Text:
    return Text(zh=f"对方答复 {words}", en=f"The other side says {words}")


NOT_KNOWN = Text(zh="已发出，不知道对方收下没有", en="It was sent; whether it was taken is not known")
NOT_FOUND = Text(
    zh="已发出，不知道对方收下没有：在对方的公开列表里没有找到",
    en="It was sent; whether it was taken is not known: it is not in the other side's list",
)
CLOSED_HERE = Text(zh="还没有送出，事项已在我方办结", en="The case was closed here before it was sent")
NO_NUMBER_YET = Text(zh="对方还没有给出编号", en="The other side has given no number yet")
