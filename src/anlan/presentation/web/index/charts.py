"""The charts of an index, each with its table twin and a title that is the finding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from anlan.index.editions import loaded
from anlan.index.editions.edition import Edition
from anlan.index.editions.loaded import FULL
from anlan.kernel.text import Text
from anlan.presentation.saying import name, say, t
from anlan.presentation.web.index.asked import Sight, sight_on
from anlan.presentation.web.lists import Column, table
from anlan.presentation.web.statistics import Chart, linked

PERIOD: Final = Text(zh="期间", en="Period")
SCORE: Final = Text(zh="得分", en="Score")
CHANGE: Final = Text(zh="较上期", en="Change")
RANK: Final = Text(zh="位次", en="Rank")
HEAD: Final = Text(zh="指标", en="Indicator")
LONGEST: Final = 24


def figure(value: float | None, places: int = 2) -> str:
    """A score as people write it; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{places}f}"


def change(after: float | None, before: float | None) -> str:
    """What a score rose by, with its sign; nothing where one of the two is none."""
    return "" if after is None or before is None else signed(after - before)


def signed(value: float | None, places: int = 2) -> str:
    """A change with its sign; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    rounded = round(value, places)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded):.{places}f}"


def number(value: float) -> float | None:
    """A number for a chart: rounded, None where there is none."""
    return None if math.isnan(value) else round(value, 2)


@dataclass(frozen=True, slots=True)
class Turn:
    """One period of an area: its final score and place, and the middle of its peers."""

    edition: Edition
    score: float | None
    rank: int | None
    middle: float | None
    many: int


def course(sight: Sight, path: str, editions: Sequence[Edition]) -> list[Turn]:
    """What became of an area from period to period, up to the one that is shown."""
    found = []
    for edition in editions[-LONGEST:]:
        ranks = loaded.ranks(edition)
        mine = ranks.of(path)
        if mine is None:
            continue
        many = len(ranks.of_peer[mine.peer])
        found.append(Turn(edition, mine.score, mine.rank, ranks.middle.get(mine.peer), many))
    return found


def trend(sight: Sight, path: str, turns: Sequence[Turn]) -> Chart | None:
    """The final score over the periods, beside the middle of the peers; None with fewer than two periods."""
    if len(turns) < 2:
        return None
    area, peers = name(sight.named(path)), any(turn.many > 1 for turn in turns)
    labels = [say(turn.edition.period.words) for turn in turns]
    series: list[dict[str, Any]] = [{"name": area, "values": [number(turn.score or math.nan) for turn in turns]}]
    if peers:
        series.append(
            {"name": t("同类中位", "Peers' median"), "values": [number(turn.middle or math.nan) for turn in turns]}
        )
    known = [value for each in series for value in each["values"] if value is not None]
    said = {"kind": "line", "labels": labels, "series": series, "min": math.floor(min(known, default=0.0) / 5) * 5}
    columns = [
        Column(PERIOD, lambda turn: turn.edition.period.words),
        Column(SCORE, lambda turn: figure(turn.score), css="num"),
        Column(RANK, lambda turn: turn.rank or "–", css="num"),
        *(
            [Column(Text(zh="同类中位", en="Peers' median"), lambda turn: figure(turn.middle), css="num")]
            if peers
            else []
        ),
    ]
    title = _trend_title(area, turns)
    twin = table(
        turns, columns, caption=title, quiet_caption=True, url=lambda turn: sight_on(sight, turn.edition).area_url(path)
    )
    return Chart("index-trend", title, said, twin)


def _trend_title(area: str, turns: Sequence[Turn]) -> Text:
    scores = [turn.score for turn in turns if turn.score is not None]
    if len(scores) < 2:
        return Text(zh=f"{area}历次得分", en=f"{area} over time")
    ups = [round(b - a, 2) for a, b in pairwise(scores)]
    run = 1
    while run < len(ups) and ups[-1 - run] * ups[-1] > 0:
        run += 1
    last = figure(scores[-1])
    if ups[-1] == 0:
        return Text(zh=f"{area}与上期持平，{last} 分", en=f"{area} as in the period before: {last}")
    zh, en = ("上升", "risen") if ups[-1] > 0 else ("下降", "fallen")
    if run > 1:
        return Text(
            zh=f"{area}连续 {run} 期{zh}，现为 {last} 分", en=f"{area} has {en} {run} periods running, to {last}"
        )
    return Text(
        zh=f"{area}本期{zh} {abs(ups[-1]):.2f} 分，为 {last} 分",
        en=f"{area} has {en} by {abs(ups[-1]):.2f} to {last}",
    )


@dataclass(frozen=True, slots=True)
class Spoke:
    """One head on the radar: what the area scored, what it is compared with, and what each lost."""

    place: int
    title: Text
    score: float
    other: float
    url: str


def radar(
    sight: Sight, path: str, other: tuple[Text, Any] | None, identity: str = "index-radar", *, own_words: str = ""
) -> Chart | None:
    """The first-level heads of an area on a radar, beside `other`: its words, and a score for each head (or NaN).

    The area goes by its name, where `own_words` do not say more.
    """
    heads = sight.framework.nodes[0].children
    row = sight.scores.place.get(path)
    if row is None or len(heads) < 3:
        return None
    own = sight.scores.score[row, list(heads)]
    against = other[1] if other else [math.nan] * len(heads)
    spokes = [
        Spoke(place, sight.framework.nodes[place].title, float(own[at]), float(against[at]), _under(sight, place, path))
        for at, place in enumerate(heads)
    ]
    area = name(sight.named(path))
    words = own_words or area
    series: list[dict[str, Any]] = [{"name": words, "values": [number(each.score) for each in spokes]}]
    columns = [
        Column(HEAD, lambda each: linked(each.url, say(each.title)) if each.url else each.title),
        Column(Text(zh=words, en=words), lambda each: figure(each.score), css="num"),
    ]
    if other:
        series.append({"name": say(other[0]), "values": [number(each.other) for each in spokes]})
        columns += [
            Column(other[0], lambda each: figure(each.other), css="num"),
            Column(Text(zh="相差", en="Difference"), lambda each: signed(each.score - each.other), css="num"),
        ]
    said = {"kind": "radar", "labels": [say(each.title) for each in spokes], "series": series, "max": FULL}
    title = _radar_title(area, spokes)
    return Chart(identity, title, said, table(spokes, columns, caption=title, quiet_caption=True))


def _under(sight: Sight, place: int, path: str) -> str:
    return f"{sight.area_url(path)}#{sight.framework.nodes[place].key}"


def _radar_title(area: str, spokes: Sequence[Spoke]) -> Text:
    known = [each for each in spokes if not math.isnan(each.score)]
    if not known:
        return Text(zh=f"{area}还没有得分", en=f"{area} has no score yet")
    worst = min(known, key=lambda each: each.score)
    return Text(
        zh=f"{area}最弱的一面是{worst.title.zh}（{figure(worst.score, 1)} 分）",
        en=f"{area} is weakest in {worst.title.en} ({figure(worst.score, 1)})",
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One cause of a difference: its words, its points, where it leads ("" for nowhere), and the head it lies under."""

    title: Text
    points: float
    url: str = ""
    note: Text | None = None
    head: Text | None = None


