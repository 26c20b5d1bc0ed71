"""Any composite index in a notebook: tables in, tables out. Nothing of Anlan's own town is needed.

import anlan.index as ix

made = ix.score("asem", table, unit="uCode", period="Time")   # or a path to a TOML file, or a dict of what one says
made.scores; made.ranks(); made.notes
made.explain("2020", "2021")       # a row a unit, a column a leaf and a head's own line: they sum to `change`
made.sureness(ix.Scenarios())      # ranks with their interval
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from anlan.index.scoring import composite, sure, why
from anlan.index.scoring.audit import audit
from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.groups import Labels
from anlan.index.scoring.panel import Panel, of_values
from anlan.index.scoring.ranks import places
from anlan.index.scoring.scenarios import Scenarios, Workshop
from anlan.index.scoring.spec import INDICES, IndexSpec
from anlan.kernel import catalogue
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Refusal

ONLY = "all"
"""The period of a table that has none."""


class NoSuchColumn(Refusal):
    """The table has no column of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        said = unknown("列", "column", name, known)
        super().__init__(said.zh, said.en)


class Repeated(Refusal):
    """A unit stands twice in one period."""

    def __init__(self, unit: str, period: str) -> None:
        super().__init__(f"“{unit}”在“{period}”出现两次。", f"“{unit}” stands twice in “{period}”.")


def read(told: IndexSpec | str | Path | Mapping[str, Any]) -> IndexSpec:
    """A declared index: by key, from a file, or from what a file would say. Raises DeclarationError, Undeclared."""
    if isinstance(told, IndexSpec):
        return told
    if isinstance(told, Mapping):
        return IndexSpec.model_validate(dict(told))
    if isinstance(told, Path) or told.endswith(".toml"):
        return catalogue.read(INDICES, Path(told))
    return catalogue.current().get(INDICES, told)


def score(
    spec: IndexSpec | str | Path | Mapping[str, Any], table: pd.DataFrame, *, unit: str = "", period: str = "",
    labels: Labels | None = None,
) -> Scores:  # fmt: skip
    """The index of every row of `table`.

    `unit` is the column that names the unit (default: the table's index), `period` the one that names the period, put
    in order as they sort (default: all one). Columns of words are what is told of units, unless `labels` tells it.

    Raises NoSuchColumn, Repeated, Misframed, NoColumn, and what normalising and combining raise.
    """
    frame = framework(read(spec))
    panel, told = as_panel(table, unit=unit, period=period)
    return Scores(composite.score(frame, panel, labels=labels or told), panel)


def as_panel(table: pd.DataFrame, *, unit: str = "", period: str = "") -> tuple[Panel, dict[str, list[str]]]:
    """The numbers of a table as a panel, and its words by unit. Raises NoSuchColumn, Repeated."""
    for name in (unit, period):
        if name and name not in table:
            raise NoSuchColumn(name, list(table.columns))
    units = table[unit].astype(str) if unit else table.index.to_series().astype(str)
    periods = table[period].astype(str) if period else pd.Series(ONLY, index=table.index)
    keyed = table.drop(columns=[name for name in (unit, period) if name])
    keyed.index = pd.MultiIndex.from_arrays([units, periods])
    if keyed.index.has_duplicates:
        raise Repeated(*keyed.index[keyed.index.duplicated()][0])
    names, times = list(dict.fromkeys(units)), sorted(set(periods))
    numbers = keyed.select_dtypes(["number", "bool"])
    whole = numbers.reindex(pd.MultiIndex.from_product([names, times])).to_numpy(dtype=np.float64, na_value=np.nan)
    value = whole.reshape(len(names), len(times), len(numbers.columns))
    words = keyed.drop(columns=list(numbers.columns)).groupby(level=0, sort=False).last().reindex(names)
    told = {str(name): words[name].astype("string").fillna("").tolist() for name in words}
    return of_values(value, units=names, periods=times, columns=[str(name) for name in numbers]), told


