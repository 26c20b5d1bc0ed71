"""Editions: what was published for a period, frozen in a folder that anybody can open.

`<root>/<index>/<period>/<number>/` holds

* `manifest.json`: a `Manifest`;
* `spec/<folder>/<key>.toml`: every declaration the figures came from, as the files were;
* `facts/<table>/…/*.parquet`: the facts they were counted from, as they were (hard links where the disk allows it);
* `values.parquet`: area_path, period, indicator, numerator, denominator, value, status, low, high — a value per area
  and indicator, in the indicator's unit; status as `panel.Status`; low and high its 90 % interval;
* `scores.parquet`: area_path, period, node, score, weight, points — a score (0 to 100) per area and node of the tree;
  the index's own key is the whole before lines; weight is the share of the whole that the node had for this area,
  points what it brought to the whole (its full points, 100 × weight, less what it lacks);
* `ranks.parquet`: area_path, peer, score, rounded, rank, rank_low, rank_high, tied, band — the final score, lines
  included; `peer` is the key of the group (with its name, where there are several of a key); rank 1 is best, its 90 %
  interval, whether another has the same;
* `lines.parquet`: area_path, rule, points, times, why — what was taken off (negative) or given; `why` is JSON: the very
  cases and figures (deductions.Line);
* `signals.parquet`: area_path, signal, raised, share, low, high, above, below — what stands beside the score and is
  never in it (integrity.Reading);
* `history.parquet`: period, area_path, peer, rank, size — rankings of earlier and shorter periods that rules looked at.

A number with nothing behind it is null. Rows are sorted by all columns that name something, in the order given. A later
correction is a folder with the next number beside the old one, which stays as it is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from anlan.index.counting import period
from anlan.index.editions import digest
from anlan.kernel.catalogue import Catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal, Text

State = Literal["draft", "signed", "published", "withdrawn"]
STATES: Final[dict[State, Text]] = {
    "draft": Text(zh="草稿", en="draft"),
    "signed": Text(zh="已签发待发布", en="signed off"),
    "published": Text(zh="已发布", en="published"),
    "withdrawn": Text(zh="已撤回", en="withdrawn"),
}
NEXT: Final[dict[State, tuple[State, ...]]] = {
    "draft": ("signed", "withdrawn"),
    "signed": ("published", "withdrawn"),
    "published": ("withdrawn",),
    "withdrawn": (),
}
"""Where an edition may go from where it is."""

_TEXT, _REAL, _WHOLE, _TRUE = pa.string(), pa.float64(), pa.int64(), pa.bool_()
SCHEMAS: Final[dict[str, Any]] = {
    "values": pa.schema(
        [("area_path", _TEXT), ("period", _TEXT), ("indicator", _TEXT), ("numerator", _REAL), ("denominator", _REAL),
         ("value", _REAL), ("status", _WHOLE), ("low", _REAL), ("high", _REAL)]
    ),
    "scores": pa.schema(
        [("area_path", _TEXT), ("period", _TEXT), ("node", _TEXT), ("score", _REAL), ("weight", _REAL),
         ("points", _REAL)]
    ),
    "ranks": pa.schema(
        [("area_path", _TEXT), ("peer", _TEXT), ("score", _REAL), ("rounded", _REAL), ("rank", _WHOLE),
         ("rank_low", _WHOLE), ("rank_high", _WHOLE), ("tied", _TRUE), ("band", _TEXT)]
    ),
    "lines": pa.schema(
        [("area_path", _TEXT), ("rule", _TEXT), ("points", _REAL), ("times", _REAL), ("why", _TEXT)]
    ),
    "signals": pa.schema(
        [("area_path", _TEXT), ("signal", _TEXT), ("raised", _TEXT), ("share", _REAL), ("low", _REAL),
         ("high", _REAL), ("above", _REAL), ("below", _REAL)]
    ),
}  # fmt: skip
"""The columns of every table of a result."""
HISTORY: Final = pa.schema(
    [("period", _TEXT), ("area_path", _TEXT), ("peer", _TEXT), ("rank", _WHOLE), ("size", _WHOLE)]
)
_OPTIONAL: Final = ("signals", "history")
_LONGEST: Final = 200
"""Bytes of a folder's name: file systems refuse to be asked for longer ones."""
_NOTHING: Final = digest.of_table(HISTORY.empty_table())
_SORTED: Final = {
    "values": ("area_path", "period", "indicator"),
    "scores": ("area_path", "period", "node"),
    "ranks": ("area_path", "peer"),
    "lines": ("area_path", "rule", "why"),
    "signals": ("area_path", "signal"),
    "history": ("period", "area_path"),
}


