"""The same delivery from many connections in one moment, on a real server: one report, one answer."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
from django.utils import timezone

from anlan.intake import signing
from installation import Installation
from serving import served
from settled import settle
from wiring import SCHEME, order

COUNT = """
import django; django.setup()
from anlan.intake import hooks
from anlan.intake.models import Delivery, Report
counted = hooks.counts(["hotline"])["hotline"]
print(Report.objects.filter(channel="hotline_orders").count(), Delivery.objects.count(), sorted(counted.items()))
"""


def test_the_same_delivery_many_times_at_once_is_one_report_and_one_answer(installation: Installation) -> None:
    settle(installation)
    said = installation.anlan("clients", "add", "hotline", "--channel", "hotline_orders", "--area", "330101").stdout
    found = re.search(r"Secret: (\S+)", said)
    assert found
    body, timestamp, nonce = json.dumps(order()).encode(), str(int(timezone.now().timestamp())), "once"
    signed = signing.sign(found[1], SCHEME, timestamp=timestamp, nonce=nonce, body=body)
    headers = {SCHEME.timestamp: timestamp, SCHEME.nonce: nonce, SCHEME.header: signed}
    with served(installation, "--no-work") as server, ThreadPoolExecutor(8) as pool:
        address = f"{server.url}/hooks/hotline"
        answers = list(pool.map(lambda _: httpx.post(address, content=body, headers=headers, timeout=60), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert sum("X-Anlan-Repeated" in answer.headers for answer in answers) == 15
    told = installation.python("-c", COUNT).stdout.strip()
    assert told == "1 1 [('delivered', 1), ('received', 1), ('repeated_delivery', 15)]"
