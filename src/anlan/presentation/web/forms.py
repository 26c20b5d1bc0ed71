"""Forms drawn from declared fields: what is asked, what was answered, and what is wrong, said beside the field."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

from anlan.kernel.text import Refusal, Text

R = TypeVar("R")
HTML_TYPES = {"text": "text", "date": "date", "number": "text", "password": "password", "email": "email", "tel": "tel"}
EMPTY = Text(zh="请填写这一项。", en="Fill this in.")
CHOOSE = Text(zh="请选择。", en="Choose one.")
PICK = Text(zh="请至少选一项。", en="Choose at least one.")
UNKNOWN = Text(zh="请从列表中选择。", en="Choose one from the list.")
NOT_A_DATE = Text(zh="请写成年-月-日，例如 2026-11-02。", en="Write a date as year-month-day, for example 2026-11-02.")
NOT_A_NUMBER = Text(zh="请填数字。", en="Write a number.")
TOO_LONG = Text(zh="太长了：最多 {n} 个字。", en="Too long: at most {n} characters.")


@dataclass(slots=True)
class Ask:
    """One thing asked. `type`: text, longtext, choice, radio, choices, date, number, yes_no, password, photos, lookup.

    `reader` turns the words of a good answer into the thing they name, or raises a `Refusal`.
    """

    key: str
    label: Text
    type: str = "text"
    required: bool = True
    choices: Sequence[tuple[str, Any]] = ()
    hint: Text | None = None
    value: Any = None
    longest: int = 200
    autocomplete: str = ""
    error: Text | None = None
    source: str = ""
    reader: Callable[[str], Any] | None = None

    @property
    def html_type(self) -> str:
        return HTML_TYPES.get(self.type, "text")

    @property
    def is_wrong(self) -> bool:
        return self.error is not None

    @property
    def shown(self) -> str:
        """The value as an input holds it; a password is never sent back."""
        if self.value is None or self.type == "password":
            return ""
        return self.value.isoformat() if isinstance(self.value, date) else str(self.value)

    def read(self, given: MultiValueDict[str, Any] | QueryDict) -> Any:
        """The answer as a value (None when left empty); sets `error` when it cannot be one."""
        self.error = None
        if self.type == "choices":
            return self._chosen(given.getlist(self.key))
        if self.type == "photos":
            files = [each for each in given.getlist(self.key) if isinstance(each, UploadedFile)]
            self.error = EMPTY if self.required and not files else None
            return files
        if self.type == "yes_no":
            self.value = given.get(self.key) in {"yes", "on", "true", "1"}
            return self.value
        raw = str(given.get(self.key, "")).replace("\x00", "")
        raw = raw if self.type == "password" else raw.strip()
        self.value = raw
        if not raw:
            missing = CHOOSE if self.type in {"choice", "radio"} else EMPTY
            self.error = missing if self.required else None
            return None
        parsed = self._parsed(raw)
        return parsed if self.is_wrong or self.reader is None else self._understood(raw)

    def _understood(self, raw: str) -> Any:
        try:
            return self.reader(raw) if self.reader else raw
        except Refusal as refusal:
            self.error = refusal.text
            return None

    def _chosen(self, raws: list[str]) -> list[str]:
        known = {str(value) for value, _ in self.choices}
        self.value = [raw for raw in raws if raw in known]
        self.error = PICK if self.required and not self.value else None
        return list(self.value)

    def _parsed(self, raw: str) -> Any:
        if self.type in {"choice", "radio"}:
            self.error = None if any(raw == str(value) for value, _ in self.choices) else UNKNOWN
        elif self.type == "date":
            return self._date(raw)
        elif self.type == "number":
            return self._number(raw)
        elif len(raw) > (4000 if self.type == "longtext" else self.longest):
            self.error = TOO_LONG.format(n=4000 if self.type == "longtext" else self.longest)
        return raw

    def _date(self, raw: str) -> date | None:
        try:
            day = date.fromisoformat(raw)
        except ValueError:
            self.error = NOT_A_DATE
            return None
        self.value = day
        # What is reckoned with a day of year 1 or 9999 overflows.
        self.error = None if 1900 <= day.year <= 2200 else NOT_A_DATE
        return None if self.error else day

    def _number(self, raw: str) -> float | None:
        try:
            number = float(raw)
        except ValueError:
            self.error = NOT_A_NUMBER
            return None
        if not math.isfinite(number):
            self.error = NOT_A_NUMBER
            return None
        return number


@dataclass(slots=True)
class Form:
    """A form: its fields, its one verb, and what stopped it last time."""

    fields: list[Ask]
    verb: Text
    action: str = ""
    cancel: str = ""
    hidden: dict[str, Any] = field(default_factory=dict)
    problem: Text | None = None
    danger: bool = False
    prefix: str = "id-"

    @property
    def has_files(self) -> bool:
        return any(each.type == "photos" for each in self.fields)

    def read(self, request: HttpRequest) -> dict[str, Any] | None:
        """The answers by key, or None when something is wrong (said beside its field)."""
        given: MultiValueDict[str, Any] = MultiValueDict(dict(request.POST.lists()))
        given.update(request.FILES)
        answers = {each.key: each.read(given) for each in self.fields}
        return None if any(each.error for each in self.fields) else answers

    def fill(self, values: Mapping[str, Any]) -> Form:
        """The form with values already in it."""
        for each in self.fields:
            if each.key in values:
                each.value = values[each.key]
        return self

    def blame(self, refusal: Refusal) -> None:
        """Say a refusal beside the field it names, or above the form."""
        for each in self.fields:
            if refusal.field and each.key == refusal.field:
                each.error = refusal.text
                return
        self.problem = refusal.text

    def carry_out(self, request: HttpRequest, deed: Callable[[dict[str, Any]], R]) -> R | None:
        """Read the answers and do the deed. None when it was not done: the form then says why."""
        answers = self.read(request)
        if answers is None:
            return None
        try:
            return deed(answers)
        except Refusal as refusal:
            self.blame(refusal)
            return None
