"""`anlan serve`: tables up to date, the site on loopback, and the loops beside it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from django.conf import settings
from django.core.management import call_command
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.presentation import checks, parent

YIELDING = 5
"""How far the loops stand back when processors are short: somebody waits for a page, nobody for a count."""
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="监听地址；默认只有本机能访问 / Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口 / Port")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="网站进程数 / Processes that serve pages")] = 1,
    work: Annotated[bool, typer.Option("--work/--no-work", help="同时运行后台循环 / Run the loops beside it")] = True,
) -> None:
    """运行网站和后台循环，先把数据表更新到最新。

    Serve the site with its background loops, after bringing the tables up to date.
    """
    checks.refuse_problems(catalogue.current())
    prepare()
    run(host=host, port=port, workers=workers, work=work)


def prepare() -> None:
    """Brings the tables up to date."""
    call_command("migrate", interactive=False, verbosity=0)


def run(*, host: str, port: int, workers: int, work: bool) -> None:
    """Serves until stopped. The loops live in a process of their own, so that no page waits for them."""
    refuse_taken(host, port)
    os.environ[parent.VARIABLE] = str(os.getpid())
    typer.echo(f"http://{host}:{port}")
    with loops(wanted=work):
        Granian(
            "anlan.presentation.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=4,
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
        ).serve()


def refuse_taken(host: str, port: int) -> None:
    """Raises where another program listens already; without asking, two servers would share the visitors."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise Refusal(
            f"不能在 {host}:{port} 提供网站（{error.strerror}）。请用 --port 换一个端口，或停掉占用它的程序。",
            f"Cannot serve on {host}:{port} ({error.strerror}). Choose another with --port, or stop what uses it.",
        ) from error


@contextmanager
def loops(*, wanted: bool) -> Iterator[None]:
    """`anlan work` and the listeners as children, started again should one end before this process does."""
    if not wanted:
        yield
        return
    stop = threading.Event()
    # The first are started here, before the server forks: a fork at the same moment would keep the pipe open on which
    # the start waits, and the loops would never be looked after.
    keepers = [threading.Thread(target=keep_working, args=(start(each), stop, each)) for each in beside()]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        stop.set()
        for keeper in keepers:
            keeper.join()


def beside() -> list[tuple[str, ...]]:
    """The commands that run beside the site: the loops, and a listener for each wire that the settings name."""
    wires = {"mqtt": settings.MQTT_URL, "gb26875": settings.GB26875_LISTEN}
    return [("work",), *(("listen", wire) for wire, configured in wires.items() if configured)]


def start(command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """A command as a child of this process. Pages come before the loops, alarms before pages."""
    child = subprocess.Popen([sys.executable, "-m", "anlan.presentation.commands.main", *command])
    if command == ("work",) and hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, child.pid, YIELDING)
    return child


def keep_working(child: subprocess.Popen[bytes], stop: threading.Event, command: tuple[str, ...]) -> None:
    """Looks after the child until `stop`, and starts another should it end."""
    while True:
        while child.poll() is None and not stop.wait(0.5):
            pass
        child.terminate()
        child.wait()
        if stop.wait(5):
            return
        child = start(command)
