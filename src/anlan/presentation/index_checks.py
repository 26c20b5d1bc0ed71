"""What is declared of indices, checked together: an index, its indicators, rules and ladders, and what all count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from anlan.facts.table import TABLES
from anlan.index.counting import coverage, fitting
from anlan.index.counting.indicator import INDICATORS, Indicator
from anlan.index.editions.assessment import LABELS
from anlan.index.rulebook import happenings
from anlan.index.rulebook.ladder import LADDERS, Ladder
from anlan.index.rulebook.rule import RULES, Rule, RuleTable
from anlan.index.rulebook.signal import SIGNALS, Signal
from anlan.index.scoring import framework
from anlan.index.scoring.spec import INDICES, IndexSpec
from anlan.kernel.catalogue import Catalogue, DeclarationError, Kind, Problem
from anlan.places.areas import LEVELS
from anlan.presentation.findings import Checks, Finding, between, strangers

LEVEL: Final = {"zh": "这一级辖区", "en": "level of area"}


def problems(catalogue: Catalogue, index: str = "", *, tried: bool = True) -> list[Problem]:
    """Everything wrong of an index (of all of them without one), and of what names an index that nobody declares.

    Without `tried` the examples of indicators are not counted, which takes seconds.
    """
    if unread := [problem for kind in READ for problem in _unreadable(catalogue, kind)]:
        return unread
    indices = catalogue.all(INDICES)

    def concerns(declared: Any) -> bool:
        own = declared.key if isinstance(declared, IndexSpec) else getattr(declared, "index", index)
        return not index or own == index or bool(own and own not in indices)

    checks = list(between(catalogue, CHECKS, concerns))
    return checks or list(between(catalogue, TRIALS, concerns) if tried else ())


def _unreadable(catalogue: Catalogue, kind: Kind[Any]) -> Sequence[Problem]:
    try:
        catalogue.all(kind)
    except DeclarationError as error:
        return error.problems
    return ()


def refuse(catalogue: Catalogue, index: str) -> None:
    """Raises DeclarationError with file, field and reason of what keeps an index from being worked out."""
    if found := problems(catalogue, index, tried=False):
        raise DeclarationError(found)


# ---------------------------------------------------------------- an index and its indicators


def _ungrown(declared: IndexSpec, catalogue: Catalogue) -> Iterator[Finding]:
    """An index whose heads, indicators and weights make no tree, or that asks for what is told of no area.

    What is wrong of an indicator is told of its file.
    """
    leaves = _leaves(declared.key, catalogue)
    faults = framework.problems(declared, leaves.values())
    yield from ((fault.field, fault.reason) for fault in faults if fault.declared == declared.key)
    yield from coverage.strangers(declared, catalogue.all(TABLES))
    yield from strangers("coverage.figures", declared.coverage.figures, LEVELS, **LEVEL)
    for number, peers in enumerate(declared.ranking.peers if leaves else ()):
        where = f"ranking.peers[{number}]"
        yield from strangers(f"{where}.by", peers.by, LABELS, zh="辖区属性", en="label of areas")
        yield from strangers(f"{where}.among", peers.among, LABELS, zh="辖区属性", en="label of areas")
        yield from strangers(f"{where}.among.level", peers.among.get("level", ()), LEVELS, **LEVEL)


def _uncountable(declared: Indicator, catalogue: Catalogue) -> Iterator[Finding]:
    """An indicator of tables, columns, levels or an index that nobody declares."""
    yield from fitting.strangers(declared, catalogue.all(TABLES))
    yield from strangers("shrink_to", [declared.shrink_to] if declared.shrink_to else [], LEVELS, **LEVEL)
    yield from _of_index(declared.index, catalogue)
    if spec := catalogue.all(INDICES).get(declared.index):
        yield from ((fault.field, fault.reason) for fault in framework.astray(spec, declared))


def _miscounted(declared: Indicator, catalogue: Catalogue) -> Iterator[Finding]:
    """An indicator whose examples come out otherwise than they say."""
    yield from fitting.miscounted(declared, catalogue.all(TABLES))


def _of_index(index: str, catalogue: Catalogue) -> Iterator[Finding]:
    yield from strangers("index", [index] if index else [], catalogue.all(INDICES), zh="指数", en="index")


def _leaves(index: str, catalogue: Catalogue) -> dict[str, Indicator]:
    return {key: each for key, each in catalogue.all(INDICATORS).items() if each.index == index}


# ---------------------------------------------------------------- what goes with an index


def _misruled(declared: RuleTable, catalogue: Catalogue) -> Iterator[Finding]:
    """A table of rules of an index, indicators, levels or bands nobody declares, or of facts there are not."""
    yield from _of_index(declared.index, catalogue)
    indicators = _leaves(declared.index, catalogue) if declared.index else catalogue.all(INDICATORS)
    for number, rule in enumerate(declared.rules):
        yield from strangers(f"rules.{number}", _indicators(rule), indicators, zh="指标", en="indicator")
        yield from strangers(f"rules.{number}.levels", rule.levels, LEVELS, **LEVEL)
    if spec := catalogue.all(INDICES).get(declared.index):
        bands = [band.key for band in spec.bands]
        for number, each in enumerate(declared.consequences):
            yield from strangers(f"consequences.{number}.band", [each.band], bands, zh="等级", en="band")
    yield from happenings.strangers(declared, catalogue.all(TABLES))


def _indicators(rule: Rule) -> list[str]:
    return [each.indicator for each in (rule.value, rule.change) if each and each.indicator]


def _misread_facts(declared: Signal, catalogue: Catalogue) -> Iterator[Finding]:
    """A signal that counts what no table of facts has."""
    yield from happenings.unmeasured(declared, catalogue.all(TABLES))


def _climbing_nothing(declared: Ladder, catalogue: Catalogue) -> Iterator[Finding]:
    """A ladder of an index that nobody declares."""
    yield from _of_index(declared.index, catalogue)


CHECKS: Checks = (
    (RULES, _misruled),
    (SIGNALS, _misread_facts),
    (LADDERS, _climbing_nothing),
    (INDICATORS, _uncountable),
    (INDICES, _ungrown),
)
READ: Final = (TABLES, *(kind for kind, _ in CHECKS))
"""What an index is worked out from."""
TRIALS: Checks = ((INDICATORS, _miscounted),)
"""What takes seconds: tried when somebody checks what is declared, not at every start."""
