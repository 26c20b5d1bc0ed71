"""Figures as they were given: which one holds for a period, and what an area has that was given none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from anlan.index.counting.indicator import Measure
from anlan.index.counting.period import Period
from anlan.index.counting.tree import EPOCH, NOWHERE, Flags, Ints, Tree, ordinal
from anlan.index.scoring.panel import Floats
from anlan.kernel.text import Refusal

_NEVER: Final = -1


class NoSuchArea(Refusal):
    """A figure is given for what is not an area, or was not one any more."""

    def __init__(self, indicator: str, area: str, period: str, closed: date | None, now: list[str]) -> None:
        since = ("没有这个辖区", "there is no such area")
        if closed:
            since = (f"该辖区自 {closed} 起已撤销", f"that area was closed on {closed}")
        then = ("，请更正后再报", "; correct it and give it again")
        if now:
            then = (f"，现为 {'、'.join(now)}，请按现辖区重报", f"; now there are {', '.join(now)}: give theirs")
        place = f"statistics/{area}/{period}"
        super().__init__(
            f"{place}：指标“{indicator}”要用的统计数不能用：{since[0]}{then[0]}。",
            f"{place}: a figure for the indicator “{indicator}” cannot be used: {since[1]}{then[1]}.",
            field=indicator,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures under one condition, by the area's place, the period's last day and version; column by column."""

    area: list[str]
    place: Ints
    day: Ints
    period: Any
    value: Floats

    @property
    def month(self) -> Ints:
        """The months from the beginning of time that the days lie in."""
        return self.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def figures(rows: Any, number: int, tree: Tree) -> Figures:
    """The figures under one of the conditions of an engine's answer to `queries.given`."""
    kept = rows.filter(rows[f"w{number}"])
    places = tree.places(kept["area_path"])
    days = np.asarray(kept["period_date"].to_numpy()).astype("datetime64[D]").astype(np.int64)
    names = np.asarray(kept["period"].to_pylist(), dtype=str)
    order = np.lexsort((np.asarray(kept["version"].to_numpy()), np.char.str_len(names), days, places))
    areas = kept["area_path"].take(order).to_pylist()
    value = np.asarray(kept["value"].to_numpy(), dtype=np.float64)
    return Figures(areas, places[order], days[order], names[order], value[order])


def hold(told: Figures, measure: Measure, period: Period, tree: Tree, *, indicator: str) -> Floats:
    """The figure of each area for a period, NaN where there is none. Raises NoSuchArea."""
    last, month = ordinal(period.last), (period.last.year - EPOCH.year) * 12 + period.last.month - 1
    held = (told.day <= last) & ((told.day >= ordinal(period.first)) | (month - told.month <= measure.carry))
    best = np.full(len(tree) + 1, _NEVER, dtype=np.int64)
    # Rows stand by day and version, so that of an area the last one stays; one of this very period is better still.
    for some in (held, held & (told.period == period.name)):
        best[told.place[some]] = np.flatnonzero(some)
    chosen = best[best != _NEVER]
    wrong = chosen[_astray(told, chosen, tree)]
    if len(wrong):
        row = int(wrong[0])
        closed = tree.closed(told.area[row], EPOCH + timedelta(days=int(told.day[row])))
        name = str(told.period[row])
        raise NoSuchArea(indicator, told.area[row], name, closed, _instead(tree, closed))
    found = np.full(len(tree), np.nan)
    found[told.place[chosen]] = told.value[chosen]
    return _from_children(found, tree, period) if measure.children == "sum" else found


def _astray(told: Figures, chosen: Ints, tree: Tree) -> Flags:
    """Which figures are for no area, or for one that was closed before the day they speak of."""
    place = told.place[chosen]
    found: Flags = (place == NOWHERE) | (tree.ends[place] <= told.day[chosen])
    return found


def _from_children(found: Floats, tree: Tree, period: Period) -> Floats:
    """An area without a figure has the sum of those of the areas directly below, if all of them have one."""
    for below, above, parents in tree.storeys(period.last):
        if not np.isnan(found[parents]).any():
            continue
        total = np.bincount(above, weights=found[below], minlength=len(parents))
        found[parents] = np.where(np.isnan(found[parents]), total, found[parents])
    return found


def _instead(tree: Tree, closed: date | None) -> list[str]:
    """Areas that began when another one ended."""
    if closed is None:
        return []
    return [one.path for several in tree.versions.values() for one in several if one.since == closed]
