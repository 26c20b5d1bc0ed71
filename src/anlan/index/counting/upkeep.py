"""Values kept up with the facts: what an export changed is added to the kept cells and to what was added up of them,
and only the periods it touches are worked out again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np

from anlan.facts.store import Store
from anlan.facts.table import FactTable
from anlan.index.counting import added, cells, rollup, run
from anlan.index.counting.added import Bag
from anlan.index.counting.cells import Brought, Kept
from anlan.index.counting.indicator import Indicator, Measure
from anlan.index.counting.period import Period
from anlan.index.counting.plan import Grain, Lane, Plan, grain_of, lane_of, leaving, plan
from anlan.index.counting.rollup import Cells, Span
from anlan.index.counting.run import Counted, Engine
from anlan.index.counting.values import Found
from anlan.index.scoring.panel import Floats, Panel

TOLD: Final = "told"
"""Where the given figures of the last period lie, as each measure holds them."""
Spans = dict[Lane, set[Span]]


def counted(
    indicators: Sequence[Indicator], engine: Engine, periods: Sequence[Period], tables: Mapping[str, FactTable], *,
    store: Store, kept: Kept,
) -> tuple[Counted, Brought]:  # fmt: skip
    """As `run.count`, from kept cells that are first brought up to the last export of `store`."""
    made = plan(indicators, tables, grain_of(periods))
    run.look(made, engine)
    brought = cells.bring_up(made, engine, store, kept)
    return of_kept(made, indicators, engine, periods, kept, store=store), brought


def of_kept(
    made: Plan, indicators: Sequence[Indicator], engine: Engine, periods: Sequence[Period], kept: Kept, *, store: Store
) -> Counted:
    """The values of some periods, in the order of time, from kept cells.

    Of those only the steps of time are read that the periods need, and where sums of them were kept only what changed
    since; the sums of the last period are kept.
    """
    state = cells.state(store, run.AREAS, *{table for table, _ in made.given})
    names = {_figure(measure, one) for _, measure, one in _asked(indicators, periods) if measure.told}
    figures = _Figures(kept, state)
    load = partial(run.given_of, made, engine, periods)
    given = {} if figures.have(names) else load()
    for rows in given.values():
        kept.seen(rows["area_path"])
    tree = run.tree_of(engine, kept.leaves)
    key = added.key_of(tree)
    if not given and not figures.fit(key):
        given = load()
    needed = spans(indicators, periods, made.grain)
    found = Standing(made, tree, given=given, kept=kept, key=key, needed=needed, figures=figures, load=load)
    panel = run.panel_of(found, indicators, periods)
    found.keep()
    return Counted(panel, found)


@dataclass(slots=True)
class Standing(Found):
    """What is found in kept cells, read when it is asked for."""

    kept: Kept = field(kw_only=True)
    key: str = field(kw_only=True)
    needed: Spans = field(kw_only=True)
    figures: _Figures = field(kw_only=True)
    load: Callable[[], dict[tuple[str, str], Any]] = field(kw_only=True)
    """Reads the given figures, when one is asked for that is not held."""
    _now: dict[tuple[str, str], Floats | Bag | None] = field(default_factory=dict)
    _last: dict[tuple[str, str], Floats | Bag | None] = field(default_factory=dict)
    """What the last period asked for, by pass and span: None where it is kept already."""

    def sums(self, lane: Lane, at: Span | None) -> Floats:
        """The sums of everything counted along a lane in a span: areas × tallies."""
        if (lane, at) not in self._sums:
            digest = cells.digest_of(self.plan, lane, "")
            before = self._before(digest, added.name_of(at))
            if before is None:
                found = rollup.sums(self._every(lane, ""), self.tree, at)
                self._now[digest, added.name_of(at)] = found
            else:
                held, since = before
                assert not isinstance(held, Bag)
                later = self._later(lane, "", at, since)
                found = held.copy() if later is None else rollup.sums(later, self.tree, at) + held
            self._sums[lane, at] = found
        return self._sums[lane, at]

    def collected(self, lane: Lane, column: str, number: int, at: Span | None) -> tuple[Any, Any]:
        """How often each value occurs in a span under a condition, areas × values, and the values."""
        digest, name = cells.digest_of(self.plan, lane, column), added.name_of(at, number)
        before = self._before(digest, name)
        if before is None:
            found = self._bag(self._every(lane, column), at, number)
            self._now[digest, name] = found
        else:
            held, since = before
            assert isinstance(held, Bag)
            later = self._later(lane, column, at, since)
            found = held if later is None else held.plus(self._bag(later, at, number))
        return found.often, found.values

    def told(self, measure: Measure, period: Period, indicator: str) -> Floats:
        """The given figure of each area for a period, NaN where there is none. Raises NoSuchArea."""
        name = _figure(measure, period)
        if not self.given and name in self.figures.held:
            return self.figures.held[name]
        self.given = self.given or self.load()
        found = Found.told(self, measure, period, indicator)
        self.figures.now[name] = found
        return found

    def forget(self) -> None:
        """Let go of the sums: the next period is another."""
        Found.forget(self)
        self._last, self._now = self._now, {}
        self.figures.turn()

    def keep(self) -> None:
        """Keep what the last period was made of, and nothing of others."""
        wanted: dict[str, set[str]] = {}
        for digest, name in self._last:
            wanted.setdefault(digest, set()).add(name)
        for digest, names in wanted.items():
            added.clear(self.kept.place(digest), names)
        for (digest, name), found in self._last.items():
            mark = self.kept.mark(digest)
            if found is not None and mark is not None:
                added.write(self.kept.place(digest) / name, found, self.key, mark.run)
        if self.given:
            self.figures.keep(self.key)

    def _before(self, digest: str, name: str) -> tuple[Floats | Bag, int] | None:
        self._now[digest, name] = None
        return added.read(self.kept.place(digest) / name, self.key)

    def _bag(self, some: Cells, at: Span | None, number: int) -> Bag:
        often = rollup.collected(some, self.tree, at, number)
        often.sort_indices()
        return Bag(often, some.values)

    def _every(self, lane: Lane, column: str) -> Cells:
        """The cells of a pass in all steps of time that any of the periods needs."""
        held: dict[Any, Cells] = self.bags if column else self.cells
        key = (lane, column) if column else lane
        if key not in held:
            held[key] = self._read(lane, column, self.needed.get(lane, set()))
        return held[key]

    def _later(self, lane: Lane, column: str, at: Span | None, since: int) -> Cells | None:
        """What changes later than an export added; None where that is nothing."""
        found = self._read(lane, column, {at} if at else set(), after=since)
        return found if len(found.leaf) else None

    def _read(self, lane: Lane, column: str, some: set[Span], *, after: int | None = None) -> Cells:
        digest, along = cells.digest_of(self.plan, lane, column), self.plan.lanes[lane]

        def within(step: int) -> bool:
            return not lane.date or any(span.since <= step <= span.until for span in some)

        rows = self.kept.read(digest, within, after=after)
        width = len(along.bags[column] if column else along.tallies)
        return rollup.read(rows, self.tree, width=width, horizons=along.horizons, timed=bool(lane.date))


class _Figures:
    """The given figures of the last period as they were held, as long as no figure and no area is told anew."""

    def __init__(self, kept: Kept, state: str) -> None:
        self._folder, self._state = kept.folder, state
        book = kept.folder / f"{TOLD}.json"
        with cells.readable(kept.folder):
            told = json.loads(book.read_text()) if book.exists() else {}
            known = bool(state) and told.get("state") == state
            self._areas = told["areas"] if known else ""
            self.held: dict[str, Floats] = (
                dict(zip(told["names"], np.load(kept.folder / f"{TOLD}.npy"), strict=True)) if known else {}
            )
        self.now: dict[str, Floats] = {}
        self._last: dict[str, Floats] = {}

    def have(self, names: set[str]) -> bool:
        """Whether all of these are held."""
        return names <= self.held.keys()

    def fit(self, key: str) -> bool:
        """Whether what is held is of these areas."""
        return not self.held or self._areas == key

    def turn(self) -> None:
        """The next period is another."""
        self._last, self.now = self.now, {}

    def keep(self, key: str) -> None:
        """Keep the figures of the last period."""
        if self._state and self._last:
            book = self._folder / f"{TOLD}.json"
            book.unlink(missing_ok=True)
            np.save(self._folder / f"{TOLD}.npy", np.stack(list(self._last.values())))
            book.write_text(json.dumps({"state": self._state, "areas": key, "names": list(self._last)}))


def _figure(measure: Measure, period: Period) -> str:
    return f"{period.name} {measure.model_dump_json()}"


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
    found: Spans = {}
    for indicator, measure, period in _asked(indicators, periods):
        for lane in _lanes(measure):
            found.setdefault(lane, set()).add(_span(measure, indicator.window, period, grain))
    return found


def _asked(indicators: Iterable[Indicator], periods: Iterable[Period]) -> Iterator[tuple[Indicator, Measure, Period]]:
    """Every measure with every period that it is asked for, the one it is compared with among them."""
    asked = list(periods)
    for indicator in indicators:
        for period in asked:
            then = {"last_period": period.before, "last_year": period.last_year}.get(indicator.compare)
            for _, measure in indicator.measures:
                for one in (period, then) if then else (period,):
                    yield indicator, measure, one


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
