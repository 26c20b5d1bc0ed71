"""Calling the API as somebody: the town's people with their sessions, systems with their tokens."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from anlan.casework import cases
from anlan.casework.cases import Opening
from anlan.casework.models import Case
from anlan.places import tokens
from anlan.places.models import Officer
from world import World

ROOT = "/api/v1"
USUAL = ("cases.see", "cases.act", "reports.receive", "reports.see")


class Caller:
    """Somebody who calls the API; nobody at all without an officer or a token."""

    def __init__(self, officer: Officer | None = None, *, token: str = "") -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if officer is not None:
            self.client.force_login(officer)

    def get(self, path: str, **query: Any) -> Answer:
        return Answer(self.client.get(ROOT + path, query, headers=self.headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None) -> Answer:
        return self.send("PATCH", path, body)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.raw(method, path, json.dumps({} if body is None else body).encode(), **named)

    def raw(self, method: str, path: str, body: bytes, **headers: str) -> Answer:
        """A body that need not be JSON."""
        given = {**self.headers, **headers}
        return Answer(self.client.generic(method, ROOT + path, body, content_type="application/json", headers=given))

    def upload(self, path: str, content: bytes, name: str, **fields: str) -> Answer:
        file = SimpleUploadedFile(name, content)
        return Answer(self.client.post(ROOT + path, {"file": file, **fields}, headers=self.headers))


class Answer:
    """What came back, read to its end."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status: int = response.status_code
        streamed = getattr(response, "streaming_content", None)
        self.content = bytes(response.content) if streamed is None else b"".join(streamed)

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> dict[str, str]:
        """The refusal: always in both languages."""
        error: dict[str, str] = self.json["error"]
        assert error["zh"]
        assert error["en"]
        assert error["zh"] != error["en"]
        return error

    def __repr__(self) -> str:
        return f"{self.status}: {self.content.decode(errors='replace')[:500]}"


def token_of(officer: Officer, actions: Sequence[str] = USUAL) -> str:
    """The secret of a new token for `officer`."""
    _, secret = tokens.issue(officer, "系统", actions, at=timezone.now())
    return secret


def message(**more: Any) -> dict[str, Any]:
    """What somebody sends to the channel `api`."""
    return {"id": "a-1", "topic": "fire_exit", "description": "三楼楼道堆物", "area": "330101001001001", **more}


def opened(town: World, *, at: datetime | None = None, **more: Any) -> Case:
    """A case in the grid, opened by its grid worker."""
    values: dict[str, Any] = {
        "procedure": "incident",
        "area": town.grid,
        "title": "东一村 12 号 · 疏散通道被占",
        "topic": "fire_exit",
    }
    return cases.open_case(Opening(**(values | more)), by=town.grid_worker, at=at or town.at)


def picture(colour: str = "red") -> bytes:
    """A small JPEG."""
    out = io.BytesIO()
    Image.new("RGB", (24, 16), colour).save(out, "JPEG")
    return out.getvalue()
