"""Scorecards: one page of figures for a village, a town, or a department: what counts, what it lost and why.

Compared with the period before and with peers; rewards and penalties by declared rule; the ladder of the years. Data
only: a page or a document says it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anlan.index import consequence, ladder
from anlan.index.assessment import Spec
from anlan.index.edition import Edition
from anlan.index.ladder import Ladder, Standing
from anlan.index.panel import Status
from anlan.index.rule import Consequence
from anlan.kernel.text import Refusal, Text

FULL = 100.0


class NotScored(Refusal):
    """An area has no score in an edition."""

    def __init__(self, edition: Edition, area: str) -> None:
        super().__init__(
            f"{edition.name} 里没有辖区 {area} 的得分。", f"{edition.name} has no score of the area {area}."
        )


class NoDepartment(Refusal):
    """No indicator of the index is a department's."""

    def __init__(self, spec: Spec, key: str) -> None:
        super().__init__(
            f"指数“{spec.index.key}”没有由“{key}”负责的指标。", f"No indicator of “{spec.index.key}” is “{key}”'s."
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A head or an indicator of one area: its score, what it lost of the whole, what it had before, what peers have.

    `before` is its score in the period before, `peers` the mean of its peers'. An indicator has its value, too, and
    what that was divided from. None where there is none.
    """

    key: str
    title: Text
    depth: int
    department: str
    score: float | None
    weight: float | None
    lost: float | None
    before: float | None
    peers: float | None
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    status: Status | None = None

    @property
    def change(self) -> float | None:
        """What its score rose by since the period before."""
        return None if self.score is None or self.before is None else self.score - self.before


@dataclass(frozen=True, slots=True)
class Taken:
    """What a rule took (negative) or gave, and why: the very cases and figures."""

    rule: str
    title: Text
    points: float
    times: float
    why: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the area stands among its peers now and in the period before; `mean` is the mean of the peers' scores."""

    peer: str
    rank: int
    rank_low: int | None
    rank_high: int | None
    size: int
    before: int | None
    mean: float


@dataclass(frozen=True, slots=True)
class Card:
    """An area's page. `rows` are the heads and indicators in their order, `taken` the lines of rules, `signals` what
    stands beside (as in `edition`), `follows` rewards and penalties due, `ladders` where the years stand, by ladder."""

    area_path: str
    period: str
    score: float
    before: float | None
    band: str
    places: tuple[Place, ...]
    rows: tuple[Row, ...]
    taken: tuple[Taken, ...]
    signals: tuple[Mapping[str, Any], ...]
    follows: tuple[Consequence, ...]
    ladders: Mapping[str, Standing]

    @property
    def shortest(self) -> list[Row]:
        """The indicators that lost most, those that lost nothing left out."""
        leaves = [row for row in self.rows if row.status is not None and (row.lost or 0.0) > 0]
        return sorted(leaves, key=lambda row: -(row.lost or 0.0))


@dataclass(frozen=True, slots=True)
class DepartmentCard:
    """A department's page for one area: the indicators it answers for.

    `score` is their mean by weight, `lost` what they lost of the area's whole, `share` that part of all that it lost.
    """

    area_path: str
    department: str
    title: Text
    period: str
    score: float | None
    before: float | None
    lost: float
    share: float
    rows: tuple[Row, ...]


def of_area(spec: Spec, editions: Sequence[Edition], area: str, *, ladders: Iterable[Ladder] = ()) -> Card:
    """The page of an area in the last of these editions of one index, the oldest first.

    Those of the last one's kind of period tell what was before and how often in a row; yearly ones tell the ladder.
    Raises NotScored.
    """
    now = editions[-1]
    alike = [each for each in editions if each.period.kind == now.period.kind]
    ranks = [_ranks(each, area) for each in alike]
    if not ranks[-1]:
        raise NotScored(now, area)
    own = ranks[-1][0]
    before = next((each for each in alike if each.period == now.period.before), None)
    then = _ranks(before, area) if before else []
    return Card(
        area, now.manifest.period, own["score"], then[0]["score"] if then else None, own["band"] or "",
        tuple(_places(now, ranks[-1], then)), tuple(_rows(spec, now, before, area)), tuple(_taken(spec, now, area)),
        tuple(now.signals(area_path=area).to_pylist()),
        tuple(consequence.due(spec.rules, _bands(alike, ranks))),
        {each.key: _standing(spec, each, editions, area) for each in ladders if each.index in ("", spec.index.key)},
    )  # fmt: skip


def of_department(spec: Spec, editions: Sequence[Edition], area: str, department: str) -> DepartmentCard:
    """The page of a department in the last of these editions. Raises NotScored, NoDepartment."""
    now = editions[-1]
    before = next((each for each in editions if each.period == now.period.before), None)
    if not _ranks(now, area):
        raise NotScored(now, area)
    every = list(_rows(spec, now, before, area))
    rows = [row for row in every if row.status is not None and row.department == department]
    if not rows:
        raise NoDepartment(spec, department)
    title = next((each.title for each in spec.index.departments if each.key == department), Text(zh="", en=""))
    lost = sum(row.lost or 0.0 for row in rows)
    whole = sum(row.lost or 0.0 for row in every if row.status is not None)
    weights = [row.weight or 0.0 for row in rows]
    return DepartmentCard(
        area, department, title, now.manifest.period, _mean([row.score for row in rows], weights),
        _mean([row.before for row in rows], weights), lost, lost / whole if whole else 0.0, tuple(rows),
    )  # fmt: skip


# ---------------------------------------------------------------- rows


def _rows(spec: Spec, now: Edition, before: Edition | None, area: str) -> Iterable[Row]:
    frame = spec.frame
    scores = {row["node"]: row for row in now.scores(area_path=area).to_pylist()}
    then = {row["node"]: row["score"] for row in before.scores(area_path=area).to_pylist()} if before else {}
    values = {row["indicator"]: row for row in now.values(area_path=area).to_pylist()}
    peers = _peers(now, area)
    for node in frame.nodes[1:]:
        row = scores.get(node.key, {})
        weight, points = row.get("weight"), row.get("points")
        lost = None if weight is None or points is None else FULL * weight - points
        told = _value(values.get(node.key, {})) if node.leaf >= 0 else {}
        department = frame.leaves[node.leaf].department if node.leaf >= 0 else ""
        yield Row(
            node.key, node.title, node.depth, department, row.get("score"), weight, lost, then.get(node.key),
            peers.get(node.key), **told,
        )  # fmt: skip


def _value(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: row.get(name) for name in ("value", "numerator", "denominator")}
    return {**told, "status": Status(row.get("status", Status.MISSING))}


def _peers(now: Edition, area: str) -> dict[str, float]:
    """The mean score of every node among the area's peers, itself among them."""
    group = _ranks(now, area)[0]["peer"]
    paths = set(now.ranks(peer=group)["area_path"].to_pylist())
    found: dict[str, list[float]] = {}
    for row in now.scores().to_pylist():
        if row["area_path"] in paths and row["score"] is not None:
            found.setdefault(row["node"], []).append(row["score"])
    return {node: float(np.mean(scores)) for node, scores in found.items()}


def _taken(spec: Spec, now: Edition, area: str) -> Iterable[Taken]:
    titles = {rule.key: rule.title for table in spec.rules for rule in table.rules}
    titles |= {f"cap:{key}": group.title for table in spec.rules for key, group in table.groups.items()}
    for row in now.lines(area_path=area).to_pylist():
        title = (
            titles.get(row["rule"]) or titles.get(row["rule"].partition(":")[2]) or Text(zh=row["rule"], en=row["rule"])
        )
        yield Taken(row["rule"], title, row["points"], row["times"], tuple(json.loads(row["why"])))


# ---------------------------------------------------------------- places, colours, years


def _ranks(edition: Edition, area: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = edition.ranks(area_path=area).to_pylist()
    return found


def _places(now: Edition, own: Sequence[Mapping[str, Any]], then: Sequence[Mapping[str, Any]]) -> Iterable[Place]:
    before = {row["peer"]: row["rank"] for row in then}
    for row in own:
        scores = [each for each in now.ranks(peer=row["peer"])["score"].to_pylist() if each is not None]
        yield Place(
            row["peer"], row["rank"], row["rank_low"], row["rank_high"], len(scores), before.get(row["peer"]),
            float(np.mean(scores)),
        )  # fmt: skip


def _bands(alike: Sequence[Edition], ranks: Sequence[Sequence[Mapping[str, Any]]]) -> list[str | None]:
    """The bands of the periods up to the last, None for one in which there is no edition or no place."""
    told = {each.period: rows[0]["band"] if rows else None for each, rows in zip(alike, ranks, strict=True)}
    period, found = max(told), []
    while period >= min(told):
        found.append(told.get(period))
        period = period.before
    return found[::-1]


def _standing(spec: Spec, of: Ladder, editions: Sequence[Edition], area: str) -> Standing:
    vetoes = {rule.key for table in spec.rules for rule in table.rules if rule.empties}
    passed = {}
    for each in editions:
        rows = _ranks(each, area) if each.period.kind == "year" else []
        if rows:
            vetoed = bool(vetoes & set(each.lines(area_path=area)["rule"].to_pylist()))
            passed[each.period.first.year] = of.passes(rows[0]["score"], vetoed=vetoed)
    return ladder.standing(of, passed)


def _mean(scores: Sequence[float | None], weights: Sequence[float]) -> float | None:
    told = [(score, weight) for score, weight in zip(scores, weights, strict=True) if score is not None and weight]
    if not told:
        return None
    return sum(score * weight for score, weight in told) / sum(weight for _, weight in told)
