"""What lies in a place of facts: every file with its rows and digest, and how far the ledger was read."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from anlan.facts.store import Store
from anlan.kernel.text import Refusal
from anlan.ledger.models import START
from anlan.ledger.order import Position

NAME: Final = "manifest.json"
NEXT: Final = ".next"
FORMAT: Final = 1


class BadManifest(Refusal):
    """The list of the files cannot be read."""


class OtherFormat(BadManifest):
    """The list of the files was written by another version of the program."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Said):
    """One file: its rows, its bytes and its digest."""

    rows: int
    bytes: int
    sha256: str


class Sealed(_Said):
    """The last seal that lies wholly within what was read: the ledger up to it cannot have been changed since."""

    number: int
    chain_sha256: str


class Change(_Said):
    """What a run did to one month of a table ("" for a snapshot). `late`: the month was over when it was last told of.

    `kinds` counts, by kind of event, what the changed rows are about (cases, reports …).
    """

    table: str
    month: str
    added: int
    removed: int
    changed: int
    late: bool = False
    kinds: dict[str, int] = {}


class Changes(_Said):
    """A file of changes: the rows of a table that a run took back (-1) and added (+1)."""

    name: str
    rows: int
    sha256: str


class Run(_Said):
    """One export that changed something. A `whole` one wrote everything anew, for the reason `why`, and has no changes
    to count on from; else `changes` names for each table the file of its rows taken back (-1) and added (+1).
    """

    number: int
    since: Position | None
    until: Position
    cut_off: str
    whole: bool = False
    why: str = ""
    months: tuple[Change, ...] = ()
    changes: dict[str, Changes] = {}


class Held(_Said):
    """The files of one table; `edition` is the digest of its declaration."""

    edition: str
    rows: int
    files: dict[str, File]


class _Written(BaseModel):
    """What every version writes, whatever else it does."""

    format: int = FORMAT


class Manifest(_Said):
    """Everything that lies there. `cursor` is the last event read, `cut_off` when it was recorded ("" where there was
    none). `runs` are in order; those no longer named have no file of changes any more.
    """

    format: int = FORMAT
    fingerprint: str
    cursor: Position = (START, 0)
    cut_off: str = ""
    seal: Sealed | None = None
    tables: dict[str, Held] = {}
    runs: tuple[Run, ...] = ()

    @property
    def files(self) -> dict[str, File]:
        """Every file of a table by its name."""
        return {name: file for held in self.tables.values() for name, file in held.files.items()}


def read(store: Store, name: str = NAME) -> Manifest | None:
    """What a place says of itself; None where nothing lies. Raises `BadManifest`, `OtherFormat`."""
    content = store.read(name)
    if content is None:
        return None
    try:
        if (written := _Written.model_validate_json(content).format) != FORMAT:
            raise OtherFormat(
                f"{store.shown} 里的 {name} 是另一版本的安澜写的（格式 {written}，本版本用 {FORMAT}）。"
                "请换用那个版本，或执行 anlan facts export --anew 重新导出。",
                f"{name} in {store.shown} was written by another version of Anlan (format {written}; this one writes "
                f"{FORMAT}). Use that version, or run anlan facts export --anew.",
            )
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise BadManifest(
            f"{store.shown} 里的 {name} 看不懂，可能已损坏。请执行 anlan facts export --anew 重新导出。",
            f"{name} in {store.shown} cannot be read; it may be damaged. Run anlan facts export --anew.",
        ) from error


def write(store: Store, manifest: Manifest, name: str = NAME) -> None:
    """Say it, in the same words for the same things."""
    store.write(name, (manifest.model_dump_json(indent=1) + "\n").encode())
