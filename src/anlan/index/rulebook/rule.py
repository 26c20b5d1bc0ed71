"""The vocabulary of rule tables: what takes points off an area's score, or gives some. A table is one file in `rules/`.

A rule looks at one of four things: what happened (`event`: rows of a fact table), a value against a mark (`value`), a
change against an earlier period (`change`), or who came last (`bottom`). A multiplier makes some of what happened count
more: because it happened again, within a key period, or because of what the row says. Groups have caps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from anlan.index.counting import expression
from anlan.index.counting.period import PeriodKind
from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.refusals import Misdeclared, nearest
from anlan.kernel.text import Refusal, Text

RULE_KEY: Final = r"^[A-Za-z0-9][A-Za-z0-9_\-]*$"
_AGAIN: Final = re.compile(r"year|days:[1-9]\d{0,3}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tier(_Part):
    """So many points where the amount lies from `at_least` to `at_most`, both included; no `at_most`: upwards."""

    at_least: float
    at_most: float | None = None
    points: float

    def holds(self, amount: float) -> bool:
        return self.at_least <= amount and (self.at_most is None or amount <= self.at_most)


class Happened(_Part):
    """Rows of a fact table, each of which is one happening.

    `where` selects them (the grammar of indicators), and of a table that keeps what was corrected only what is current.
    `date` is the column that tells when, `amount` the one that tells how much (deaths, the points an upper level took
    off), `times` the one that tells how many times the row counts; without it, once. With `by` the rows of an area that
    agree in these columns are one happening, and its amount is how many rows, or the sum of `amount`. `same` names
    columns that must agree for a second happening to be "again", whichever rule counts it; without, the rule must.
    """

    table: str
    where: str = ""
    date: str
    amount: str = ""
    times: str = ""
    by: tuple[str, ...] = ()
    same: tuple[str, ...] = ()

    @field_validator("where")
    @classmethod
    def _sayable(cls, where: str) -> str:
        return _condition(where)


class Valued(_Part):
    """A value of an indicator of the index, or a figure as it was told, by how much it lies on one side of a mark.

    The mark is a number, or another figure (`mark_figure`): of the area itself, else of the nearest area above that has
    one; `mark_from` says of which period. A figure not told for the period is the latest before it, at most `carry`
    months old. What lies beyond `until` is not counted: another rule may. Points are for each `per`; `counting` "whole"
    counts only full ones.
    """

    indicator: str = ""
    figure: str = ""
    mark: float | None = None
    mark_figure: str = ""
    mark_from: Literal["period", "last_period", "last_year"] = "period"
    side: Literal["below", "above"] = "below"
    until: float | None = None
    carry: int = Field(default=0, ge=0, le=240)
    per: float = Field(default=1.0, gt=0)
    counting: Literal["exact", "whole"] = "exact"

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if bool(self.indicator) == bool(self.figure):
            raise Misdeclared("写 indicator 或 figure，只写一个。", "Give either `indicator` or `figure`.")
        if (self.mark is None) == (not self.mark_figure):
            raise Misdeclared("写 mark 或 mark_figure，只写一个。", "Give either `mark` or `mark_figure`.")
        if self.until is not None and self.mark is not None and (self.until < self.mark) != (self.side == "below"):
            raise Misdeclared("until 应在 mark 的同一侧。", "`until` must lie on the counted side of `mark`.")
        return self


class Step(_Part):
    """So many points where the change is more than this; of several steps only the farthest counts."""

    more_than: float = Field(ge=0)
    points: float


class Changed(_Part):
    """How far a figure, an indicator or the area's own place among its peers moved since an earlier period.

    `better` says which way is good; a place is better when it is smaller.
    """

    indicator: str = ""
    figure: str = ""
    place: bool = False
    carry: int = Field(default=0, ge=0, le=240)
    since: Literal["last_period", "last_year"] = "last_period"
    better: Literal["up", "down"] = "down"
    worse: tuple[Step, ...] = ()
    improved: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if [bool(self.indicator), bool(self.figure), self.place].count(True) != 1:
            raise Misdeclared(
                "写 indicator、figure 或 place = true，只写一个。",
                "Give one of `indicator`, `figure` and `place = true`.",
            )
        if not self.worse and not self.improved:
            raise Misdeclared("写 worse 或 improved。", "Give `worse` or `improved`.")
        return self


class Bottom(_Part):
    """The last so many of a ranking, each time.

    `of` names the kind of ranking: this index's editions of that kind whose period ends within the period; of the
    period's own kind it is the ranking before any points were taken off.
    """

    last: int = Field(ge=1)
    of: PeriodKind
    among: str = ""
    """Only among these peers, by the key of their group or the level of the area."""


class Rule(_Part):
    """One line of a table.

    `points` (negative takes off) are for each happening, each `per` of a value, each time at the bottom; `tiers` give
    them by the amount, and `share` is that part of the amount (negative takes off). `empties`: one happening leaves
    nothing of the score (100 − 1 = 0). `levels` are the levels of area it is charged to; none: every scored area it
    lies in. `most`: the most points this rule alone takes or gives in a period.
    """

    key: str = Field(pattern=RULE_KEY, max_length=40)
    title: Text
    points: float = 0.0
    tiers: tuple[Tier, ...] = ()
    share: float | None = Field(default=None, ge=-10, le=10)
    at_least: float | None = None
    empties: bool = False
    most: float | None = Field(default=None, gt=0)
    group: str = ""
    levels: tuple[str, ...] = ()
    basis: Basis | None = None
    note: Text | None = None
    event: Happened | None = None
    value: Valued | None = None
    change: Changed | None = None
    bottom: Bottom | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.event, self.value, self.change, self.bottom].count(None) != 3:
            raise Misdeclared(
                f"{self.key}：写 event、value、change、bottom 中的一个。",
                f"{self.key}: give one of `event`, `value`, `change` and `bottom`.",
            )
        given = [bool(self.points), bool(self.tiers), self.share is not None, self.empties]
        wanted = 0 if self.change else 1
        if given.count(True) != wanted:
            raise Misdeclared(
                f"{self.key}：points、tiers、share、empties 只写一个；change 的分写在各档里。",
                f"{self.key}: give one of `points`, `tiers`, `share` and `empties`; a change has them in its steps.",
            )
        if (self.tiers or self.share is not None or self.at_least is not None) and not self.event:
            raise Misdeclared(
                f"{self.key}：tiers、share、at_least 只用于 event。", f"{self.key}: only an event has an amount."
            )
        return self

    @model_validator(mode="after")
    def _apart(self) -> Self:
        ends = sorted((tier.at_least, float("inf") if tier.at_most is None else tier.at_most) for tier in self.tiers)
        if any(high < low for low, high in ends) or any(a[1] >= b[0] for a, b in pairwise(ends)):
            raise Misdeclared(f"{self.key}：各档不能重叠。", f"{self.key}: the tiers overlap.")
        return self


class Group(_Part):
    """Rules that together take off at most `most` points, or give at most so many."""

    title: Text
    most: float = Field(gt=0)


class Multiplier(_Part):
    """Makes happenings of these rules count `factor` times.

    `again`: the same happened before in the area, since New Year ("year") or in so many days ("days:90").
    `key_periods`: it happened on a day of the table's key periods. `where`: the row says so. Any one of them is enough.
    """

    key: str = Field(pattern=RULE_KEY, max_length=40)
    title: Text
    factor: float = Field(gt=1, le=10)
    rules: tuple[str, ...] = Field(min_length=1)
    again: str = ""
    key_periods: bool = False
    where: str = ""
    basis: Basis | None = None

    @field_validator("again")
    @classmethod
    def _known(cls, again: str) -> str:
        if again and not _AGAIN.fullmatch(again):
            raise Misdeclared("again 写 year 或 days:90 这样的天数。", "`again` is year, or days such as days:90.")
        return again

    @field_validator("where")
    @classmethod
    def _sayable(cls, where: str) -> str:
        return _condition(where)


class KeyPeriod(_Part):
    """Days in which the same counts more."""

    title: Text
    first: date
    last: date


class Consequence(_Part):
    """What follows when an area has had one band so many periods running; of one band only the farthest reached."""

    key: str = Field(pattern=RULE_KEY, max_length=40)
    title: Text
    band: str
    running: int = Field(ge=1)
    reward: bool = False
    basis: Basis | None = None


class RuleTable(Declaration):
    """One table. `index` is the index it belongs to ("" = none; it is an example to copy).

    `together` says what several multipliers on one happening make: the largest alone, or their product. The score stays
    within `floor` and `ceiling`, where they are given; what that gives back is a line of its own.
    """

    title: Text
    summary: Text
    index: str = ""
    rules: tuple[Rule, ...] = ()
    groups: dict[str, Group] = Field(default_factory=dict)
    multipliers: tuple[Multiplier, ...] = ()
    together: Literal["largest", "product"] = "largest"
    key_periods: tuple[KeyPeriod, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    floor: float | None = 0.0
    ceiling: float | None = None
    order: int = 100
    basis: Basis
    note: Text | None = None

    @model_validator(mode="after")
    def _resolved(self) -> Self:
        keys = [rule.key for rule in self.rules] + [multiplier.key for multiplier in self.multipliers]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            raise Misdeclared(f"“{key}”写了两次。", f"“{key}” stands here twice.")
        for rule in self.rules:
            _known_in([rule.group] if rule.group else [], self.groups, zh="分组", en="group", by=rule.key)
        happened = {rule.key for rule in self.rules if rule.event}
        for multiplier in self.multipliers:
            _known_in(multiplier.rules, happened, zh="看事件的规则", en="rule about happenings", by=multiplier.key)
        return self

    @model_validator(mode="after")
    def _no_fines(self) -> Self:
        try:
            expression.refuse_fines(*_words(self))
        except Refusal as refusal:
            raise Misdeclared(refusal.text.zh, refusal.text.en) from refusal
        return self

    def rule(self, key: str) -> Rule:
        """The rule `key`. Raises KeyError."""
        return next((rule for rule in self.rules if rule.key == key), None) or _missing(key)


RULES: Final = Kind("rules", RuleTable)


def of_index(tables: Iterable[RuleTable], index: str) -> list[RuleTable]:
    """The tables of an index in the order in which they are applied."""
    return sorted((table for table in tables if table.index == index), key=lambda table: (table.order, table.key))


def _words(table: RuleTable) -> Iterator[str]:
    """Everything in a table that could bring a fine in: names, conditions, columns and figures."""
    for rule in table.rules:
        yield from (rule.title.zh, rule.title.en)
        if rule.event:
            yield from (rule.event.where, rule.event.amount, rule.event.times, *rule.event.by)
        for source in (rule.value, rule.change):
            if source:
                yield from (source.figure, source.indicator)
    for multiplier in table.multipliers:
        yield multiplier.where


def _condition(where: str) -> str:
    """The condition as given; its columns are asked when it meets its table."""
    try:
        expression.condition(where)
    except Refusal as refusal:
        raise Misdeclared(refusal.text.zh, refusal.text.en) from refusal
    return where


def _known_in(keys: Iterable[str], known: Iterable[str], *, zh: str, en: str, by: str) -> None:
    listed = sorted(known)
    for key in keys:
        if key not in listed:
            near = nearest(key, listed)
            raise Misdeclared(f"{by}：没有{zh}“{key}”{near.zh}", f"{by}: there is no {en} “{key}”{near.en}")


def _missing(key: str) -> Rule:
    raise KeyError(key)
