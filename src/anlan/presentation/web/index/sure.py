"""How sure an edition is: the same index done again with other weights, ends and means, and what places do."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.safestring import SafeString

from anlan.index.editions import rebuilt
from anlan.index.editions.loaded import Kept
from anlan.index.scoring import sure
from anlan.index.scoring.panel import Floats
from anlan.index.scoring.scenarios import Scenarios, Workshop
from anlan.index.scoring.spec import Aggregation
from anlan.index.scoring.sure import Matter, Shift, Sureness
from anlan.kernel.text import Refusal, Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import name, say
from anlan.presentation.web import case_export
from anlan.presentation.web.case_export import Out
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import places as index_places
from anlan.presentation.web.index.asked import ACTION, Sight, find
from anlan.presentation.web.index.trust import PAGES, chosen, labels, peers, scored_units, tabs
from anlan.presentation.web.lists import Column, Empty, Table, table
from anlan.presentation.web.statistics import Chart, linked

TITLE: Final = PAGES["index_sure"]
AREA: Final = Text(zh="辖区", en="Area")
PLACE: Final = Text(zh="名次（扣分前）", en="Place (before points off)")
BUDGET: Final = 300_000
FEWEST, MOST = 100, 1000
MOST_UNITS: Final = 3000
ROWS: Final = 64
MEANS: Final = (Aggregation(), Aggregation(method="ampi"))
FACTORS: Final[dict[str, Text]] = {
    "weights": Text(zh="权重 ±25%", en="weights ±25%"),
    "ends": Text(zh="计分标准 ±10%", en="scoring marks ±10%"),
    "aggregation": Text(zh="对偏科是否加罚", en="a penalty if uneven"),
}
TOO_MANY: Final = Empty(
    Text(zh="这一组太多，不在页面上算", en="Too many to work out on a page"),
    Text(zh="页面上最多对 3000 个辖区反复试算。请换到上一级的同类组。",
         en="A page works it out for at most 3,000 areas. Choose the peers of a higher level."),
)  # fmt: skip
TOO_FEW: Final = Empty(
    Text(zh="至少要有三个辖区才谈得上名次", en="There are no places to speak of with fewer than three areas"),
    Text(
        zh="这一组里有得分的辖区不到三个。请换一个同类组。",
        en="Fewer than three areas have a score; choose other peers.",
    ),
)


@dataclass(frozen=True, slots=True)
class Unrest:
    """What doing it again gave: places in the draws, which choice moves them, and which indicators carry them."""

    found: Sureness
    replications: int
    matters: tuple[Matter, ...]
    without: tuple[Shift, ...]


_kept: Final = Kept(24)


@needs(ACTION)
def index_sure(request: Asked, index: str, period: str) -> HttpResponseBase:
    """Places with their intervals over many ways to work the index out, for one group of peers."""
    sight = find(request, index, period)
    group = chosen(sight, request.GET.get("peer", ""))
    said: dict[str, Any] = {
        "title": TITLE, "sight": sight, "group": group, "peers": peers(sight, "index_sure"),
        "trust": tabs(sight, "index_sure"), "crumbs": sight.crumbs((TITLE, "")),
        "factors": list(FACTORS.values()),
    }  # fmt: skip
    units = scored_units(group)
    empty = TOO_FEW if len(units) < 3 else TOO_MANY if len(units) > MOST_UNITS else None
    if empty:
        return render(request, "index/sure.html", said | {"empty": empty})
    try:
        unrest = worked(sight, units)
    except Refusal as refusal:
        return render(request, "index/sure.html", said | {"problem": refusal.text})
    if request.GET.get("file") == "xlsx":
        return _excel(sight, unrest)
    places = _places(sight, unrest)
    said |= {
        "unrest": unrest, "finding": finding(unrest), "table": places, "matters": _matters(unrest),
        "without": _without(sight, unrest), "export_url": sight.url("index_sure", peer=group.key, file="xlsx"),
    }  # fmt: skip
    return render(request, "index/sure.html", said)


def worked(sight: Sight, units: Sequence[str]) -> Unrest:
    """The index done again, the same way each time it is asked for. Raises what scenarios refuse."""
    key: Hashable = (str(sight.edition.folder), sight.edition.manifest.result_sha256, tuple(units))
    return _kept(key, lambda: _worked(sight, units))


def _worked(sight: Sight, units: Sequence[str]) -> Unrest:
    replications = max(FEWEST, min(MOST, BUDGET // len(units)))
    panel = rebuilt.panel_of(sight.edition, units)
    frame, period = sight.framework, sight.edition.manifest.period
    shop = Workshop(frame, panel, period, labels=labels(sight, units))
    told = Scenarios(
        replications=replications, seed=sight.edition.manifest.seed % 2**31, weights=0.25, ends=0.1, aggregation=MEANS
    )
    rule = frame.spec.ranking
    found = sure.sureness(tuple(units), shop.nominal(), sure.drawn(shop, told), rule=rule)
    rows = ROWS if len(units) <= MOST else ROWS // 4
    without = sorted(sure.left_out(shop), key=lambda each: -each.mean_shift)
    return Unrest(found, replications, tuple(sure.matters(shop, told, rows=rows)), tuple(without))


def finding(unrest: Unrest) -> Text:
    """What the draws say in one sentence: how far places hold."""
    found = unrest.found
    many = len(found.units)
    firm = int(np.count_nonzero(found.low == found.high))
    wide = max(2, round(many / 10))
    share = found.wider(wide)
    outside = int(np.count_nonzero(found.outside))
    zh = f"{many} 个地方中，{firm} 个怎么算名次都不变；{share:.0%} 的名次上下浮动超过 {wide} 位"
    en = f"Of {many} areas {firm} keep their place whatever is drawn; {share:.0%} move by more than {wide} places"
    if outside:
        zh += f"；{outside} 个公布的名次落在九成区间之外"
        en += f"; {outside} were published outside of their interval"
    return Text(zh=zh, en=en)


def _places(sight: Sight, unrest: Unrest) -> Table:
    found, many = unrest.found, len(unrest.found.units)
    rows = sorted(range(many), key=lambda at: (float(found.nominal[at]), found.units[at]))
    columns = (
        Column(AREA, lambda at: name(sight.named(found.units[at]))),
        Column(PLACE, lambda at: _whole(found.nominal[at]), css="num"),
        Column(Text(zh="九成区间", en="90% interval"), lambda at: _bar(found, at, many), css="bar-cell"),
        Column(Text(zh="从…到…", en="From … to …"), lambda at: _range(found, at), css="num"),
        Column(Text(zh="中位名次", en="Median place"), lambda at: _whole(found.median[at]), css="num"),
    )  # fmt: skip
    caption = Text(
        zh=f"{unrest.replications:,} 次试算中的名次", en=f"Places in {unrest.replications:,} ways to work it out"
    )
    return table(rows, columns, caption=caption, url=lambda at: sight.area_url(found.units[at]))


def _range(found: Sureness, at: int) -> str:
    return f"{_whole(found.low[at])}~{_whole(found.high[at])}"


def _whole(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.0f}"


def _bar(found: Sureness, at: int, many: int) -> SafeString | str:
    low, high, place = found.low[at], found.high[at], found.nominal[at]
    if np.isnan(low):
        return "–"
    return index_places.bar(int(place), int(low), int(high), many)


def _matters(unrest: Unrest) -> Chart:
    """Which choice moves places most (Sobol's total indices), with their intervals."""
    rows = sorted(unrest.matters, key=lambda each: -each.total)
    said = {
        "kind": "ranked", "unit": "%", "labels": [say(FACTORS[each.factor]) for each in rows],
        "series": [{
            "name": say(Text(zh="总影响", en="Total")), "values": [_percent(each.total) for each in rows],
            "low": [_percent(max(0.0, each.total - each.total_reach)) for each in rows],
            "high": [_percent(min(1.0, each.total + each.total_reach)) for each in rows],
        }],
        "max": 100,
    }  # fmt: skip
    columns = (
        Column(Text(zh="选择", en="Choice"), lambda each: FACTORS[each.factor]),
        Column(Text(zh="单独的影响", en="By itself"), lambda each: _reach(each.first, each.first_reach), css="num"),
        Column(Text(zh="连同别的", en="With all others"), lambda each: _reach(each.total, each.total_reach), css="num"),
    )
    first = FACTORS[rows[0].factor]
    title = Text(
        zh=f"名次变动主要来自：{first.zh}（{_percent(rows[0].total):g}%）",
        en=f"Places move most with: {first.en} ({_percent(rows[0].total):g}%)",
    )
    if not rows[0].total:
        title = Text(zh="这些选择都不改变名次", en="None of these choices moves a place")
    note = Text(
        zh="Sobol 指数：平均名次变动里，每种选择占多少；细线是 95% 区间。",
        en="Sobol's indices: how much of the mean shift each choice makes; the thin line is its 95% interval.",
    )
    return Chart("sobol", title, said, table(rows, columns, caption=title, quiet_caption=True), note)


def _percent(value: float) -> float:
    return round(value * 100, 1)


def _reach(value: float, reach: float) -> str:
    return f"{value * 100:.1f}% ± {reach * 100:.1f}"


def _without(sight: Sight, unrest: Unrest) -> Table:
    """How far places move when an indicator is left out, the most first."""
    titles = {leaf.key: leaf.title for leaf in sight.framework.leaves}
    columns = (
        Column(Text(zh="去掉这个指标", en="Without this indicator"), lambda each: linked(
            sight.url("index_indicator", each.key), say(titles[each.key]))),
        Column(Text(zh="平均变动几位", en="Places moved"), lambda each: f"{each.mean_shift:.2f}", css="num"),
    )  # fmt: skip
    caption = Text(zh="影响最大的十个指标", en="The ten indicators that matter most")
    return table(unrest.without[:10], columns, caption=caption)


def _excel(sight: Sight, unrest: Unrest) -> HttpResponseBase:
    found = unrest.found
    numbers = (
        (PLACE, found.nominal), (Text(zh="从", en="From"), found.low), (Text(zh="到", en="To"), found.high),
        (Text(zh="中位名次", en="Median"), found.median), (Text(zh="平均名次", en="Mean"), found.mean),
    )  # fmt: skip
    outs = [
        Out(AREA, lambda at: name(sight.named(found.units[at])), 24),
        *(Out(title, partial(_at, values)) for title, values in numbers),
    ]
    return case_export.excel(f"{sight.index}-{sight.period.name}-sure.xlsx", outs, range(len(found.units)))


def _at(values: Floats, at: int) -> float:
    return float(values[at])
