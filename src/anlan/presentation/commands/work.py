"""`anlan work`: the background loops. Each is safe to run twice and safe to kill."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import typer
from django.db import close_old_connections
from django.utils import timezone

from anlan.casework import clocks
from anlan.intake import throttle, upload_work, uploads
from anlan.ledger import personal, seal
from anlan.presentation import followers, parent

logger = logging.getLogger(__name__)
app = typer.Typer(add_completion=False, rich_markup_mode=None)

TURNS = 20  # so that a flood of events does not hold up the deadlines


@dataclass(frozen=True)
class Loop:
    """A job done again after each `pause`. It gives how much it did; until that is nothing it goes on at once."""

    name: str
    job: Callable[[datetime], int]
    pause: timedelta


LOOPS = (
    Loop("followers", lambda at: followers.advance(at=at), timedelta(seconds=1)),
    Loop("sweep", lambda at: clocks.sweep(at=at), timedelta(seconds=20)),
    Loop("seal", lambda at: seal.seal(at=at), timedelta(seconds=30)),
    Loop("erase", lambda at: personal.erase_due(at=at), timedelta(hours=1)),
    Loop("uploads", lambda at: upload_work.advance(at=at), timedelta(seconds=1)),
    Loop("old uploads", lambda at: uploads.forget_old(at=at), timedelta(hours=1)),
    Loop("attempts", lambda at: throttle.forget(at=at), timedelta(hours=1)),
)


@app.command()
def work(
    once: Annotated[bool, typer.Option("--once", help="每个循环各做一遍就结束 / Do each once, then end")] = False,
) -> None:
    """运行后台循环：时限、跟随、封存、到期清除。可以随时中断，也可以同时运行多个。

    Run the background loops: deadlines, followers, seals, erasure. May be stopped at any moment, or run twice.
    """
    if once:
        for loop in LOOPS:
            typer.echo(f"{loop.name}: {exhaust(loop)}")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parent.end_with_parent()
    until_stopped(LOOPS, stop=stop)


def exhaust(loop: Loop, *, at_most: int = 1_000_000) -> int:
    """Does the job until nothing is left, or `at_most` times; how much was done."""
    done = 0
    for _ in range(at_most):
        step = loop.job(timezone.now())
        done += step
        if not step:
            break
    return done


def until_stopped(loops: Sequence[Loop], *, stop: threading.Event) -> None:
    """Runs whichever loop is due next. A loop that fails is tried again after its pause; the others go on."""
    due = {loop.name: timezone.now() for loop in loops}
    while not stop.is_set():
        now = timezone.now()
        for loop in loops:
            if due[loop.name] <= now and not stop.is_set():
                attempt(loop)
                due[loop.name] = timezone.now() + loop.pause
        stop.wait(0.5)


def attempt(loop: Loop) -> None:
    """One turn of a loop. Whatever goes wrong is told, and left for the next turn."""
    close_old_connections()
    try:
        exhaust(loop, at_most=TURNS)
    except Exception:
        logger.exception("后台循环未完成，稍后再试 / A loop failed and will be tried again: %s", loop.name)
