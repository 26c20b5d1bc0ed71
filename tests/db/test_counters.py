"""The tallies equal a count made by hand from the events, whatever happened and in whatever order it was counted."""

from __future__ import annotations

import tomllib
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from anlan.casework import cases, clocks, counters, procedure
from anlan.casework.cases import Doing, Opening
from anlan.casework.contribution import COLUMNS, TOOK
from anlan.casework.models import Case, Counted, Spell, Tally
from anlan.casework.procedure import PROCEDURES
from anlan.kernel import catalogue
from anlan.kernel.workdays import calendar_for
from anlan.ledger.models import Event
from chance import Chance, lived
from world import SHANGHAI, World, world

Cell = tuple[str, int, str, date, str]
"""Area path, department, topic, day and column."""


@pytest.fixture
def town() -> World:
    return world()


# ---------------------------------------------------------------- the count by hand


class ByHand:
    """One case followed through its events, with no engine: only what the procedure's file and the events say."""

    def __init__(self, case: Case) -> None:
        path = catalogue.current().origin(PROCEDURES, f"{case.procedure}@{case.edition}")
        self.file: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        self.path = case.area_path
        self.clock = {clock["counts"]: key for key, clock in self.file["clocks"].items() if clock.get("counts")}
        self.step = self.topic = self.back = ""
        self.lead: int | None = None
        self.flags: set[str] = set()
        self.times: Counter[str] = Counter()
        self.returned_by: list[int] = []
        self.handled: dict[str, Any] | None = None
        self.end: dict[str, Any] | None = None
        self.late: dict[str, bool] = {}
        self.running: dict[str, datetime | None] = {}

    def follow(self, events: list[Event]) -> None:
        for event in events:
            if event.kind == "case.opened":
                self.opened_at, self.topic, self.lead = event.at, event.data["topic"], event.data["lead"]
                self.enter(self.file["first"], event)
            elif event.kind == "case.moved":
                self.moved(event)
            elif event.kind == "case.rang":
                clock = self.file["clocks"][event.data["clock"]]
                rungs = [*clock.get("ladder", ()), {"at": 1.0}]
                rung = rungs[event.data["rung"]]
                if "after" in rung or rung.get("at", 0) >= 1:
                    self.late[event.data["clock"]] = True

    def moved(self, event: Event) -> None:
        act, fields = self.file["acts"][event.data["act"]], event.data["fields"]
        effect = act.get("effect", "move")
        if effect == "assign":
            self.lead = fields["department"]
            self.flags.add("dispatched")
        elif effect == "return":
            self.returned_by.append(self.lead or 0)
            self.lead = None
        elif effect == "grant_extension":
            self.flags.add("extended")
            self.late[self.clock["handle"]] = False
        elif effect == "hang":
            self.flags.add("hung_ever")
            self.back = self.step
        elif effect in ("rework", "reopen"):
            self.handled = None
            self.times["reworks"] += effect == "rework"
        if effect != "split":
            self.topic = fields.get("topic") or self.topic
        if act.get("fixes"):
            self.handled = {"at": event.at, "dues": event.data["dues"]}
        if act.get("to"):
            self.enter(self.back if act["to"] == "@back" else act["to"], event)

    def enter(self, step: str, event: Event) -> None:
        self.step = step
        declared = self.file["steps"][step]
        if declared["stage"] not in ("intake", "closed"):
            self.flags.add("registered")
        final = declared.get("outcome")
        self.end = {"at": event.at, "dues": event.data.get("dues", {}), "outcome": final} if final else None
        for key, clock in self.file["clocks"].items():
            if step in clock["runs"]:
                paused_at = self.running.get(key)
                if paused_at is not None and calendar_for("china").between(
                    paused_at, event.at, clock["length"]["unit"]
                ):
                    self.late[key] = False
                self.running[key] = None
            elif step in clock.get("pauses", ()):
                self.running[key] = self.running.get(key) or event.at
            else:
                self.running[key] = None

    def columns(self) -> set[str]:
        """What the case counts as, each once."""
        found = {"reported", "opened", *self.flags}
        outcome = self.end["outcome"] if self.end else ""
        if outcome in ("void", "refused", "merged"):
            found.add({"void": "voided"}.get(outcome, outcome))
        if outcome in ("void", "refused"):
            return found
        found |= {"valid"} & {"valid" if "registered" in self.flags else ""}
        late = self.handled is None and outcome != "merged" and self.late.get(self.clock["handle"], False)
        late_whole = not self.end and (self.late.get(self.clock["close"], False) if "close" in self.clock else late)
        found |= self.work(outcome, late=late, late_whole=late_whole)
        if not self.end and (late or late_whole):
            found.add("overdue_open")
        if not self.end and self.step == "hung":
            found.add("hung")
        if self.times["reworks"]:
            found |= {"reworked", "reworks"}
        return found

    def work(self, outcome: str, *, late: bool, late_whole: bool) -> set[str]:
        found = {"to_handle"} if self.handled or late else set[str]()
        if self.handled:
            found.add("handled")
            found |= {"handled_in_time"} if self.in_time(self.handled, "handle") else set()
        closed = outcome in ("cured", "answered", "escalated")
        if closed or late_whole:
            found.add("to_close")
        if closed:
            found.add("closed")
            judged = (self.end, "close") if "close" in self.clock else (self.handled or self.end, "handle")
            if self.in_time(*judged) and not (late and "close" not in self.clock):
                found.add("closed_in_time")
        return found

    def in_time(self, ended: dict[str, Any] | None, kind: str) -> bool:
        assert ended is not None
        due = ended["dues"].get(self.clock[kind])
        return due is None or bool(ended["at"] <= datetime.fromisoformat(due))

    def cells(self) -> Counter[Cell]:
        day = self.opened_at.astimezone(SHANGHAI).date()
        own: Counter[tuple[int, date, str]] = Counter()
        mine = [0] if self.lead is None else [0, self.lead]
        for department in mine:
            for column in self.columns():
                own[department, day, column] += self.times["reworks"] if column == "reworks" else 1
            if self.end:
                ended = self.end["at"].astimezone(SHANGHAI).date()
                own[department, ended, "finished"] += 1
                if self.end["outcome"] in ("cured", "answered", "merged"):
                    own[department, day, f"took_{(ended - day).days}"] += 1
        for department in {0, *self.returned_by} if self.returned_by else set[int]():
            own[department, day, "returned"] += 1
            own[department, day, "shuffled"] += len(self.returned_by) > 1
            own[department, day, "dispatched"] += department not in mine
        codes = self.path.strip("/").split("/")
        found: Counter[Cell] = Counter()
        for (department, on, column), count in own.items():
            for depth in range(len(codes)):
                for topic in (self.topic, "*"):
                    found["/".join(codes[: depth + 1]) + "/", department, topic, on, column] += count
        return +found


