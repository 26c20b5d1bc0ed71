"""Where a declared rule comes from, and how far it has been checked."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from anlan.kernel.text import Text

Mark = Literal["V", "V2", "S", "U"]

_MARKS: dict[str, Text] = {
    "V": Text(zh="已核原文", en="read in the original"),
    "V2": Text(zh="据转述", en="read second-hand"),
    "S": Text(zh="据实践报告", en="from a report of practice"),
    "U": Text(zh="未核验", en="not verified"),
}


class Basis(BaseModel):
    """The ground a rule stands on.

    `mark` says how it was checked: V the rule's own text was read, V2 second-hand, S a report of practice,
    U not verified.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Text | None = None
    source: str
    checked_on: date
    mark: Mark

    @property
    def verified(self) -> bool:
        """Whether the rule's own text was read; only such a rule may be printed on a legal document unseen."""
        return self.mark == "V"

    @property
    def standing(self) -> Text:
        """The mark in words."""
        return _MARKS[self.mark]
