"""A seal proves that nothing was changed, removed or inserted; whoever gets past the triggers is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from anlan.kernel.ids import new_id
from anlan.ledger import carry, follow, merkle, personal, seal
from anlan.ledger.canonical import encode
from anlan.ledger.events import NewEvent, append, append_many
from anlan.ledger.models import Cursor, Event, Seal
from anlan.ledger.proof import prove

AT = datetime(2026, 3, 2, 1, 30, 0, 77, tzinfo=UTC)


def write(count: int) -> None:
    moments = [AT + timedelta(seconds=n) for n in range(count)]
    append_many(
        [
            NewEvent("case.moved", new_id(), by=n, at=at, recorded_at=AT, key=str(new_id()), data={"n": n})
            for n, at in enumerate(moments)
        ]
    )


@pytest.fixture
def sealed() -> list[int]:
    """Three batches of four events and one of one, sealed; gives the events' seq."""
    write(13)
    assert seal.seal(at=AT, batch=4) == 4
    return list(Event.objects.order_by("seq").values_list("seq", flat=True))


@pytest.fixture
def unguarded() -> None:
    """The triggers are gone, as after a break-in; the test's end brings them back."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in ("ledger_event", "ledger_seal"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger\\_%' ESCAPE '\\'"
            for (name,) in cursor.execute(names).fetchall():
                cursor.execute(f"DROP TRIGGER {name}")


def found() -> list[tuple[int, int | None, str]]:
    """What verifying finds, as batch, event and the English words."""
    verdict = seal.verify()
    assert verdict.ok == (not verdict.findings)
    assert all(str(finding.batch) in finding.what.zh for finding in verdict.findings)
    return [(finding.batch, finding.seq, finding.what.en) for finding in verdict.findings]


def test_an_untouched_ledger_verifies(sealed: list[int]) -> None:
    verdict = seal.verify()
    assert (verdict.ok, verdict.seals, verdict.events, verdict.unsealed) == (True, 4, 13, 0)
    assert verdict.head == bytes(Seal.objects.get(number=4).chain_sha256).hex()


def test_an_empty_ledger_verifies() -> None:
    assert seal.verify() == seal.Verdict(ok=True, seals=0, events=0, unsealed=0, head="", findings=[])


def test_sealing_twice_seals_nothing_twice(sealed: list[int]) -> None:
    assert seal.seal(at=AT) == 0
    append(NewEvent("case.closed", new_id(), by=None, at=AT, recorded_at=AT))
    assert seal.verify().unsealed == 1
    assert seal.seal(at=AT) == 1
    assert seal.verify().events == 14


def test_a_rewound_sealer_refuses_to_seal_again(sealed: list[int]) -> None:
    follow.rewind(seal.FOLLOWER)
    with pytest.raises(RuntimeError, match="rewound"):
        seal.seal(at=AT)


CHANGES: dict[str, Any] = {
    "id": new_id(),
    "kind": "case.closed",
    "subject": new_id(),
    "by": 99,
    "at": AT + timedelta(microseconds=1),
    "device_at": AT,
    "recorded_at": AT - timedelta(microseconds=1),
    "area_path": "/1/",
    "key": None,
    "data": {"n": 6, "forged": True},
}


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize("column", CHANGES)
def test_one_changed_value_is_found_and_named(sealed: list[int], column: str) -> None:
    Event.objects.filter(seq=sealed[6]).update(**{column: CHANGES[column]})
    assert found() == [(2, sealed[6], f"Batch 2: event {sealed[6]} was changed")]


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize("place", [0, 3, 4, 7, 12])
def test_a_removed_event_is_found_and_named(sealed: list[int], place: int) -> None:
    Event.objects.filter(seq=sealed[place]).delete()
    batch = place // 4 + 1
    assert found() == [(batch, sealed[place], f"Batch {batch}: event {sealed[place]} was removed")]


@pytest.mark.usefixtures("unguarded")
def test_a_removed_batch_is_found_whole(sealed: list[int]) -> None:
    Event.objects.filter(seq__in=sealed[4:8]).delete()
    assert [(batch, seq) for batch, seq, _ in found()] == [(2, seq) for seq in sealed[4:8]]


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize("before", [0, 2, 4, 11])
def test_an_inserted_event_is_found_and_named(before: int) -> None:
    write(13)
    for event in Event.objects.order_by("-seq"):  # leave room between them
        Event.objects.filter(seq=event.seq).update(seq=event.seq * 10)
    seal.seal(at=AT, batch=4)
    neighbour = Event.objects.order_by("seq")[before]
    forged = Event(seq=neighbour.seq - 1, tx=neighbour.tx, id=new_id(), kind="case.closed", subject=new_id())
    forged.at = forged.recorded_at = AT
    forged.save(force_insert=True)
    batch = before // 4 + 1
    assert found() == [(batch, forged.seq, f"Batch {batch}: event {forged.seq} was inserted later")]


@pytest.mark.usefixtures("unguarded")
def test_an_event_inserted_before_the_first_is_found(sealed: list[int]) -> None:
    tx = Event.objects.get(seq=sealed[0]).tx
    forged = Event(seq=0, tx=tx - 1, id=new_id(), kind="case.closed", subject=new_id(), at=AT, recorded_at=AT)
    forged.save(force_insert=True)
    assert found() == [(1, 0, "Batch 1: event 0 was inserted later")]


@pytest.mark.usefixtures("unguarded")
def test_an_event_moved_to_another_place_is_found(sealed: list[int]) -> None:
    Event.objects.filter(seq=sealed[1]).update(tx=Event.objects.get(seq=sealed[1]).tx - 1)
    assert found() == [(1, None, "Batch 1: the order of its events was changed")]


FORGED = bytes(32)


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize(
    ("change", "batches"),
    [
        ({"root_sha256": FORGED}, [2, 2]),
        ({"root_sm3": FORGED}, [2, 2]),
        ({"leaves": b""}, [2, 2, 2, 2, 2]),
        ({"leaves": b"a" * 7}, [2, 2, 2, 2, 2]),
        ({"chain_sha256": FORGED}, [2, 3]),
        ({"chain_sm3": FORGED}, [2, 3]),
        ({"sealed_at": AT + timedelta(microseconds=1)}, [2]),
        ({"count": 3}, [2, 2]),
        ({"first_seq": -1}, [2]),
    ],
    ids=str,
)
def test_a_changed_seal_is_found(sealed: list[int], change: dict[str, Any], batches: list[int]) -> None:
    Seal.objects.filter(number=2).update(**change)
    assert [batch for batch, _, _ in found()] == batches


@pytest.mark.usefixtures("unguarded")
def test_a_batch_sealed_anew_after_a_change_does_not_fit_the_next(sealed: list[int]) -> None:
    Event.objects.filter(seq=sealed[5]).update(by=99)
    later = list(Seal.objects.filter(number__gt=2))
    Seal.objects.filter(number__gte=2).delete()
    seal._close(list(Event.objects.filter(seq__in=sealed[4:8]).order_by("tx", "seq")), AT)
    Seal.objects.bulk_create(later)
    assert found() == [(3, None, "Batch 3: the seal was changed or does not follow the one before")]


@pytest.mark.usefixtures("unguarded")
def test_a_missing_seal_is_found(sealed: list[int]) -> None:
    Seal.objects.filter(number=2).delete()
    assert found() == [(2, None, "Batch 2: the seal is missing")]


@pytest.mark.usefixtures("unguarded")
def test_seals_cut_off_the_end_are_found_by_the_head_that_was_noted(sealed: list[int]) -> None:
    noted = seal.verify().head
    assert seal.verify(head=noted).ok
    Seal.objects.filter(number=4).delete()
    assert seal.verify().ok
    verdict = seal.verify(head=noted)
    assert [finding.batch for finding in verdict.findings] == [3]
    assert "cut off" in verdict.findings[0].what.en


def test_erasing_personal_data_breaks_no_seal() -> None:
    kept = personal.keep("reporter", {"name": "王某"}, keep_until=AT.date(), at=AT)
    append(NewEvent("report.received", kept.id, by=None, at=AT, recorded_at=AT, data={"reporter": str(kept.id)}))
    seal.seal(at=AT)
    later = AT + timedelta(days=2)
    assert personal.erase_due(at=later) == 1
    assert seal.verify().ok
    seal.seal(at=later)
    assert seal.verify().ok


@pytest.mark.usefixtures("unguarded")
def test_a_ledger_carried_to_another_database_still_verifies_and_goes_on(sealed: list[int]) -> None:
    write(2)
    highest = carry.highest_tx()
    events, seals, cursors = list(Event.objects.all()), list(Seal.objects.all()), list(Cursor.objects.all())
    Event.objects.all().delete()
    Seal.objects.all().delete()
    for row in events:
        row.tx = carry.carried(row.tx, highest=highest)
    for part in seals:
        part.first_tx = carry.carried(part.first_tx, highest=highest)
        part.last_tx = carry.carried(part.last_tx, highest=highest)
    for cursor in cursors:
        cursor.tx = carry.carried(cursor.tx, highest=highest)
        cursor.save()
    with carry.restoring():
        Event.objects.bulk_create(events)
        Seal.objects.bulk_create(seals)
    assert seal.verify().ok
    write(1)
    assert Event.objects.filter(tx__gte=0).order_by("-seq").first() == Event.objects.order_by("tx", "seq").last()
    assert seal.seal(at=AT) == 1
    verdict = seal.verify()
    assert (verdict.ok, verdict.events) == (True, 16)


@settings(max_examples=10)  # each verifies what all of them wrote
@given(st.lists(st.integers(1, 9), max_size=6), st.integers(1, 7))
def test_however_events_and_seals_alternate_everything_is_sealed_once(counts: list[int], batch: int) -> None:
    before = seal.verify()
    for count in counts:
        write(count)
        seal.seal(at=AT, batch=batch)
    after = seal.verify()
    assert after.ok
    assert (after.events, after.unsealed) == (before.events + sum(counts), 0)


def test_every_sealed_event_is_proven_in_its_batch(sealed: list[int]) -> None:
    proofs = [prove(event) for event in Event.objects.order_by("seq")]
    assert [(proof.seal, proof.place, proof.count) for proof in proofs if proof] == [
        (batch, place, 4 if batch < 4 else 1) for batch, places in ((1, 4), (2, 4), (3, 4), (4, 1))
        for place in range(1, places + 1)
    ]  # fmt: skip
    assert all(proof is not None and proof.holds for proof in proofs)


def test_an_event_too_new_to_be_sealed_has_no_proof(sealed: list[int]) -> None:
    write(1)
    assert prove(Event.objects.latest("seq")) is None


def test_the_proof_of_a_changed_event_does_not_hold(sealed: list[int], unguarded: None) -> None:
    Event.objects.filter(seq=sealed[5]).update(data={"n": 999})
    changed, beside = (prove(Event.objects.get(seq=sealed[place])) for place in (5, 6))
    assert changed is not None
    assert not changed.holds
    assert beside is not None
    assert beside.holds


def with_leaf(at: int, leaf: bytes) -> None:
    """Have the second seal's list say another digest for its event number `at`, from 0."""
    batch = Seal.objects.get(number=2)
    content = bytearray(batch.leaves)
    content[at * 40 + 8 : at * 40 + 40] = leaf
    Seal.objects.filter(number=2).update(leaves=bytes(content))