@dataclass(frozen=True)
class Scores:
    """An index worked out. Tables of all periods have a row a unit and period, those of one a row a unit."""

    scored: composite.Scored
    panel: Panel

    @property
    def framework(self) -> Framework:
        """The tree it was worked out by."""
        return self.scored.framework

    @property
    def scores(self) -> pd.DataFrame:
        """The scores, a column a node, the index itself first."""
        return self._table(self.scored.score, self.framework.keys)

    @property
    def values(self) -> pd.DataFrame:
        """What was normalised, a column a leaf, after filling and treating."""
        return self._table(self.scored.value, [leaf.key for leaf in self.framework.leaves])

    @property
    def notes(self) -> pd.DataFrame:
        """Everything out of order: what, key, period, units."""
        rows = [(note.what, note.key, note.period, note.units, note.text.en) for note in self.scored.notes]
        return pd.DataFrame(rows, columns=["what", "key", "period", "units", "said"])

    def weights(self, period: str = "") -> pd.DataFrame:
        """How much each node counted in each unit's index."""
        return pd.DataFrame(
            self.scored.weights(self._period(period)), index=list(self.scored.units), columns=list(self.framework.keys)
        )

    def ranks(self, period: str = "", *, peers: str = "", key: str | None = None) -> pd.DataFrame:
        """Every unit's place among its peers (a key of the index's `peers`), best first."""
        who = self.framework.spec.peers[peers] if peers else None
        rows = places(self.scored, self._period(period), peers=who, key=key)
        names = ["unit", "group", "score", "rounded", "rank", "of", "tied", "to_next", "band"]
        return pd.DataFrame([[getattr(row, name) for name in names] for row in rows], columns=names).set_index("unit")

    def explain(self, before: str, after: str) -> pd.DataFrame:
        """Why each unit's index changed: `change`, a column a leaf, and a head's own line where there is one."""
        return _parts(why.between_periods(self.scored, before, after))

    def compare(self, unit: str, other: str, period: str = "") -> pd.Series:
        """Why `other` stands where it does, seen from `unit`."""
        return _parts(why.between_units(self.scored, self._period(period), unit, other)).iloc[0]

    def lost(self, period: str = "", *, full: float = 100.0) -> pd.DataFrame:
        """What each unit lacks to full points, by leaf."""
        return _parts(why.lost(self.scored, self._period(period), full=full))

    def sureness(self, scenarios: Scenarios, period: str = "", *, level: float = 0.9) -> pd.DataFrame:
        """Each unit's rank as published, and in scenarios its median, mean and interval."""
        shop = self._shop(period)
        rule = self.framework.spec.ranking
        found = sure.sureness(self.scored.units, shop.nominal(), sure.drawn(shop, scenarios), level=level, rule=rule)
        names = ["nominal", "median", "mean", "low", "high"]
        return pd.DataFrame({name: getattr(found, name) for name in names}, index=list(found.units))

    def matters(self, scenarios: Scenarios, period: str = "", *, rows: int = 256) -> pd.DataFrame:
        """How much of the unrest of ranks each choice makes: Sobol's first and total indices."""
        found = sure.matters(self._shop(period), scenarios, rows=rows)
        return pd.DataFrame(found).set_index("factor")

    def left_out(self, period: str = "", keys: Sequence[str] | None = None) -> pd.DataFrame:
        """The ranks without each leaf (or node of `keys`): a row a unit, a column a node."""
        found = sure.left_out(self._shop(period), keys)
        return pd.DataFrame({shift.key: shift.ranks for shift in found}, index=list(self.scored.units))

    def audit(self, period: str = "") -> pd.DataFrame:
        """What a reviewer looks at, a row a node."""
        return pd.DataFrame(audit(self.scored, self._period(period))).set_index("key")

    def _shop(self, period: str) -> Workshop:
        return Workshop(self.framework, self.panel, self._period(period), labels=self.scored.labels)

    def _period(self, period: str) -> str:
        """The one asked for; by default the last."""
        if period and period not in self.scored.periods:
            raise NoSuchColumn(period, list(self.scored.periods))
        return period or self.scored.periods[-1]

    def _table(self, cube: Any, columns: Sequence[str]) -> pd.DataFrame:
        names = ["unit", "period"]
        rows = pd.MultiIndex.from_product([self.scored.units, self.scored.periods], names=names)
        found = pd.DataFrame(cube.reshape(len(rows), -1), index=rows, columns=list(columns))
        return found.droplevel("period") if self.scored.periods == (ONLY,) else found


def _parts(found: why.Why) -> pd.DataFrame:
    table = pd.DataFrame({"change": found.change}, index=list(found.rows))
    leaves = pd.DataFrame(found.leaf, index=table.index, columns=[leaf.key for leaf in found.framework.leaves])
    own = pd.DataFrame(found.other, index=table.index, columns=[f"({key})" for key in found.framework.keys])
    return pd.concat([table, leaves, own.loc[:, (own.fillna(0) != 0).any()]], axis=1)
