"""Where a benchmark runs: an installation of its own under var/bench, on the disk that the real one would use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.rows import ROOT

if TYPE_CHECKING:
    from postgres import Server

sys.path.insert(0, str(ROOT / "tests"))
BENCH = ROOT / "var/bench"
DATABASES = ("sqlite", "postgres")


@cache
def server(folder: Path) -> Server:
    """A PostgreSQL of our own that waits for the disk as a real one does; it ends with this process, its data stays."""
    import postgres

    return postgres.start(careless=False, keep=folder)


@contextmanager
def ground(name: str, database: str, *, keep: bool = False) -> Iterator[dict[str, str]]:
    """The environment of an installation; `keep` leaves its data for the next run."""
    data = BENCH / f"{name}-{database}"
    if not keep:
        shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{data / 'anlan.sqlite3'}" if database == "sqlite" else _postgres(f"bench_{name}", keep=keep)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    try:
        yield os.environ | {
            "ANLAN_DATA": str(data), "ANLAN_DATABASE_URL": url, "ANLAN_SECRET_KEY": "only for benchmarks",
            "ANLAN_PACKS": "", "DJANGO_SETTINGS_MODULE": "anlan.presentation.settings", "PYTHONPATH": paths,
        }  # fmt: skip
    finally:
        if not keep:
            shutil.rmtree(data, ignore_errors=True)


def _postgres(name: str, *, keep: bool) -> str:
    running = server(BENCH / "postgres")
    known = name in running.databases()
    if known and not keep:
        running.drop(name)
    return running.url(name) if known and keep else running.create(name)


def start(module: str, out: Path, environment: dict[str, str], *, small: bool) -> None:
    """Run one part as a process of its own, to its end."""
    command = [sys.executable, "-m", f"benchmarks.{module}", "--out", str(out)]
    subprocess.run([*command, "--small"] if small else command, env=environment, check=True, cwd=ROOT)


def ready() -> str:
    """Django with its tables, in a part's own process; gives the database's name."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
