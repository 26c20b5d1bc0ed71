"""The vocabulary of a procedure: what a town declares, and the engine reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anlan.kernel.catalogue import Basis, Catalogue, Declaration, Kind, current
from anlan.kernel.text import Refusal, Text
from anlan.kernel.workdays import Unit

Stage = Literal["intake", "registration", "dispatch", "handling", "feedback", "check", "closed"]
Outcome = Literal["", "cured", "answered", "merged", "refused", "void", "escalated"]
Effect = Literal[
    "move", "assign", "assist", "assist_done", "return", "rework", "ask_extension", "grant_extension",
    "refuse_extension", "hang", "resume", "merge", "split", "reopen", "note",
]  # fmt: skip
FieldType = Literal[
    "text", "longtext", "choice", "date", "number", "yes_no", "department", "departments", "officer", "case", "topic"
]
BACK = "@back"
ANY = "*"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Length(_Part):
    """So much time, in a unit of the working calendar."""

    n: float = Field(gt=0)
    unit: Unit


class Who(_Part):
    """Who may act: one of these roles over the case's area, in this office, and none of those who did `but_not`."""

    roles: tuple[str, ...] = Field(min_length=1)
    office: Literal["any", "lead", "assisting", "party"] = "any"
    but_not: tuple[str, ...] = ()


class Choice(_Part):
    key: str
    title: Text


class FormField(_Part):
    """One thing the person acting fills in; where `public`, whoever reported reads it too."""

    key: str
    label: Text
    type: FieldType = "text"
    required: bool = True
    choices: tuple[Choice, ...] = ()
    hint: Text | None = None
    public: bool = False


class Photos(_Part):
    """Photos an act needs: of which stage, and how many at least."""

    stage: Literal["before", "after"]
    at_least: int = 1


class Step(_Part):
    """A place where a case can stand. A step with an outcome is final.

    Whoever reported reads `public` when the case stands there, and `ahead` (else the title) while that comes next.
    """

    title: Text
    public: Text
    ahead: Text | None = None
    stage: Stage
    outcome: Outcome = ""
    owner: Who | None = None

    @property
    def final(self) -> bool:
        return bool(self.outcome)


class Act(_Part):
    """Something a person may do to a case. `to` empty: the case stays; "@back": where it was before it was hung.

    `public` is what whoever reported is told of it, in place of the new step's own words. `reporter` says that they may
    do it themself, without an account: it "rates" (their satisfaction is recorded), "objects" (they are not satisfied,
    and the case is taken up once more) or "adds" (they tell something more, or the system does by which they reported).
    `verdict` is what the act finds of an alarm.
    """

    title: Text
    steps: tuple[str, ...] = Field(min_length=1)
    to: str = ""
    effect: Effect = "move"
    who: Who
    fields: tuple[FormField, ...] = ()
    photos: Photos | None = None
    place: Literal["no", "optional", "required"] = "no"
    at_most: int = 0
    fixes: bool = False
    proves: bool = False
    public: Text | None = None
    reporter: Literal["", "rates", "objects", "adds"] = ""
    verdict: Literal["", "real", "false"] = ""
    basis: Basis | None = None


class Rung(_Part):
    """One rung of the escalation ladder: at a fraction of the time, or so long before or after it is due."""

    at: float | None = Field(default=None, gt=0)
    before: Length | None = None
    after: Length | None = None
    tell: tuple[str, ...] = Field(min_length=1)
    level: str = ""

    @model_validator(mode="after")
    def _one_moment(self) -> Rung:
        if sum(x is not None for x in (self.at, self.before, self.after)) != 1:
            raise ValueError("give exactly one of at, before, after / at、before、after 只写一个")
        return self


class Extension(_Part):
    """How often and how far a clock may be extended, in the clock's own unit."""

    at_most: int = 1
    longest: float = Field(gt=0)


class Clock(_Part):
    """A time limit: it runs and pauses on steps, and has stopped on every other one.

    `again` says what a stopped clock does when it runs once more: keep its deadline, or start anew.
    `due_field` takes the deadline from a date the starting act was given.
    """

    title: Text
    runs: tuple[str, ...] = Field(min_length=1)
    pauses: tuple[str, ...] = ()
    length: Length
    by_topic: Mapping[str, float] = {}
    due_field: str = ""
    again: Literal["keep", "anew"] = "keep"
    warn: float = Field(default=0.75, gt=0, lt=1)
    kind: Literal["internal", "statutory", "promised"] = "internal"
    counts: Literal["", "handle", "close", "register", "dispatch", "verify"] = ""
    extension: Extension | None = None
    ladder: tuple[Rung, ...] = ()
    basis: Basis


class Example(_Part):
    """One step of the walk that is run as this procedure's own test. `by` is a role, with #2 for a second person."""

    by: str
    act: str
    leads_to: str
    department: str = Field(default="", pattern=r"^\d*$")
    minutes: int = 60
    data: Mapping[str, str | int | float | bool | list[str]] = {}


class Procedure(Declaration):
    """One way of dealing with a kind of case, in one edition. The roles in `tell` are told of every new case."""

    edition: str
    effective_from: date
    effective_to: date | None = None
    title: Text
    summary: Text
    prefix: str
    first: str
    tell: tuple[str, ...] = ()
    steps: Mapping[str, Step]
    acts: Mapping[str, Act]
    clocks: Mapping[str, Clock]
    assisting: Length | None = None
    basis: tuple[Basis, ...] = ()
    example: tuple[Example, ...] = ()

    @property
    def identity(self) -> str:
        return f"{self.key}@{self.edition}"


PROCEDURES = Kind("procedures", Procedure)


class NoProcedure(Refusal):
    """No such procedure, or none in force on that day."""


def of(key: str, edition: str) -> Procedure:
    """The procedure `key` in exactly that edition: a case keeps the one it was opened under."""
    return current().get(PROCEDURES, f"{key}@{edition}")


def has_edition(key: str, day: date) -> bool:
    """Whether an edition of `key` is in force on `day`."""
    return bool(_editions(current(), key, day))


def _editions(declared: Catalogue, key: str, day: date) -> list[Procedure]:
    return [
        p
        for p in declared.all(PROCEDURES).values()
        if p.key == key and p.effective_from <= day and (p.effective_to is None or day <= p.effective_to)
    ]


def in_force(key: str, day: date) -> Procedure:
    """The newest edition of `key` in force on `day`."""
    return _newest(current(), key, day)


@lru_cache(maxsize=4096)
def _newest(declared: Catalogue, key: str, day: date) -> Procedure:
    editions = _editions(declared, key, day)
    if not editions:
        raise NoProcedure(
            f"{day} 没有生效的流程“{key}”。请检查程序文件的 key 和 effective_from。",
            f"No procedure '{key}' is in force on {day}. Check the key and effective_from of its file.",
            field="procedure",
        )
    return max(editions, key=lambda p: (p.effective_from, p.edition))
