"""(h) A million points into 50,000 cells drawn by hand, beside GeoPandas `sjoin` and DuckDB's spatial join."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from anlan.kernel.geometry import NOWHERE, PolygonIndex
from benchmarks.rows import HERE, Row, Spent, row, told

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WEST, SOUTH, WIDE, HIGH = 118.0, 32.0, 0.004, 0.0035
EXTENSION = "1.5.5"
"""The newest that PyPI has of the spatial extension, and the DuckDB that it pins."""
CORNERS = 7
"""Corners on each of a cell's four sides: 29 with the closing one."""
ROUNDS = 3
ONE = 2000


def run(*, small: bool) -> list[Row]:
    """Three rounds, the three in turn; then whether they said the same of every point."""
    cells = drawn(50, 40) if small else drawn(250, 200)
    points = scattered(20_000 if small else 1_000_000, cells)
    with _timed() as built:
        index = PolygonIndex(
            (f"{number:06}", geojson) for number, geojson in enumerate(map(shapely.geometry.mapping, cells))
        )
    rounds = [_round(index, cells, points) for _ in range(ROUNDS)]
    ours, sjoin, with_points, duck, duck_whole = ([took[n].wall for took, _ in rounds] for n in range(5))
    work, sjoin_work, _, duck_work, _ = ([took[n].processor for took, _ in rounds] for n in range(5))
    alike = min(int(np.sum((a == b) & (a == c))) for _, (a, b, c) in rounds)
    first = rounds[0][1][0]
    many = f"{len(points):,} points, {len(cells):,} cells, {int(np.sum(first == NOWHERE)):,} points in no cell"
    return [
        row("h", "Anlan: from longitudes and latitudes to cells", "", ours, "s", note=many),
        row("h", "GeoPandas sjoin alone", "", sjoin, "s"),
        row("h", "GeoPandas with making its points and the rule", "", with_points, "s"),
        row("h", "DuckDB spatial join alone", "", duck, "s", note="all processors"),
        row("h", "DuckDB with making its points and the rule", "", duck_whole, "s"),
        row("h", "Times as fast as the faster of these joins", "", _ratios(sjoin, duck, ours), "×", at_least=1),
        row("h", "The same, processor time alone", "", _ratios(sjoin_work, duck_work, work), "×"),
        row("h", "Points answered alike by all three", "", [alike], "points", at_least=len(points)),
        row("h", "One point alone", "", [_one(index, points)], "µs", at_most=100),
        row("h", "Anlan: the cells read from GeoJSON, checked and indexed", "", [built.wall], "s", note="once"),
    ]


def _ratios(one: list[float], other: list[float], ours: list[float]) -> list[float]:
    return [min(a, b) / us for a, b, us in zip(one, other, ours, strict=True)]


@contextmanager
def _timed() -> Iterator[Spent]:
    """How long the block takes, by the wall and by all threads' processors: DuckDB has several."""
    spent = Spent()
    processor, wall = time.process_time(), time.perf_counter()
    try:
        yield spent
    finally:
        spent.wall, spent.processor = time.perf_counter() - wall, time.process_time() - processor


def _round(index: PolygonIndex, cells: Any, points: Floats) -> tuple[tuple[Spent, ...], tuple[Ints, Ints, Ints]]:
    """What each of them took, and the lowest cell that each of them has for every point."""
    with _timed() as ours:
        found = index.holders(points)
    sjoin, with_points, geopandas = _geopandas(cells, points)
    duck, duck_whole, duckdb = _duckdb(cells, points)
    return (ours, sjoin, with_points, duck, duck_whole), (found, geopandas, duckdb)


def _lowest(count: int, which: Ints, cells: Ints) -> Ints:
    """The lowest cell of each point: the rule, which none of the others has."""
    lowest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(lowest, which, cells)
    return np.where(lowest == np.iinfo(np.int64).max, NOWHERE, lowest)


def _geopandas(cells: Any, points: Floats) -> tuple[Spent, Spent, Ints]:
    """Its faster way round: the cells on the left, so that it makes its tree of the points and prepares the cells."""
    import geopandas

    grid = geopandas.GeoDataFrame(geometry=cells)
    with _timed() as whole:
        here = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(points[:, 0], points[:, 1]))
        with _timed() as alone:
            joined = geopandas.sjoin(grid, here, predicate="intersects")
        which = joined["index_right"].to_numpy(dtype=np.int64)
        lowest = _lowest(len(points), which, joined.index.to_numpy(dtype=np.int64))
    return alone, whole, lowest


