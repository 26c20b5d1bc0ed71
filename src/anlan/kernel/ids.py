"""Identifiers: UUIDv7, which sort by the moment they were made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def new_id() -> UUID:
    """A UUIDv7 of this moment, always greater than the one this process made before it."""
    return uuid7()


def id_at(moment: datetime) -> UUID:
    """A UUIDv7 that carries `moment` (aware, 1970 or later, kept to the millisecond); the rest is random."""
    if moment.tzinfo is None:
        raise ValueError(f"A moment must know its time zone: {moment.isoformat()}")
    return uuid7(nanoseconds=(moment - _EPOCH) // _MILLISECOND * 1_000_000)


def moment_of(identifier: UUID) -> datetime:
    """The moment a UUIDv7 carries, in UTC, to the millisecond."""
    return _EPOCH + (identifier.int >> 80) * _MILLISECOND
