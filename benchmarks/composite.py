"""(j) An index put together, done again a thousand times, and explained, beside what COINr publishes of itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from anlan.index.scoring import why
from anlan.index.scoring.composite import raised, score
from anlan.index.scoring.framework import Framework, framework
from anlan.index.scoring.normalise import Normalising
from anlan.index.scoring.panel import Floats, Panel, of_values
from anlan.index.scoring.scenarios import Scenarios, Workshop
from anlan.index.scoring.spec import Aggregation, IndexSpec
from anlan.index.scoring.sure import drawn, sureness
from benchmarks.rows import Row, Spent, row, told

FIRST, SECOND, LEAVES = 8, 19, 123
ROUNDS = 5
COINR = {"aggregate": 22.0, 51: 82.0, 3000: 27 * 60.0}
"""Seconds of processor time that COINr 1.1.14 takes, as published."""
CHOICES = Scenarios(
    replications=1000, weights=0.25, ends=0.1,
    normalising=(Normalising(method="minmax", scale=(1, 100)), Normalising(method="zscore", mean=50, spread=15)),
    aggregation=(Aggregation(), Aggregation(method="power", p=0.5)),
)  # fmt: skip


def run(*, small: bool) -> list[Row]:
    """Five rounds of each; small: one, of little."""
    rounds = 1 if small else ROUNDS
    frame = tree()
    return [
        *_aggregated(frame, 3000 if small else 30_000, rounds),
        *_again(frame, 51, 50 if small else 1000, rounds),
        *_again(frame, 300 if small else 3000, 50 if small else 1000, rounds),
        *_province(frame, 500 if small else 25_461, 2 if small else 12, 1 if small else 3),
    ]


def tree() -> Framework:
    """123 leaves under 19 heads under 8, as the sample index has them; lower and upper ends fixed."""

    def named(key: str, **more: Any) -> dict[str, Any]:
        return {"key": key, "title": {"zh": key, "en": key}, **more}

    heads = [named(f"h{number}") for number in range(FIRST)]
    heads += [named(f"s{number}", parent=f"h{number % FIRST}", weight=1.0 + number % 3) for number in range(SECOND)]
    ends = {"method": "goalposts", "low": 0.0, "high": 10.0, "scale": [1.0, 100.0]}
    columns = [
        named(f"x{number}", parent=f"s{number % SECOND}", weight=1.0 + number % 2, score=ends)
        for number in range(LEAVES)
    ]
    basis = {"source": "benchmark", "mark": "U", "checked_on": "2026-11-22"}
    return framework(IndexSpec.model_validate(named("i", heads=heads, columns=columns, basis=basis)))


def data(units: int, periods: int, *, gaps: float = 0.0) -> Panel:
    """Values from a gamma distribution, the same each time, some of them lacking."""
    source = np.random.default_rng(20261122)
    value = source.gamma(2.0, 2.0, size=(units, periods, LEAVES))
    if gaps:
        value[source.random(value.shape) < gaps] = np.nan
    names = [f"{number:05}" for number in range(units)]
    return of_values(value, units=names, periods=[f"{at:02}" for at in range(periods)], columns=[
        f"x{number}" for number in range(LEAVES)
    ])  # fmt: skip


@contextmanager
def _timed() -> Iterator[Spent]:
    """How long the block takes, by the wall and by all threads' processors."""
    spent = Spent()
    processor, wall = time.process_time(), time.perf_counter()
    try:
        yield spent
    finally:
        spent.wall, spent.processor = time.perf_counter() - wall, time.process_time() - processor


def _aggregated(frame: Framework, units: int, rounds: int) -> list[Row]:
    scores = data(units, 1).value[:, 0] * 10
    spent, made = [], np.empty((len(frame.nodes), units))
    for _ in range(rounds):
        with _timed() as took:
            made[list(frame.leaf_nodes)] = scores.T
            raised(frame, made, (), {}, "")
        spent.append(took)
    nominal = frame.nominal[list(frame.leaf_nodes)]
    off = float(np.abs(made[0] - scores @ nominal).max())
    return [
        _processor("arithmetic means up the tree", f"{units:,} × {LEAVES}", spent, 0.3, COINR["aggregate"]),
        row("j", "The farthest from one product with the weights in the index", "", [off * 1e9], "10⁻⁹", at_most=1),
    ]


def _again(frame: Framework, units: int, replications: int, rounds: int) -> list[Row]:
    panel, choices = data(units, 1), CHOICES.model_copy(update={"replications": replications})
    spent = []
    for _ in range(rounds):
        with _timed() as took:
            shop = Workshop(frame, panel, "00")
            sureness(panel.units, shop.nominal(), drawn(shop, choices))
        spent.append(took)
    what = f"{replications:,} replications with their ranks"
    return [_processor(what, f"{units:,} × {LEAVES}", spent, 1 if units <= 51 else 10, COINR.get(units))]


def _processor(what: str, size: str, spent: list[Spent], most: float, coinr: float | None) -> Row:
    samples = [each.processor for each in spent]
    wall = sorted(each.wall for each in spent)[len(spent) // 2]
    beside = f"; COINr {coinr:,.0f} s: {coinr / sorted(samples)[len(samples) // 2]:,.0f} times" if coinr else ""
    note = f"processor time of all threads; {wall:.2f} s by the wall{beside}"
    return row("j", f"{size}: {what}", "", samples, "s", at_most=most, note=note)


def _province(frame: Framework, units: int, periods: int, rounds: int) -> list[Row]:
    panel = data(units, periods, gaps=0.02)
    scoring, explaining, off = [], [], 0.0
    for _ in range(rounds):
        with _timed() as took:
            scored = score(frame, panel)
        scoring.append(took.processor)
        with _timed() as took:
            for _, found in why.steps(scored):
                off = max(off, _left(found))
        explaining.append(took.processor)
    size = f"{units:,} areas × {periods} months × {LEAVES}"
    return [
        row("j", f"{size}, 2 % lacking: scored", "", scoring, "s", note="processor time"),
        row("j", "The same: every leaf's part in every area's change, month by month", "", explaining, "s"),
        row("j", "The farthest that parts are from the whole", "", [off * 1e9], "10⁻⁹", at_most=1),
    ]


def _left(found: why.Why) -> float:
    parts: Floats = found.leaf.sum(axis=1) + found.other.sum(axis=1) - found.change
    return float(np.nanmax(np.abs(parts), initial=0.0))


if __name__ == "__main__":
    told(run)
