"""Scorecards, a printable page each: of a village or town, what it counts, what it lost and why, and what follows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render

from anlan.index import consequence, ladder, loaded
from anlan.index.edition import Edition
from anlan.index.ladder import LADDERS, Standing
from anlan.index.loaded import Line
from anlan.index.rule import RULES, Consequence
from anlan.index.signal import SIGNALS
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name
from anlan.presentation.web import index_asked, index_card_department, index_charts, index_words
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index_asked import ACTION, Group, Named, Shade, Sight, find
from anlan.presentation.web.index_charts import Part
from anlan.presentation.web.index_places import said_place
from anlan.presentation.web.index_tree import Lost, worst
from anlan.presentation.web.index_why import comparable, final, lines, parts, rule_title

TITLE: Final = Text(zh="成绩单", en="Scorecard")
LOST: Final = 5
MOVED: Final = 4


@dataclass(frozen=True, slots=True)
class Head:
    """A first-level head on a card: what it weighs, scored, scored before, the peers' middle, and what it cost."""

    title: Text
    weight: str
    score: str
    shade: Shade | None
    before: str
    peers: str
    lost: str
    many: int


@dataclass(frozen=True, slots=True)
class Worth:
    """An indicator that cost points, with its value in its unit."""

    lost: Lost
    value: Text
    points: str


@dataclass(frozen=True, slots=True)
class Following:
    """What the rules of the index have follow from the colours, and how many periods running."""

    consequence: Consequence
    running: int


@dataclass(frozen=True, slots=True)
class Climb:
    """Where the area stands on a ladder of years."""

    title: Text
    standing: Standing
    pass_mark: str


@needs(ACTION)
def index_card(request: Asked, index: str, period: str, code: str) -> HttpResponse:
    """The card of an area; of a department where the code begins with “department-”."""
    sight = find(request, index, period)
    if code.startswith(index_card_department.PREFIX):
        return index_card_department.card(request, sight, code.removeprefix(index_card_department.PREFIX))
    here = sight.area(code)
    return render(request, "index/card.html", area_card(sight, here))


def area_card(sight: Sight, here: Named) -> dict[str, Any]:
    """Everything on the card of an area."""
    rank, group = sight.ranks.of(here.path), sight.group_of(here.path)
    old = index_asked.before(sight)
    then = index_asked.sight_on(sight, old) if old else None
    score, was = final(sight, here.path), final(then, here.path) if then else math.nan
    moved = _moved(sight, then, here)
    return {
        "title": TITLE, "sight": sight, "here": here, "area": name(here),
        "score": index_words.points(score), "shade": sight.shade(rank.band) if rank else None,
        "change": "" if math.isnan(score - was) else index_charts.signed(score - was),
        "place": said_place(rank, len(group.ranks)) if rank and group and len(group.ranks) > 1 else None,
        "peers": _peers(group),
        "heads": list(_heads(sight, then, here, group)), "worst": list(_worst(sight, here)),
        "lines": [(rule_title(sight, each.rule), index_charts.signed(each.points), _times(each))
                  for each in lines(sight, here.path)],
        "moved": [(part.title, index_charts.signed(part.points)) for part in moved], "then": then,
        "following": list(following(sight, here)), "climbs": list(climbs(sight, here)),
        "signals": _signals(sight, here), "crumbs": sight.crumbs((name(here), sight.area_url(here.path)), (TITLE, "")),
        "finding": _finding(sight, here, score, was),
    }  # fmt: skip


def _finding(sight: Sight, here: Named, score: float, was: float) -> Text:
    """What the card says in one sentence."""
    lost, area = worst(sight, here.path, 1), name(here)
    if math.isnan(score):
        return Text(zh=f"{area}本期没有得分", en=f"{area} has no score in this period")
    change = Text(zh="", en="")
    if not math.isnan(was):
        up = score >= was
        change = Text(
            zh=f"，比上期{'高' if up else '低'} {abs(score - was):.2f}",
            en=f", {abs(score - was):.2f} {'more' if up else 'less'} than before",
        )
    most = Text(zh="", en="")
    if lost:
        most = Text(zh=f"；失分最多的是{lost[0].title.zh}", en=f"; {lost[0].title.en} cost most")
    return Text(zh=f"{area} {score:.2f} 分{change.zh}{most.zh}", en=f"{area} {score:.2f}{change.en}{most.en}")


