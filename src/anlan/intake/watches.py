"""Watches: whoever told a report may have its progress sent. Asked for, confirmed, told, stopped.

Nothing here speaks to anybody: `presentation.telling` takes what is due and says how it went.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from anlan.intake.channel import Channel
from anlan.intake.models import Report, Telling, Watch
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal, Text
from anlan.ledger import events, personal

Kind = Literal["email", "webhook"]
Purpose = Literal["confirm", "stop"]
MOST: Final = 3
TO_CONFIRM: Final = timedelta(days=2)
"""So long a question waits for its answer; then it is void, and the address is erased."""
GIVE_UP: Final = timedelta(days=3)
CLAIM: Final = timedelta(minutes=2)
"""How long whoever took a telling has it to themselves; a crash frees it after that."""
RETRY: Final = (1, 5, 15, 60, 180, 360)
"""Minutes after each failure; the last goes on until it is given up."""
GONE = Text(zh="地址已按期限清除，不再发送", en="The address was erased on its day; nothing more is sent")

NOT_CONFIRMED = Text(zh="没有按时确认", en="It was not confirmed in time")


class WatchRefused(Refusal):
    """What was given is no address that can be told anything."""


class NoSuchLink(Refusal):
    """The link of a letter was not made here, or its time is over."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "这个链接无效或已过期。请用查询编号打开进展页，重新订阅。",
            "This link is not valid or its time is over. Open the page of your report by its code and subscribe again.",
        )


@dataclass(frozen=True, slots=True)
class Where:
    """Where a watch is told, and the secret by which a web address knows us."""

    address: str
    secret: str = ""

    @property
    def shown(self) -> str:
        """Enough to know one's own address by, and not enough to learn it."""
        if "://" in self.address:
            return urlsplit(self.address).hostname or ""
        name, _, host = self.address.rpartition("@")
        return f"{name[:1]}***@{host}"


# ---------------------------------------------------------------- asking, confirming, stopping


def read_address(told: str, *, letters: bool) -> tuple[Kind, str]:
    """What somebody typed: an e-mail address (where `letters` can be sent) or a web address by https."""
    told = told.strip()
    if told.lower().startswith(("http:", "https:")):
        return "webhook", _web_address(told)
    if not letters:
        raise WatchRefused(
            "本站没有开通邮件，只能填 https:// 开头的网址。",
            "This site sends no e-mail: give a web address that begins with https://.",
            field="address",
        )
    try:
        EmailValidator()(told)
    except ValidationError:
        told = ""
    if not told or len(told) > 254:
        raise WatchRefused(
            "请填写邮箱（如 name@example.org）或 https:// 开头的网址。",
            "Give an e-mail address (such as name@example.org) or a web address that begins with https://.",
            field="address",
        )
    return "email", told


def _web_address(told: str) -> str:
    try:
        parts = urlsplit(told)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        good = False
    # What does not fit into the first line of a request is no address, and could be more than one.
    if not good or parts.username is not None or len(told) > 500 or not told.isascii() or not told.isprintable():
        good = False
    if not good or " " in told:
        raise WatchRefused(
            "网址要以 https:// 开头，只用英文字母、数字和符号，不带用户名和密码。",
            "Write the web address as https://…, in plain letters, without a user name or password.",
            field="address",
        )
    return told


@transaction.atomic
def ask(
    report: Report, kind: Kind, address: str, *, origin: str, channel: Channel, at: datetime
) -> tuple[Watch, str]:  # fmt: skip
    """A new watch, which is first asked whether it is wanted; and, for a web address, its secret, shown this once."""
    report = Report.objects.select_for_update().get(pk=report.pk)
    _last_day(report, channel, at)
    here = standing(report, at=at)
    if len(here) >= MOST:
        raise WatchRefused(
            f"一份上报最多订阅 {MOST} 处；请先取消一处。",
            f"A report can be followed from {MOST} addresses at most; stop one of them first.",
            field="address",
        )
    if any(where.address.casefold() == address.casefold() for each in here if (where := where_of(each))):
        raise WatchRefused(
            "这个地址已经订阅过了。", "This address is subscribed already.", field="address"
        )  # fmt: skip
    secret = secrets.token_urlsafe(32) if kind == "webhook" else ""
    keep_until = timezone.localtime(at + TO_CONFIRM).date()
    kept = personal.keep("watch", {"address": address, "secret": secret}, keep_until=keep_until, at=at)
    made = Watch.objects.create(
        id=new_id(), report=report, kind=kind, address=kept, origin=origin[:200], asked_at=at
    )  # fmt: skip
    Telling.objects.create(watch=made, event=made.pk, kind="confirm", happened_at=at, queued_at=at, next_at=at)
    _record("watch.asked", made, at=at)
    return made, secret


def _last_day(report: Report, channel: Channel, at: datetime) -> date:
    """The day on which what is personal in the report is erased. Raises where that is over."""
    day = timezone.localtime(report.received_at + timedelta(days=channel.personal_days)).date()
    if report.reporter is not None:
        day = min(day, report.reporter.keep_until)
    if day < timezone.localtime(at).date():
        raise WatchRefused(
            "这份上报的联系信息已过保存期限，不能再订阅。",
            "The time for which contacts of this report are kept is over; it cannot be subscribed to any more.",
        )
    return day