def _duckdb(cells: Any, points: Floats) -> tuple[Spent, Spent, Ints]:
    """In an environment of its own: its extension needs another DuckDB than ours."""
    with TemporaryDirectory() as told:
        folder = Path(told)
        x, y = points[:, 0], points[:, 1]
        pq.write_table(pa.table({"id": np.arange(len(points)), "x": x, "y": y}), folder / "points.parquet")
        wkb = pa.array(shapely.to_wkb(cells), type=pa.binary())
        pq.write_table(pa.table({"id": np.arange(len(cells)), "wkb": wkb}), folder / "cells.parquet")
        subprocess.run([*PEER, str(HERE / "spatial_peer.py"), told], check=True)
        joined = np.load(folder / "joined.npz")
    begun, made, done = joined["clocks"]
    alone = Spent(*(done - made).tolist())
    with _timed() as after:
        lowest = _lowest(len(points), joined["point"], joined["cell"])
    whole = Spent(float(done[0] - begun[0]) + after.wall, float(done[1] - begun[1]) + after.processor)
    return alone, whole, lowest


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    return which("uv") or str(beside)


def _one(index: PolygonIndex, points: Floats) -> float:
    """Microseconds that one point takes by itself, in the median."""
    took = []
    for lon, lat in points[:ONE].tolist():
        begun = time.perf_counter()
        index.locate(lon, lat)
        took.append(time.perf_counter() - begun)
    return median(took) * 1e6


PEER = [
    _uv(), "run", "-q", "--isolated", "--no-project", "--with", f"duckdb=={EXTENSION}",
    "--with", f"duckdb-extension-spatial=={EXTENSION}", "--with", "numpy", "python",
]  # fmt: skip


def drawn(columns: int, rows: int) -> Any:
    """Cells side by side as hands draw them: crooked sides, each drawn twice and never quite alike."""
    dice = np.random.default_rng(20261122)
    shape = (rows + 1, columns + 1)
    x = WEST + WIDE * (np.arange(columns + 1) + dice.uniform(-0.2, 0.2, shape))
    y = SOUTH + HIGH * (np.arange(rows + 1)[:, None] + dice.uniform(-0.2, 0.2, shape))
    corners = np.stack([x, y], axis=-1)
    flat, steep = (_side(dice, *ends) for ends in (
        (corners[:, :-1], corners[:, 1:]), (corners[:-1], corners[1:]),
    ))  # fmt: skip
    south, north, west, east = flat[:-1], flat[1:], steep[:, :-1], steep[:, 1:]
    rings = np.concatenate([south[..., :-1, :], east[..., :-1, :], north[..., :0:-1, :], west[..., :0:-1, :]], axis=-2)
    rings += dice.normal(0, 0.004, rings.shape) * (WIDE, HIGH)
    rings = rings.reshape(rows * columns, -1, 2)
    return shapely.polygons(np.concatenate([rings, rings[:, :1]], axis=1))


def _side(dice: np.random.Generator, begin: Floats, end: Floats) -> Floats:
    """The corners from one crossing to the next, both included."""
    share = np.linspace(0, 1, CORNERS + 1)[:, None]
    side = begin[..., None, :] * (1 - share) + end[..., None, :] * share
    side[..., 1:-1, :] += dice.normal(0, 0.02, side[..., 1:-1, :].shape) * (WIDE, HIGH)
    return side


def scattered(count: int, cells: Any) -> Floats:
    """Points all over the cells, one in a hundred of them a corner of a cell, so that edges count."""
    dice = np.random.default_rng(7)
    west, south, east, north = shapely.total_bounds(cells)
    points = np.stack([dice.uniform(west, east, count), dice.uniform(south, north, count)], axis=1)
    corners = shapely.get_coordinates(cells)
    points[: count // 100] = corners[dice.integers(0, len(corners), count // 100)]
    shuffled: Floats = dice.permutation(points)
    return shuffled


if __name__ == "__main__":
    told(run)
