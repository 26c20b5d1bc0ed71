"""What RabbitMQ is told of the register."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from django.utils import timezone

from anlan.intake.models import Device
from anlan.intake.sensors import devices, rabbit
from anlan.intake.sensors.broker import Listens
from world import World, world

LISTENER = ("anlan", "a long password")
TOPIC = "anlan/{device}/up"


@pytest.fixture
def town() -> World:
    return world(timezone.now())


def registered(town: World, code: str) -> tuple[Device, str]:
    device = devices.register(code=code, model="smoke_nb", site=town.site, by=None, at=timezone.now())
    return device, devices.issue_secret(device, by=None, at=timezone.now())


def told(topic: str = TOPIC) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rabbit.definitions(LISTENER, topic))
    return found


def rights(name: str, what: str, topic: str = TOPIC) -> str:
    found: str = next(row[what] for row in told(topic)["topic_permissions"] if row["user"] == name)
    return found


def test_only_the_salted_hash_of_a_password_is_told(town: World) -> None:
    _, secret = registered(town, "d-1")
    user = next(user for user in told()["users"] if user["name"] == "d-1")
    raw = base64.b64decode(user["password_hash"])
    assert raw[4:] == hashlib.sha512(raw[:4] + secret.encode()).digest()
    assert secret not in json.dumps(told())


def test_a_device_writes_on_its_own_topic_alone_and_the_listener_reads_all(town: World) -> None:
    registered(town, "d-1")
    own = re.compile(rights("d-1", "write"))
    assert own.search("anlan.d-1.up")
    assert not any(
        own.search(topic) for topic in ("anlan.d-2.up", "anlan.d-1.up.more", "x.anlan.d-1.up", "anlan_d-1_up")
    )
    assert rights("d-1", "read") == rights("anlan", "write") == "^$"
    assert re.search(rights("anlan", "read"), "anlan.d-1.up")
    assert not re.search(rights("anlan", "read"), "anlan.d-1.other.up")


def test_a_retired_device_is_told_with_a_password_that_nothing_opens(town: World) -> None:
    device, _ = registered(town, "d-1")
    devices.retire(device, by=None, at=timezone.now())
    user = next(user for user in told()["users"] if user["name"] == "d-1")
    assert user["password_hash"] == ""
    assert rights("d-1", "write") == "^$"


def test_a_dot_that_rabbitmq_would_take_for_a_slash_is_refused(town: World) -> None:
    device, _ = registered(town, "d.1")
    with pytest.raises(rabbit.Dotted, match=r"d\.1"):
        told()
    devices.retire(device, by=None, at=timezone.now())
    assert told()
    with pytest.raises(rabbit.Dotted, match="v1"):
        told("anlan/v1.0/{device}")


def test_devices_whose_password_is_older_than_the_second_hash_are_named(town: World) -> None:
    device, _ = registered(town, "d-1")
    assert rabbit.unknown() == []
    Device.objects.filter(pk=device.pk).update(broker_hash="")
    assert rabbit.unknown() == ["d-1"]
    assert [user["name"] for user in told()["users"]] == ["anlan"]


def test_without_a_certificate_it_listens_in_the_open_and_with_one_by_tls_alone() -> None:
    plain = rabbit.configuration(Listens(port=1883, address="127.0.0.1", folder="/f", data="/f/data"))
    assert "mqtt.listeners.tcp.default = 127.0.0.1:1883\n" in plain
    assert "ssl" not in plain
    secure = rabbit.configuration(Listens(port=8883, folder="/f", data="/f/data", certificate="/c.pem", key="/k.pem"))
    assert "mqtt.listeners.ssl.default = 8883\n" in secure
    assert "mqtt.listeners.tcp = none\n" in secure
