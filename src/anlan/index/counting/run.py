"""Indicators worked out from facts: one pass along each date of each table, added up the areas, divided last.

with over_folder(Path("facts")) as engine:
    panel = count(indicators, engine, [period.read("2026-10")], tables_of(catalogue.current())).panel
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from sqlglot import exp

from anlan.facts.table import FactTable
from anlan.index.counting import queries, rollup, tree, values
from anlan.index.counting.cells import passes, quick
from anlan.index.counting.indicator import Indicator
from anlan.index.counting.period import Period
from anlan.index.counting.plan import Plan, grain_of, plan
from anlan.index.counting.tree import Tree
from anlan.index.counting.values import Found
from anlan.index.scoring.panel import Panel, Status
from anlan.kernel.text import Refusal

AREAS: Final = "areas"
AT_ONCE: Final = 2
"""So many periods are worked out at once: twelve months of a province then hold two months' sums in memory."""


class Engine(Protocol):
    """What runs a pass: DuckDB in this process, or Spark."""

    name: str

    def rows(self, select: exp.Select) -> Any:
        """The answer to a query, as an Arrow table."""

    def has(self, table: str) -> bool:
        """Whether there is a table of this name."""


class NoFacts(Refusal):
    """A table that an indicator counts is not there."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"事实里没有“{table}”这张表的数据。请先执行 anlan facts export，或检查 --facts 指的文件夹。",
            f"There are no facts of “{table}”. First run: anlan facts export, or look at the folder --facts names.",
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """A panel of values, and the tree and sums they came from."""

    panel: Panel
    found: Found

    @property
    def tree(self) -> Tree:
        """The areas."""
        return self.found.tree


def count(
    indicators: Iterable[Indicator], engine: Engine, periods: Sequence[Period], tables: Mapping[str, FactTable]
) -> Counted:
    """The values of indicators for every area in each period. Raises NoFacts, NoSuchArea and `Unsayable`."""
    wanted = list(indicators)
    made = plan(wanted, tables, grain_of(periods))
    found = gather(made, engine, periods=periods)
    return Counted(panel_of(found, wanted, periods, at_once=AT_ONCE), found)


def gather(made: Plan, engine: Engine, *, periods: Sequence[Period] = ()) -> Found:
    """Everything of a plan counted. With `periods` only figures are read that may hold for them."""
    look(made, engine)
    told = {(lane, column): engine.rows(quick(made, lane, column)) for lane, column in passes(made)}
    given = given_of(made, engine, periods)
    paths = [rows["leaf"] for rows in told.values()] + [rows["area_path"] for rows in given.values()]
    areas = tree_of(engine, {path for column in paths for path in column.unique().to_pylist() if path})
    found = Found(made, areas, given=given)
    for (lane, column), rows in told.items():
        along = made.lanes[lane]
        width = len(along.bags[column] if column else along.tallies)
        cells = rollup.read(rows, areas, width=width, horizons=along.horizons, timed=bool(lane.date))
        if column:
            found.bags[lane, column] = cells
        else:
            found.cells[lane] = cells
    return found


def look(made: Plan, engine: Engine) -> None:
    """Raise NoFacts where a table that a plan counts is not there."""
    for table in {lane.table for lane in made.lanes} | {table for table, _ in made.given}:
        if not engine.has(table):
            raise NoFacts(table)


def given_of(made: Plan, engine: Engine, periods: Sequence[Period]) -> dict[tuple[str, str], Any]:
    """The given figures of a plan that may hold for these periods, by table and column."""
    return {
        (table, column): engine.rows(
            queries.given(table, column, where, made.tables[table].names, _since(made, table, column, periods))
        )
        for (table, column), where in made.given.items()
    }


def tree_of(engine: Engine, seen: Iterable[str]) -> Tree:
    """The areas that the facts tell of, and those in which something was seen."""
    versions = tree.of_table(engine.rows(exp.select("*").from_(AREAS))) if engine.has(AREAS) else []
    return Tree(versions, seen)


def _since(made: Plan, table: str, column: str, periods: Sequence[Period]) -> list[date] | None:
    """For each condition on given figures, from when on one may hold for these periods."""
    if not periods:
        return None
    first = min(period.before.first for period in periods)
    months = first.year * 12 + first.month - 1
    begins = [months - made.carries[table, column, where] for where in made.given[table, column]]
    return [date(begin // 12, begin % 12 + 1, 1) for begin in begins]


def panel_of(found: Found, indicators: Sequence[Indicator], periods: Sequence[Period], *, at_once: int = 1) -> Panel:
    """The values of every area that was one in any of the periods; missing where it was not.

    So many periods are worked out at once: each holds its sums in memory, and gives the same to the bit.
    """
    standing = np.stack([found.tree.standing(period.last) for period in periods])
    kept = np.flatnonzero(standing.any(axis=0))
    shape = (len(periods), len(indicators), len(kept))
    arrays = {name: np.full(shape, np.nan) for name in ("value", "numerator", "denominator")}
    arrays["status"] = np.full(shape, Status.MISSING, dtype=np.uint8)

    def fill(at: int, reader: Found) -> None:
        there = np.flatnonzero(standing[at, kept])
        for number, indicator in enumerate(indicators):
            made = values.value(reader, indicator, periods[at])
            for name, array in arrays.items():
                array[at, number, there] = getattr(made, name)[kept[there]]
        reader.forget()

    if at_once == 1:
        for at in range(len(periods)):
            fill(at, found)
    else:
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda at: fill(at, found.apart()), range(len(periods))))
    units = tuple(found.tree.paths[place] for place in kept)
    keys = tuple(indicator.key for indicator in indicators)
    return Panel(
        units, tuple(period.name for period in periods), keys,
        **{name: array.transpose(2, 0, 1) for name, array in arrays.items()},
    )  # fmt: skip


def labels(counted: Counted, period: Period) -> dict[str, list[str]]:
    """What is told of a panel's units in a period, by which peers are known: `level` and `parent` (its path)."""
    levels, place = counted.tree.levels(period.last), counted.tree.place
    parents = [tree.parent(path) for path in counted.panel.units]
    return {"level": [levels[place[path]] for path in counted.panel.units], "parent": parents}


def table_of(panel: Panel) -> Any:
    """A panel as an Arrow table: area_path, period, indicator, numerator, denominator, value, status, low, high.

    What is not a number is null; `low` and `high` are for whoever knows how sure a value is.
    """
    units, periods, keys = panel.value.shape
    place = np.indices((units, periods, keys)).reshape(3, -1)
    names = [pa.array(tuple(texts)) for texts in (panel.units, panel.periods, panel.columns)]
    columns = {
        name: texts.take(pa.array(which))
        for name, texts, which in zip(("area_path", "period", "indicator"), names, place, strict=True)
    }
    for name in ("numerator", "denominator", "value"):
        array = getattr(panel, name)
        columns[name] = pa.array(
            np.full(units * periods * keys, np.nan) if array is None else array.ravel(), from_pandas=True
        )
    columns["status"] = pa.array(panel.status.ravel().astype(np.int64))
    columns["low"] = columns["high"] = pa.nulls(units * periods * keys, pa.float64())
    return pa.table(columns)
