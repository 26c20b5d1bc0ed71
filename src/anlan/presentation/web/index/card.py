"""Scorecards, a printable page each: of a village or town, what it counts, what it lost and why, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render

from anlan.index.editions import scorecard
from anlan.index.editions.loaded import Line
from anlan.index.editions.scorecard import Card, Row
from anlan.index.rulebook.ladder import LADDERS, Standing
from anlan.index.rulebook.signal import SIGNALS
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import asked, card_department, charts, words
from anlan.presentation.web.index.asked import ACTION, Group, Named, Shade, Sight, find
from anlan.presentation.web.index.charts import Part
from anlan.presentation.web.index.places import said_place
from anlan.presentation.web.index.why import parts

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

    title: Text
    url: str
    value: Text
    points: str


@dataclass(frozen=True, slots=True)
class Climb:
    """Where the area stands on a ladder of years."""

    title: Text
    standing: Standing
    pass_mark: str
    out_of: str


@needs(ACTION)
def index_card(request: Asked, index: str, period: str, code: str) -> HttpResponse:
    """The card of an area; of a department where the code begins with “department-”."""
    sight = find(request, index, period)
    if code.startswith(card_department.PREFIX):
        return card_department.card(request, sight, code.removeprefix(card_department.PREFIX))
    here = sight.area(code)
    return render(request, "index/card.html", area_card(sight, here))


def area_card(sight: Sight, here: Named) -> dict[str, Any]:
    """Everything on the card of an area."""
    rank, group = sight.ranks.of(here.path), sight.group_of(here.path)
    ladders = catalogue.current().all(LADDERS)
    among = set(group.by_path) if group else set()
    card = scorecard.of_area(asked.up_to(sight, charts.LONGEST), here.path, ladders=ladders.values(), among=among)
    worst = list(_worst(sight, card))
    old = asked.before(sight)
    then = asked.sight_on(sight, old) if old else None
    return {
        "title": TITLE, "sight": sight, "here": here, "area": name(here),
        "score": charts.figure(card.score), "shade": sight.shade(card.band),
        "change": charts.change(card.score, card.before),
        "place": said_place(rank, len(group.ranks)) if rank and group and len(group.ranks) > 1 else None,
        "peers": _peers(group),
        "heads": [_head(sight, row) for row in card.heads], "worst": worst,
        "lines": [(scorecard.rule_title(sight.edition, each.rule), charts.signed(each.points), _times(each))
                  for each in card.taken],
        "moved": [(part.title, charts.signed(part.points)) for part in _moved(sight, then, here)], "then": then,
        "following": card.follows, "running": card.running, "signals": _signals(sight, card),
        "climbs": [Climb(ladders[key].title, each, f"{ladders[key].pass_mark:g}", f"{ladders[key].out_of:g}")
                   for key, each in card.ladders.items()],
        "crumbs": sight.crumbs((name(here), sight.area_url(here.path)), (TITLE, "")),
        "finding": _finding(name(here), card, worst),
    }  # fmt: skip


def _finding(area: str, card: Card, worst: Sequence[Worth]) -> Text:
    """What the card says in one sentence."""
    if card.score is None:
        return Text(zh=f"{area}本期没有得分", en=f"{area} has no score in this period")
    since = Text(zh="", en="")
    if card.before is not None:
        up, by = card.score >= card.before, abs(card.score - card.before)
        since = Text(
            zh=f"，比上期{'高' if up else '低'} {by:.2f}", en=f", {by:.2f} {'more' if up else 'less'} than before"
        )
    most = Text(zh="", en="")
    if worst:
        most = Text(zh=f"；失分最多的是{worst[0].title.zh}", en=f"; {worst[0].title.en} cost most")
    return Text(zh=f"{area} {card.score:.2f} 分{since.zh}{most.zh}", en=f"{area} {card.score:.2f}{since.en}{most.en}")


def _peers(group: Group | None) -> Text | None:
    """What the middle of the peers is, beside the score."""
    known = [each.score for each in group.ranks if each.score is not None] if group else []
    if group is None or len(known) < 2:
        return None
    said = f"{median(known):.2f}"
    return Text(zh=f"同类（{group.title.zh}）中位 {said}", en=f"Median of {group.title.en}: {said}")


def _head(sight: Sight, row: Row) -> Head:
    return Head(
        row.title, words.NONE if row.weight is None else f"{row.weight:.1%}", charts.figure(row.score, 1),
        sight.shade_at(row.score), charts.figure(row.before, 1), charts.figure(row.peers, 1),
        charts.figure(row.lost), row.indicators,
    )  # fmt: skip


def _worst(sight: Sight, card: Card) -> Iterator[Worth]:
    for row in card.shortest[:LOST]:
        if round(row.lost or 0.0, 2):
            url = sight.indicator_url(row.key, card.area_path)
            yield Worth(
                row.title,
                url,
                words.with_unit(row.figure, sight.unit(row.key)),
                charts.figure(row.lost),
            )


def _times(line: Line) -> str:
    return f"×{line.times:g}" if line.times not in (0.0, 1.0) else ""


def _moved(sight: Sight, then: Sight | None, here: Named) -> Sequence[Part]:
    """What did most of the change since the period before."""
    found = parts(then, here.path, sight, here.path) if then else []
    return [part for part in found if round(part.points, 2)][:MOVED]


def _signals(sight: Sight, card: Card) -> list[Text]:
    """The signals beside the score that are unusual."""
    known = sight.edition.spec().all(SIGNALS)
    return [known[row["signal"]].title for row in card.signals if row["raised"] == "raised" and row["signal"] in known]
