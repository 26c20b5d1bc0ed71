"""Detectors in the demo town: what they tell is read and kept as of any listener, and people find out what it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import orjson

from anlan.casework import alarms
from anlan.casework.draft import load
from anlan.casework.models import Case
from anlan.intake.models import Device
from anlan.intake.sensors import devices, readings, signals
from anlan.intake.sensors.readings import Reading
from anlan.intake.sensors.roster import Roster
from anlan.intake.sensors.signals import Heard
from anlan.places.models import Site
from anlan.presentation.demo.living import Living


@dataclass(frozen=True, slots=True)
class Fitting:
    """Which model stands at which sites (of a hundred, so many), how often one of them raises an alarm (for a hundred
    cases in the town), and what it then sends."""

    model: str
    kinds: tuple[str, ...]
    share: int
    often: float
    alarm: dict[str, Any]
    over: dict[str, Any]


FITTED: Final = (
    Fitting(
        "smoke_nb", ("rental_house", "old_estate", "high_rise", "hotel", "school"), 35, 2.0,
        {"event": "smoke", "data": {"smoke": 38}}, {"event": "smoke_over"},
    ),
    Fitting("gas_json", ("restaurant",), 45, 0.9, {"state": "high", "lel": 27}, {"state": "ok", "lel": 2}),
    Fitting("smart_unit", ("old_estate", "school", "factory"), 40, 0.9, {"type": "sos"}, {"type": "restored"}),
)  # fmt: skip


class Machines:
    """The devices, and when each raises an alarm. Nobody listens in a demo town by itself, so none falls silent."""

    def __init__(self, life: Living, sites: list[Site], dice: Random) -> None:
        self.life, self.sites, self.dice, self.roster = life, sites, dice, Roster()

    def plan(self, *, began: datetime, until: datetime, cases: int) -> None:
        """Fit the sites, and let some devices tell of danger; at least one of each model."""
        for fitting in FITTED:
            here = [site for site in self.sites if site.kind in fitting.kinds]
            fitted = [site for site in here if self.dice.random() * 100 < fitting.share] or self.sites[:1]
            codes = [self._fit(site, fitting.model, began).code for site in fitted]
            for _ in range(max(1, round(cases * fitting.often / 100))):
                at = began + timedelta(seconds=self.dice.uniform(0, (until - began).total_seconds()))
                self._plan_alarm(fitting, self.dice.choice(codes), at)

    def _fit(self, site: Site, model: str, at: datetime) -> Device:
        return devices.register(code=f"{model}-{site.code}", model=model, site=site, name="一层", by=None, at=at)

    def _plan_alarm(self, fitting: Fitting, code: str, at: datetime) -> None:
        over = at + timedelta(minutes=self.dice.randint(4, 25))
        self.life.plan(at, lambda now: self._raise(code, fitting.alarm, now))
        self.life.plan(over, lambda now: self._hear(code, fitting.over, now))

    def _raise(self, code: str, told: dict[str, Any], at: datetime) -> None:
        for case in self._hear(code, told, at):
            self.life.follow(load(case), at)

    def _hear(self, code: str, told: dict[str, Any], at: datetime) -> list[Case]:
        """The cases that people were told of at once."""
        self.roster.look()
        known = self.roster.by_code([code])[code]
        assert known is not None
        assert known.model is not None
        payload = orjson.dumps(told)
        reading = readings.read(known.model, payload)
        assert isinstance(reading, Reading), reading
        taken = signals.take([Heard(known, reading, payload.decode())], at=at)
        return alarms.answer(taken.reports, at=at)
