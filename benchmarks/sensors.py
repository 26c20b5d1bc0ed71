"""(i) Devices by MQTT: how fast they are heard beside a bare subscriber, and a minute with ten thousand alarms."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.ground import ready
from benchmarks.rows import Row, judged, percentile, row, told

COUNT, FEW = 40_000, 6_000
TURNS = 3
DEVICES = 500
BATCH = 1000
ALARMS, PANELS, MINUTE, REAL = 10_000, 20, 60.0, 12
TOPIC = "anlan/{}/up"
QUICK = """listener PORT 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 65535
"""


def run(*, small: bool) -> list[Row]:
    """A town with devices; the same messages to both subscribers in turn; then the storm on the served installation."""
    database = ready()
    from django.utils import timezone

    from world import world

    town = world(timezone.now().replace(microsecond=0))
    _register(town)
    rates = _rates(FEW if small else COUNT, database)
    return [*rates, *_storm(town, database, small=small)]


def _register(town: Any) -> None:
    from anlan.intake.models import Device

    Device.objects.bulk_create([
        Device(code=f"d-{n}", model="smoke_nb", site=town.site, area=town.grid, area_path=town.grid.path)
        for n in range(DEVICES)
    ])  # fmt: skip


def _payload(number: int) -> bytes:
    """96 bytes or so, as a detector sends them."""
    told = {
        "event": "heartbeat",
        "seq": number,
        "ts": 1_790_000_000 + number,
        "data": {"smoke": number % 9, "rssi": -87},
    }
    return json.dumps(told).encode()


# ---------------------------------------------------------------- rate


@contextmanager
def _broker(name: str) -> Iterator[Any]:
    from brokering import Broker, running

    folder = Path(os.environ["ANLAN_DATA"]) / name
    with running(Broker(folder, QUICK)) as broker:
        yield broker


def _rates(count: int, database: str) -> list[Row]:
    """Everything waits at the broker before the clock starts: what is measured is who takes it, not who sends it."""
    bare: list[float] = []
    ours: list[float] = []
    with _broker("rate") as broker:
        for turn in range(TURNS):
            for name, rates, subscribe in (("bare", bare, _bare), ("anlan", ours, _anlan)):
                _nobody(broker.port, name)
                _send(broker.port, count, first=turn * count)
                before = time.perf_counter()
                took = subscribe(broker.port, name, count)
                rates.append(count / (took - before))
    shares = [own / other * 100 for own, other in zip(ours, bare, strict=True)]
    note = f"{count:,} messages of {len(_payload(1))} bytes from {DEVICES} devices, QoS 1, waiting at the broker"
    return [
        row("i", "Bare subscriber, executemany of 1,000", database, bare, "a second", note=note),
        row("i", "Anlan: read, kept, acknowledged after the commit", database, ours, "a second"),
        row("i", "Anlan's rate, of the bare one's", database, shares, "%", at_least=60, note="in turn"),
    ]  # fmt: skip


def _nobody(port: int, client: str) -> None:
    """A session that is kept while nobody listens."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    made = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=client, protocol=MQTTProtocolVersion.MQTTv311, clean_session=False
    )
    done = threading.Event()
    made.on_subscribe = lambda *_: done.set()
    made.on_connect = lambda client, *_: client.subscribe(TOPIC.format("+"), qos=1)
    made.connect("127.0.0.1", port)
    while not done.is_set():
        made.loop(0.1)
    made.disconnect()
    made.loop(0.1)


def _send(port: int, count: int, *, first: int) -> None:
    from brokering import Publisher

    sender = Publisher(port, "sender")
    for number in range(count):
        sender.client.publish(TOPIC.format(f"d-{number % DEVICES}"), _payload(first + number), qos=1)
    assert sender.done(count, seconds=300)
    sender.close()


