"""Whoever gets past the triggers and touches the ledger is found by the command, which names the batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from installation import Installation
from settled import settle

Execute = Callable[..., Any]
STRANGE = "0191f0aa-0000-7000-8000-000000000000"
COPY = """
INSERT INTO ledger_event (seq, tx, id, kind, subject, "by", at, recorded_at, area_path, data)
SELECT 0, ?, ?, kind, subject, "by", at, recorded_at, area_path, data FROM ledger_event WHERE seq = ?
"""


@contextmanager
def broken_into(installation: Installation) -> Iterator[Execute]:
    """The database itself, as its administrator has it, the ledger's triggers gone."""
    if installation.vendor == "postgresql":
        with psycopg.connect(installation.url) as connection:
            connection.execute("ALTER TABLE ledger_event DISABLE TRIGGER USER")
            yield lambda statement, *values: connection.execute(statement.replace("?", "%s"), values)
        return
    with closing(sqlite3.connect(installation.data / "anlan.sqlite3")) as file, file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        yield lambda statement, *values: file.execute(statement, values)


@pytest.fixture
def sealed(installation: Installation) -> Installation:
    """A town whose history is sealed, and found whole."""
    settle(installation)
    installation.anlan("work", "--once")
    said = installation.anlan("ledger", "verify")
    assert "The ledger is whole." in said.stdout
    return installation


def refused(installation: Installation) -> list[str]:
    """What `anlan ledger verify` says of a ledger that was touched."""
    said = installation.anlan("ledger", "verify", check=False)
    assert said.returncode == 1, said.stdout + said.stderr
    assert "台账被改动过。 / The ledger was touched." in said.stdout
    assert said.stderr == ""
    return said.stdout.splitlines()


def test_one_changed_byte_is_found(sealed: Installation) -> None:
    with broken_into(sealed) as execute:
        (seq, path) = execute("SELECT seq, area_path FROM ledger_event WHERE area_path <> '' LIMIT 1").fetchone()
        changed = path[:-2] + chr(ord(path[-2]) ^ 1) + path[-1]
        execute("UPDATE ledger_event SET area_path = ? WHERE seq = ?", changed, seq)
    first, *_ = refused(sealed)
    assert first.startswith(f"#1 · {seq} ")
    assert f"Batch 1: event {seq} was changed" in first
    assert f"第 1 批：事件 {seq} 被改动" in first


def test_a_removed_event_is_found(sealed: Installation) -> None:
    with broken_into(sealed) as execute:
        (seq,) = execute("SELECT seq FROM ledger_event ORDER BY seq LIMIT 1 OFFSET 5").fetchone()
        execute("DELETE FROM ledger_event WHERE seq = ?", seq)
    first, *_ = refused(sealed)
    assert f"Batch 1: event {seq} was removed" in first
    assert f"第 1 批：事件 {seq} 被删除" in first


def test_an_inserted_event_is_found(sealed: Installation) -> None:
    with broken_into(sealed) as execute:
        (event, tx) = execute("SELECT seq, tx FROM ledger_event ORDER BY seq LIMIT 1 OFFSET 5").fetchone()
        made = STRANGE if sealed.vendor == "postgresql" else STRANGE.replace("-", "")
        execute(COPY, tx, made, event)
    first, *_ = refused(sealed)
    assert "Batch 1: event 0 was inserted later" in first
    assert "第 1 批：事件 0 后来插入" in first


def test_the_triggers_themselves_refuse_whoever_does_not_drop_them(sealed: Installation) -> None:
    attempt = (
        "import django; django.setup()\n"
        "from anlan.ledger.models import Event\n"
        "Event.objects.filter(seq__gt=0).update(kind='nothing.happened')\n"
    )
    said = sealed.python("-c", attempt, check=False)
    assert said.returncode == 1
    assert "The ledger only grows" in said.stderr
    assert "The ledger is whole." in sealed.anlan("ledger", "verify").stdout
