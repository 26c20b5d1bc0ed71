"""How sure a place is: ranks in draws and in scenarios, ties that mean nothing, and which choice matters most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from SALib.analyze import sobol as analysis
from SALib.sample import sobol as sampling

from anlan.index.scoring.panel import Floats
from anlan.index.scoring.ranks import matrix
from anlan.index.scoring.scenarios import Scenarios, Workshop
from anlan.index.scoring.spec import Ranking
from anlan.kernel.text import Refusal

Ranks = NDArray[np.int32]


class NothingDrawn(Refusal):
    """Scenarios that leave nothing open cannot be told apart."""

    def __init__(self) -> None:
        super().__init__(
            "情景里没有一项可变，请至少声明一项有多种取法。",
            "The scenarios leave nothing open; declare at least one choice.",
        )


class NoScore(Refusal):
    """A unit has no score in some replications, so that it cannot be ranked in all of them."""

    def __init__(self, units: Sequence[str]) -> None:
        shown = "、".join(units[:5])
        super().__init__(
            f"有 {len(units)} 个单位在部分情景下没有得分：{shown}。是否对负分用了几何平均？",
            f"{len(units)} units have no score in some draws ({shown}); is there a geometric mean of scores below 0?",
        )


@dataclass(frozen=True, slots=True)
class Sureness:
    """Of each unit: its rank as published (`nominal`), and in the draws the median, mean and the ends of the interval
    that holds `level` of them. NaN for units without a score."""

    units: tuple[str, ...]
    nominal: Floats
    median: Floats
    mean: Floats
    low: Floats
    high: Floats
    level: float

    @property
    def outside(self) -> NDArray[np.bool_]:
        """The units whose published rank lies outside of their interval."""
        return (self.nominal < self.low) | (self.nominal > self.high)

    def wider(self, places: int) -> float:
        """The share of units whose interval is wider than so many places."""
        here = ~np.isnan(self.low)
        return float(np.mean((self.high - self.low)[here] > places)) if here.any() else 0.0


def sureness(
    units: tuple[str, ...], nominal: Floats, draws: Floats, *, level: float = 0.9, rule: Ranking | None = None
) -> Sureness:
    """What draws (units × draws) of scores say of the published scores.

    Raises NoScore where a unit with a published score has none in some of them.
    """
    rule = rule or Ranking()
    here = ~np.isnan(nominal)
    lost = here & np.isnan(draws).any(axis=1)
    if lost.any():
        raise NoScore([units[row] for row in np.flatnonzero(lost)])
    found = {name: np.full(len(units), np.nan) for name in ("nominal", "median", "mean", "low", "high")}
    if here.any():
        ranks = ranks_of(draws[here], rule)
        tail = (1 - level) / 2
        found["nominal"][here] = ranks_of(nominal[here][:, None], rule)[:, 0]
        found["median"][here] = np.median(ranks, axis=1)
        found["mean"][here] = ranks.mean(axis=1)
        found["low"][here] = np.quantile(ranks, tail, axis=1, method="lower")
        found["high"][here] = np.quantile(ranks, 1 - tail, axis=1, method="higher")
    return Sureness(units, **found, level=level)


def ranks_of(scores: Floats, rule: Ranking | None = None) -> Ranks:
    """The ranks in every column of scores (units × columns), rounded as declared, equal ones sharing the best."""
    rule = rule or Ranking()
    return matrix(scores if rule.places is None else np.round(scores, rule.places), best=rule.best)


def drawn(shop: Workshop, told: Scenarios) -> Floats:
    """The index of every unit in every scenario: units × replications. The same seed gives the same scenarios."""
    return shop.again(np.random.default_rng(told.seed).random((told.replications, len(told.factors))), told).T


def tied(draws: Floats, *, level: float = 0.9) -> NDArray[np.bool_]:
    """Which pairs of units cannot be told apart: neither is above the other in more than `level` of the draws, half of
    the rest allowed for on either side (units × units)."""
    most = 1 - (1 - level) / 2
    found = np.zeros((len(draws), len(draws)), dtype=bool)
    for row, own in enumerate(draws):
        above = np.mean(own > draws, axis=1) + np.mean(own == draws, axis=1) / 2
        found[row] = (above <= most) & (above >= 1 - most)
    return found


def nameable(found: Sureness, most: int) -> NDArray[np.bool_]:
    """Which units may be named as among the `most` last: only those whose whole interval lies there."""
    there: NDArray[np.bool_] = found.low > np.count_nonzero(~np.isnan(found.nominal)) - most
    return there


@dataclass(frozen=True, slots=True)
class Shift:
    """What leaving a node out does: the ranks without it, and by how many places units move on the mean."""

    key: str
    ranks: Ranks
    mean_shift: float


def left_out(shop: Workshop, keys: Sequence[str] | None = None) -> list[Shift]:
    """The index without each node in turn; by default without each leaf. Units without a score are at the end of each
    ranking, and not in the mean."""
    frame = shop.frame
    places = [frame.place(key) for key in keys] if keys is not None else list(frame.leaf_nodes)
    nominal = shop.nominal()
    here = ~np.isnan(nominal)
    ranks = ranks_of(np.nan_to_num(shop.without(places).T, nan=-np.inf))
    before = ranks_of(np.nan_to_num(nominal, nan=-np.inf)[:, None])
    shift = np.abs(ranks - before)[here].mean(axis=0)
    return [
        Shift(frame.nodes[place].key, ranks[:, number], float(shift[number])) for number, place in enumerate(places)
    ]


@dataclass(frozen=True, slots=True)
class Matter:
    """How much of the unrest of ranks a choice makes by itself (`first`) and with all others (`total`), each with the
    half width of its 95 % interval."""

    factor: str
    first: float
    first_reach: float
    total: float
    total_reach: float


def matters(shop: Workshop, told: Scenarios, *, rows: int = 256) -> list[Matter]:
    """Sobol's indices of each choice on the mean absolute shift of ranks.

    Saltelli's design takes `rows` × (choices + 2) replications; `rows` is a power of 2. Raises NothingDrawn, NoScore.
    """
    names = list(told.factors)
    if not names:
        raise NothingDrawn
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    design = sampling.sample(problem, rows, calc_second_order=False, seed=told.seed)
    nominal = shop.nominal()
    here = ~np.isnan(nominal)
    scores = shop.again(design, told).T[here]
    if np.isnan(scores).any():
        gone = np.flatnonzero(here)[np.isnan(scores).any(axis=1)]
        raise NoScore([shop.units[int(row)] for row in gone])
    shift = np.abs(ranks_of(scores) - ranks_of(nominal[here][:, None])).mean(axis=0)
    if np.ptp(shift) == 0:
        return [Matter(name, 0.0, 0.0, 0.0, 0.0) for name in names]
    found = analysis.analyze(problem, shift, calc_second_order=False, seed=told.seed)
    columns = (found[name] for name in ("S1", "S1_conf", "ST", "ST_conf"))
    return [Matter(name, *map(float, row)) for name, *row in zip(names, *columns, strict=True)]