def drawn(ordered: Sequence[Part], most: int = 12) -> Sequence[Part]:
    """What a picture has room for: the largest parts; by their heads where much of the sum is in small ones."""
    whole, rest = sum(abs(part.points) for part in ordered), sum(abs(part.points) for part in ordered[most:])
    if rest <= whole / 3:
        return ordered
    heads: dict[Text, float] = {}
    for part in ordered:
        title = part.head or part.title
        heads[title] = heads.get(title, 0.0) + part.points
    return sorted((Part(title, points) for title, points in heads.items()), key=lambda part: -abs(part.points))


def steps(
    identity: str, title: Text, ends: tuple[tuple[Text, float], tuple[Text, float]], parts: Sequence[Part], *,
    most: int = 12, note: Text | None = None,
) -> Chart:  # fmt: skip
    """From one total to another: the largest parts in the picture, every one in the table; they sum up."""
    ordered = sorted(parts, key=lambda part: -abs(part.points))
    shown = [part for part in drawn(ordered, most)[:most] if round(part.points, 2)]
    rest = sum(part.points for part in parts) - sum(part.points for part in shown)
    labels = [say(ends[0][0]), *(say(part.title) for part in shown)]
    values = [ends[0][1], *(part.points for part in shown)]
    if abs(rest) >= 0.005:
        labels, values = [*labels, t("其余各项", "All the rest")], [*values, rest]
    labels, values = [*labels, say(ends[1][0])], [*values, ends[1][1]]
    run, at = [ends[0][1]], ends[0][1]
    for value in values[1:-1]:
        at += value
        run.append(at)
    low = math.floor(min([*run, ends[1][1]]) - 0.5)
    said = {
        "kind": "steps", "labels": labels, "series": [{"name": say(title), "values": [round(v, 4) for v in values]}],
        "min": max(0, low), "max": math.ceil(max([*run, ends[1][1]]) + 0.2),
    }  # fmt: skip
    columns = [
        Column(Text(zh="原因", en="Cause"), lambda part: linked(part.url, say(part.title)) if part.url else part.title,
               sub=lambda part: part.note),
        Column(Text(zh="分", en="Points"), lambda part: signed(part.points, 3), css="num"),
    ]  # fmt: skip
    total = Part(Text(zh="合计", en="Together"), sum(part.points for part in parts))
    twin = table([*ordered, total], columns, caption=title, quiet_caption=True)
    return Chart(identity, title, said, twin, note)
