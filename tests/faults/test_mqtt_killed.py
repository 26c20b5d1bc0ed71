"""Devices that speak MQTT through a broker that is killed: RabbitMQ loses nothing that it answered."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import pytest

from brokering import (
    REGISTER,
    Certificates,
    Publisher,
    certificates,
    environment,
    heartbeat,
    let_in,
    listening,
    run,
)
from installation import Installation, Installations
from rabbit import Rabbit, running
from serving import eventually
from settled import settle

RATE = 200
HEARD = """
import django, json
django.setup()
from anlan.intake.models import Quarantined, Signal
print(json.dumps([list(Signal.objects.values_list("device__code", "sequence")), Quarantined.objects.count()]))
"""
PASSWORDS = """
from anlan.intake.models import Device
import json
given = Device.objects.filter(code__in={codes!r})
print(json.dumps({{device.code: devices.issue_secret(device, by=None, at=timezone.now()) for device in given}}))
"""
RETIRE = """
import django
django.setup()
from django.utils import timezone
from anlan.intake.sensors import devices
from anlan.intake.models import Device
devices.retire(Device.objects.get(code="d-4"), by=None, at=timezone.now())
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A town, its broker with the files from the register, and the passwords of its devices."""

    town: Installation
    broker: Rabbit
    tls: Certificates
    secrets: dict[str, str]

    @property
    def url(self) -> str:
        return f"mqtts://anlan:a%20long%20password@127.0.0.1:{self.broker.port}"

    @property
    def settings(self) -> dict[str, str]:
        return {"ANLAN_MQTT_CA": str(self.tls.authority), "ANLAN_MQTT_VERSION": "3.1.1"}

    def write(self) -> None:
        """The broker's files, from the register as it stands."""
        run(
            environment(self.town, ANLAN_MQTT_URL=self.url), "devices", "broker", str(self.broker.folder),
            "--kind", "rabbitmq", "--port", str(self.broker.port), "--address", "127.0.0.1",
            "--ca", str(self.tls.authority), "--certificate", str(self.tls.certificate), "--key", str(self.tls.key),
        )  # fmt: skip

    def give_passwords(self, *codes: str) -> None:
        self.secrets.update(
            json.loads(self.town.python("-c", REGISTER.format(count=0) + PASSWORDS.format(codes=codes)).stdout)
        )

    def publisher(self, code: str) -> Publisher:
        return Publisher(
            self.broker.port, code, username=code, password=self.secrets[code], authority=self.tls.authority
        )

    def answer(self, code: str, password: str, *, client_id: str = "asks") -> str:
        return let_in(self.broker.port, code, password, authority=self.tls.authority, client_id=client_id)

    def heard(self, code: str) -> list[int]:
        """The numbers of what is kept of a device; nothing is held for a person."""
        rows, held = json.loads(self.town.python("-c", HEARD).stdout)
        assert held == 0
        return [number for device, number in rows if device == code]


@pytest.fixture(scope="module")
def place(installations: Installations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Started once, for RabbitMQ takes its time."""
    town, folder = installations.make(), tmp_path_factory.mktemp("rabbit")
    settle(town)
    town.python("-c", REGISTER.format(count=5))
    made = Place(town, Rabbit(folder), certificates(folder / "tls"), {})
    made.give_passwords("d-0", "d-1", "d-3", "d-4")
    made.write()
    with running(made.broker):
        with listening(town, made.url, **made.settings):
            pass  # From now on the broker keeps what is sent.
        yield made
    installations.remove(town)


def test_nothing_that_was_answered_is_lost_when_the_broker_and_the_listener_are_killed(place: Place) -> None:
    device, enough = place.publisher("d-0"), threading.Event()
    numbers = itertools.takewhile(lambda _: not enough.is_set(), itertools.count())
    work = threading.Thread(
        target=device.publish, args=("anlan/d-0/up", map(heartbeat, numbers)), kwargs={"rate": RATE}
    )
    work.start()
    for somebody_listens in (False, True):
        with listening(place.town, place.url, **place.settings) if somebody_listens else nullcontext():
            before = device.answered
            assert eventually(lambda: device.answered > before + RATE, seconds=60, pause=0.01), place.broker.log()  # noqa: B023
            place.broker.kill()
            place.broker.start()
        # The listener is killed, too; what comes now waits at the broker.
    enough.set()
    work.join()
    count = device.published
    assert count > 500
    assert device.done(count)
    device.close()
    with listening(place.town, place.url, **place.settings):
        assert eventually(lambda: len(place.heard("d-0")) >= count, seconds=60, pause=0.5), place.broker.log()
    assert sorted(place.heard("d-0")) == list(range(count))


def test_a_device_gets_in_with_its_password_and_writes_its_own_topic_alone(place: Place) -> None:
    secret = place.secrets["d-1"]
    assert place.answer("d-1", secret) == "Success"
    assert place.answer("d-1", "guess") != "Success"
    assert place.answer("d-0", secret) != "Success"
    assert place.answer("d-2", "") != "Success"
    assert place.answer("nobody", secret) != "Success"
    assert place.answer("guest", "guest") != "Success"
    honest, liar = place.publisher("d-1"), place.publisher("d-3")
    liar.publish("anlan/d-1/up", [heartbeat(7)])
    honest.publish("anlan/d-1/up", [heartbeat(1), heartbeat(2)])
    assert honest.done(2, seconds=20)
    assert not liar.done(1, seconds=2)
    honest.close()
    liar.close()
    # A device that takes the listener's name cannot end the session in which its messages wait.
    assert place.answer("d-1", secret, client_id="anlan-listener") != "Success"
    with listening(place.town, place.url, **place.settings):
        assert eventually(lambda: len(place.heard("d-1")) >= 2, seconds=60, pause=0.5), place.broker.log()
    assert sorted(place.heard("d-1")) == [1, 2]


def test_a_new_password_opens_and_a_retired_device_stays_outside_once_the_file_is_imported(place: Place) -> None:
    place.give_passwords("d-2")
    before = place.answer("d-2", place.secrets["d-2"]), place.answer("d-4", place.secrets["d-4"])
    place.town.python("-c", RETIRE)
    place.write()
    place.broker.control("import_definitions", str(place.broker.folder / "definitions.json"))
    assert (before[0] == "Success", before[1] == "Success") == (False, True)
    # The broker says that it has begun to read the file, not that it is through.
    assert eventually(lambda: place.answer("d-2", place.secrets["d-2"]) == "Success", seconds=20)
    assert eventually(lambda: place.answer("d-4", place.secrets["d-4"]) != "Success", seconds=20)
    assert place.answer("d-4", "") != "Success"
    kept = (place.broker.folder / "definitions.json").read_text()
    assert not any(secret in kept for secret in place.secrets.values())
    assert (place.broker.folder / "definitions.json").stat().st_mode & 0o077 == 0
