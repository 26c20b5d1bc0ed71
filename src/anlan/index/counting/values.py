"""From sums to values: divided last, and every declared rule for what cannot be divided or is too small."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from anlan.index.counting import given as told
from anlan.index.counting import rollup
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.counting.period import Period
from anlan.index.counting.plan import Lane, Plan, lane_of, leaving
from anlan.index.counting.rollup import Cells, Span
from anlan.index.counting.shrinking import shrunk
from anlan.index.counting.tree import Tree
from anlan.index.scoring.normalise import Normalising
from anlan.index.scoring.panel import Codes, Floats, Status


@dataclass(slots=True)
class Found:
    """What an engine found for a plan: cells by lane, collected values by lane and column, given figures."""

    plan: Plan
    tree: Tree
    cells: dict[Lane, Cells] = field(default_factory=dict)
    bags: dict[tuple[Lane, str], Cells] = field(default_factory=dict)
    given: dict[tuple[str, str], Any] = field(default_factory=dict)
    _sums: dict[tuple[Lane, Span | None], Floats] = field(default_factory=dict)
    _figures: dict[tuple[tuple[str, str], str], told.Figures] = field(default_factory=dict)

    def sums(self, lane: Lane, at: Span | None) -> Floats:
        """The sums of everything counted along a lane in a span: areas × tallies. Kept, for many ask."""
        if (lane, at) not in self._sums:
            self._sums[lane, at] = rollup.sums(self.cells[lane], self.tree, at)
        return self._sums[lane, at]

    def collected(self, lane: Lane, column: str, number: int, at: Span | None) -> tuple[Any, Any]:
        """How often each value occurs in a span under a condition, areas × values, and the values."""
        cells = self.bags[lane, column]
        return rollup.collected(cells, self.tree, at, number), cells.values

    def told(self, measure: Measure, period: Period, indicator: str) -> Floats:
        """The given figure of each area for a period, NaN where there is none. Raises NoSuchArea."""
        key, where = (measure.table, measure.read), self.plan.said(measure)
        if (key, where) not in self._figures:
            number = self.plan.given[key].index(where)
            self._figures[key, where] = told.figures(self.given[key], number, self.tree)
        return told.hold(self._figures[key, where], measure, period, self.tree, indicator=indicator)

    def apart(self) -> Found:
        """The same for one more reader: what was found is shared, and the sums it keeps are its own."""
        return replace(self, _sums={})

    def forget(self) -> None:
        """Let go of the sums kept: the next period is another."""
        self._sums.clear()


@dataclass(frozen=True, slots=True)
class Line:
    """A measure of every area in one period: `above` and, where it is a quotient itself, what it is divided by.

    `rows` says how many rows it comes from; NaN above is nothing.
    """

    above: Floats
    rows: Floats
    below: Floats | None = None

    @property
    def value(self) -> Floats:
        """The measure itself."""
        return self.above if self.below is None else divided(self.above, self.below)


@dataclass(frozen=True, slots=True)
class Value:
    """An indicator in one period: its value for every area, and what it was divided from."""

    value: Floats
    status: Codes
    numerator: Floats
    denominator: Floats


def value(found: Found, indicator: Indicator, period: Period) -> Value:
    """An indicator's value for every area of the tree."""
    now = _plain(found, indicator, period)
    if not indicator.compare:
        return now
    then = _plain(found, indicator, period.before if indicator.compare == "last_period" else period.last_year)
    status = np.where(now.status != Status.PRESENT, now.status, then.status).astype(np.uint8)
    either = np.isnan(now.value) | np.isnan(then.value)
    change = divided(now.value - then.value, np.abs(then.value)) * 100
    made = Value(change, status, now.value, then.value)
    _without(made, indicator, (then.value == 0) & ~either)
    made.status[either & (made.status == Status.PRESENT)] = Status.MISSING
    return made


def line(found: Found, measure: Measure, window: str, period: Period, *, indicator: str = "") -> Line:
    """A measure for every area of the tree."""
    if measure.told:
        above = found.told(measure, period, indicator)
        return Line(above, (~np.isnan(above)).astype(np.float64))
    lane, where = lane_of(measure), found.plan.said(measure)
    along = found.plan.lanes[lane]
    if measure.measure == "stock":
        at = rollup.so_far(period, found.plan.grain)
        gone = leaving(measure)
        entered = found.sums(lane, at)[:, along.tally(where)]
        left = found.sums(gone, at)[:, found.plan.lanes[gone].tally(where)]
        return Line(entered - left, entered)
    at_last = rollup.span(window, period, found.plan.grain) if lane.date else None
    if measure.measure == "count":
        above = found.sums(lane, at_last)[:, along.tally(where)]
        return Line(above, above)
    if measure.measure in {"sum", "average"}:
        sums = found.sums(lane, at_last)
        total = sums[:, along.tally(where, measure.column)]
        rows = sums[:, along.tally(f'({where}) AND NOT "{measure.column}" IS NULL')]
        return Line(total, rows, rows if measure.measure == "average" else None)
    return _collected(found, measure, lane, where, at_last)


