"""The vocabulary of site kinds 场所类型: each is one file in `site_kinds/`."""

from __future__ import annotations

from typing import Final

from anlan.kernel import catalogue
from anlan.kernel.catalogue import Declaration, Kind
from anlan.kernel.text import Text


class SiteKind(Declaration):
    """One kind of place that is visited; routing and checklists name it by key."""

    title: Text


SITE_KINDS: Final = Kind("site_kinds", SiteKind)


def all_kinds() -> dict[str, SiteKind]:
    """Every declared kind of site by key."""
    return catalogue.current().all(SITE_KINDS)


def site_kind(key: str) -> SiteKind:
    """The kind `key`; raises `Undeclared` when no file declares it."""
    return catalogue.current().get(SITE_KINDS, key)
