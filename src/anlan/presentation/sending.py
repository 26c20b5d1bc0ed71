"""Sending to subscribers what waits for them: signed, one HTTP request at a time, no transaction held meanwhile.

The address is an administrator's; it is asked once, every answer of the name service must be allowed, and the
connection goes to the very address that was checked, so that a name cannot point elsewhere a moment later. Redirects
are not followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from anlan.casework import feeds
from anlan.casework.models import Sending, Subscriber
from anlan.intake import signing
from anlan.intake.wire import Signature
from anlan.kernel.text import Text

logger = logging.getLogger(__name__)

SCHEME: Final = Signature()
TIMEOUT: Final = 10.0
AT_ONCE: Final = 50
"""How much one subscriber is sent in a turn, so that none holds up the others."""
# The other side's fault, or ours to set right: tried again. Every other refusal is of this one message.
AGAIN: Final = frozenset({401, 403, 404, 405, 408, 410, 425, 429})

Post = Callable[[Subscriber, bytes, Mapping[str, str]], int]


class Unreachable(Exception):
    """Nothing was answered; `why` says it in words."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.why = Text(zh=zh, en=en)


def send_due(*, at: datetime, post: Post | None = None) -> int:
    """Send what is due, a turn for each subscriber; how much was tried."""
    return sum(_turn(subscriber, post or over_http, at) for subscriber in feeds.due(at=at))


def _turn(subscriber: Subscriber, post: Post, at: datetime) -> int:
    for tried in range(AT_ONCE):
        sending = feeds.claim(subscriber, at=at)
        if sending is None:
            return tried
        if not _one(subscriber, sending, post, at):
            return tried + 1
    return AT_ONCE


def _one(subscriber: Subscriber, sending: Sending, post: Post, at: datetime) -> bool:
    """Whether the subscriber can be sent more now."""
    body = sending.body.encode()
    try:
        status = post(subscriber, body, headers(subscriber, sending, body, at=at))
    except Unreachable as gone:
        feeds.failed(sending, gone.why, at=at)
        return False
    if 200 <= status < 300:
        feeds.arrived(sending, at=at)
        return True
    if status in AGAIN or status >= 500 or status < 400:
        why = Text(zh=f"对方答复 {status}，稍后再送", en=f"The other side answered {status}; tried again later")
        feeds.failed(sending, why, at=at)
        return False
    feeds.refused(sending, Text(zh=f"对方拒收（{status}）", en=f"The other side refused it ({status})"), at=at)
    return True


def headers(subscriber: Subscriber, sending: Sending, body: bytes, *, at: datetime) -> dict[str, str]:
    """The headers of a sending; its number is the nonce, the same however often it is tried."""
    timestamp, nonce = str(int(at.timestamp())), str(sending.delivery)
    secret = feeds.secret_of(subscriber)
    signed = signing.sign(secret, SCHEME, timestamp=timestamp, nonce=nonce, body=body)
    return {
        "Content-Type": "application/json; charset=utf-8", "User-Agent": "anlan", SCHEME.timestamp: timestamp,
        SCHEME.nonce: nonce, SCHEME.header: signed,
    }  # fmt: skip


def over_http(subscriber: Subscriber, body: bytes, said: Mapping[str, str]) -> int:
    """POST it; the status that was answered. Raises `Unreachable`."""
    return post_to(subscriber.url, body, said, private=subscriber.allow_private)[0]


def post_to(
    url: str, body: bytes, said: Mapping[str, str], *, private: bool, most: int = 0, within: float = TIMEOUT
) -> tuple[int, bytes]:  # fmt: skip
    """POST it; the status and the first `most` bytes that were answered, all `within` so many seconds from being
    connected, however slowly the other side speaks. Raises `Unreachable`."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = allowed_address(parts.hostname or "", port, private=private)
    made = _Secure if parts.scheme == "https" else _Plain
    connection: _Plain | _Secure = made(parts.hostname or "", port, timeout=within)
    connection.address = address
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    end = threading.Timer(within, _cut, [connection])
    end.start()
    try:
        connection.request("POST", path, body=body, headers=dict(said))
        with connection.getresponse() as answer:
            beginning = answer.read(most) if most else b""
        if connection.is_cut:
            raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        name = type(error).__name__
        raise Unreachable(f"连不上对方（{name}）", f"The other side cannot be reached ({name})") from None
    else:
        return answer.status, beginning
    finally:
        end.cancel()
        connection.close()


def _cut(connection: _Plain | _Secure) -> None:
    """End what is being read or written, so that one who dawdles does not hold up the others."""
    connection.is_cut = True
    if connection.held is not None:
        with suppress(OSError):
            # As a plain socket: one that is secure would first say goodbye to the very side that does not answer.
            socket.socket.shutdown(connection.held, socket.SHUT_RDWR)


def allowed_address(host: str, port: int, *, private: bool) -> str:
    """The address to connect to. Raises `Unreachable` where the name has none, or any that may not be called.

    Addresses of one's own network only where the subscriber was registered so; those of this very link (from which
    machines in clouds read their own secrets) never.
    """
    try:
        found = {str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise Unreachable("找不到对方的网址", "The other side's name is not known") from None
    for each in found:
        if not _may_call(each, private=private):
            raise Unreachable(
                "对方是内部网络的地址，登记时没有允许",
                "That is an address of an internal network, which was not allowed",
            )
    return min(found)


def _may_call(address: str, *, private: bool) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or (ip.is_reserved and not ip.is_loopback):
        return False
    return private or ip.is_global


class _Plain(http.client.HTTPConnection):
    """To the address that was checked, whatever the name means by now."""

    address, is_cut = "", False
    held: socket.socket | None = None
    """The socket, also once an answer has taken it over."""

    def connect(self) -> None:
        self.sock = self.held = socket.create_connection((self.address, self.port), self.timeout)


class _Secure(http.client.HTTPSConnection):
    """The same, the certificate being the name's."""

    address, is_cut = "", False
    held: socket.socket | None = None

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), self.timeout)
        context: Any = ssl.create_default_context()
        self.sock = self.held = context.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.do_handshake()
