"""What small numbers leave open in an edition: the interval of each value, and of each place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from anlan.index.counting.indicator import Indicator
from anlan.index.scoring import noise
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.groups import Labels
from anlan.index.scoring.noise import Kind, Noise
from anlan.index.scoring.panel import Floats, Panel, Status
from anlan.index.scoring.ranks import Place
from anlan.index.scoring.spec import Ranking
from anlan.index.scoring.sure import sureness

DRAWS: Final = 200
LEVEL: Final = 0.9
COUNTED: Final = ("count", "stock")


def kinds(indicators: Iterable[Indicator]) -> dict[str, Noise]:
    """How the values of indicators come about, of those that are rates of counted events.

    Rows over rows, some of which they are, are a share of so many ("binomial"); rows over a figure, or by themselves,
    are so many in so much ("poisson"). A change against an earlier period, and what is no count, is left as it is.
    """
    found = {}
    for each in indicators:
        below = each.denominator
        if each.numerator.measure in COUNTED and not each.compare:
            same = below is not None and below.measure in COUNTED and below.table == each.numerator.table
            kind: Kind = "binomial" if same else "poisson"
            if below is None or same or below.told:
                found[each.key] = Noise(kind, each.per)
    return found


def counts(panel: Panel, indicators: Sequence[Indicator]) -> Panel:
    """The panel with 1 below the line of plain counts, so that they, too, are so many in something."""
    assert panel.denominator is not None
    below = panel.denominator.copy()
    for each in indicators:
        if each.denominator is None and each.key in panel.columns:
            below[:, :, panel.columns.index(each.key)] = 1.0
    return replace(panel, denominator=below)


def intervals(panel: Panel, told: Mapping[str, Noise]) -> tuple[Floats, Floats]:
    """The lower and upper end of each value's 90 % interval, in the shape of the panel; NaN where nothing is left open
    by counting, and where a value was drawn to another, set or filled in."""
    assert panel.numerator is not None
    assert panel.denominator is not None
    low, high = np.full(panel.value.shape, np.nan), np.full(panel.value.shape, np.nan)
    for key, each in told.items():
        column = panel.columns.index(key)
        r, n = panel.numerator[:, :, column], panel.denominator[:, :, column]
        kind: Kind = each.kind if not (r > n).any() else "poisson"
        found = noise.interval(kind, r, n, level=LEVEL)
        own = panel.status[:, :, column] == Status.PRESENT
        low[:, :, column] = np.where(own, found.low * each.per, np.nan)
        high[:, :, column] = np.where(own, found.high * each.per, np.nan)
    return low, high


def draws(frame: Framework, panel: Panel, period: str, told: Mapping[str, Noise], labels: Labels, seed: int) -> Floats:
    """The index of every unit (units × draws) had the same happened again by chance."""
    shares = {key: _fitting(panel, key, each) for key, each in told.items()}
    return noise.draws(frame, panel, period, shares, labels=labels, count=DRAWS, seed=seed)


def of_places(
    places: Sequence[tuple[str, Place]], units: Sequence[str], drawn: Floats, rule: Ranking
) -> dict[tuple[str, str], tuple[int, int]]:
    """The best and the worst rank of each unit among its peers in 90 % of the draws, by (peer, unit)."""
    row = {unit: number for number, unit in enumerate(units)}
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for peer in dict.fromkeys(peer for peer, _ in places):
        own = [place for name, place in places if name == peer]
        names = tuple(place.unit for place in own)
        scores = np.array([place.score for place in own])
        sure = sureness(names, scores, drawn[[row[unit] for unit in names]], level=LEVEL, rule=rule)
        for unit, best, worst in zip(names, sure.low, sure.high, strict=True):
            if not np.isnan(best):
                found[peer, unit] = (int(best), int(worst))
    return found


def _fitting(panel: Panel, key: str, told: Noise) -> Noise:
    """Where more happened than there was to happen to, it was no share."""
    assert panel.numerator is not None
    assert panel.denominator is not None
    column = panel.columns.index(key)
    over = (panel.numerator[:, :, column] > panel.denominator[:, :, column]).any()
    return replace(told, kind="poisson") if over else told
