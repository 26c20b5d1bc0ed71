"""The vocabulary of integrity signals: what stands beside a score, never in it. Each is one file in `signals/`."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anlan.index.counting.indicator import Measure
from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Text


class Part(BaseModel):
    """A share of counts: `numerator` of `denominator`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    numerator: Measure
    denominator: Measure

    @model_validator(mode="after")
    def _counted(self) -> Self:
        for measure in self.sides:
            if measure.measure not in ("count", "stock"):
                raise Misdeclared("信号只计行数（count 或 stock）。", "A signal counts rows (count or stock).")
        return self

    @property
    def sides(self) -> tuple[Measure, Measure]:
        """What is counted above the line and below it."""
        return self.numerator, self.denominator


class Signal(Declaration):
    """Something that makes a score less sure to be what it seems.

    "share": `part` is more than `threshold`. "apart": what `part` counts above its line fell against the period before
    by more than `threshold`, while the share `against` rose. Fewer than `at_least` below the line say nothing. `ask` is
    what a person should look at; the signal itself proves nothing.
    """

    title: Text
    summary: Text
    ask: Text
    method: Literal["share", "apart"] = "share"
    part: Part
    against: Part | None = None
    threshold: float = Field(ge=0, lt=1)
    at_least: int = Field(default=10, ge=1)
    order: int = 100
    basis: Basis

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.method == "apart") != (self.against is not None):
            raise Misdeclared("apart 要写 against，share 不写。", "“apart” needs `against`, “share” takes none.")
        return self

    @property
    def parts(self) -> tuple[tuple[str, Part], ...]:
        """Its shares, each with the key it stands under."""
        return (("part", self.part), *([("against", self.against)] if self.against else []))


SIGNALS: Final = Kind("signals", Signal)
