"""The home of an index: who stands where and how surely, on a table and a map; where the points are lost; the trend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString

from anlan.index.editions import loaded
from anlan.index.editions.edition import STATES
from anlan.index.editions.loaded import Rank, Ranks
from anlan.kernel.text import Text
from anlan.places import register
from anlan.places.areas import at_day
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name, say, speaking
from anlan.presentation.web import mapping
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import asked, charts, trust
from anlan.presentation.web.index.asked import ACTION, TITLE, Group, Named, Shade, Sight
from anlan.presentation.web.index.charts import figure, signed
from anlan.presentation.web.index.places import finding, moved, places, said_place
from anlan.presentation.web.index.tree import shortboard, strips, tree, worst, worst_title
from anlan.presentation.web.lists import Empty

MOST_DRAWN: Final = 400
WORST: Final = 8
NOTHING: Final = Empty(
    Text(zh="还没有发布过的指数", en="No index has been published yet"),
    Text(
        zh="指数由封存的事实算出。先执行 anlan facts export 导出事实，再执行 anlan index publish 起草，"
        "签发后这里会有排名、地图、走势和每一分的来由。",
        en="An index is counted from sealed facts. Export them with anlan facts export, draft an edition with anlan "
        "index publish, and sign it off; then there are places, a map, a trend and the reason for every point here.",
    ),
)


@needs(ACTION)
def index(request: Asked) -> HttpResponse:
    """The last published edition; of the index asked for, else of the one published last."""
    keys = asked.indices()
    wanted = [key for key in keys if key == request.GET.get("index")] or keys
    latest = [asked.sight(request, found[-1]) for key in wanted if (found := asked.published(key))]
    if not latest:
        return render(request, "index/empty.html", {"title": TITLE, "empty": NOTHING})
    mine = [each for each in latest if any(map(each.sees, each.scores.paths))] or latest
    return _page(request, max(mine, key=lambda each: (each.period.last, each.edition.manifest.made_at)))


@needs(ACTION)
def index_edition(request: Asked, index: str, period: str) -> HttpResponse:
    """One edition."""
    return _page(request, asked.find(request, index, period))


def _page(request: Asked, sight: Sight) -> HttpResponse:
    scope = sight.scope(request)
    if scope is None:
        return render(request, "index/empty.html", {"title": TITLE, "empty": _unseen(sight)})
    group = chosen_group(sight, scope, request.GET.get("peer", ""))
    old = asked.before(sight)
    was = loaded.ranks(old) if old else None
    heads = worst(sight, scope.path)
    said = {
        "title": sight.title, "sight": sight, "spot": scope, "mine": sight.ranks.of(scope.path), "group": group,
        "summary": summary(sight, scope, was), "periods": _periods(request, sight), "others": _others(sight),
        "table": places(request, sight, group, was) if group else None, "map": _map(request, sight, group),
        "finding": finding(sight, group) if group else None, "worst": heads, "worst_title": worst_title(heads),
        "trend": charts.trend(sight, scope.path, course(sight, scope)),
        "radar": charts.radar(sight, scope.path, middle(sight, scope)), "strips": strips(sight, scope.path),
        "strips_title": shortboard(sight, scope.path), "tree": tree(sight, scope.path),
        "shades": list(sight.shades.values())[::-1], "links": _links(sight, scope), "state": state(sight),
        "trust": trust.tabs(sight, ""),
    }  # fmt: skip
    return render(request, "index/home.html", said)


def _unseen(sight: Sight) -> Empty:
    return Empty(
        Text(zh=f"{sight.title.zh}里没有您的辖区", en=f"{sight.title.en} says nothing of your area"),
        Text(zh="这一期没有给您所在辖区打分。", en="This edition has no score for any area of yours."),
    )


def chosen_group(sight: Sight, scope: Named, key: str) -> Group | None:
    """The peers to show: those asked for, else the areas right below the scope, else those it is ranked among."""
    named = [group for group in sight.groups if group.key == key]
    depth = scope.path.count("/")
    below = [
        group for group in sight.groups
        if any(p.startswith(scope.path) and p.count("/") == depth + 1 for p in group.by_path)
    ]  # fmt: skip
    own = [group for group in sight.groups if scope.path in group.by_path]
    return next(iter([*named, *below, *own, *sight.groups]), None)


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands on top: the score of the scope, its band, its change, its place and how sure that is."""

    score: str
    shade: Shade | None
    change: str
    fell: bool
    place: Text | None
    url: str
    moved: SafeString | str


def summary(sight: Sight, scope: Named, was: Ranks | None) -> Summary:
    mine, before = sight.ranks.of(scope.path), was.of(scope.path) if was else None
    score = mine.score if mine else _whole(sight, scope.path)
    shade = sight.shade(mine.band) if mine else sight.shade_at(score)
    change = score - before.score if score is not None and before and before.score is not None else None
    group = sight.group_of(scope.path)
    place = said_place(mine, len(group.ranks)) if mine and group and len(group.ranks) > 1 else None
    words = signed(change) if change is not None else ""
    return Summary(
        figure(score),
        shade,
        words,
        bool(change and change < 0),
        place,
        sight.area_url(scope.path),
        moved(change) if change is not None else "",
    )


