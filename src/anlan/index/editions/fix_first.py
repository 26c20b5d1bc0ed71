"""What to fix first: what closing each open case would give back to an area's score, the most first.

Every figure is worked out again with the case closed: measures, values, scores up the tree, and what rules take off. It
is exact where no score depends on other areas' values (goalposts, targets, steps); where one does, the others are held
as they are. Gains do not add up, so that each is told alone, and together with all that stand before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from anlan.index.counting import values
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.counting.run import Engine
from anlan.index.counting.values import Line
from anlan.index.editions import closing
from anlan.index.editions.assessment import Spec
from anlan.index.editions.closing import Asked, Open, Worlds
from anlan.index.editions.edition import Edition
from anlan.index.scoring.composite import raised
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.normalise import normalise
from anlan.index.scoring.panel import Floats, Status
from anlan.index.scoring.why import explained
from anlan.kernel.text import Refusal


class NotAlone(Refusal):
    """A head's figure depends on the other areas', so that no case's part in it can be told."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"“{key}”按其他辖区重新标准化，算不出一件事项值多少分。",
            f"“{key}” is normalised among all areas, so that what one case is worth cannot be told.",
        )


@dataclass(frozen=True, slots=True)
class Gain:
    """An open case. `points` is what the area's score would rise by were it closed (before what rules take off),
    `parts` the same by indicator; `together` what it would rise by with this one and all before it in the list closed.

    `overdue`: a deadline lies before the day. Days are those of the case.
    """

    case: str
    number: str
    area_path: str
    site: str
    topic: str
    department: str
    opened_date: date
    due_date: date | None
    close_due_date: date | None
    overdue: bool
    points: float
    together: float
    parts: Mapping[str, float]


def fix_first(spec: Spec, engine: Engine, found: Edition, area: str, *, day: date | None = None) -> list[Gain]:
    """The open cases in `area` by what closing each would give back, on `day` (else the last day that counts).

    `engine` has the facts of the edition `found`. Cases that would give nothing back come last, those overdue first.
    Raises NotAlone.
    """
    period = found.period
    when = day or min(period.last, found.manifest.facts.cut_off.date())
    looked = closing.look(engine, spec.tables, closing.asked(spec.indicators), area, period, when)
    world = _World(spec, found, area, looked)
    numbers = range(len(looked.cases))
    alone = world.scores(Worlds(tuple(numbers)))
    points = alone[0, 1:] - alone[0, 0]
    late = [_overdue(case, when) for case in looked.cases]
    # What is overdue is due before what is not.
    order = sorted(numbers, key=lambda at: (-_told(points[at]), _due(looked.cases[at])))
    running = world.scores(Worlds(tuple(order), together=True))[0]
    parts = world.parts(alone)
    return [
        Gain(
            **looked.cases[at],
            overdue=late[at],
            points=_told(points[at]),
            parts=parts[at],
            together=_told(running[rank + 1] - running[0]),
        )
        for rank, at in enumerate(order)
    ]


