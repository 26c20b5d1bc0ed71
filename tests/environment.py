"""What the tests run on, settled before Django reads its settings (a pytest plugin, named in pyproject.toml).

ANLAN_TEST_DATABASE chooses the database: `sqlite` (default), `postgres` (a server of our own, shared by all xdist
workers) or the address of a server that is already there. Nothing of the person's own installation is read or touched.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

# Followers wait for the transactions of others; in a test's one transaction there are no others to wait for.
ALONE = "-c anlan.alone=on"
OURS = ("ANLAN_PACKS", "ANLAN_HOSTS", "ANLAN_ORIGINS", "ANLAN_TIME_ZONE")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    for name in OURS:
        os.environ.pop(name, None)
    os.environ["ANLAN_SECRET_KEY"] = "a key that only the tests use"
    # Without its bytecode kept, every process that is started would compile all of Django again: two seconds each.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:  # the database address came down from the process that started this one
        data = Path(os.environ["ANLAN_DATA"]) / worker
        data.mkdir(exist_ok=True)
    else:
        data = Path(tempfile.mkdtemp(prefix="anlan-test-"))
        atexit.register(shutil.rmtree, data, ignore_errors=True)
        os.environ["ANLAN_DATABASE_URL"] = database_url(data)
    os.environ["ANLAN_DATA"] = str(data)


def database_url(data: Path) -> str:
    """The address of the database the environment asks for, started where needed."""
    chosen = os.environ.get("ANLAN_TEST_DATABASE") or "sqlite"
    if chosen == "sqlite":
        return f"sqlite:///{data / 'anlan.sqlite3'}"
    if chosen == "postgres":
        import postgres

        server = postgres.start()
        os.environ["ANLAN_TEST_SOCKET"] = server.socket
        return server.url(options=ALONE)
    raise pytest.UsageError(f"ANLAN_TEST_DATABASE is '{chosen}'; it can be sqlite or postgres.")
