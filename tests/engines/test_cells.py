"""Kept cells and the changes of exports: whatever comes and goes, they are what counting anew gives."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from anlan.facts.store import open_store
from anlan.index import cells, period
from anlan.index.cells import Brought, Kept
from anlan.index.duckdb_engine import over_folder
from anlan.index.panel import Panel
from anlan.index.plan import Plan, grain_of, plan
from anlan.index.run import count, gather, panel_of
from engine_cases import PLAIN
from invented_facts import TABLES, areas, cases, statistics, table

INDICATORS = [plain.indicator for plain in PLAIN]
PERIODS = [period.read(name) for name in ("2025-12", "2026-09", "2026-10")]
Rows = Sequence[Mapping[str, Any]]


class Town:
    """A folder of facts, to which exports are written as `anlan facts export` writes them."""

    def __init__(self, folder: Path, rows: Rows) -> None:
        self.facts, self.kept = folder / "facts", Kept(folder / "cells")
        self.runs: list[dict[str, Any]] = []
        for name, made in (("areas", areas()), ("statistics", table("statistics", statistics(2)))):
            self._put(f"{name}/part-0.parquet", made)
        self.rows: dict[str, Mapping[str, Any]] = {}
        self.export(rows, whole=True)

    def export(self, rows: Rows, *, whole: bool = False) -> None:
        """The cases as they are now, with what changed since the last export."""
        now = {str(row["case"]): row for row in rows}
        number = len(self.runs) + 1
        taken = [row for key, row in self.rows.items() if now.get(key) != row]
        given_ = [row for key, row in now.items() if self.rows.get(key) != row]
        self.rows = now
        self._put("cases/month=2026-01/part-0.parquet", table("cases", rows))
        run: dict[str, Any] = {"number": number, "whole": whole, "changes": {}}
        if not whole:
            signs = pa.array([-1] * len(taken) + [1] * len(given_), type=pa.int8())
            name = f"changes/cases/{number:08}.parquet"
            self._put(name, table("cases", [*taken, *given_]).append_column("sign", signs))
            run["changes"]["cases"] = {"name": name, "rows": len(signs), "sha256": ""}
        self.runs.append(run)
        (self.facts / "manifest.json").write_text(json.dumps({"runs": self.runs}))

    def counted(self) -> tuple[Brought, Panel]:
        """The values from what is kept, brought up to the last export."""
        with over_folder(self.facts) as engine:
            made = self.plan()
            brought = cells.bring_up(made, engine, open_store(self.facts), self.kept)
            found = gather(made, engine, lambda lane, column: self.kept.read(cells.digest_of(made, lane, column)))
            return brought, panel_of(found, INDICATORS, PERIODS)

    def anew(self) -> Panel:
        with over_folder(self.facts) as engine:
            return count(INDICATORS, engine, PERIODS, TABLES).panel

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
@given(seed=st.integers(0, 10_000), exports=st.integers(1, 3))
def test_after_any_changes_the_kept_cells_are_what_counting_anew_gives(seed: int, exports: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - invented changes
    rows: Rows = cases(300, seed=seed)
    with town(rows) as here:
        here.counted()
        for _ in range(exports):
            rows = changed(rows, dice)
            here.export(rows)
        brought, panel = here.counted()
        assert brought.anew == 0
        same(panel, here.anew())


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
    with town(cases(100, seed=3)) as here:
        here.counted()
        untouched = {"number": 2, "whole": False, "changes": {}}
        (here.facts / "manifest.json").write_text(json.dumps({"runs": [*here.runs, untouched]}))
        brought, _ = here.counted()
        made = here.plan()
        assert brought == Brought(0, {})
        assert {here.kept.run(cells.digest_of(made, *each)) for each in cells.passes(made)} == {2}


def test_after_many_changes_a_pass_is_counted_anew_and_lies_in_one_piece_again() -> None:
    rows = cases(40, seed=3)
    with town(rows) as here:
        here.counted()
        folders = {cells.digest_of(here.plan(), *each) for each in cells.passes(here.plan())}
        most, anew = 0, 0
        for number in range(cells._MANY + 1):
            here.export([*here.rows.values(), rows[0] | {"case": f"new{number}"}])
            anew += here.counted()[0].anew
            runs = [{each.stem.partition("+")[2] for each in (here.kept.folder / one).glob("*+*")} for one in folders]
            most = max(most, *map(len, runs))
        assert most == cells._MANY
        assert 0 < anew <= len(folders)
        assert not all(runs)
        same(here.counted()[1], here.anew())