class _World:
    """An area's scores (nodes × worlds), as they are and as they would be."""

    def __init__(self, spec: Spec, found: Edition, area: str, looked: Open) -> None:
        self.spec, self.frame, self.looked = spec, spec.frame, looked
        for node in self.frame.nodes:
            if node.leaf < 0 and node.score is not None and not node.score.absolute:
                raise NotAlone(node.key)
        self.values = {row["indicator"]: row for row in found.values(area_path=area).to_pylist()}
        self.found, self.area = found, area
        scores = {row["node"]: row["score"] for row in found.scores(area_path=area).to_pylist()}
        self.base: Floats = np.array([_number(scores.get(key)) for key in self.frame.keys])

    def scores(self, worlds: Worlds) -> Floats:
        """The scores of every node in each world."""
        made = np.repeat(self.base[:, None], len(worlds), axis=1)
        touched = {one.measure for one in self.looked.parts}
        for indicator in self.spec.indicators if worlds.order else ():
            if {measure for _, measure in indicator.measures} & touched:
                place = self.frame.place(indicator.key)
                made[place] = self._leaf(indicator, place, worlds)
        raised(self.frame, made, [""] * len(worlds), {}, self.found.manifest.period)
        return made

    def parts(self, made: Floats) -> list[dict[str, float]]:
        """What each indicator gives of the change from world 0 to each of the others, those that give something."""
        others = made[:, 1:]
        before = np.repeat(made[:, :1], others.shape[1], axis=1)
        why = explained(self.frame, before, others, tuple(map(str, range(others.shape[1]))))
        keys = [leaf.key for leaf in self.frame.leaves]
        return [{key: float(one) for key, one in zip(keys, row, strict=True) if one} for row in why.leaf]

    def _leaf(self, indicator: Indicator, place: int, worlds: Worlds) -> Floats:
        """A leaf's score in each world; as it is in those in which nothing of it changes."""
        held = np.full(len(worlds), self.base[place])
        then = self._value(indicator, worlds)
        same = (then == then[0]) | (np.isnan(then) & np.isnan(then[0]))
        rule = self.frame.nodes[place].score
        if same.all() or rule is None:
            return held
        if rule.absolute:
            scored = normalise(rule, then, better=indicator.better, units=[""] * len(then)).score
        else:
            scored = self._among(indicator, then)
        return np.where(same, held, scored)

    def _among(self, indicator: Indicator, then: Floats) -> Floats:
        """The score of each value among those of the other areas."""
        rows = self.found.values(indicator=indicator.key).to_pylist()
        units = [row["area_path"] for row in rows]
        column = np.array([_number(row["value"]) for row in rows])
        rule = self.frame.nodes[self.frame.place(indicator.key)].score
        assert rule is not None
        scored = np.empty(len(then))
        for number, value in enumerate(then):
            column[units.index(self.area)] = value
            scored[number] = normalise(rule, column, better=indicator.better, units=units).score[units.index(self.area)]
        return scored

    def _value(self, indicator: Indicator, worlds: Worlds) -> Floats:
        above = self._line(indicator, indicator.numerator, "numerator", worlds)
        under = None
        if indicator.denominator is not None:
            under = self._line(indicator, indicator.denominator, "denominator", worlds)
        made = values.composed(indicator, above, under)
        kept = self.values.get(indicator.key, {})
        if indicator.compare:
            then = _number(kept.get("denominator"))
            return np.asarray((made.value - then) / abs(then) * 100 if then else np.full(len(worlds), np.nan))
        if kept.get("status") in (Status.SHRUNK, Status.TOO_SMALL):
            return np.full(len(worlds), _number(kept.get("value")))
        return made.value

    def _line(self, indicator: Indicator, measure: Measure, side: str, worlds: Worlds) -> Line:
        asked = Asked(measure, indicator.window)
        if asked in self.looked.parts:
            return closing.line(self.looked.parts[asked], asked, worlds)
        told = np.full(len(worlds), _number(self.values.get(indicator.key, {}).get(side)))
        return Line(told, (~np.isnan(told)).astype(np.float64))


def _overdue(case: Mapping[str, Any], day: date) -> bool:
    return any(due is not None and due < day for due in (case["due_date"], case["close_due_date"]))


def _due(case: Mapping[str, Any]) -> tuple[date, str]:
    return min(case["due_date"] or date.max, case["close_due_date"] or date.max), case["case"]


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _told(value: float) -> float:
    return 0.0 if np.isnan(value) else float(value)


# ---------------------------------------------------------------- the next place, and the short boards


@dataclass(frozen=True, slots=True)
class Next:
    """The place above an area's own among its peers: `points` are lacking to reach it, and `after` is how many of the
    cases to fix first would do it (None: not all of them together)."""

    peer: str
    rank: int
    points: float
    after: int | None


def to_next(found: Edition, area: str, gains: Sequence[Gain] = ()) -> list[Next]:
    """What an area lacks to the next better place, in each of its groups of peers; nothing where it is the first."""
    told = []
    for own in found.ranks(area_path=area).to_pylist():
        better = [row["rounded"] for row in found.ranks(peer=own["peer"]).to_pylist() if row["rank"] < own["rank"]]
        if better:
            lacking = min(abs(each - own["rounded"]) for each in better)
            after = next((at + 1 for at, gain in enumerate(gains) if gain.together >= lacking), None)
            told.append(Next(own["peer"], own["rank"], lacking, after))
    return told


@dataclass(frozen=True, slots=True)
class Short:
    """A part of what an area lost: of a head or an indicator, or of a rule ("rule:" and its key). `share` is its part
    of all lost points (0 to 1)."""

    key: str
    depth: int
    points: float
    share: float


def shortboard(frame: Framework, found: Edition, area: str) -> list[Short]:
    """What an area's lost points are made of, the most first: every node below the whole, and every rule that took off.

    The shares of the nodes of one depth, those of leaves above it, and of the rules sum to 1.
    """
    rows = {row["node"]: row for row in found.scores(area_path=area).to_pylist()}
    lines = [row for row in found.lines(area_path=area).to_pylist() if row["points"] < 0]
    if frame.spec.key not in rows:
        return []
    lost = {key: 100.0 * (row["weight"] or 0.0) - (row["points"] or 0.0) for key, row in rows.items()}
    whole = lost[frame.spec.key] - sum(row["points"] for row in lines)
    shares = [Short(node.key, node.depth, lost[node.key], 0.0) for node in frame.nodes[1:] if node.key in lost]
    shares += [Short(f"rule:{row['rule']}", 1, -row["points"], 0.0) for row in lines]
    told = [replace(each, share=each.points / whole if whole else 0.0) for each in shares]
    return sorted(told, key=lambda each: (each.depth, -each.points, each.key))
