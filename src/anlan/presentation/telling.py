"""Telling watches what waits for them, by letter or by POST; no transaction is held meanwhile.

A letter goes to the mail server in the settings; a web address is a stranger's, so that it is asked anew each time, may
lie in no internal network, and has a few seconds for everything.
"""

from __future__ import annotations

import json
import logging
import smtplib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.headerregistry import Address
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse
from django.utils import timezone

from anlan.intake import signing, watches
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.models import Telling, Watch
from anlan.intake.watches import GONE, NOT_CONFIRMED, Kind, Where
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.presentation import sending
from anlan.presentation.mail_server import MailServer
from anlan.presentation.sending import AGAIN, SCHEME, Unreachable

logger = logging.getLogger(__name__)

AT_ONCE: Final = 20
MOST: Final = 1000
"""So many bytes of an answer are read."""
SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"
KINDS: Final = {
    "opened": Text(zh="已登记", en="Taken up"),
    "moved": Text(zh="有新进展", en="News"),
    "closed": Text(zh="已办结", en="Closed"),
}

Post = Callable[[str, bytes, Mapping[str, str]], tuple[int, bytes]]


class NotTaken(Exception):
    """It was not taken; `again` = it may be later."""

    def __init__(self, zh: str, en: str, *, again: bool) -> None:
        super().__init__(en)
        self.why, self.again = Text(zh=zh, en=en), again


def over_https(url: str, body: bytes, said: Mapping[str, str]) -> tuple[int, bytes]:
    """POST to a stranger; the status and the beginning of the answer. Raises `Unreachable`."""
    return sending.post_to(url, body, said, private=False, most=MOST)


def once(*, at: datetime) -> int:
    """A turn of the loop, which takes its pause after each: strangers who dawdle must not keep it from the others."""
    turn(at=at)
    return 0


def turn(*, at: datetime, post: Post = over_https) -> int:
    """Tell what is due, so much of each kind; how much arrived."""
    return (_letters(at) if settings.MAIL_SERVER else 0) + _posts(post, at)


def _letters(at: datetime) -> int:
    arrived = 0
    for telling, where in _due("email", at):
        try:
            _write(telling, where)
        except NotTaken as error:
            _not_taken(telling, error, at)
            if error.again:
                # It is the server's trouble: the others would only wait for it, too.
                break
        else:
            watches.arrived(telling, at=at)
            arrived += 1
    return arrived


def _posts(post: Post, at: datetime) -> int:
    """All of them at once, one for each watch; the database is asked before and after, not meanwhile."""
    due = [(telling, *_message(telling, where, at)) for telling, where in _due("webhook", at)]
    if not due:
        return 0
    with ThreadPoolExecutor(len(due)) as pool:
        answers = list(pool.map(lambda each: _answer(post, *each[1:]), due))
    arrived = 0
    for (telling, *_), answer in zip(due, answers, strict=True):
        try:
            _take(telling, answer, at)
        except NotTaken as error:
            _not_taken(telling, error, at)
        else:
            watches.arrived(telling, at=at)
            arrived += 1
    return arrived


def _due(kind: Kind, at: datetime) -> Iterator[tuple[Telling, Where]]:
    """What is to be told, and where; what cannot be told any more is settled here."""
    for _ in range(AT_ONCE):
        telling = watches.claim(at=at, kind=kind)
        if telling is None:
            return
        where = watches.where_of(telling.watch)
        if telling.kind == "confirm" and not watches.may_confirm(telling.watch, at=at):
            watches.given_up(telling, NOT_CONFIRMED, at=at)
        elif where is None:
            watches.given_up(telling, GONE, at=at)
            watches.stop(telling.watch, at=at)
        else:
            yield telling, where


def _not_taken(telling: Telling, error: NotTaken, at: datetime) -> None:
    settle = watches.failed if error.again else watches.given_up
    settle(telling, error.why, at=at)


# ---------------------------------------------------------------- letters


def _write(telling: Telling, where: Where) -> None:
    server = settings.MAIL_SERVER
    if server is None:
        raise NotTaken("没有设置邮件服务器", "No mail server is set", again=True)
    letter = _letter(server, telling, where)
    try:
        with get_connection(SMTP, **server.options) as connection:
            connection.send_messages([letter])
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=0)
        raise NotTaken(f"邮箱拒收（{code}）", f"The mail box refused it ({code})", again=code < 500) from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # Neither the error's words nor the letter are repeated: the address may stand in them.
        name = type(error).__name__
        logger.warning("邮件服务器没有收下信件 / The mail server took no letter: %s", name)
        raise NotTaken(
            f"邮件服务器暂时不可用（{name}）", f"The mail server is not available ({name})", again=True
        ) from None


