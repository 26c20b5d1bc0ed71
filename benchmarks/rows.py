"""The rows of the table, and the arithmetic of measuring."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
ROOT = HERE.parent


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: its median (or, where `unit` says so, another quantile) and how it spread.

    `bound` is what was promised and `holds` whether it was kept; both are empty for a figure that only informs.
    """

    part: str
    what: str
    database: str
    value: float
    low: float
    high: float
    unit: str
    bound: str = ""
    holds: bool | None = None
    note: str = ""


def row(
    part: str, what: str, database: str, samples: Sequence[float], unit: str, *,
    at_least: float | None = None, at_most: float | None = None, note: str = "",
) -> Row:  # fmt: skip
    """The median of `samples` with the 5th and 95th percentile (all of them, when they are few)."""
    value = median(samples)
    bound, holds = judged(value, unit, at_least=at_least, at_most=at_most)
    return Row(
        part, what, database, value, percentile(samples, 0.05), percentile(samples, 0.95), unit, bound, holds, note
    )


def judged(
    value: float, unit: str, *, at_least: float | None = None, at_most: float | None = None
) -> tuple[str, bool | None]:
    """The promise in words, and whether `value` keeps it."""
    if at_least is not None:
        return f"≥ {at_least:g} {unit}".strip(), value >= at_least
    if at_most is not None:
        return f"≤ {at_most:g} {unit}".strip(), value <= at_most
    return "", None


def percentile(samples: Sequence[float], p: float) -> float:
    """The sample below which the share `p` of them lies."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p))]


@dataclass(slots=True)
class Spent:
    """Seconds by the clock on the wall and by this thread's processor."""

    wall: float = 0.0
    processor: float = 0.0


@contextmanager
def timed() -> Iterator[Spent]:
    """How long the block takes."""
    spent = Spent()
    processor, wall = time.thread_time(), time.perf_counter()
    try:
        yield spent
    finally:
        spent.wall, spent.processor = time.perf_counter() - wall, time.thread_time() - processor


def told(run: Callable[..., list[Row]]) -> None:
    """What a part does when it is started as a process of its own: run, and leave its rows in the file named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    rows = run(small=given.small)
    given.out.write_text(json.dumps([asdict(each) for each in rows], ensure_ascii=False))


def read(path: Path) -> list[Row]:
    """The rows a part left."""
    return [Row(**each) for each in json.loads(path.read_text())]
