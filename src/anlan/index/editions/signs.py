"""Integrity signals read from facts, for every area of a period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from anlan.facts.table import FactTable
from anlan.index.counting import run
from anlan.index.counting.indicator import Indicator
from anlan.index.counting.period import Period
from anlan.index.counting.run import Engine
from anlan.index.editions import edition
from anlan.index.rulebook import integrity
from anlan.index.rulebook.integrity import Count, Raised
from anlan.index.rulebook.signal import Part, Signal
from anlan.index.scoring.panel import Panel


def table(signals: Sequence[Signal], engine: Engine, tables: Mapping[str, FactTable], period: Period) -> Any:
    """What every signal says of every area that has anything to count for it, as `edition` describes it."""
    counted = [_counted(signal, name, part) for signal in signals for name, part in signal.parts]
    if not counted:
        return pa.Table.from_pylist([], edition.SCHEMAS["signals"])
    panel = run.count(counted, engine, [period.before, period], tables).panel
    rows = [row for signal in signals for row in _rows(signal, panel)]
    return pa.Table.from_pylist(rows, edition.SCHEMAS["signals"])


def _counted(signal: Signal, name: str, part: Part) -> Indicator:
    """A part of a signal as something that can be counted."""
    return Indicator(
        key=f"{signal.key}.{name}", title=signal.title, summary=signal.summary, unit=signal.title, better="down",
        basis=signal.basis, numerator=part.numerator, denominator=part.denominator,
    )  # fmt: skip


def _rows(signal: Signal, panel: Panel) -> Iterator[dict[str, Any]]:
    above, below = (_of(panel, array, f"{signal.key}.part") for array in (panel.numerator, panel.denominator))
    if signal.method == "share":
        yield from _shares(signal, panel.units, above[:, 1], below[:, 1])
        return
    others = [_of(panel, array, f"{signal.key}.against") for array in (panel.numerator, panel.denominator)]
    for unit, area in enumerate(panel.units):
        if above[unit].any():
            against = [Count(others[0][unit, time], others[1][unit, time]) for time in (0, 1)]
            before, now = (Count(above[unit, time], below[unit, time]) for time in (0, 1))
            read = integrity.read(signal, now, before=before, against=against)
            yield _row(area, signal, read.raised, (read.share, read.low, read.high), (read.above, read.below))


def _of(panel: Panel, array: Any, column: str) -> Any:
    """Counts of one column, units × the two periods; nothing is 0."""
    return np.nan_to_num(array[:, :, panel.columns.index(column)])


def _shares(signal: Signal, units: Sequence[str], above: Any, below: Any) -> Iterator[dict[str, Any]]:
    there = np.flatnonzero(below > 0).tolist()
    low, high = integrity.intervals(above[there], below[there])
    share = above[there] / below[there]
    for place, unit in enumerate(there):
        said: Raised = "quiet"
        if below[unit] < signal.at_least:
            said = "few"
        elif low[place] > signal.threshold:
            said = "raised"
        elif share[place] > signal.threshold:
            said = "watch"
        found = (float(share[place]), float(low[place]), float(high[place]))
        yield _row(units[unit], signal, said, found, (float(above[unit]), float(below[unit])))


def _row(
    area: str, signal: Signal, raised: Raised, found: tuple[float | None, float | None, float | None],
    counts: tuple[float, float],
) -> dict[str, Any]:  # fmt: skip
    row: dict[str, Any] = {"area_path": area, "signal": signal.key, "raised": raised}
    row |= dict(zip(("share", "low", "high"), found, strict=True))
    return row | dict(zip(("above", "below"), counts, strict=True))
