"""The one place where everything declared is checked together, so that a wrong key stops the start.

What one layer cannot know of another is asked here: a topic's procedure, a table's departments, a channel's town and
acts. A declaration's own example is tried, too: a pack has no tests but these.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from anlan.casework import checker, feed, forwarding, push, rehearsal, routing
from anlan.casework.feed import FEEDS, Feed
from anlan.casework.forwarding import FORWARDING, Forwarding
from anlan.casework.procedure import PROCEDURES, Procedure, Who
from anlan.casework.push import PUSHES, Pushes
from anlan.casework.routing import ROUTING, Routing
from anlan.facts import sources
from anlan.facts.table import TABLES, FactTable
from anlan.index.counting.indicator import INDICATORS
from anlan.index.counting.rates import SHARES
from anlan.index.rulebook.ladder import LADDERS
from anlan.index.rulebook.rule import RULES
from anlan.index.rulebook.signal import SIGNALS
from anlan.index.scoring.spec import INDICES
from anlan.intake import channel, jurisdiction, likeness, suggestion, topic
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.files.unit import UNITS
from anlan.intake.jurisdiction import JURISDICTIONS, Jurisdiction
from anlan.intake.likeness import LIKENESS, Likeness
from anlan.intake.reading import Unclear, understand
from anlan.intake.sensors import device_model, readings
from anlan.intake.sensors.device_model import ALARM_RULES, DEVICE_MODELS, AlarmRules, DeviceModel
from anlan.intake.suggestion import SUGGESTING, Suggesting
from anlan.intake.topic import TOPICS, Topic
from anlan.intake.uploading import layout
from anlan.intake.uploading.layout import LAYOUTS, Layout
from anlan.intake.wire import Unparsed
from anlan.kernel.calendar_spec import CALENDARS
from anlan.kernel.catalogue import Catalogue, DeclarationError, Problem
from anlan.kernel.text import Text
from anlan.places import towns
from anlan.places.role import ACTIONS, ROLES
from anlan.places.site_kind import SITE_KINDS
from anlan.places.towns import TOWNS, Town
from anlan.presentation import index_checks
from anlan.presentation.findings import Checks, Finding, between, strangers

KINDS: Final = (
    ALARM_RULES,
    CALENDARS,
    CHANNELS,
    DEVICE_MODELS,
    FEEDS,
    FORWARDING,
    INDICATORS,
    SHARES,
    INDICES,
    JURISDICTIONS,
    LADDERS,
    LAYOUTS,
    LIKENESS,
    PROCEDURES,
    PUSHES,
    ROLES,
    ROUTING,
    RULES,
    SIGNALS,
    SITE_KINDS,
    SUGGESTING,
    TABLES,
    TOPICS,
    TOWNS,
    UNITS,
)
"""Everything that can be declared. A kind that is not named here would be a folder nobody reads."""
LATER: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""When examples of messages come in: after every moment they tell of, whatever this machine's clock says."""


def problems(catalogue: Catalogue) -> list[Problem]:
    """Everything wrong in `catalogue`, the one in use: what cannot be read, else what does not fit together.

    When all of it fits, what takes seconds is tried, too: the examples that are counted.
    """
    return catalogue.problems() or list(between(catalogue, CHECKS)) or list(between(catalogue, index_checks.TRIALS))


def refuse_problems(catalogue: Catalogue) -> None:
    """Raises `DeclarationError` with file, field and reason of what keeps the program from starting.

    Examples that take seconds are left to `problems`: a start is not the time to count them again.
    """
    found = catalogue.problems() or list(between(catalogue, CHECKS))
    if found:
        raise DeclarationError(found)


# ---------------------------------------------------------------- topics


def _astray(declared: Topic, catalogue: Catalogue) -> Iterator[Finding]:
    """A topic with a wrong parent or procedure, or one that is not proposed first for its own examples."""
    yield from topic.strangers(declared, catalogue)
    if declared.procedure:
        yield from strangers("procedure", [declared.procedure], _procedures(catalogue), zh="流程", en="procedure")
    topics = catalogue.all(TOPICS)
    for number, sentence in enumerate(declared.examples):
        proposed = topic.propose(topics, sentence, most=1)
        if not proposed:
            yield f"examples[{number}]", NOT_PROPOSED
        elif proposed != [declared.key]:
            reason = Text(
                zh=f"看到这句话首先想到的是“{proposed[0]}”，请在 words 里写上更长、更贴切的词。",
                en=f"For this sentence “{proposed[0]}” is proposed first; give `words` a longer, closer one.",
            )
            yield f"examples[{number}]", reason


