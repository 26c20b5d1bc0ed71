"""Why two scores differ: every indicator, every line of a rule, and what counted otherwise, summing to the whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from anlan.index.editions import loaded, scorecard
from anlan.index.editions.loaded import Line
from anlan.index.scoring import why
from anlan.kernel.text import Text
from anlan.presentation.web.index import charts
from anlan.presentation.web.index.asked import Sight
from anlan.presentation.web.index.charts import Part, figure
from anlan.presentation.web.statistics import Chart

NEARLY: Final = 1e-9
SHOWN: Final = 0.0005
"""Parts below this would be ±0.000; they are told as one."""
OTHERS: Final = Text(zh="否决、取整等", en="Veto, rounding and the like")
TINY: Final = Text(zh="每项不到 0.001 分的合计", en="Those below 0.001 points each, together")


def final(sight: Sight, path: str) -> float:
    """The final score of an area, lines included; NaN where it has none."""
    found = scorecard.final(sight.edition, path)
    return math.nan if found is None else found


def lines(sight: Sight, path: str) -> list[Line]:
    """What rules took off an area or gave it."""
    return loaded.lines(sight.edition).get(path, [])


def comparable(first: Sight, second: Sight) -> bool:
    """Whether the two are of one tree, so that a difference can be told leaf by leaf."""
    return first.framework.keys == second.framework.keys


def parts(first: Sight, one: str, second: Sight, other: str) -> list[Part]:
    """The parts of the second score less the first, the largest first; they sum to the difference of the final scores.

    Empty where one of the two has no score, or they are of two trees.
    """
    rows = first.scores.place.get(one), second.scores.place.get(other)
    whole = final(second, other) - final(first, one)
    if rows[0] is None or rows[1] is None or math.isnan(whole) or not comparable(first, second):
        return []
    before, after = first.scores.score[rows[0]][:, None], second.scores.score[rows[1]][:, None]
    made = why.explained(second.framework, before, after, (other,))
    found = [*_leaves(second, other, made), *_heads(second, made), *_lines(first, one, second, other)]
    left = whole - math.fsum(each.points for each in found)
    if abs(left) > NEARLY:
        found.append(Part(OTHERS, left))
    return _gathered(found)


def _leaves(sight: Sight, path: str, made: why.Why) -> Iterator[Part]:
    for at, place in enumerate(sight.framework.leaf_nodes):
        node = sight.framework.nodes[place]
        points = float(made.leaf[0, at])
        if abs(points) > NEARLY:
            above = sight.framework.nodes[node.parent].title
            yield Part(node.title, points, sight.indicator_url(node.key, path), above, above)


def _heads(sight: Sight, made: why.Why) -> Iterator[Part]:
    for place, node in enumerate(sight.framework.nodes):
        points = float(made.other[0, place])
        if node.leaf < 0 and abs(points) > NEARLY:
            title = Text(zh=f"{node.title.zh}：构成变了", en=f"{node.title.en}: made of other parts")
            note = Text(
                zh="有指标一头有数、一头缺数，或权重变了",
                en="an indicator has a value at one end only, or a weight changed",
            )
            yield Part(title, points, "", note, node.title)


def _lines(first: Sight, one: str, second: Sight, other: str) -> Iterator[Part]:
    then: dict[str, float] = {}
    for sign, sight, path in ((-1.0, first, one), (1.0, second, other)):
        for each in lines(sight, path):
            then[each.rule] = then.get(each.rule, 0.0) + sign * each.points
    for rule, points in then.items():
        if abs(points) > NEARLY:
            yield Part(scorecard.rule_title(second.edition, rule), points, f"{second.area_url(other)}#lines", RULE)


RULE: Final = Text(zh="扣分、加分规则", en="a rule that takes off or gives")


def _gathered(found: list[Part]) -> list[Part]:
    ordered = sorted(found, key=lambda part: -abs(part.points))
    large = [part for part in ordered if abs(part.points) >= SHOWN]
    rest = math.fsum(part.points for part in ordered[len(large) :])
    return [*large, Part(TINY, rest)] if len(ordered) > len(large) else large


def chart(first: Sight, one: str, second: Sight, other: str) -> Chart | None:
    """From the first score to the second in steps; None where they cannot be told apart leaf by leaf."""
    found = parts(first, one, second, other)
    ends = _end(first, one, second, other), _end(second, other, first, one)
    if not found and not comparable(first, second):
        return None
    begin, end = final(first, one), final(second, other)
    if math.isnan(begin) or math.isnan(end):
        return None
    title = finding(ends[0], begin, ends[1], end, found)
    return charts.steps("index-why", title, ((ends[0], begin), (ends[1], end)), found)


def _end(sight: Sight, path: str, beside: Sight, there: str) -> Text:
    """What one end is called: the period where the area is the same, the area where the period is, else both."""
    if path == there:
        return sight.period.words
    area = sight.named(path)
    zh, en = area.name_zh, area.name_en or area.name_zh
    if sight.edition.manifest.period == beside.edition.manifest.period:
        return Text(zh=zh, en=en)
    return Text(zh=f"{zh} {sight.period.words.zh}", en=f"{en} {sight.period.words.en}")


def finding(first: Text, begin: float, second: Text, end: float, found: list[Part]) -> Text:
    """By how much the second differs from the first, and what does most of it."""
    change = round(end - begin, 2)
    if not change:
        return Text(
            zh=f"{second.zh} 与 {first.zh} 同为 {figure(end)} 分", en=f"{second.en} equals {first.en}: {figure(end)}"
        )
    same = [part for part in charts.drawn(found) if part.points * change > 0]
    zh, en = ("高", "above") if change > 0 else ("低", "below")
    said = Text(
        zh=f"{second.zh} 比 {first.zh} {zh} {abs(change):.2f} 分",
        en=f"{second.en} is {abs(change):.2f} {en} {first.en}",
    )
    if not same:
        return said
    most = same[0]
    sign = "+" if most.points > 0 else "−"
    return Text(
        zh=f"{said.zh}，首先因为{most.title.zh}（{sign}{abs(most.points):.2f}）",
        en=f"{said.en}, first of all by {most.title.en} ({sign}{abs(most.points):.2f})",
    )
