"""What every page of an index asks first: which edition, which areas somebody may see of it, and how things are called.

What was published is published to everybody who may see figures anywhere in the same tree of areas: towns are compared
with each other by name. The cases behind a figure stay what they are: each opens to those within whose reach it lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from anlan.index.counting.indicator import Indicator
from anlan.index.counting.period import Period
from anlan.index.editions import edition as editions
from anlan.index.editions import loaded
from anlan.index.editions.assessment import BESIDE
from anlan.index.editions.edition import Edition
from anlan.index.editions.loaded import Rank, Ranks, Scores
from anlan.index.scoring.framework import Framework
from anlan.index.scoring.spec import Band, IndexSpec
from anlan.kernel.text import Refusal, Text
from anlan.places import register
from anlan.places.areas import LEVELS, ancestors, at_day
from anlan.presentation.permissions import NotFound
from anlan.presentation.publishing import root
from anlan.presentation.web.frame import Asked

ACTION: Final = "statistics.see"
DRAFTS: Final = ("index.draft", "index.sign", "index.publish")
"""Whoever may do one of these, all over an edition, sees it before it is published."""
TITLE: Final = Text(zh="指数", en="Index")
COLOURS: Final = ("red", "orange", "yellow", "green", "blue")


@dataclass(frozen=True, slots=True)
class Shade:
    """A band as pages draw it: its words and its css class."""

    key: str
    title: Text
    css: str


@dataclass(frozen=True, slots=True)
class Named:
    """An area as it was called on a day."""

    path: str
    code: str
    name_zh: str
    name_en: str
    level: str


@dataclass(frozen=True)
class Group:
    """Areas that were ranked among each other, best first; `key` is how an address says it."""

    key: str
    title: Text
    ranks: tuple[Rank, ...]

    @cached_property
    def by_path(self) -> Mapping[str, Rank]:
        return {each.area_path: each for each in self.ranks}


@dataclass(frozen=True)
class Sight:
    """One edition as somebody sees it: `working` are the areas over which they draft, sign or publish."""

    edition: Edition
    tops: tuple[str, ...]
    own: tuple[str, ...]
    working: tuple[str, ...] = ()

    @property
    def index(self) -> str:
        return self.edition.manifest.index

    @property
    def title(self) -> Text:
        return self.edition.manifest.title

    @property
    def period(self) -> Period:
        return self.edition.period

    @cached_property
    def framework(self) -> Framework:
        return loaded.framework_of(self.edition)

    @property
    def spec(self) -> IndexSpec:
        return self.framework.spec

    @cached_property
    def ranks(self) -> Ranks:
        return loaded.ranks(self.edition)

    @cached_property
    def scores(self) -> Scores:
        return loaded.scores(self.edition)

    @cached_property
    def indicators(self) -> Mapping[str, Indicator]:
        return loaded.indicators(self.edition)

    @cached_property
    def names(self) -> Mapping[str, Named]:
        """Every area of the day on which the period ended, by path."""
        return named_on(self.period.last)

    def sees(self, path: str) -> bool:
        """Whether the area stands in a tree in which this person may see figures."""
        return any(path.startswith(top) for top in self.tops)

    def holds(self, path: str) -> bool:
        """Whether the area lies within this person's own."""
        return any(path.startswith(own) for own in self.own)

    def area(self, code: str) -> Named:
        """The area with this code, if it is in the edition and may be seen. Raises NotFound."""
        for path in self.scores.paths:
            if path.endswith(f"/{code}/") or path == f"{code}/":
                return self.named(path)
        raise NotFound

    def named(self, path: str) -> Named:
        """The area at a path. Raises NotFound where it may not be seen."""
        if not self.sees(path):
            raise NotFound
        code = ancestors(path)[-1].rstrip("/").rpartition("/")[2]
        return self.names.get(path) or Named(path, code, code, code, "")

    def scope(self, request: Asked) -> Named | None:
        """The area a page is about: `?area=`, else the highest of one's own that has a score, else any."""
        if request.GET.get("area"):
            return self.area(request.GET["area"])
        ranked = self.scores.place
        mine = [path for path in self.own if path in ranked]
        found = mine or [path for path in self.scores.paths if self.sees(path)]
        return self.named(min(found, key=lambda path: (path.count("/"), path))) if found else None

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups of peers that hold something this person may see, the widest areas first."""
        return tuple(_groups(self))

    def group_of(self, path: str, key: str = "") -> Group | None:
        """The group an area was ranked in; None when in none."""
        return next((each for each in self.groups if key in ("", each.key) and path in each.by_path), None)

    def shade(self, band: str) -> Shade | None:
        """How a band of this index is drawn; None when the index has no such band."""
        return self.shades.get(band)

    @cached_property
    def shades(self) -> Mapping[str, Shade]:
        bands = self.spec.bands
        return {band.key: Shade(band.key, band.title, _css(band, at, len(bands))) for at, band in enumerate(bands)}

    def shade_at(self, score: float | None) -> Shade | None:
        """The band in which a score (of the whole, a head or an indicator) lies; None where bands go by places."""
        if score is None or score != score or self.spec.band_by != "score" or not self.spec.bands:  # noqa: PLR0124  NaN
            return None
        held = [band for band in self.spec.bands if band.least is None or score >= band.least]
        return self.shades[held[-1].key] if held else None

    def url(self, name: str, *rest: str, **query: str) -> str:
        """The address of a page of this edition."""
        address = reverse(name, args=[self.index, self.edition.manifest.period, *rest])
        asked = query | self.said
        return f"{address}?{urlencode(asked)}" if asked else address

    @cached_property
    def said(self) -> dict[str, str]:
        """What an address must carry to come back to this very edition; nothing where it is the one that stands."""
        found = editions.of_period(root(), self.index, self.edition.manifest.period)
        every = [each for each in found if open_to(each, self.working)] or [self.edition]
        last = ([each for each in every if each.manifest.state != "withdrawn"] or every)[-1]
        is_last = last.manifest.number == self.edition.manifest.number
        return {} if is_last else {"edition": str(self.edition.manifest.number)}

    def area_url(self, path: str) -> str:
        return self.url("index_area", self.named(path).code)

    def indicator_url(self, key: str, path: str) -> str:
        return self.url("index_indicator", key, area=self.named(path).code)

    def unit(self, key: str) -> Text:
        """In what an indicator is told."""
        declared = self.indicators.get(key)
        return declared.unit if declared else Text(zh="", en="")

    def crumbs(self, *more: tuple[Any, str]) -> list[tuple[Any, str]]:
        """The way from the index home to here."""
        home = (Text(zh=f"{self.title.zh} · {self.period.words.zh}", en=f"{self.title.en} · {self.period.words.en}"),
                self.url("index_edition"))  # fmt: skip
        return [(TITLE, reverse("index")), home, *more]


def _css(band: Band, at: int, many: int) -> str:
    key = band.key if band.key in COLOURS else COLOURS[round(at * 3 / max(1, many - 1))]
    return f"band-{key}"


def _groups(sight: Sight) -> Iterator[Group]:
    order = {key: place for place, key in enumerate(sight.spec.peers)}
    for peer in sorted(sight.ranks.of_peer, key=lambda each: (order.get(each.partition(BESIDE)[0], len(order)), each)):
        rows = tuple(each for each in sight.ranks.of_peer[peer] if sight.sees(each.area_path))
        if rows:
            yield Group(peer, _title(sight, peer), rows)


def _title(sight: Sight, peer: str) -> Text:
    """What a group is called: its peers' title, and what tells it from others of the same key."""
    key, _, named = peer.partition(BESIDE)
    declared = sight.spec.peers.get(key)
    title = declared.title if declared else Text(zh=key, en=key)
    parts = [_label(sight, part) for part in named.split(BESIDE)] if named else []
    return Text(
        zh=BESIDE.join([title.zh, *(part.zh for part in parts)]),
        en=BESIDE.join([title.en, *(part.en for part in parts)]),
    )


