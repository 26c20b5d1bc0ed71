"""From facts to everything an edition holds: values, scores, what rules take off, places, signals.

    spec = spec_of(catalogue.current(), "peace_sample")
    with opened(Path("facts"), spec.tables) as engine:
        made = assess(spec, engine, period.read("2026-10"))
    made.tables["ranks"]

The same facts, declarations and rankings of earlier periods give the same bits: rows are read by one thread, in one
order, and every sum of points is exact.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from anlan.facts import columns
from anlan.facts.table import TABLES, FactTable
from anlan.index.counting import coverage, run
from anlan.index.counting.duckdb_engine import DuckDB, over_folder
from anlan.index.counting.indicator import INDICATORS, Indicator
from anlan.index.counting.period import Period, PeriodKind
from anlan.index.counting.period import read as read_period
from anlan.index.counting.run import Engine
from anlan.index.editions import edition, margins, signs
from anlan.index.rulebook import deductions, happenings
from anlan.index.rulebook.deductions import Asked, Known, Line, Ranking
from anlan.index.rulebook.rule import RULES, RuleTable, of_index
from anlan.index.rulebook.signal import SIGNALS, Signal
from anlan.index.scoring import ranks
from anlan.index.scoring.composite import Scored, score
from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.panel import Floats, Panel
from anlan.index.scoring.ranks import EVERYBODY, Place
from anlan.index.scoring.spec import INDICES, IndexSpec
from anlan.index.scoring.why import NoFullScore, lost
from anlan.kernel.catalogue import Catalogue, Declaration, Kind

BESIDE: Final = " · "
LABELS: Final = ("level", "parent")
"""What is told of areas, by which peers are known."""


@dataclass(frozen=True)
class Spec:
    """Everything declared that an index is worked out from."""

    index: IndexSpec
    indicators: tuple[Indicator, ...]
    rules: tuple[RuleTable, ...]
    signals: tuple[Signal, ...]
    tables: Mapping[str, FactTable]

    @property
    def frame(self) -> Framework:
        """The tree. Raises Misframed."""
        return framework(self.index, self.indicators)

    @property
    def counted(self) -> set[str]:
        """The fact tables that are looked at."""
        measures = [measure for each in self.indicators for _, measure in each.measures]
        measures += [side for each in self.signals for _, part in each.parts for side in part.sides]
        events = {rule.event.table for table in self.rules for rule in table.rules if rule.event}
        figures = {"statistics" for asked in deductions.asked(self.rules) if asked.sort == "figure"}
        return {measure.table for measure in measures} | events | figures | {run.AREAS}


@dataclass(frozen=True)
class Assessed:
    """What came of it: the scores (before rules), the lines of rules, the final scores by area, and the tables."""

    spec: Spec
    period: Period
    panel: Panel
    scored: Scored
    lines: tuple[Line, ...]
    final: Mapping[str, float | None]
    tables: Mapping[str, Any]


def spec_of(catalogue: Catalogue, key: str) -> Spec:
    """What an index is made of. Raises Undeclared."""
    return Spec(
        catalogue.get(INDICES, key),
        tuple(sorted((each for each in catalogue.all(INDICATORS).values() if each.index == key), key=lambda e: e.key)),
        tuple(of_index(catalogue.all(RULES).values(), key)),
        tuple(sorted(catalogue.all(SIGNALS).values(), key=lambda each: (each.order, each.key))),
        catalogue.all(TABLES),
    )


def keep_spec(catalogue: Catalogue, spec: Spec, folder: Path) -> None:
    """Copy the file of every declaration of the index into a folder that can be read as a catalogue."""
    named: list[tuple[Kind[Any], Iterable[Declaration]]] = [
        (INDICES, [spec.index]), (INDICATORS, spec.indicators), (RULES, spec.rules), (SIGNALS, spec.signals),
        (TABLES, spec.tables.values()),
    ]  # fmt: skip
    for kind, declared in named:
        for each in declared:
            place = folder / kind.folder / f"{each.key}.toml"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(catalogue.origin(kind, each.key), place)


@contextmanager
def opened(folder: Path, tables: Mapping[str, FactTable]) -> Iterator[DuckDB]:
    """The facts in a folder, read by one thread so that every sum has one order. A declared table of which nothing has
    happened yet has no file, and is empty."""
    with over_folder(folder, threads=1) as engine:
        for key, declared in tables.items():
            if not engine.has(key):
                engine.add(key, columns.schema(declared).empty_table())
        yield engine


def assess(spec: Spec, engine: Engine, period: Period, *, history: Sequence[Ranking] = (), seed: int = 1) -> Assessed:
    """Work out one period. `history` are the published rankings of earlier and shorter periods, where rules ask; `seed`
    is for the draws by which places have their interval.

    Raises what counting, scoring and rules refuse: NoFacts, NoSuchArea, Misframed, Incomplete, NoFact …
    """
    frame = spec.frame
    counted = run.count(spec.indicators, engine, [period], spec.tables)
    panel = coverage.hold(spec.index, spec.indicators, counted, engine, spec.tables, [period])
    scored = score(frame, panel, labels=run.labels(counted, period))
    lines = _lines(spec, engine, scored, period, history)
    final = _final(scored, lines)
    places = placed(scored, period, final)
    told = margins.kinds(spec.indicators)
    counts = margins.counts(panel, spec.indicators)
    drawn = margins.draws(frame, counts, period.name, told, scored.labels, seed)
    taken = np.array([_or_nan(final[unit]) for unit in scored.units]) - scored.index[:, 0]
    sure = margins.of_places(places, scored.units, drawn + taken[:, None], spec.index.ranking)
    tables = {
        "values": values_table(panel, *margins.intervals(counts, told)),
        "scores": scores_table(scored, period),
        "ranks": ranks_table(places, sure),
        "lines": lines_table(lines),
        "signals": signs.table(spec.signals, engine, spec.tables, period),
    }
    cast = {name: edition.in_order(name, table.cast(edition.SCHEMAS[name])) for name, table in tables.items()}
    return Assessed(spec, period, panel, scored, tuple(lines), final, cast)


def placed(scored: Scored, period: Period, final: Mapping[str, float | None] | None = None) -> list[tuple[str, Place]]:
    """Every unit's place among each of its groups of peers, with the group's name; by its final score, if given."""
    if final is not None:
        ended = scored.score.copy()
        ended[:, scored.periods.index(period.name), 0] = [
            np.nan if final[unit] is None else final[unit] for unit in scored.units
        ]
        scored = replace(scored, score=ended)
    found: list[tuple[str, Place]] = []
    for peers in scored.framework.spec.ranking.peers or (EVERYBODY,):
        places = ranks.places(scored, period.name, peers=peers)
        several = len({place.group for place in places}) > 1
        found += [(f"{peers.key}{BESIDE}{place.group}" if several else peers.key, place) for place in places]
    return found


def ranking(period: Period, places: Iterable[tuple[str, Place]]) -> Ranking:
    """Places as rules look at them; of an area in several groups the first counts."""
    found: dict[str, deductions.Place] = {}
    for peer, place in places:
        found.setdefault(place.unit, deductions.Place(peer, int(place.rank), place.of))
    return Ranking(period, found)


def wanted_history(spec: Spec, period: Period) -> tuple[set[PeriodKind], set[Period]]:
    """What rules look at of rankings published before: all of these kinds that end within the period, and these."""
    kinds: set[PeriodKind] = set()
    periods: set[Period] = set()
    for rule in (rule for table in spec.rules for rule in table.rules):
        if rule.bottom and rule.bottom.of != period.kind:
            kinds.add(rule.bottom.of)
        if rule.change and rule.change.place:
            periods.add(period.before if rule.change.since == "last_period" else period.last_year)
    return kinds, periods


def history_table(history: Iterable[Ranking]) -> Any:
    """Rankings as `edition` keeps them."""
    rows = [
        {"period": each.period.name, "area_path": area, "peer": place.peer, "rank": place.rank, "size": place.size}
        for each in history
        for area, place in each.places.items()
    ]
    return edition.in_order("history", pa.Table.from_pylist(rows, edition.HISTORY))


def read_history(table: Any) -> list[Ranking]:
    """Rankings as they were kept, the oldest first."""
    found: dict[Period, dict[str, deductions.Place]] = {}
    for row in table.to_pylist():
        places = found.setdefault(read_period(row["period"]), {})
        places[row["area_path"]] = deductions.Place(row["peer"], row["rank"], row["size"])
    return [Ranking(period, places) for period, places in sorted(found.items())]


def published_ranking(period: Period, table: Any) -> Ranking:
    """The places of an edition as rules look at them; of an area in several groups the first counts."""
    rows = table.to_pylist()
    sizes = Counter(row["peer"] for row in rows)
    found: dict[str, deductions.Place] = {}
    for row in rows:
        found.setdefault(row["area_path"], deductions.Place(row["peer"], row["rank"], sizes[row["peer"]]))
    return Ranking(period, found)


def _lines(spec: Spec, engine: Engine, scored: Scored, period: Period, history: Sequence[Ranking]) -> list[Line]:
    if not spec.rules:
        return []
    wanted = deductions.asked(spec.rules)
    known = Known(
        period,
        dict(zip(scored.units, scored.labels["level"], strict=True)),
        happenings.happened(spec.rules, spec.tables, engine, period),
        {**happenings.figures(engine, wanted, period), **_values(spec, engine, wanted, period)},
        [*history, ranking(period, placed(scored, period))],
    )
    before = {unit: _or_none(value) for unit, value in zip(scored.units, scored.index[:, 0], strict=True)}
    return deductions.lines(spec.rules, known, before)


def _values(spec: Spec, engine: Engine, wanted: Iterable[Asked], period: Period) -> dict[Asked, dict[str, float]]:
    """Indicators' values that rules look at, of this period and of earlier ones."""
    asked = [one for one in wanted if one.sort == "indicator"]
    if not asked:
        return {}
    meant = {one: happenings.meant(one, period) for one in asked}
    indicators = [each for each in spec.indicators if each.key in {one.key for one in asked}]
    panel = run.count(indicators, engine, sorted(set(meant.values())), spec.tables).panel
    found = {}
    for one in asked:
        values = panel.at(meant[one].name)[:, panel.columns.index(one.key)]
        found[one] = {
            unit: float(value) for unit, value in zip(panel.units, values, strict=True) if not np.isnan(value)
        }
    return found


