"""The one door: messages in, reports or quarantined messages out. One message and a million take the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings

from anlan.intake import message, topic_model
from anlan.intake.channel import Channel
from anlan.intake.location import Locator, Place
from anlan.intake.models import Batch, Quarantined, Report
from anlan.intake.reading import Reader, Reason, Unclear, Understood
from anlan.kernel.ids import new_id
from anlan.kernel.text import Text
from anlan.ledger import events, personal
from anlan.ledger.bulk import Encoded, insert_rows, rows_among
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Personal
from anlan.places.models import Officer
from anlan.places.scope import Reach

OUT_OF_REACH = "reach"

_REPORT = (
    "id channel message_id digest raw told_at received_at topic description address area_id area_path site_id lon lat"
    " reporter_id by_id batch_id notes withdrawn_at"
).split()
_HELD = (
    "id channel batch_id row_no digest raw reasons reporter_id state report_id area_path held_at settled_at"
).split()
_NO_NOTES = Encoded("[]")


@dataclass(slots=True)
class ReceivedRow:
    """What became of one message: `report` is its id (a repeated message's too), or `held` is its place in quarantine.

    `told` and `place` are there whenever the message was understood; `against` is the report that has its number and
    says something else.
    """

    row_no: int | None
    report: UUID | None = None
    held: UUID | None = None
    repeated: bool = False
    reasons: tuple[Reason, ...] = ()
    told: Understood | None = None
    place: Place | None = None
    against: UUID | None = None


@dataclass(slots=True)
class _Letter:
    """A message on its way through the door."""

    row_no: int | None
    raw: str
    digest: str
    told: Understood | None
    place: Place | None
    reasons: tuple[Reason, ...]
    personal: dict[str, str]

    @property
    def number(self) -> str:
        return (self.told.message_id if self.told else "") or self.digest


@dataclass(slots=True)
class _Tray:
    """What one round writes, and what the database already knows of its messages."""

    known: dict[str, tuple[str, UUID]]
    waiting: dict[str, tuple[UUID, str, UUID | None]]
    reports: list[tuple[Any, ...]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    settled: list[tuple[UUID, UUID]] = field(default_factory=list)
    reporters: list[Personal] = field(default_factory=list)


class Door:
    """One channel, one officer, one moment: reads messages, knows them again, writes them down.

    `take` belongs in a transaction. `reach` limits where the officer may report; `base` is where a message belongs that
    says nothing of its place.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        by: Officer | None,
        at: datetime,
        batch: Batch | None = None,
        reach: Reach | None = None,
        base: str = "",
    ) -> None:
        self.channel, self.at = channel, at
        self._by = by.pk if by else None
        self._batch = batch.pk if batch else None
        self._reach = reach
        self._covered: dict[str, bool] = {}
        self._locator = Locator(channel, by=by, at=at, base=base)
        self._readers: dict[tuple[str, ...], Reader] = {}
        self._seen: dict[str, tuple[str, UUID]] = {}
        self._salt = hashlib.sha256(f"anlan.intake.digest\n{settings.SECRET_KEY}".encode()).digest()
        self._keep_until = (at + timedelta(days=channel.personal_days)).date()

    def take(
        self, messages: Sequence[tuple[int | None, Mapping[str, str]]], *, reporter: UUID | None = None
    ) -> list[ReceivedRow]:
        """What became of each message, in order. `reporter` stands in where a message names nobody."""
        rows, tray = self._sorted(messages, reporter)
        if tray.reporters:
            Personal.objects.bulk_create(tray.reporters)
        insert_rows(Report, _REPORT, tray.reports)
        insert_rows(Quarantined, _HELD, tray.held)
        events.append_many(tray.events)
        for held, report in tray.settled:
            settle(held, report, by=self._by, at=self.at)
        return rows

    def hold(self, told: Mapping[str, str], reasons: Sequence[Reason]) -> ReceivedRow:
        """Keep a message that cannot even be read, with the reasons; the same one again is only told again."""
        letter = self._open(None, told)
        letter.told, letter.reasons = None, tuple(reasons)
        tray = self._tray([letter])
        row = self._sort(letter, tray, None)
        Personal.objects.bulk_create(tray.reporters)
        insert_rows(Quarantined, _HELD, tray.held)
        events.append_many(tray.events)
        return row

    def look(self, messages: Sequence[tuple[int | None, Mapping[str, str]]]) -> list[ReceivedRow]:
        """What `take` would do with each message, and nothing done. What was looked at before counts as taken."""
        rows, tray = self._sorted(messages, None)
        self._seen.update(tray.known)
        return rows

    def _sorted(
        self, messages: Sequence[tuple[int | None, Mapping[str, str]]], reporter: UUID | None
    ) -> tuple[list[ReceivedRow], _Tray]:
        letters = self._located([self._open(row_no, told) for row_no, told in messages])
        tray = self._tray(letters)
        return [self._sort(letter, tray, reporter) for letter in letters], tray

    def _open(self, row_no: int | None, told: Mapping[str, str]) -> _Letter:
        reader = self._readers.get(tuple(told)) or self._reader(tuple(told))
        closed: dict[str, str] = {}
        if reader.personal:
            told, closed = message.part(told, reader.personal)
        raw = message.canonical(told)
        if not message.is_storable(raw):
            told = message.as_told(told)
            raw = message.canonical(told)
        read = reader.read(told, at=self.at, row_no=row_no)
        digest = message.digest(self.channel.key, raw)
        if isinstance(read, Understood) and self.channel.same_by == "values":
            digest = reader.digest(read)
        if isinstance(read, Unclear):
            return _Letter(row_no, raw, digest, None, None, read.reasons, closed)
        return _Letter(row_no, raw, digest, self._with_topic(read, row_no), None, (), closed)

    def _with_topic(self, told: Understood, row_no: int | None) -> Understood:
        """Where the channel says so, the topic that the words of a message without one make certain."""
        if not self.channel.topic_from_words or told.topic not in self._vague or not told.description:
            return told
        found = self._hearing.certain(told.description)
        if found is None:
            return told
        note = _by_words(self._hearing.topics[found.topic].title, found.confidence, row_no)
        return told._replace(topic=found.topic, notes=(*told.notes, note))

    @cached_property
    def _hearing(self) -> topic_model.Hearing:
        return topic_model.hearing()

    @cached_property
    def _vague(self) -> frozenset[str]:
        """What a message names that names no topic."""
        column = self.channel.columns.get("topic")
        return frozenset({"", self.channel.topic_default, column.default if column else ""})

    def _reader(self, names: tuple[str, ...]) -> Reader:
        self._readers[names] = reader = Reader(self.channel, names)
        return reader

    def _located(self, letters: list[_Letter]) -> list[_Letter]:
        clear = [letter for letter in letters if letter.told]
        places = self._locator.places([(letter.row_no, letter.told) for letter in clear if letter.told])
        for letter, place in zip(clear, places, strict=True):
            if isinstance(place, Reason):
                letter.reasons = (place,)
            elif not self._covers(place.path):
                letter.reasons = (_out_of_reach(letter.row_no),)
            else:
                letter.place = place
        return letters

    def _covers(self, path: str) -> bool:
        if self._reach is None:
            return True
        if path not in self._covered:
            self._covered[path] = self._reach.covers(
                self.channel.action, area_path=path, departments=self._reach.departments(), owners=(self._by,)
            )
        return self._covered[path]

    def _tray(self, letters: Sequence[_Letter]) -> _Tray:
        within = ("channel", self.channel.key)
        numbers = {letter.number for letter in letters if letter.told}
        digests = {letter.digest for letter in letters}
        known = rows_among(Report, ("message_id", "digest", "id"), within=within, name="message_id", among=numbers)
        columns = ("digest", "id", "state", "report_id")
        waiting = rows_among(Quarantined, columns, within=within, name="digest", among=digests)
        return _Tray(
            {number: self._seen[number] for number in numbers & self._seen.keys()}
            | {number: (digest, pk) for number, digest, pk in known},
            {digest: (pk, state, report) for digest, pk, state, report in waiting},
        )

    def _sort(self, letter: _Letter, tray: _Tray, reporter: UUID | None) -> ReceivedRow:
        row = ReceivedRow(letter.row_no, None, None, False, letter.reasons, letter.told, letter.place)
        waiting = tray.waiting.get(letter.digest)
        known = tray.known.get(letter.number) if letter.place else None
        if known and known[0] == letter.digest:
            row.report, row.repeated = known[1], True
        elif waiting and (letter.place is None or known or waiting[1] != "held"):
            row.report, row.held, row.repeated = waiting[2], waiting[0], True
        elif letter.place is None or known:
            if known:
                row.reasons, row.against = (_differs(letter, self._number_column()),), known[1]
            row.held = self._hold(letter, row.reasons, tray, reporter)
        else:
            row.report = self._receive(letter, tray, reporter)
            if waiting:
                tray.settled.append((waiting[0], row.report))
        return row

    def _receive(self, letter: _Letter, tray: _Tray, reporter: UUID | None) -> UUID:
        told, place = letter.told, letter.place
        assert told is not None
        assert place is not None
        pk = new_id()
        notes = told.notes + place.notes
        tray.reports.append((
            pk, self.channel.key, letter.number, letter.digest, Encoded(letter.raw), told.told_at, self.at, told.topic,
            told.description, told.address, place.area, place.path, place.site, place.lon, place.lat,
            self._reporter(letter, tray) or reporter, self._by, self._batch,
            Encoded(message.sentences(notes)) if notes else _NO_NOTES, None,
        ))  # fmt: skip
        # A message without a number is numbered by its digest, which the ledger has only salted.
        data = {"message_id": told.message_id, "topic": told.topic}
        tray.events.append(self._event("report.received", pk, letter, told.told_at, place.path, data))
        tray.known[letter.number] = (letter.digest, pk)
        return pk

    def _hold(self, letter: _Letter, reasons: Sequence[Reason], tray: _Tray, reporter: UUID | None) -> UUID:
        pk = new_id()
        path = letter.place.path if letter.place else self._locator.base
        tray.held.append((
            pk, self.channel.key, self._batch, letter.row_no, letter.digest, Encoded(letter.raw),
            [reason.as_data() for reason in reasons], self._reporter(letter, tray) or reporter, "held", None, path,
            self.at, None,
        ))  # fmt: skip
        fields = sorted({reason.field for reason in reasons})
        tray.events.append(self._event("report.held", pk, letter, self.at, path, {"fields": fields}))
        tray.waiting[letter.digest] = (pk, "held", None)
        return pk

    def _reporter(self, letter: _Letter, tray: _Tray) -> UUID | None:
        if not letter.personal:
            return None
        kept = personal.make("reporter", letter.personal, keep_until=self._keep_until, at=self.at)
        tray.reporters.append(kept)
        return kept.pk

    def _event(
        self, kind: str, pk: UUID, letter: _Letter, happened_at: datetime, path: str, data: dict[str, Any]
    ) -> NewEvent:
        # Salted, so that nobody can prove from the ledger alone what somebody told.
        proof = hashlib.blake2b(pk.bytes + letter.digest.encode(), key=self._salt, digest_size=32).hexdigest()
        return NewEvent(
            kind=kind, subject=pk, by=self._by, at=happened_at, recorded_at=self.at, area_path=path,
            data={"channel": self.channel.key, "digest": proof, **data},
        )  # fmt: skip

    def _number_column(self) -> str:
        return self.channel.message_id.strip("{}") or "message_id"


