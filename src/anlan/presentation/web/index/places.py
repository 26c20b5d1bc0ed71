"""Places among peers: the table with its intervals, and what it shows in one sentence, no more than is sure."""

from __future__ import annotations

from typing import Final

import numpy as np
from django.utils.html import format_html
from django.utils.safestring import SafeString

from anlan.index.editions.loaded import Rank, Ranks
from anlan.kernel.text import Text
from anlan.presentation.saying import name, say, t
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import charts, pictures
from anlan.presentation.web.index.asked import Group, Shade, Sight
from anlan.presentation.web.index.charts import figure, signed
from anlan.presentation.web.lists import Column, Page, Table, table

SIZE: Final = 50


def said_place(rank: Rank, many: int) -> Text | None:
    """The place in words with its interval: nobody is called last whose interval says otherwise."""
    if rank.rank is None:
        return None
    low, high = rank.low or rank.rank, rank.high or rank.rank
    if low == high:
        return Text(zh=f"第 {rank.rank} 名，共 {many} 个", en=f"Place {rank.rank} of {many}")
    return Text(
        zh=f"第 {rank.rank} 名，共 {many} 个；与第 {low}–{high} 名无显著差异",
        en=f"Place {rank.rank} of {many}; cannot be told from places {low}–{high}",
    )


def finding(sight: Sight, group: Group) -> Text:
    """What the table of places shows, in one sentence; the last is named only where that is sure."""
    placed = [each for each in group.ranks if each.rank is not None]
    if not placed:
        return Text(zh="还没有得分", en="No scores yet")
    first, last, many = placed[0], placed[-1], len(placed)
    best = name(sight.named(first.area_path))
    apart = len([each for each in placed if (each.low or 0) == (each.high or 0)])
    red = [each for each in placed if (shade := sight.shade(each.band)) and shade.css == "band-red"]
    zh, en = f"{best}居首（{figure(first.score)}）", f"{best} leads ({figure(first.score)})"
    if many > 1 and (last.low or 0) >= many:
        worst_ = name(sight.named(last.area_path))
        zh, en = f"{zh}，{worst_}居末（{figure(last.score)}）", f"{en}, {worst_} is last ({figure(last.score)})"
    elif many > 1:
        zh, en = f"{zh}，末位分不出先后", f"{en}; who is last cannot be told"
    if red:
        shade = sight.shade(red[0].band)
        words = shade.title if shade else Text(zh="红", en="red")
        zh, en = f"{zh}；{len(red)} 个处于“{words.zh}”", f"{en}; {len(red)} in “{words.en}”"
    elif not apart and many > 2:
        zh, en = f"{zh}；多数名次相互重叠", f"{en}; most places overlap"
    return Text(zh=zh, en=en)


def places(request: Asked, sight: Sight, group: Group, was: Ranks | None) -> Table:
    rows = [each for each in group.ranks if _inside(request, sight, each)]
    start = _start(request, len(rows))
    page = Page(
        rows[start : start + SIZE], str(max(0, start - SIZE)) if start else "",
        str(start + SIZE) if start + SIZE < len(rows) else "",
    )  # fmt: skip
    many = len(group.ranks)
    columns = [
        Column(
            Text(zh="辖区", en="Area"), lambda each: name(sight.named(each.area_path)), sub=lambda e: _mine(sight, e)
        ),
        Column(charts.RANK, lambda each: each.rank or "–", sub=_interval, css="num"),
        Column(
            Text(zh="90% 区间", en="90 % interval"),
            lambda each: bar(each.rank, each.low, each.high, many),
            css="bar-cell",
        ),
        Column(charts.SCORE, lambda each: figure(each.score), css="num"),
        Column(Text(zh="等级", en="Band"), lambda each: chip(sight.shade(each.band))),
        *([Column(charts.CHANGE, lambda each: _moved(each, was), css="num")] if was else []),
        Column(Text(zh="失分最多", en="Loses most in"), lambda each: _most_lost(sight, each.area_path)),
    ]
    caption = Text(zh=f"{group.title.zh}，共 {many} 个", en=f"{group.title.en}: {many}")
    return table(page.items, columns, caption=caption, url=lambda each: sight.area_url(each.area_path), page=page)


def _inside(request: Asked, sight: Sight, rank: Rank) -> bool:
    """With `?only=mine`, what lies within one's own."""
    return request.GET.get("only") != "mine" or sight.holds(rank.area_path)


def _start(request: Asked, many: int) -> int:
    given = request.GET.get("after") or request.GET.get("before") or "0"
    start = int(given) if given.isdecimal() and len(given) < 9 else 0
    return start if start < many else 0


def _mine(sight: Sight, rank: Rank) -> Text | None:
    above = sight.names.get("/".join(rank.area_path.split("/")[:-2]) + "/")
    return Text(zh=above.name_zh, en=above.name_en or above.name_zh) if above else None


def _interval(rank: Rank) -> Text | None:
    if rank.low is None or rank.high is None or rank.low == rank.high:
        return None
    return Text(zh=f"{rank.low}–{rank.high} 名", en=f"{rank.low}–{rank.high}")


def _bar(rank: Rank, many: int) -> SafeString | str:
    return bar(rank.rank, rank.low, rank.high, many)


def bar(place: int | None, low: int | None, high: int | None, many: int) -> SafeString | str:
    """The interval of places on a line from the first to the last."""
    if place is None or low is None or high is None:
        return "–"
    drawn = pictures.bar(place, low, high, many)
    words = t("第 {low} 至 {high} 名之间", "between places {low} and {high}", low=low, high=high)
    return format_html(
        '<svg class="rank-bar" viewBox="0 0 100 16" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<line class="whole" x1="0" x2="100" y1="8" y2="8"/><rect class="range" x="{}" y="5" width="{}" height="6"/>'
        '<line class="at" x1="{}" x2="{}" y1="1" y2="15"/></svg>',
        words, drawn.left, drawn.width, drawn.mark, drawn.mark,
    )  # fmt: skip


def chip(shade: Shade | None) -> SafeString | str:
    """A band as a colour with its word."""
    if shade is None:
        return "–"
    return format_html('<span class="band {}">{}</span>', shade.css, say(shade.title))


def _moved(rank: Rank, was: Ranks | None) -> SafeString | str:
    before = was.of(rank.area_path, rank.peer) if was else None
    if before is None or before.score is None or rank.score is None:
        return "–"
    return moved(rank.score - before.score)


def moved(change: float, *, places: int = 2) -> SafeString:
    """A change with its sign and an arrow, so that colour says nothing alone."""
    rounded = round(change, places)
    css, arrow = ("up", "▲") if rounded > 0 else ("down", "▼") if rounded < 0 else ("same", "＝")
    return format_html(
        '<span class="moved {}"><span aria-hidden="true">{}</span> {}</span>', css, arrow, signed(change, places)
    )


def _most_lost(sight: Sight, path: str) -> SafeString | str:
    row = sight.scores.place.get(path)
    if row is None:
        return "–"
    leaves = list(sight.framework.leaf_nodes)
    lost = np.nan_to_num(sight.scores.lost[row, leaves])
    at = int(lost.argmax())
    if lost[at] < 0.005:
        return t("没有失分", "Nothing")
    node = sight.framework.nodes[leaves[at]]
    url = sight.indicator_url(node.key, path)
    return format_html('<a href="{}">{} −{}</a>', url, say(node.title), f"{lost[at]:.2f}")
