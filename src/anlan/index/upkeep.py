"""Values kept up with the facts: what an export changed is added to the kept cells, and only the periods it touches are
worked out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from anlan.facts.store import Store
from anlan.facts.table import FactTable
from anlan.index import cells, rollup
from anlan.index.cells import Brought, Kept
from anlan.index.indicator import Indicator, Measure
from anlan.index.panel import Panel
from anlan.index.period import Period
from anlan.index.plan import Grain, Lane, Plan, grain_of, lane_of, leaving, plan
from anlan.index.rollup import Span
from anlan.index.run import Counted, Engine, gather, panel_of

Spans = dict[Lane, set[Span]]


def counted(
    indicators: Sequence[Indicator], engine: Engine, periods: Sequence[Period], tables: Mapping[str, FactTable], *,
    store: Store, kept: Kept,
) -> tuple[Counted, Brought]:  # fmt: skip
    """As `run.count`, from kept cells that are first brought up to the last export of `store`."""
    made = plan(indicators, tables, grain_of(periods))
    brought = cells.bring_up(made, engine, store, kept)
    return of_kept(made, indicators, engine, periods, kept), brought


def of_kept(
    made: Plan, indicators: Sequence[Indicator], engine: Engine, periods: Sequence[Period], kept: Kept
) -> Counted:
    """The values of some periods from kept cells; of those, only the steps of time that the periods need are read."""
    needed = spans(indicators, periods, made.grain)

    def read(lane: Lane, column: str) -> object:
        some = needed.get(lane, set())
        digest = cells.digest_of(made, lane, column)
        if not lane.date:
            return kept.read(digest)
        return kept.read(digest, lambda step: any(span.since <= step <= span.until for span in some))

    found = gather(made, engine, read, periods=periods)
    return Counted(panel_of(found, indicators, periods), found)


def stale(
    indicators: Iterable[Indicator], periods: Iterable[Period], grain: Grain, steps: Mapping[Lane, set[int]]
) -> list[Period]:
    """The periods in which something changed, when something changed in these steps along these lanes."""
    wanted = list(indicators)
    return [
        period for period in periods
        if any(
            not lane.date or any(span.since <= step <= span.until for span in some for step in steps[lane])
            for lane, some in spans(wanted, [period], grain).items() if steps.get(lane)
        )
    ]  # fmt: skip


def spans(indicators: Iterable[Indicator], periods: Iterable[Period], grain: Grain) -> Spans:
    """The steps of time that these values are made of, along each lane."""
    asked = list(periods)
    found: Spans = {}
    for indicator in indicators:
        for period in asked:
            then = {"last_period": period.before, "last_year": period.last_year}.get(indicator.compare)
            for _, measure in indicator.measures:
                for one in (period, then) if then else (period,):
                    for lane in _lanes(measure):
                        found.setdefault(lane, set()).add(_span(measure, indicator.window, one, grain))
    return found


def merged(panel: Panel, newer: Panel) -> Panel:
    """A panel with the periods of a newer one in place of its own. The units and columns must be the same."""
    assert (panel.units, panel.columns) == (newer.units, newer.columns)
    arrays = {}
    for name in ("value", "status", "numerator", "denominator"):
        array = getattr(panel, name).copy()
        for at, period in enumerate(newer.periods):
            array[:, panel.periods.index(period)] = getattr(newer, name)[:, at]
        arrays[name] = array
    return Panel(panel.units, panel.periods, panel.columns, **arrays)


def _lanes(measure: Measure) -> list[Lane]:
    if measure.told:
        return []
    return [lane_of(measure), leaving(measure)] if measure.measure == "stock" else [lane_of(measure)]


def _span(measure: Measure, window: str, period: Period, grain: Grain) -> Span:
    return rollup.so_far(period, grain) if measure.measure == "stock" else rollup.span(window, period, grain)
