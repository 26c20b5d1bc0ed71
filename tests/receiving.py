"""The system on the other side of a feed: a real HTTP server that can go away, come back, refuse and dawdle."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from anlan.casework import feeds
from anlan.casework.models import Subscriber
from anlan.intake import signing
from anlan.intake.wire import Signature
from anlan.presentation import followers, sending
from serving import free_port
from world import World

SCHEME = Signature()
HOUR = timedelta(hours=1)
SECRETS: dict[int, str] = {}
"""The secret of each subscriber, by its id."""


class Receiver:
    """What arrived, in order; `status` is what is answered, `where` where it is to be sent."""

    def __init__(self) -> None:
        self.port = free_port()
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.got]

    def up(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.status)
                if receiver.status in (301, 302, 307, 308):
                    self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Nothing: a test says itself what went wrong."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def is_signed(self, number: int, secret: str) -> bool:
        """Whether the message at this place bears our signature, as the other side would check it."""
        headers, body = self.got[number]
        named = {name.casefold(): value for name, value in headers.items()}
        given, timestamp, nonce = (named[h.casefold()] for h in (SCHEME.header, SCHEME.timestamp, SCHEME.nonce))
        return signing.is_signed(given, [secret], SCHEME, timestamp=timestamp, nonce=nonce, body=body)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that is up, and down afterwards."""
    receiver = Receiver()
    receiver.up()
    try:
        yield receiver
    finally:
        receiver.down()


def subscribed(town: World, receiver: Receiver, *, which: str = "provincial_progress", **more: Any) -> Subscriber:
    """Somebody who is told of cases from now on."""
    name = more.pop("name", "platform")
    given: dict[str, Any] = {
        "title": "上级平台",
        "feed": which,
        "area": town.county,
        "url": receiver.url,
        "allow_private": True,
    }
    made, secret = feeds.register(name, **{**given, **more}, by=None, at=town.at)
    SECRETS[made.pk] = secret
    return made


def told(at: datetime) -> int:
    """Read the ledger and send."""
    followers.drain(at=at)
    return sending.send_due(at=at)
