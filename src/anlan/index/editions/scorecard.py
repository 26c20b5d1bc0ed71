"""Scorecards: one page of figures for a village, a town, or a department: what counts, what it lost and why.

Compared with the period before and with peers; rewards and penalties by declared rule; the ladder of the years. Data
only: a page or a document says it. Everything is read from editions, by the declarations they were made with.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import numpy as np

from anlan.index.counting.tree import parent
from anlan.index.editions import loaded
from anlan.index.editions.edition import Edition
from anlan.index.editions.loaded import FULL, Line, Value
from anlan.index.rulebook import consequence, deductions, ladder
from anlan.index.rulebook.ladder import Ladder, Standing
from anlan.index.rulebook.rule import Consequence
from anlan.index.scoring.panel import Floats
from anlan.kernel.text import Refusal, Text

SPECIAL: Final = {
    deductions.CAP: Text(zh="封顶，多扣的还回", en="Cap: what was taken beyond it given back"),
    deductions.FLOOR: Text(zh="扣到底为止", en="Floor: nothing is taken below it"),
    deductions.CEILING: Text(zh="加到顶为止", en="Ceiling: nothing is given above it"),
}
"""Lines that no rule wrote, by what their keys begin with."""


class NotScored(Refusal):
    """An area is not in an edition."""

    def __init__(self, edition: Edition, area: str) -> None:
        super().__init__(
            f"{edition.name} 里没有辖区 {area} 的得分。", f"{edition.name} has no score of the area {area}."
        )


class NoDepartment(Refusal):
    """No indicator of the index is a department's."""

    def __init__(self, edition: Edition, key: str) -> None:
        super().__init__(f"{edition.name} 没有由“{key}”负责的指标。", f"No indicator of {edition.name} is “{key}”'s.")


@dataclass(frozen=True, slots=True)
class Row:
    """A head or an indicator of one area: its score, what it lost of the whole, what it had before, what peers have.

    `weight` is its share of the whole (0 to 1), `before` its score in the period before, `peers` the median of its
    peers', itself among them, where at least two have one. `indicators` is how many stand under a head, 0 for an
    indicator, which has its `value`. None where there is none.
    """

    key: str
    title: Text
    depth: int
    department: str
    indicators: int
    score: float | None
    weight: float | None
    lost: float | None
    before: float | None
    peers: float | None
    value: Value | None = None

    @property
    def figure(self) -> float | None:
        """The indicator's figure, in its unit."""
        return self.value.value if self.value else None

    @property
    def change(self) -> float | None:
        """What its score rose by since the period before."""
        return None if self.score is None or self.before is None else self.score - self.before


@dataclass(frozen=True, slots=True)
class Place:
    """Where the area stands among its peers now and in the period before; `middle` is the median of their scores."""

    peer: str
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    size: int
    before: int | None
    middle: float | None


@dataclass(frozen=True, slots=True)
class Card:
    """An area's page. `rows` are the heads and indicators in their order, `taken` what rules took or gave, `signals`
    what stands beside (as in `edition`), `follows` rewards and penalties due now that its band has been the same for
    `running` periods, `ladders` where the years stand, by ladder."""

    area_path: str
    period: str
    score: float | None
    before: float | None
    band: str
    places: tuple[Place, ...]
    rows: tuple[Row, ...]
    taken: tuple[Line, ...]
    signals: tuple[Mapping[str, Any], ...]
    follows: tuple[Consequence, ...]
    running: int
    ladders: Mapping[str, Standing]

    @property
    def heads(self) -> list[Row]:
        """The rows of the first level."""
        return [row for row in self.rows if row.depth == 1]

    @property
    def shortest(self) -> list[Row]:
        """The indicators that lost most, those that lost nothing left out."""
        return shortest(row for row in self.rows if (row.lost or 0.0) > 0)


@dataclass(frozen=True, slots=True)
class DepartmentCard:
    """A department's page for one area: the indicators it answers for.

    `score` is the part (0 to 100) it got of the points they could bring, `lost` what it did not get, `share` that part
    of all that the area lost; `place` is where its score stands among `several` departments. `below` are the areas
    right below with what they lost by these indicators, the most first.
    """

    area_path: str
    department: str
    title: Text
    period: str
    score: float | None
    before: float | None
    lost: float
    share: float
    place: int | None
    several: int
    rows: tuple[Row, ...]
    below: tuple[tuple[str, float], ...]


