"""Checks of what is declared: of a kind, a function that finds what is wrong with one declaration among the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from anlan.kernel.catalogue import Catalogue, Declaration, Kind, Problem
from anlan.kernel.refusals import unknown
from anlan.kernel.text import Text

Finding = tuple[str, Text]
"""The field, and what is wrong with it."""
Checks = tuple[tuple[Kind[Declaration], Callable[[Any, Catalogue], Iterator[Finding]]], ...]


def between(
    catalogue: Catalogue, checks: Checks, concerns: Callable[[Any], bool] = lambda _: True
) -> Iterator[Problem]:
    """Everything that `checks` find in declarations that `concerns` holds of, with their files."""
    for kind, check in checks:
        for identity, declared in catalogue.all(kind).items():
            if concerns(declared):
                path = _shown(catalogue.origin(kind, identity), catalogue)
                yield from (Problem(path, field, reason) for field, reason in check(declared, catalogue))


def strangers(where: str, keys: Iterable[str], known: Iterable[str], *, zh: str, en: str) -> Iterator[Finding]:
    """Every key that is not known, under the field `where`; `zh` and `en` say what it should be."""
    listed = list(known)
    for key in keys:
        if key not in listed:
            yield where, unknown(zh, en, key, listed)


def _shown(path: Path, catalogue: Catalogue) -> Path:
    """The file from its pack's folder on, as the catalogue itself names it."""
    root = next(root for root in catalogue.roots if path.is_relative_to(root))
    return path.relative_to(root.parent)
