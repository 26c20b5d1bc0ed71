"""One export at a time: two that write to one place would each put half of it there."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from anlan.kernel.text import Refusal

_LOCK = "SELECT pg_try_advisory_lock(hashtext('facts.export'))"
_FREE = "SELECT pg_advisory_unlock(hashtext('facts.export'))"


class Busy(Refusal):
    """Another export is running."""

    status = 409


@contextmanager
def alone(aside: Path, shown: str) -> Iterator[None]:
    """Nobody else exports until the block ends: on this machine, and with PostgreSQL on any. Raises `Busy`."""
    aside.mkdir(parents=True, exist_ok=True)
    with (aside / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _busy(shown) from error
        with _on_the_server(shown):
            yield


@contextmanager
def _on_the_server(shown: str) -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        (got,) = cursor.fetchone()
    if not got:
        raise _busy(shown)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_FREE)


def _busy(shown: str) -> Busy:
    return Busy(
        f"另一次导出正在进行（{shown}）。请等它结束再执行。",
        f"Another export is running ({shown}). Wait for it to end.",
    )
