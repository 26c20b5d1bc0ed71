"""The listener for devices that speak MQTT: it acknowledges what is committed, and nothing before.

The session at the broker is kept, so that what is sent while nobody listens waits there. Whatever was not acknowledged
comes again, and is known again by device, number and content.
"""

from __future__ import annotations

import logging
import re
import select
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from django.db import Error as DatabaseFailure
from django.db import close_old_connections
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from anlan.intake.sensors.devices import CODE
from anlan.kernel.text import Refusal
from anlan.presentation.hearing import Message

logger = logging.getLogger(__name__)

BATCH: Final = 1000
"""So many messages at most share a transaction; fewer do where no more have come."""
WEEK: Final = 7 * 24 * 3600
PAUSE: Final = 1.0
"""Seconds before a broker or a database that is away is asked again."""
DEVICE: Final = "{device}"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
# What a broker answers to whom it does not let in, in either version.
_NOT_LET_IN = frozenset({4, 5, 134, 135})

Keep = Callable[[Sequence[Message]], None]


class BadAddress(Refusal):
    """The broker's address or the topic is not written as it should be."""


class NotLetIn(Refusal):
    """The broker refused the listener's name or password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is and how it is spoken to; with `tls`, its certificate must be good for `host`."""

    host: str
    port: int
    tls: bool = False
    username: str = ""
    password: str = ""
    topic: str = "anlan/{device}/up"
    client: str = "anlan-listener"
    version: str = "5"
    ca: str = ""
    certificate: str = ""
    key: str = ""

    @classmethod
    def at(cls, url: str, **more: Any) -> Self:
        """The broker of an address like mqtts://name:password@host:8883. Raises `BadAddress`."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in _PORTS or not parts.hostname or port == -1:
            raise BadAddress(
                "ANLAN_MQTT_URL 应写成 mqtt://用户:密码@主机:1883 或 mqtts://…:8883。",
                "ANLAN_MQTT_URL is written mqtt://name:password@host:1883 or mqtts://…:8883.",
            )
        made = cls(
            host=parts.hostname, port=port or _PORTS[parts.scheme], tls=parts.scheme == "mqtts",
            username=unquote(parts.username or ""), password=unquote(parts.password or ""), **more,
        )  # fmt: skip
        made.check()
        return made

    def check(self) -> None:
        """Raises `BadAddress` where topic or version make no sense."""
        if self.topic.split("/").count(DEVICE) != 1 or "+" in self.topic or "#" in self.topic:
            raise BadAddress(
                "ANLAN_MQTT_TOPIC 里要有一段 {device}，不能有 + 和 #，例如 anlan/{device}/up。",
                "ANLAN_MQTT_TOPIC has one level {device} and no + or #, as in anlan/{device}/up.",
            )
        if self.version not in _VERSIONS:
            raise BadAddress("ANLAN_MQTT_VERSION 应是 5 或 3.1.1。", "ANLAN_MQTT_VERSION is 5 or 3.1.1.")


class _Client(paho.Client):
    """Reads what has come before it closes: an acknowledgement that can no longer be sent must not cost the messages
    behind it, which a broker that was killed may not know any more.
    """

    def _sock_close(self) -> None:
        if self._sock is not None and not self._in_callback_mutex.locked():
            while self._packet_read() == MQTTErrorCode.MQTT_ERR_SUCCESS:
                pass
        super()._sock_close()


class Listener:
    """Takes what devices publish to `keep`, and acknowledges it once that has returned. `run` it in one thread.

    `idle` is called when nothing comes, `ready` when the broker has been asked for everything.
    """

    def __init__(
        self, broker: Broker, keep: Keep, *, idle: Callable[[], None] = lambda: None,
        ready: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        broker.check()
        self.broker, self._keep, self._idle, self._ready = broker, keep, idle, ready
        self.acknowledged = 0
        self._batch: list[paho.MQTTMessage] = []
        self._refused: int | None = None
        self._stop = threading.Event()
        before, after = (re.escape(part) for part in broker.topic.split(DEVICE))
        self._pattern = re.compile(f"{before}([^/]+){after}")
        self.client = self._client()

    def _client(self) -> paho.Client:
        version = _VERSIONS[self.broker.version]
        given: dict[str, Any] = {"clean_session": False} if version == MQTTProtocolVersion.MQTTv311 else {}
        client = _Client(
            CallbackAPIVersion.VERSION2, client_id=self.broker.client, protocol=version, manual_ack=True, **given
        )
        if self.broker.username:
            client.username_pw_set(self.broker.username, self.broker.password)
        if self.broker.tls:
            own = (self.broker.certificate or None, self.broker.key or None)
            client.tls_set(self.broker.ca or None, *own, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.on_connect, client.on_message = self._connected, self._message
        client.on_subscribe = lambda *_: self._ready()
        return client

    # ------------------------------------------------------------ what the broker says

    def _connected(self, client: paho.Client, _: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self._refused = code.value
            return
        client.subscribe(self.broker.topic.replace(DEVICE, "+"), qos=1)

    def _message(self, _: paho.Client, __: Any, message: paho.MQTTMessage) -> None:
        self._batch.append(message)

    # ------------------------------------------------------------ running

    def run(self, stop: threading.Event) -> None:
        """Listens until `stop`; a broker that is away is asked again. Raises `NotLetIn` where it says no."""
        self._stop = stop
        while not stop.is_set():
            try:
                self._connect()
                while not stop.is_set() and self._turn():
                    pass
            except OSError as error:
                logger.warning("消息服务器连不上，稍后再试 / The broker cannot be reached: %s", error)
            if self._refused is not None:
                self._say_no()
            self._salvage()
            if not stop.is_set():
                stop.wait(PAUSE)
        self.client.disconnect()

    def _salvage(self) -> None:
        """What has come and was not kept yet. A broker that was killed may not know it any more; one that does sends it
        again, and it is known again.
        """
        if self._batch:
            self._commit(self._batch)
            self._batch.clear()

    def _say_no(self) -> None:
        code, self._refused = self._refused, None
        if code in _NOT_LET_IN:
            raise NotLetIn(
                "消息服务器不接受监听用的账号或密码；请核对 ANLAN_MQTT_URL 和服务器的密码文件。",
                "The broker does not accept the listener's name or password; check ANLAN_MQTT_URL and its passwords.",
            )
        logger.warning("消息服务器拒绝连接 / The broker refused the connection: %s", code)

    def _connect(self) -> None:
        given: dict[str, Any] = {}
        if self.broker.version == "5":
            wanted = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            wanted.SessionExpiryInterval, wanted.ReceiveMaximum = WEEK, 4 * BATCH
            given = {"clean_start": False, "properties": wanted}
        self.client.connect(self.broker.host, self.broker.port, keepalive=30, **given)

    def _turn(self) -> bool:
        """Waits for something, takes what there is, and keeps it; False when the connection is over."""
        if self.client.loop(timeout=0.5) != MQTTErrorCode.MQTT_ERR_SUCCESS or self._refused is not None:
            return False
        if not self._batch:
            self._rest()
            return True
        alive = self._drain()
        if alive and self._batch:
            self._hand_over()
        return alive

    def _rest(self) -> None:
        try:
            self._idle()
        except DatabaseFailure:
            logger.exception("数据库暂不可用 / The database is away")
            close_old_connections()

    def _drain(self) -> bool:
        """Takes what has come already, up to a batch."""
        while len(self._batch) < BATCH:
            before = len(self._batch)
            if self.client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return False
            if len(self._batch) == before and not self._readable():
                return True
        return True

    def _readable(self) -> bool:
        found: Any = self.client.socket()
        if found is None:
            return False
        if isinstance(found, ssl.SSLSocket) and found.pending():
            return True
        return bool(select.select([found], [], [], 0)[0])

    def _hand_over(self) -> None:
        """Keeps the batch, then acknowledges it."""
        batch, self._batch = self._batch, []
        if self._commit(batch):
            for message in batch:
                self.client.ack(message.mid, message.qos)
            self.acknowledged += len(batch)

    def _commit(self, batch: Sequence[paho.MQTTMessage]) -> bool:
        """A database that is away is waited for, as long as it takes; False when the end came first."""
        told = [(self._code(message.topic), bytes(message.payload)) for message in batch]
        while True:
            try:
                self._keep(told)
            except DatabaseFailure:
                logger.exception("数据库暂不可用，消息留在服务器上 / The database is away; messages stay at the broker")
                close_old_connections()
                if self._stop.wait(PAUSE):
                    return False
            else:
                return True

    def _code(self, topic: str) -> str:
        found = self._pattern.fullmatch(topic)
        code = found.group(1) if found else topic
        return code if CODE.fullmatch(code) else code.replace("\x00", "\u2400")[:80]


def clock(keep: Callable[[Sequence[Message], datetime], None], now: Callable[[], datetime]) -> Keep:
    """`keep` with the moment at which a batch was taken."""
    return lambda told: keep(told, now())
