"""Areas that stand no longer: found by code or name, and what took their place."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from anlan.ledger.models import Event
from anlan.places.models import Area
from anlan.places.record import subject_of


def versions(told: str, *, today: date) -> list[Area]:
    """The versions, oldest first, of the one area of this code or name that does not stand today; else none."""
    name = told.strip()
    found = list(
        Area.objects.filter(Q(code=name) | Q(name_zh=name) | Q(name_en__iexact=name), valid_to__lte=today)
        .exclude(code__in=Area.objects.filter(Q(valid_to=None) | Q(valid_to__gt=today)).values("code"))
        .order_by("valid_from")
    )
    return found if len({area.code for area in found}) == 1 else []


def successors(area: Area) -> list[Area]:
    """What stands where `area` ended: the area it went into, and those that began beside it on that very day."""
    ended = Event.objects.filter(subject=subject_of(area), kind="area.closed", area_path=area.path).order_by("-seq")
    into = next((event.data["into"] for event in ended), "")
    above = area.path.removesuffix(f"{area.code}/")
    beside = Q(valid_from=area.valid_to, path__startswith=above, level=area.level)
    found = Area.objects.filter(Q(path=into) | beside).exclude(code=area.code).order_by("path", "-valid_from")
    latest = {each.code: each for each in reversed(list(found))}
    return sorted(latest.values(), key=lambda each: (each.path != into, each.path))
