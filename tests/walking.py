"""Walks a procedure with the engine alone: the pure half of what the verbs do, for example walks and random ones."""

from __future__ import annotations

from typing import Any

from anlan.casework.procedure import FormField
from anlan.casework.rehearsal import START, Walk

__all__ = ["OTHER_CASE", "START", "Walk", "fill"]

OTHER_CASE = "01890000-0000-7000-8000-000000000001"


def fill(wanted: FormField, department: int = 1) -> Any:
    """Something that fits the field."""
    return {
        "number": 2, "date": "2026-07-01", "yes_no": True, "department": department, "departments": [department + 1],
        "officer": 1, "case": OTHER_CASE, "topic": "other",
    }.get(wanted.type, wanted.choices[0].key if wanted.choices else "walked")  # fmt: skip
