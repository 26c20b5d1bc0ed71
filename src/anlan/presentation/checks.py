"""The one place where everything declared is checked together, so that a wrong key stops the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from anlan.casework import checker, routing
from anlan.casework.procedure import PROCEDURES, Procedure, Who
from anlan.casework.routing import ROUTING
from anlan.index.rates import INDICATORS
from anlan.intake import channel, topic
from anlan.intake.channel import CHANNELS
from anlan.intake.topic import TOPICS
from anlan.kernel.calendar_spec import CALENDARS
from anlan.kernel.catalogue import Catalogue, Declaration, DeclarationError, Kind, Problem
from anlan.kernel.text import Text
from anlan.places import towns
from anlan.places.role import ROLES
from anlan.places.site_kind import SITE_KINDS
from anlan.places.towns import TOWNS, Town

Finding = tuple[str, Text]

KINDS = (CALENDARS, CHANNELS, INDICATORS, PROCEDURES, ROLES, ROUTING, SITE_KINDS, TOPICS, TOWNS)
"""Everything that can be declared. A kind that is not named here would be a folder nobody reads."""


def problems(catalogue: Catalogue) -> list[Problem]:
    """Everything wrong in what `catalogue` declares: what cannot be read, else keys and procedures that do not fit."""
    return catalogue.problems() or list(_between(catalogue))


def refuse_problems(catalogue: Catalogue) -> None:
    """Raises `DeclarationError` with file, field and reason of everything that is wrong."""
    found = problems(catalogue)
    if found:
        raise DeclarationError(found)


def _between(catalogue: Catalogue) -> Iterator[Problem]:
    for kind, check in CHECKS:
        for identity, declared in catalogue.all(kind).items():
            path = catalogue.origin(kind, identity)
            for field, reason in check(declared, catalogue):
                yield Problem(path, field, reason)


def _unfit(procedure: Procedure, catalogue: Catalogue) -> Iterator[Finding]:
    """A procedure that the checker refuses, or that names a role or a topic nobody declares."""
    yield from (("", reason) for reason in checker.check(procedure))
    for where, who in _people(procedure):
        yield from _unknown(where, who.roles, catalogue.all(ROLES), zh="角色", en="role")
    for key, clock in procedure.clocks.items():
        yield from _unknown(f"clocks.{key}.by_topic", clock.by_topic, catalogue.all(TOPICS), zh="类别", en="topic")
        for rung in clock.ladder:
            yield from _unknown(f"clocks.{key}.ladder.tell", rung.tell, catalogue.all(ROLES), zh="角色", en="role")


def _ungrounded(town: Town, catalogue: Catalogue) -> Iterator[Finding]:
    yield from (("", reason) for reason in towns.problems(town, topics=catalogue.all(TOPICS)))


def _people(procedure: Procedure) -> Iterator[tuple[str, Who]]:
    for key, act in procedure.acts.items():
        yield f"acts.{key}.who", act.who
    for key, step in procedure.steps.items():
        if step.owner:
            yield f"steps.{key}.owner", step.owner


def _unknown(where: str, keys: Iterable[str], known: Iterable[str], *, zh: str, en: str) -> Iterator[Finding]:
    for key in keys:
        if key not in known:
            yield where, Text(zh=f"没有{zh}“{key}”。", en=f"There is no {en} “{key}”.")


CHECKS: tuple[tuple[Kind[Declaration], Callable[[Any, Catalogue], Iterator[Finding]]], ...] = (
    (TOPICS, topic.strangers),
    (CHANNELS, channel.strangers),
    (PROCEDURES, _unfit),
    (ROUTING, routing.strangers),
    (TOWNS, _ungrounded),
)
