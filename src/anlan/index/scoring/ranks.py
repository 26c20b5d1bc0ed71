"""Places among peers: rounded and tied as declared, with the points to the next; `sure` says how sure they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anlan.index.scoring.composite import Scored
from anlan.index.scoring.groups import grouped, named
from anlan.index.scoring.panel import Floats
from anlan.index.scoring.positions import positions
from anlan.index.scoring.spec import IndexSpec, Peers, Ranking
from anlan.kernel.text import Text

EVERYBODY = Peers(key="all", title=Text(zh="全部", en="all"))
"""The peers where none are declared."""


@dataclass(frozen=True, slots=True)
class Place:
    """A unit among its peers.

    `group` says which of them; `score` is as it came, `rounded` what was compared; `rank` 1 is the best; `of` is how
    many have one; `tied` how many others share it. `to_next` is what the score lacks to the next better place (0 at the
    top), `band` the key of its declared band, "" where none is.
    """

    unit: str
    peers: str
    group: str
    score: float
    rounded: float
    rank: int | float
    of: int
    tied: int
    to_next: float
    band: str


def ranked(x: Floats, rule: Ranking | None = None) -> Floats:
    """The ranks of scores, 1 the best; NaN where there is no score."""
    rule = rule or Ranking()
    rounded = x if rule.places is None else np.round(x, rule.places)
    return positions(-rounded if rule.best == "highest" else rounded, rule.ties)


def matrix(x: Floats, *, best: Literal["highest", "lowest"] = "highest") -> NDArray[np.int32]:
    """The ranks of many columns of scores at once (units × columns, no gaps), equal values sharing the best place."""
    up = -x if best == "highest" else x
    order = np.argsort(up, axis=0, kind="stable")
    stood = np.take_along_axis(up, order, axis=0)
    first = np.ones(x.shape, dtype=bool)
    first[1:] = stood[1:] != stood[:-1]
    numbers = np.arange(1, len(x) + 1, dtype=np.int32)[:, None]
    place = np.maximum.accumulate(np.where(first, numbers, 0), axis=0).astype(np.int32)
    found = np.empty(x.shape, dtype=np.int32)
    np.put_along_axis(found, order, place, axis=0)
    return found


def places(scored: Scored, period: str, *, peers: Peers | None = None, key: str | None = None) -> list[Place]:
    """Every unit with a score among its peers, best first within each group. `key` is the node ranked, by default the
    index itself. Raises Unlabelled."""
    spec = scored.framework.spec
    who = peers or EVERYBODY
    x = scored.of(key or spec.key)[:, scored.periods.index(period)]
    groups = grouped(who, scored.labels, scored.units)
    found: list[Place] = []
    for group in np.unique(groups[groups >= 0]):
        rows = np.flatnonzero((groups == group) & ~np.isnan(x))
        found += _group(scored, who, rows, x[rows], spec)
    return found


def _group(scored: Scored, who: Peers, rows: NDArray[np.int64], x: Floats, spec: IndexSpec) -> Iterator[Place]:
    rule = spec.ranking
    rounded = x if rule.places is None else np.round(x, rule.places)
    up = rounded if rule.best == "highest" else -rounded
    ranks = ranked(x, rule)
    worse = positions(up, "min") - 1
    levels, counts = np.unique(up, return_counts=True)
    at = np.searchsorted(levels, up)
    for row in np.lexsort((rows, ranks)):
        above = levels[at[row] + 1] if at[row] + 1 < len(levels) else up[row]
        share = 100 * (worse[row] + counts[at[row]]) / len(x)
        measured = float(rounded[row]) if spec.band_by == "score" else float(share)
        rank = float(ranks[row])
        unit = int(rows[row])
        yield Place(
            scored.units[unit], who.key, named(who, scored.labels, unit), float(x[row]), float(rounded[row]),
            int(rank) if rank.is_integer() else rank, len(x), int(counts[at[row]]) - 1, float(above - up[row]),
            band(spec, measured),
        )  # fmt: skip


def band(spec: IndexSpec, measured: float) -> str:
    """The key of the band a score (or a share) falls into; "" where none is declared."""
    fitting = [each.key for each in spec.bands if each.least is None or measured >= each.least]
    return fitting[-1] if fitting else ""
