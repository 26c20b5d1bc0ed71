"""The audit of an edition as a reviewer of composite indices would make it: what is marked, and every figure behind."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from anlan.index.editions import rebuilt
from anlan.index.editions.loaded import Kept
from anlan.index.scoring import audit
from anlan.index.scoring.audit import SAID, Checked
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import say
from anlan.presentation.web import case_export
from anlan.presentation.web.case_export import Out
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index.asked import ACTION, Sight, find
from anlan.presentation.web.index.trust import PAGES, chosen, labels, peers, scored_units, tabs
from anlan.presentation.web.lists import Column, Empty, Table, table
from anlan.presentation.web.statistics import Chart, linked

TITLE: Final = PAGES["index_audit"]
NAME: Final = Text(zh="指标", en="Indicator")
DECLARED: Final = Text(zh="声明的权重", en="Declared")
EFFECT: Final = Text(zh="实际权重", en="In effect")
FEWEST: Final = 4
TOO_FEW: Final = Empty(
    Text(zh="至少要有四个辖区才审得出什么", en="Fewer than four areas tell a reviewer nothing"),
    Text(zh="相关和离群要在多个辖区之间看。请换一个同类组。",
         en="Correlations and outliers are seen among many areas; choose other peers."),
)  # fmt: skip
SOUND: Final = Empty(
    Text(zh="没有一项被标出", en="Nothing is marked"),
    Text(zh="覆盖、相关、权重都在通行的限度之内。", en="Coverage, correlations and weights are within limits."),
)
WHAT: Final = (
    Text(
        zh="覆盖：有数的辖区不少于 65%；偏度绝对值大于 2 且峰度大于 3.5 的算离群。",
        en="Coverage: at least 65% of areas have a value; |skew| above 2 with kurtosis above 3.5 is an outlier.",
    ),
    Text(
        zh="归类：指标与自己的类的相关应为正、在 0.3 与 0.92 之间，并强于与别的类的相关。",
        en="Belonging: an indicator should go with its own head, between 0.3 and 0.92, and more than with any other.",
    ),
    Text(
        zh="实际权重：按各下级与上级相关的平方分摊；与声明的权重相差一倍以上的标出。",
        en="Weight in effect: by the squared correlation with the head; marked at half or twice what was declared.",
    ),
    Text(
        zh="一致：克隆巴赫 α 不低于 0.7，说明一类的各下级是一回事。",
        en="Holding together: Cronbach's α of at least 0.7 says that the parts of a head measure one thing.",
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A head or an indicator with what was found of it."""

    found: Checked
    title: Text
    url: str
    depth: int


MOST: Final = 20
"""Of what is marked, as many stand open on the page, those with most against them first."""
_kept: Final = Kept(24)


@needs(ACTION)
def index_audit(request: Asked, index: str, period: str) -> HttpResponseBase:
    """The audit among one group of peers."""
    sight = find(request, index, period)
    group = chosen(sight, request.GET.get("peer", ""))
    units = scored_units(group)
    said: dict[str, Any] = {
        "title": TITLE, "sight": sight, "group": group, "peers": peers(sight, "index_audit"), "what": WHAT,
        "trust": tabs(sight, "index_audit"), "crumbs": sight.crumbs((TITLE, "")),
    }  # fmt: skip
    if len(units) < FEWEST:
        return render(request, "index/audit.html", said | {"empty": TOO_FEW})
    rows = checked(sight, units)
    if request.GET.get("file") == "xlsx":
        return _excel(sight, rows)
    marked = sorted((row for row in rows if row.found.flags), key=lambda row: -len(row.found.flags))
    more = len(marked) - MOST
    said |= {
        "finding": finding(rows), "marked": _marked(marked[:MOST]), "chart": _weights(sight, rows),
        "more": _marked(marked[MOST:]) if more > 0 else None, "every": _every(rows),
        "more_words": Text(zh=f"其余 {more} 项", en=f"{more} more"),
        "export_url": sight.url("index_audit", peer=group.key, file="xlsx"),
    }  # fmt: skip
    return render(request, "index/audit.html", said)


def checked(sight: Sight, units: Sequence[str]) -> list[Row]:
    """Every node below the index, in its order."""
    key: Hashable = (str(sight.edition.folder), sight.edition.manifest.result_sha256, tuple(units))
    period = sight.edition.manifest.period
    found: list[Checked] = _kept(
        key, lambda: audit.audit(rebuilt.scored_of(sight.edition, units, labels=labels(sight, units)), period)
    )
    nodes = {node.key: node for node in sight.framework.nodes}
    return [
        Row(each, nodes[each.key].title, sight.url("index_indicator", each.key) if nodes[each.key].leaf >= 0 else "",
            nodes[each.key].depth)
        for each in found
    ]  # fmt: skip