def _label(sight: Sight, label: str) -> Text:
    area = sight.names.get(label)
    if area:
        return Text(zh=area.name_zh, en=area.name_en or area.name_zh)
    return LEVELS.get(label) or Text(zh=label, en=label)


def named_on(day: date) -> Mapping[str, Named]:
    """Every area of a day by path: read once while no area changes."""
    columns = "path", "code", "name_zh", "name_en", "level"
    return register.current().kept(
        ("index areas", day), lambda: {row[0]: Named(*row) for row in at_day(day).values_list(*columns)}
    )


def tops_of(request: Asked) -> tuple[str, ...]:
    """The trees of areas in which somebody may see figures, each by the path of its first area."""
    return tuple(sorted({ancestors(path)[0] for path in request.reach.areas(ACTION)}))


def working(request: Asked) -> tuple[str, ...]:
    """The areas over the whole of which somebody drafts, signs or publishes."""
    found = {path for action in DRAFTS for path in request.reach.areas(action)}
    return tuple(sorted(path for path in found if any(request.reach.covers(each, area_path=path) for each in DRAFTS)))


def may_see(request: Asked, edition: Edition) -> bool:
    """Whether somebody may look at an edition: everybody at what was published, those who draft it before that."""
    return open_to(edition, working(request))


def open_to(edition: Edition, working: Sequence[str]) -> bool:
    """Whether an edition is open to whoever drafts, signs or publishes over these areas.

    What was published is open to everybody and stays so, marked, when it is withdrawn. What never was is open to those
    alone whose work it is: it may rank areas that are none of theirs.
    """
    if edition.manifest.published is not None:
        return True
    ranked = loaded.ranks(edition).of_area
    return bool(working) and all(any(path.startswith(each) for each in working) for path in ranked)


