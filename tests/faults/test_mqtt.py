"""Devices that speak MQTT through a real broker: whatever is killed, nothing that was answered is lost."""

from __future__ import annotations

import itertools
import json
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from brokering import (
    REGISTER,
    Broker,
    Publisher,
    certificates,
    environment,
    heartbeat,
    let_in,
    listening,
    run,
    running,
)
from installation import Installation
from serving import ANLAN, eventually, served
from settled import settle

TURNS = 4
RATE = 200
OPEN = """listener PORT 127.0.0.1
allow_anonymous true
persistence true
persistence_location {data}/
autosave_on_changes true
autosave_interval 100
max_queued_messages 0
max_inflight_messages 4000
"""
COUNTED = """
import django, json
django.setup()
from anlan.intake.models import Signal, Episode, Quarantined
from anlan.casework.models import Case, Notice
from django.db.models import Count
rows = Signal.objects.values_list("device__code", "sequence")
print(json.dumps({"rows": len(rows), "different": len(set(rows)), "alarms": Episode.objects.count(),
    "cases": list(Case.objects.values_list("procedure", "reports_count")), "held": Quarantined.objects.count(),
    "notices": Notice.objects.count()}))
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """What stands in the database."""

    rows: int
    different: int
    alarms: int
    cases: list[list[object]]
    held: int
    notices: int


def counted(installation: Installation) -> Counted:
    return Counted(**json.loads(installation.python("-c", COUNTED).stdout))


@pytest.fixture
def town(installation: Installation) -> Installation:
    settle(installation)
    installation.python("-c", REGISTER.format(count=3))
    return installation


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    data = tmp_path / "broker"
    with running(Broker(data, OPEN.format(data=data))) as made:
        yield made


def subscribed(broker: Broker, installation: Installation, **more: str) -> None:
    """The listener has been there once: from then on the broker keeps its messages."""
    with listening(installation, f"mqtt://127.0.0.1:{broker.port}", **more):
        pass


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_nothing_is_lost_when_the_listener_is_killed_and_the_broker_ended_again_and_again(
    town: Installation, broker: Broker, version: str
) -> None:
    url, more = f"mqtt://127.0.0.1:{broker.port}", {"ANLAN_MQTT_VERSION": version}
    subscribed(broker, town, **more)
    device, enough = Publisher(broker.port, "d-0"), threading.Event()
    numbers = itertools.takewhile(lambda _: not enough.is_set(), itertools.count())
    work = threading.Thread(
        target=device.publish, args=("anlan/d-0/up", map(heartbeat, numbers)), kwargs={"rate": RATE}
    )
    work.start()
    for turn in range(TURNS):
        with listening(town, url, **more):
            time.sleep(0.4)
            if turn % 2:
                # With SIGTERM: Mosquitto answers a message before it writes it down, and what nobody has heard yet may
                # be gone after SIGKILL (docs/decisions/0015).
                broker.kill(signal.SIGTERM)
                broker.start()
                time.sleep(0.6)
        # The listener is killed, too; what comes now waits at the broker.
    enough.set()
    work.join()
    count = device.published
    assert count > 500
    assert device.done(count)
    device.close()
    with listening(town, url, **more):
        assert eventually(lambda: counted(town).rows >= count, seconds=60, pause=1), (counted(town), broker.log())
    found = counted(town)
    assert (found.rows, found.different) == (count, count)


def test_an_alarm_reaches_a_person_though_the_listener_was_away_when_it_was_told(
    town: Installation, broker: Broker
) -> None:
    subscribed(broker, town)
    device = Publisher(broker.port, "d-1")
    device.publish("anlan/d-1/up", [b'{"event": "fire", "seq": 1}'] * 3)
    assert device.done(3)
    device.close()
    with listening(town, f"mqtt://127.0.0.1:{broker.port}"):
        assert eventually(lambda: counted(town).notices > 0, seconds=60, pause=0.5)
    found = counted(town)
    assert (found.cases, found.alarms, found.notices, found.held) == ([["fire_alarm", 1]], 1, 2, 0)


def test_serve_listens_too_where_the_settings_name_a_broker(town: Installation, broker: Broker) -> None:
    configured = town.environment | {"ANLAN_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}"}
    with served(_With(town, configured)):  # type: ignore[arg-type]
        device = Publisher(broker.port, "d-1")

        def comes() -> bool:
            device.publish("anlan/d-1/up", [b'{"event": "fire", "seq": 1}'])
            return counted(town).notices > 0

        assert eventually(comes, seconds=60, pause=0.5)
        device.close()


@dataclass(frozen=True, slots=True)
class _With:
    """An installation with more in its environment."""

    installation: Installation
    environment: dict[str, str]


# ---------------------------------------------------------------- who is let in


def test_with_the_files_from_the_register_only_a_registered_device_gets_in_by_tls_and_writes_its_own_topic_alone(
    town: Installation, tmp_path: Path
) -> None:
    made = certificates(tmp_path / "tls")
    folder = tmp_path / "broker"
    broker = Broker(folder, "")
    url = f"mqtts://anlan:a%20long%20password@127.0.0.1:{broker.port}"
    secure = environment(town, ANLAN_MQTT_URL=url, ANLAN_MQTT_CA=str(made.authority))
    secret = run(secure, "devices", "password", "d-0").strip()
    told = run(
        secure, "devices", "broker", str(folder), "--port", str(broker.port), "--address", "127.0.0.1",
        "--ca", str(made.authority), "--certificate", str(made.certificate), "--key", str(made.key),
    )  # fmt: skip
    assert told.startswith("mosquitto -c ")
    assert (folder / "passwords").stat().st_mode & 0o077 == 0
    assert secret not in (folder / "passwords").read_text()
    with (folder / "mosquitto.conf").open("a") as file:
        file.write("user root\n")
    with running(broker), listening(town, url, ANLAN_MQTT_CA=str(made.authority)):
        port, ca = broker.port, made.authority
        assert let_in(port, "d-0", secret, authority=ca) == "Success"
        assert let_in(port, "d-0", "guess", authority=ca) != "Success"
        assert let_in(port, "d-1", secret, authority=ca) != "Success"
        assert let_in(port, "nobody", secret, authority=ca) != "Success"
        device = SecurePublisher(port, "d-0", secret, ca)
        assert eventually(lambda: device.tells("d-0") and counted(town).rows > 0, seconds=60, pause=0.5)
        for other in ("d-1", "d-2"):
            device.tells(other)
        device.tells("d-0")
        time.sleep(2)
        device.close()
    assert counted(town).held == 0
    rows = town.python("-c", DEVICES).stdout.split()
    assert set(rows) == {"d-0"}


DEVICES = """
import django
django.setup()
from anlan.intake.models import Signal
print(*Signal.objects.values_list("device__code", flat=True))
"""


class SecurePublisher(Publisher):
    """One that comes by TLS with a name and a password."""

    def __init__(self, port: int, username: str, password: str, authority: Path) -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=username)
        self.client.username_pw_set(username, password)
        self.client.tls_set(str(authority), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_publish = self._answers
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self._number = self._answered = 0

    def tells(self, device: str) -> bool:
        """Whether the broker answered; where the line had broken the message waits at the client until it is back."""
        self._number += 1
        payload = b'{"event": "heartbeat", "seq": %d}' % self._number
        assert eventually(self.client.is_connected, seconds=20, pause=0.05)
        self.client.publish(f"anlan/{device}/up", payload, qos=1)
        return eventually(lambda: self._answered >= self._number, seconds=20, pause=0.05)

    def _answers(self, *_: object) -> None:
        self._answered += 1


def test_a_listener_with_a_wrong_password_ends_with_a_sentence(town: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    broker = Broker(folder, "")
    run(environment(town, ANLAN_MQTT_URL="mqtt://anlan:right@127.0.0.1:1"), "devices", "broker", str(folder),
        "--port", str(broker.port), "--address", "127.0.0.1")  # fmt: skip
    with (folder / "mosquitto.conf").open("a") as file:
        file.write("user root\n")
    with running(broker):
        wrong = environment(town, ANLAN_MQTT_URL=f"mqtt://anlan:wrong@127.0.0.1:{broker.port}")
        ended = subprocess.run(
            [*ANLAN, "listen", "mqtt"], env=wrong, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 2
        assert "ANLAN_MQTT_URL" in ended.stderr
        assert "Traceback" not in ended.stderr
        with listening(town, f"mqtt://anlan:right@127.0.0.1:{broker.port}") as process:
            time.sleep(3)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def test_a_device_that_takes_the_listeners_name_cannot_end_the_session_in_which_messages_wait(
    town: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "broker"
    broker = Broker(folder, "")
    url = f"mqtt://anlan:right@127.0.0.1:{broker.port}"
    given = environment(town, ANLAN_MQTT_URL=url)
    secret = run(given, "devices", "password", "d-0").strip()
    run(given, "devices", "broker", str(folder), "--port", str(broker.port), "--address", "127.0.0.1")
    with (folder / "mosquitto.conf").open("a") as file:
        file.write("user root\n")
    with running(broker):
        with listening(town, url):
            pass
        device = Publisher(broker.port, "d-0", username="d-0", password=secret)
        device.publish("anlan/d-0/up", [heartbeat(1)])
        assert device.done(1, seconds=20)
        device.close()
        assert let_in(broker.port, "d-0", secret, client_id="anlan-listener") == "Success"
        with listening(town, url):
            assert eventually(lambda: counted(town).rows == 1, seconds=20, pause=0.5)
