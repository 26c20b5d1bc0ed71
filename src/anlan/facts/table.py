"""Fact tables: which columns a table of facts has, what each means, and from which events its rows come.

A table is one file. Its columns are what anybody reads who opens the Parquet without Anlan: add columns, never rename
one. No table holds personal data: a column declared as personal is refused.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from anlan.kernel.catalogue import Declaration, Kind
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Text

Type = Literal["string", "int", "double", "bool", "date", "moment"]
Privacy = Literal["public", "internal", "personal"]

TYPES: Final[dict[Type, Text]] = {
    "string": Text(zh="文字", en="text"),
    "int": Text(zh="整数（64 位）", en="whole number (64 bit)"),
    "double": Text(zh="小数（双精度）", en="number (double)"),
    "bool": Text(zh="是／否", en="yes or no"),
    "date": Text(zh="日期（本地）", en="date (local)"),
    "moment": Text(zh="时刻（UTC）", en="moment (UTC)"),
}
PRIVACY: Final[dict[Privacy, Text]] = {
    "public": Text(zh="可公开", en="public"),
    "internal": Text(zh="内部", en="internal"),
    "personal": Text(zh="个人信息", en="personal"),
}


VALUE: Final = r"^(|id|subject|kind|area_path|at|at_date|recorded_at|recorded_date|data(\.[A-Za-z0-9_]+)+)$"


class Column(BaseModel):
    """One column. `null` says that it may be empty; a text that is not known is '' and never null.

    `keep_months` is how long it is kept, counted from the month it lies in (0: as long as the ledger is); `events` are
    the kinds it follows from, where they are fewer than those of the table.

    In a table that is nothing but a declaration `value` says where each column stands in the event: `id`, `subject`,
    `kind`, `area_path`, `at`, `at_date`, `recorded_at`, `recorded_date`, or `data.…` with the name within its data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)
    type: Type
    title: Text
    summary: Text | None = None
    unit: Text | None = None
    null: bool = False
    privacy: Privacy = "internal"
    keep_months: int = Field(default=0, ge=0)
    events: tuple[str, ...] = ()
    value: str = Field(default="", pattern=VALUE)

    @field_validator("privacy")
    @classmethod
    def _not_personal(cls, privacy: Privacy) -> Privacy:
        if privacy == "personal":
            raise Misdeclared(
                "事实表不含个人信息：姓名、电话、诉求原文都不导出，请去掉这一列。",
                "A table of facts holds no personal data: names, phones and people's own words stay out. Drop it.",
            )
        return privacy

    @model_validator(mode="after")
    def _can_be_emptied(self) -> Column:
        if self.keep_months and not (self.null or self.type == "string"):
            raise Misdeclared(
                "写了 keep_months 的列到期要清空，请同时写 null = true。",
                "A column with `keep_months` is emptied in time; give it null = true.",
            )
        return self


class FactTable(Declaration):
    """A table of facts: one row for each `grain`, lying in the month of `month` (a date column; "" is a snapshot).

    `row` are the columns that name a row; `events` the kinds of event its rows follow from. `numbers` are the measures
    its columns are judged by (how many days make a repeat, how many metres are near).
    """

    title: Text
    summary: Text
    grain: Text
    month: str = ""
    row: tuple[str, ...] = Field(min_length=1)
    order: int = 100
    events: tuple[str, ...] = Field(min_length=1)
    numbers: dict[str, float] = {}
    columns: tuple[Column, ...] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' keys, in their order."""
        return tuple(column.key for column in self.columns)

    @property
    def of_events(self) -> bool:
        """Whether each row is one event, read as the columns say."""
        return any(column.value for column in self.columns)

    @property
    def snapshot(self) -> bool:
        """Whether it says how things are now, in one file, instead of what happened, month by month."""
        return not self.month

    @model_validator(mode="after")
    def _row_is_an_event(self) -> FactTable:
        named = [column.key for column in self.columns if column.value == "id"]
        if self.of_events and list(self.row) != named[:1]:
            raise Misdeclared(
                'row 应是 value = "id" 的那一列：一个事件一行。',
                'The `row` is the column whose value = "id": one row an event.',
            )
        return self

    @model_validator(mode="after")
    def _whole(self) -> FactTable:
        types = {column.key: column.type for column in self.columns}
        if len(types) < len(self.columns):
            raise Misdeclared("有两列同名。", "Two columns have the same key.")
        for key in self.row:
            if key not in types:
                raise Misdeclared(f"row 里的“{key}”不是本表的列。", f"`row` names “{key}”, which is no column here.")
        if self.of_events and not (self.month and all(column.value for column in self.columns)):
            raise Misdeclared(
                "逐事件的表要有 month，而且每一列都要写 value。",
                "A table of events has a `month`, and each of its columns a `value`.",
            )
        if self.month and types.get(self.month) != "date":
            raise Misdeclared(
                f"month 里的“{self.month}”应是本表的日期列。", f"`month` “{self.month}” must be a date column here."
            )
        return self


TABLES: Final = Kind("tables", FactTable)
