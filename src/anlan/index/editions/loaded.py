"""Editions in memory: arrays by area and node, read once from their folders and kept while these are what they were.

An edition never changes but for its state, so what is read of it is kept under its folder and the digest of its result.
What is kept is shared by all threads: read it, never change it.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow.compute as pc

from anlan.index.counting.indicator import INDICATORS, Indicator
from anlan.index.editions.edition import Edition
from anlan.index.rulebook.rule import RULES, RuleTable, of_index
from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.panel import Floats, Status
from anlan.index.scoring.spec import INDICES

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rank:
    """The place of an area among its peers; `low` to `high` is its 90 % interval. None where there is none."""

    area_path: str
    peer: str
    score: float | None
    rounded: float | None
    rank: int | None
    low: int | None
    high: int | None
    tied: bool
    band: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a rule took off (negative) or gave, so many times; `why` is what it stands on."""

    rule: str
    points: float
    times: float
    why: Any


@dataclass(frozen=True, slots=True)
class Value:
    """One indicator of one area in the indicator's unit, with its 90 % interval; None where there is none."""

    numerator: float | None
    denominator: float | None
    value: float | None
    status: Status
    low: float | None
    high: float | None


NO_VALUE: Final = Value(None, None, None, Status.MISSING, None, None)


class Ranks:
    """The final scores and places of one edition, by group of peers and by area; `middle` is a group's median score."""

    def __init__(self, edition: Edition) -> None:
        rows = edition.ranks().to_pylist()
        self.of_peer: dict[str, list[Rank]] = {}
        self.of_area: dict[str, list[Rank]] = {}
        for row in rows:
            rank = _rank(row)
            self.of_peer.setdefault(rank.peer, []).append(rank)
            self.of_area.setdefault(rank.area_path, []).append(rank)
        for ranks in self.of_peer.values():
            ranks.sort(key=lambda each: (each.rank is None, each.rank or 0, each.area_path))

        self.middle: dict[str, float] = {
            peer: median(each.score for each in ranks if each.score is not None)
            for peer, ranks in self.of_peer.items()
            if any(each.score is not None for each in ranks)
        }

    def of(self, path: str, peer: str = "") -> Rank | None:
        """The place of an area in a group, or in the first it has one in; None when it has none."""
        return next((each for each in self.of_area.get(path, ()) if peer in ("", each.peer)), None)


def _rank(row: Mapping[str, Any]) -> Rank:
    return Rank(
        row["area_path"], row["peer"], row["score"], row["rounded"], row["rank"], row["rank_low"], row["rank_high"],
        bool(row["tied"]), row["band"] or "",
    )  # fmt: skip


class Scores:
    """Every score of one edition: `score`, `weight` and `points` are areas × nodes of `framework`, NaN where none is.

    `weight` is the share of the whole (0 to 1) that the node had for the area, `points` what it brought to the whole.
    """

    def __init__(self, edition: Edition) -> None:
        self.framework = framework_of(edition)
        table = edition.scores(period=edition.manifest.period)
        areas = table["area_path"].combine_chunks().dictionary_encode()
        nodes = table["node"].combine_chunks().dictionary_encode()
        self.paths: tuple[str, ...] = tuple(areas.dictionary.to_pylist())
        self.place = {path: number for number, path in enumerate(self.paths)}
        known = {key: number for number, key in enumerate(self.framework.keys)}
        column = np.array([known.get(key, -1) for key in nodes.dictionary.to_pylist()], dtype=np.int64)
        at = areas.indices.to_numpy(zero_copy_only=False), column[nodes.indices.to_numpy(zero_copy_only=False)]
        kept = at[1] >= 0
        shape = len(self.paths), len(self.framework.nodes)
        self.score, self.weight, self.points = (
            _spread(shape, at, kept, table[name]) for name in ("score", "weight", "points")
        )

    @cached_property
    def lost(self) -> Floats:
        """The points of the whole that every node did not bring: weight × 100 - points."""
        return self.weight * FULL - self.points