def _whole(sight: Sight, path: str) -> float | None:
    row = sight.scores.place.get(path)
    score = float(sight.scores.score[row, 0]) if row is not None else math.nan
    return None if math.isnan(score) else score


def course(sight: Sight, scope: Named) -> list[charts.Turn]:
    until = [each for each in asked.published(sight.index) if each.period.last <= sight.period.last]
    if sight.edition.manifest.state != "published":
        until = [each for each in until if each.manifest.period != sight.edition.manifest.period] + [sight.edition]
    return charts.course(sight, scope.path, until)


def middle(sight: Sight, scope: Named) -> tuple[Text, Any] | None:
    """What an area is compared with on its radar: the middle of its peers, else itself in the period before."""
    heads = list(sight.framework.nodes[0].children)
    group = sight.group_of(scope.path)
    rows = [sight.scores.place[path] for path in (group.by_path if group else ()) if path in sight.scores.place]
    if len(rows) > 2:
        return Text(zh="同类中位", en="Peers' median"), np.nanmedian(sight.scores.score[rows][:, heads], axis=0)
    old = asked.before(sight)
    then = loaded.scores(old) if old else None
    if then is None or scope.path not in then.place or then.framework.keys != sight.framework.keys:
        return None
    return Text(zh="上期", en="Period before"), then.score[then.place[scope.path], heads]


def _map(request: Asked, sight: Sight, group: Group | None) -> mapping.Map | None:
    """The areas of a group on a map, shaded by their bands."""
    if group is None or not 1 < len(group.ranks) <= MOST_DRAWN:
        return None
    day, key = sight.period.last, (group.key, sight.tops)
    shapes = register.current().kept(
        ("index map", sight.index, day, key), lambda: _boundaries(day, list(group.by_path))
    )
    drawn = [
        mapping.Shape(
            sight.named(path).name_en if speaking() == "en" else sight.named(path).name_zh, boundary,
            sight.area_url(path), _css(sight, group.by_path[path]), _titled(sight, group.by_path[path]), path,
        )
        for path, boundary in shapes.items()
        if path in group.by_path
    ]  # fmt: skip
    return mapping.draw(drawn) if drawn else None


def _boundaries(day: Any, paths: list[str]) -> dict[str, Any]:
    rows = at_day(day).filter(path__in=paths).exclude(boundary=None).values_list("path", "boundary")
    return dict(rows)


def _css(sight: Sight, rank: Rank) -> str:
    shade = sight.shade(rank.band)
    return shade.css if shade else ""


def _titled(sight: Sight, rank: Rank) -> str:
    shade = sight.shade(rank.band)
    words = f" · {say(shade.title)}" if shade else ""
    return f"{name(sight.named(rank.area_path))} · {figure(rank.score)}{words}"


def _periods(request: Asked, sight: Sight) -> list[tuple[str, str, bool]]:
    """The published periods: address, words, and whether it is the one shown; the newest first."""
    area = {"area": request.GET["area"]} if request.GET.get("area") else {}
    found = [asked.sight_on(sight, each) for each in asked.published(sight.index)]
    return [(each.url("index_edition", **area), say(each.period.words), each.period == sight.period)
            for each in reversed(found)]  # fmt: skip


def _others(sight: Sight) -> list[tuple[str, Text]]:
    """The other indices that were published."""
    return [
        (f"{reverse('index')}?index={key}", published[-1].manifest.title)
        for key in asked.indices()
        if key != sight.index and (published := asked.published(key))
    ]


def _links(sight: Sight, scope: Named) -> list[tuple[Text, str]]:
    """The pages beside this one."""
    return [
        (
            Text(zh="比较", en="Compare"),
            f"{reverse('index_compare', args=[sight.index])}?a={scope.code}@{sight.period.name}",
        ),
        (Text(zh="换权重试算", en="What if"), sight.url("index_scenario", area=scope.code)),
        (Text(zh="成绩单", en="Scorecard"), sight.url("index_card", scope.code)),
    ]


def state(sight: Sight) -> Text | None:
    """What must be said of an edition that is not simply the one that stands."""
    manifest = sight.edition.manifest
    if manifest.state == "published" and not sight.said:
        return None
    words = STATES[manifest.state]
    later = Text(zh="同一期有更新的版本。", en=" The period has a later one.") if sight.said else Text(zh="", en="")
    why = manifest.withdrawn.why if manifest.withdrawn else ""
    because = Text(zh=f"撤回的原因：{why}", en=f" Why it was withdrawn: {why}") if why else Text(zh="", en="")
    return Text(
        zh=f"这是第 {manifest.number} 版（{words.zh}）。{later.zh}{because.zh}",
        en=f"This is edition {manifest.number} ({words.en}).{later.en}{because.en}",
    )
