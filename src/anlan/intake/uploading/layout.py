"""The vocabulary of a layout: a table people keep, and what its rows become. One file a layout, in a folder `layouts`.

Every channel that reads tables is a layout besides, whose rows become reports.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from anlan.intake.channel import CHANNELS, Channel, Column, Example
from anlan.intake.files.unit import UNITS
from anlan.kernel import catalogue
from anlan.kernel.catalogue import Basis, Catalogue, Declaration, Kind
from anlan.kernel.refusals import Misdeclared, unknown
from anlan.kernel.text import Text

Target = Literal["reports", "sites", "statistics"]

NEEDED: Final[dict[Target, tuple[str, ...]]] = {
    "reports": (),
    "sites": ("name",),
    "statistics": ("figure", "area", "period", "value"),
}
"""The fields without which no row of a target can be understood."""


class Layout(Declaration):
    """A table whose rows become sites or figures.

    `number` is a template over fields by which a row is known again ("{code}"); where it gives nothing, `otherwise`.
    `defaults` stand in for fields that have no column at all (a list of rented houses need not say so in every row).
    `action` is what somebody must be allowed at the row's area.
    """

    title: Text
    summary: Text | None = None
    target: Literal["sites", "statistics"]
    time_zone: str
    number: str
    otherwise: str = ""
    defaults: dict[str, str] = {}
    action: str
    personal_days: int = Field(default=1095, ge=1)
    basis: Basis | None = None
    columns: dict[str, Column] = Field(min_length=1)
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        for field in NEEDED[self.target]:
            if field not in self.columns:
                raise Misdeclared(f"缺少 columns.{field}", f"columns.{field} is missing")
        for template in (self.number, self.otherwise):
            for name in fields_of(template):
                if name not in self.columns:
                    raise Misdeclared(f"number 里的「{name}」没有这一列", f"no column “{name}”, which `number` names")
        strays = self.defaults.keys() - self.columns.keys()
        if strays:
            raise Misdeclared("defaults 里有不存在的列", f"defaults name no column: {', '.join(sorted(strays))}")
        return self

    def as_channel(self) -> Channel:
        """What reads a row's cells: the columns as a channel has them."""
        columns = {
            field: column.model_copy(update={"default": self.defaults.get(field, column.default)})
            for field, column in self.columns.items()
        }
        return Channel.model_construct(
            key=self.key, title=self.title, kind="sheet", time_zone=self.time_zone, columns=columns, same_by="values",
            personal_days=self.personal_days, examples=self.examples,
        )  # fmt: skip


LAYOUTS: Final = Kind("layouts", Layout)


def fields_of(template: str) -> tuple[str, ...]:
    """The fields a template names."""
    return tuple(name for _, name, _, _ in string.Formatter().parse(template) if name)


@dataclass(frozen=True)
class Plan:
    """A layout as the wizard works with it, whatever its rows become."""

    key: str
    title: Text
    summary: Text | None
    target: Target
    action: str
    basis: Basis | None
    channel: Channel
    layout: Layout | None = None

    @property
    def columns(self) -> Mapping[str, Column]:
        """Its columns by field."""
        return self.channel.columns

    def heading(self, field: str) -> str:
        """What a field is called in the layout's own headings."""
        return self.columns[field].names[0]


def plans(known: Catalogue | None = None) -> dict[str, Plan]:
    """Every layout by its key: those declared, and every channel that reads tables."""
    known = known or catalogue.current()
    found = {
        key: Plan(key, each.title, each.summary, "reports", each.action, each.basis, each)
        for key, each in known.all(CHANNELS).items()
        if each.kind == "sheet"
    }
    for key, each in known.all(LAYOUTS).items():
        found[key] = Plan(key, each.title, each.summary, each.target, each.action, each.basis, each.as_channel(), each)
    return found


def strangers(layout: Layout, known: Catalogue) -> Iterator[tuple[str, Text]]:
    """The units a layout names that nobody declares, and a key that a channel has already."""
    yield from unit_strangers(layout.columns, known)
    if layout.key in known.all(CHANNELS):
        yield "key", Text(zh="已有一个渠道叫这个名字。", en="A channel has this key already.")


def unit_strangers(columns: Mapping[str, Column], known: Catalogue) -> Iterator[tuple[str, Text]]:
    """The units that columns name and nobody declares."""
    units = known.all(UNITS)
    for field, column in columns.items():
        if column.unit and column.unit not in units:
            yield f"columns.{field}.unit", unknown("单位", "unit", column.unit, units)
