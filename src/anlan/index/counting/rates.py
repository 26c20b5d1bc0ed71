"""Shares: what share of what, declared in one file each, worked out from sums that somebody else has counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field, field_validator

from anlan.casework.contribution import COLUMNS
from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Text


class Share(Declaration):
    """A share: the sum of the columns above the line over the sum of those below it.

    A column is one of a tally's, taken off where "-" stands before it. `better` says which way is good; `summary` what
    is counted, in words that can stand beside the figure.
    """

    title: Text
    summary: Text
    numerator: tuple[str, ...] = Field(min_length=1)
    denominator: tuple[str, ...] = Field(min_length=1)
    better: Literal["up", "down"]
    order: int = 100
    basis: Basis

    @field_validator("numerator", "denominator")
    @classmethod
    def _counted(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [column for column in columns if column.removeprefix("-") not in COLUMNS]
        if wrong:
            raise Misdeclared(
                f"没有这样的计数：{'、'.join(wrong)}。可用的有：{'、'.join(COLUMNS)}。",
                f"There is no such count: {', '.join(wrong)}. There are: {', '.join(COLUMNS)}.",
            )
        return columns


SHARES: Final = Kind("shares", Share)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share and what it came from; `value` is None where there was nothing to take a share of."""

    value: float | None
    numerator: int
    denominator: int


def rate(declared: Share, sums: Mapping[str, int]) -> Rate:
    """The share of these sums. Raises KeyError when a column is missing."""
    numerator, denominator = _total(declared.numerator, sums), _total(declared.denominator, sums)
    return Rate(numerator / denominator if denominator else None, numerator, denominator)


def rates(shares: Mapping[str, Share], sums: Mapping[str, int]) -> dict[str, Rate]:
    """Every share of these sums, by key."""
    return {key: rate(declared, sums) for key, declared in shares.items()}


def in_order(shares: Mapping[str, Share]) -> list[Share]:
    """As they stand in a table: by `order`, then by key."""
    return sorted(shares.values(), key=lambda declared: (declared.order, declared.key))


def _total(columns: tuple[str, ...], sums: Mapping[str, int]) -> int:
    return sum(-sums[column[1:]] if column.startswith("-") else sums[column] for column in columns)