def find(request: Asked, index: str, period: str) -> Sight:
    """The edition of the address: the one with `?edition=`, else the last that may be seen. Raises NotFound."""
    given = request.GET.get("edition", "")
    try:
        found = editions.of_period(root(), index, period)
    except Refusal as refusal:
        raise NotFound from refusal
    shown = [each for each in found if may_see(request, each)]
    if given:
        shown = [each for each in shown if str(each.manifest.number) == given]
    else:
        shown = [each for each in shown if each.manifest.state != "withdrawn"] or shown
    if not shown:
        raise NotFound
    seen = sight(request, shown[-1])
    if not any(seen.sees(path) for path in seen.scores.paths):
        raise NotFound
    return seen


def sight(request: Asked, edition: Edition) -> Sight:
    """An edition as the one who asks sees it."""
    return Sight(edition, tops_of(request), tuple(sorted(request.reach.areas(ACTION))), working(request))


def sight_on(sight: Sight, edition: Edition) -> Sight:
    """Another edition, seen by the same person."""
    return replace(sight, edition=edition)


def published(index: str) -> list[Edition]:
    """The last published edition of every period of an index, in the order of time."""
    return list(editions.published(root(), index).values())


def indices() -> list[str]:
    """The keys of the indices that have editions."""
    folder = root()
    named = [each.name for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []
    return sorted(name for name in named if not name.startswith("."))  # drafting sets things aside there


def before(sight: Sight) -> Edition | None:
    """The published edition of the period before; None when there is none."""
    name = sight.period.before.name
    return next((each for each in published(sight.index) if each.manifest.period == name), None)


def up_to(sight: Sight, longest: int) -> list[Edition]:
    """What is looked back on: the years and the last periods of the same kind that are published, this edition last."""
    own = sight.period
    earlier = [each for each in published(sight.index) if each.period.last <= own.last]
    alike = [each for each in earlier if each.period.kind == own.kind and each.period < own]
    years = [each for each in earlier if each.period.kind == "year" != own.kind]
    return [*years, *alike[-longest:], sight.edition]
