"""(k) The sample index of an invented province: indicators, scores, ranks, reasons, beside a bare scan of the facts."""

from __future__ import annotations

import json
import os
import resource
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from sqlglot import parse_one

from anlan.facts.store import open_store
from anlan.facts.table import TABLES
from anlan.index.counting import cells, duckdb_engine, period, run, spark_engine, upkeep
from anlan.index.counting.cells import Kept
from anlan.index.counting.expression import names
from anlan.index.counting.indicator import INDICATORS, Indicator
from anlan.index.counting.plan import Plan, plan
from anlan.index.counting.run import Counted
from anlan.index.scoring import composite, ranks, why
from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.groups import grouped
from anlan.index.scoring.panel import Panel
from anlan.index.scoring.spec import INDICES
from anlan.kernel import catalogue
from benchmarks import province_facts
from benchmarks.ground import BENCH
from benchmarks.province_facts import PARTS, SMALL, YEAR, Size
from benchmarks.rows import Row, row, told

INDEX: Final = "peace_sample"
MEMORY: Final = "5GB"
MONTHS: Final = [period.read(f"{YEAR}-{month:02}") for month in range(1, 13)]
FEW: Final = MONTHS[9:]
NEAR: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Whole:
    """One full run: the seconds of its parts, and what it gave."""

    counting: float
    adding: float
    scoring: float
    panel: Panel
    scored: composite.Scored

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.counting + self.adding + self.scoring


def run_(*, small: bool) -> list[Row]:
    """The bare scan and the index in turn, at a quarter, a half and all of the data; then a day more; then on Spark."""
    indicators, frame = _declared()
    size = SMALL if small else Size()
    folder = BENCH / ("province-facts-small" if small else "province-facts")
    facts = province_facts.made(folder, size, catalogue.current(), indicators)
    found: list[Row] = []
    quarter = 0.0
    for parts in (1, 2, PARTS):
        some = _parts(facts, parts)
        bare = _bare(some, indicators)
        whole = _whole(some, indicators, frame)
        quarter = quarter or whole.seconds
        note = f"{size.cases * parts // PARTS:,} cases"
        found += _said(parts, bare, whole, note, last=parts == PARTS)
    growth = whole.seconds / quarter
    found.append(row("k", "The index, all of the data ÷ a quarter of it", "", [growth], "×", at_most=4.4))
    found.append(row("k", "Memory of the process, at most", "", [_resident()], "GB", at_most=8))
    found += _one_day(facts, indicators, frame, whole)
    found += _spark(_parts(facts, 1), indicators, f"{size.cases // PARTS:,} cases")
    return found


def _said(parts: int, bare: float, whole: Whole, note: str, *, last: bool) -> Iterator[Row]:
    which = {1: "a quarter", 2: "half", 4: "all"}[parts]
    yield row("k", f"Bare scan, {which} of the data", "", [bare], "s", note=note)
    yield row("k", f"The index, {which} of the data", "", [whole.seconds], "s")
    yield row("k", f"The index ÷ the bare scan, {which}", "", [whole.seconds / bare], "×", at_most=5 if last else None)
    if last:
        areas, months, several = whole.panel.value.shape
        yield row("k", "— of it counting", "", [whole.counting], "s", note=f"{several} indicators")
        yield row("k", "— of it adding up and dividing", "", [whole.adding], "s", note=f"{areas:,} areas × {months}")
        yield row("k", "— of it scores, ranks and contributions", "", [whole.scoring], "s")


def _declared() -> tuple[list[Indicator], Framework]:
    known = catalogue.current()
    indicators = [each for each in known.all(INDICATORS).values() if each.index == INDEX]
    return indicators, framework(known.get(INDICES, INDEX), indicators)


def _whole(facts: Path, indicators: Sequence[Indicator], frame: Framework) -> Whole:
    with duckdb_engine.over_folder(facts, memory=MEMORY) as engine:
        begun = time.perf_counter()
        made = plan(indicators, catalogue.current().all(TABLES), "month")
        found = run.gather(made, engine, periods=MONTHS)
        counted_at = time.perf_counter()
        panel = run.panel_of(found, indicators, MONTHS, at_once=run.AT_ONCE)
        added_at = time.perf_counter()
        scored = _scored(frame, Counted(panel, found), MONTHS)
        return Whole(counted_at - begun, added_at - counted_at, time.perf_counter() - added_at, panel, scored)


def _scored(frame: Framework, counted: Counted, months: Sequence[period.Period]) -> composite.Scored:
    """Scores of all areas, their ranks among peers, and why each changed from month to month."""
    told_of = run.labels(counted, months[-1])
    scored = composite.score(frame, counted.panel, labels=told_of)
    for peers in frame.spec.peers.values():
        group = grouped(peers, scored.labels, scored.units)
        for one in np.unique(group[group >= 0]):
            for at in range(len(months)):
                ranks.ranked(scored.index[group == one, at], frame.spec.ranking)
    for _, reasons in why.steps(scored):
        parts = reasons.leaf.sum(axis=1) + reasons.other.sum(axis=1)
        np.testing.assert_allclose(parts, reasons.change, rtol=NEAR, atol=NEAR)
    return scored


