"""The scorecard of a department: the indicators it answers for, what they lost, before, and beside others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.http import HttpResponse
from django.shortcuts import render

from anlan.index import loaded
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound
from anlan.presentation.saying import name
from anlan.presentation.web import index_asked, index_charts, index_words
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index_asked import Named, Shade, Sight
from anlan.presentation.web.index_trust import above

TITLE: Final = Text(zh="部门成绩单", en="Department's scorecard")
PREFIX: Final = "department-"
MOST_AREAS: Final = 6
MOST_INDICATORS: Final = 16


@dataclass(frozen=True, slots=True)
class Answered:
    """An indicator the department answers for: its value, score, score before, and the points lost by it."""

    title: Text
    value: Text
    score: str
    shade: Shade | None
    before: str
    lost: float
    url: str

    @property
    def points(self) -> str:
        return index_words.points(self.lost)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a department got of the points its indicators could bring: a share from 0 to 100, and what it lost."""

    key: str
    title: Text
    share: float
    lost: float


def card(request: Asked, sight: Sight, key: str) -> HttpResponse:
    """The card of a department for the area of the address. Raises NotFound where it answers for nothing."""
    title = next((each.title for each in sight.spec.departments if each.key == key), None)
    here = sight.scope(request)
    leaves = leaves_of(sight, key)
    if here is None or not leaves or here.path not in sight.scores.place:
        raise NotFound
    title = title or Text(zh=key, en=key)
    old = index_asked.before(sight)
    then = index_asked.sight_on(sight, old) if old else None
    own = standing(sight, here, key, title)
    was = standing(then, here, key, title) if then else None
    every = sorted(_every(sight, here), key=lambda each: -each.share)
    answered = sorted(_answered(sight, then, here, leaves), key=lambda each: -each.lost)
    said: dict[str, Any] = {
        "title": TITLE, "sight": sight, "here": here, "area": name(here), "department": title, "own": own,
        "score": index_words.points(own.share), "lost": index_words.points(own.lost),
        "change": index_charts.signed(own.share - was.share) if was and not math.isnan(was.share) else "",
        "place": _place(every, key), "answered": answered[:MOST_INDICATORS], "more": len(answered) - MOST_INDICATORS,
        "areas": list(_areas(sight, here, leaves)), "then": then, "finding": _finding(title, own, answered),
        "crumbs": sight.crumbs((name(here), sight.area_url(here.path)), (title, "")),
    }  # fmt: skip
    return render(request, "index/card_department.html", said)


def leaves_of(sight: Sight, key: str) -> list[int]:
    """Where the nodes stand for which the department answers."""
    tree = sight.framework
    return [place for place in tree.leaf_nodes if tree.leaves[tree.nodes[place].leaf].department == key]


def standing(sight: Sight, here: Named, key: str, title: Text) -> Standing:
    """What the department got of the points it could bring in the area."""
    row = sight.scores.place.get(here.path)
    if row is None:
        return Standing(key, title, math.nan, math.nan)
    places = leaves_of(sight, key)
    weight, lost = (np.nan_to_num(each[row, places]) for each in (sight.scores.weight, sight.scores.lost))
    whole = float(weight.sum()) * loaded.FULL
    return Standing(key, title, (1 - float(lost.sum()) / whole) * 100 if whole else math.nan, float(lost.sum()))


def _every(sight: Sight, here: Named) -> Iterator[Standing]:
    for each in sight.spec.departments:
        found = standing(sight, here, each.key, each.title)
        if not math.isnan(found.share):
            yield found


def _place(every: Sequence[Standing], key: str) -> Text | None:
    """Where the department stands among those that answer for something here."""
    at = next((number for number, each in enumerate(every, 1) if each.key == key), None)
    if at is None or len(every) < 2:
        return None
    return Text(
        zh=f"{len(every)} 个部门中得分率第 {at}（各部门指标不同，只作参考）",
        en=f"Place {at} of {len(every)} departments by share of points (each has other indicators: for orientation)",
    )


def _answered(sight: Sight, then: Sight | None, here: Named, leaves: Sequence[int]) -> Iterator[Answered]:
    values, row = loaded.values(sight.edition).of_area(here.path), sight.scores.place[here.path]
    old = then.scores.place.get(here.path) if then else None
    known = {key: place for place, key in enumerate(then.framework.keys)} if then else {}
    for place in leaves:
        node = sight.framework.nodes[place]
        score, value = float(sight.scores.score[row, place]), values.get(node.key)
        before = math.nan
        if then and old is not None and node.key in known:
            before = float(then.scores.score[old, known[node.key]])
        unit = sight.indicators[node.key].unit if node.key in sight.indicators else Text(zh="", en="")
        yield Answered(
            node.title, index_words.with_unit(value.value if value else None, unit), index_charts.figure(score, 1),
            sight.shade_at(score), index_charts.figure(before, 1),
            float(np.nan_to_num(sight.scores.lost[row, place])), sight.indicator_url(node.key, here.path),
        )  # fmt: skip


def _areas(sight: Sight, here: Named, leaves: Sequence[int]) -> Iterator[tuple[str, str, str]]:
    """The areas right below in which the department's indicators lost most: name, points, address."""
    below = [path for path in sight.scores.paths if above(path) == here.path and sight.sees(path)]
    lost = {
        path: float(np.nan_to_num(sight.scores.lost[sight.scores.place[path], list(leaves)]).sum()) for path in below
    }
    for path in sorted(below, key=lambda each: (-lost[each], each))[:MOST_AREAS]:
        yield name(sight.named(path)), index_words.points(lost[path]), sight.area_url(path)


def _finding(title: Text, own: Standing, answered: Sequence[Answered]) -> Text:
    first = answered[0]
    if first.lost < 0.005:
        return Text(
            zh=f"{title.zh}负责的 {len(answered)} 个指标没有失分",
            en=f"None of the {len(answered)} indicators of {title.en} lost points",
        )
    return Text(
        zh=f"{title.zh}负责的 {len(answered)} 个指标失 {own.lost:.2f} 分，最多的是{first.title.zh}（{first.points}）",
        en=f"The {len(answered)} indicators of {title.en} cost {own.lost:.2f} points, {first.title.en} most "
        f"({first.points})",
    )