NOT_PROPOSED: Final = Text(
    zh="这句话里没有 words 的任何一个词，请补上它用到的词。",
    en="This sentence has none of the `words`; add those it uses.",
)


def _procedures(catalogue: Catalogue) -> dict[str, Procedure]:
    return {declared.key: declared for declared in catalogue.all(PROCEDURES).values()}


# ---------------------------------------------------------------- channels


def _unheard(declared: Channel, catalogue: Catalogue) -> Iterator[Finding]:
    """A channel that names what nobody declares, or that does not read its own examples as they say."""
    yield from channel.strangers(declared, catalogue)
    yield from strangers("action", [declared.action], ACTIONS, zh="权限", en="action")
    if declared.town:
        yield from strangers("town", [declared.town], catalogue.all(TOWNS), zh="城镇", en="town")
    acts = {act for procedure in catalogue.all(PROCEDURES).values() for act in procedure.acts}
    for number, rule in enumerate(declared.replay.rules if declared.replay else ()):
        named = [key for key in (rule.act, rule.otherwise) if key]
        yield from strangers(f"replay.rules[{number}]", named, acts, zh="动作", en="act")
    yield from layout.unit_strangers(declared.columns, catalogue)
    yield from _misread(declared)


def _unplaced(declared: Layout, catalogue: Catalogue) -> Iterator[Finding]:
    """A layout that names what nobody declares, or that does not read its own examples as they say."""
    yield from layout.strangers(declared, catalogue)
    yield from strangers("action", [declared.action], ACTIONS, zh="权限", en="action")
    yield from _misread(declared.as_channel())


def _misread(declared: Channel) -> Iterator[Finding]:
    for number, example in enumerate(declared.examples):
        where = f"examples[{number}]"
        try:
            read = understand(declared, channel.told_in(declared, example), at=LATER)
        except Unparsed as refusal:
            yield where, refusal.text
            continue
        if isinstance(read, Unclear):
            if not example.refused:
                yield from ((where, reason.text) for reason in read.reasons)
            continue
        if example.refused:
            yield where, Text(zh="应当读不懂，却读懂了。", en="It should be refused, and is understood.")
        told = {**read.values, **read._asdict()}
        for field, wanted in example.gives.items():
            if str(told.get(field)) != wanted:
                reason = Text(
                    zh=f"读出的是“{told.get(field)}”，示例写的是“{wanted}”。",
                    en=f"“{told.get(field)}” is read, not “{wanted}”.",
                )
                yield f"{where}.gives.{field}", reason


# ---------------------------------------------------------------- procedures and routing


def _unfit(procedure: Procedure, catalogue: Catalogue) -> Iterator[Finding]:
    """A procedure that the checker refuses, that names a role or topic nobody declares, or whose example fails."""
    wrong = checker.check(procedure)
    yield from (("", reason) for reason in wrong)
    roles, topics = catalogue.all(ROLES), catalogue.all(TOPICS)
    for where, who in _people(procedure):
        yield from strangers(where, who.roles, roles, zh="角色", en="role")
    for key, clock in procedure.clocks.items():
        yield from strangers(f"clocks.{key}.by_topic", clock.by_topic, topics, zh="类别", en="topic")
        for rung in clock.ladder:
            yield from strangers(f"clocks.{key}.ladder.tell", rung.tell, roles, zh="角色", en="role")
    for number, line in enumerate(procedure.example):
        yield from strangers(f"example[{number}].by", [line.by.partition("#")[0]], roles, zh="角色", en="role")
    if not wrong:
        yield from (("", reason) for reason in rehearsal.rehearse(procedure))


def _people(procedure: Procedure) -> Iterator[tuple[str, Who]]:
    for key, act in procedure.acts.items():
        yield f"acts.{key}.who", act.who
    for key, step in procedure.steps.items():
        if step.owner:
            yield f"steps.{key}.owner", step.owner
    if procedure.tell:
        yield "tell", Who(roles=procedure.tell)


