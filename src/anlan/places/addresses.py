"""Which known site an address means: told and known texts compared by pairs of characters, numbers whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from math import log
from typing import Final, NamedTuple

from django.db.models import Q

from anlan.places.models import Site
from anlan.places.scope import under

MOST: Final = 2000
"""In an area with more sites than this, only a site's exact name or address is recognised: too many are alike."""
SHOWN: Final = 3

_RUNS = re.compile(r"\d+|[^\W\d_]+")
_FIELDS = ("pk", "code", "name", "address", "area_path", "lon", "lat")
# Words in what was told that a site does not have weigh less than words of the site that were not told: people add.
_ADDED = 0.3
_COMMON = log(2)


class Known(NamedTuple):
    """A site as an address is compared with it."""

    pk: int
    code: str
    name: str
    address: str
    area_path: str
    lon: float | None
    lat: float | None


class Likely(NamedTuple):
    """A site that an address may mean, and how much speaks for it, from 0 to 1."""

    site: Known
    confidence: float


class _Text(NamedTuple):
    """What a site is called: its marks, the numbers among them, and what all of them weigh."""

    marks: frozenset[str]
    numbers: frozenset[str]
    weight: float


class Addresses:
    """The sites of one area, ready to be compared with what addresses say."""

    def __init__(self, sites: Iterable[Known]) -> None:
        self._sites = list(sites)
        self._whole: dict[tuple[str, ...], list[Known]] = {}
        self._having: dict[str, set[int]] = {}
        called = [list(_called(site)) for site in self._sites]
        for place, site in enumerate(self._sites):
            for text in dict.fromkeys(filter(None, map(runs, (site.name, site.address)))):
                self._whole.setdefault(text, []).append(site)
            for mark in frozenset[str]().union(*called[place]):
                self._having.setdefault(mark, set()).add(place)
        # A mark that no site has tells no site from another: it weighs like one that all have.
        self._weights = {mark: log(1 + len(self._sites) / len(having)) for mark, having in self._having.items()}
        self._texts = [[self._text(marks) for marks in each] for each in called]

    def exact(self, told: str) -> Known | None:
        """The one site whose name or address is `told`, apart from spaces, signs, width and case; None if several."""
        found = self._whole.get(runs(told), [])
        return found[0] if len(found) == 1 else None

    def likely(self, told: str, *, least: float) -> list[Likely]:
        """The sites that `told` means with at least the confidence `least`, the likeliest first, `SHOWN` at most.

        A text's marks are its pairs of neighbouring characters, each number one mark. A mark weighs the more, the fewer
        sites have it. The confidence is the weight of the marks that both have, as a share of that weight, the weight
        of what only the site has and three tenths of the weight of what only was told; the site's name, its address
        and both together are compared, and the best counts. Two texts with numbers of which none is shared are two
        different houses, and a number alone is none.
        """
        text = self._text(marks_of(told))
        near = set[int]().union(*(self._having.get(mark, set()) for mark in text.marks))
        scored = (Likely(self._sites[n], max(self._share(text, known) for known in self._texts[n])) for n in near)
        found = [each for each in scored if each.confidence >= least and each.confidence > 0]
        return sorted(found, key=lambda each: (-each.confidence, each.site.code))[:SHOWN]

    def _text(self, marks: frozenset[str]) -> _Text:
        numbers = frozenset(mark for mark in marks if mark.isdigit())
        return _Text(marks, numbers, sum(self._weights.get(mark, _COMMON) for mark in marks))

    def _share(self, told: _Text, known: _Text) -> float:
        shared = told.marks & known.marks
        if shared <= told.numbers or (told.numbers and known.numbers and shared.isdisjoint(told.numbers)):
            return 0.0
        both = sum(self._weights[mark] for mark in shared)
        # Rounded, for the order in which a set is added up is chance.
        return round(both / (known.weight + _ADDED * (told.weight - both)), 6)


def addresses(path: str) -> Addresses:
    """The sites in use in the area with `path` and below it; none of them when they are more than `MOST`. One query."""
    found = Site.objects.filter(under(path), is_active=True).order_by("pk").values_list(*_FIELDS)[: MOST + 1]
    rows = [Known(*row) for row in found]
    return Addresses(rows) if len(rows) <= MOST else _Many(path)


def known(codes: Iterable[str]) -> dict[str, Known]:
    """The sites with these codes, by code, in one query; none when there are no codes."""
    wanted = set(codes)
    if not wanted:
        return {}
    return {
        site.code: site for site in (Known(*row) for row in Site.objects.filter(code__in=wanted).values_list(*_FIELDS))
    }


class _Many(Addresses):
    """The sites of an area that has too many of them to compare."""

    def __init__(self, path: str) -> None:
        super().__init__([])
        self._path = path

    def exact(self, told: str) -> Known | None:
        same = Q(name=told.strip()) | Q(address=told.strip())
        found = Site.objects.filter(under(self._path), same, is_active=True).values_list(*_FIELDS)[:2]
        rows = [Known(*row) for row in found]
        return rows[0] if len(rows) == 1 else None


def runs(text: str) -> tuple[str, ...]:
    """The words and numbers of a text, one way of writing them: "人民路 １８号" gives 人民路, 18, 号."""
    found = _RUNS.findall(unicodedata.normalize("NFKC", text).casefold())
    return tuple(run.lstrip("0") or "0" if run.isdigit() else run for run in found)


def marks_of(text: str) -> frozenset[str]:
    """Every number of a text, and every two neighbouring characters of its words."""
    return frozenset(mark for run in runs(text) for mark in _marks(run))


def _marks(run: str) -> Iterator[str]:
    if run.isdigit() or len(run) == 1:
        yield run
    else:
        yield from (run[n : n + 2] for n in range(len(run) - 1))


def _called(site: Known) -> Iterator[frozenset[str]]:
    name, address = marks_of(site.name), marks_of(site.address)
    if name:
        yield name
    if address:
        yield address
        yield name | address
