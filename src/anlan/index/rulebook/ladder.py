"""The ladder of years: what so many years passed in a row are worth, and where a break leaves one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Text

_DIGITS: Final = "零一二三四五六七八九"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rung(_Part):
    """What so many years in a row are called."""

    years: int = Field(ge=1)
    title: Text


class Beyond(_Part):
    """After the last rung: `every` so many years beyond `after` one more; {n} in the title is which."""

    after: int = Field(ge=1)
    every: int = Field(ge=1)
    title: Text


class Ladder(Declaration):
    """A year is passed with at least `pass_mark` of `out_of` points, and without a veto. `index` "": of every index.

    A year not passed breaks the row: `reset` "start" begins anew, "rung" falls to the years of the rung below.
    """

    title: Text
    summary: Text
    index: str = ""
    pass_mark: float
    out_of: float = Field(default=100.0, gt=0)
    reset: Literal["start", "rung"] = "start"
    rungs: tuple[Rung, ...] = Field(min_length=1)
    beyond: Beyond | None = None
    basis: Basis
    note: Text | None = None

    @model_validator(mode="after")
    def _rising(self) -> Self:
        years = [rung.years for rung in self.rungs]
        if years != sorted(set(years)):
            raise Misdeclared("rungs 的年数要从小到大。", "The years of the rungs must rise.")
        if self.beyond and self.beyond.after < years[-1]:
            raise Misdeclared("beyond.after 不能小于最后一级。", "`beyond.after` cannot lie before the last rung.")
        return self

    def passes(self, score: float | None, *, vetoed: bool = False) -> bool:
        """Whether a year's score, on the index's own 0 to 100, is enough; one without a score is not passed."""
        return score is not None and not vetoed and score * self.out_of / 100.0 >= self.pass_mark

    def called(self, years: int) -> Text | None:
        """What so many years in a row are called; None below the first rung."""
        last = self.beyond
        if last and years >= last.after + last.every:
            n = (years - last.after) // last.every
            return Text(zh=last.title.zh.format(n=_chinese(n)), en=last.title.en.format(n=n))
        reached = [rung.title for rung in self.rungs if rung.years <= years]
        return reached[-1] if reached else None

    def next_at(self, years: int) -> int | None:
        """The number of years in a row at which the next rung is reached; None at the top."""
        ahead = [rung.years for rung in self.rungs if rung.years > years]
        if ahead:
            return ahead[0]
        last = self.beyond
        return last.after + ((years - last.after) // last.every + 1) * last.every if last else None


LADDERS: Final = Kind("ladders", Ladder)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an area stands: years in a row up to the last one told, what that is called, and what is next.

    `broken_in` is the last year that was not passed, if any; `next_in` how many more years the next rung takes.
    """

    years: int
    title: Text | None
    next_title: Text | None
    next_in: int | None
    broken_in: int | None


def standing(ladder: Ladder, passed: Mapping[int, bool]) -> Standing:
    """Where these years lead, the oldest first. A year between them of which nothing is told breaks the row."""
    years, broken = 0, None
    for year in range(min(passed), max(passed) + 1) if passed else ():
        if passed.get(year, False):
            years += 1
        else:
            years, broken = _fallen(ladder, years), year
    ahead = ladder.next_at(years)
    return Standing(
        years=years,
        title=ladder.called(years),
        next_title=None if ahead is None else ladder.called(ahead),
        next_in=None if ahead is None else ahead - years,
        broken_in=broken,
    )


def _fallen(ladder: Ladder, years: int) -> int:
    if ladder.reset == "start":
        return 0
    reached = [rung.years for rung in ladder.rungs if rung.years <= years]
    return reached[-2] if len(reached) > 1 else 0


def _chinese(number: int) -> str:
    """1 to 99 as written in Chinese."""
    tens, ones = divmod(number, 10)
    return ("" if not tens else ("" if tens == 1 else _DIGITS[tens]) + "十") + (
        _DIGITS[ones] if ones or not tens else ""
    )
