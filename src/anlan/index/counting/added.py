"""What was added up, kept beside its cells: of a span the sums of every area, to which later changes are added.

    <digest>/<since>..<until>..<horizon>/        sums: areas × tallies
    <digest>/<since>..<until>..<horizon>.<n>/    how often each value occurs under condition n: areas × values

Each says for which areas, in their order, and up to which export. Only what the last period asked for is kept: the
month that runs is the one that is worked out again and again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy import sparse

from anlan.index.counting.cells import readable
from anlan.index.counting.rollup import Span
from anlan.index.counting.tree import Tree
from anlan.index.scoring.panel import Floats

OF: Final = "of.json"


@dataclass(frozen=True, slots=True)
class Bag:
    """How often each value occurs: a sparse matrix areas × values. Numbers stand in order, as NumPy has them; other
    values in any, as Arrow has them."""

    often: Any
    values: Any

    def plus(self, other: Bag) -> Bag:
        """Both together."""
        if isinstance(self.values, np.ndarray):
            every = np.union1d(self.values, other.values)
            one, two = (np.searchsorted(every, each.values) for each in (self, other))
        else:
            held, later = (pa.array(each.values, pa.string()) for each in (self, other))
            two = pc.index_in(later, held).fill_null(-1).to_numpy(zero_copy_only=False).copy()
            new = two < 0
            every = pa.concat_arrays([held, later.filter(pa.array(new))])
            two[new] = np.arange(len(held), len(every))
            one = np.arange(len(held))
        # Adding drops what adds up to nothing.
        return Bag(_moved(self.often, one, len(every)) + _moved(other.often, two, len(every)), every)


def _moved(often: Any, to: Any, width: int) -> Any:
    """The matrix with each column where `to` says."""
    indices = often.indices if _stays(to) else to[often.indices].astype(often.indices.dtype)
    return sparse.csr_matrix((often.data, indices, often.indptr), shape=(often.shape[0], width))


def _stays(to: Any) -> bool:
    return bool(len(to) == 0 or (to[0] == 0 and to[-1] == len(to) - 1 and np.all(to[1:] > to[:-1])))


def name_of(at: Span | None, number: int | None = None) -> str:
    """What the sums of a span are called, or of one condition's values."""
    span = "ever" if at is None else f"{at.since}..{at.until}..{at.horizon}"
    return span if number is None else f"{span}.{number}"


def key_of(tree: Tree) -> str:
    """A digest of the areas, in their order."""
    return hashlib.sha256("\n".join(tree.paths).encode()).hexdigest()


def read(place: Path, tree_key: str) -> tuple[Floats | Bag, int] | None:
    """What was kept there for these areas, and up to which export; None where there is nothing. Raises `Unreadable`."""
    with readable(place.parent.parent):
        return _read(place, tree_key)


def _read(place: Path, tree_key: str) -> tuple[Floats | Bag, int] | None:
    book = place / OF
    told = json.loads(book.read_text()) if book.exists() else {}
    if told.get("areas") != tree_key:
        return None
    if told["sort"] == "sums":
        return np.load(place / "sums.npy"), told["run"]
    parts = [np.load(place / f"{name}.npy", mmap_mode="r") for name in ("data", "indices", "indptr")]
    often = sparse.csr_matrix(tuple(parts), shape=tuple(told["shape"]))
    words = place / "values.parquet"
    values = pq.read_table(words)["value"].combine_chunks() if words.exists() else np.load(place / "values.npy")
    return Bag(often, values), told["run"]


def write(place: Path, found: Floats | Bag, tree_key: str, run: int) -> None:
    """Keep it, in place of what was there."""
    aside = place.with_name(f"{place.name}.next")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    told: dict[str, Any] = {"areas": tree_key, "run": run, "sort": "sums"}
    if isinstance(found, Bag):
        told |= {"sort": "bag", "shape": found.often.shape}
        for name in ("data", "indices", "indptr"):
            np.save(aside / f"{name}.npy", getattr(found.often, name))
        if isinstance(found.values, np.ndarray):
            np.save(aside / "values.npy", found.values)
        else:
            table = pa.table({"value": pa.array(found.values, pa.string())})
            pq.write_table(table, aside / "values.parquet", compression="none")
    else:
        np.save(aside / "sums.npy", found)
    (aside / OF).write_text(json.dumps(told))
    shutil.rmtree(place, ignore_errors=True)
    aside.rename(place)


def clear(folder: Path, wanted: Iterable[str]) -> None:
    """Remove what is kept of other spans."""
    names = set(wanted)
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.is_dir() and place.name not in names:
            shutil.rmtree(place)
