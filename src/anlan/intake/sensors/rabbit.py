"""What RabbitMQ must know of the register. It answers a device once the message is on the disk, so that not even a
broker that is killed, or loses its power, loses what it answered (docs/decisions/0015).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from anlan.intake.models import Device
from anlan.intake.sensors.broker import Listens
from anlan.intake.sensors.devices import hashed_once
from anlan.kernel.text import Refusal

CONFIGURATION: Final = "rabbitmq.conf"
DEFINITIONS: Final = "definitions.json"
PLUGINS: Final = "enabled_plugins"
ENVIRONMENT: Final = "rabbitmq-env.conf"

HASHING: Final = "rabbit_password_hashing_sha512"
EXCHANGE: Final = "amq.topic"
_NOTHING: Final = "^$"
# What a session keeps: the queue of one subscriber, named by the plugin.
_SESSIONS: Final = r"^mqtt-subscription-.*"
_FORTNIGHT: Final = 14 * 24 * 3600 * 1000


class Dotted(Refusal):
    """RabbitMQ cannot tell a dot in a topic from its slash, and would answer such messages and drop them."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"RabbitMQ 分不清主题里的点号和斜杠，收不到：{what}。请换不带点号的编号或主题，或者用 Mosquitto。",
            f"RabbitMQ cannot tell a dot in a topic from a slash, so this would not arrive: {what}. "
            "Use a number or topic without dots, or Mosquitto.",
        )


def unknown() -> list[str]:
    """Devices that have a password from before RabbitMQ's hash was kept; they need a new one to get in."""
    kept = Device.objects.filter(retired_date=None, broker_hash="").exclude(secret="")
    return list(kept.order_by("code").values_list("code", flat=True))


def definitions(listener: tuple[str, str], topic: str) -> str:
    """Who gets in and what they may do. A device writes on its own topic alone, and reads nothing; the listener reads
    all of these and writes on none. Importing never removes anybody, so whoever is out of service is named too, with a
    password that nothing opens. Raises `Dotted`.
    """
    devices = Device.objects.exclude(broker_hash="").order_by("code")
    kept = list(devices.values_list("code", "broker_hash", "retired_date"))
    dotted = [topic] if "." in topic else [code for code, _, retired in kept if "." in code and not retired]
    if dotted:
        raise Dotted(", ".join(dotted[:5]))
    name, password = listener
    everybody = f"^{_level(topic, '[^.]+')}$"
    users, permissions, rights = [_user(name, hashed_once(password))], [_queues(name)], [_topics(name, read=everybody)]
    for code, known, retired in kept:
        users.append(_user(code, "" if retired else known))
        permissions.append(_permission(code, write="" if retired else f"^{re.escape(EXCHANGE)}$"))
        rights.append(_topics(code, write="" if retired else f"^{_level(topic, re.escape(code))}$"))
    return json.dumps(
        {"vhosts": [{"name": "/"}], "users": users, "permissions": permissions, "topic_permissions": rights},
        ensure_ascii=False, indent=1,
    ) + "\n"  # fmt: skip


def _level(topic: str, device: str) -> str:
    """The topic as RabbitMQ has it inside, as a pattern."""
    return r"\.".join(device if level == "{device}" else re.escape(level) for level in topic.split("/"))


def _user(name: str, known: str) -> dict[str, Any]:
    return {"name": name, "password_hash": known, "hashing_algorithm": HASHING, "tags": []}


def _permission(name: str, *, configure: str = "", write: str = "", read: str = "") -> dict[str, str]:
    given = {"configure": configure, "write": write, "read": read}
    return {"user": name, "vhost": "/"} | {what: pattern or _NOTHING for what, pattern in given.items()}


def _queues(name: str) -> dict[str, str]:
    return _permission(name, configure=_SESSIONS, write=_SESSIONS, read=f"{_SESSIONS}|^{re.escape(EXCHANGE)}$")


def _topics(name: str, *, write: str = "", read: str = "") -> dict[str, str]:
    given = {"user": name, "vhost": "/", "exchange": EXCHANGE}
    return given | {"write": write or _NOTHING, "read": read or _NOTHING}


def configuration(listens: Listens) -> str:
    """A whole configuration: MQTT and nothing else. What waits for the listener is kept for a fortnight."""
    where = f"{listens.address}:{listens.port}" if listens.address else str(listens.port)
    tls: Iterable[tuple[str, str]] = (
        ("cacertfile", listens.ca), ("certfile", listens.certificate), ("keyfile", listens.key)
    )  # fmt: skip
    door = (
        [f"mqtt.listeners.ssl.default = {where}", "mqtt.listeners.tcp = none",
         *(f"ssl_options.{name} = {path}" for name, path in tls if path),
         "ssl_options.versions.1 = tlsv1.3", "ssl_options.versions.2 = tlsv1.2"]
        if listens.certificate
        else [f"mqtt.listeners.tcp.default = {where}"]
    )  # fmt: skip
    lines = [
        "listeners.tcp = none",
        *door,
        "mqtt.allow_anonymous = false",
        "mqtt.vhost = /",
        f"mqtt.exchange = {EXCHANGE}",
        "mqtt.prefetch = 4000",
        f"mqtt.subscription_ttl = {_FORTNIGHT}",
        f"load_definitions = {listens.folder}/{DEFINITIONS}",
        "log.file.level = warning",
    ]
    return "\n".join(lines) + "\n"


def environment() -> str:
    """The node speaks to its own tools on this machine alone."""
    lines = [
        "NODENAME=rabbit@localhost",
        'SERVER_ADDITIONAL_ERL_ARGS="$SERVER_ADDITIONAL_ERL_ARGS -kernel inet_dist_use_interface {127,0,0,1}"',
        "export ERL_EPMD_ADDRESS=127.0.0.1",
    ]
    return "\n".join(lines) + "\n"


def plugins() -> str:
    """The one that is needed."""
    return "[rabbitmq_mqtt].\n"
