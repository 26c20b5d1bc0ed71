"""One way to write an event as bytes: the same on every database, and after it was carried to another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from struct import Struct
from typing import Any, Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = Struct(">q")
_LENGTH = Struct(">I")
_ABSENT = b"\xff\xff\xff\xff"
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
# What databases keep each in their own way, or not at all: 1.0, 1e22, -0.0, NUL, half a surrogate pair.
_DOUBTFUL = re.compile("\\.0[,}\\]]|[0-9]e\\+|\\\\u0000|[\ud800-\udfff]")
_EXACT = 2**53


class Record(Protocol):
    """What an event consists of; `tx` is no part of it, because it belongs to one database."""

    seq: Any
    id: Any
    kind: Any
    subject: Any
    by: Any
    at: Any
    device_at: Any
    recorded_at: Any
    area_path: Any
    key: Any
    data: Any


def json_text(data: Mapping[str, Any]) -> str:
    """`data` as JSON: keys sorted, no spaces, and only numbers and letters that every database gives back unchanged.

    Raises ValueError for what cannot be kept exactly: not JSON, NaN, a NUL, a number that a float does not hold.
    """
    if not data:
        return "{}"
    text = _encode(data)
    return _encode(_plain(data)) if _is_doubtful(text) else text


def _is_doubtful(text: str) -> bool:
    """`_DOUBTFUL`, asked only where plain looks, a hundred times quicker, do not rule it out."""
    may_be = ".0" in text or "e+" in text or "\\u0000" in text or not text.isascii()
    return may_be and _DOUBTFUL.search(text) is not None


def encode(event: Record) -> bytes:
    """Every column of an event but `tx`; each part carries its length, so that no two events give the same bytes."""
    parts = (
        _NUMBER.pack(event.seq),
        event.id.bytes,
        event.kind.encode(),
        event.subject.bytes,
        None if event.by is None else _NUMBER.pack(event.by),
        _moment(event.at),
        None if event.device_at is None else _moment(event.device_at),
        _moment(event.recorded_at),
        event.area_path.encode(),
        None if event.key is None else event.key.encode(),
        _encode(event.data).encode(),
    )
    return b"".join([_ABSENT if part is None else _LENGTH.pack(len(part)) + part for part in parts])


def _moment(moment: datetime) -> bytes:
    since = moment - _EPOCH
    return _NUMBER.pack((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_letters(str(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return _letters(value)
    return value


def _number(value: float) -> float | int:
    if abs(value) >= _EXACT:
        raise ValueError(f"{value!r} is too large for an event; give it as an integer or as text.")
    return int(value) if value.is_integer() else value


def _letters(value: str) -> str:
    if "\x00" in value:
        raise ValueError(f"An event cannot hold the letter NUL: {value!r}")
    value.encode()  # half a surrogate pair cannot be written
    return value
