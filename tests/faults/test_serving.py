"""The server as the operating system sees it: it starts whole or not at all, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from installation import Installation


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/sign-in/", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def eventually(holds: Callable[[], bool], *, seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.2)
    return False


@contextmanager
def served(installation: Installation, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`anlan serve` in a process group of its own, which is gone afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "anlan.presentation.commands.main", "serve", "--port", str(port), *options]
    server = subprocess.Popen(command, env=installation.environment, start_new_session=True)
    try:
        assert eventually(lambda: answers(port)), "the server did not start"
        yield server, port
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


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


def test_a_server_that_is_stopped_ends_in_order_with_its_loops(installation: Installation) -> None:
    with served(installation) as (server, port):
        assert eventually(lambda: len(working(installation)) == 1)
        server.terminate()
        assert server.wait(timeout=60) == 0
        assert not answers(port)
        assert working(installation) == []


def test_a_server_that_is_killed_leaves_nobody_behind(installation: Installation) -> None:
    with served(installation) as (server, port):
        assert eventually(lambda: len(working(installation)) == 1)
        server.kill()
        server.wait()
        assert eventually(lambda: not answers(port), seconds=20)
        assert eventually(lambda: working(installation) == [], seconds=20)


def test_loops_that_are_killed_are_started_again(installation: Installation) -> None:
    with served(installation):
        assert eventually(lambda: len(working(installation)) == 1)
        (before,) = working(installation)
        os.kill(before, signal.SIGKILL)
        assert eventually(lambda: working(installation) not in ([], [before]))


def test_a_port_that_is_taken_is_refused_in_a_sentence(installation: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = installation.anlan("serve", "--port", str(taken.getsockname()[1]), check=False)
    assert done.returncode == 2
    assert "Choose another with --port" in done.stderr


def test_a_wrong_declaration_stops_the_start_with_file_and_reason(installation: Installation, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    (pack / "topics").mkdir(parents=True)
    (pack / "topics/smoke.toml").write_text('key = "smoke"\ntitel = { zh = "烟", en = "Smoke" }\n', encoding="utf-8")
    command = [sys.executable, "-m", "anlan.presentation.commands.main", "serve", "--port", str(free_port())]
    environment = installation.environment | {"ANLAN_PACKS": str(pack)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "smoke.toml: titel" in done.stderr
    assert "Traceback" not in done.stderr