def _final(scored: Scored, lines: Iterable[Line]) -> dict[str, float | None]:
    own: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        own[line.area_path].append(line)
    index = zip(scored.units, scored.index[:, 0], strict=True)
    return {unit: deductions.settle(_or_none(value), own[unit]) for unit, value in index}


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


# ---------------------------------------------------------------- tables


def values_table(panel: Panel, low: Floats, high: Floats) -> Any:
    """Every value with what counting leaves open, as `edition` says."""
    table = run.table_of(panel)
    for name, array in (("low", low), ("high", high)):
        table = table.set_column(table.column_names.index(name), name, _real(array))
    return table


def scores_table(scored: Scored, period: Period) -> Any:
    """Every node's score, weight and points of every area that has an index, as `edition` says."""
    there = np.flatnonzero(~np.isnan(scored.index[:, scored.periods.index(period.name)]))
    nodes = scored.framework.keys
    score_ = scored.score[there, scored.periods.index(period.name), :]
    weight = scored.weights(period.name)[there]
    points = _points(scored, period, score_, weight, there)
    units = pa.array(scored.units).take(pa.array(np.repeat(there, len(nodes))))
    return pa.table(
        {
            "area_path": units,
            "period": pa.array([period.name] * len(units), pa.string()),
            "node": pa.array(nodes * len(there), pa.string()),
            "score": _real(score_),
            "weight": _real(weight),
            "points": _real(points),
        }
    )


