"""The tree of an index for one area: what each head and indicator scored, weighs and costs; as strips and a table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.html import format_html

from anlan.kernel.text import Text
from anlan.presentation.saying import name, say
from anlan.presentation.web.index import pictures
from anlan.presentation.web.index.asked import Shade, Sight
from anlan.presentation.web.index.charts import HEAD, SCORE, figure
from anlan.presentation.web.index.pictures import Said, Strips
from anlan.presentation.web.index.places import chip
from anlan.presentation.web.lists import Column, Table, table
from anlan.presentation.web.statistics import linked

WORST: Final = 8


@dataclass(frozen=True, slots=True)
class Lost:
    """An indicator that costs points: its score and band, the points, their share of all lost, its bar's length."""

    key: str
    title: Text
    head: Text
    score: float
    shade: Shade | None
    points: float
    share: float
    width: float
    url: str

    @property
    def percent(self) -> str:
        """The share of all lost points, in words."""
        return f"{self.share:.0%}"


def worst(sight: Sight, path: str, most: int = WORST) -> list[Lost]:
    """The indicators that cost an area the most points."""
    row = sight.scores.place.get(path)
    if row is None:
        return []
    leaves = list(sight.framework.leaf_nodes)
    lost = np.nan_to_num(sight.scores.lost[row, leaves])
    whole, most_lost = float(lost.sum()) or 1.0, float(lost.max()) or 1.0
    found = []
    for at in np.argsort(-lost, kind="stable")[:most].tolist():
        node = sight.framework.nodes[leaves[at]]
        score, points = float(sight.scores.score[row, leaves[at]]), float(lost[at])
        if points >= 0.005:
            head = sight.framework.nodes[node.parent].title
            url = sight.indicator_url(node.key, path)
            found.append(
                Lost(
                    node.key,
                    node.title,
                    head,
                    score,
                    sight.shade_at(score),
                    points,
                    points / whole,
                    round(points / most_lost * 100, 1),
                    url,
                )
            )
    return found


def worst_title(found: list[Lost]) -> Text:
    if not found:
        return Text(zh="本期没有失分", en="No points were lost")
    share = sum(each.share for each in found[:3])
    few = min(3, len(found))
    return Text(
        zh=f"失分的 {share:.0%} 来自 {few} 个指标，首先是{found[0].title.zh}",
        en=f"{share:.0%} of the lost points come from {few} indicators, first of all {found[0].title.en}",
    )


def strips(sight: Sight, path: str) -> Strips | None:
    """The tree of the index for one area: widths are weights, shades are bands."""
    row = sight.scores.place.get(path)
    if row is None:
        return None
    scores, weights = sight.scores.score[row], sight.scores.weight[row]

    def said(place: int) -> Said:
        node, shade = sight.framework.nodes[place], sight.shade_at(float(scores[place]))
        words = f"{say(node.title)} · {figure(float(scores[place]), 1)} · {float(weights[place]):.1%}"
        words += f" · {say(shade.title)}" if shade else ""
        url = sight.indicator_url(node.key, path) if node.leaf >= 0 else ""
        return Said(say(node.title), words, shade.css if shade else "", url)

    return pictures.strips(sight.framework, [float(weight) for weight in weights], said)


@dataclass(frozen=True, slots=True)
class Branch:
    """One node of the tree for one area."""

    key: str
    title: Text
    depth: int
    score: float
    weight: float
    points: float
    lost: float
    shade: Shade | None
    url: str


def branches(sight: Sight, path: str) -> list[Branch]:
    """Every node that counted for an area, in the order of the tree."""
    row = sight.scores.place.get(path)
    if row is None:
        return []
    scores = sight.scores
    found = []
    for place, node in enumerate(sight.framework.nodes):
        score, weight, points, lost = (
            float(each[row, place]) for each in (scores.score, scores.weight, scores.points, scores.lost)
        )
        url = sight.indicator_url(node.key, path) if node.leaf >= 0 else ""
        found.append(Branch(node.key, node.title, node.depth, score, weight, points, lost, sight.shade_at(score), url))
    return found


def tree(sight: Sight, path: str) -> Table:
    """The whole tree as a table; every indicator leads to what it is made of."""
    columns = [
        Column(HEAD, _titled),
        Column(SCORE, lambda each: figure(each.score, 1), css="num"),
        Column(Text(zh="等级", en="Band"), lambda each: chip(each.shade)),
        Column(Text(zh="权重", en="Weight"), lambda each: _share(each.weight), css="num"),
        Column(Text(zh="贡献（分）", en="Points brought"), lambda each: figure(each.points), css="num"),
        Column(Text(zh="失分", en="Points lost"), lambda each: figure(each.lost), css="num"),
    ]
    caption = Text(zh=f"{name(sight.named(path))}的各级得分", en=f"Every score of {name(sight.named(path))}")
    return table(branches(sight, path), columns, caption=caption, quiet_caption=True)


def _titled(each: Branch) -> Any:
    words = linked(each.url, say(each.title)) if each.url else say(each.title)
    return format_html('<span class="depth-{}" id="{}">{}</span>', each.depth, each.key, words)


def _share(weight: float) -> str:
    return "–" if math.isnan(weight) else f"{weight:.1%}"


def shortboard(sight: Sight, path: str) -> Text:
    """Which field costs an area the most points, as a share of all it lost."""
    heads = [each for each in branches(sight, path) if each.depth == 1 and not math.isnan(each.lost)]
    whole = sum(each.lost for each in heads)
    area = name(sight.named(path))
    if not heads or whole < 0.005:
        return Text(zh=f"{area}没有失分", en=f"{area} lost no points")
    most = max(heads, key=lambda each: each.lost)
    return Text(
        zh=f"{area}失分的 {most.lost / whole:.0%} 在{most.title.zh}",
        en=f"{most.lost / whole:.0%} of the points {area} lost are in {most.title.en}",
    )
