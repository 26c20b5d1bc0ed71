"""Another system that posts to a machine channel: it signs what it sends, or does not, over HTTP."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.test import Client as Browser
from django.utils import timezone

from anlan.intake import clients, signing
from anlan.intake.models import Client
from anlan.intake.wire import Signature
from anlan.kernel.ids import new_id
from anlan.places.models import Area

SCHEME = Signature()


class System:
    """A registered client with its secret."""

    def __init__(self, channel: str, area: Area, *, at: datetime, name: str = "neighbour-1") -> None:
        self.client, self.secret = clients.register(name, title="邻系统", channel=channel, area=area, by=None, at=at)
        self.browser = Browser(raise_request_exception=True)

    def headers(
        self, body: bytes, *, sent: datetime | None = None, nonce: str = "", secret: str = ""
    ) -> dict[str, str]:
        """The headers of a body signed at `sent` (now)."""
        timestamp = str(int((sent or timezone.now()).timestamp()))
        nonce = nonce or str(new_id())
        signed = signing.sign(secret or self.secret, SCHEME, timestamp=timestamp, nonce=nonce, body=body)
        return {SCHEME.timestamp: timestamp, SCHEME.nonce: nonce, SCHEME.header: signed}

    def post(self, body: bytes, headers: dict[str, str], *, name: str = "") -> Said:
        """Exactly this body with exactly these headers."""
        address = f"/hooks/{name or self.client.name}"
        return Said(self.browser.generic("POST", address, body, content_type="application/json", headers=headers))

    def send(self, message: Any, **more: Any) -> Said:
        """A message as it should be sent."""
        body = json.dumps(message, ensure_ascii=False).encode()
        return self.post(body, self.headers(body, **more))

    def fresh(self) -> Client:
        return Client.objects.get(pk=self.client.pk)


class Said:
    """What came back."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.json: Any = json.loads(response.content)
        self.repeated = response.headers.get("X-Anlan-Repeated") == "1"

    @property
    def outcomes(self) -> list[str]:
        return [each["outcome"] for each in self.json["messages"]]

    @property
    def error(self) -> dict[str, str]:
        """The refusal: a sentence in both languages."""
        error: dict[str, str] = self.json["error"]
        assert error["zh"] != error["en"]
        return error

    def __repr__(self) -> str:
        return f"{self.status}: {self.json}"


def order(number: str = "RX-1", **more: Any) -> dict[str, Any]:
    """An order as the hotline posts it."""
    return {
        "orderNo": number, "type": "工单", "callTime": "2026-03-02 09:10:00", "category": {"name": "路灯"},
        "content": "巷口三盏路灯都不亮", "address": {"text": "幸福路 3 号", "areaCode": "330101001001001"},
        "caller": {"name": "王某", "phone": "13800000000"}, "seat": "A17", **more,
    }  # fmt: skip


def call(number: str = "J-1", **more: Any) -> dict[str, Any]:
    """A police call as the police system posts it."""
    return {
        "callNo": number, "callTime": "2026-03-06T09:30:00+08:00", "type": {"name": "邻里纠纷"},
        "brief": "楼上漏水双方争吵", "place": {"address": "幸福里 3 幢 201", "areaCode": "330101001001001"},
        "officer": {"account": "chujing"}, "caller": {"name": "李某", "phone": "13900000000"}, **more,
    }  # fmt: skip
