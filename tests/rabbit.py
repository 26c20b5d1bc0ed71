"""A real RabbitMQ of a folder that `anlan devices broker --kind rabbitmq` has written, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from serving import eventually, free_port, listens

# The program itself: what Debian puts into the path changes to the service's user and folders first.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def rabbitmq() -> Path:
    """The folder of the broker's programs; without it the test is skipped."""
    found = Path(os.environ.get("ANLAN_DURABLE_BROKER") or SERVER)
    if not found.exists():
        pytest.skip("There is no RabbitMQ here; scripts/broker-durable installs it.")
    return found.parent


class Rabbit:
    """RabbitMQ with its own node, name service and data in a folder, always on the same port of loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.programs = folder, free_port(), rabbitmq()
        folder.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None
        self.names: subprocess.Popen[bytes] | None = None
        self._environment = os.environ | {
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_ALLOW_INPUT": "1",  # one process, which a signal reaches
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 2:2",
        }

    def start(self) -> None:
        if self.names is None:
            port = self._environment["ERL_EPMD_PORT"]
            self.names = subprocess.Popen(["epmd", "-port", port, "-address", "127.0.0.1"], start_new_session=True)
        with (self.folder / "rabbitmq.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "rabbitmq-server"], env=self._environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        assert eventually(lambda: listens(self.port), seconds=120, pause=0.02), self.log()

    def log(self) -> str:
        return (self.folder / "rabbitmq.log").read_text("utf-8", "replace")

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` says."""
        command = [str(self.programs / "rabbitmqctl"), *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def end(self) -> None:
        """The broker and its name service are gone."""
        self.kill()
        if self.names is not None:
            self.names.kill()
            self.names.wait()


@contextmanager
def running(rabbit: Rabbit) -> Iterator[Rabbit]:
    """A broker, gone afterwards."""
    try:
        rabbit.start()
        yield rabbit
    finally:
        rabbit.end()
