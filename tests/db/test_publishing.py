"""Publishing an index: one drafts, another signs what comes out again to the same bits, and the ledger has it all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import both_counties
from anlan.casework import cases
from anlan.casework.cases import Doing, Opening
from anlan.casework.models import Case
from anlan.facts.verify import NothingThere
from anlan.index.editions import digest, edition, replaying
from anlan.index.editions.edition import Edition, Spoilt, WrongState
from anlan.kernel import catalogue
from anlan.kernel.catalogue import Undeclared
from anlan.ledger import events, seal
from anlan.places import officers
from anlan.places.models import Officer
from anlan.presentation import facts, followers, publishing
from anlan.presentation.commands.main import app
from anlan.presentation.publishing import NoPeriodOf, NotOver, NotYours, SamePerson, Unlike
from both_counties import AFTER
from index_pack import pack
from world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(settings: Any, tmp_path: Path) -> Iterator[World]:
    """The small town, with the small index, its own folder of data, and people who answer for both counties."""
    made = both_counties.town(settings, tmp_path)
    with catalogue.using([pack(tmp_path / "pack")]):
        yield made


def opened(town: World, *, days: float = 0, **more: Any) -> Case:
    opening = Opening("incident", more.pop("area", town.grid), "事项", topic="fire_exit", **more)
    case = cases.open_case(opening, by=town.triage, at=town.at + timedelta(days=days))
    return act(town, case, "register", town.triage, days=days + 0.01)


def act(town: World, case: Case, key: str, who: Officer, *, days: float, **data: Any) -> Case:
    at = town.at + timedelta(days=days)
    return cases.act(case.pk, Doing(key, data), by=who, reach=town.reach(who), at=at)


def exported(at: datetime = AFTER) -> None:
    followers.drain(at=at)
    seal.seal(at=at)
    facts.export(facts.store(), at=at)


def draft(town: World, period: str = "2026-03", *, by: str = "analyst", at: datetime = AFTER) -> Edition:
    who = getattr(town, by)
    return publishing.draft("small", period, by=who, reach=town.reach(who), at=at)


def move(town: World, found: Edition, state: Any, by: str) -> Edition:
    who = getattr(town, by)
    return publishing.move(found, state, by=who, reach=town.reach(who), at=AFTER)


def later(town: World) -> None:
    """Something happens in April, so that the facts reach beyond March."""
    opened(town, days=27, area=town.west_grid)


def test_from_draft_to_published_with_a_second_pair_of_eyes_and_every_step_in_the_ledger(town: World) -> None:
    opened(town)
    later(town)
    exported()
    made = draft(town)
    signed = move(town, made, "signed", "supervisor")
    out = move(town, signed, "published", "area_lead")
    assert edition.find(publishing.root(), "small", "2026-03").manifest.state == "published"
    told = events.history(publishing.subject(out.manifest))
    assert [(event.kind, event.by) for event in told] == [
        ("index.drafted", town.analyst.pk),
        ("index.signed", town.supervisor.pk),
        ("index.published", town.area_lead.pk),
    ]  # fmt: skip
    assert told[0].data["result_sha256"] == out.manifest.result_sha256
    assert told[0].data["seal"]["number"] == out.manifest.seal.number  # type: ignore[union-attr]
    assert told[0].data["facts_sha256"] == digest.of_names(out.manifest.facts.files)
    assert replaying.replay(out).same


def test_who_drafted_does_not_sign(town: World) -> None:
    opened(town)
    later(town)
    exported()
    officers.post(town.supervisor, role="analyst", area=town.county, by=None, at=town.at)
    officers.post(town.supervisor, role="analyst", area=town.neighbour, by=None, at=town.at)
    made = draft(town, by="supervisor")
    with pytest.raises(SamePerson):
        move(town, made, "signed", "supervisor")
    assert edition.read(made.folder).manifest.state == "draft"


def test_a_period_that_is_not_over_may_be_drafted_but_not_signed(town: World) -> None:
    opened(town)
    exported(town.at + timedelta(days=3))
    made = draft(town, at=town.at + timedelta(days=3))
    with pytest.raises(NotOver, match=r"not\s+over"):
        move(town, made, "signed", "supervisor")


def test_a_month_that_ended_quietly_can_be_signed_though_nothing_was_recorded_since(town: World) -> None:
    opened(town)
    exported(AFTER)
    signed = move(town, draft(town), "signed", "supervisor")
    assert signed.manifest.facts.cut_off == AFTER
    opened(town, days=1)
    behind = draft(town)
    assert behind.manifest.facts.cut_off < AFTER - timedelta(days=20)
    with pytest.raises(NotOver):
        move(town, behind, "signed", "supervisor")


def test_states_come_in_their_order(town: World) -> None:
    opened(town)
    later(town)
    exported()
    with pytest.raises(WrongState):
        move(town, draft(town), "published", "area_lead")


def test_an_index_of_areas_beyond_ones_posts_is_not_ones_own(town: World) -> None:
    opened(town)
    exported()
    with pytest.raises(NotYours):
        draft(town, by="outsider")
    assert list(edition.every(publishing.root())) == []


def test_a_late_correction_makes_a_new_edition_that_tells_what_changed_and_leaves_the_old(town: World) -> None:
    case = opened(town)
    later(town)
    exported()
    first = move(town, move(town, draft(town), "signed", "supervisor"), "published", "area_lead")
    kept = {path.name: path.read_bytes() for path in first.folder.glob("*.parquet")}
    act(town, case, "void", town.supervisor, days=1, reason="不属实")
    opened(town, days=2, area=town.west_grid)
    exported(AFTER + timedelta(hours=1))
    second = draft(town, at=AFTER + timedelta(hours=1))
    assert (second.manifest.number, second.manifest.corrects) == (2, 1)
    assert "cases/month=2026-03/part-0.parquet" in second.manifest.restated
    assert {town.east.path, town.west.path} <= {change.area_path for change in second.manifest.changes}
    assert {path.name: path.read_bytes() for path in first.folder.glob("*.parquet")} == kept
    assert replaying.replay(first).same
    assert replaying.replay(second).same


def test_a_result_changed_by_hand_is_neither_signed_nor_published(town: World) -> None:
    opened(town)
    later(town)
    exported()
    made = draft(town)
    scores = made.scores().to_pylist()
    scores[0]["score"] = 99.0
    tables = {**made.tables(), "scores": type(made.scores()).from_pylist(scores, edition.SCHEMAS["scores"])}
    pq.write_table(tables["scores"], made.folder / "scores.parquet")
    with pytest.raises(Spoilt):
        move(town, made, "signed", "supervisor")
    said = made.manifest.model_copy(update={"result_sha256": digest.of_tables(tables)})
    (made.folder / "manifest.json").write_text(said.model_dump_json(), encoding="utf-8")
    with pytest.raises(Unlike, match="ledger"):
        move(town, edition.read(made.folder), "signed", "supervisor")


def test_a_result_that_does_not_follow_from_its_facts_is_not_signed_although_every_digest_fits(town: World) -> None:
    opened(town)
    later(town)
    exported()
    made = draft(town)
    ranks = made.ranks().to_pylist()
    ranks[0]["score"] += 1.0
    tables = {**made.tables(), "ranks": type(made.ranks()).from_pylist(ranks, edition.SCHEMAS["ranks"])}
    said = made.manifest.model_copy(update={"result_sha256": digest.of_tables(tables)})
    tables["history"] = made.history()
    forged = publishing._kept(said, tables, spec=made.folder / "spec", facts=made.facts)
    with pytest.raises(Unlike, match="worked out again differs"):
        move(town, forged, "signed", "supervisor")
    assert edition.read(forged.folder).manifest.state == "draft"


def test_what_was_changed_after_it_was_signed_is_not_published(town: World) -> None:
    opened(town)
    later(town)
    exported()
    signed = move(town, draft(town), "signed", "supervisor")
    kept = next(signed.facts.rglob("*.parquet"))
    content = kept.read_bytes()
    kept.unlink()  # it may be another name for the fact itself
    kept.write_bytes(content + b"x")
    with pytest.raises(Spoilt):
        move(town, signed, "published", "area_lead")


@pytest.mark.parametrize(
    ("index", "period", "refused"),
    [("smal", "2026-03", Undeclared), ("small", "2026-03-02", NoPeriodOf), ("small", "2026-03", NothingThere)],
)
def test_what_cannot_be_worked_out_leaves_nothing(town: World, index: str, period: str, refused: Any) -> None:
    with pytest.raises(refused):
        publishing.draft(index, period, by=town.analyst, reach=town.reach(town.analyst), at=AFTER)
    assert list(edition.every(publishing.root())) == []


def test_facts_that_are_not_what_the_list_says_are_not_worked_with(town: World) -> None:
    opened(town)
    exported()
    path = Path(facts.store().path("cases/month=2026-03/part-0.parquet"))
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(Unlike, match="anlan facts verify"):
        draft(town)


def test_the_same_from_the_command_line(town: World) -> None:
    opened(town)
    later(town)
    exported()

    def run(*asked: str) -> Any:
        return CliRunner().invoke(app, ["index", *asked])

    assert run("draft", "small", "--period", "2026-03", "--as", town.analyst.username).exit_code == 0
    refused = run("publish", "small", "--period", "2026-03", "--as", town.analyst.username)
    assert refused.exit_code == 2
    assert "Your posts do not allow this" in refused.output
    assert run("sign", "small", "--period", "2026-03", "--as", town.supervisor.username).exit_code == 0
    assert run("publish", "small", "--period", "2026-03", "--as", town.area_lead.username).exit_code == 0
    listed = run("editions")
    assert "small 2026-03 #1" in listed.output
    assert "已发布" in listed.output
    again = run("replay", "small", "2026-03", "1")
    assert again.exit_code == 0
    assert "every bit is the same" in again.output
    assert run("replay", "small", "2026-02").exit_code == 2
    assert date(2026, 3, 31) in edition.find(publishing.root(), "small", "2026-03").period