@transaction.atomic
def confirm(watch: Watch, *, channel: Channel, at: datetime) -> None:
    """It is wanted: from now on it is told. A second time changes nothing."""
    current = Watch.objects.select_for_update().get(pk=watch.pk)
    if current.confirmed_at is not None and current.stopped_at is None:
        return
    if not may_confirm(current, at=at) or where_of(current) is None:
        raise NoSuchLink
    last = _last_day(current.report, channel, at)
    current.confirmed_at = at
    current.save(update_fields=["confirmed_at"])
    personal.keep_only_until(current.address_id, last)
    _record("watch.confirmed", current, at=at)


def may_confirm(watch: Watch, *, at: datetime) -> bool:
    """Whether it may still be said that it is wanted."""
    return watch.stopped_at is None and at <= watch.asked_at + TO_CONFIRM


@transaction.atomic
def stop(watch: Watch, *, at: datetime) -> None:
    """Tell it nothing more, and let its address be erased. A second time changes nothing."""
    current = Watch.objects.select_for_update().get(pk=watch.pk)
    if current.stopped_at is not None:
        return
    current.stopped_at = at
    current.save(update_fields=["stopped_at"])
    Telling.objects.filter(watch=current, state="waiting").delete()
    personal.keep_only_until(current.address_id, timezone.localtime(at).date() - timedelta(days=1))
    _record("watch.stopped", current, at=at)


def standing(report: Report, *, at: datetime) -> list[Watch]:
    """The watches of a report that are told, or still asked whether they are wanted."""
    rows = Watch.objects.filter(report=report, stopped_at=None).order_by("asked_at", "pk").select_related("report")
    return [each for each in rows if each.confirmed_at is not None or may_confirm(each, at=at)]


def where_of(watch: Watch) -> Where | None:
    """Where the watch is told; None when that was erased."""
    kept = personal.read(watch.address_id)
    return None if kept is None else Where(kept["address"], kept["secret"])


def _record(kind: str, watch: Watch, *, at: datetime) -> None:
    data = {"kind": watch.kind, "report": str(watch.report_id)}
    events.append(
        events.NewEvent(
            kind, watch.pk, by=None, at=at, recorded_at=at, area_path=watch.report.area_path, data=data
        )
    )  # fmt: skip


# ---------------------------------------------------------------- the links of letters


def token(watch: Watch, purpose: Purpose) -> str:
    """What stands in a link: the watch, signed for one purpose."""
    return _signer(purpose).sign(watch.pk.hex)


def by_token(given: str, purpose: Purpose) -> Watch:
    """The watch that a link was made for. Raises `NoSuchLink`."""
    try:
        pk = UUID(_signer(purpose).unsign(given))
    except (signing.BadSignature, ValueError):
        raise NoSuchLink from None
    found = Watch.objects.select_related("report").filter(pk=pk).first()
    if found is None:
        raise NoSuchLink
    return found


def _signer(purpose: Purpose) -> signing.Signer:
    return signing.Signer(sep="~", salt=f"anlan.intake.watches.{purpose}")


# ---------------------------------------------------------------- what is due, and how it went


def claim(*, kind: Kind, at: datetime) -> Telling | None:
    """The next thing to tell, taken for a while: of each watch in order, the first that has not arrived."""
    earlier = Telling.objects.filter(watch=OuterRef("watch"), state="waiting", pk__lt=OuterRef("pk"))
    ready = Telling.objects.filter(~Exists(earlier), state="waiting", next_at__lte=at, watch__kind=kind)
    for pk, next_at in list(ready.order_by("next_at", "pk").values_list("pk", "next_at")[:10]):
        if Telling.objects.filter(pk=pk, state="waiting", next_at=next_at).update(next_at=at + CLAIM):
            return Telling.objects.select_related("watch__report").get(pk=pk)
    return None


def arrived(telling: Telling, *, at: datetime) -> None:
    """The other side took it."""
    with transaction.atomic():
        _settle(telling, "sent", None, at=at)
        if telling.kind != "confirm":
            Watch.objects.filter(pk=telling.watch_id).update(told_event=telling.event, told_at=at)


def failed(telling: Telling, why: Text, *, at: datetime) -> None:
    """It did not arrive: tried again later, by and by less often; what waited too long is given up."""
    if at - telling.queued_at >= (TO_CONFIRM if telling.kind == "confirm" else GIVE_UP):
        given_up(telling, why, at=at)
        return
    tries = telling.attempts + 1
    waiting = Telling.objects.filter(pk=telling.pk, state="waiting")
    waiting.update(attempts=tries, next_at=at + wait(tries, telling.event), **_words(why))


def given_up(telling: Telling, why: Text, *, at: datetime) -> None:
    """It will never arrive; that is in sight on the page of the report."""
    _settle(telling, "dead", why, at=at)


def _settle(telling: Telling, state: str, why: Text | None, *, at: datetime) -> None:
    waiting = Telling.objects.filter(pk=telling.pk, state="waiting")
    waiting.update(state=state, done_at=at, attempts=telling.attempts + 1, **_words(why))


def _words(why: Text | None) -> dict[str, str]:
    return {"error_zh": why.zh[:200] if why else "", "error_en": why.en[:200] if why else ""}


def wait(failures: int, key: UUID) -> timedelta:
    """How long to wait after so many failures; up to a fifth longer, so that many do not come back at once."""
    digest = hashlib.sha256(f"{key}:{failures}".encode()).digest()
    return timedelta(minutes=RETRY[min(failures, len(RETRY)) - 1] * (1 + int.from_bytes(digest[:4]) / 2**32 / 5))
