"""Declarations: one TOML file each, found by the folder it lies in, in the package and then in packs.

A later root overrides an earlier one by identity. A file that cannot be understood is refused with file, field and
reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from anlan.kernel import refusals, toml
from anlan.kernel.text import Refusal, Text

PACKAGE = Path(__file__).resolve().parent.parent

Mark = Literal["V", "V2", "S", "U"]
D_co = TypeVar("D_co", bound="Declaration", covariant=True)
_kinds: dict[str, Kind[Declaration]] = {}


_MARKS: dict[str, Text] = {
    "V": Text(zh="已核原文", en="read in the original"),
    "V2": Text(zh="据转述", en="read second-hand"),
    "S": Text(zh="据实践报告", en="from a report of practice"),
    "U": Text(zh="未核验", en="not verified"),
}


def _in_both(words: Any) -> Any:
    return {"zh": words, "en": words} if isinstance(words, str) else words


class Basis(BaseModel):
    """The ground a rule stands on.

    `mark` says how it was checked: V the rule's own text was read, V2 second-hand, S a report of practice,
    U not verified.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Text | None = None
    source: Annotated[Text, BeforeValidator(_in_both, json_schema_input_type=str | Text)]
    """What is written once, an address say, stands so in both languages."""
    checked_on: date
    mark: Mark

    @property
    def verified(self) -> bool:
        """Whether the rule's own text was read; only such a rule may be printed on a legal document unseen."""
        return self.mark == "V"

    @property
    def standing(self) -> Text:
        """The mark in words."""
        return _MARKS[self.mark]


class Declaration(BaseModel):
    """What one file says. `key` is its name within its kind; files of later roots override by `identity`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=60)

    @property
    def identity(self) -> str:
        """What must be unique within a root; the key, unless a kind has editions."""
        return self.key


@dataclass(frozen=True)
class Kind(Generic[D_co]):
    """A kind of declaration: every `*.toml` in a folder of this name is read as `model`."""

    folder: str
    model: type[D_co]

    def __post_init__(self) -> None:
        _kinds[self.folder] = self


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one file. `field` is a dotted path, empty when it is the whole file."""

    path: Path
    field: str
    reason: Text

    @property
    def sentence(self) -> Text:
        """File, field and reason in one sentence."""
        place = f"{self.path}: {self.field}" if self.field else str(self.path)
        return Text(zh=f"{place}：{self.reason.zh}", en=f"{place}: {self.reason.en}")


class DeclarationError(Refusal):
    """A declared file was refused; `problems` has every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        said = [problem.sentence for problem in problems]
        super().__init__("\n".join(s.zh for s in said), "\n".join(s.en for s in said), field=problems[0].field)
        self.problems = tuple(problems)


class Undeclared(Refusal):
    """Nothing of this kind has this key."""

    def __init__(self, kind: Kind[Declaration], key: str, known: Iterable[str]) -> None:
        near = get_close_matches(key, list(known), n=1)
        zh = f"“{kind.folder}”中没有“{key}”" + (f"，是否想写“{near[0]}”？" if near else "。")
        en = f"There is no “{key}” in “{kind.folder}”" + (f"; did you mean “{near[0]}”?" if near else ".")
        super().__init__(zh, en, field="key")


@dataclass
class _Shelf:
    """What was read of one kind."""

    found: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class Catalogue:
    """Every declaration under `roots`, read when first asked for. Later roots override earlier ones."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.roots = tuple(Path(root).resolve() for root in roots)
        self._files: list[dict[str, list[Path]]] | None = None
        self._shelves: dict[str, _Shelf] = {}

    def all(self, kind: Kind[D_co]) -> dict[str, D_co]:
        """Every declaration of a kind by identity. Raises `DeclarationError` when any file of the kind is bad."""
        shelf = self._shelf(kind)
        if shelf.problems:
            raise DeclarationError(shelf.problems)
        return shelf.found

    def get(self, kind: Kind[D_co], key: str) -> D_co:
        """The declaration with this identity. Raises `Undeclared`, naming the nearest key there is."""
        found = self.all(kind)
        if key not in found:
            raise Undeclared(kind, key, found)
        return found[key]

    def origin(self, kind: Kind[Declaration], key: str) -> Path:
        """The file that declares it."""
        self.get(kind, key)
        return self._shelf(kind).origins[key]

    def problems(self) -> list[Problem]:
        """What is wrong in any file of any kind imported so far, and the files of packs that no kind reads."""
        found = [problem for kind in kinds() for problem in self._shelf(kind).problems]
        return found + list(self._unread())

    def _shelf(self, kind: Kind[Declaration]) -> _Shelf:
        shelf = self._shelves.get(kind.folder)
        if shelf is None:
            shelf = _Shelf()
            for root, files in zip(self.roots, self._index(), strict=True):
                _read_root(shelf, kind, root, files.get(kind.folder, []))
            self._shelves[kind.folder] = shelf
        return shelf

    def _index(self) -> list[dict[str, list[Path]]]:
        if self._files is None:
            self._files = [_walk(root) for root in self.roots]
        return self._files

    def _unread(self) -> Iterator[Problem]:
        for root, files in zip(self.roots, self._index(), strict=True):
            for folder in sorted(files.keys() - _kinds.keys()):
                for path in files[folder] if root != PACKAGE else []:
                    if path.parent != root:
                        yield Problem(path.relative_to(root.parent), "", refusals.unread(folder, _kinds))


