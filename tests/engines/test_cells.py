"""Kept cells and the changes of exports: whatever comes and goes, they are what counting anew gives."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from anlan.facts.store import open_store
from anlan.index.counting import cells, period, upkeep
from anlan.index.counting.cells import Brought, Kept, Mark
from anlan.index.counting.duckdb_engine import DuckDB, over_folder
from anlan.index.counting.indicator import Indicator
from anlan.index.counting.period import Period
from anlan.index.counting.plan import Plan, grain_of, plan
from anlan.index.counting.run import count
from anlan.index.scoring.panel import Panel
from engine_cases import MINUTES, PLAIN
from invented_facts import FOUNDED, TABLES, areas, cases, indicator, statistics, table

INDICATORS = [plain.indicator for plain in PLAIN]
PERIODS = [period.read(name) for name in ("2025-12", "2026-09", "2026-10")]
Rows = Sequence[Mapping[str, Any]]


class Killed(Kept):
    """Ends before it has written down how far it came."""

    def note(self, marks: Mapping[str, Mark]) -> None:
        raise KeyboardInterrupt


class Read(Kept):
    """Tells how many rows were read of what is kept; a row counts each time that it is read."""

    rows = 0

    def read(self, digest: str, wanted: Callable[[int], bool] = lambda _: True, *, after: int | None = None) -> Any:
        found = super().read(digest, wanted, after=after)
        self.rows += found.num_rows
        return found


class Asked:
    """An engine that remembers what it was asked."""

    name = "duckdb"

    def __init__(self, engine: DuckDB) -> None:
        self._engine, self.questions = engine, list[str]()

    def rows(self, select: exp.Select) -> Any:
        self.questions.append(select.sql("duckdb"))
        return self._engine.rows(select)

    def has(self, table: str) -> bool:
        return self._engine.has(table)


class Town:
    """A folder of facts, to which exports are written as `anlan facts export` writes them."""

    def __init__(self, folder: Path, rows: Rows) -> None:
        self.facts, self.kept = folder / "facts", Kept(folder / "cells")
        self.asked: Asked
        self.runs: list[dict[str, Any]] = []
        self.until = 0
        self.tables: dict[str, Any] = {}
        self.tell("areas", areas())
        self.tell("statistics", table("statistics", statistics(2)))
        self.rows: dict[str, Mapping[str, Any]] = {}
        self.export(rows, whole=True)

    def tell(self, name: str, made: Any) -> None:
        """What areas or figures there are, from now on."""
        path = f"{name}/part-0.parquet"
        self._put(path, made)
        self.tables[name] = {"files": {path: {"sha256": sha256((self.facts / path).read_bytes()).hexdigest()}}}

    def export(self, rows: Rows, *, whole: bool = False, anew: bool = False) -> None:
        """The cases as they are now, with what changed since the last export; `anew` forgets every run before."""
        now = {str(row["case"]): row for row in rows}
        self.until += 1
        if anew:
            self.runs = []
        number = len(self.runs) + 1
        taken = [row for key, row in self.rows.items() if now.get(key) != row]
        given_ = [row for key, row in now.items() if self.rows.get(key) != row]
        self.rows = now
        self._put("cases/month=2026-01/part-0.parquet", table("cases", rows))
        run: dict[str, Any] = {"number": number, "until": [1, self.until], "whole": whole or anew, "changes": {}}
        if not run["whole"]:
            signs = pa.array([-1] * len(taken) + [1] * len(given_), type=pa.int8())
            name = f"changes/cases/{number:08}.parquet"
            self._put(name, table("cases", [*taken, *given_]).append_column("sign", signs))
            run["changes"]["cases"] = {"name": name, "rows": len(signs), "sha256": ""}
        self.runs.append(run)
        (self.facts / "manifest.json").write_text(json.dumps({"runs": self.runs, "tables": self.tables}))

    def counted(
        self, indicators: Sequence[Indicator] = INDICATORS, periods: Sequence[Period] = PERIODS
    ) -> tuple[Brought, Panel]:
        """The values from what is kept, brought up to the last export."""
        with over_folder(self.facts) as engine:
            self.asked = Asked(engine)
            counted, brought = upkeep.counted(
                indicators, self.asked, periods, TABLES, store=open_store(self.facts), kept=self.kept
            )
            return brought, counted.panel

    def anew(self, indicators: Sequence[Indicator] = INDICATORS, periods: Sequence[Period] = PERIODS) -> Panel:
        with over_folder(self.facts) as engine:
            return count(indicators, engine, periods, TABLES).panel

    def plan(self) -> Plan:
        return plan(INDICATORS, TABLES, grain_of(PERIODS))

    def _put(self, name: str, rows: Any) -> None:
        path = self.facts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path)


@contextmanager
def town(rows: Rows) -> Iterator[Town]:
    with TemporaryDirectory() as folder:
        yield Town(Path(folder), rows)


def same(one: Panel, other: Panel) -> None:
    assert one.units == other.units
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.status, other.status)


def changed(rows: Rows, dice: random.Random) -> list[Mapping[str, Any]]:
    """Some cases closed or moved, some gone, some new."""
    other = cases(len(rows), seed=dice.randrange(1000))
    kept = [
        (new | {"case": old["case"]}) if dice.random() < 0.1 else old
        for old, new in zip(rows, other, strict=True)
        if dice.random() > 0.05
    ]
    return [*kept, *(row | {"case": f"n{dice.randrange(10**9)}"} for row in other[: dice.randrange(40)])]


@settings(
    max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(seed=st.integers(0, 10_000), exports=st.integers(2, 4))
def test_after_any_changes_what_is_kept_is_what_counting_anew_gives(seed: int, exports: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - invented changes
    rows: Rows = cases(300, seed=seed)
    with town(rows) as here:
        here.counted()
        for _ in range(exports):
            rows = changed(rows, dice)
            here.export(rows)
            if dice.random() < 0.5:
                same(here.counted()[1], here.anew())
        brought, panel = here.counted()
        assert brought.anew == 0
        same(panel, here.anew())


def test_much_that_was_laid_beside_is_put_together() -> None:
    dice = random.Random(5)  # noqa: S311 - invented changes
    rows: Rows = cases(200, seed=5)
    with town(rows) as here:
        here.kept = Kept(here.kept.folder, many=2)
        here.counted()
        for _ in range(4):
            rows = changed(rows, dice)
            here.export(rows)
            brought, panel = here.counted()
            assert brought.anew == 0
            same(panel, here.anew())
        pieces = {path.stem.partition("+")[2] for path in here.kept.folder.glob("*/*+*.arrow")}
        assert pieces == {"4", "5"}


def test_a_figure_that_is_corrected_and_an_area_that_is_new_are_told_anew() -> None:
    rows = cases(200, seed=6)
    with town(rows) as here:
        here.counted()
        here.tell("statistics", table("statistics", statistics(3)))
        here.export(rows)
        same(here.counted()[1], here.anew())
        here.export([*rows, rows[0] | {"case": "new", "area_path": "1/d/1/", "opened_date": PERIODS[2].first}])
        same(here.counted()[1], here.anew())
        more = [{"path": path, "code": path, "level": "township", "parent_path": "1/", "name_zh": path,
                 "name_en": path, "valid_from": FOUNDED} for path in ("1/d/", "1/e/")]  # fmt: skip
        here.tell("areas", pa.concat_tables([areas(), table("areas", more)]))
        here.export(rows)
        panel = here.counted()[1]
        assert "1/e/" in panel.units
        same(panel, here.anew())


def test_where_nothing_is_new_nothing_is_counted_nor_read_again() -> None:
    last = [PERIODS[2]]
    with town(cases(200, seed=6)) as here:
        panel = here.counted(periods=last)[1]
        assert len(here.asked.questions) > 1
        here.kept = again = Read(here.kept.folder)
        same(here.counted(periods=last)[1], panel)
        assert here.asked.questions == ["SELECT * FROM areas"]
        assert again.rows == 0


def test_of_another_day_only_what_is_new_is_read() -> None:
    last = [PERIODS[2]]
    rows = cases(200, seed=6)
    with town(rows) as here:
        here.counted(periods=last)
        here.export([*rows, rows[0] | {"case": "new", "opened_date": last[0].first, "closed_date": None}])
        here.kept = again = Read(here.kept.folder)
        panel = here.counted(periods=last)[1]
        assert here.asked.questions == ["SELECT * FROM areas"]
        assert 0 < again.rows < 20
        same(panel, here.anew(periods=last))


def test_figures_that_are_held_are_not_those_of_before_a_correction() -> None:
    last = [PERIODS[2]]
    rows = cases(200, seed=6)
    with town(rows) as here:
        here.counted(periods=last)
        here.tell("statistics", table("statistics", statistics(3)))
        here.export(rows)
        same(here.counted(periods=last)[1], here.anew(periods=last))


def test_figures_that_are_held_do_not_hold_for_other_areas() -> None:
    last = [PERIODS[2]]
    rows = cases(200, seed=6)
    with town(rows) as here:
        here.counted(periods=last)
        here.export([*rows, rows[0] | {"case": "new", "area_path": "1/d/1/", "opened_date": last[0].first}])
        panel = here.counted(periods=last)[1]
        same(panel, here.anew(periods=last))


def test_values_that_were_kept_to_say_how_many_there_are_have_a_median() -> None:
    different, median = ([indicator(measure, MINUTES | {"measure": measure})] for measure in ("distinct", "median"))
    with town(cases(300, seed=7)) as here:
        here.counted(different, [PERIODS[2]])
        same(here.counted(median, [PERIODS[2]])[1], here.anew(median, [PERIODS[2]]))


def test_runs_that_are_numbered_again_are_not_those_that_were() -> None:
    rows = cases(100, seed=8)
    with town(rows) as here:
        here.counted()
        here.export(rows[:40], anew=True)
        brought, panel = here.counted()
        assert brought.anew == len(cells.passes(here.plan()))
        same(panel, here.anew())


def test_only_what_the_last_period_was_made_of_is_kept_added_up() -> None:
    with town(cases(100, seed=9)) as here:
        here.counted()
        names = {path.name for path in here.kept.folder.glob("*/*..*")}
        october = 2026 * 12 + 10
        assert {name.split("..")[1] for name in names} == {str(october), str(october - 1), str(october - 12)}


def test_a_run_that_was_killed_leaves_nothing_that_counts() -> None:
    rows = cases(100, seed=10)
    with town(rows) as here:
        here.counted()
        here.export(rows[:70])
        here.kept = Killed(here.kept.folder)
        with pytest.raises(KeyboardInterrupt):
            here.counted()
        here.kept = Kept(here.kept.folder)
        here.export(rows[:60])
        same(here.counted()[1], here.anew())


def test_a_day_touches_the_steps_of_its_dates_and_no_others() -> None:
    rows = cases(300, seed=1)
    with town(rows) as here:
        here.counted()
        here.export([*rows, rows[0] | {"case": "new", "opened_date": PERIODS[2].first, "closed_date": None}])
        brought, _ = here.counted()
        october = 2026 * 12 + 10
        opened = [steps for lane, steps in brought.steps.items() if lane.date == "opened_date" and not lane.until]
        assert opened == [{october}]


def test_nothing_new_changes_nothing() -> None:
    with town(cases(100, seed=3)) as here:
        first, _ = here.counted()
        again, _ = here.counted()
        assert first.anew == len(cells.passes(here.plan()))
        assert again == Brought(0, {})


def test_after_everything_was_exported_anew_everything_is_counted_anew() -> None:
    rows = cases(100, seed=3)
    with town(rows) as here:
        here.counted()
        here.export(rows[:50], whole=True)
        brought, panel = here.counted()
        assert brought.anew == len(cells.passes(here.plan()))
        same(panel, here.anew())


def test_where_the_list_of_exports_no_longer_has_the_one_that_was_counted_everything_is_counted_anew() -> None:
    rows = cases(100, seed=3)
    with town(rows) as here:
        here.counted()
        here.export(rows[:60])
        here.export(rows[:50])
        (here.facts / "manifest.json").write_text(json.dumps({"runs": here.runs[2:]}))
        brought, panel = here.counted()
        assert brought.anew == len(cells.passes(here.plan()))
        same(panel, here.anew())


def test_what_an_export_did_not_touch_is_known_to_be_counted_up_to_it() -> None:
    rows = cases(100, seed=3)
    with town(rows) as here:
        here.counted()
        here.export([*rows, rows[0] | {"case": "new"}])
        here.counted()
        made = here.plan()
        marks = {here.kept.mark(cells.digest_of(made, *each)) for each in cells.passes(made)}
        assert marks == {Mark(2, (1, 2))}
