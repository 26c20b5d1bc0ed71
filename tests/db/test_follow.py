"""Followers read everything, in order, once, also when something breaks in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.db import transaction

from anlan.kernel.ids import new_id
from anlan.ledger import follow, order
from anlan.ledger.events import NewEvent, append_many
from anlan.ledger.models import Cursor, Event, Personal
from installation import Installation

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
HERE = Path(__file__).parent


class Reader:
    """A follower that remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, events: Sequence[Event]) -> None:
        self.batches.append([event.data["n"] for event in events])

    @property
    def read(self) -> list[int]:
        return [number for batch in self.batches for number in batch]


def write(*numbers: int) -> None:
    with transaction.atomic():
        append_many([NewEvent("case.moved", new_id(), by=None, at=AT, recorded_at=AT, data={"n": n}) for n in numbers])


def test_a_follower_reads_in_batches_and_in_order() -> None:
    write(*range(7))
    reader = Reader()
    assert [follow.advance("reader", reader, at=AT, batch=3) for _ in range(4)] == [3, 3, 1, 0]
    assert reader.batches == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_follower_goes_on_where_it_stopped() -> None:
    reader = Reader()
    write(1, 2)
    assert follow.drain("reader", reader, at=AT) == 2
    assert follow.drain("reader", reader, at=AT) == 0
    write(3)
    assert follow.drain("reader", reader, at=AT) == 1
    assert reader.read == [1, 2, 3]
    assert Cursor.objects.get(name="reader").moved_at == AT


def test_followers_do_not_disturb_each_other() -> None:
    write(1, 2)
    first, second = Reader(), Reader()
    follow.drain("first", first, at=AT)
    write(3)
    assert (follow.lag("first"), follow.lag("second")) == (1, 3)
    follow.drain("second", second, at=AT)
    assert (first.read, second.read) == ([1, 2], [1, 2, 3])
    assert (follow.lag("first"), follow.lag("second")) == (1, 0)


def test_a_follower_without_events_is_given_nothing() -> None:
    reader = Reader()
    assert follow.advance("reader", reader, at=AT) == 0
    assert reader.batches == []
    assert not Cursor.objects.exists()


def test_a_batch_that_breaks_is_given_again_and_what_it_wrote_is_gone() -> None:
    write(1, 2, 3)
    broken = Reader()

    def breaks(events: Sequence[Event]) -> None:
        broken(events)
        Personal.objects.create(id=new_id(), kind="written by the follower", keep_until=AT.date())
        if len(broken.batches) == 2:
            raise ZeroDivisionError

    follow.advance("reader", breaks, at=AT, batch=2)
    with pytest.raises(ZeroDivisionError):
        follow.advance("reader", breaks, at=AT, batch=2)
    assert Personal.objects.count() == 1
    assert follow.lag("reader") == 1
    follow.advance("reader", breaks, at=AT, batch=2)
    assert broken.batches == [[1, 2], [3], [3]]
    assert Personal.objects.count() == 2


def test_a_rewound_follower_reads_everything_again() -> None:
    write(1, 2)
    reader = Reader()
    follow.drain("reader", reader, at=AT)
    follow.rewind("reader")
    assert follow.lag("reader") == 2
    follow.drain("reader", reader, at=AT)
    assert reader.read == [1, 2, 1, 2]


def test_rewinding_a_follower_that_never_read_is_no_mistake() -> None:
    follow.rewind("nobody yet")
    assert follow.lag("nobody yet") == 0


def test_a_follower_killed_in_a_batch_reads_that_batch_again(installation: Installation) -> None:
    """The process ends with no warning after it wrote and before it was done; the next one finds nothing half done."""
    killed = installation.python(str(HERE / "killed_follower.py"), "die", check=False)
    assert killed.returncode == 9, killed.stderr
    assert installation.python(str(HERE / "killed_follower.py")).stdout.splitlines() == [
        "[0, 1, 2]",
        "[3, 4]",
        "5 written",
    ]


def test_a_writer_in_another_database_of_the_server_is_not_waited_for(installation: Installation) -> None:
    """PostgreSQL numbers the transactions of all its databases together; SQLite has nothing beside the one."""
    with busy_elsewhere(installation):
        killed = installation.python(str(HERE / "killed_follower.py"), "die", check=False)
    assert killed.returncode == 9, "the follower had something to read"


@contextmanager
def busy_elsewhere(installation: Installation) -> Iterator[None]:
    """Somebody writes in the server's database `postgres` and does not commit."""
    if installation.vendor == "sqlite":
        yield
        return
    name = installation.url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(installation.url.replace(f"/{name}?", "/postgres?")) as other:
        other.execute("SELECT pg_current_xact_id()")
        yield


def test_an_event_that_is_committed_late_is_not_lost(installation: Installation) -> None:
    """Two writers at once: the one with the lower seq commits last (PostgreSQL), or has to wait its turn (SQLite)."""
    expected = {
        "postgresql": ["while the first is open: []", "afterwards: ['first', 'second']", "seals verify: True 2"],
        "sqlite": ["the second waits", "afterwards: ['first']", "seals verify: True 1"],
    }
    said = installation.python(str(HERE / "late_commit.py"))
    assert said.stdout.splitlines() == expected[installation.vendor], said.stderr


def test_events_are_counted_no_further_than_asked_wherever_the_count_begins() -> None:
    write(1, 2, 3)
    write(4, 5, 6)
    first = Event.objects.order_by("tx", "seq").first()
    assert first is not None
    after = (first.tx, first.seq)
    assert [order.count_after(after, settled=False, most=most) for most in (1, 2, 3, 4, 9)] == [1, 2, 3, 4, 5]
    assert order.count_after(after, settled=False) == 5


def test_what_stands_between_two_events_of_one_transaction_ends_with_the_second() -> None:
    write(1, 2, 3, 4)
    one, _, three, _ = Event.objects.order_by("tx", "seq")
    found = order.between((one.tx, one.seq), (three.tx, three.seq))
    assert [event.data["n"] for event in found] == [2, 3]
