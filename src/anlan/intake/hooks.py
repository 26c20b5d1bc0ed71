"""The machines' door: who sent it is proven, a replay is known, and every message goes through the one door.

Whatever is refused is counted by its kind; whatever is properly signed is kept, understood or not.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from anlan.intake import additions, clients, reports, signing, wire
from anlan.intake.channel import Channel, paths
from anlan.intake.door import Door, ReceivedRow
from anlan.intake.models import Addition, Client, Delivery, HookCount, Quarantined
from anlan.intake.reading import Reason
from anlan.kernel.ids import new_id
from anlan.kernel.text import Text
from anlan.ledger import events
from anlan.ledger.events import NewEvent
from anlan.places.record import day_of
from anlan.places.scope import under

_SIGN = Text(
    zh="没有这个接入方，或签名与正文不符。请核对网址、密钥，并对原样的正文签名。",
    en="There is no such client, or the signature does not fit the body. Check the address and the secret, and sign "
    "the body exactly as it is sent.",
)
REFUSED: Final[dict[str, tuple[int, Text, Text]]] = {
    "unknown": (401, Text(zh="接入方不明", en="Unknown client"), _SIGN),
    "inactive": (401, Text(zh="接入方已停用", en="Client stopped"), _SIGN),
    "unsigned": (401, Text(zh="没有签名", en="Not signed"), Text(
        zh="缺少签名、时间或一次性编号的请求头，请按渠道说明补上。",
        en="A header with the signature, the moment or the nonce is missing; add it as the channel says.",
    )),
    "badly_signed": (401, Text(zh="签名不对", en="Badly signed"), _SIGN),
    "tampered": (401, Text(zh="内容被改动", en="Tampered with"), _SIGN),
    "stale": (401, Text(zh="已过时", en="Stale"), Text(
        zh="发送时间与本系统时间相差太多，可能是旧消息被重放。请校准时钟，用现在的时间重新签名。",
        en="It was sent too long ago, or its clock is wrong: this may be an old message played again. Set the clock "
        "and sign it anew.",
    )),
    "replayed": (409, Text(zh="编号重用", en="Nonce used again"), Text(
        zh="这个一次性编号已经用过，而内容不同。请换一个新的编号。",
        en="This nonce was used before, with another body. Use a new one.",
    )),
    "too_large": (413, Text(zh="太大", en="Too large"), Text(
        zh="正文太大，没有读取。请分批发送。", en="The body is too large and was not read. Send it in parts.",
    )),
}  # fmt: skip
"""Why a delivery is refused: the status, the word for it where it is counted, and what the sender is told."""
COUNTED: Final[dict[str, Text]] = {
    "delivered": Text(zh="收下的投递", en="Deliveries taken"),
    "repeated_delivery": Text(zh="重复投递（答复相同）", en="The same delivery again"),
    "received": Text(zh="成为上报", en="Became reports"),
    "repeated": Text(zh="重复来件", en="Messages again"),
    "held": Text(zh="待改正", en="Held to be mended"),
    "applied": Text(zh="补充已并入", en="Additions applied"),
    "waiting": Text(zh="先到的补充", en="Additions before their order"),
    "malformed": Text(zh="正文读不通（已保存）", en="Unreadable body (kept)"),
    **{kind: word for kind, (_, word, _) in REFUSED.items()},
}
"""Everything that is counted, with the words for it."""
KNOWN_FOR: Final = timedelta(days=2)
"""How long a delivery is known again; by then its timestamp has long been stale."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is answered: an HTTP status and JSON; `kind` says as what it was counted."""

    status: int
    data: dict[str, Any]
    kind: str


class _No(Exception):
    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def most_bytes(name: str) -> int:
    """How large a body for this client may be; for an unknown one as for the narrowest."""
    known = clients.webhooks()
    client = Client.objects.filter(name=name).values_list("channel", flat=True).first()
    hook = known[client].webhook if client in known else None
    return (hook.body_kb if hook else 512) * 1024


def refuse(name: str, kind: str, *, at: datetime) -> Answer:
    """Count a refusal and word it."""
    known = Client.objects.filter(name=name).exists()
    count({kind: 1}, client=name if known else "", at=at)
    status, _, said = REFUSED[kind]
    return Answer(status, {"error": {"zh": said.zh, "en": said.en, "field": ""}, "kind": kind}, kind)