def _letter(server: MailServer, telling: Telling, where: Where) -> EmailMessage:
    watch = telling.watch
    stop = _address(watch, "resident_watch_end", watches.token(watch, "stop"))
    subject, body = _question(watch) if telling.kind == "confirm" else _news(telling)
    end = f"不想再收到这类邮件，请打开 / To stop these letters, open:\n{stop}\n"
    headers = {
        # The same however often it is tried, so that a mail box knows it again.
        "Message-ID": f"<{telling.event}.{watch.pk}@{server.sender.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    sender = str(Address("Anlan", addr_spec=server.sender))
    return EmailMessage(subject, f"{body}\n--\n{end}", sender, [where.address], headers=headers)


def _question(watch: Watch) -> tuple[str, str]:
    link = _address(watch, "resident_watch_confirm", watches.token(watch, "confirm"))
    body = (
        "有人（应该是您）请我们把一份上报的办理进展发到这个邮箱。\n"
        "要订阅，请在两天内打开下面的链接并按“确认订阅”。不是您申请的，不必理会，我们不会再写信。\n"
        "Somebody, probably you, asked us to send the progress of a report to this address.\n"
        "To subscribe, open this link within two days and press “Subscribe”. If it was not you, do nothing:"
        f" we shall not write again.\n\n{link}\n"
    )
    return "请确认订阅上报进展 / Please confirm: progress of your report", body


def _news(telling: Telling) -> tuple[str, str]:
    what = KINDS[telling.kind]
    number = f" {telling.number}" if telling.number else ""
    find = _address(telling.watch, "resident_find")
    body = (
        f"您上报的事{what.zh}{number}（{_moment(telling.happened_at)}）\n{telling.text_zh}\n"
        f"查看全部经过：打开下面的网址，输入您的查询编号。\n\n"
        f"Your report{number}: {what.en} ({_moment(telling.happened_at)})\n{telling.text_en}\n"
        f"The whole course: open the address below and type in your code.\n\n{find}\n"
    )
    return f"您上报的事{what.zh}{number} / Your report{number}: {what.en}", body


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at, timezone.get_default_timezone()):%Y-%m-%d %H:%M}"


def _address(watch: Watch, name: str, *parts: str) -> str:
    return watch.origin.rstrip("/") + reverse(name, args=parts)


# ---------------------------------------------------------------- posts


def _message(telling: Telling, where: Where, at: datetime) -> tuple[str, bytes, dict[str, str]]:
    said = _challenge(telling) if telling.kind == "confirm" else _progress(telling)
    body = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
    return where.address, body, _headers(telling, where, body, at)


def _answer(post: Post, url: str, body: bytes, said: Mapping[str, str]) -> tuple[int, bytes] | Unreachable:
    try:
        return post(url, body, said)
    except Unreachable as gone:
        return gone


def _take(telling: Telling, answer: tuple[int, bytes] | Unreachable, at: datetime) -> None:
    if isinstance(answer, Unreachable):
        raise NotTaken(answer.why.zh, answer.why.en, again=True)
    status, said = answer
    if not 200 <= status < 300:
        again = status in AGAIN or status >= 500 or status < 400
        raise NotTaken(f"对方答复 {status}", f"The other side answered {status}", again=again and status != 410)
    if telling.kind != "confirm":
        return
    if watches.token(telling.watch, "confirm").encode() not in said:
        raise NotTaken("对方没有原样返回 challenge 的内容", "The other side did not echo the challenge", again=True)
    try:
        watches.confirm(telling.watch, channel=_channel(telling.watch), at=at)
    except Refusal:
        raise NotTaken(NOT_CONFIRMED.zh, NOT_CONFIRMED.en, again=False) from None


def _channel(watch: Watch) -> Channel:
    return catalogue.current().get(CHANNELS, watch.report.channel)


def _challenge(telling: Telling) -> dict[str, Any]:
    return {"kind": "confirm", "challenge": watches.token(telling.watch, "confirm")}


def _progress(telling: Telling) -> dict[str, Any]:
    watch = telling.watch
    return {
        "kind": telling.kind, "event": str(telling.event), "number": telling.number,
        "at": timezone.localtime(telling.happened_at, timezone.get_default_timezone()).isoformat(),
        "text": {"zh": telling.text_zh, "en": telling.text_en}, "page": _address(watch, "resident_find"),
        "stop": _address(watch, "resident_watch_end", watches.token(watch, "stop")),
    }  # fmt: skip


def _headers(telling: Telling, where: Where, body: bytes, at: datetime) -> dict[str, str]:
    timestamp, nonce = str(int(at.timestamp())), f"{telling.watch_id}.{telling.event}"
    signed = signing.sign(where.secret, SCHEME, timestamp=timestamp, nonce=nonce, body=body)
    return {
        "Content-Type": "application/json; charset=utf-8", "User-Agent": "anlan", SCHEME.timestamp: timestamp,
        SCHEME.nonce: nonce, SCHEME.header: signed,
    }  # fmt: skip
