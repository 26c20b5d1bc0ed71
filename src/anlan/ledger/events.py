"""Appending to the ledger and reading what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal
from anlan.ledger import canonical
from anlan.ledger.models import Event

COLUMNS = ("id", "kind", "subject", "by", "at", "device_at", "recorded_at", "area_path", "key", "data")
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_VALUES = ", ".join(["%s"] * len(COLUMNS))
_HEAD = f"INSERT INTO ledger_event (tx, {_NAMES})"
_ROW = f"(0, {_VALUES})"
_INSERT = f"{_HEAD} VALUES {_ROW}"
_APPEND = f"{_INSERT} ON CONFLICT (key) DO NOTHING RETURNING seq, tx"
_COPY = f"COPY ledger_event (tx, {_NAMES}) FROM STDIN"
_TOLD = 'SELECT kind, at, "by", data, key FROM ledger_event WHERE subject = %s ORDER BY seq'
_KIND = re.compile(r"[a-z][a-z_]*\.[a-z_]+")
# Of so many keys at a time it is asked which one was there already.
_ASKED = 500


class AlreadyRecorded(Refusal):
    """An event with this key is in the ledger: the act was recorded before, and is not recorded twice."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"这件事已经记录过了（编号 {key}），没有重复记录。",
            f"This was recorded before (key {key}) and was not recorded twice.",
        )
        self.key = key


class NotInTransaction(RuntimeError):
    """An event was appended outside a transaction: it could stay although the change it records did not."""

    def __init__(self) -> None:
        super().__init__("Append events inside the transaction.atomic() of the change they record.")


@dataclass(slots=True)
class NewEvent:
    """An event to append. `kind` is noun.past_tense; moments are aware; `data` is JSON and holds no personal data.

    `at` is when it happened, `recorded_at` when it is written; `key`, where given, is recorded at most once.
    """

    kind: str
    subject: UUID
    _: KW_ONLY
    by: int | None
    at: datetime
    recorded_at: datetime
    area_path: str = ""
    key: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    device_at: datetime | None = None
    id: UUID = field(default_factory=new_id)


class Told(NamedTuple):
    """What an event says, without what proves it."""

    kind: str
    at: datetime
    by: int | None
    data: dict[str, Any]
    key: str | None


def append(event: NewEvent) -> Event:
    """Append one event in the current transaction.

    Raises AlreadyRecorded when its key is there; the transaction stays usable. Raises NotInTransaction outside one.
    """
    _must_be_in_transaction()
    _check_kind(event.kind)
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, _rows([event])[0])
        row = cursor.fetchone()
    if row is None:
        raise AlreadyRecorded(str(event.key))
    values = {name: getattr(event, name) for name in COLUMNS}
    return Event(seq=row[0], tx=row[1], **values)


def append_together(events: Sequence[NewEvent]) -> None:
    """Append the few events of one change by one statement, in this order.

    Raises AlreadyRecorded when a key is there. Others of the events may then be written: leave the transaction, so that
    none of it stays.
    """
    _must_be_in_transaction()
    for event in events:
        _check_kind(event.kind)
    rows = _rows(events)
    with connection.cursor() as cursor:
        statement = f"{_HEAD} VALUES {', '.join([_ROW] * len(rows))} ON CONFLICT (key) DO NOTHING RETURNING key"
        cursor.execute(statement, [value for row in rows for value in row])
        written = cursor.fetchall()
    if len(written) < len(rows):
        known = {key for (key,) in written}
        raise AlreadyRecorded(next(str(event.key) for event in events if event.key not in known))


def append_many(events: Sequence[NewEvent]) -> None:
    """Append events in this order, all or none, as fast as the database takes them.

    Raises AlreadyRecorded, naming one key, when any key is there; the transaction stays usable.
    """
    _must_be_in_transaction()
    if not events:
        return
    for kind in {event.kind for event in events}:
        _check_kind(kind)
    keys = [event.key for event in events if event.key is not None]
    if not keys:
        _write(events)
        return
    try:
        with transaction.atomic():
            _write(events)
    except IntegrityError:
        key = _recorded_or_twice(keys)
        if key is None:
            raise
        raise AlreadyRecorded(key) from None


def history(subject: UUID) -> list[Event]:
    """Everything that happened to `subject`, in the order it was written."""
    return list(Event.objects.filter(subject=subject).order_by("seq"))


def told(subject: UUID) -> list[Told]:
    """The same as `history` in a few words, read without a model for each event: for verbs that must be quick."""
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, [subject if postgres else subject.hex])
        rows = cursor.fetchall()
    if postgres:
        return [Told(kind, at, by, json.loads(data), key) for kind, at, by, data, key in rows]
    return [Told(kind, at.replace(tzinfo=UTC), by, json.loads(data), key) for kind, at, by, data, key in rows]


def find(key: str) -> Event | None:
    """The event recorded under `key`, if there is one."""
    return Event.objects.filter(key=key).first()


def _must_be_in_transaction() -> None:
    if not connection.in_atomic_block:
        raise NotInTransaction


@lru_cache(maxsize=1024)
def _check_kind(kind: str) -> None:
    if not _KIND.fullmatch(kind) or len(kind) > 60:
        raise ValueError(f"An event's kind is noun.past_tense, at most 60 letters, not '{kind}'.")


def _write(events: Sequence[NewEvent]) -> None:
    rows = _rows(events)
    with connection.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(_INSERT, rows[0])
        elif connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
                for row in rows:
                    copy.write_row((0, *row))
        else:
            cursor.executemany(_INSERT, rows)


def _rows(events: Sequence[NewEvent]) -> list[tuple[Any, ...]]:
    """The events as the database takes them. A hundred thousand come here at once: no call that can be spared."""
    stamp, name = _adapters()
    json_text = canonical.json_text
    return [
        (
            name(e.id), e.kind, name(e.subject), e.by, stamp(e.at), None if e.device_at is None else stamp(e.device_at),
            stamp(e.recorded_at), e.area_path, e.key, json_text(e.data),
        )
        for e in events
    ]  # fmt: skip


def _adapters() -> tuple[Any, Any]:
    """How this database takes a moment and a UUID: PostgreSQL knows both, SQLite keeps them as Django writes them."""
    return (_aware, _itself) if connection.vendor == "postgresql" else (_utc_text, _hex)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"A moment must know its time zone: {moment.isoformat()}")
    return moment


# Many events of one import share their moments.
@lru_cache(maxsize=4096)
def _utc_text(moment: datetime) -> str:
    return str(_aware(moment).astimezone(UTC).replace(tzinfo=None))


def _itself(identifier: UUID) -> UUID:
    return identifier


def _hex(identifier: UUID) -> str:
    return identifier.int.to_bytes(16, "big").hex()  # what `.hex` gives, three times as fast


def _recorded_or_twice(keys: Sequence[str]) -> str | None:
    for start in range(0, len(keys), _ASKED):
        found = Event.objects.filter(key__in=keys[start : start + _ASKED]).values_list("key", flat=True).first()
        if found is not None:
            return found
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return None