def _bare(port: int, name: str, count: int) -> float:
    """What anybody would write: paho, a list, executemany, commit, acknowledge. Gives when it was done."""
    import paho.mqtt.client as paho
    from django.db import connection, transaction
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bare (topic TEXT, payload TEXT, received DOUBLE PRECISION)")
    batch: list[Any] = []
    done = 0

    def keep() -> None:
        nonlocal done
        rows = [(message.topic, message.payload.decode(), time.time()) for message in batch]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany("INSERT INTO bare (topic, payload, received) VALUES (%s, %s, %s)", rows)
        for message in batch:
            client.ack(message.mid, message.qos)
        done += len(batch)
        batch.clear()

    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv311, clean_session=False,
        manual_ack=True,
    )  # fmt: skip
    client.on_message = lambda _c, _u, message: batch.append(message)
    client.connect("127.0.0.1", port)
    while done < count:
        client.loop(0.2)
        found: Any = client.socket()
        if len(batch) >= BATCH or (batch and not select.select([found], [], [], 0)[0]):
            keep()
    finished = time.perf_counter()
    client.disconnect()
    return finished


def _anlan(port: int, name: str, count: int) -> float:
    """The listener as it is, in this process. Gives when it was done."""
    from django.utils import timezone

    from anlan.presentation import mqtt
    from anlan.presentation.hearing import Hearing

    hearing, stop = Hearing("mqtt"), threading.Event()
    finished: list[float] = []

    def keep(messages: Any) -> None:
        hearing.json(messages, at=timezone.now())
        if hearing.heard >= count:
            finished.append(time.perf_counter())
            stop.set()

    where = mqtt.Broker(host="127.0.0.1", port=port, client=name, version="3.1.1")
    mqtt.Listener(where, keep).run(stop)
    assert hearing.heard == count, hearing
    return finished[0]


# ---------------------------------------------------------------- storm


def _storm(town: Any, database: str, *, small: bool) -> list[Row]:
    from installation import Installation
    from serving import served

    seconds, alarms, real = (10.0, 1000, 3) if small else (MINUTE, ALARMS, REAL)
    here = Installation(Path(os.environ["ANLAN_DATA"]), os.environ["ANLAN_DATABASE_URL"])
    _panels(town, alarms, real)
    with _broker("storm") as broker:
        configured = _Configured(here, here.environment | {"ANLAN_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}"})
        with served(configured) as server:  # type: ignore[arg-type]
            _wait_for_listener(broker.port)
            seen = _weather(town, server.url, broker.port, seconds, alarms, real)
    return _said(seen, database, alarms, real, seconds)


class _Configured:
    """An installation with a broker in its environment."""

    def __init__(self, installation: Any, environment: dict[str, str]) -> None:
        self.installation, self.environment = installation, environment


