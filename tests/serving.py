"""The real server of an installation, started, killed and started again: for the tests of faults and of the browser."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from installation import Installation

ANLAN = [sys.executable, "-m", "anlan.presentation.commands.main"]


def free_port() -> int:
    """A port of loopback on which nobody listens now, below those that the system gives to whoever calls out.

    A server that is killed and started again must find its port still free.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("No port of loopback is free.")


def eventually(holds: Callable[[], bool], *, seconds: float = 60, pause: float = 0.2) -> bool:
    """Whether it holds within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(pause)
    return False


class Server:
    """`anlan serve` in a process group of its own, always on the same port of loopback."""

    def __init__(self, installation: Installation, *options: str) -> None:
        self.installation = installation
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [*ANLAN, "serve", "--port", str(self.port), *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(self._command, env=self.installation.environment, start_new_session=True)
        assert eventually(self.answers, seconds=120, pause=0.1), "the server did not start"
        return self.process

    def answers(self) -> bool:
        """Whether a page can be had now."""
        try:
            return httpx.get(f"{self.url}/sign-in/", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL to the server, its workers and its loops, all in the same moment, whatever they are doing."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        assert eventually(lambda: not listens(self.port), seconds=20, pause=0.02), "somebody still listens"


def listens(port: int) -> bool:
    """Whether a program listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def served(installation: Installation, *options: str) -> Iterator[Server]:
    """A running server, gone afterwards with all its children."""
    server = Server(installation, *options)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def looping(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """The background loops alone, gone afterwards."""
    process = subprocess.Popen([*ANLAN, "work"], env=installation.environment, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def working(installation: Installation) -> list[int]:
    """The processes that run the loops of this installation."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            mine = str(installation.data).encode() in (folder / "environ").read_bytes()
        except OSError:
            continue
        if mine and b"work" in command and b"anlan.presentation.commands.main" in command:
            found.append(int(folder.name))
    return found