def settle(held: UUID, report: UUID | None, *, by: int | None, at: datetime) -> bool:
    """Mark a quarantined message as mended into `report`, or into what is about one (None); False when it was settled
    before."""
    waiting = Quarantined.objects.filter(pk=held, state="held")
    if not waiting.update(state="mended", report_id=report, settled_at=at):
        return False
    path = Quarantined.objects.values_list("area_path", flat=True).get(pk=held)
    events.append(
        NewEvent(
            kind="report.mended",
            subject=held,
            by=by,
            at=at,
            recorded_at=at,
            area_path=path,
            data={"report": str(report) if report else ""},
        )
    )
    return True


def _where(row_no: int | None) -> tuple[str, str]:
    return (f"第 {row_no} 行", f"Row {row_no}: ") if row_no else ("", "")


def _differs(letter: _Letter, column: str) -> Reason:
    zh, en = _where(letter.row_no)
    text = Text(
        zh=f"{zh}编号 {letter.number} 已经收过一次，但内容不同：同号不同文，请核对后改正编号，或作废这一条。",
        en=f"{en}the number {letter.number} was received before with other content: same number, different content. "
        "Correct the number, or discard this one.",
    )
    return Reason("message_id", column, text)


def _out_of_reach(row_no: int | None) -> Reason:
    zh, en = _where(row_no)
    text = Text(
        zh=f"{zh}这个地点不在您可以上报的范围内：请核对地点，或由当地人员上报。",
        en=f"{en}this place is outside where you may report: check the place, or let somebody there report it.",
    )
    return Reason(OUT_OF_REACH, "", text)


def _by_words(title: Text, confidence: float, row_no: int | None) -> Text:
    zh, en = _where(row_no)
    return Text(
        zh=f"{zh}没有选类别，按文字归为“{title.zh}”（把握 {confidence:.0%}），请核对。",
        en=f"{en}no topic was chosen; by its words taken as “{title.en}” ({confidence:.0%} sure). Check it.",
    )
