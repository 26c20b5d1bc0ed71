"""A whole installation beside the tests: its own data folder and its own database, used from other processes.

For what one transaction cannot show: a server that is killed, two writers at once, a backup. The tests of a page or a
verb need none of this.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from postgres import Server

MINUTES_TO_WAIT = 5


@dataclass(frozen=True, slots=True)
class Installation:
    """Where it is, and the environment in which a process belongs to it."""

    data: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process of this installation."""
        return os.environ | {
            "ANLAN_DATA": str(self.data),
            "ANLAN_DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "anlan.presentation.settings",
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def vendor(self) -> str:
        """`sqlite` or `postgresql`, as Django calls them."""
        return self.url.partition(":")[0]

    def python(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run this Python with `arguments` inside the installation, to its end; its words are kept as text."""
        return self._run([sys.executable, *arguments], check=check)

    def anlan(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command `anlan` inside the installation, to its end."""
        return self._run([str(Path(sys.executable).with_name("anlan")), *arguments], check=check)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start this Python with `arguments` inside the installation and leave it running."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _run(self, command: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=self.environment, text=True, capture_output=True, timeout=60 * MINUTES_TO_WAIT, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done


class Installations:
    """Makes installations: one is migrated, the others are copies of it."""

    def __init__(self, folder: Path, *, worker: str) -> None:
        self._folder = folder
        self._worker = worker
        self._made = 0
        socket = os.environ.get("ANLAN_TEST_SOCKET")
        self._server = Server(socket=socket) if socket else None
        self._template: Installation | None = None

    def make(self) -> Installation:
        """A migrated installation that nobody has used yet."""
        if self._template is None:
            self._template = self._empty("template")
            self._template.python("-m", "django", "migrate", "--skip-checks", "--verbosity", "0")
        self._made += 1
        return self._copy(f"copy{self._made}")

    def copy(self, installation: Installation) -> Installation:
        """A copy of one that nobody uses at this moment: its database and whatever lies in its folder."""
        self._made += 1
        made = self._copy(f"copy{self._made}", of=installation.data.name)
        shutil.copytree(installation.data, made.data, dirs_exist_ok=True)
        return made

    def remove(self, installation: Installation) -> None:
        """Remove its database, whoever still uses it, and its folder."""
        if self._server:
            self._server.drop(self._database(installation.data.name))
        shutil.rmtree(installation.data, ignore_errors=True)

    def _database(self, name: str) -> str:
        return f"anlan_{self._worker}_{name}"

    def _data(self, name: str) -> Path:
        data = self._folder / name
        data.mkdir()
        return data

    def _empty(self, name: str) -> Installation:
        data = self._data(name)
        url = self._server.create(self._database(name)) if self._server else f"sqlite:///{data / 'anlan.sqlite3'}"
        return Installation(data=data, url=url)

    def _copy(self, name: str, *, of: str = "template") -> Installation:
        data = self._data(name)
        if self._server:
            url = self._server.create(self._database(name), template=self._database(of))
            return Installation(data=data, url=url)
        for part in self._folder.glob(f"{of}/anlan.sqlite3*"):
            shutil.copy(part, data / part.name)
        return Installation(data=data, url=f"sqlite:///{data / 'anlan.sqlite3'}")
