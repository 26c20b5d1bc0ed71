"""What an MQTT broker (Mosquitto) must know of the register: passwords, rights, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from anlan.intake.models import Device
from anlan.intake.sensors.devices import hashed

PASSWORDS: Final = "passwords"
RIGHTS: Final = "acl"
CONFIGURATION: Final = "mosquitto.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listens:
    """Where the broker listens; with a certificate, by TLS alone. `folder` holds these files, `data` what it keeps."""

    port: int
    folder: str
    data: str
    address: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""


def passwords(listener: tuple[str, str]) -> str:
    """Every device in service that has a password, by its code; and the listener with its name and password."""
    kept = Device.objects.filter(retired_date=None).exclude(secret="").order_by("code").values_list("code", "secret")
    lines = [f"{listener[0]}:{hashed(listener[1])}", *(f"{code}:{secret}" for code, secret in kept)]
    return "\n".join(lines) + "\n"


def rights(listener: str, topic: str) -> str:
    """A device writes on its own topic alone, and reads nothing; the listener reads all of these and writes nowhere."""
    everybody, own = topic.replace("{device}", "+"), topic.replace("{device}", "%u")
    return f"user {listener}\ntopic read {everybody}\n\npattern write {own}\n"


def configuration(listens: Listens) -> str:
    """A whole configuration. What waits for the listener is kept, however long, and written down every hundred changes:
    at every one, a long queue would make the broker crawl, for Mosquitto writes all of it each time. A session is named
    by its account: a device could else take the name of the listener's, and end it with all that waits.
    """
    where = f"listener {listens.port} {listens.address}".rstrip()
    tls: Iterable[tuple[str, str]] = (
        ("cafile", listens.ca), ("certfile", listens.certificate), ("keyfile", listens.key)
    )  # fmt: skip
    lines = [
        where,
        *(f"{name} {path}" for name, path in tls if path),
        *(["tls_version tlsv1.2"] if listens.certificate else []),
        "allow_anonymous false",
        "use_username_as_clientid true",
        f"password_file {listens.folder}/{PASSWORDS}",
        f"acl_file {listens.folder}/{RIGHTS}",
        "persistence true",
        f"persistence_location {listens.data}/",
        "autosave_on_changes true",
        "autosave_interval 100",
        "max_queued_messages 0",
        "max_inflight_messages 4000",
        "max_packet_size 65536",
        "persistent_client_expiration 14d",
        "log_type error",
        "log_type warning",
    ]
    return "\n".join(lines) + "\n"
