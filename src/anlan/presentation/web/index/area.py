"""One area of an index: its scores, why they moved, what to mend first, and how sure all of it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from anlan.index.counting.indicator import Indicator
from anlan.index.editions import loaded, scorecard
from anlan.index.editions.loaded import Line, Rank, Value
from anlan.index.scoring.panel import WORDS, Status
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name, say, t
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import asked, charts, first, home, why
from anlan.presentation.web.index.asked import ACTION, Group, Named, Sight
from anlan.presentation.web.index.charts import signed
from anlan.presentation.web.index.places import said_place
from anlan.presentation.web.index.tree import shortboard, strips, tree, worst, worst_title
from anlan.presentation.web.lists import Column, Table, table
from anlan.presentation.web.statistics import linked

WIDEST: Final = 10


@needs(ACTION)
def area(request: Asked, index: str, period: str, code: str) -> HttpResponse:
    """The page of one area in one edition."""
    sight = asked.find(request, index, period)
    here = sight.area(code)
    path = here.path
    if path not in sight.scores.place:
        raise NotFound
    if request.GET.get("part") == "first":
        return _first(request, sight, here)
    old = asked.before(sight)
    then = asked.sight_on(sight, old) if old else None
    lost = worst(sight, path)
    said = {
        "title": name(here), "sight": sight, "spot": here, "worst": lost, "worst_title": worst_title(lost),
        "summary": home.summary(sight, here, loaded.ranks(old) if old else None),
        "why": why.chart(then, path, sight, path) if then and path in then.scores.place else None,
        "why_not": _why_not(then, sight, path), "lines": _lines(sight, path), "sure": sure(sight, here),
        "intervals": _intervals(sight, path), "next": to_next(sight, path),
        "radar": charts.radar(sight, path, home.middle(sight, here)),
        "trend": charts.trend(sight, path, home.course(sight, here)),
        "strips": strips(sight, path), "strips_title": shortboard(sight, path), "tree": tree(sight, path),
        "shades": list(sight.shades.values())[::-1], "links": _links(sight, here), "state": home.state(sight),
        "crumbs": sight.crumbs((name(here), "")), "first_url": sight.url("index_area", here.code, part="first"),
    }  # fmt: skip
    return render(request, "index/area.html", said)


def _first(request: Asked, sight: Sight, here: Named) -> HttpResponse:
    """What to fix first, by itself: to work it out takes a second, so the page comes without it and asks for a few."""
    part = bool(request.headers.get("HX-Request"))
    found = first.shown(request, sight, here.path, most=first.FEW if part else first.MOST)
    said = found | {
        "sight": sight, "spot": here, "first_url": sight.url("index_area", here.code, part="first"),
        "crumbs": sight.crumbs((name(here), sight.area_url(here.path)), (first.TITLE, "")),
    }  # fmt: skip
    return render(request, "index/first.html" if part else "index/first_page.html", said)


def _why_not(then: Sight | None, sight: Sight, path: str) -> Text | None:
    """Why there is no picture of what changed."""
    if then is None:
        return Text(
            zh="上一期没有发布，还没有可比的。下一期发布后，这里会说清每一分的来由。",
            en="The period before was not published, so there is nothing to compare with yet. Once the next one is, "
            "every point of the change is explained here.",
        )
    if path not in then.scores.place or math.isnan(why.final(then, path)):
        return Text(zh="上一期没有给它打分。", en="It had no score in the period before.")
    if not why.comparable(then, sight):
        return Text(
            zh="两期的指标不是同一套，不能逐项比较。",
            en="The two periods are of different sets of indicators, so the parts cannot be told apart.",
        )
    return None


def _lines(sight: Sight, path: str) -> list[tuple[Text, str, Line]]:
    found = sorted(why.lines(sight, path), key=lambda each: each.points)
    return [(scorecard.rule_title(sight.edition, each.rule), signed(each.points), each) for each in found]


def sure(sight: Sight, here: Named) -> list[Text]:
    """What must be said of how sure the score and the place are."""
    rank, group = sight.ranks.of(here.path), sight.group_of(here.path)
    found = []
    if rank and group and len(group.ranks) > 1:
        found += list(_of_place(sight, rank, group))
    values = loaded.values(sight.edition).of_area(here.path)
    for status in (Status.MISSING, Status.TOO_SMALL, Status.SHRUNK, Status.SET, Status.IMPUTED):
        keys = [key for key, value in values.items() if value.status is status]
        if keys:
            found.append(
                Text(zh=f"{len(keys)} 个指标{WORDS[status].zh}", en=f"{len(keys)} indicators: {WORDS[status].en}")
            )
    return found


def _of_place(sight: Sight, rank: Rank, group: Group) -> list[Text]:
    place = said_place(rank, len(group.ranks))
    found = [place] if place else []
    low, high = rank.low or 0, rank.high or 0
    ties = [each for each in group.ranks if each is not rank and low <= (each.rank or 0) <= high]
    if ties:
        few = [sight.named(each.area_path) for each in ties[:6]]
        zh, en = "、".join(each.name_zh for each in few), ", ".join(each.name_en or each.name_zh for each in few)
        more = len(ties) - len(few)
        found.append(
            Text(
                zh=f"与{zh}{f'等 {len(ties)} 个' if more else ''}在统计上不分高下",
                en=f"Cannot be told apart from {en}{f' and {more} more' if more else ''}",
            )
        )
    return found


def to_next(sight: Sight, path: str) -> Text | None:
    """How many points lack to the next better place among the peers."""
    group, mine = sight.group_of(path), sight.ranks.of(path)
    if group is None or mine is None or mine.rounded is None or mine.rank is None:
        return None
    better = [each for each in group.ranks if each.rounded is not None and (each.rank or 0) < mine.rank]
    if not better:
        return Text(zh="已在第一名", en="Already in first place") if len(group.ranks) > 1 else None
    following = max(better, key=lambda each: each.rank or 0)
    lacking = abs((following.rounded or 0.0) - mine.rounded)
    there = sight.named(following.area_path)
    return Text(
        zh=f"离前一名（第 {following.rank} 名 {there.name_zh}）差 {lacking:.2f} 分",
        en=f"{lacking:.2f} points to the next place ({following.rank}: {there.name_en or there.name_zh})",
    )


@dataclass(frozen=True, slots=True)
class Estimated:
    """An indicator's value with its 90 % interval, or with why it is not as sure as others."""

    indicator: Indicator
    value: Value
    weight: float
    url: str


