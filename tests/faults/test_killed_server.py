"""The server is killed while eight clients act: what was acknowledged is there once, and nothing is there twice."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from audit import audit
from installation import Installation
from serving import Server, looping, served
from settled import Town, settle

CLIENTS = 8
KILLS = 10
COURSES = 40  # of ten acts each, on cases of their own
SHARED = 100  # notes on one case that all clients share
ACTS = 10 * COURSES + SHARED
PATIENCE = 300.0
BUSY = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Deed:
    """One act as its client sends it, as often as it must: who, which act, with what. `open` opens the case."""

    who: str
    act: str
    data: dict[str, Any]
    key: str


@dataclass(slots=True)
class Acknowledged:
    """What clients were told is done: the case of each key. `sent` counts every request, `again` the repeated ones."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    done: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    again: int = 0
    refused: list[str] = field(default_factory=list)

    def note(self, deed: Deed, case: str, ids: dict[str, int]) -> None:
        with self.lock:
            self.done[f"{ids[deed.who]}:{deed.key}"] = case

    def count(self) -> int:
        with self.lock:
            return len(self.done)


def course(town: Town, number: int) -> list[Deed]:
    """Ten acts that take a case of its own from its opening to an extension granted."""
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("triage", "open", {}),
        ("triage", "register", {}),
        ("dispatcher", "dispatch", {"department": town.departments["market"]}),
        ("other_handler", "return", {"reason": "不归市场局管"}),
        ("dispatcher", "dispatch", {"department": town.departments["housing"], "officer": town.ids["handler"]}),
        ("handler", "accept", {}),
        ("handler", "ask_extension", {"length": 2, "reason": "等材料"}),
        ("dispatcher", "grant_extension", {}),
        ("department_lead", "hang", {"reason": "等汛期结束", "review_on": "2027-03-01"}),
        ("dispatcher", "resume", {}),
    ]
    return [Deed(who, act, data, f"course{number}.{place}") for place, (who, act, data) in enumerate(steps)]


class Client(threading.Thread):
    """Takes courses until none is left; sends each act until it is acknowledged, always with the same key."""

    def __init__(self, server: Server, town: Town, work: deque[list[Deed]], shared: str, told: Acknowledged) -> None:
        super().__init__(daemon=True)
        self.server, self.town, self.work, self.shared, self.told = server, town, work, shared, told
        self.until = time.monotonic() + PATIENCE
        self.http = httpx.Client(timeout=20)

    def run(self) -> None:
        with self.http:
            while self.work:
                try:
                    deeds = self.work.popleft()
                except IndexError:
                    return
                case = self.shared
                for deed in deeds:
                    case = self.send(deed, case)
                    if not case:
                        return

    def send(self, deed: Deed, case: str) -> str:
        """The case the act was done to; empty when it was refused, or nobody answered for too long."""
        address, body = self.request(deed, case)
        tries = 0
        while time.monotonic() < self.until:
            tries += 1
            try:
                answer = self.http.post(address, json=body, headers=self.town.bearer(deed.who))
            except httpx.TransportError:
                time.sleep(0.3)
                continue
            finally:
                with self.told.lock:
                    self.told.sent += 1
                    self.told.again += tries > 1
            if answer.status_code in BUSY:
                time.sleep(0.1)
            elif answer.status_code in (200, 201):
                self.told.note(deed, answer.json()["id"], self.town.ids)
                return str(answer.json()["id"])
            else:
                self.told.refused.append(f"{deed.key} {deed.act}: {answer.status_code} {answer.text}")
                return ""
        self.told.refused.append(f"{deed.key} {deed.act}: no answer")
        return ""

    def request(self, deed: Deed, case: str) -> tuple[str, dict[str, Any]]:
        if deed.act != "open":
            body = {"act": deed.act, "data": deed.data, "key": deed.key}
            return f"{self.server.url}/api/v1/cases/{case}/acts", body
        body = {"procedure": "incident", "topic": "construction_site", "title": f"工地 {deed.key}", "key": deed.key}
        return f"{self.server.url}/api/v1/cases", body | {"area": self.town.areas["东一村一网格"]}


def everything(town: Town) -> Iterator[list[Deed]]:
    """All that is to be done: the courses, and between them notes on the one case that all share."""
    notes = [[Deed("triage", "note", {"note": f"第 {n} 次回访"}, f"shared{n}")] for n in range(SHARED)]
    for number in range(COURSES):
        yield course(town, number)
        yield from notes[number::COURSES]


def test_500_acts_of_8_clients_survive_10_kills_of_the_server(installation: Installation) -> None:
    town = settle(installation)
    told = Acknowledged()
    with served(installation, "--no-work") as server, looping(installation):
        first = Client(server, town, deque(), "", Acknowledged())
        shared = first.send(Deed("triage", "open", {}, "shared"), "")
        work = deque(everything(town))
        clients = [Client(server, town, work, shared, told) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        kills = 0
        while any(client.is_alive() for client in clients):
            # Spread over the whole of the work, so that each falls into acts under way.
            if kills < KILLS and told.count() >= (kills + 1) * ACTS // (KILLS + 1):
                server.kill()
                server.start()
                kills += 1
            time.sleep(0.005)
        first.http.close()
    assert told.refused == []
    assert kills == KILLS
    assert len(told.done) == ACTS
    assert told.again >= KILLS
    found = audit(installation)
    for key, case in told.done.items():
        assert found.keys.get(key) == [case], f"{key} is there {len(found.keys.get(key, []))} times"
    assert sum(key.partition(":")[2].startswith(("course", "shared")) for key in found.keys) == ACTS + 1
    assert found.cases == COURSES + 1
    assert (found.caches, found.tallies, found.twice) == ([], [], [])
    said = installation.anlan("ledger", "verify").stdout
    assert f"{found.events} events" in said