class NoEdition(Refusal):
    """There is no such edition."""

    def __init__(self, index: str, period_: str = "", number: int | None = None) -> None:
        which = " ".join(part for part in (index, period_, f"#{number}" if number else "") if part)
        super().__init__(
            f"没有“{which}”的发布版本。用 anlan index editions 看有哪些。",
            f"There is no edition of “{which}”. See which there are with: anlan index editions",
        )


class Spoilt(Refusal):
    """A file of an edition is not what was frozen."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} 与封存时不同，这一版不再可信。请从备份恢复该文件。",
            f"{path} is not what was frozen, so this edition cannot be trusted; restore the file from a backup.",
        )


class WrongState(Refusal):
    """The edition stands where this cannot be done."""

    def __init__(self, edition: Edition, wanted: State) -> None:
        now, then = STATES[edition.manifest.state], STATES[wanted]
        super().__init__(
            f"{edition.name} 目前是“{now.zh}”，不能变为“{then.zh}”。",
            f"{edition.name} is {now.en} and cannot become {then.en}.",
        )


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SealMark(_Frozen):
    """The ledger's last seal when the facts were taken: its number and its chain (SHA-256, hex)."""

    number: int
    chain: str


class Facts(_Frozen):
    """What was counted: events recorded up to `cut_off`, and the SHA-256 of every Parquet file by its path."""

    cut_off: datetime
    files: dict[str, str]


class Deed(_Frozen):
    """Who did it (an officer's number; none where a machine did) and when."""

    by: int | None
    at: datetime
    why: str = ""


class Change(_Frozen):
    """One final score that is not what the edition before had; null where an area is only in one of them."""

    area_path: str
    before: float | None
    after: float | None
    rank_before: int | None
    rank_after: int | None


class Manifest(_Frozen):
    """What an edition says of itself. `changes` and `restated` compare it with the edition `corrects`, if there is one.

    `result_sha256` is the digest of the tables of `SCHEMAS` (digest.of_tables), `history_sha256` that of the rankings.
    """

    index: str
    period: str
    number: int
    state: State
    title: Text
    spec_sha256: str
    facts: Facts
    seed: int
    seal: SealMark | None
    made_at: datetime
    made_by: int | None
    signed: Deed | None = None
    published: Deed | None = None
    withdrawn: Deed | None = None
    result_sha256: str
    history_sha256: str = ""
    made_with: dict[str, str]
    corrects: int | None = None
    changes: tuple[Change, ...] = ()
    restated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edition:
    """One folder, read when asked."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """Index, period and number, as a person writes them."""
        return f"{self.manifest.index} {self.manifest.period} #{self.manifest.number}"

    @property
    def period(self) -> period.Period:
        return period.read(self.manifest.period)

    def table(self, name: str, **equal: str) -> Any:
        """A table of the result (Arrow), only the rows where each column is what `equal` says. Raises Spoilt."""
        return self._read(name, SCHEMAS[name], [(column, "=", value) for column, value in equal.items()])

    def values(self, **equal: str) -> Any:
        return self.table("values", **equal)

    def scores(self, **equal: str) -> Any:
        return self.table("scores", **equal)

    def ranks(self, **equal: str) -> Any:
        return self.table("ranks", **equal)

    def lines(self, **equal: str) -> Any:
        return self.table("lines", **equal)

    def signals(self, **equal: str) -> Any:
        return self.table("signals", **equal)

    def history(self) -> Any:
        """The rankings that rules looked at."""
        return self._read("history", HISTORY, [])

    def _read(self, name: str, schema: pa.Schema, filters: list[tuple[str, str, str]]) -> Any:
        path = self.folder / f"{name}.parquet"
        try:
            return pq.read_table(path, filters=filters or None).cast(schema)
        except (OSError, pa.ArrowException) as error:
            raise Spoilt(path) from error

    def tables(self) -> dict[str, Any]:
        """Every table of the result, by name."""
        return {name: self.table(name) for name in SCHEMAS}

    def spec(self) -> Catalogue:
        """The declarations it was made by, as they were."""
        return Catalogue([self.folder / "spec"])

    @property
    def facts(self) -> Path:
        """The facts it was counted from, laid out as the facts folder is."""
        return self.folder / "facts"

    def check(self) -> None:
        """Raises Spoilt when a table, a declaration or a fact is not what was frozen."""
        if digest.of_tables(self.tables()) != self.manifest.result_sha256:
            raise Spoilt(self.folder)
        if digest.of_table(self.history()) != (self.manifest.history_sha256 or _NOTHING):
            raise Spoilt(self.folder / "history.parquet")
        if digest.of_folder(self.folder / "spec") != self.manifest.spec_sha256:
            raise Spoilt(self.folder / "spec")
        for path, known in self.manifest.facts.files.items():
            kept = self.facts / path
            if not kept.is_file() or digest.of_file(kept) != known:
                raise Spoilt(kept)


def read(folder: Path) -> Edition:
    """The edition in a folder. Raises Spoilt when its manifest cannot be read."""
    path = folder / "manifest.json"
    try:
        return Edition(folder, Manifest.model_validate_json(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise Spoilt(path) from error


def find(root: Path, index: str, period_: str, number: int | None = None) -> Edition:
    """One edition; without a number the last one of the period that stands. Raises NoEdition."""
    if number is not None:
        folder = root / index / period_ / str(number)
        if not _named(index, period_, folder.name) or not (folder / "manifest.json").is_file():
            raise NoEdition(index, period_, number)
        return read(folder)
    standing = [each for each in of_period(root, index, period_) if each.manifest.state != "withdrawn"]
    if not standing:
        raise NoEdition(index, period_)
    return standing[-1]


def of_period(root: Path, index: str, period_: str) -> list[Edition]:
    """Every edition of a period, the oldest first."""
    folder = root / index / period_
    if not _named(index, period_) or not folder.is_dir():
        return []
    return [read(folder / str(number)) for number in sorted(_numbers(folder))]


def every(root: Path, index: str = "", *, state: State | None = None) -> Iterator[Edition]:
    """Every edition of an index, or of all; by index, time and number."""
    named = [index] if index else _names(root)
    folders = [root / name / period_ for name in named if _named(name) for period_ in _names(root / name)]
    for folder in sorted(folders, key=_in_time):
        for each in of_period(root, folder.parent.name, folder.name):
            if state in (None, each.manifest.state):
                yield each


def published(root: Path, index: str) -> dict[str, Edition]:
    """The last published edition of each period, by the period's name, in the order of time."""
    return {each.manifest.period: each for each in every(root, index, state="published")}


