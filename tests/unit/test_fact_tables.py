"""The vocabulary of fact tables: what a file may declare, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from anlan.facts.table import TABLES, FactTable
from anlan.kernel.catalogue import current

TITLE = {"zh": "表", "en": "Table"}


def told(**changes: Any) -> dict[str, Any]:
    columns = [
        {"key": "case", "type": "string", "title": TITLE},
        {"key": "on_date", "type": "date", "title": TITLE},
    ]
    told = {"key": "mine", "title": TITLE, "summary": TITLE, "grain": TITLE, "month": "on_date", "row": ["case"]}
    return {**told, "events": ["case.opened"], "columns": columns, **changes}


def test_a_table_lies_by_month_or_is_a_snapshot() -> None:
    assert not FactTable.model_validate(told()).snapshot
    assert FactTable.model_validate(told(month="")).snapshot
    assert FactTable.model_validate(told()).names == ("case", "on_date")


def test_a_column_of_personal_data_is_refused() -> None:
    column = {"key": "phone", "type": "string", "title": TITLE, "privacy": "personal"}
    with pytest.raises(ValidationError, match="holds no personal data"):
        FactTable.model_validate(told(columns=[*told()["columns"], column]))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"month": "case"}, "must be a date column"),
        ({"month": "gone"}, "must be a date column"),
        ({"row": ["gone"]}, "is no column here"),
        ({"columns": [*told()["columns"], told()["columns"][0]]}, "have the same key"),
    ],
)
def test_a_table_that_does_not_hold_together_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        FactTable.model_validate(told(**changes))


def test_every_declared_table_is_read() -> None:
    assert set(current().all(TABLES)) == {
        "cases", "steps", "returns", "clocks", "reports", "alarms", "calls", "pushes", "statistics", "sites", "areas",
        "photos", "rechecks",
    }  # fmt: skip
