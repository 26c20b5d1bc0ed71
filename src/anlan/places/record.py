"""How this layer writes in the ledger: its rows are named by stable ids, and no person's data is ever written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from django.db.models import Model
from django.utils import timezone

from anlan.ledger import events
from anlan.ledger.models import Event
from anlan.places import register
from anlan.places.models import Area, Officer

NAMES = UUID("6c1f3f0e-52c5-5e0b-9f0b-4a7d2c1b8e55")


def subject_of(thing: Model) -> UUID:
    """The id under which `thing` stands in the ledger, derived from its table and row.

    An area is known by its code, so that all its versions are one subject.
    """
    name = thing.code if isinstance(thing, Area) else thing.pk
    return uuid5(NAMES, f"{thing._meta.model_name}:{name}")


def record(
    kind: str,
    thing: Model,
    *,
    by: Officer | None,
    at: datetime,
    area_path: str = "",
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Append that `kind` happened to `thing`. Call it in the transaction of the change, after it."""
    register.forget()
    return events.append(
        events.NewEvent(
            kind=kind,
            subject=subject_of(thing),
            by=by.pk if by else None,
            at=at,
            recorded_at=at,
            area_path=area_path,
            data=dict(data or {}),
        )
    )


def day_of(at: datetime) -> date:
    """The town's calendar day at the moment `at`."""
    return timezone.localtime(at, timezone.get_default_timezone()).date()
