"""Many guesses at one name in the same moment: each of them counts."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from installation import Installation

SETUP = """
import django; django.setup()
from anlan.places import officers
from world import AT
officers.create("aning", name="阿宁", password="lantern-harbour-42", by=None, at=AT)
"""
GUESS = """
import django, json, threading; django.setup()
from django.db import connections
from anlan.kernel.text import Refusal
from anlan.places import officers
from world import AT
said, ready = [], threading.Barrier(12)
def guess(number):
    ready.wait()
    try:
        officers.sign_in("{name}", f"wrong-guess-{{number}}", at=AT)
    except Refusal as refusal:
        said.append(type(refusal).__name__)
    connections.close_all()
threads = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(said))
"""


@pytest.mark.parametrize("name", ["aning", "nobody"])
def test_of_twelve_guesses_at_once_four_are_answered_and_the_others_find_the_name_locked(
    installation: Installation, name: str
) -> None:
    path = "import sys; sys.path.insert(0, 'tests')\n"
    installation.python("-c", path + SETUP)
    said = json.loads(installation.python("-c", path + GUESS.format(name=name)).stdout)
    assert Counter(said) == {"WrongSignIn": 4, "Locked": 8}
