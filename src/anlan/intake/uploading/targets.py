"""What the rows of an upload become: reports through the one door, sites, or figures. Looked at first, taken later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from anlan.intake.door import OUT_OF_REACH, Door, ReceivedRow
from anlan.intake.location import Tree, tree
from anlan.intake.models import Batch, Report
from anlan.intake.reading import Reason
from anlan.intake.uploading.layout import Plan
from anlan.kernel.text import Text
from anlan.places import areas
from anlan.places.models import Officer
from anlan.places.record import day_of
from anlan.places.scope import Reach

Kind = Literal["good", "repeated", "changed", "bad"]
Messages = Sequence[tuple[int, Mapping[str, str]]]


@dataclass(slots=True)
class Verdict:
    """What a row is: good, received before, received before with other content (`before`), or bad, with the reasons."""

    row_no: int
    kind: Kind
    reasons: tuple[Reason, ...] = ()
    before: Mapping[str, str] | None = None
    held: UUID | None = None


class Target(Protocol):
    """Where rows of one layout go."""

    def look(self, rows: Messages) -> list[Verdict]:
        """What `take` would do; nothing is written."""

    def take(self, rows: Messages) -> list[Verdict]:
        """The good and the changed rows are taken, whatever is bad is left. Belongs in a transaction."""


@dataclass(frozen=True)
class Taking:
    """By whom, when, within which reach and as which file rows are taken."""

    by: Officer
    at: datetime
    reach: Reach
    batch: Batch | None = None


class Reports:
    """Rows that become reports. A bad one waits among the held messages, and so does one that says something else under
    a number that was received before: no report is ever overwritten.
    """

    def __init__(self, plan: Plan, taking: Taking) -> None:
        self._door = Door(plan.channel, by=taking.by, at=taking.at, batch=taking.batch, reach=taking.reach)

    def look(self, rows: Messages) -> list[Verdict]:
        found = self._door.look(rows)
        against = {row.against for row in found if row.against}
        before = dict(Report.objects.filter(pk__in=against).values_list("pk", "raw")) if against else {}
        return [replace(_verdict(row, before), held=None) for row in found]

    def take(self, rows: Messages) -> list[Verdict]:
        return [_verdict(row, {}) for row in self._door.take(rows)]


def _verdict(row: ReceivedRow, before: Mapping[UUID, Any]) -> Verdict:
    number = row.row_no or 0
    if row.repeated:
        return Verdict(number, "repeated")
    if row.against is not None:
        return Verdict(number, "changed", row.reasons, before.get(row.against), row.held)
    if row.reasons:
        return Verdict(number, "bad", row.reasons, None, row.held)
    return Verdict(number, "good")


@dataclass
class AreaNames:
    """Areas as people write them: by code, or by a name that only one of them has."""

    tree: Tree
    names: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def on(cls, at: datetime) -> AreaNames:
        """The areas on the day of `at`."""
        found = cls(tree(at=at))
        for code, zh, en in areas.at_day(day_of(at)).values_list("code", "name_zh", "name_en"):
            for name in {zh, en}:
                found.names.setdefault(name.casefold(), []).append(code)
        return found

    def code(self, told: str) -> str:
        """The code that `told` means; `told` itself where it means none, or more than one."""
        plain = told.strip()
        if plain in self.tree.paths:
            return plain
        codes = self.names.get(plain.casefold(), [])
        return codes[0] if len(codes) == 1 else plain

    def reason(self, told: str, column: str) -> Reason:
        """Why `told` names no area."""
        several = len(self.names.get(told.strip().casefold(), [])) > 1
        shown = told.strip()[:40]
        zh = "有几个辖区叫这个名字，请写编码" if several else "没有这个辖区，请写它的编码或全名"
        en = (
            "several areas have this name; write its code"
            if several
            else "there is no such area; write its code or its full name"
        )
        return Reason(
            "area", column, Text(zh=f"「{column}」写的是“{shown}”：{zh}。", en=f"“{column}” says “{shown}”: {en}.")
        )


def out_of_reach(column: str) -> Reason:
    """Why a row of a place outside somebody's area is not taken."""
    text = Text(
        zh="这个辖区不在您的职责范围内：请核对，或由当地人员导入。",
        en="This area is outside your duties: check it, or let somebody there import it.",
    )
    return Reason(OUT_OF_REACH, column, text)
