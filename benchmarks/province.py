"""A province of invented areas and cases, a million of them, made as rows and not by the verbs: for measuring lists.

11 prefectures, 90 counties, 1,300 townships and villages to 20,000 areas. Every case has the event that opened it; a
few thousand open cases of the largest county have their whole history, walked by the engine, so that their pages are
true. Figures are rolled up for one year. The same size gives the same province.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any

from django.db import connection, transaction

from anlan.casework import cases, procedure
from anlan.casework.acts import Actor
from anlan.casework.contribution import COLUMNS as FIGURES
from anlan.casework.contribution import TOOK
from anlan.casework.draft import Draft
from anlan.casework.engine import MOVED, OPENED, dues_of
from anlan.casework.models import Case, Tally
from anlan.kernel.ids import id_at
from anlan.kernel.text import Text
from anlan.kernel.workdays import Calendar, calendar_for
from anlan.ledger import events, single
from anlan.ledger.bulk import insert_rows
from anlan.ledger.events import NewEvent
from anlan.places import areas, departments, officers
from anlan.places.models import Area, Department, Officer

FOUNDED = date(2020, 1, 1)
DAYS = 3 * 365
OPEN = 0.06
TOPICS = ("fire_exit", "manhole", "gas_leak", "fire_equipment", "electrical", "other")
LEVELS = (("prefecture", 11), ("county", 90), ("township", 1300))
COLUMNS = tuple(field.attname for field in Case._meta.concrete_fields)
COURSE: tuple[tuple[str, dict[str, int]], ...] = (("register", {}), ("dispatch", {"department": 0}), ("accept", {}))


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made: cases, areas, and how many of the open ones in the largest county have their whole history."""

    cases: int = 1_000_000
    areas: int = 20_000
    walked: int = 3000


@dataclass(frozen=True, slots=True)
class Placed:
    """A village: where a case is. `above` are its own path and those above it."""

    area: int
    path: str
    above: tuple[str, ...]