def _points(scored: Scored, period: Period, score_: Floats, weight: Floats, there: Any) -> Floats:
    """What each node brought to the whole: its full points less what it lacks."""
    try:
        why = lost(scored, period.name)
    except NoFullScore:
        return weight * np.nan_to_num(score_)
    lacked = np.stack([why.under(key)[there] for key in scored.framework.keys], axis=1)
    points: Floats = weight * 100.0 - lacked
    return points


def ranks_table(places: Iterable[tuple[str, Place]], sure: Mapping[tuple[str, str], tuple[int, int]]) -> Any:
    """Places with their intervals as `edition` says."""
    rows = []
    for peer, place in places:
        low, high = sure.get((peer, place.unit), (None, None))
        rows.append(
            {"area_path": place.unit, "peer": peer, "score": place.score, "rounded": place.rounded,
             "rank": int(place.rank), "rank_low": low, "rank_high": high, "tied": place.tied > 0, "band": place.band}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, edition.SCHEMAS["ranks"])


def lines_table(lines: Iterable[Line]) -> Any:
    """Lines as `edition` says; what a veto found nothing to take of an area without a score is told, too."""
    rows = [
        {"area_path": line.area_path, "rule": line.rule, "points": line.points, "times": line.times,
         "why": json.dumps(line.why, ensure_ascii=False, sort_keys=True, separators=(",", ":"))}
        for line in lines
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, edition.SCHEMAS["lines"])


def _real(values: Floats) -> Any:
    return pa.array(values.ravel(), from_pandas=True)
