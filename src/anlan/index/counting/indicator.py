"""Indicators of an index: what is counted of which facts, over what, in which window, and how it is scored."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from anlan.index.counting.expression import condition, refuse_fines
from anlan.index.scoring.normalise import Normalising
from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Refusal, Text

MEASURED: Final = ("sum", "distinct", "average", "median", "quantile")
"""The measures of a column."""
_WINDOW: Final = r"^(period|year_to_date|year|days:[1-9][0-9]{0,3})$"


class Measure(BaseModel):
    """What is counted of one fact table.

    - `count`: rows; `sum`, `distinct`, `average`, `median`, `quantile` of `column`, rows where it is null left out. A
      quantile lies between the two nearest values, in proportion (DuckDB's `quantile_cont`); a median is that at 0.5.
    - `stock`: rows there at the period's end: `date` not after it, `until` after it or never.
    - `given`: a figure as it was given: that of the period, else the latest before it, at most `carry` months old. An
      area without one has the sum of those of its children if all of them have one, unless `children` is "none".

    A row belongs to the window in which its `date` lies. "" for `date` reads a snapshot table as it stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    measure: Literal["count", "sum", "distinct", "average", "median", "quantile", "stock", "given"] = "count"
    column: str = ""
    quantile: float | None = Field(default=None, gt=0, lt=1)
    where: str = ""
    date: str = ""
    until: str = ""
    carry: int = Field(default=0, ge=0, le=240)
    children: Literal["sum", "none"] = "sum"

    @field_validator("where")
    @classmethod
    def _said(cls, where: str) -> str:
        _told(lambda: refuse_fines(where))
        _told(lambda: condition(where))
        return where

    @field_validator("column")
    @classmethod
    def _fineless(cls, column: str) -> str:
        _told(lambda: refuse_fines(column))
        return column

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.measure in MEASURED and not self.column:
            raise Misdeclared(f"{self.measure} 要写 column。", f"{self.measure} needs a `column`.")
        if self.measure in {"count", "stock"} and self.column:
            raise Misdeclared(f"{self.measure} 不用 column。", f"{self.measure} takes no `column`.")
        if (self.measure == "quantile") != (self.quantile is not None):
            raise Misdeclared("quantile 要写分位数，别的不写。", "A quantile says which one; nothing else does.")
        if (self.measure == "stock") != bool(self.until):
            raise Misdeclared("存量要写 until，别的不写。", "A stock says `until` when; nothing else does.")
        if self.measure == "stock" and not self.date:
            raise Misdeclared("存量要写 date。", "A stock needs a `date`.")
        return self

    @property
    def read(self) -> str:
        """The column that is measured; "" when rows are counted."""
        return self.column or ("value" if self.measure == "given" else "")

    @property
    def told(self) -> bool:
        """Whether it comes as a figure, and is not counted."""
        return self.measure == "given"

    @property
    def additive(self) -> bool:
        """Whether an area's figure is the sum of its parts' figures."""
        return self.measure in {"count", "sum", "stock"}


class Example(BaseModel):
    """Rows, and the value a person gets from them by hand for the area `area_path` ("" for the whole they lie in).

    Columns that are not written are null. `value` is left out where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: str
    rows: tuple[dict[str, Any], ...] = ()
    denominator_rows: tuple[dict[str, Any], ...] = ()
    area_path: str = ""
    value: float | None = None


class Indicator(Declaration):
    """One figure of an index: `numerator` / `denominator` * `per`, carried up the areas and divided last.

    Without a denominator the value is the numerator * `per`; an average then has its sum as numerator and its rows as
    denominator. `window` is what of time belongs to a period: the period itself, the `days:n` or the twelve months up
    to its end, or the year up to its end. `compare` gives the change against the period before or the same period of
    last year, in percent, in place of the value.

    `missing` is for an area of which no row at all tells; `zero_denominator` for one with nothing to divide by, and for
    the average or quantile of no rows. Below `min_denominator` a value is too small to be scored by itself.
    """

    index: str = ""
    parent: str = ""
    title: Text
    summary: Text
    department: str = ""
    unit: Text
    better: Literal["up", "down"]
    order: int = 100
    weight: float = Field(default=1.0, ge=0)
    standing: Literal["recorded", "statistics"] = "recorded"
    basis: Basis
    note: Text | None = None
    numerator: Measure
    denominator: Measure | None = None
    per: float = Field(default=1.0, gt=0)
    window: str = Field(default="period", pattern=_WINDOW)
    compare: Literal["", "last_period", "last_year"] = ""
    zero_denominator: Literal["missing", "good", "bad", "zero"] = "missing"
    missing: Literal["", "zero", "missing", "good", "bad"] = ""
    min_denominator: float = Field(default=0, ge=0)
    shrink_to: str = ""
    score: Normalising | None = None
    examples: tuple[Example, ...] = ()

    @field_validator("title", "summary", "unit")
    @classmethod
    def _fineless(cls, text: Text) -> Text:
        _told(lambda: refuse_fines(text.zh, text.en))
        return text

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _told(lambda: refuse_fines(self.key))
        if self.min_denominator and self.denominator is None and self.numerator.measure != "average":
            raise Misdeclared("没有分母，不能写 min_denominator。", "`min_denominator` needs a denominator.")
        if self.shrink_to and not (self.min_denominator and self.denominator):
            raise Misdeclared(
                "shrink_to 要有分母和 min_denominator。", "`shrink_to` needs a denominator and a `min_denominator`."
            )
        if self.numerator.told and self.window != "period":
            raise Misdeclared("given 不按窗口累计。", "A given figure is not added up over a window.")
        return self

    @property
    def measures(self) -> tuple[tuple[str, Measure], ...]:
        """Its measures, each with the key it stands under."""
        above = ("numerator", self.numerator)
        return (above, ("denominator", self.denominator)) if self.denominator else (above,)

    @property
    def absent(self) -> str:
        """What is done where no row at all tells: `missing`, or what is usual for such a numerator."""
        return self.missing or ("missing" if self.numerator.told else "zero")


INDICATORS: Final = Kind("indicators", Indicator)


def _told(asked: Any) -> None:
    """What is refused in a vocabulary's own words, told beside the field."""
    try:
        asked()
    except Refusal as refusal:
        raise Misdeclared(refusal.text.zh, refusal.text.en) from refusal