def of_area(
    editions: Sequence[Edition], area: str, *, ladders: Iterable[Ladder] = (), among: Collection[str] | None = None
) -> Card:
    """The page of an area in the last of these editions of one index, the oldest first.

    Those of the last one's kind of period tell what was before and how often in a row; yearly ones tell the ladder.
    `among` are the peers it is compared with; without, those of the first group it has a place in. Raises NotScored.
    """
    now = editions[-1]
    alike = [each for each in editions if each.period.kind == now.period.kind]
    before, bands = _before(editions), _bands(alike, area)
    return Card(
        area, now.manifest.period, final(now, area), final(before, area) if before else None, bands[-1] or "",
        tuple(_places(now, before, area)), tuple(_rows(now, before, area, among)),
        tuple(loaded.lines(now).get(area, ())), tuple(now.signals(area_path=area).to_pylist()),
        tuple(consequence.due(loaded.rules(now), bands)), consequence.running(bands),
        {each.key: _standing(each, editions, area) for each in ladders if each.index in ("", now.manifest.index)},
    )  # fmt: skip


def of_department(editions: Sequence[Edition], area: str, department: str) -> DepartmentCard:
    """The page of a department in the last of these editions. Raises NotScored, NoDepartment."""
    now, before = editions[-1], _before(editions)
    rows = [row for row in _rows(now, before, area, ()) if row.department == department]
    if not rows:
        raise NoDepartment(now, department)
    scores = loaded.scores(now)
    lost = {path: float(each) for path, each in zip(scores.paths, _lost(now, department), strict=True)}
    every = {key: found for key in _departments(now) if (found := _got(now, area, key)) is not None}
    below = {path: points for path, points in lost.items() if parent(path) == area}
    own, whole = every.get(department), _told(np.nansum(scores.lost[scores.place[area], _leaves(now)]))
    return DepartmentCard(
        area, department, _departments(now)[department], now.manifest.period, own,
        _got(before, area, department) if before else None, lost[area], lost[area] / whole if whole else 0.0,
        None if own is None else 1 + sum(each > own for each in every.values()), len(every), tuple(rows),
        tuple(sorted(below.items(), key=lambda each: (-each[1], each[0]))),
    )  # fmt: skip


def shortest(rows: Iterable[Row]) -> list[Row]:
    """The indicators among these rows, those that lost most first."""
    return sorted((row for row in rows if row.value is not None), key=lambda row: -(row.lost or 0.0))


def final(edition: Edition, area: str) -> float | None:
    """The final score of an area, with what rules took and gave; None where it has none."""
    rank = loaded.ranks(edition).of(area)
    if rank is not None and rank.score is not None:
        return rank.score
    row = loaded.scores(edition).place.get(area)
    if row is None:
        return None
    taken = sum(line.points for line in loaded.lines(edition).get(area, ()))
    return _told(loaded.scores(edition).score[row, 0] + taken)


def rule_title(edition: Edition, key: str) -> Text:
    """What a rule of an edition is called, by the key of a line."""
    special = next((words for prefix, words in SPECIAL.items() if key.startswith(prefix)), None)
    titles = {rule.key: rule.title for table in loaded.rules(edition) for rule in table.rules}
    return special or titles.get(key) or Text(zh=key, en=key)


# ---------------------------------------------------------------- rows


def _rows(now: Edition, before: Edition | None, area: str, among: Collection[str] | None) -> Iterator[Row]:
    frame, scores, at = loaded.framework_of(now), loaded.scores(now), _at(now, area)
    values, then, peers = loaded.values(now).of_area(area), _scores(before, area), _peers(now, area, among)
    for number, node in enumerate(frame.nodes[1:], 1):
        score, weight, lost = (_told(each[at, number]) for each in (scores.score, scores.weight, scores.lost))
        leaf = frame.leaves[node.leaf] if node.leaf >= 0 else None
        below = 0 if leaf else len(frame.leaves_under(number))
        yield Row(
            node.key, node.title, node.depth, leaf.department if leaf else "", below, score, weight, lost,
            then.get(node.key), _told(peers[number]), values.get(node.key, loaded.NO_VALUE) if leaf else None,
        )  # fmt: skip