def write(root: Path, manifest: Manifest, tables: Mapping[str, Any], *, spec: Path, facts: Path) -> Edition:
    """A new edition's folder, whole or not at all; its number is the next of its period whatever the manifest says.

    `tables` are those of `SCHEMAS` and "history"; signals and history may be left out. `spec` and `facts` are folders;
    of the facts the files that the manifest names are kept.
    """
    place = root / manifest.index / manifest.period
    place.mkdir(parents=True, exist_ok=True)
    part = place / f".part-{new_id()}"
    try:
        part.mkdir()
        shutil.copytree(spec, part / "spec")
        for path in manifest.facts.files:
            _keep(facts / path, part / "facts" / path)
        for name, schema in {**SCHEMAS, "history": HISTORY}.items():
            table = schema.empty_table() if name in _OPTIONAL and name not in tables else tables[name]
            pq.write_table(in_order(name, table).cast(schema), part / f"{name}.parquet")
        while True:
            numbered = manifest.model_copy(update={"number": max(_numbers(place), default=0) + 1})
            _note(part, numbered)
            folder = place / str(numbered.number)
            with suppress(OSError):
                return Edition(part.rename(folder), numbered)
            if not folder.is_dir():
                raise OSError(f"cannot make {folder}")
    finally:
        shutil.rmtree(part, ignore_errors=True)


def move(edition: Edition, state: State, *, by: int | None, at: datetime, why: str = "") -> Edition:
    """The edition in its next state; nothing but that is written. Raises WrongState."""
    if state not in NEXT[edition.manifest.state]:
        raise WrongState(edition, state)
    moved = edition.manifest.model_copy(update={"state": state, state: Deed(by=by, at=at, why=why)})
    _note(edition.folder, moved)
    return Edition(edition.folder, moved)


def in_order(name: str, table: Any) -> Any:
    """A table with its rows in the order in which they are kept."""
    return table.take(pc.sort_indices(table, sort_keys=[(column, "ascending") for column in _SORTED[name]]))


def _keep(source: Path, kept: Path) -> None:
    """The file as it is now; another name for its bytes where the disk can: who restates a month writes a new file."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        kept.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, kept)


def _note(folder: Path, manifest: Manifest) -> None:
    said = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True)
    part = folder / ".manifest.json"
    part.write_text(said + "\n", encoding="utf-8")
    part.replace(folder / "manifest.json")


def _numbers(folder: Path) -> list[int]:
    return [int(each.name) for each in folder.iterdir() if each.name.isdigit()]


def _names(folder: Path) -> list[str]:
    """The folders in a folder; none where there is none, and not those that are being written."""
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _named(*names: str) -> bool:
    """Names that a folder can have, and no way out of the root."""
    return all(0 < len(name.encode(errors="replace")) <= _LONGEST and _plain(name) for name in names)


def _plain(name: str) -> bool:
    return not name.startswith(".") and not set(name) & {"/", "\\", "\0"}


def _in_time(folder: Path) -> tuple[str, Any]:
    with suppress(period.NoPeriod):
        return folder.parent.name, (period.read(folder.name).first, folder.name)
    return folder.parent.name, (date.max, folder.name)
