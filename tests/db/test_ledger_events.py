"""Appending, and that nothing is ever changed or removed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from anlan.kernel.ids import new_id
from anlan.ledger import seal
from anlan.ledger.canonical import encode, json_text
from anlan.ledger.events import AlreadyRecorded, NewEvent, append, append_many, find, history
from anlan.ledger.models import Event, Seal
from installation import Installation

AT = datetime(2026, 3, 2, 1, 30, 0, 250, tzinfo=UTC)


def happened(kind: str = "case.moved", subject: UUID | None = None, **more: Any) -> NewEvent:
    usual: dict[str, Any] = {"by": 5, "at": AT, "recorded_at": AT}
    return NewEvent(kind, subject or new_id(), **(usual | more))


def test_what_was_appended_can_be_read_as_it_was() -> None:
    told = happened(
        area_path="/11/22/", key="act-1", data={"note": "井盖缺失", "n": 2}, device_at=AT - timedelta(hours=1)
    )
    appended = append(told)
    read = Event.objects.get(seq=appended.seq)
    for name in ("id", "kind", "subject", "by", "at", "device_at", "recorded_at", "area_path", "key", "data"):
        assert getattr(read, name) == getattr(told, name), name
    assert encode(read) == encode(appended)
    assert read.tx == appended.tx


def test_many_are_written_as_one_is() -> None:
    subject = new_id()
    told = [happened(subject=subject, at=AT + timedelta(microseconds=n), data={"n": n}) for n in range(30)]
    append_many(told)
    one = append(happened(subject=subject, data={"n": 30}))
    written = history(subject)
    assert [event.data["n"] for event in written] == list(range(31))
    assert [event.seq for event in written] == sorted(event.seq for event in written)
    assert [(e.id, e.at, e.device_at) for e in written[:-1]] == [(e.id, e.at, e.device_at) for e in told]
    assert written[-1] == one
    assert len({event.tx for event in written}) == 1


def test_appending_nothing_writes_nothing() -> None:
    append_many([])
    assert not Event.objects.exists()


def test_a_key_is_recorded_once() -> None:
    first = append(happened(key="act-1"))
    with pytest.raises(AlreadyRecorded) as refused:
        append(happened(key="act-1"))
    assert refused.value.key == "act-1"
    assert "act-1" in refused.value.text.zh
    assert "act-1" in refused.value.text.en
    assert Event.objects.get() == first
    assert find("act-1") == first
    assert find("act-2") is None


@pytest.mark.parametrize("keys", [["a", "there", "b"], ["a", "b", "a"]])
def test_many_are_all_written_or_none(keys: list[str]) -> None:
    append(happened(key="there"))
    with pytest.raises(AlreadyRecorded) as refused:
        append_many([happened(key=key) for key in keys])
    assert refused.value.key in {"there", "a"}
    assert Event.objects.count() == 1
    append(happened(key="c"))


def test_the_same_event_twice_is_refused_even_without_a_key() -> None:
    told = happened()
    append(told)
    with pytest.raises(IntegrityError), transaction.atomic():
        append(told)
    with pytest.raises(IntegrityError):
        append_many([happened(), happened(id=told.id, key="k")])


@pytest.mark.parametrize("kind", ["moved", "Case.moved", "case.", "case.moved.twice", "x" * 58 + ".yz"])
def test_a_kind_is_a_noun_and_what_happened_to_it(kind: str) -> None:
    with pytest.raises(ValueError, match=r"noun\.past_tense"):
        append(happened(kind))
    with pytest.raises(ValueError, match=r"noun\.past_tense"):
        append_many([happened(kind)])


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        append_many([happened(at=AT.replace(tzinfo=None))])


def test_nothing_is_appended_outside_a_transaction(installation: Installation) -> None:
    said = installation.python(
        "-c",
        """
import django; django.setup()
from datetime import UTC, datetime
from anlan.kernel.ids import new_id
from anlan.ledger.events import NewEvent, NotInTransaction, append, append_many
from anlan.ledger.models import Event
at = datetime(2026, 1, 1, tzinfo=UTC)
event = NewEvent("case.opened", new_id(), by=None, at=at, recorded_at=at)
for verb, what in ((append, event), (append_many, [event])):
    try:
        verb(what)
    except NotInTransaction as refused:
        print(refused)
print(Event.objects.count())
""",
    )
    assert said.stdout.splitlines() == [
        "Append events inside the transaction.atomic() of the change they record."
    ] * 2 + ["0"]


STATEMENTS = [
    "UPDATE ledger_event SET kind = 'case.closed'",
    "UPDATE ledger_event SET tx = 5",
    "DELETE FROM ledger_event",
    "UPDATE ledger_seal SET count = 3",
    "DELETE FROM ledger_seal",
]
if connection.vendor == "postgresql":
    STATEMENTS += ["TRUNCATE ledger_event", "TRUNCATE ledger_seal"]
else:
    STATEMENTS += ["INSERT OR REPLACE INTO ledger_event SELECT * FROM ledger_event"]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_database_itself_refuses_to_change_what_was_written(statement: str) -> None:
    append(happened())
    seal.seal(at=AT)
    before = list(Event.objects.values()), list(Seal.objects.values_list("number", "count"))
    refused = pytest.raises(IntegrityError, match=r"台账只增不改.* / The ledger only grows")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (list(Event.objects.values()), list(Seal.objects.values_list("number", "count"))) == before


letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
numbers = st.integers() | st.floats(-1e15, 1e15, allow_nan=False)
values = st.recursive(st.none() | st.booleans() | numbers | letters, lambda inner: st.lists(inner, max_size=3))


@given(st.dictionaries(letters, values, max_size=5))
def test_any_data_comes_back_with_the_digest_it_was_written_with(data: dict[str, Any]) -> None:
    appended = append(happened(data=data))
    read = Event.objects.get(seq=appended.seq)
    assert read.data == json.loads(json.dumps(data))
    appended.data = json.loads(json_text(data))
    assert encode(read) == encode(appended)
