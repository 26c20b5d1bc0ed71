"""A panel speaks to the listener as a process of its own: what was confirmed is kept, and rubbish harms nothing."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from alarm_frames import fuzzed, head, state
from anlan.intake.sensors.gb26875 import Command, Decoder, Frame, encode
from anlan.intake.sensors.gb26875_contents import Stamp
from installation import Installation
from serving import ANLAN, eventually, free_port
from settled import settle

REGISTER = """
import django
django.setup()
from django.utils import timezone
from anlan.intake.sensors import devices
from anlan.places.models import Site
house = Site.objects.get(code="house1")
devices.register(code="panel", model="gb_panel", site=house, address="77", networks="127.0.0.0/8", by=None,
    at=timezone.now())
"""
COUNTED = """
import django, json
django.setup()
from django.db.models import Sum
from anlan.casework.models import Case, Notice
from anlan.intake.models import Quarantined, Signal, Stray
print(json.dumps([Signal.objects.count(), list(Case.objects.values_list("reports_count", flat=True)),
    Notice.objects.count(), Stray.objects.exclude(reason="kept").aggregate(n=Sum("count"))["n"] or 0,
    Quarantined.objects.count()]))
"""


@pytest.fixture
def town(installation: Installation) -> Installation:
    settle(installation)
    installation.python("-c", REGISTER)
    return installation


@contextmanager
def listening(town: Installation, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The listener, killed afterwards."""
    command = [*ANLAN, "listen", "gb26875", "--address", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, env=town.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        assert "Listening" in process.stdout.readline().decode()
        yield process
    finally:
        process.kill()
        process.communicate()


def answered(port: int, *told: bytes, wanted: int) -> list[Frame]:
    """What the listener answers to these bytes, until so many answers have come."""
    decoder, found = Decoder(), list[Frame]()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(b"".join(told))
        while len(found) < wanted and (data := line.recv(65536)):
            found += [one for one in decoder.feed(data) if isinstance(one, Frame)]
    return found


def counted(town: Installation) -> list[object]:
    return list(json.loads(town.python("-c", COUNTED).stdout))


def test_what_was_confirmed_is_kept_once_though_the_listener_is_killed_and_the_panel_says_it_again(
    town: Installation,
) -> None:
    port, now = free_port(), Stamp.of(datetime.now(ZoneInfo("Asia/Shanghai")))
    frames = [
        encode(Frame(head(n, source=77)._replace(sent=now), 2, (state(n, condition=3)._replace(at=now),)))
        for n in range(5)
    ]
    for _ in range(2):
        with listening(town, port):
            answers = answered(port, *frames, wanted=5)
        assert [(one.head.command, one.head.serial) for one in answers] == [(Command.CONFIRM, n) for n in range(5)]
        assert counted(town) == [5, [5], 2, 0, 0]


def test_a_line_full_of_rubbish_stops_nothing_and_is_counted(town: Installation) -> None:
    port = free_port()
    rubbish = [one.told for one in fuzzed(Random(3), 2000)]  # noqa: S311 - found again by its seed
    with listening(town, port) as process:
        for start in range(0, len(rubbish), 200):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
                line.sendall(b"".join(rubbish[start : start + 200]))
        [answer] = answered(port, encode(Frame(head(9, source=77), 2, (state(9, condition=3),))), wanted=1)
        assert answer.head.command == Command.CONFIRM
        assert process.poll() is None
        assert eventually(lambda: int(str(counted(town)[3])) > 500, seconds=30, pause=1)
    signals, cases, notices, _, held = counted(town)
    assert (signals, cases, notices) == (1, [1], 2)
    assert 0 < int(str(held)) <= 300
