"""Sealing what was written, behind the writers, and proving that nothing has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct

from anlan.kernel.text import Text
from anlan.ledger import follow, merkle
from anlan.ledger.canonical import encode
from anlan.ledger.merkle import sha256, sm3
from anlan.ledger.models import START, Event, Seal
from anlan.ledger.order import Position, between, count_after

FOLLOWER = "ledger.seal"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ENTRY = Struct(">q32s")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed: in which batch, at which event (None: the seal itself), and what."""

    batch: int
    seq: int | None
    what: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found. `events` were compared with `seals`; `unsealed` ones are too new to be.

    `head` names the last seal (hex). Written down elsewhere and given to `verify` later, it proves that nothing was
    cut off the end.
    """

    ok: bool
    seals: int
    events: int
    unsealed: int
    head: str
    findings: list[Finding]


def seal(*, at: datetime, batch: int = 1000) -> int:
    """Seal every settled event, at most `batch` in one seal; returns how many seals were made."""
    made = 0

    def close(events: Sequence[Event]) -> None:
        nonlocal made
        _close(events, at)
        made += 1

    follow.drain(FOLLOWER, close, at=at, batch=batch)
    return made


def verify(*, head: str = "") -> Verdict:
    """Compare every sealed event with its seal and every seal with the one before it, batch by batch.

    `head`, if given, must be the head of an earlier verdict.
    """
    findings: list[Finding] = []
    before: Seal | None = None
    seals = events = 0
    known = not head
    for current in Seal.objects.order_by("number").iterator(chunk_size=50):
        compared, found = _compare(before, current)
        findings += [*_links(before, current), *found]
        seals, events, before = seals + 1, events + compared, current
        known = known or bytes(current.chain_sha256).hex() == head
    if not known:
        findings.append(_head_unknown(before))
    return Verdict(
        ok=not findings,
        seals=seals,
        events=events,
        unsealed=_unsealed(before),
        head=bytes(before.chain_sha256).hex() if before else "",
        findings=findings,
    )


def _close(events: Sequence[Event], at: datetime) -> None:
    last = Seal.objects.order_by("-number").first()
    if last and (events[0].tx, events[0].seq) <= (last.last_tx, last.last_seq):
        raise RuntimeError(f"Event {events[0].seq} is sealed already: was the follower '{FOLLOWER}' rewound?")
    records = [encode(event) for event in events]
    leaves = [merkle.leaf(sha256, record) for record in records]
    made = Seal(
        number=last.number + 1 if last else 1,
        first_tx=events[0].tx,
        first_seq=events[0].seq,
        last_tx=events[-1].tx,
        last_seq=events[-1].seq,
        count=len(events),
        leaves=b"".join([_ENTRY.pack(event.seq, leaf) for event, leaf in zip(events, leaves, strict=True)]),
        root_sha256=merkle.root(sha256, leaves),
        root_sm3=merkle.root(sm3, [merkle.leaf(sm3, record) for record in records]),
        sealed_at=at,
    )
    made.chain_sha256, made.chain_sm3 = _chains(last, made)
    made.save(force_insert=True)


def _chains(before: Seal | None, current: Seal) -> tuple[bytes, bytes]:
    """What the seal's two chain values must be, from the seal before it and its own columns."""
    previous = (before.chain_sha256, before.chain_sm3) if before else (merkle.NOTHING_BEFORE, merkle.NOTHING_BEFORE)
    numbers = (
        current.number,
        current.count,
        current.first_seq,
        current.last_seq,
        (current.sealed_at - _EPOCH) // _MICROSECOND,
    )
    return (
        merkle.chain(sha256, bytes(previous[0]), numbers, bytes(current.root_sha256)),
        merkle.chain(sm3, bytes(previous[1]), numbers, bytes(current.root_sm3)),
    )


def _links(before: Seal | None, current: Seal) -> Iterator[Finding]:
    expected = before.number + 1 if before else 1
    if current.number != expected:
        yield _finding(expected, None, "封存不见了", "the seal is missing")
        return
    if _chains(before, current) != (bytes(current.chain_sha256), bytes(current.chain_sm3)):
        yield _finding(
            current.number,
            None,
            "封存被改动，或与前一批接不上",
            "the seal was changed or does not follow the one before",
        )


def _compare(before: Seal | None, current: Seal) -> tuple[int, list[Finding]]:
    """How many events stand where the batch was sealed, and what is wrong with them."""
    number = current.number
    stored, findings = _stored(current)
    left = dict(stored)
    order: list[int] = []
    sm3_leaves: list[bytes] = []
    events = _events(before, current)
    for event in events:
        record = encode(event)
        sm3_leaves.append(merkle.leaf(sm3, record))
        leaf = left.pop(event.seq, None)
        if leaf is None:
            findings.append(_finding(number, event.seq, "后来插入", "was inserted later"))
        elif leaf != merkle.leaf(sha256, record):
            findings.append(_finding(number, event.seq, "被改动", "was changed"))
        order.append(event.seq)
    findings += [_finding(number, seq, "被删除", "was removed") for seq in left]
    if not findings and order != [seq for seq, _ in stored]:
        findings.append(_finding(number, None, "事件的次序被改动", "the order of its events was changed"))
    if not findings and merkle.root(sm3, sm3_leaves) != bytes(current.root_sm3):
        findings.append(_finding(number, None, "国密根值被改动", "its SM3 root was changed"))
    return len(order), findings


def listed(current: Seal) -> list[tuple[int, bytes]]:
    """The events of a seal in order: seq and SHA-256 leaf of each."""
    return _stored(current)[0]


def _stored(current: Seal) -> tuple[list[tuple[int, bytes]], list[Finding]]:
    """The events the seal lists, with their digests, and whether that list is still the one that was sealed."""
    blob = bytes(current.leaves)
    stored = list(_ENTRY.iter_unpack(blob[: len(blob) // _ENTRY.size * _ENTRY.size]))
    whole = len(blob) == current.count * _ENTRY.size and bool(stored)
    if whole and merkle.root(sha256, [leaf for _, leaf in stored]) == bytes(current.root_sha256):
        return stored, []
    return stored, [_finding(current.number, None, "封存的清单被改动", "the seal's list of events was changed")]


def _events(before: Seal | None, current: Seal) -> Iterator[Event]:
    """What stands between the seal before and the end of this one: nothing can hide between two batches."""
    start: Position = (current.first_tx, current.first_seq - 1)
    if current.number == 1:
        start = (START, 0)
    elif before and before.number == current.number - 1:
        start = (before.last_tx, before.last_seq)
    return between(start, (current.last_tx, current.last_seq))


def _unsealed(last: Seal | None) -> int:
    newest = (last.last_tx, last.last_seq) if last else (START, 0)
    return count_after(newest, settled=False)


def _head_unknown(last: Seal | None) -> Finding:
    return _finding(
        last.number if last else 0,
        None,
        "没有任何一批封存与记下的链头相符，之后的封存可能被截去",
        "no seal has the head that was noted; seals may have been cut off after this one",
    )


def _finding(batch: int, seq: int | None, zh: str, en: str) -> Finding:
    if seq is None:
        return Finding(batch, None, Text(zh=f"第 {batch} 批：{zh}", en=f"Batch {batch}: {en}"))
    return Finding(batch, seq, Text(zh=f"第 {batch} 批：事件 {seq} {zh}", en=f"Batch {batch}: event {seq} {en}"))
