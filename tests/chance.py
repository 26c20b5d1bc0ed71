"""A town where anything happens: cases opened, and done to what its people may do, at random moments of two months."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from anlan.casework import cases, clocks
from anlan.casework.cases import Doing, Opening
from anlan.casework.draft import plan_of
from anlan.casework.models import Case
from anlan.casework.procedure import FormField
from anlan.intake.models import Photo
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal
from walking import fill
from world import World

UNLIKELY = {"note": 0.01, "void": 0.05, "merge": 0.1, "refuse": 0.1, "decline": 0.1, "split": 0.1, "hang": 0.4}


class Chance:
    """Opens cases and does to them whatever the people of the town may do, at random moments of two months."""

    def __init__(self, town: World, seed: int) -> None:
        self.town, self.dice = town, random.Random(seed)  # noqa: S311 - chance, not secrets
        self.people = {role: [officer] for role, officer in town.cast().items()}
        self.people["handler"].append(town.other_handler)
        self.reaches = {o.pk: town.reach(o) for officers in self.people.values() for o in officers}
        self.photos = tuple(self._photo(stage) for stage in ("before", "after"))

    def _photo(self, stage: str) -> Photo:
        return Photo.objects.create(
            id=new_id(), digest="0" * 64, mime="image/jpeg", size=1, width=1, height=1, stage=stage,
            by=self.town.handler, added_at=self.town.at,
        )  # fmt: skip

    def case(self) -> Case:
        town = self.town
        opening = Opening(
            procedure=self.dice.choice(["incident", "incident", "hazard", "request"]),
            area=self.dice.choice([town.grid, town.next_grid, town.west_grid, town.other_village]),
            title="事项", topic=self.dice.choice(["fire_exit", "street_order", ""]), party=town.party,
        )  # fmt: skip
        at = town.at + timedelta(minutes=self.dice.randrange(60 * 24 * 60))
        case = cases.open_case(opening, by=town.grid_worker, at=at)
        for _ in range(self.dice.randrange(14)):
            at += timedelta(minutes=self.dice.choice([5, 50, 300, 2000, 9000]))
            case = self.act(case, at)
        return case

    def act(self, case: Case, at: datetime) -> Case:
        """One act that is possible where the case stands, by somebody who may, if it is found in a few tries."""
        plan = plan_of(case)
        keys = plan.acts_at[case.step]
        for key in keys and self.dice.choices(keys, [UNLIKELY.get(key, 1) for key in keys], k=4):
            officer = self.dice.choice([o for role in plan.acts[key].who.roles for o in self.people[role]])
            data = {field.key: self.fill(field) for field in plan.acts[key].fields if field.required}
            doing = Doing(key, data, photos=self.photos, place=(122.02, 27.02))
            try:
                return cases.act(case.pk, doing, by=officer, reach=self.reaches[officer.pk], at=at)
            except Refusal:
                continue
        return case

    def fill(self, field: FormField) -> Any:
        town = self.town
        if field.type == "department":
            return self.dice.choice([town.housing, town.market]).pk
        if field.type == "departments":
            return [town.fire.pk]
        if field.type == "case":
            return self.dice.choice(list(Case.objects.values_list("number", flat=True)))
        return "2026-05-20" if field.type == "date" else fill(field)


def lived(town: World, seed: int, count: int) -> list[Case]:
    chance = Chance(town, seed)
    found = [chance.case() for _ in range(count)]
    clocks.sweep(at=town.at + timedelta(days=75))
    return found
