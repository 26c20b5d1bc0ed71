"""What if a weight were another: who would stand where. Nothing that was published changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.http import HttpResponse
from django.shortcuts import render

from anlan.index.editions import scenario
from anlan.index.editions.loaded import Rank
from anlan.index.editions.scenario import Scenario
from anlan.index.scoring import ranks
from anlan.index.scoring.panel import Floats
from anlan.kernel.text import Refusal, Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name, say
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import asked, charts, home, why
from anlan.presentation.web.index.asked import ACTION, Group, Sight
from anlan.presentation.web.index.charts import figure, signed
from anlan.presentation.web.index.places import chip, moved
from anlan.presentation.web.lists import Column, Page, Table, table

SIZE: Final = 50
INDENT: Final = "\u3000"
TITLE: Final = Text(zh="换权重试算", en="What if a weight were another")
NOT_A_NUMBER: Final = Refusal("权重请填数字，例如 10 或 12.5。", "Give the weight as a number, such as 10 or 12.5.")


@dataclass(frozen=True, slots=True)
class Would:
    """An area as it stands and as it would."""

    path: str
    now: float
    then: float
    rank: int
    would: int
    band: str

    @property
    def change(self) -> float:
        return self.then - self.now


@needs(ACTION)
def scenario_page(request: Asked, index: str, period: str) -> HttpResponse:
    """`?node=` is the head or indicator, `?weight=` its share of the whole in percent."""
    sight = asked.find(request, index, period)
    scope = sight.scope(request)
    group = home.chosen_group(sight, scope, request.GET.get("peer", "")) if scope else None
    frame = sight.framework
    keys = [node.key for node in frame.nodes if node.parent >= 0]
    node = request.GET.get("node", "")
    node = node if node in keys else keys[0]
    place = frame.place(node)
    nominal = float(frame.nominal[place])
    wrong, found, share = None, [], nominal
    try:
        share = _share(request.GET.get("weight", ""), nominal)
        made = scenario.what_if(sight.scores, {node: share}, labels=_labels(sight))
        found = would(sight, group, made) if group else []
    except Refusal as refusal:
        wrong = refusal.text
    said = {
        "title": TITLE, "sight": sight, "spot": scope, "group": group, "node": frame.nodes[place], "wrong": wrong,
        "nodes": _choices(sight), "weight": request.GET.get("weight", "") or f"{nominal * 100:.1f}",
        "nominal": f"{nominal * 100:.1f}", "share": f"{share:.1%}", "found": found,
        "finding": finding(sight, found, frame.nodes[place].title, share, nominal) if found else None,
        "table": _table(request, sight, found) if found else None, "kept": _kept(request),
        "crumbs": sight.crumbs((TITLE, "")),
    }  # fmt: skip
    return render(request, "index/scenario.html", said, status=422 if wrong else 200)


def _share(given: str, nominal: float) -> float:
    if not given:
        return nominal
    try:
        share = float(given.replace("%", "").replace("，", ".").strip()) / 100
    except ValueError as error:
        raise NOT_A_NUMBER from error
    if not math.isfinite(share):
        raise NOT_A_NUMBER
    return share


def _labels(sight: Sight) -> dict[str, list[str]]:
    paths = sight.scores.paths
    levels = [sight.names[path].level if path in sight.names else "" for path in paths]
    return {"level": levels, "parent": ["/".join(path.split("/")[:-2]) for path in paths]}


def would(sight: Sight, group: Group, made: Scenario) -> list[Would]:
    """Every area of a group as it would stand, best first; what rules took off stays as it was."""
    here = [each for each in group.ranks if each.rank is not None and each.area_path in sight.scores.place]
    rows = [sight.scores.place[each.area_path] for each in here]
    lines = np.array([sum(line.points for line in why.lines(sight, each.area_path)) for each in here])
    now, then = made.now[rows] + lines, made.then[rows] + lines
    rule = sight.spec.ranking
    before, after = ranks.ranked(now, rule), ranks.ranked(then, rule)
    found = [_would(sight, each, at, (now, then, before, after)) for at, each in enumerate(here)]
    return sorted((each for each in found if each is not None), key=lambda each: (each.would, each.path))


def _would(sight: Sight, rank: Rank, at: int, given: tuple[Floats, Floats, Floats, Floats]) -> Would | None:
    now, then, before, after = (float(each[at]) for each in given)
    if math.isnan(now) or math.isnan(then):
        return None
    band = ranks.band(sight.spec, then) if sight.spec.band_by == "score" else ""
    return Would(rank.area_path, now, then, int(before), int(after), band)


def finding(sight: Sight, found: list[Would], title: Text, share: float, nominal: float) -> Text:
    """How many places would change, and whose the most."""
    if abs(share - nominal) < 5e-5:
        return Text(
            zh=f"{title.zh}现占 {nominal:.1%}；改一个数，看名次怎样变",
            en=f"{title.en} counts {nominal:.1%}; change it and see who would stand where",
        )
    changed = [each for each in found if each.would != each.rank]
    if not changed:
        return Text(
            zh=f"{title.zh}的权重从 {nominal:.1%} 变为 {share:.1%}，没有一个名次会变",
            en=f"Were {title.en} to count {share:.1%} instead of {nominal:.1%}, no place would change",
        )
    most = max(changed, key=lambda each: (abs(each.would - each.rank), each.path))
    area = name(sight.named(most.path))
    return Text(
        zh=f"{title.zh}的权重从 {nominal:.1%} 变为 {share:.1%}，{len(changed)} 个名次会变，"
        f"{area}从第 {most.rank} 到第 {most.would}",
        en=f"Were {title.en} to count {share:.1%} instead of {nominal:.1%}, {len(changed)} places would change; "
        f"{area} goes from {most.rank} to {most.would}",
    )


def _table(request: Asked, sight: Sight, found: list[Would]) -> Table:
    given = request.GET.get("after") or request.GET.get("before") or "0"
    start = int(given) if given.isdecimal() and len(given) < 9 and int(given) < len(found) else 0
    page = Page(
        found[start : start + SIZE], str(max(0, start - SIZE)) if start else "",
        str(start + SIZE) if start + SIZE < len(found) else "",
    )  # fmt: skip
    columns = [
        Column(Text(zh="辖区", en="Area"), lambda each: name(sight.named(each.path))),
        Column(Text(zh="会是第几", en="Would be"), lambda each: each.would, css="num"),
        Column(Text(zh="现在第几", en="Is now"), lambda each: each.rank, css="num"),
        Column(Text(zh="名次变化", en="Places"), _places, css="num"),
        Column(Text(zh="会得分", en="Would score"), lambda each: figure(each.then), css="num"),
        Column(charts.SCORE, lambda each: figure(each.now), css="num"),
        Column(Text(zh="相差", en="Difference"), lambda each: signed(each.change), css="num"),
        Column(Text(zh="会是哪一等级", en="Band it would have"), lambda each: chip(sight.shade(each.band))),
    ]
    caption = Text(zh="试算结果，不改变已发布的指数", en="What would be; nothing that was published changes")
    return table(page.items, columns, caption=caption, url=lambda each: sight.area_url(each.path), page=page)


def _places(each: Would) -> Any:
    return moved(float(each.rank - each.would), places=0) if each.rank != each.would else "–"


def _choices(sight: Sight) -> list[tuple[str, str]]:
    """The heads and indicators with what they count now."""
    frame = sight.framework
    return [
        (node.key, f"{INDENT * (node.depth - 1)}{say(node.title)} · {frame.nominal[place]:.1%}")
        for place, node in enumerate(frame.nodes)
        if node.parent >= 0 and frame.nominal[place] > 0
    ]


def _kept(request: Asked) -> list[tuple[str, str]]:
    return [(key, request.GET[key]) for key in ("area", "peer", "edition") if request.GET.get(key)]