class Province:
    """Builds itself once into empty tables, as of `at`."""

    def __init__(self, size: Size, at: datetime) -> None:
        self.size, self.at = size, at
        self.dice = random.Random(20)
        self.calendar: Calendar = calendar_for("china")
        self.largest = ""
        self.villages: list[Placed] = []
        self.weights: list[float] = []
        self.offices: list[int] = []

    def build(self) -> None:
        """Areas, departments, people, cases with their events, and a year of figures."""
        with transaction.atomic():
            self._areas()
            self._people()
        cases_left = iter(self._cases())
        while part := list(islice(cases_left, 20_000)):
            with transaction.atomic():
                insert_rows(Case, COLUMNS, [tuple(case.__dict__[name] for name in COLUMNS) for case, _ in part])
                events.append_many([event for _, told in part for event in told])
        with transaction.atomic():
            self._tallies()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("VACUUM ANALYZE")  # as the server does by itself, a little later

    # ------------------------------------------------------------ places

    def _areas(self) -> None:
        top = areas.create(
            "99", level="province", name=Text(zh="某省", en="Province"), parent=None, calendar="china",
            valid_from=FOUNDED, by=None, at=self.at,
        )  # fmt: skip
        above = [(top.pk, top.path)]
        for level, count in LEVELS:
            above = self._level(level, min(count, self.size.areas // 3), above)
        left = self.size.areas - Area.objects.count()
        villages = self._level("village", left, above)
        self.villages = [Placed(pk, path, tuple(areas.ancestors(path))) for pk, path in villages]
        self.largest = min(Area.objects.filter(level="county").values_list("path", flat=True))
        # A city district has many times the cases of a county in the hills.
        self.weights = [12.0 if v.path.startswith(self.largest) else 1.0 for v in self.villages]

    def _level(self, level: str, count: int, above: list[tuple[int, str]]) -> list[tuple[int, str]]:
        rows = []
        for number in range(count):
            pk, path = above[number % len(above)]
            code = f"{path.rstrip('/').rsplit('/', 1)[-1]}{number // len(above) + 1:03d}"
            rows.append((code, f"{path}{code}/", level, f"{level}{number}", f"{level} {number}", pk, "", FOUNDED))
        names = ("code", "path", "level", "name_zh", "name_en", "parent_id", "calendar", "valid_from")
        empty = ("boundary", "changed_at", "valid_to")
        insert_rows(Area, (*names, *empty), [(*row, None, None, None) for row in rows])
        return list(Area.objects.filter(level=level).order_by("path").values_list("pk", "path"))

    def _people(self) -> None:
        county = Area.objects.get(path=self.largest)
        for number in range(20):
            name = Text(zh=f"部门{number}", en=f"Office {number}")
            self.offices.append(departments.create(f"d{number}", name=name, area=county, by=None, at=self.at).pk)
        office = Department.objects.get(pk=self.offices[0])
        for role in ("triage", "dispatcher", "supervisor", "handler"):
            officer = officers.create(role, name=role, by=None, at=self.at)
            own = office if role == "handler" else None
            officers.post(officer, role, county, department=own, valid_from=FOUNDED, by=None, at=self.at)

    # ------------------------------------------------------------ cases

    @cached_property
    def _declared(self) -> procedure.Procedure:
        return procedure.in_force("incident", self.at.date())

    def _cases(self) -> Iterator[tuple[Case, list[NewEvent]]]:
        dice, walked = self.dice, 0
        by = Officer.objects.get(username="triage").pk
        places = dice.choices(self.villages, weights=self.weights, k=self.size.cases)
        for number, place in enumerate(places):
            opened = self._opened(number)
            is_open = number >= self.size.cases * (1 - OPEN)
            if is_open and walked < self.size.walked and place.path.startswith(self.largest):
                walked += 1
                yield self._walked(number, place, opened, by)
            else:
                yield self._plain(number, place, opened, by, is_open)

    def _opened(self, number: int) -> datetime:
        """Cases in the order of their opening; the open ones are those of the last weeks."""
        back = DAYS * (1 - number / self.size.cases)
        return self.at - timedelta(days=max(back, 0.01), seconds=self.dice.random() * 60)

    def _plain(
        self, number: int, place: Placed, opened: datetime, by: int, is_open: bool
    ) -> tuple[Case, list[NewEvent]]:
        dice = self.dice
        case = self._fresh(number, place, opened, by)
        values = case.__dict__
        values.update(rev=5, lead_id=dice.choice(self.offices), reports_count=1)
        if is_open:
            due = opened + timedelta(days=dice.uniform(3, 60))
            warn = opened + (due - opened) * 0.75
            values.update(
                step="handling",
                clock="handle",
                due_at=due,
                warn_at=warn,
                tick_at=max(due, self.at) + timedelta(days=30),
            )
        else:
            closed = opened + timedelta(days=dice.choice((1, 2, 3, 5, 9, 20)))
            values.update(step="closed", outcome="cured", closed_at=min(closed, self.at))
        data = {"procedure": "incident", "edition": case.edition, "topic": case.topic, "to": "collected"}
        told = NewEvent(
            OPENED, case.id, by=by, at=opened, recorded_at=opened, area_path=place.path, data=data, id=id_at(opened)
        )
        return case, [told]

    def _fresh(self, number: int, place: Placed, opened: datetime, by: int) -> Case:
        topic = self.dice.choice(TOPICS)
        return single.fresh(Case, {
            "id": id_at(opened), "number": f"SJ-{opened:%Y%m%d}-{number:07d}", "procedure": "incident",
            "edition": self._declared.edition, "topic": topic, "title": f"幸福路 {number % 997} 号 · 疏散通道",
            "description": "楼道堆物，影响通行", "area_id": place.area, "area_path": place.path,
            "address": f"幸福路 {number % 997} 号", "lon": 121 + self.dice.random(), "lat": 28 + self.dice.random(),
            "channel": "officer_form", "opened_by_id": by, "opened_at": opened,
        })  # fmt: skip

    def _walked(self, number: int, place: Placed, opened: datetime, by: int) -> tuple[Case, list[NewEvent]]:
        """As the verbs would have written it: opened, registered, dispatched, taken up, its clocks rung."""
        like = self._fresh(number, place, opened, by)
        area = Area(pk=place.area, path=place.path)
        opening = cases.Opening("incident", area, like.title, topic=like.topic, address=like.address)
        draft = cases.prepare(opening, self.calendar, by=None, at=opened, recorded_at=opened, key=None)
        draft.case.number, draft.case.lon, draft.case.lat = like.number, like.lon, like.lat
        at = opened
        for act, data in COURSE:
            at = min(at + timedelta(minutes=self.dice.randint(10, 300)), self.at)
            self._do(
                draft, act, {k: self.dice.choice(self.offices) for k in data}, Actor(by, frozenset(), frozenset()), at
            )
        draft.ring(until=self.at, recorded_at=self.at)
        return draft.carry(), draft.new

    def _do(self, draft: Draft, act: str, fields: dict[str, Any], who: Actor, at: datetime) -> None:
        draft.ring(until=at, recorded_at=at)
        data = {"act": act, "to": draft.plan.acts[act].to, "fields": fields, "dues": dues_of(draft.now)}
        draft.add(MOVED, by=who.id, at=max(at, draft.now.last_at or at), recorded_at=at, data=data)

    # ------------------------------------------------------------ figures

    def _tallies(self) -> None:
        """A year of cohort counts: townships and above by department and topic, villages in all."""
        names = (
            "reported",
            "registered",
            "to_handle",
            "handled",
            "handled_in_time",
            "closed",
            "opened",
            "finished",
            "took_2",
        )
        counts: dict[tuple[str, int, str, date], int] = {}
        share = min(1.0, 365 / DAYS)
        places = self.dice.choices(self.villages, weights=self.weights, k=int(self.size.cases * share))
        for place in places:
            day = (self.at - timedelta(days=int(self.dice.random() * 365))).date()
            topic, office = self.dice.choice(TOPICS), self.dice.choice(self.offices)
            keys = [(place.path, 0, "*", day)]
            for path in place.above[:-1]:
                keys += [
                    (path, 0, "*", day),
                    (path, 0, topic, day),
                    (path, office, "*", day),
                    (path, office, topic, day),
                ]
            for key in keys:
                counts[key] = counts.get(key, 0) + 1
        columns = ("area_path", "department", "topic", "day", *FIGURES, *TOOK)
        counted = tuple(name in names for name in columns[4:])
        rows = ((*key, *(n if each else 0 for each in counted)) for key, n in sorted(counts.items()))
        insert_rows(Tally, columns, rows)


def moment() -> datetime:
    """When the province is looked at: now, to the minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
