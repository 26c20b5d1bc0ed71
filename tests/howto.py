"""The pages of docs/howto as a reader follows them: their files, their commands, what they promise and warn of."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from installation import Installation

ROOT = Path(__file__).parents[1]
HOWTO = ROOT / "docs/howto"
_FENCE = re.compile(r"^```(?P<language>\w+)(?: +(?P<file>\S+))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_MISTAKE = re.compile(r"^\| `(?P<right>[^`]+)` \| `(?P<wrong>[^`]+)` \| (?P<said>.+) \|$", re.MULTILINE)
_MARK = "──── end of block"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file it is to be written to ("" = none), and its text."""

    language: str
    file: str
    body: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row of the page's last table: what stands in the file, what is written instead, and what the check says."""

    right: str
    wrong: str
    said: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page in one language."""

    name: str
    blocks: tuple[Block, ...]
    mistakes: tuple[Mistake, ...]

    def write(self, folder: Path) -> list[Path]:
        """Write every file of the page below `folder`; the files written."""
        written = []
        for block in self.blocks:
            if block.file:
                path = folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.body, encoding="utf-8")
                written.append(path)
        return written

    @property
    def declarations(self) -> list[Block]:
        """The files of declarations that the page tells to write."""
        return [block for block in self.blocks if block.file.endswith(".toml")]

    def declaration(self) -> Block:
        """The one file of declarations that the page tells to write."""
        [only] = self.declarations
        return only


def page(name: str) -> Page:
    """The page `name`, such as `add-a-topic` or `add-a-topic.zh-CN`."""
    text = (HOWTO / f"{name}.md").read_text("utf-8")
    blocks = tuple(Block(m["language"], m["file"] or "", m["body"]) for m in _FENCE.finditer(text))
    prose = _FENCE.sub("", text)
    return Page(name, blocks, tuple(Mistake(m["right"], m["wrong"], m["said"]) for m in _MISTAKE.finditer(prose)))


def follow(read: Page, folder: Path, installation: Installation) -> list[str]:
    """Write the page's files and run its commands in `folder`, in one shell, as its reader does; what each block said.

    The packs of the project lie where they are in its own folder.
    """
    read.write(folder)
    (folder / "packs").mkdir(exist_ok=True)
    for pack in sorted((ROOT / "packs").iterdir()):
        (folder / "packs" / pack.name).symlink_to(pack)
    script = "".join(f"{block.body}echo '{_MARK}'\n" for block in read.blocks if block.language == "sh")
    return shell(script, folder, installation).split(f"{_MARK}\n")[:-1]


def shell(script: str, folder: Path, installation: Installation) -> str:
    """What a script says that is run in `folder`, with this Python's commands at hand; it must succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = installation.environment | {"PATH": path}
    environment.pop("ANLAN_PACKS", None)
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def promised(read: Page) -> Iterator[tuple[int, list[str]]]:
    """For each block of output: the number of the commands before it, and the lines that are promised."""
    commands = -1
    for block in read.blocks:
        if block.language == "sh":
            commands += 1
        elif block.language == "text" and commands >= 0:
            yield commands, [line for line in block.body.splitlines() if line != "…"]


def in_order(lines: list[str], said: str) -> list[str]:
    """Those of `lines` that do not stand in `said` after the ones before them."""
    left = iter(said.splitlines())
    return [line for line in lines if line not in left]
