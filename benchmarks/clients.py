"""Fifty clients, in a process of their own: they send reports and read lists on loopback for a set time, then stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask, how long, and how much a second of each kind; `pace` False asks again as soon as it is answered."""

    url: str
    token: str
    session: str
    areas: list[str]
    county: str
    seconds: float
    clients: int = 50
    rates: Mapping[str, float] = field(default_factory=lambda: {"report": 22, "api list": 82, "desk list": 22})
    pace: bool = True
    begin: int = 0


class Crowd:
    """The clients and what they saw: for each kind the seconds each answer took, and every answer that was wrong."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.took: dict[str, list[float]] = {kind: [] for kind in plan.rates}
        self.wrong: list[str] = []
        self.number = plan.begin
        self.dice = random.Random(plan.begin)

    async def run(self) -> float:
        """Everybody at once; how many seconds it was."""
        begun = time.perf_counter()
        wires = aiohttp.TCPConnector(limit=self.plan.clients)
        patience = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(self.plan.url, connector=wires, timeout=patience) as http:
            end = begun + self.plan.seconds
            await asyncio.gather(*(self._client(http, n, end) for n in range(self.plan.clients)))
        return time.perf_counter() - begun

    async def _client(self, http: aiohttp.ClientSession, place: int, end: float) -> None:
        kinds, weights = list(self.plan.rates), list(self.plan.rates.values())
        period = self.plan.clients / sum(weights) if self.plan.pace else 0.0
        due = time.perf_counter() + period * place / self.plan.clients
        while due < end and time.perf_counter() < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            kind = self.dice.choices(kinds, weights)[0]
            asked = time.perf_counter()
            try:
                await self._ask(http, kind)
            except (aiohttp.ClientError, TimeoutError) as error:
                self.wrong.append(f"{kind}: {error!r}")
            else:
                self.took[kind].append(time.perf_counter() - asked)
            # Who is late does not make up for it: people do not either.
            due = max(due + period, time.perf_counter())

    async def _ask(self, http: aiohttp.ClientSession, kind: str) -> None:
        bearer = {"Authorization": f"Bearer {self.plan.token}"}
        if kind == "report":
            self.number += 1
            told = {
                "id": f"bench-{self.number}",
                "description": "楼道堆物",
                "topic": "fire_exit",
                "address": "幸福路 1 号",
            }
            body = {"channel": "api", "message": {**told, "area": self.dice.choice(self.plan.areas)}}
            asking, status, mark = http.post("/api/v1/reports", json=body, headers=bearer), 201, b'"report":"'
        elif kind == "api list":
            county = {"area": self.plan.county, "sort": "due"}
            asking, status, mark = http.get("/api/v1/cases", params=county, headers=bearer), 200, b'{"items":[{'
        else:
            cookie = {"Cookie": f"sessionid={self.plan.session}"}
            asking = http.get("/cases/", params={"area": self.plan.county}, headers=cookie)
            status, mark = 200, b"data-row"
        async with asking as answer:
            said = await answer.read()
        if answer.status != status or mark not in said:
            self.wrong.append(f"{kind}: {answer.status} {said[:200]!r}")


def main() -> None:
    """Carry out the plan in the file named, and leave what was seen in the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", type=Path)
    parser.add_argument("seen", type=Path)
    given = parser.parse_args()
    crowd = Crowd(Plan(**json.loads(given.plan.read_text())))
    seconds = asyncio.run(crowd.run())
    seen = {"took": crowd.took, "wrong": crowd.wrong, "seconds": seconds, "plan": asdict(crowd.plan)}
    given.seen.write_text(json.dumps(seen))


if __name__ == "__main__":
    main()
