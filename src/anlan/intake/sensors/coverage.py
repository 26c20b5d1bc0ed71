"""How many sites that should have devices have them, and hear from them: by kind of site, or by area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from anlan.intake.models import Device
from anlan.intake.sensors.device_model import AlarmRules, all_models
from anlan.places.models import Site
from anlan.places.scope import under


@dataclass(frozen=True, slots=True)
class Cover:
    """Of the sites that should be fitted: how many are, and of those how many have no device that is heard."""

    name: str
    should: int
    fitted: int
    silent: int

    @property
    def share(self) -> float | None:
        """The fitted part, from 0 to 1; None where nothing should be."""
        return self.fitted / self.should if self.should else None


def by_kind(rules: AlarmRules, path: str, *, among: Q | None = None) -> list[Cover]:
    """A line for each kind of site that should be fitted, in the area with `path` and below; two queries a kind."""
    within = under(path) if among is None else under(path) & among
    return [_of(kind, Site.objects.filter(within, kind=kind, is_active=True), sorts) for kind, sorts in
            sorted(rules.fitted.items())]  # fmt: skip


def by_area(rules: AlarmRules, paths: Sequence[tuple[str, str]]) -> list[Cover]:
    """A line for each (name, path): all kinds together. Two queries, however many areas."""
    held: dict[tuple[str, str], list[Any]] = {}
    for kind, sorts in rules.fitted.items():
        keys = _models(sorts)
        good = Q(devices__retired_date=None, devices__model__in=keys)
        rows = Site.objects.filter(kind=kind, is_active=True).annotate(
            have=Count("devices", filter=good), heard=Count("devices", filter=good & Q(devices__silent_at=None))
        )
        for path, have, heard in rows.values_list("area_path", "have", "heard"):
            counts = held.setdefault((path, kind), [0, 0, 0])
            counts[0] += 1
            counts[1] += have > 0
            counts[2] += have > 0 and heard == 0
    return [_summed(name, path, held) for name, path in paths]


def _summed(name: str, path: str, held: dict[tuple[str, str], list[Any]]) -> Cover:
    rows = [counts for (area, _), counts in held.items() if area.startswith(path)]
    return Cover(name, *(sum(row[place] for row in rows) for place in range(3)))


def _of(kind: str, sites: QuerySet[Site], sorts: Sequence[str]) -> Cover:
    fitting = Device.objects.filter(retired_date=None, model__in=_models(sorts), site__in=sites)
    have = fitting.aggregate(
        fitted=Count("site", distinct=True), heard=Count("site", distinct=True, filter=Q(silent_at=None))
    )
    return Cover(kind, sites.count(), have["fitted"], have["fitted"] - have["heard"])


def _models(sorts: Sequence[str]) -> list[str]:
    return [key for key, declared in all_models().items() if declared.sort in sorts]
