"""The areas as a tree of paths, with which of them there were when, and the adding up along it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NOWHERE: Final = -1
EPOCH: Final = date(1970, 1, 1)
FOREVER: Final = 2**62
Storey = tuple[Ints, Ints, Ints]
"""Areas of one depth; for each the place of its parent in the third; their parents, without repetition."""


@dataclass(frozen=True, slots=True)
class Version:
    """An area of a level from `since` until the day before `until` (None: still)."""

    path: str
    level: str = ""
    since: date | None = None
    until: date | None = None
    name_zh: str = ""
    name_en: str = ""

    def stands(self, day: date) -> bool:
        """Whether the area was one on that day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


class Tree:
    """Every area that a version tells of or a fact lies in, by path; those above them are there, too.

    Without versions every path is an area at all times, of a level without a name.
    """

    def __init__(self, versions: Iterable[Version], seen: Iterable[str] = ()) -> None:
        told = list(versions)
        self.known = bool(told)
        self._over: dict[str, str] = {}
        for path in {*seen, *(one.path for one in told)}:
            part = path
            while part and part not in self._over:
                part = self._over.setdefault(part, parent(part))
        self.paths: tuple[str, ...] = tuple(sorted(self._over))
        self.place: Mapping[str, int] = {path: place for place, path in enumerate(self.paths)}
        self.versions: dict[str, list[Version]] = {}
        for one in told:
            self.versions.setdefault(one.path, []).append(one)
        self._place = np.array([self.place[one.path] for one in told], dtype=np.int64)
        self._since = np.array([-FOREVER if one.since is None else ordinal(one.since) for one in told], dtype=np.int64)
        self._until = np.array([FOREVER if one.until is None else ordinal(one.until) for one in told], dtype=np.int64)
        self._level = [one.level for one in told]
        self._standing: dict[date, Flags] = {}
        self._levels: dict[date, list[str]] = {}
        self._storeys: dict[date, list[Storey]] = {}

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def parents(self) -> Ints:
        """The place of the area above each, or NOWHERE."""
        return np.array([self.place.get(self._over[path], NOWHERE) for path in self.paths], dtype=np.int64)

    @cached_property
    def depth(self) -> Ints:
        """How many areas stand above each."""
        return np.array([path.count("/") - 1 for path in self.paths], dtype=np.int64)

    @cached_property
    def up(self) -> Any:
        """A sparse matrix that adds what lies in areas up to all areas they lie in: areas × areas."""
        over = below = np.arange(len(self))
        rows, columns = [], []
        while len(over):
            rows.append(over)
            columns.append(below)
            over = self.parents[over]
            over, below = over[over != NOWHERE], below[over != NOWHERE]
        ones = np.ones(sum(map(len, rows)))
        every = (np.concatenate(rows), np.concatenate(columns)) if rows else ([], [])
        return sparse.csr_matrix((ones, every), shape=(len(self), len(self)))

    @cached_property
    def _names(self) -> Any:
        return pa.array(self.paths, pa.string())

    def places(self, paths: Any) -> Ints:
        """The place of each path of an Arrow column; NOWHERE for what lies in no area."""
        if not len(paths):
            return np.zeros(0, dtype=np.int64)
        coded = paths.combine_chunks()
        if not pa.types.is_dictionary(coded.type):
            coded = coded.dictionary_encode()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.unify_dictionaries().combine_chunks().chunk(0)
        known = np.append(pc.index_in(coded.dictionary, self._names).fill_null(NOWHERE).to_numpy(), NOWHERE)
        codes = coded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)
        found: Ints = known[codes].astype(np.int64)
        return found

    def version(self, path: str, day: date) -> Version | None:
        """The area as it was on a day, if it was one."""
        return next((one for one in self.versions.get(path, ()) if one.stands(day)), None)

    def standing(self, day: date) -> Flags:
        """Which of the paths were areas on a day."""
        if not self.known:
            return np.ones(len(self), dtype=np.bool_)
        if day not in self._standing:
            found = np.zeros(len(self), dtype=np.bool_)
            found[self._place[self._held(day)]] = True
            self._standing[day] = found
        return self._standing[day]

    def levels(self, day: date) -> list[str]:
        """The level of each path on a day; "" where it was no area."""
        if day not in self._levels:
            found = [""] * len(self)
            for row in self._held(day):
                found[self._place[row]] = self._level[row]
            self._levels[day] = found
        return self._levels[day]

    def _held(self, day: date) -> Ints:
        """Which versions were there on a day."""
        return np.flatnonzero((self._since <= ordinal(day)) & (ordinal(day) < self._until))

    def storeys(self, day: date) -> list[Storey]:
        """The areas of a day that lie in another, the deepest first."""
        if day not in self._storeys:
            within = self.standing(day) & (self.parents != NOWHERE)
            self._storeys[day] = []
            for depth in range(int(self.depth.max(initial=0)), 0, -1):
                below = np.flatnonzero(within & (self.depth == depth))
                parents, above = np.unique(self.parents[below], return_inverse=True)
                self._storeys[day].append((below, above.astype(np.int64), parents))
        return self._storeys[day]

    def ranks(self, day: date) -> Ints:
        """A number for each path's level on a day."""
        _, numbers = np.unique(np.array(self.levels(day)), return_inverse=True)
        return numbers.astype(np.int64)

    def over(self, day: date, level: str) -> Ints:
        """The place of the area of a level that each lies in, not itself; NOWHERE where there is none."""
        is_one = np.array([one == level for one in self.levels(day)] + [False])
        found, higher = np.full(len(self), NOWHERE, dtype=np.int64), self.parents
        for _ in range(int(self.depth.max(initial=0))):
            found = np.where((found == NOWHERE) & is_one[higher], higher, found)
            higher = np.append(self.parents, NOWHERE)[higher]
        return found

    @cached_property
    def ends(self) -> Ints:
        """From which day on (days since 1970) each path is no area any more, FOREVER if it still is one; and of what
        is no area at all, never one: the last."""
        found = [_end(self.versions.get(path)) if self.known else FOREVER for path in self.paths]
        return np.array([*found, -FOREVER], dtype=np.int64)

    def closed(self, path: str, day: date) -> date | None:
        """Since when an area was no more on a day; None when it was one, or is yet to come."""
        ends = [one.until for one in self.versions.get(path, ())]
        if not ends or any(end is None or end > day for end in ends):
            return None
        return max(end for end in ends if end is not None)


def ordinal(day: date) -> int:
    """The days since 1970."""
    return (day - EPOCH).days


def _end(versions: list[Version] | None) -> int:
    if not versions:
        return -FOREVER
    return max(FOREVER if one.until is None else ordinal(one.until) for one in versions)


def parent(path: str) -> str:
    """The path above; "" for the top."""
    head = path[:-1].rpartition("/")[0]
    return f"{head}/" if head else ""


def above(path: str) -> list[str]:
    """The path and every path above it, from the top down; nothing for ""."""
    parts = [part for part in path.split("/") if part]
    return ["/".join(parts[: count + 1]) + "/" for count in range(len(parts))]


def of_table(rows: Any) -> list[Version]:
    """The versions in the fact table `areas`."""
    columns = ("path", "level", "valid_from", "valid_to", "name_zh", "name_en")
    return [Version(*line) for line in zip(*(rows[name].to_pylist() for name in columns), strict=True)]
