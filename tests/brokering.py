"""A real Mosquitto, started, killed and started again; and devices that publish to it until they were answered."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from installation import Installation
from serving import ANLAN, eventually, free_port, listens

REGISTER = """
import django
django.setup()
from django.utils import timezone
from anlan.intake.sensors import devices
from anlan.places.models import Site
house = Site.objects.get(code="house1")
for number in range({count}):
    devices.register(code=f"d-{{number}}", model="smoke_nb", site=house, by=None, at=timezone.now())
"""


def mosquitto() -> str:
    """The broker's program; without it the test is skipped."""
    found = os.environ.get("ANLAN_BROKER") or shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("There is no MQTT broker here; scripts/broker installs Mosquitto.")
    return found


class Broker:
    """Mosquitto with a configuration in a folder, always on the same port of loopback."""

    def __init__(self, folder: Path, configuration: str, *, port: int | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "mosquitto.conf"
        # As root it would become another user, who may not read the test's files.
        self._file.write_text(configuration.replace("PORT", str(self.port)) + "\nuser root\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([mosquitto(), "-c", str(self._file)], stdout=log, stderr=log)
        assert eventually(lambda: listens(self.port), seconds=20, pause=0.02), self.log()

    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text("utf-8", "replace")

    def reload(self) -> None:
        """Read the password file again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None


@contextmanager
def running(broker: Broker) -> Iterator[Broker]:
    """A broker, gone afterwards."""
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


class Publisher:
    """Publishes numbered messages with QoS 1, each until the broker has answered it, whatever is killed meanwhile."""

    def __init__(
        self, port: int, client_id: str, *, username: str = "", password: str = "", authority: Path | None = None
    ) -> None:
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv311, clean_session=False
        )
        if username:
            self.client.username_pw_set(username, password)
        if authority:
            self.client.tls_set(str(authority), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.max_inflight_messages_set(200)
        self.client.max_queued_messages_set(0)
        self.client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]
        self.answered = self.published = 0
        self._lock = threading.Lock()
        self.client.on_publish = self._published
        self.client.connect("127.0.0.1", port, keepalive=20)
        self.client.loop_start()

    def _published(self, *_: Any) -> None:
        with self._lock:
            self.answered += 1

    def publish(self, topic: str, payloads: Iterable[bytes], *, rate: float = 1e9) -> None:
        """At most `rate` a second."""
        begun = time.monotonic()
        for number, payload in enumerate(payloads):
            self.client.publish(topic, payload, qos=1)
            self.published += 1
            ahead = number / rate - (time.monotonic() - begun)
            if ahead > 0.01:
                time.sleep(ahead)

    def done(self, count: int, *, seconds: float = 120) -> bool:
        """Whether the broker has answered so many."""
        return eventually(lambda: self.answered >= count, seconds=seconds, pause=0.05)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority and what it signed for a broker on loopback, as files."""

    authority: Path
    certificate: Path
    key: Path


def certificates(folder: Path, *, name: str = "127.0.0.1") -> Certificates:
    """Made for the test, good for a day."""
    folder.mkdir(parents=True, exist_ok=True)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)

    def signed(whose: x509.Name, public: Any, *, is_authority: bool) -> x509.Certificate:
        made = (
            x509.CertificateBuilder()
            .subject_name(whose)
            .issuer_name(authority)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))])
            made = made.add_extension(names, critical=False)
        return made.sign(authority_key, hashes.SHA256())

    found = Certificates(folder / "authority.pem", folder / "broker.pem", folder / "broker.key")
    pem = serialization.Encoding.PEM
    found.authority.write_bytes(signed(authority, authority_key.public_key(), is_authority=True).public_bytes(pem))
    found.certificate.write_bytes(signed(subject, key.public_key(), is_authority=False).public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found.key.write_bytes(private)
    return found


def let_in(port: int, username: str, password: str, *, authority: Path | None = None, client_id: str = "asks") -> str:
    """What the broker says to who comes with this name and password: "Success", or why not."""
    said: list[str] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
    client.username_pw_set(username, password)
    if authority:
        client.tls_set(str(authority), tls_version=ssl.PROTOCOL_TLS_CLIENT)
    client.on_connect = lambda _c, _u, _f, code, _p: said.append(str(code))
    client.connect("127.0.0.1", port)
    until = time.monotonic() + 10
    while not said and time.monotonic() < until:
        client.loop(0.1)
    client.disconnect()
    return said[0] if said else "nothing"


@contextmanager
def listening(installation: Installation, url: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`anlan listen mqtt` as a process of its own, gone afterwards."""
    environment = installation.environment | {"ANLAN_MQTT_URL": url} | more
    process = subprocess.Popen(
        [*ANLAN, "listen", "mqtt"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert "Listening" in process.stdout.readline().decode()
        yield process
    finally:
        process.kill()
        process.communicate()


def heartbeat(number: int) -> bytes:
    return b'{"event": "heartbeat", "seq": %d}' % number


def environment(installation: Installation, **more: str) -> dict[str, str]:
    return installation.environment | more


def run(given: dict[str, str], *arguments: str) -> str:
    return subprocess.run(
        [*ANLAN, *arguments], env=given, check=True, capture_output=True, text=True, timeout=60
    ).stdout