def holds(seq: int) -> bool:
    proof = prove(Event.objects.get(seq=seq))
    assert proof is not None
    return proof.holds


@pytest.mark.usefixtures("unguarded")
def test_a_proof_does_not_hold_where_the_list_of_the_batch_names_another_digest_for_it(sealed: list[int]) -> None:
    with_leaf(1, bytes(32))
    assert [holds(seq) for seq in sealed[4:9]] == [False, False, False, False, True]


@pytest.mark.usefixtures("unguarded")
def test_a_changed_event_does_not_hold_although_the_list_was_changed_with_it(sealed: list[int]) -> None:
    Event.objects.filter(seq=sealed[5]).update(data={"n": 999})
    with_leaf(1, merkle.leaf(merkle.sha256, encode(Event.objects.get(seq=sealed[5]))))
    assert not holds(sealed[5])


@pytest.mark.usefixtures("unguarded")
def test_an_event_that_was_put_in_later_has_a_proof_that_does_not_hold() -> None:
    write(5)
    for event in Event.objects.order_by("-seq"):  # leave room between them
        Event.objects.filter(seq=event.seq).update(seq=event.seq * 10)
    seal.seal(at=AT, batch=4)
    first = Event.objects.earliest("seq")
    forged = Event(seq=first.seq + 1, tx=first.tx, id=new_id(), kind="case.closed", subject=new_id())
    forged.at = forged.recorded_at = AT
    forged.save(force_insert=True)
    proof = prove(forged)
    assert proof is not None
    assert (proof.seal, proof.place, proof.holds) == (1, 0, False)