def _bare(facts: Path, indicators: Sequence[Indicator]) -> float:
    """The same columns read once, and rows counted by area and month: the seconds of it."""
    made = plan(indicators, catalogue.current().all(TABLES), "month")
    begun = time.perf_counter()
    for table, columns in _read(made).items():
        dated = next((lane.date for lane in made.lanes if lane.table == table and lane.date), "")
        month = f', year("{dated}") * 12 + month("{dated}") AS t' if dated else ""
        counts = ", ".join(f'count("{name}")' for name in sorted(columns))
        files = f"read_parquet('{facts}/{table}/**/*.parquet')"
        query = f"SELECT area_path{month}, count(*), {counts} FROM {files} GROUP BY ALL"
        with duckdb.connect() as connection:
            connection.execute("SET preserve_insertion_order = false")
            connection.sql(query).to_arrow_table()
    return time.perf_counter() - begun


def _read(made: Plan) -> dict[str, set[str]]:
    """The columns of each table that the plan reads."""
    found: dict[str, set[str]] = {}
    for lane, along in made.lanes.items():
        where = [tally.where for tally in along.tallies] + [one for several in along.bags.values() for one in several]
        columns = {name for text in where for name in names(parse_one(text, dialect="duckdb"))}
        columns |= {tally.column for tally in along.tallies} | set(along.bags) | {lane.date, lane.until}
        found.setdefault(lane.table, set()).update(columns - {""})
    for (table, column), texts in made.given.items():
        columns = {name for text in texts for name in names(parse_one(text, dialect="duckdb"))}
        found.setdefault(table, set()).update(columns | {column, "period", "period_date", "version", "current"})
    return found


def _one_day(facts: Path, indicators: Sequence[Indicator], frame: Framework, whole: Whole) -> Iterator[Row]:
    """A day's rows come, as many cases as that are closed: the kept cells, the touched months, their scores and why
    they are not those of the month before."""
    folder = facts.parent / f"{facts.name}-cells"
    shutil.rmtree(folder, ignore_errors=True)
    store, tables = open_store(facts), catalogue.current().all(TABLES)
    changes = province_facts.day_of_changes(facts)
    with duckdb_engine.over_folder(facts, memory=MEMORY) as engine:
        _runs(facts, [{"number": 1, "whole": True}])
        begun = time.perf_counter()
        upkeep.counted(indicators, engine, MONTHS[-1:], tables, store=store, kept=Kept(folder))
        first = time.perf_counter() - begun
        _runs(facts, [{"number": 1, "whole": True}, {"number": 2, "changes": changes}])
        begun = time.perf_counter()
        made = plan(indicators, tables, "month")
        kept = Kept(folder)
        brought = cells.bring_up(made, engine, store, kept)
        months = upkeep.stale(indicators, MONTHS, "month", brought.steps)
        newer = upkeep.of_kept(made, indicators, engine, months, kept, store=store)
        scored = _scored(frame, newer, months)
        before = whole.scored.nodes_first(MONTHS[-2].name)
        why.explained(frame, before, scored.nodes_first(MONTHS[-1].name), scored.units)
        took = time.perf_counter() - begun
    assert (months, brought.anew, scored.units) == (MONTHS[-1:], 0, whole.scored.units)
    yield row("k", "Counting all once and keeping what was counted", "", [first], "s", note="once")
    yield row("k", "One more day of data", "", [took], "s", note=f"{months[0].name} touched")
    yield row("k", "One more day ÷ all of it", "", [100 * took / whole.seconds], "%", at_most=5)


def _runs(facts: Path, runs: list[dict[str, Any]]) -> None:
    """A list as an export writes it."""
    listed = {}
    for table in ("areas", "sites", "statistics"):
        sizes = {str(path.relative_to(facts)): path.stat().st_size for path in (facts / table).rglob("*.parquet")}
        listed[table] = {"files": sizes}
    (facts / "manifest.json").write_text(json.dumps({"runs": runs, "tables": listed}))


def _spark(facts: Path, indicators: Sequence[Indicator], cases: str) -> Iterator[Row]:
    """The same on a cluster of processes of this machine, over a quarter of the data."""
    tables = catalogue.current().all(TABLES)
    with duckdb_engine.over_folder(facts, memory=MEMORY) as engine:
        here = run.count(indicators, engine, FEW, tables).panel
    with spark_engine.over_folder(facts, "local-cluster[2,1,1536]") as cluster:
        begun = time.perf_counter()
        there = run.count(indicators, cluster, FEW, tables).panel
        took = time.perf_counter() - begun
    alike = np.isclose(here.value, there.value, rtol=NEAR, atol=NEAR, equal_nan=True).sum()
    yield row(
        "k",
        "Spark, two workers: the same indicators",
        "",
        [took],
        "s",
        note=f"{cases}, {FEW[0].name} to {FEW[-1].name}",
    )
    yield row("k", "Values that Spark and DuckDB agree on", "", [int(alike)], "values", at_least=here.value.size)


def _parts(facts: Path, parts: int) -> Path:
    """A folder with some parts of each month, the same files."""
    return facts if parts == PARTS else _linked(facts, f"{facts.name}-{parts}", lambda part: part < parts)


def _linked(facts: Path, name: str, wanted: Any) -> Path:
    folder = facts.parent / name
    for path in facts.rglob("part-*.parquet"):
        place = folder / path.relative_to(facts)
        if wanted(int(path.stem.removeprefix("part-"))) and "changes" not in path.parts and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)
    return folder


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    told(run_)