def _peers(group: Group | None) -> Text | None:
    """What the middle of the peers is, beside the score."""
    known = [each.score for each in group.ranks if each.score is not None] if group else []
    if group is None or len(known) < 2:
        return None
    said = f"{median(known):.2f}"
    return Text(zh=f"同类（{group.title.zh}）中位 {said}", en=f"Median of {group.title.en}: {said}")


def _heads(sight: Sight, then: Sight | None, here: Named, group: Group | None) -> Iterator[Head]:
    row = sight.scores.place.get(here.path)
    if row is None:
        return
    scores, others = sight.scores, _rows(sight, group)
    old = then.scores.place.get(here.path) if then and comparable(then, sight) else None
    for place in sight.framework.nodes[0].children:
        score = float(scores.score[row, place])
        before = float(then.scores.score[old, place]) if then and old is not None else math.nan
        among = [value for each in others if not math.isnan(value := float(scores.score[each, place]))]
        weight = f"{scores.weight[row, place] * 100:.1f}%"
        yield Head(
            sight.framework.nodes[place].title, weight, index_charts.figure(score, 1), sight.shade_at(score),
            index_charts.figure(before, 1),
            index_charts.figure(median(among), 1) if len(among) > 1 else index_words.NONE,
            index_words.points(float(scores.lost[row, place])), len(sight.framework.leaves_under(place)),
        )  # fmt: skip


def _rows(sight: Sight, group: Group | None) -> list[int]:
    """Where the peers stand in the scores."""
    paths = [each.area_path for each in group.ranks] if group else []
    return [sight.scores.place[path] for path in paths if path in sight.scores.place]


def _worst(sight: Sight, here: Named) -> Iterator[Worth]:
    values = loaded.values(sight.edition).of_area(here.path)
    for each in worst(sight, here.path, LOST):
        declared, value = sight.indicators.get(each.key), values.get(each.key)
        unit = declared.unit if declared else Text(zh="", en="")
        yield Worth(each, index_words.with_unit(value.value if value else None, unit), index_words.points(each.points))


def _times(line: Line) -> str:
    return f"×{line.times:g}" if line.times not in (0.0, 1.0) else ""


def _moved(sight: Sight, then: Sight | None, here: Named) -> Sequence[Part]:
    """What did most of the change since the period before."""
    found = parts(then, here.path, sight, here.path) if then else []
    return [part for part in found if round(part.points, 2)][:MOVED]


def following(sight: Sight, here: Named) -> Iterator[Following]:
    """Rewards and penalties by the declared rules of the index, from this and the earlier periods' colours."""
    tables = [table for table in sight.edition.spec().all(RULES).values() if table.index == sight.index]
    bands = [_band(edition, here) for edition in _up_to(sight)]
    for each in consequence.due(tables, bands):
        yield Following(each, consequence.running(bands))


def _up_to(sight: Sight) -> list[Edition]:
    """The published editions of the same kind of period up to this one, which is the last."""
    kind = sight.period.kind
    earlier = [
        each for each in index_asked.published(sight.index) if each.period < sight.period and each.period.kind == kind
    ]
    return [*earlier[-index_charts.LONGEST :], sight.edition]


def _band(edition: Edition, here: Named) -> str | None:
    found = loaded.ranks(edition).of(here.path)
    return found.band or None if found else None


def climbs(sight: Sight, here: Named) -> Iterator[Climb]:
    """The ladders of the index, climbed year by year by the editions of years."""
    yearly = [each for each in index_asked.published(sight.index) if each.period.kind == "year"]
    for each in catalogue.current().all(LADDERS).values():
        if each.index != sight.index:
            continue
        passed = {}
        for edition in yearly:
            found = loaded.ranks(edition).of(here.path)
            vetoed = any(line.rule in _vetoes(edition) for line in loaded.lines(edition).get(here.path, ()))
            passed[edition.period.first.year] = each.passes(found.score if found else None, vetoed=vetoed)
        yield Climb(each.title, ladder.standing(each, passed), f"{each.pass_mark:g}/{each.out_of:g}")


def _vetoes(edition: Edition) -> set[str]:
    tables = edition.spec().all(RULES).values()
    return {rule.key for table in tables for rule in table.rules if rule.empties}


def _signals(sight: Sight, here: Named) -> list[Text]:
    """The signals beside the score that are unusual."""
    known = sight.edition.spec().all(SIGNALS)
    rows = sight.edition.signals(area_path=here.path).to_pylist()
    return [known[row["signal"]].title for row in rows if row["raised"] == "raised" and row["signal"] in known]