def take(name: str, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Answer:
    """Take one delivery of client `name`. The same delivery again is answered the same."""
    try:
        client, channel = _client(name)
        key, signature = _proven(client, channel, headers, body, at)
        return _once(client, channel, key, signature, body, at)
    except _No as no:
        return refuse(name, no.kind, at=at)


# ---------------------------------------------------------------- who sent it


def _client(name: str) -> tuple[Client, Channel]:
    client = Client.objects.filter(name=name).first()
    if client is None:
        raise _No("unknown")
    channel = clients.webhooks().get(client.channel)
    if not client.is_active or channel is None:
        raise _No("inactive")
    return client, channel


def _proven(client: Client, channel: Channel, headers: Mapping[str, str], body: bytes, at: datetime) -> tuple[str, str]:
    """(what the delivery is known by, its signature's digest), once the signature holds and the moment is near."""
    assert channel.webhook is not None
    scheme = channel.webhook.signature
    if len(body) > channel.webhook.body_kb * 1024:
        raise _No("too_large")
    given, timestamp = headers.get(scheme.header, ""), headers.get(scheme.timestamp, "").strip()
    nonce = headers.get(scheme.nonce, "").strip() if scheme.nonce else ""
    if not given or not timestamp or (scheme.nonce and not nonce) or len(nonce) > 200:
        raise _No("unsigned")
    seen = _digest(f"signature\n{given.strip()}".encode())
    known = clients.secrets_of(client, at=at)
    if not signing.is_signed(given, known, scheme, timestamp=timestamp, nonce=nonce, body=body):
        tampered = Delivery.objects.filter(client=client, signature=seen).exists()
        raise _No("tampered" if tampered else "badly_signed")
    sent = signing.moment(timestamp)
    if sent is None or abs(at - sent) > timedelta(minutes=scheme.tolerance_minutes):
        raise _No("stale")
    return _digest(f"nonce\n{nonce}".encode()) if nonce else seen, seen


def _digest(what: bytes) -> str:
    return hashlib.sha256(what).hexdigest()


# ---------------------------------------------------------------- once


def _once(client: Client, channel: Channel, key: str, signature: str, body: bytes, at: datetime) -> Answer:
    digest = _digest(body)
    before = Delivery.objects.filter(client=client, key=key).first()
    if before is None:
        try:
            with transaction.atomic():
                made = Delivery.objects.create(
                    id=new_id(), client=client, key=key, signature=signature, body=digest, at=at
                )
                made.answer, counted = _receive(client, channel, made, body, at)
                made.save(update_fields=["answer"])
                count(counted, client=client.name, at=at)
                return Answer(200, made.answer, "delivered")
        except IntegrityError:
            # The same delivery at the same moment; whatever else it was is raised again.
            before = Delivery.objects.filter(client=client, key=key).first()
            if before is None:
                raise
    if before.body != digest:
        raise _No("replayed")
    count({"repeated_delivery": 1}, client=client.name, at=at)
    return Answer(200, before.answer, "repeated_delivery")


def _receive(
    client: Client, channel: Channel, made: Delivery, body: bytes, at: datetime
) -> tuple[dict[str, Any], Counter[str]]:
    """What became of each message, as the sender is answered, and how it is counted."""
    assert channel.webhook is not None
    try:
        told = wire.messages(channel.webhook, paths(channel), wire.parse(body))
    except wire.Unparsed as refusal:
        outcomes = [_unparsed(client, channel, body, refusal.text, at)]
        counted = Counter({"malformed": 1})
    else:
        outcomes = _each(client, channel, told, at)
        counted = Counter("repeated" if each["repeated"] else each["outcome"] for each in outcomes)
    events.append(
        NewEvent(
            "delivery.taken",
            made.pk,
            by=None,
            at=at,
            recorded_at=at,
            area_path=client.area_path,
            data={"client": client.name, "channel": channel.key, **dict(counted)},
        )
    )
    answer = {"delivery": str(made.pk), "counts": dict(counted), "messages": outcomes}
    return answer, counted + Counter({"delivered": 1})


def _each(client: Client, channel: Channel, told: Sequence[dict[str, str]], at: datetime) -> list[dict[str, Any]]:
    """Orders first, then what is about orders: in one batch their order does not matter."""
    found: dict[int, dict[str, Any]] = {}
    later = {number for number, each in enumerate(told) if additions.meaning(channel, each)}
    first = [number for number in range(len(told)) if number not in later]
    reach = clients.reach_of(client, channel)
    rows = reports.receive_many(
        channel, [(None, told[number]) for number in first], by=None, at=at, reach=reach, base=client.area_path
    )
    for number, row in zip(first, rows, strict=True):
        found[number] = _said(row)
    for number in sorted(later):
        found[number] = _added(client, channel, told[number], at)
    return [{"place": number, **found[number]} for number in range(len(told))]


def _said(row: ReceivedRow) -> dict[str, Any]:
    number = row.told.message_id if row.told else ""
    outcome = "held" if row.report is None else "received"
    return {
        "number": number, "outcome": outcome, "repeated": row.repeated,
        "id": str(row.report or row.held), "reasons": _reasons(row.reasons),
    }  # fmt: skip


def _added(client: Client, channel: Channel, told: Mapping[str, str], at: datetime) -> dict[str, Any]:
    kept = additions.take(channel, told, area_path=client.area_path, at=at)
    if kept.addition is None:
        door = Door(channel, by=None, at=at, reach=clients.reach_of(client, channel), base=client.area_path)
        row = door.hold(told, kept.reasons)
        return {**_said(row), "reasons": _reasons(kept.reasons)}
    outcome = "applied" if kept.addition.applied_at else "waiting"
    return {
        "number": kept.addition.about, "outcome": outcome, "repeated": kept.repeated, "id": str(kept.addition.pk),
        "reasons": [],
    }  # fmt: skip


def _unparsed(client: Client, channel: Channel, body: bytes, why: Text, at: datetime) -> dict[str, Any]:
    """A body that cannot be taken apart waits whole: encrypted, for nobody knows what stands in it."""
    door = Door(channel, by=None, at=at, reach=clients.reach_of(client, channel), base=client.area_path)
    digest = _digest(body)
    told = {wire.BODY: digest, wire.REST: body.decode("utf-8", "backslashreplace")}
    row = door.hold(told, [Reason("", wire.BODY, why)])
    return {**_said(row), "place": 0, "reasons": _reasons([Reason("", "", why)])}


def _reasons(reasons: Sequence[Reason]) -> list[dict[str, str]]:
    return [reason.as_data() for reason in reasons]


# ---------------------------------------------------------------- counting


def count(kinds: Mapping[str, int], *, client: str, at: datetime) -> None:
    """Add to the counts of the day."""
    day = day_of(at)
    with transaction.atomic():
        for kind in sorted(kinds):
            row = HookCount(client=client, kind=kind, day=day, last_at=at)
            HookCount.objects.bulk_create([row], ignore_conflicts=True)
            with connection.cursor() as cursor:
                cursor.execute(
                    'UPDATE intake_hookcount SET "count" = "count" + %s, last_at = %s'
                    " WHERE client = %s AND kind = %s AND day = %s",
                    [kinds[kind], at, client, kind, day],
                )


def counts(names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Everything counted so far, by client and kind."""
    rows = HookCount.objects.filter(client__in=names).values_list("client", "kind")
    found: dict[str, dict[str, int]] = {name: {} for name in names}
    for client, kind, total in rows.annotate(total=Sum("count")).order_by():
        found[client][kind] = total
    return found


def waiting(channel: str, area_path: str) -> int:
    """How many additions of a channel still wait for their order."""
    return Addition.objects.filter(under(area_path), channel=channel, applied_at=None).count()


def held(channel: str, area_path: str) -> int:
    """How many messages of a channel wait to be mended in an area."""
    return Quarantined.objects.filter(under(area_path), channel=channel, state="held").count()


def forget(*, at: datetime) -> int:
    """Delete deliveries that cannot be played again any more; how many."""
    done, _ = Delivery.objects.filter(at__lt=at - KNOWN_FOR).delete()
    return done
