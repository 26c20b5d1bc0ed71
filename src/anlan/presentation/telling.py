"""Telling watches what waits for them, by letter or by POST; no transaction is held meanwhile.

A letter goes to the mail server in the settings; a web address is a stranger's, so that it is asked anew each time, may
lie in no internal network, and has a few seconds for everything.
"""

from __future__ import annotations

import json
import logging
import smtplib
from collections.abc import Callable, Mapping
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
from anlan.intake.watches import GONE, NOT_CONFIRMED, Kind, NoSuchLink, Where
from anlan.kernel import catalogue
from anlan.kernel.text import Text
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


def turn(*, at: datetime, post: Post = over_https) -> int:
    """Tell what is due; how much arrived. A kind of which something failed waits for the next turn."""
    kinds: tuple[Kind, ...] = ("email", "webhook") if settings.MAIL_SERVER else ("webhook",)
    arrived = 0
    for kind in kinds:
        for _ in range(AT_ONCE):
            telling = watches.claim(at=at, kinds=(kind,))
            if telling is None or not _one(telling, post, at):
                break
            arrived += 1
    return arrived


def _one(telling: Telling, post: Post, at: datetime) -> bool:
    """Whether it is settled and the next may be tried."""
    watch = telling.watch
    where = watches.where_of(watch)
    if telling.kind == "confirm" and not watches.may_confirm(watch, at=at):
        watches.given_up(telling, NOT_CONFIRMED, at=at)
        return True
    if where is None:
        watches.given_up(telling, GONE, at=at)
        watches.stop(watch, at=at)
        return True
    try:
        if watch.kind == "email":
            _write(telling, where)
        else:
            _post(telling, where, post, at)
    except NotTaken as error:
        settle = watches.failed if error.again else watches.given_up
        settle(telling, error.why, at=at)
        return not error.again
    watches.arrived(telling, at=at)
    return True


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


def _post(telling: Telling, where: Where, post: Post, at: datetime) -> None:
    said = _challenge(telling) if telling.kind == "confirm" else _progress(telling)
    body = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
    try:
        status, answer = post(where.address, body, _headers(telling, where, body, at))
    except Unreachable as gone:
        raise NotTaken(gone.why.zh, gone.why.en, again=True) from None
    if not 200 <= status < 300:
        again = status in AGAIN or status >= 500 or status < 400
        raise NotTaken(f"对方答复 {status}", f"The other side answered {status}", again=again and status != 410)
    if telling.kind == "confirm":
        if said["challenge"] not in answer.decode(errors="replace"):
            raise NotTaken(
                "对方没有原样返回 challenge 的内容", "The other side did not echo the challenge", again=True
            )  # fmt: skip
        try:
            watches.confirm(telling.watch, channel=_channel(telling.watch), at=at)
        except NoSuchLink:
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
