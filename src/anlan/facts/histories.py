"""Histories of many cases in one query, up to a position in the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from anlan.casework.draft import READ
from anlan.ledger.order import Position

_ASKED = 'SELECT subject, id, kind, at, recorded_at, "by", data FROM ledger_event WHERE subject'
_UNTIL = "AND (tx < %s OR (tx = %s AND seq <= %s)) ORDER BY subject, seq"


class Told(NamedTuple):
    """One event of a case."""

    kind: str
    at: datetime
    by: int | None
    data: dict[str, Any]
    id: str
    recorded_at: datetime


def histories(cases: Sequence[UUID], until: Position) -> dict[UUID, list[Told]]:
    """What the engine reads of each case, up to and with `until`, without a model for each event."""
    postgres = connection.vendor == "postgresql"
    names = {case if postgres else case.hex: case for case in cases}
    found: dict[UUID, list[Told]] = {case: [] for case in cases}
    tx, seq = until
    with connection.cursor() as cursor:
        if postgres:
            cursor.execute(f"{_ASKED} = ANY(%s) {_UNTIL}", [list(names), tx, tx, seq])
        else:
            marks = ", ".join(["%s"] * len(names))
            cursor.execute(f"{_ASKED} IN ({marks}) {_UNTIL}", [*names, tx, tx, seq])
        for subject, event, kind, at, recorded_at, by, data in cursor:
            if kind in READ:
                moments = (at, recorded_at) if postgres else (at.replace(tzinfo=UTC), recorded_at.replace(tzinfo=UTC))
                told = Told(kind, moments[0], by, json.loads(data), dashed(event), moments[1])
                found[names[subject]].append(told)
    return found


def dashed(identifier: UUID | str) -> str:
    """An id as facts write it, whichever way the database gives it."""
    text = identifier if isinstance(identifier, str) else identifier.hex
    if len(text) != 32:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