FULL: Final = 100.0


def _spread(shape: tuple[int, int], at: tuple[Any, Any], kept: Any, column: Any) -> Floats:
    found = np.full(shape, np.nan)
    found[at[0][kept], at[1][kept]] = column.to_numpy()[kept]
    return found


class Values:
    """Every value of one edition, found by area or by indicator."""

    def __init__(self, edition: Edition) -> None:
        self._table = edition.values(period=edition.manifest.period)
        areas = self._table["area_path"].combine_chunks().dictionary_encode()
        # Rows are kept sorted by area, so an area's rows lie together.
        starts = np.searchsorted(areas.indices.to_numpy(zero_copy_only=False), np.arange(len(areas.dictionary) + 1))
        paths = areas.dictionary.to_pylist()
        self._rows = {path: (int(starts[i]), int(starts[i + 1] - starts[i])) for i, path in enumerate(paths)}

    def of_area(self, path: str) -> dict[str, Value]:
        """An area's values by indicator."""
        start, length = self._rows.get(path, (0, 0))
        return {row["indicator"]: _value(row) for row in self._table.slice(start, length).to_pylist()}

    def of_indicator(self, key: str) -> dict[str, Value]:
        """An indicator's values by area."""
        rows = self._table.filter(pc.equal(self._table["indicator"], key)).to_pylist()
        return {row["area_path"]: _value(row) for row in rows}


def _value(row: Mapping[str, Any]) -> Value:
    status = Status(row["status"])
    return Value(row["numerator"], row["denominator"], row["value"], status, row["low"], row["high"])


class Kept:
    """The last so many things made, by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[no-any-return]  # a key holds what its own `make` gave
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


_ranks, _scores, _values, _lines, _frameworks = Kept(40), Kept(8), Kept(4), Kept(16), Kept(24)


def _key(edition: Edition) -> Hashable:
    return str(edition.folder), edition.manifest.result_sha256


def ranks(edition: Edition) -> Ranks:
    """The places of an edition."""
    return _ranks(_key(edition), lambda: Ranks(edition))


def scores(edition: Edition) -> Scores:
    """The scores of an edition."""
    return _scores(_key(edition), lambda: Scores(edition))


def values(edition: Edition) -> Values:
    """The values of an edition."""
    return _values(_key(edition), lambda: Values(edition))


def lines(edition: Edition) -> dict[str, list[Line]]:
    """What rules took off or gave, by area."""
    return _lines(_key(edition), lambda: _lines_of(edition))


def _lines_of(edition: Edition) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for row in edition.lines().to_pylist():
        why = json.loads(row["why"] or "null")
        found.setdefault(row["area_path"], []).append(Line(row["rule"], row["points"], row["times"], why))
    return found


def rules(edition: Edition) -> list[RuleTable]:
    """The tables of rules of an edition in the order in which they were applied."""
    key = "rules", edition.manifest.index, edition.manifest.spec_sha256
    return _frameworks(key, lambda: of_index(edition.spec().all(RULES).values(), edition.manifest.index))


def framework_of(edition: Edition) -> Framework:
    """The tree of the index as it was declared for an edition."""
    key = edition.manifest.index, edition.manifest.spec_sha256
    return _frameworks(key, lambda: _framework(edition))


def _framework(edition: Edition) -> Framework:
    leaves: Any = list(indicators(edition).values())
    return framework(edition.spec().get(INDICES, edition.manifest.index), leaves)


def indicators(edition: Edition) -> dict[str, Indicator]:
    """The indicators of an edition by key, as they were declared."""
    key = "indicators", edition.manifest.index, edition.manifest.spec_sha256
    return _frameworks(key, lambda: _indicators(edition))


def _indicators(edition: Edition) -> dict[str, Indicator]:
    found = edition.spec().all(INDICATORS)
    return {key: each for key, each in found.items() if each.index == edition.manifest.index}
