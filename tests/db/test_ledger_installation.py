"""The ground the database tests stand on."""

from __future__ import annotations

import os

from django.db import connection

from installation import Installation

CHOSEN = {"sqlite": "sqlite", "postgres": "postgresql"}[os.environ.get("ANLAN_TEST_DATABASE") or "sqlite"]


def test_the_tests_run_on_the_database_that_was_asked_for() -> None:
    assert connection.vendor == CHOSEN


def test_an_installation_is_migrated_and_on_the_same_kind_of_database(installation: Installation) -> None:
    said = installation.python("-m", "django", "migrate", "--check", "--verbosity", "0")
    assert said.stdout == ""
    assert installation.vendor == CHOSEN


def test_what_one_installation_writes_another_does_not_see(installation: Installation) -> None:
    command = (
        "import django; django.setup(); from anlan.ledger.models import Cursor;"
        "Cursor.objects.create(name='here'); print(Cursor.objects.count())"
    )
    assert installation.python("-c", command).stdout == "1\n"
