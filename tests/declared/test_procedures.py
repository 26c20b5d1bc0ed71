"""Every declared procedure tests itself: the checker finds nothing, its example walks, and no walk breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlan.casework import acts, checker
from anlan.casework.acts import Actor
from anlan.casework.procedure import PROCEDURES, Procedure
from anlan.kernel.catalogue import PACKAGE, Catalogue
from anlan.kernel.text import Refusal
from walking import Walk, fill

PACKS = sorted(p for p in (Path(__file__).parents[2] / "packs").iterdir() if p.is_dir())
DECLARED: dict[str, Procedure] = Catalogue([PACKAGE, *PACKS]).all(PROCEDURES)
ROLES = (
    "triage", "dispatcher", "handler", "department_lead", "area_lead", "supervisor", "inspector", "grid_worker",
    "party",
)  # fmt: skip
CAST = [
    Actor(n, frozenset({role}), frozenset({department}), role == "party")
    for n, (role, department) in enumerate((role, department) for role in ROLES for department in (1, 2, 3))
]


def cast(by: str, department: str) -> Actor:
    role = by.partition("#")[0]
    departments = frozenset({int(department)} if department else ())
    return Actor(hash(by) % 10_000, frozenset({role}), departments, role == "party")


@pytest.mark.parametrize("key", DECLARED)
def test_the_checker_finds_nothing_wrong_with_a_declared_procedure(key: str) -> None:
    assert [str(problem) for problem in checker.check(DECLARED[key])] == []


@pytest.mark.parametrize("key", DECLARED)
def test_the_example_walks_to_an_end_by_the_steps_it_names(key: str) -> None:
    procedure = DECLARED[key]
    assert procedure.example, f"{key} carries no example walk"
    walk = Walk(procedure)
    for line in procedure.example:
        walk.do(line.act, cast(line.by, line.department), line.data, minutes=line.minutes)
        assert walk.now.step == line.leads_to
    assert walk.now.outcome
    assert walk.again() == walk.now


@pytest.mark.parametrize("key", DECLARED)
def test_every_step_and_act_speaks_both_languages(key: str) -> None:
    for title in _words(DECLARED[key]):
        assert title[0].strip()
        assert title[1].strip()
        assert title[0] != title[1]


def _words(procedure: Procedure) -> Iterator[tuple[str, str]]:
    for step in procedure.steps.values():
        yield step.title.zh, step.title.en
        yield step.public.zh, step.public.en
        if step.ahead:
            yield step.ahead.zh, step.ahead.en
    for act in procedure.acts.values():
        yield act.title.zh, act.title.en
        if act.public:
            yield act.public.zh, act.public.en


@settings(max_examples=60, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("key", DECLARED)
def test_a_random_walk_with_a_jumping_clock_never_reaches_what_is_forbidden(key: str, data: st.DataObject) -> None:
    procedure = DECLARED[key]
    walk = Walk(procedure, topic=data.draw(st.sampled_from(["", "fire_exit", "gas_leak"])))
    for _ in range(data.draw(st.integers(1, 25))):
        actor = data.draw(st.sampled_from(CAST))
        offered = acts.offers(walk.plan, walk.now, actor)
        if not offered:
            continue
        act, declared = data.draw(st.sampled_from(offered))
        department = data.draw(st.integers(1, 3))
        fields = {f.key: fill(f, department) for f in declared.fields if f.required or data.draw(st.booleans())}
        minutes = data.draw(st.sampled_from([-500, 0, 1, 30, 600, 3000, 20_000]))
        before = len(walk.history)
        try:
            walk.do(act, actor, fields, minutes=minutes)
        except Refusal:
            assert len(walk.history) == before
            continue
        assert len(walk.history) > before
        _lawful(walk, act, actor)
    assert walk.again() == walk.now


def _lawful(walk: Walk, act: str, actor: Actor) -> None:
    procedure, now = walk.plan.procedure, walk.now
    assert now.step in procedure.steps
    assert now.outcome == procedure.steps[now.step].outcome
    assert bool(now.closed_at) == bool(now.outcome)
    assert now.rev == sum(1 for past in walk.history if past.kind != "case.rang")
    if procedure.acts[act].proves:
        assert actor.id not in now.fixed_by
    if now.outcome == "cured":
        assert any(procedure.acts[done].proves for done in now.done)
    if not now.outcome:
        assert any(run.state in ("running", "paused") for run in now.clocks)
    for key, act_declared in procedure.acts.items():
        assert not act_declared.at_most or now.done.get(key, 0) <= act_declared.at_most
    moments = [past.at for past in walk.history]
    assert moments == sorted(moments)