def finding(rows: Sequence[Row]) -> Text:
    """How much is marked, and with what most often."""
    marked = [row for row in rows if row.found.flags]
    if not marked:
        return SOUND.title
    flags = [flag for row in marked for flag in row.found.flags]
    most = max(dict.fromkeys(flags), key=flags.count)
    words = SAID[most]
    return Text(
        zh=f"{len(rows)} 项中有 {len(marked)} 项被标出，最多的是：{words.zh}（{flags.count(most)} 项）",
        en=f"{len(marked)} of {len(rows)} are marked, most often: {words.en} ({flags.count(most)})",
    )


def _named(row: Row) -> Any:
    return linked(row.url, say(row.title)) if row.url else row.title


def _marked(rows: Sequence[Row]) -> Table:
    columns = (
        Column(NAME, _named, sub=lambda row: row.found.key),
        Column(Text(zh="标出了什么", en="What is marked"), _flags),
    )
    return table(rows, columns, caption=Text(zh="要看一看的", en="To be looked at"), empty=SOUND, quiet_caption=True)


def _flags(row: Row) -> SafeString:
    marks = format_html_join("", '<span class="flag">{}</span>', ((say(SAID[flag]),) for flag in row.found.flags))
    return format_html(
        "<span>{}</span>", marks
    )  # one thing in its cell, so that a phone lays the marks below each other


def _weights(sight: Sight, rows: Sequence[Row]) -> Chart:
    """What the first heads were meant to count for, and what they count for in effect."""
    heads = sorted((row for row in rows if row.depth == 1), key=lambda row: -row.found.nominal)
    said = {
        "kind": "bar", "unit": "%", "labels": [say(row.title) for row in heads],
        "series": [
            {"name": say(DECLARED), "values": [_share(row.found.nominal) for row in heads]},
            {"name": say(EFFECT), "values": [_share(row.found.effective) for row in heads]},
        ],
    }  # fmt: skip
    columns = (
        Column(NAME, _named),
        Column(DECLARED, lambda row: _percent(row.found.nominal), css="num"),
        Column(EFFECT, lambda row: _percent(row.found.effective), css="num"),
    )
    title = _told(heads)
    return Chart("weights", title, said, table(heads, columns, caption=title, quiet_caption=True))


def _told(heads: Sequence[Row]) -> Text:
    known = [row for row in heads if not np.isnan(row.found.effective)]
    if not known:
        return Text(zh="各类得分都一样，看不出实际权重", en="All scores are alike; no weight shows")
    worst = max(known, key=lambda row: abs(row.found.effective - row.found.nominal))
    declared, effect = _percent(worst.found.nominal), _percent(worst.found.effective)
    if abs(worst.found.effective - worst.found.nominal) < 0.05:
        return Text(zh="各类实际起的作用与声明的权重相近", en="Heads count in effect about as much as declared")
    return Text(
        zh=f"{worst.title.zh}声明占 {declared}，实际占 {effect}",
        en=f"{worst.title.en} was declared {declared} and counts for {effect} in effect",
    )


def _share(value: float) -> float | None:
    return None if np.isnan(value) else round(value * 100, 1)


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value * 100:.1f}%"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")


def _every(rows: Sequence[Row]) -> Table:
    columns = (
        Column(NAME, _named, sub=lambda row: row.found.key),
        Column(Text(zh="有数", en="Coverage"), lambda row: _percent(row.found.coverage), css="num"),
        Column(Text(zh="为 0", en="Zeros"), lambda row: _percent(row.found.zeros), css="num"),
        Column(Text(zh="偏度", en="Skew"), lambda row: _number(row.found.skew), css="num"),
        Column(Text(zh="峰度", en="Kurtosis"), lambda row: _number(row.found.kurtosis), css="num"),
        Column(Text(zh="与自己的类", en="With its head"), lambda row: _number(row.found.own), css="num"),
        Column(Text(zh="与别的类", en="With another"), lambda row: _number(row.found.others),
               sub=lambda row: row.found.other, css="num"),
        Column(DECLARED, lambda row: _percent(row.found.nominal), css="num"),
        Column(EFFECT, lambda row: _percent(row.found.effective), css="num"),
        Column(Text(zh="α", en="α"), lambda row: _number(row.found.alpha), css="num"),
    )  # fmt: skip
    return table(rows, columns, caption=Text(zh="逐项的数", en="Every figure"), wide=True)


def _excel(sight: Sight, rows: Sequence[Row]) -> HttpResponseBase:
    numbers = "coverage zeros skew kurtosis own others nominal effective alpha".split()
    outs = [
        Out(Text(zh="编号", en="Key"), lambda row: row.found.key),
        Out(NAME, lambda row: row.title, 30),
        *(Out(Text(zh=key, en=key), partial(_cell, key)) for key in numbers),
        Out(Text(zh="标出", en="Marked"), lambda row: "; ".join(say(SAID[flag]) for flag in row.found.flags), 60),
    ]
    return case_export.excel(f"{sight.index}-{sight.period.name}-audit.xlsx", outs, rows)


def _cell(key: str, row: Row) -> float | None:
    value = float(getattr(row.found, key))
    return None if np.isnan(value) else value
