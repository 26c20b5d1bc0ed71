"""Several processes send the same messages at the same time."""

from __future__ import annotations

import json

from installation import Installation

SETUP = """
import django; django.setup()
from datetime import date
from anlan.kernel.text import Text
from anlan.places import areas
from world import AT
name = Text(zh="甲县", en="Jia")
areas.create("33", level="county", name=name, parent=None, valid_from=date(2024, 1, 1), by=None, at=AT)
"""
SEND = """
import django; django.setup()
from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.kernel import catalogue
from world import AT
channel = catalogue.current().get(CHANNELS, "api")
for n in range(40):
    reports.receive(channel, {"id": f"m{n}", "topic": "waste", "description": "垃圾"}, by=None, at=AT)
"""
COUNT = """
import django, json; django.setup()
from anlan.intake.models import Quarantined, Report
from anlan.ledger.models import Event
events = Event.objects.filter(kind="report.received").count()
print(json.dumps([Report.objects.count(), Quarantined.objects.count(), events]))
"""


def test_the_same_messages_from_four_processes_are_one_report_each(installation: Installation) -> None:
    path = "import sys; sys.path.insert(0, 'tests')\n"
    installation.python("-c", path + SETUP)
    running = [installation.start("-c", path + SEND) for _ in range(4)]
    ended = [(process.communicate(timeout=120)[0], process.returncode) for process in running]
    assert [code for _, code in ended] == [0, 0, 0, 0], ended
    assert json.loads(installation.python("-c", path + COUNT).stdout) == [40, 0, 40]
