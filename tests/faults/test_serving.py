"""The server as the operating system sees it: it starts whole or not at all, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

from installation import Installation
from serving import ANLAN, eventually, free_port, served, working


def test_a_server_that_is_stopped_ends_in_order_with_its_loops(installation: Installation) -> None:
    with served(installation) as server:
        assert eventually(lambda: len(working(installation)) == 1)
        assert server.process
        server.process.terminate()
        assert server.process.wait(timeout=60) == 0
        assert not server.answers()
        assert working(installation) == []


def test_a_server_that_is_killed_leaves_nobody_behind(installation: Installation) -> None:
    with served(installation) as server:
        assert eventually(lambda: len(working(installation)) == 1)
        assert server.process
        server.process.kill()
        server.process.wait()
        assert eventually(lambda: not server.answers(), seconds=20)
        assert eventually(lambda: working(installation) == [], seconds=20)


def test_loops_whose_server_was_killed_while_they_started_end_at_once(installation: Installation) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    environment = installation.environment | {"ANLAN_PARENT": str(gone.pid)}
    with subprocess.Popen([*ANLAN, "work"], env=environment) as loops:
        try:
            assert loops.wait(timeout=60) == 1
        finally:
            loops.kill()


def test_loops_that_are_killed_are_started_again(installation: Installation) -> None:
    with served(installation) as server:
        assert eventually(lambda: len(working(installation)) == 1)
        (before,) = working(installation)
        os.kill(before, signal.SIGKILL)
        again = eventually(lambda: working(installation) not in ([], [before]))
        assert again, (
            f"was {before}, is {working(installation)}, server ended: {server.process and server.process.poll()}"
        )


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
    command = [*ANLAN, "serve", "--port", str(free_port())]
    environment = installation.environment | {"ANLAN_PACKS": str(pack)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "smoke.toml: titel" in done.stderr
    assert "Traceback" not in done.stderr