def _misrouted(table: Routing, catalogue: Catalogue) -> Iterator[Finding]:
    """A table that names what nobody declares. Where towns are declared, its areas and departments are theirs."""
    yield from routing.strangers(table, catalogue)
    declared = catalogue.all(TOWNS).values()
    codes = {area.code for town in declared for area in town.areas}
    departments = {department.key for town in declared for department in town.departments}
    for number, row in enumerate(table.rows if declared else ()):
        where, lead = f"rows[{number}]", [row.lead] if row.lead else []
        yield from strangers(f"{where}.areas", row.areas, codes, zh="辖区", en="area")
        yield from strangers(f"{where}.lead", lead, departments, zh="部门", en="department")
        yield from strangers(f"{where}.assisting", row.assisting, departments, zh="部门", en="department")


# ---------------------------------------------------------------- devices


def _misheard(declared: DeviceModel, catalogue: Catalogue) -> Iterator[Finding]:
    """A model that names a topic nobody declares, or that does not read its own examples as they say."""
    yield from device_model.strangers(declared, catalogue)
    yield from readings.strangers(declared)


def _unruly(declared: AlarmRules, catalogue: Catalogue) -> Iterator[Finding]:
    yield from strangers("fitted", declared.fitted, catalogue.all(SITE_KINDS), zh="场所类型", en="kind of site")


# ---------------------------------------------------------------- likeness


def _unlike(declared: Likeness, _: Catalogue) -> Iterator[Finding]:
    """Weights by which one of their own examples comes out otherwise than it says."""
    yield from likeness.strangers(declared)


# ---------------------------------------------------------------- suggestions


def _unsuggested(declared: Suggesting, catalogue: Catalogue) -> Iterator[Finding]:
    """Examples for which the declared words say something else."""
    yield from suggestion.strangers(declared, catalogue)


# ---------------------------------------------------------------- open311


def _unanswered(declared: Jurisdiction, catalogue: Catalogue) -> Iterator[Finding]:
    """A jurisdiction that names what nobody declares. Where towns are declared, its area is one of theirs."""
    yield from jurisdiction.strangers(declared, catalogue)
    codes = {area.code for town in catalogue.all(TOWNS).values() for area in town.areas}
    yield from strangers("area", [declared.area] if declared.area and codes else [], codes, zh="辖区", en="area")


# ---------------------------------------------------------------- pushes


def _unaddressed(declared: Pushes, catalogue: Catalogue) -> Iterator[Finding]:
    """Pushes that name channels, fields, topics or roles nobody declares."""
    yield from push.strangers(declared, catalogue)


def _misfed(declared: Feed, catalogue: Catalogue) -> Iterator[Finding]:
    """A feed of channels or topics that nobody declares."""
    yield from feed.strangers(declared, catalogue)


def _astray_elsewhere(declared: Forwarding, catalogue: Catalogue) -> Iterator[Finding]:
    """A forwarding that names what nobody declares. Where towns are declared, areas and departments are theirs."""
    yield from forwarding.strangers(declared, catalogue)
    towns_ = catalogue.all(TOWNS).values()
    codes = {area.code for town in towns_ for area in town.areas}
    departments = {department.key for town in towns_ for department in town.departments}
    wanted = [declared.department] if declared.department and departments else []
    yield from strangers("areas", declared.areas if codes else (), codes, zh="辖区", en="area")
    yield from strangers("department", wanted, departments, zh="部门", en="department")


# ---------------------------------------------------------------- facts


def _unmade(declared: FactTable, _: Catalogue) -> Iterator[Finding]:
    """A table of facts with columns that nothing fills."""
    yield from sources.strangers(declared)


# ---------------------------------------------------------------- towns


def _ungrounded(town: Town, catalogue: Catalogue) -> Iterator[Finding]:
    yield from (("", reason) for reason in towns.problems(town, topics=catalogue.all(TOPICS)))


CHECKS: Checks = (
    (TOPICS, _astray),
    (CHANNELS, _unheard),
    (LAYOUTS, _unplaced),
    (PROCEDURES, _unfit),
    (ROUTING, _misrouted),
    (LIKENESS, _unlike),
    (SUGGESTING, _unsuggested),
    (JURISDICTIONS, _unanswered),
    (DEVICE_MODELS, _misheard),
    (ALARM_RULES, _unruly),
    (PUSHES, _unaddressed),
    (FEEDS, _misfed),
    (FORWARDING, _astray_elsewhere),
    *index_checks.CHECKS,
    (TABLES, _unmade),
    (TOWNS, _ungrounded),
)
