"""Signing a body and checking a signature, by a declared scheme. Pure; the comparison takes the same time always."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

from anlan.intake.wire import Signature

_MILLISECONDS = 100_000_000_000


def sign(secret: str, scheme: Signature, *, timestamp: str, nonce: str, body: bytes) -> str:
    """The value of the signature's header."""
    head, _, tail = scheme.content.partition("{body}")
    filled = [part.replace("{timestamp}", timestamp).replace("{nonce}", nonce).encode() for part in (head, tail)]
    mac = hmac.new(secret.encode(), filled[0] + body + filled[1], hashlib.sha256).digest()
    return scheme.prefix + (mac.hex() if scheme.encoding == "hex" else base64.b64encode(mac).decode())


def is_signed(
    given: str, secrets: Iterable[str], scheme: Signature, *, timestamp: str, nonce: str, body: bytes
) -> bool:
    """Whether `given` was made with one of the secrets; all of them are tried, whichever fits."""
    found = False
    for secret in secrets:
        made = sign(secret, scheme, timestamp=timestamp, nonce=nonce, body=body)
        found |= hmac.compare_digest(made.encode(), given.strip().encode("utf-8", "replace"))
    return found


def moment(timestamp: str) -> datetime | None:
    """The moment a timestamp names, in UTC: Unix seconds or milliseconds; None when it names none."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 13:
        return None
    number = int(timestamp)
    return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS else number, UTC)
