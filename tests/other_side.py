"""Another Open311 server, as badly behaved as a test wants it: a real one, on a port of loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]


class HangUp(Exception):
    """The server closes the connection without a word."""


@dataclass
class OtherSide:
    """What it was sent, and how it answers: `posting` is asked what to say to each POST after it was taken or not."""

    url: str = ""
    taken: list[dict[str, str]] = field(default_factory=list)
    posts: int = 0
    gets: list[str] = field(default_factory=list)
    status: str = "open"
    posting: Callable[[OtherSide, dict[str, str]], Answer] = lambda side, told: side.take(told)
    reading: Callable[[OtherSide, str], Answer] = lambda side, path: side.tell(path)

    def take(self, told: dict[str, str]) -> Answer:
        self.taken.append(told)
        return 200, [{"service_request_id": str(1000 + len(self.taken)), "service_notice": None}]

    def tell(self, path: str) -> Answer:
        rows = [
            {"service_request_id": str(1001 + place), "status": self.status, "status_notes": "水务已处理",
             "description": told["description"]}
            for place, told in enumerate(self.taken)
        ]  # fmt: skip
        if path.startswith("/v2/requests/"):
            return 200, [row for row in rows if path == f"/v2/requests/{row['service_request_id']}.json"]
        if path.startswith("/v2/tokens/"):
            return 200, [{"token": "t-1", "service_request_id": rows[0]["service_request_id"] if rows else None}]
        return 200, rows


@contextmanager
def other_side() -> Iterator[OtherSide]:
    """The server, while it is there."""
    side = OtherSide()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            told = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            side.posts += 1
            self._say(lambda: side.posting(side, told))

        def do_GET(self) -> None:
            side.gets.append(self.path)
            self._say(lambda: side.reading(side, urlsplit(self.path).path))

        def _say(self, answer: Callable[[], Answer]) -> None:
            try:
                status, said = answer()
            except HangUp:
                self.close_connection = True
                return
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base calls it so
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    side.url = f"http://127.0.0.1:{server.server_port}/v2"
    try:
        yield side
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
