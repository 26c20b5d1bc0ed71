"""Two areas, or one area in two periods, beside each other: every part of the difference, summing to the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from anlan.index.editions import loaded
from anlan.index.editions.edition import Edition
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name, say
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import asked as index_asked
from anlan.presentation.web.index import charts, home, why
from anlan.presentation.web.index.asked import ACTION, Named, Sight

MOST_CHOICES = 400


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: an area in an edition."""

    sight: Sight
    area: Named
    summary: home.Summary

    @property
    def asked(self) -> str:
        """As the address says it."""
        return f"{self.area.code}@{self.sight.period.name}"

    @property
    def url(self) -> str:
        return self.sight.area_url(self.area.path)


@needs(ACTION)
def compare(request: Asked, index: str) -> HttpResponse:
    """`?a=area@period&b=area@period`; what is left out is the last period and one's own area, or the one before."""
    editions = index_asked.published(index)
    if not editions:
        raise NotFound
    first = _side(request, editions, _asked(request, "a"), editions[-1])
    last = _side(request, editions, _asked(request, "b"), _other(editions, first), first.area.code)
    if not _asked(request, "b") and first.asked == last.asked:
        last = _peer(first) or last
    if not _asked(request, "b") and last.sight.period < first.sight.period:
        # Nobody asked for an order, so time has it.
        first, last = last, first
    same = first.asked == last.asked
    said = {
        "title": Text(zh="比较", en="Compare") if same else titled(first, last), "one": first, "other": last,
        "sight": last.sight, "same": same,
        "sides": (first, last),
        "why": None if same else why.chart(first.sight, first.area.path, last.sight, last.area.path),
        "comparable": why.comparable(first.sight, last.sight), "radar": _radar(first, last),
        "areas": _areas(last.sight), "periods": [(each.manifest.period, each.period.words) for each in editions[::-1]],
        "too_many": len(last.sight.scores.paths) > MOST_CHOICES,
        "crumbs": last.sight.crumbs((Text(zh="比较", en="Compare"), "")),
    }  # fmt: skip
    return render(request, "index/compare.html", said)


def _asked(request: Asked, side: str) -> str:
    """One side as the address says it; the form sends the area and the period each by itself."""
    area, period = request.GET.get(f"{side}_area", ""), request.GET.get(f"{side}_period", "")
    return f"{area}@{period}" if area or period else request.GET.get(side, "")


def _side(request: Asked, editions: list[Edition], asked: str, usual: Edition, area_code: str = "") -> Side:
    """One side of the address. Raises NotFound where it names what is not there."""
    code, _, period = asked.partition("@")
    code = code or area_code
    edition = next((each for each in editions if each.manifest.period == period), None)
    if period and edition is None:
        raise NotFound
    sight = index_asked.sight(request, edition or usual)
    area = sight.area(code) if code else sight.scope(request)
    if area is None:
        raise NotFound
    old = index_asked.before(sight)
    return Side(sight, area, home.summary(sight, area, loaded.ranks(old) if old else None))


def _other(editions: list[Edition], first: Side) -> Edition:
    """The edition before the one already chosen, or after it where it is the first."""
    at = [each.manifest.period for each in editions].index(first.sight.period.name)
    return editions[at - 1] if at else editions[min(1, len(editions) - 1)]


def _peer(first: Side) -> Side | None:
    """Some other area of the same edition, where there is only one period."""
    group = first.sight.group_of(first.area.path)
    others = [each.area_path for each in group.ranks if each.area_path != first.area.path] if group else []
    if not others:
        return None
    area = first.sight.named(others[0])
    return Side(first.sight, area, home.summary(first.sight, area, None))


def _areas(sight: Sight) -> list[tuple[str, str]]:
    """The areas that can be chosen, by level, as the tree stands."""
    paths = [path for path in sight.scores.paths if sight.sees(path)]
    if len(paths) > MOST_CHOICES:
        paths = [path for path in paths if any(path in group.by_path for group in sight.groups)][:MOST_CHOICES]
    shallow = min((path.count("/") for path in paths), default=1)
    return [
        (sight.named(path).code, "\u3000" * (path.count("/") - shallow) + name(sight.named(path)))
        for path in sorted(paths)
    ]  # fmt: skip


def titled(first: Side, last: Side) -> Text:
    """What is compared, in a line."""
    a, b = first.area, last.area
    zh, en = a.name_zh, a.name_en or a.name_zh
    if a.path == b.path:
        one, other = first.sight.period.words, last.sight.period.words
        return Text(zh=f"{zh}：{one.zh} 与 {other.zh}", en=f"{en}: {one.en} and {other.en}")
    return Text(zh=f"{zh} 与 {b.name_zh}", en=f"{en} and {b.name_en or b.name_zh}")


def _radar(first: Side, last: Side) -> Any:
    row = first.sight.scores.place.get(first.area.path)
    if row is None or not why.comparable(first.sight, last.sight):
        return None
    heads = list(first.sight.framework.nodes[0].children)
    words, own = (f"{name(side.area)} {say(side.sight.period.words)}" for side in (first, last))
    beside = Text(zh=words, en=words), first.sight.scores.score[row, heads]
    return charts.radar(last.sight, last.area.path, beside, own_words=own)
