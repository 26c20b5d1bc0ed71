"""Personal data is unreadable in the database and gone on its day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from cryptography.fernet import InvalidToken
from django.conf import LazySettings

from anlan.kernel.ids import new_id
from anlan.ledger import personal
from anlan.ledger.events import history
from anlan.ledger.models import Event, Personal

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LAST_DAY = date(2026, 3, 31)
FIELDS = {"name": "王某某", "phone": "13900000000"}


def test_what_is_kept_can_be_read() -> None:
    kept = personal.keep("reporter", FIELDS, keep_until=LAST_DAY, at=AT)
    assert personal.read(kept.id) == FIELDS


def test_nothing_of_it_can_be_read_in_the_database() -> None:
    kept = personal.keep("reporter", FIELDS, keep_until=LAST_DAY, at=AT)
    stored = bytes(Personal.objects.get(id=kept.id).sealed or b"")
    assert len(stored) > 50
    assert b"13900000000" not in stored


def test_many_can_be_kept_at_once() -> None:
    Personal.objects.bulk_create(
        [personal.make("reporter", {"n": str(n)}, keep_until=LAST_DAY, at=AT) for n in range(3)]
    )
    assert sorted(str(personal.read(kept.id)) for kept in Personal.objects.all()) == [
        f"{{'n': '{n}'}}" for n in range(3)
    ]


def test_what_was_never_kept_is_nothing() -> None:
    assert personal.read(new_id()) is None


@pytest.mark.parametrize(
    ("at", "erased"),
    [
        (datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC), 0),  # the last second of the 31st in China
        (datetime(2026, 3, 31, 16, 0, 0, tzinfo=UTC), 1),
    ],
)
def test_it_is_kept_through_its_last_day_and_erased_on_the_next(at: datetime, erased: int) -> None:
    kept = personal.keep("reporter", FIELDS, keep_until=LAST_DAY, at=AT)
    assert personal.erase_due(at=at) == erased
    assert (personal.read(kept.id) is None) == bool(erased)


def test_erasing_is_recorded_and_says_nothing_of_what_was_erased() -> None:
    kept = personal.keep("reporter", FIELDS, keep_until=LAST_DAY, at=AT)
    later = datetime(2026, 5, 1, tzinfo=UTC)
    assert personal.erase_due(at=later) == 1
    (event,) = history(kept.id)
    assert (event.kind, event.at, event.data) == ("personal.erased", later, {"kind": "reporter"})
    row = Personal.objects.get(id=kept.id)
    assert (row.sealed, row.erased_at) == (None, later)
    assert personal.erase_due(at=later) == 0


def test_more_than_one_round_of_them_is_erased() -> None:
    rows = [Personal(id=new_id(), kind="reporter", sealed=b"x", keep_until=LAST_DAY) for _ in range(1001)]
    Personal.objects.bulk_create(rows)
    assert personal.erase_due(at=datetime(2026, 5, 1, tzinfo=UTC)) == 1001
    assert Event.objects.filter(kind="personal.erased").count() == 1001


def test_another_secret_reads_nothing_unless_the_old_one_is_named_beside_it(settings: LazySettings) -> None:
    kept = personal.keep("reporter", FIELDS, keep_until=LAST_DAY, at=AT)
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(InvalidToken):
        personal.read(kept.id)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert personal.read(kept.id) == FIELDS
