"""Figures as they were given: which one holds for a period, and what an area has that was given none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from anlan.index.indicator import Measure
from anlan.index.panel import Floats
from anlan.index.period import Period
from anlan.index.tree import NOWHERE, Tree
from anlan.kernel.text import Refusal


class NoSuchArea(Refusal):
    """A figure is given for what is not an area, or was not one any more."""

    def __init__(self, indicator: str, figure: Figure, closed: date | None, now: list[str]) -> None:
        since = ("没有这个辖区", "there is no such area")
        if closed:
            since = (f"该辖区自 {closed} 起已撤销", f"that area was closed on {closed}")
        then = ("，请更正后再报", "; correct it and give it again")
        if now:
            then = (f"，现为 {'、'.join(now)}，请按现辖区重报", f"; now there are {', '.join(now)}: give theirs")
        place = f"statistics/{figure.area}/{figure.period}"
        super().__init__(
            f"{place}：指标“{indicator}”要用的统计数不能用：{since[0]}{then[0]}。",
            f"{place}: a figure for the indicator “{indicator}” cannot be used: {since[1]}{then[1]}.",
            field=indicator,
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure for an area and a period that ends on `day`."""

    area: str
    period: str
    day: date
    version: int
    value: float

    def age(self, period: Period) -> int:
        """How many months it is older than the period's end; less than nothing when it is younger."""
        last = period.last
        return (last.year - self.day.year) * 12 + last.month - self.day.month


def figures(rows: Any, number: int) -> list[Figure]:
    """The figures under one of the conditions of an engine's answer to `counting.given`."""
    kept = rows.filter(rows[f"w{number}"])
    names = ("area_path", "period", "period_date", "version", "value")
    return [Figure(*line) for line in zip(*(kept[name].to_pylist() for name in names), strict=True)]


def hold(told: Iterable[Figure], measure: Measure, period: Period, tree: Tree, *, indicator: str) -> Floats:
    """The figure of each area for a period, NaN where there is none. Raises NoSuchArea."""
    best: dict[str, tuple[tuple[bool, date, int, int], Figure]] = {}
    for figure in told:
        if figure.day > period.last or not (figure.day >= period.first or figure.age(period) <= measure.carry):
            continue
        rank = (figure.period == period.name, figure.day, len(figure.period), figure.version)
        if figure.area not in best or rank > best[figure.area][0]:
            best[figure.area] = (rank, figure)
    found = np.full(len(tree), np.nan)
    for _, figure in best.values():
        place = tree.place.get(figure.area, NOWHERE)
        closed = tree.closed(figure.area, figure.day)
        if place == NOWHERE or closed or (tree.known and figure.area not in tree.versions):
            raise NoSuchArea(indicator, figure, closed, _instead(tree, figure.area, figure.day))
        found[place] = figure.value
    return _from_children(found, tree, period) if measure.children == "sum" else found


def _from_children(found: Floats, tree: Tree, period: Period) -> Floats:
    """An area without a figure has the sum of those of the areas directly below, if all of them have one."""
    standing = tree.standing(period.last)
    for depth in range(int(tree.depth.max(initial=0)), 0, -1):
        below = np.flatnonzero((tree.depth == depth) & standing & (tree.parents != NOWHERE))
        above = tree.parents[below]
        total = np.zeros(len(tree))
        np.add.at(total, above, found[below])
        parents = np.unique(above)
        empty = parents[np.isnan(found[parents])]
        found[empty] = total[empty]
    return found


def _instead(tree: Tree, path: str, day: date) -> list[str]:
    """Areas beside a closed one that began when it ended."""
    closed = tree.closed(path, day)
    if closed is None:
        return []
    return [one.path for several in tree.versions.values() for one in several if one.since == closed]
