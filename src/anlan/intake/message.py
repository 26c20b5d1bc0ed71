"""A message exactly as told: cells of text, their one written form, and the digest by which it is known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from anlan.kernel.text import Text

_written = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_quoted = json.encoder.encode_basestring


def as_told(message: Mapping[str, Any]) -> dict[str, str]:
    """Every value as text, as somebody would have written it in a cell; None is a blank cell."""
    return {_clean(str(name)): _clean(_cell(value)) for name, value in message.items()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | list | dict):
        return _written(value)
    return str(value)


def _clean(text: str) -> str:
    """What no database keeps is made visible: NUL as ␀, half a surrogate pair as a question mark."""
    return text.replace("\x00", "\u2400").encode("utf-8", "replace").decode()


def canonical(told: Mapping[str, str]) -> str:
    """The one way of writing these cells as JSON; the order of the columns does not count."""
    # What `_written` gives, in half the time: a message is flat and all text.
    return "{" + ",".join([f"{_quoted(name)}:{_quoted(told[name])}" for name in sorted(told)]) + "}"


def is_storable(text: str) -> bool:
    """Whether a canonical text has nothing that `as_told` would change."""
    if text.isascii():
        return "\\u0000" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text


def digest(channel: str, text: str) -> str:
    """The sha256, in hex, by which the same message in the same channel is known again."""
    return hashlib.sha256(f"{channel}\n{text}".encode()).hexdigest()


def part(told: Mapping[str, str], personal: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(the message without its personal columns, their cells by field); `personal` maps columns to fields."""
    open_, closed = dict(told), {}
    for column, field in personal.items():
        if cell := open_.pop(column, "").strip():
            closed[field] = cell
    return open_, closed


def sentences(texts: Iterable[Text]) -> str:
    """Texts as they are stored, as JSON."""
    return _written([{"zh": text.zh, "en": text.en} for text in texts])
