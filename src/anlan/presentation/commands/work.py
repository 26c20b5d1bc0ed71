"""`anlan work`: the background loops. Each is safe to run twice and safe to kill."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import typer
from django.db import close_old_connections
from django.utils import timezone

from anlan.casework import alarms, clocks, experience, pushes
from anlan.intake import hooks, suggestion, throttle, topic_model
from anlan.intake.uploading import uploads
from anlan.intake.uploading import work as upload_work
from anlan.ledger import personal, seal
from anlan.presentation import facts, followers, parent, sending, telling
from anlan.presentation.forwarding import turn as forwarding

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
    Loop("devices", lambda at: alarms.sweep(at=at), timedelta(seconds=20)),
    Loop("pushes", lambda at: pushes.sweep(at=at), timedelta(seconds=20)),
    Loop("sending", lambda at: sending.send_due(at=at), timedelta(seconds=5)),
    Loop("forwards", lambda at: forwarding.turn(at=at), timedelta(seconds=5)),
    Loop("watches", lambda at: telling.once(at=at), timedelta(seconds=5)),
    Loop("seal", lambda at: seal.seal(at=at), timedelta(seconds=30)),
    Loop("erase", lambda at: personal.erase_due(at=at), timedelta(hours=1)),
    Loop("uploads", lambda at: upload_work.advance(at=at), timedelta(seconds=1)),
    Loop("old uploads", lambda at: uploads.forget_old(at=at), timedelta(hours=1)),
    Loop("attempts", lambda at: throttle.forget(at=at), timedelta(hours=1)),
    Loop("deliveries", lambda at: hooks.forget(at=at), timedelta(hours=1)),
    Loop("facts", lambda at: facts.turn(at=at), facts.pause() or timedelta(hours=1)),
    Loop("topics", lambda at: learn_topics(at=at), timedelta(hours=6)),
)


def topics_are_due(*, at: datetime) -> bool:
    """Whether it is time to learn topics again, and there is enough to learn from."""
    how = suggestion.declared()
    return topic_model.is_due(at=at) and len(experience.topics_told(until=at, most=how.fewest)) >= how.fewest


def learn_topics(*, at: datetime) -> int:
    """Learns topics again when they are due; in a process of its own, for learning takes memory."""
    if topics_are_due(at=at):
        subprocess.run([sys.executable, "-m", "anlan.presentation.commands.main", "topics", "learn"], check=True)
    return 0


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
