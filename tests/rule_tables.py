"""Rule tables made up in tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from anlan.index.rulebook.rule import RuleTable
from anlan.kernel.catalogue import Basis
from anlan.kernel.text import Text


def table(**given: Any) -> RuleTable:
    words = Text(zh="规则", en="rules")
    basis = Basis(source=Text(zh="x", en="x"), mark="U", checked_on=date(2026, 11, 22))
    return RuleTable.model_validate({"key": "mine", "title": words, "summary": words, "basis": basis, **given})


def rule(key: str, **given: Any) -> dict[str, Any]:
    return {"key": key, "title": {"zh": "规则", "en": "rule"}, **given}