def by_hand() -> Counter[Cell]:
    """Every tally there should be, from the events alone."""
    found: Counter[Cell] = Counter()
    for case in Case.objects.all():
        hand = ByHand(case)
        hand.follow(list(Event.objects.filter(subject=case.pk).order_by("seq")))
        found += hand.cells()
    return found


def kept() -> Counter[Cell]:
    """Every tally there is."""
    found: Counter[Cell] = Counter()
    for row in Tally.objects.all():
        for column in (*COLUMNS, *TOOK):
            found[row.area_path, row.department, row.topic, row.day, column] += getattr(row, column)
    for spell in Spell.objects.all():
        found[spell.area_path, spell.department, spell.topic, spell.day, f"took_{spell.days}"] += spell.cases
    assert min(found.values(), default=0) >= 0
    return +found


# ---------------------------------------------------------------- what must hold


@pytest.mark.parametrize("seed", [1, 8])
def test_the_tallies_equal_a_count_by_hand_from_the_events(town: World, seed: int) -> None:
    lived(town, seed, count=50)
    counters.count(list(Event.objects.order_by("seq")))
    wanted = by_hand()
    assert kept() == wanted
    # Chance has led nearly everywhere: what is hung at the end, or was given more time before a return, is rare.
    assert {cell[-1] for cell in wanted} | {"hung", "extended"} >= set(COLUMNS)
    assert Spell.objects.exists()


def test_counted_in_any_order_and_again_it_is_the_same(town: World) -> None:
    lived(town, 4, count=25)
    events = list(Event.objects.order_by("seq"))
    for start in range(0, len(events), 7):
        counters.count(events[start : start + 7])
        counters.count(events[max(0, start - 3) : start + 7])
    assert kept() == by_hand()
    assert counters.count_cases(Case.objects.values_list("pk", flat=True)) == 0


def test_what_is_counted_as_it_happens_equals_what_is_counted_at_the_end(town: World) -> None:
    chance, read = Chance(town, 5), 0
    for _ in range(20):
        chance.case()
        for other in Case.objects.filter(closed_at=None).order_by("number")[:2]:
            chance.act(other, town.at + timedelta(days=61))
        fresh = list(Event.objects.filter(seq__gt=read).order_by("seq"))
        read = fresh[-1].seq
        counters.count(fresh)
    assert kept() == by_hand()


def test_counting_anew_from_nothing_gives_the_same(town: World) -> None:
    lived(town, 6, count=15)
    counters.count(list(Event.objects.all()))
    before = kept()
    Tally.objects.filter(topic="*").update(handled=99)
    assert counters.recount() == Case.objects.count()
    assert kept() == before
    assert Counted.objects.count() == Case.objects.count()


def test_other_events_count_nothing(town: World) -> None:
    assert Event.objects.exists()
    counters.count(list(Event.objects.all()))
    assert not Tally.objects.exists()


def test_an_overdue_case_counts_as_soon_as_the_sweep_has_been(town: World) -> None:
    opening = Opening(procedure="incident", area=town.grid, title="事项", topic="street_order", lead=town.housing.pk)
    case = cases.open_case(opening, by=town.grid_worker, at=town.at)
    for officer, act, data in (
        (town.triage, "register", {}),
        (town.dispatcher, "dispatch", {"department": town.housing.pk}),
    ):
        cases.act(case.pk, Doing(act, data), by=officer, reach=town.reach(officer), at=town.at)
    counters.count_cases([case.pk])
    assert not Tally.objects.filter(to_handle__gt=0).exists()
    clocks.sweep(at=town.at + timedelta(days=30))
    counters.count(list(Event.objects.filter(kind="case.rang")))
    rows = Tally.objects.filter(topic="*", to_handle=1, overdue_open=1)
    assert rows.filter(department=town.housing.pk).count() == rows.filter(department=0).count() == 4


def test_every_shipped_procedure_has_the_one_handling_clock_the_count_needs() -> None:
    for key in ("incident", "hazard", "request"):
        declared = procedure.of(key, "2026.1")
        assert [clock.counts for clock in declared.clocks.values()].count("handle") == 1