def _at(edition: Edition, area: str) -> int:
    found = loaded.scores(edition).place.get(area)
    if found is None:
        raise NotScored(edition, area)
    return found


def _scores(edition: Edition | None, area: str) -> dict[str, float | None]:
    """The score of every node in an edition, by key."""
    if edition is None or area not in loaded.scores(edition).place:
        return {}
    row = loaded.scores(edition).score[_at(edition, area)]
    return {key: _told(score) for key, score in zip(loaded.framework_of(edition).keys, row, strict=True)}


def _peers(now: Edition, area: str, among: Collection[str] | None) -> Floats:
    """The median score of the area's peers at every node, NaN where fewer than two have one."""
    if among is None:
        own = loaded.ranks(now).of(area)
        among = [each.area_path for each in loaded.ranks(now).of_peer[own.peer]] if own else ()
    scores = loaded.scores(now)
    told = scores.score[[scores.place[path] for path in among if path in scores.place]]
    several = np.count_nonzero(~np.isnan(told), axis=0) > 1
    found = np.full(told.shape[1], np.nan)
    found[several] = np.nanmedian(told[:, several], axis=0)
    return found


def _told(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


# ---------------------------------------------------------------- departments


def _departments(edition: Edition) -> dict[str, Text]:
    """What those that answer for an indicator are called, by key."""
    frame = loaded.framework_of(edition)
    titles = {each.key: each.title for each in frame.spec.departments}
    keys = dict.fromkeys(leaf.department for leaf in frame.leaves if leaf.department)
    return {key: titles.get(key, Text(zh=key, en=key)) for key in keys}


def _leaves(edition: Edition, department: str = "") -> list[int]:
    """Where the indicators stand among the nodes for which a department answers; all of them without one."""
    frame = loaded.framework_of(edition)
    every = zip(frame.leaf_nodes, frame.leaves, strict=True)
    return [place for place, leaf in every if department in ("", leaf.department)]


def _lost(edition: Edition, department: str) -> Floats:
    """The points that every area lost by a department's indicators."""
    lost: Floats = np.nansum(loaded.scores(edition).lost[:, _leaves(edition, department)], axis=1)
    return lost


def _got(edition: Edition, area: str, department: str) -> float | None:
    """The part (0 to 100) a department got of the points it could bring an area; None where it could bring none."""
    scores = loaded.scores(edition)
    if area not in scores.place:
        return None
    row, leaves = scores.place[area], _leaves(edition, department)
    whole = float(np.nansum(scores.weight[row, leaves])) * FULL
    return (1 - float(np.nansum(scores.lost[row, leaves])) / whole) * FULL if whole else None


# ---------------------------------------------------------------- places, colours, years


def _before(editions: Sequence[Edition]) -> Edition | None:
    wanted = editions[-1].period.before
    return next((each for each in editions if each.period == wanted), None)


def _places(now: Edition, before: Edition | None, area: str) -> Iterator[Place]:
    for own in loaded.ranks(now).of_area.get(area, ()):
        scores = [each.score for each in loaded.ranks(now).of_peer[own.peer] if each.score is not None]
        then = loaded.ranks(before).of(area, own.peer) if before else None
        yield Place(
            own.peer, own.rank, own.low, own.high, len(scores), then.rank if then else None,
            median(scores) if scores else None,
        )  # fmt: skip


def _bands(alike: Sequence[Edition], area: str) -> list[str | None]:
    """The bands of the periods up to the last, None for one in which there is no edition or no place."""
    told = {each.period: own.band if (own := loaded.ranks(each).of(area)) else None for each in alike}
    period, found = max(told), []
    while period >= min(told):
        found.append(told.get(period) or None)
        period = period.before
    return found[::-1]


def _standing(of: Ladder, editions: Sequence[Edition], area: str) -> Standing:
    passed = {}
    for each in editions:
        own = loaded.ranks(each).of(area) if each.period.kind == "year" else None
        if own:
            vetoes = {rule.key for table in loaded.rules(each) for rule in table.rules if rule.empties}
            vetoed = any(line.rule in vetoes for line in loaded.lines(each).get(area, ()))
            passed[each.period.first.year] = of.passes(own.score, vetoed=vetoed)
    return ladder.standing(of, passed)
