"""What rows need besides the ledger's own words: declarations and names that few rows share, read once for an export.

What is declared is part of the fingerprint: where it changes, everything is written anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
from django.conf import settings

from anlan.facts.columns import WRITING
from anlan.facts.manifest import FORMAT
from anlan.facts.table import TABLES, FactTable
from anlan.intake.channel import CHANNELS
from anlan.intake.sensors.device_model import all_models
from anlan.intake.topic import TOPICS, lineage
from anlan.kernel import catalogue
from anlan.kernel.workdays import Calendar
from anlan.ledger.order import Position
from anlan.places import holidays
from anlan.places.models import Department


@dataclass(frozen=True)
class Known:
    """What an export knows while it runs; `until` is the last event it reads."""

    until: Position

    @cached_property
    def tables(self) -> dict[str, FactTable]:
        """Every declared table."""
        return catalogue.current().all(TABLES)

    @cached_property
    def roots(self) -> dict[str, str]:
        """The topmost topic of each topic."""
        topics = catalogue.current().all(TOPICS)
        return {key: lineage(topics, key)[-1] for key in topics}

    def root(self, topic: str) -> str:
        """The topmost topic; a topic nobody declares any more is its own."""
        return self.roots.get(topic, topic)

    @cached_property
    def departments(self) -> dict[int | None, str]:
        """The keys of departments."""
        return {None: "", **dict(Department.objects.values_list("pk", "key"))}

    @cached_property
    def residents(self) -> frozenset[str]:
        """The channels by which residents tell."""
        channels = catalogue.current().all(CHANNELS)
        return frozenset(key for key, channel in channels.items() if channel.of_residents)

    @cached_property
    def sorts(self) -> dict[str, str]:
        """The sort of device of each model."""
        return {key: model.sort for key, model in all_models().items()}

    @cached_property
    def calendar_at(self) -> Callable[[str], Calendar]:
        """The calendar in force at an area."""
        return holidays.calendars()

    def number(self, table: str, key: str) -> float:
        """A number that a table's declaration gives for its columns."""
        return self.tables[table].numbers[key]


def edition(table: FactTable) -> str:
    """The digest of a table's declaration."""
    return _digest(table.model_dump(mode="json"))


def fingerprint(known: Known) -> str:
    """The digest of everything but the ledger that rows and files depend on."""
    return _digest({
        "format": FORMAT,
        "arrow": pa.__version__,
        "writing": WRITING,
        "zone": settings.TIME_ZONE,
        "tables": {key: edition(table) for key, table in known.tables.items()},
        "roots": known.roots,
        "residents": sorted(known.residents),
        "sorts": known.sorts,
    })  # fmt: skip


def _digest(said: Any) -> str:
    written = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()
