"""What one case adds to the counts, by the field's definitions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from anlan.casework.acts import Actor
from anlan.casework.contribution import COLUMNS, TOOK, Contribution, contribution
from anlan.casework.models import Tally
from anlan.casework.procedure import Clock, Procedure, of
from walking import START, Walk

DAY = 24 * 60
ROLES = frozenset(
    ["triage", "dispatcher", "handler", "department_lead", "grid_worker", "area_lead", "supervisor", "inspector"]
)
HOUSING, MARKET = 7, 8


def incident() -> Procedure:
    return of("incident", "2026.1")


class Case(Walk):
    """A case walked by people of two departments; whoever verifies is not whoever fixed."""

    def __init__(self, procedure: Procedure | None = None) -> None:
        super().__init__(procedure or incident(), topic="street_order")

    def go(self, *acts: str, minutes: int = 10, department: int = HOUSING, **data: Any) -> Case:
        given = {key: {"department": department} for key in ("dispatch", "assign", "order")}
        for act in acts:
            by = 1 if self.plan.acts[act].fixes or act == "ask_extension" else 2
            fields = {f.key: "说明" for f in self.plan.acts[act].fields if f.required and f.type == "longtext"}
            values = fields | given.get(act, {}) | data
            self.do(act, Actor(by, ROLES, frozenset({HOUSING, MARKET})), values, minutes=minutes)
        return self

    def added(self) -> Contribution:
        return contribution(self.plan, self.again(), local_date=self.calendar.local_date)

    def counts(self, department: int = 0) -> dict[str, int]:
        """Everything added for a department, all days together."""
        found: dict[str, int] = {}
        for row in self.added().rows:
            if row.department == department:
                for name, count in row.counts.items():
                    found[name] = found.get(name, 0) + count
        return found


def handled() -> Case:
    return Case().go("register", "dispatch", "fix")


def closed() -> Case:
    return handled().go("verify", "close")


def test_the_columns_are_those_of_the_tally() -> None:
    columns = {field.name for field in Tally._meta.concrete_fields} - {"area_path", "department", "topic", "day"}
    assert columns == {*COLUMNS, *TOOK}


def test_a_new_case_is_reported_and_nothing_more() -> None:
    assert Case().counts() == {"reported": 1, "opened": 1}


def test_a_registered_case_is_valid_until_it_is_voided() -> None:
    assert Case().go("register").counts() == {"reported": 1, "opened": 1, "registered": 1, "valid": 1}
    voided = {"reported": 1, "opened": 1, "registered": 1, "voided": 1, "finished": 1}
    assert Case().go("register", "void").counts() == voided


def test_a_refused_case_is_neither_valid_nor_closed() -> None:
    assert Case().go("refuse").counts() == {"reported": 1, "opened": 1, "refused": 1, "finished": 1}


def test_a_dispatched_case_is_not_yet_due_to_be_handled() -> None:
    case = Case().go("register", "dispatch")
    assert "to_handle" not in case.counts()
    assert case.counts()["dispatched"] == 1


def test_an_overdue_open_case_is_due_to_be_handled_at_once() -> None:
    case = Case().go("register", "dispatch")
    due = case.now.clock("handle").due_at
    assert due is not None
    case.ring(due - timedelta(seconds=1))
    assert "to_handle" not in case.counts()
    case.ring(due)
    assert {"to_handle": 1, "overdue_open": 1}.items() <= case.counts().items()
    assert "handled" not in case.counts()


def test_a_case_handled_late_is_handled_but_not_in_time() -> None:
    counts = Case().go("register", "dispatch").go("fix", minutes=30 * DAY).counts()
    assert {"to_handle": 1, "handled": 1}.items() <= counts.items()
    assert "handled_in_time" not in counts
    in_time = handled().counts()
    assert {"to_handle": 1, "handled": 1, "handled_in_time": 1}.items() <= in_time.items()


def test_rework_takes_back_the_handling_and_the_last_disposal_decides() -> None:
    case = handled().go("rework")
    assert {"reworked": 1, "reworks": 1}.items() <= case.counts().items()
    assert "handled" not in case.counts()
    case.go("fix", "rework", "fix")
    counts = case.counts()
    assert {"reworked": 1, "reworks": 2, "handled": 1, "handled_in_time": 1}.items() <= counts.items()
    late = handled().go("rework").go("fix", minutes=30 * DAY).counts()
    assert "handled_in_time" not in late


def test_a_case_closed_in_time_counts_as_closed_for_its_department_too() -> None:
    case = closed()
    wanted = {"to_close": 1, "closed": 1, "closed_in_time": 1, "handled": 1, "handled_in_time": 1, "finished": 1}
    assert wanted.items() <= case.counts().items()
    assert case.counts(HOUSING) == case.counts()
    assert case.counts(MARKET) == {}


def test_a_case_open_past_its_whole_time_limit_is_due_to_be_closed() -> None:
    case = handled()
    case.ring(START + timedelta(days=40))
    assert {"to_close": 1, "overdue_open": 1, "handled_in_time": 1}.items() <= case.counts().items()
    assert "closed" not in case.counts()


def test_a_return_counts_against_the_department_that_returned() -> None:
    case = Case().go("register", "dispatch", "return").go("dispatch", "fix", department=MARKET)
    assert case.counts()["returned"] == 1
    assert case.counts(HOUSING) == {"dispatched": 1, "returned": 1}
    assert "returned" not in case.counts(MARKET)
    assert case.counts(MARKET)["handled"] == 1


def test_a_case_returned_twice_is_shuffled() -> None:
    case = Case().go("register", "dispatch", "return").go("dispatch", "return", department=MARKET).go("dispatch")
    assert {"returned": 1, "shuffled": 1, "dispatched": 1}.items() <= case.counts().items()
    assert case.counts(MARKET) == {"dispatched": 1, "returned": 1, "shuffled": 1}
    assert {"returned": 1, "shuffled": 1}.items() <= case.counts(HOUSING).items()


def test_a_granted_extension_counts_and_moves_the_deadline() -> None:
    case = Case().go("register", "dispatch")
    due = case.now.clock("handle").due_at
    assert due is not None
    case.go("ask_extension", length=2)
    assert "extended" not in case.counts()
    case.go("grant_extension")
    assert case.counts()["extended"] == 1
    case.ring(due)
    assert "to_handle" not in case.counts()


def test_a_hung_case_is_hung_until_it_is_resumed_and_was_hung_for_ever() -> None:
    case = Case().go("register", "dispatch").go("hang", review_on="2026-07-01")
    assert {"hung": 1, "hung_ever": 1}.items() <= case.counts().items()
    case.go("resume")
    assert "hung" not in case.counts()
    assert case.counts()["hung_ever"] == 1


def test_hanging_an_overdue_case_does_not_take_it_out_of_the_count() -> None:
    case = Case().go("register", "dispatch")
    case.ring(START + timedelta(days=30))
    case.go("hang", minutes=30 * DAY, review_on="2026-08-01")
    assert {"to_handle": 1, "overdue_open": 1, "hung": 1}.items() <= case.counts().items()


def test_a_voided_case_takes_no_part_in_what_was_to_be_handled() -> None:
    counts = closed().go("reopen", "void").counts()
    assert {"to_handle", "handled", "to_close", "closed"}.isdisjoint(counts)
    assert {"voided": 1, "finished": 1}.items() <= counts.items()


def test_an_overdue_case_that_is_merged_is_handled_with_the_other_one() -> None:
    case = Case().go("register", "dispatch")
    case.ring(START + timedelta(days=30))
    case.go("merge", minutes=30 * DAY, case="01890000-0000-7000-8000-000000000001")
    assert {"merged": 1, "valid": 1, "finished": 1}.items() <= case.counts().items()
    assert "to_handle" not in case.counts()


def test_an_escalated_hazard_that_was_not_cured_in_time_stays_due() -> None:
    case = Case(of("hazard", "2026.1")).go("order", deadline="2026-06-10")
    case.go("escalate", minutes=30 * DAY, measure="penalty")
    counts = case.counts()
    assert {"to_handle": 1, "to_close": 1, "closed": 1}.items() <= counts.items()
    assert {"handled", "handled_in_time", "closed_in_time", "overdue_open"}.isdisjoint(counts)


def test_where_no_closing_clock_is_declared_the_handling_clock_decides() -> None:
    case = Case(of("request", "2026.1")).go("assign", "answer").go("rate", minutes=20 * DAY, satisfaction="satisfied")
    assert {"closed": 1, "closed_in_time": 1, "handled_in_time": 1}.items() <= case.counts().items()


def test_cohort_counts_stand_on_the_local_day_of_opening_and_the_end_on_its_own_day() -> None:
    case = Case().go("register", "dispatch", "fix", minutes=DAY).go("verify", "close")
    added = case.added()
    finished = [row for row in added.rows if "finished" in row.counts]
    assert {row.day for row in added.rows if "reported" in row.counts} == {date(2026, 6, 1)}
    assert {row.day for row in finished} == {date(2026, 6, 4)}
    assert [(spell.department, spell.day, spell.days) for spell in added.spells] == [
        (0, date(2026, 6, 1), 3),
        (HOUSING, date(2026, 6, 1), 3),
    ]


def test_a_refused_case_has_no_duration() -> None:
    assert Case().go("refuse").added().spells == []


def test_the_end_of_a_counted_clock_rings_even_where_nobody_is_told() -> None:
    procedure = incident()
    clocks: dict[str, Clock] = dict(procedure.clocks)
    clocks["handle"] = clocks["handle"].model_copy(update={"ladder": ()})
    case = Case(procedure.model_copy(update={"clocks": clocks, "edition": "silent"})).go("register", "dispatch")
    case.ring(START + timedelta(days=30))
    assert case.counts()["to_handle"] == 1