def kinds() -> list[Kind[Declaration]]:
    """Every kind imported so far, by folder."""
    return [_kinds[folder] for folder in sorted(_kinds)]


def _walk(root: Path) -> dict[str, list[Path]]:
    if not root.is_dir():
        raise DeclarationError([Problem(root, "", Text(zh="没有这个文件夹。", en="There is no such folder."))])
    found: dict[str, list[Path]] = {}
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith((".", "__")) and name != "node_modules")
        for name in sorted(names):
            if name.endswith(".toml"):
                found.setdefault(Path(folder).name, []).append(Path(folder, name))
    return found


def _read_root(shelf: _Shelf, kind: Kind[Declaration], root: Path, paths: Iterable[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        shown = path.relative_to(root.parent)
        try:
            declared = read(kind, path, shown=shown)
        except DeclarationError as error:
            shelf.problems.extend(error.problems)
            continue
        identity = declared.identity
        if identity in seen:
            shelf.problems.append(Problem(shown, "key", refusals.twice(identity, seen[identity])))
            continue
        seen[identity] = shown
        shelf.found[identity] = declared
        shelf.origins[identity] = path


def read(kind: Kind[D_co], path: Path, *, shown: Path | None = None) -> D_co:
    """One file read as `kind`; raises `DeclarationError` naming it as `shown`."""
    shown = shown or path
    try:
        return kind.model.model_validate(toml.read(path))
    except ValidationError as error:
        told = refusals.translate(kind.model, error)
        raise DeclarationError([Problem(shown, where, reason) for where, reason in told]) from error
    except Refusal as refusal:
        raise DeclarationError([Problem(shown, refusal.field, refusal.text)]) from refusal


def json_schema(kind: Kind[Declaration]) -> dict[str, Any]:
    """The JSON Schema of a kind, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **kind.model.model_json_schema()}


def export_schemas(folder: Path) -> list[Path]:
    """Writes `<kind>.schema.json` for every kind into `folder`; gives the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in kinds():
        path = folder / f"{kind.folder}.schema.json"
        path.write_text(json.dumps(json_schema(kind), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        written.append(path)
    return written


class _Process:
    """What this process uses; set once at start-up, and by tests."""

    catalogue = Catalogue([PACKAGE])


def use(roots: Sequence[Path]) -> Catalogue:
    """Makes the package and then `roots` (packs, in order) the catalogue of this process."""
    packs = [root for path in roots if (root := Path(path).resolve()) != PACKAGE]
    _Process.catalogue = Catalogue([PACKAGE, *packs])
    return _Process.catalogue


def current() -> Catalogue:
    """The catalogue of this process; the package alone until `use` is called."""
    return _Process.catalogue


@contextmanager
def using(roots: Sequence[Path]) -> Iterator[Catalogue]:
    """Another catalogue for the length of a `with` block."""
    before = _Process.catalogue
    try:
        yield use(roots)
    finally:
        _Process.catalogue = before