def _panels(town: Any, alarms: int, real: int) -> None:
    """Twenty sites with a panel each, the alarms' points on them; and sites with one detector where it really burns."""
    from anlan.intake.models import Device
    from anlan.places import sites

    place = {"kind": "factory", "area": town.grid, "by": None, "at": town.at}
    burning = [sites.create(name=f"着火{n}", code=f"real{n}", **place) for n in range(real)]
    where = {"area": town.grid, "area_path": town.grid.path, "model": "smoke_nb"}
    Device.objects.bulk_create([Device(code=f"r-{n}", site=site, **where) for n, site in enumerate(burning)])
    for panel in range(PANELS):
        site = sites.create(name=f"厂房{panel}", code=f"plant{panel}", **place)
        box = Device.objects.create(
            code=f"panel-{panel}", site=site, address=str(panel), **where | {"model": "gb_panel"}
        )
        points = [
            Device(code=f"p-{panel}-{n}", site=site, panel=box, address=str(n), **where)
            for n in range(alarms // PANELS)
        ]
        Device.objects.bulk_create(points)


def _wait_for_listener(port: int) -> None:
    from anlan.intake.models import Signal
    from brokering import Publisher
    from serving import eventually

    sender, before = Publisher(port, "first"), Signal.objects.count()

    def heard() -> bool:
        sender.publish(TOPIC.format("d-0"), [_payload(int(time.time() * 1000))])
        return Signal.objects.count() > before

    assert eventually(heard, seconds=60, pause=0.5)
    sender.close()


def _weather(town: Any, url: str, port: int, seconds: float, alarms: int, real: int) -> dict[str, Any]:
    """The storm; in it the real alarms, watched for in the notices, and somebody who reads the list of cases."""
    from brokering import Publisher

    pages: list[float] = []
    over = threading.Event()
    reader = threading.Thread(target=_read, args=(town, url, pages, over))
    reader.start()
    storm = threading.Thread(target=_blow, args=(port, alarms, alarms / seconds))
    storm.start()
    sender, delays = Publisher(port, "real"), list[float]()
    for number in range(real):
        time.sleep(max(0.0, seconds / (real + 1) - (delays[-1] if delays else 0.0)))
        begun = time.perf_counter()
        sender.publish(TOPIC.format(f"r-{number}"), [b'{"event": "fire", "seq": 1}'])
        delays.append(_noticed(f"real{number}") - begun)
    storm.join()
    sender.close()
    counts = _counted(alarms + real)
    over.set()
    reader.join()
    return {"delays": delays, "pages": pages, **counts}


def _blow(port: int, alarms: int, rate: float) -> None:
    """By a process of its own: who measures must not be busy sending."""
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from brokering import Publisher\n"
        "import time\n"
        f"sender, begun = Publisher({port}, 'storm'), time.monotonic()\n"
        f"for number in range({alarms}):\n"
        f"    topic = f'anlan/p-{{number % {PANELS}}}-{{number // {PANELS}}}/up'\n"
        '    sender.client.publish(topic, b\'{"event": "fire", "seq": 1}\', qos=1)\n'
        f"    time.sleep(max(0, number / {rate} - (time.monotonic() - begun)))\n"
        f"assert sender.done({alarms})\n"
        "sender.close()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _noticed(site: str) -> float:
    from anlan.casework.models import Notice

    until = time.perf_counter() + 60
    while not Notice.objects.filter(case__site__code=site).exists():
        if time.perf_counter() > until:
            break
        time.sleep(0.02)
    return time.perf_counter()


def _read(town: Any, url: str, pages: list[float], over: threading.Event) -> None:
    import httpx
    from django.test import Client

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(town.dispatcher)
    cookies = {"sessionid": client.cookies["sessionid"].value}
    with httpx.Client(base_url=url, cookies=cookies, timeout=60) as http:
        while not over.wait(0.2):
            begun = time.perf_counter()
            assert http.get("/cases/").status_code == 200
            pages.append(time.perf_counter() - begun)


def _counted(wanted: int) -> dict[str, Any]:
    from anlan.casework.models import Case, CaseReport
    from anlan.intake.models import Episode
    from serving import eventually

    eventually(lambda: CaseReport.objects.count() >= wanted, seconds=120, pause=0.5)
    return {
        "alarms": Episode.objects.filter(trouble="alarm").count(),
        "witnesses": CaseReport.objects.filter(case__procedure="fire_alarm").count(),
        "cases": Case.objects.filter(procedure="fire_alarm").count(),
    }


def _said(seen: dict[str, Any], database: str, alarms: int, real: int, seconds: float) -> list[Row]:
    ms = [delay * 1e3 for delay in seen["delays"]]
    pages = [page * 1e3 for page in seen["pages"]]
    note = f"{real} real alarms at other sites among {alarms:,} alarms in {seconds:.0f} s, {PANELS} panels"
    extra = seen["cases"] - PANELS - real

    def whole(what: str, value: float, **bound: Any) -> Row:
        return row("i", what, database, [value], "", **bound)

    return [
        row("i", "From an alarm in the storm to its notice, half of them", database, ms, "ms", note=note),
        _at("From an alarm in the storm to its notice, the slowest", database, max(ms), ms, at_most=5000),
        whole("Alarms of the storm that were kept", seen["alarms"], at_least=alarms + real),
        whole("Cases beyond one a site and panel", extra, at_most=0),
        row("i", "The desk's list of cases in the storm, half of the pages", database, pages, "ms"),
        _at("The desk's list of cases in the storm, 95 %", database, percentile(pages, 0.95), pages, at_most=1000),
    ]


def _at(what: str, database: str, value: float, samples: list[float], *, at_most: float) -> Row:
    bound, holds = judged(value, "ms", at_most=at_most)
    made = row("i", what, database, samples, "ms")
    return replace(made, value=value, bound=bound, holds=holds)


if __name__ == "__main__":
    told(run)