def _collected(found: Found, measure: Measure, lane: Lane, where: str, at: Span | None) -> Line:
    number = found.plan.lanes[lane].bag(measure.column, where)
    bag, known = found.collected(lane, measure.column, number, at)
    several = rollup.distinct(bag)
    if measure.measure == "distinct":
        return Line(several, several)
    share = 0.5 if measure.quantile is None else measure.quantile
    return Line(rollup.quantile(bag, known, share), several)


def divided(above: Floats, below: Floats) -> Floats:
    """The quotient; NaN where there is nothing to divide by."""
    found: Floats = np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)
    return found


def extremes(rule: Normalising) -> tuple[float, float] | None:
    """The values that score worst and best whatever others have; None where there are none."""
    if rule.method == "goalposts" and rule.low is not None and rule.high is not None:
        return rule.low, rule.high
    if rule.method == "target" and rule.target is not None:
        return 0.0, rule.target
    if rule.method in {"piecewise", "steps"}:
        by_score = sorted(rule.points, key=lambda point: point[1])
        return by_score[0][0], by_score[-1][0]
    return None


def _plain(found: Found, indicator: Indicator, period: Period) -> Value:
    above = line(found, indicator.numerator, indicator.window, period, indicator=indicator.key)
    under = None
    if indicator.denominator is not None:
        under = line(found, indicator.denominator, indicator.window, period, indicator=indicator.key)
    made = composed(indicator, above, under)
    _too_small(made, indicator, found.tree, period)
    return made


def composed(indicator: Indicator, above: Line, under: Line | None) -> Value:
    """An indicator's value from its measures, before it is asked whether it is too small."""
    if under is None:
        below = above.below if above.below is not None else np.full(len(above.above), np.nan)
        made = _made(above.value * indicator.per, above.above, below)
    else:
        top, bottom = _absent_is_nothing(above, indicator), under.value
        made = _made(divided(top, bottom) * indicator.per, top, bottom)
        _without(made, indicator, (bottom == 0) & ~np.isnan(top))
    _where_no_row_tells(made, indicator, above)
    return made


def _made(value: Floats, above: Floats, below: Floats) -> Value:
    status = np.where(np.isnan(value), Status.MISSING, Status.PRESENT).astype(np.uint8)
    return Value(value, status, above.copy(), below.copy())


def _absent_is_nothing(above: Line, indicator: Indicator) -> Floats:
    if indicator.absent == "zero" and indicator.numerator.measure not in {"average", "median", "quantile"}:
        return np.where(above.rows == 0, 0.0, above.value)
    return above.value


def _where_no_row_tells(made: Value, indicator: Indicator, above: Line) -> None:
    """What is declared for an area without a row: a quotient of no rows has nothing to be divided by."""
    none = above.rows == 0
    if indicator.numerator.measure in {"average", "median", "quantile"} and not indicator.missing:
        _without(made, indicator, none)
    elif indicator.absent == "zero":
        if indicator.denominator is None:
            _set(made, none, 0.0, Status.PRESENT)
    elif indicator.absent == "missing":
        _set(made, none, math.nan, Status.MISSING)
    else:
        _set(made, none, extreme(indicator, good=indicator.absent == "good"), Status.SET)


def _without(made: Value, indicator: Indicator, nothing: Any) -> None:
    """What is declared for an area with nothing to divide by."""
    rule = indicator.zero_denominator
    if rule == "missing":
        _set(made, nothing, math.nan, Status.MISSING)
    else:
        _set(made, nothing, 0.0 if rule == "zero" else extreme(indicator, good=rule == "good"), Status.SET)


def _set(made: Value, which: Any, value: float, status: Status) -> None:
    made.value[which] = value
    made.status[which] = status


def _too_small(made: Value, indicator: Indicator, tree: Tree, period: Period) -> None:
    if not indicator.min_denominator:
        return
    small = (made.denominator < indicator.min_denominator) & (made.status == Status.PRESENT)
    if not indicator.shrink_to:
        _set(made, small, math.nan, Status.TOO_SMALL)
        return
    drawn = shrunk(made.numerator, made.denominator, tree, period, indicator.shrink_to)
    made.value[small] = drawn[small] * indicator.per
    made.status[small] = np.where(np.isnan(drawn[small]), Status.TOO_SMALL, Status.SHRUNK)


def extreme(indicator: Indicator, *, good: bool) -> float:
    """The value that scores best or worst by the declared rule; NaN where the rule knows none."""
    known = extremes(indicator.score) if indicator.score else None
    return math.nan if known is None else known[good]