def _intervals(sight: Sight, path: str) -> Table | None:
    """The indicators that are least sure, by what they weigh: an interval, a gap, or a small base."""
    row, values = sight.scores.place[path], loaded.values(sight.edition).of_area(path)
    found = []
    for key, value in values.items():
        known = sight.indicators.get(key)
        doubtful = value.status is not Status.PRESENT or value.low is not None
        if known and doubtful and known.weight:
            weight = float(sight.framework.nominal[sight.framework.place(key)])
            found.append(Estimated(known, value, weight, sight.indicator_url(key, path)))
    if not found or row is None:
        return None
    found.sort(key=lambda each: (-each.weight, each.indicator.key))
    columns = [
        Column(charts.HEAD, lambda each: linked(each.url, say(each.indicator.title))),
        Column(Text(zh="数值", en="Value"), _valued, css="num"),
        Column(Text(zh="90% 区间", en="90 % interval"), _between, css="num"),
        Column(Text(zh="说明", en="Standing"), lambda each: WORDS[each.value.status]),
        Column(Text(zh="权重", en="Weight"), lambda each: f"{each.weight:.1%}", css="num"),
    ]
    caption = Text(
        zh=f"最要紧的 {min(WIDEST, len(found))} 个不确定的指标", en=f"The {min(WIDEST, len(found))} weightiest doubts"
    )
    return table(found[:WIDEST], columns, caption=caption)


def _valued(each: Estimated) -> str:
    return "–" if each.value.value is None else f"{each.value.value:.4g} {say(each.indicator.unit)}"


def _between(each: Estimated) -> str:
    low, high = each.value.low, each.value.high
    return "–" if low is None or high is None else t("{a} 至 {b}", "{a} to {b}", a=f"{low:.4g}", b=f"{high:.4g}")


def _links(sight: Sight, here: Named) -> list[tuple[Any, str]]:
    compare = f"{reverse('index_compare', args=[sight.index])}?a={here.code}@{sight.period.name}"
    return [
        (Text(zh="与别处比较", en="Compare"), compare),
        (Text(zh="换权重试算", en="What if"), sight.url("index_scenario", area=here.code)),
        (Text(zh="成绩单", en="Scorecard"), sight.url("index_card", here.code)),
        (Text(zh="数据可信吗", en="Can it be trusted"), sight.url("index_integrity", area=here.code)),
    ]
