"""One request to another server, with what is needed to know afterwards: surely not sent, answered, or nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlencode, urlsplit

SECONDS: Final = 10
LARGEST: Final = 4 << 20


class NotSent(Exception):
    """No connection came about: nothing of the request has reached the other side."""


class Unknown(Exception):
    """The request went out and no whole answer came back: it may or may not have been taken."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side answered."""

    status: int
    body: bytes


def ask(method: str, url: str, words: Mapping[str, str]) -> Reply:
    """Send a GET with the words in the address, or a POST with them in a form. Follows no redirection: a key goes to
    the declared server and nowhere else."""
    parts = urlsplit(url)
    told = urlencode(words)
    opening = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    wire = opening(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        try:
            wire.connect()
        except OSError as error:
            raise NotSent(str(error)) from error
        return _exchange(wire, method, parts.path, told)
    finally:
        wire.close()


def _exchange(wire: HTTPConnection, method: str, path: str, told: str) -> Reply:
    headers = {"Accept-Charset": "utf-8", "User-Agent": "Anlan"}
    try:
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
            wire.request("POST", path, body=told.encode(), headers=headers)
        else:
            wire.request(method, f"{path}?{told}" if told else path, headers=headers)
        answer = wire.getresponse()
        body = answer.read(LARGEST + 1)
    except (OSError, HTTPException) as error:
        raise Unknown(str(error) or type(error).__name__) from error
    if len(body) > LARGEST:
        raise Unknown("the answer is too large")
    return Reply(answer.status, body)
