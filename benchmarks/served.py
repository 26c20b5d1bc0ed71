"""(d) The server as it is installed, granian on PostgreSQL with its loops beside it, and fifty clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clients import Plan
from benchmarks.ground import ready
from benchmarks.rows import Row, judged, percentile, told

SECONDS, FEW = 60.0, 8.0
CASES = 20_000
WORKERS = 2
HOST = {"host": "127.0.0.1"}


def run(*, small: bool) -> list[Row]:
    """A town with some thousand cases, the server on loopback, a paced minute, then as much as it takes."""
    database = ready()
    from installation import Installation
    from serving import served

    plan = _town(2000 if small else CASES)
    plan = replace(plan, seconds=FEW if small else SECONDS)
    here = Installation(Path(os.environ["ANLAN_DATA"]), os.environ["ANLAN_DATABASE_URL"])
    with served(here, "--workers", str(WORKERS)) as server:
        at = replace(plan, url=server.url)
        _crowd(replace(at, seconds=3.0, begin=1_000_000))  # caches fill
        paced = _crowd(at)
        hurried = _crowd(replace(at, seconds=min(20.0, at.seconds), pace=False, begin=2_000_000))
    return [*_paced(paced, database), *_hurried(hurried, database), *_where(plan, database, small=small)]


def _town(count: int) -> Plan:
    from django.test import Client
    from django.utils import timezone

    from anlan.places import tokens
    from anlan.places.models import Area, Officer
    from anlan.presentation import followers
    from benchmarks.province import Province, Size, moment

    Province(Size(cases=count, areas=600, walked=300), moment()).build()
    followers.drain(at=timezone.now())
    officer = Officer.objects.get(username="triage")
    _, secret = tokens.issue(officer, "clients", ["cases.see", "reports.receive"], at=timezone.now())
    client = Client(headers=HOST)
    client.force_login(officer)
    county = Area.objects.filter(level="county").order_by("path")[0]
    villages = Area.objects.filter(level="village", path__startswith=county.path)
    codes = list(villages.values_list("code", flat=True))
    return Plan("", secret, client.cookies["sessionid"].value, codes, county.code, SECONDS)


def _crowd(plan: Plan) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        asked, seen = Path(folder) / "plan.json", Path(folder) / "seen.json"
        asked.write_text(json.dumps(asdict(plan)))
        command = [sys.executable, "-m", "benchmarks.clients", str(asked), str(seen)]
        subprocess.run(command, check=True, timeout=plan.seconds + 120)
        found: dict[str, Any] = json.loads(seen.read_text())
    for wrong in found["wrong"][:3]:
        print(wrong, file=sys.stderr)
    return found


def _paced(seen: dict[str, Any], database: str) -> list[Row]:
    took, seconds = seen["took"], seen["seconds"]
    everything = [each * 1e3 for kind in took.values() for each in kind]
    lists = len(took["api list"]) + len(took["desk list"])
    errors = len(seen["wrong"])
    p95, bound = percentile(everything, 0.95), judged(percentile(everything, 0.95), "ms", at_most=500)
    return [
        _rate("Reports received", len(took["report"]) / seconds, database, at_least=20),
        _rate("Lists read", lists / seconds, database, at_least=100),
        Row("d", "Errors", database, errors, errors, errors, "", *judged(errors, "", at_most=0)),
        Row(
            "d",
            "All answers: p95",
            database,
            p95,
            median(everything),
            max(everything),
            "ms",
            *bound,
            "from the median to the slowest",
        ),
        *(_kind(kind, [each * 1e3 for each in took[kind]], database) for kind in took),
    ]


def _rate(what: str, value: float, database: str, *, at_least: float) -> Row:
    return Row("d", what, database, value, value, value, "a second", *judged(value, "a second", at_least=at_least))


def _kind(kind: str, took: list[float], database: str) -> Row:
    p95 = percentile(took, 0.95)
    return Row("d", f"{kind}: p95", database, p95, median(took), max(took), "ms", note="from the median to the slowest")


def _hurried(seen: dict[str, Any], database: str) -> list[Row]:
    """The same mixture without a pause: what the machine gives."""
    count = sum(len(kind) for kind in seen["took"].values())
    everything = [each * 1e3 for kind in seen["took"].values() for each in kind]
    note = f"p95 {percentile(everything, 0.95):.0f} ms, {len(seen['wrong'])} errors"
    value = count / seen["seconds"]
    return [Row("d", "Without pauses: answers of any kind", database, value, value, value, "a second", note=note)]


def _where(plan: Plan, database: str, *, small: bool) -> list[Row]:
    """Where the time of each kind goes, in one process without a network: in the database, or in Python."""
    from django.test import Client

    client = Client(headers=HOST)
    client.cookies["sessionid"] = plan.session
    bearer: dict[str, Any] = {"headers": {"Authorization": f"Bearer {plan.token}"}}
    numbers = iter(range(3_000_000, 4_000_000))

    def report() -> Any:
        told = {"id": f"b-{next(numbers)}", "description": "楼道堆物", "topic": "fire_exit", "area": plan.areas[0]}
        body = {"channel": "api", "message": told}
        return client.post("/api/v1/reports", body, content_type="application/json", **bearer)

    asks: dict[str, Callable[[], Any]] = {
        "report": report,
        "api list": lambda: client.get("/api/v1/cases", {"area": plan.county, "sort": "due"}, **bearer),
        "desk list": lambda: client.get("/cases/", {"area": plan.county}),
    }
    return [row for kind, ask in asks.items() for row in _split(kind, ask, database, 10 if small else 100)]


def _split(kind: str, ask: Callable[[], Any], database: str, times: int) -> list[Row]:
    from django.db import connection

    waited = 0.0

    def watch(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal waited
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            waited += time.perf_counter() - begun

    python, sql = [], []
    for number in range(times + 3):
        before, begun, processor = waited, time.perf_counter(), time.thread_time()
        with connection.execute_wrapper(watch):
            answer = ask()
        assert answer.status_code in (200, 201), answer.content
        if number >= 3:
            python.append((time.thread_time() - processor) * 1e3)
            sql.append((waited - before) * 1e3)
        assert time.perf_counter() > begun
    return [
        Row("d", f"{kind}: Python's processor time", database, median(python), min(python), max(python), "ms"),
        Row("d", f"{kind}: waiting for the database", database, median(sql), min(sql), max(sql), "ms"),
    ]


if __name__ == "__main__":
    told(run)
