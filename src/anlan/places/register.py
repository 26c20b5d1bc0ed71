"""What nearly every request asks of places, kept in memory for as long as none of it has changed.

The database gives places a new stamp with every change (its triggers do, migration 0002), so that one look at the stamp
tells whether what was kept still holds, however many processes serve and whoever made the change.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from anlan.kernel import catalogue
from anlan.kernel.catalogue import Catalogue

T = TypeVar("T")
M = TypeVar("M", bound=Model)
MOST = 50_000
"""So many answers are kept; then it begins again, so that memory has an end."""


class Register:
    """Answers that follow from areas, departments, officers, posts, duties, tokens, holidays and declarations alone.

    What is kept is shared by all threads of the process: read it, never change it.
    """

    def __init__(self, stamp: str, declared: Catalogue) -> None:
        self.stamp = stamp
        self.declared = declared
        self._kept: dict[Hashable, object] = {}

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer kept under `key`; made when it is not there. None is not kept: it may be anybody's guess."""
        known = self._kept.get(key)
        if known is not None:
            return known  # type: ignore[return-value]  # a key always holds what its own `make` gave
        made = make()
        if made is not None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = made
        return made

    def rows(self, query: QuerySet[M], ids: Iterable[int | None]) -> dict[int, M]:
        """The rows of a table of places with these ids; `query` says how they are read when they are not here yet."""
        known: dict[int, Any] = self.kept(("rows", query.model), dict)
        wanted = {pk for pk in ids if pk is not None}
        missing = wanted - known.keys()
        if missing:
            known.update(query.in_bulk(missing))
        return {pk: known[pk] for pk in wanted if pk in known}


# One for each database a process speaks to: one, but in tests and restores.
_registers: dict[str, Register] = {}
_held: ContextVar[list[Register] | None] = ContextVar("register", default=None)


def current() -> Register:
    """The register as the database is now (one small query, or none where it is held)."""
    held = _held.get()
    if held:
        return held[0]
    found = _current()
    if held is not None:
        held.append(found)
    return found


@contextmanager
def held() -> Iterator[None]:
    """Look at the stamp once and hold on to what it said, through one request; one's own changes are seen."""
    before = _held.set([])
    try:
        yield
    finally:
        _held.reset(before)


def forget() -> None:
    """Look again the next time, for something was changed here."""
    held = _held.get()
    if held:
        held.clear()


def _current() -> Register:
    with connection.cursor() as cursor:
        cursor.execute("SELECT stamp FROM places_register")
        stamp = cursor.fetchone()[0]
    name, declared = str(connection.settings_dict["NAME"]), catalogue.current()
    known = _registers.get(name)
    if known is None or known.stamp != stamp or known.declared is not declared:
        known = _registers[name] = Register(stamp, declared)
    return known
