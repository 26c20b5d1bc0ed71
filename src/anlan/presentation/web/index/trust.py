"""What the pages share that ask whether an edition can be relied on: their tabs, and the peers they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.urls import reverse

from anlan.index.counting.tree import parent
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound
from anlan.presentation.web.index.asked import Group, Sight

PAGES: Final[dict[str, Text]] = {
    "index_sure": Text(zh="把握有多大", en="How sure it is"),
    "index_audit": Text(zh="指标审查", en="Audit"),
    "index_integrity": Text(zh="数据可信吗", en="Can it be trusted"),
    "index_editions": Text(zh="版本", en="Editions"),
}
Tab = tuple[Text, str, bool]


def tabs(sight: Sight, here: str) -> list[Tab]:
    """The pages about one edition; that of editions is about them all."""
    return [(words, address(sight, page), page == here) for page, words in PAGES.items()]


def address(sight: Sight, page: str) -> str:
    """Where one of these pages is."""
    return reverse(page, args=[sight.index]) if page == "index_editions" else sight.url(page)


def chosen(sight: Sight, key: str) -> Group:
    """The peers that were asked for, else the largest group. Raises NotFound where there is none."""
    named = [each for each in sight.groups if each.key == key]
    found = named or sorted(sight.groups, key=lambda each: -len(each.ranks))
    if not found:
        raise NotFound
    return found[0]


def peers(sight: Sight, page: str) -> list[tuple[Text, str, str, int]]:
    """Every group: its words, the address of this page for it, its key, and how many areas it has."""
    return [(each.title, sight.url(page, peer=each.key), each.key, len(each.ranks)) for each in sight.groups]


def scored_units(group: Group) -> list[str]:
    """The areas of a group that have a score, best first."""
    return [each.area_path for each in group.ranks if each.score is not None]


def labels(sight: Sight, units: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """What is told of areas: their level, and the area above them."""
    named = [sight.named(unit) for unit in units]
    return {"level": [each.level for each in named], "parent": [parent(each.path) for each in named]}
