"""Which procedure and which department: the table's rows, then what a topic's own file says, else a person decides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse

from anlan.casework import triage
from anlan.casework.models import Case
from anlan.casework.routing import route
from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.kernel import catalogue
from anlan.places import departments
from anlan.presentation import followers
from calling import Caller
from desk import at_desk, done, opened
from howto import page
from world import AT, World, world

TOPICS = {
    # `waste` stands in the shipped table, which sends it to `incident`.
    "bins": 'parent = "waste"',
    "boat": 'parent = "waste"\nprocedure = "request"',
    "raft": 'parent = "boat"',
    "kite": "",
    "moon": 'procedure = "dangerous_tree"',
}
TABLE = """
key = "ours"
title = { zh = "本地分流表", en = "Our routing" }

[[rows]]
topics = ["boat"]
site_kinds = ["factory"]
procedure = "hazard"

[[rows]]
topics = ["bins"]
procedure = "incident"
lead = "market"
assisting = ["fire", "housing"]
"""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[World]:
    pack = tmp_path / "mine"
    for folder in ("topics", "routing", "procedures"):
        (pack / folder).mkdir(parents=True)
    for key, rest in TOPICS.items():
        text = f'key = "{key}"\ntitle = {{ zh = "{key} 类", en = "{key}" }}\n{rest}\n'
        (pack / f"topics/{key}.toml").write_text(text, encoding="utf-8")
    (pack / "routing/ours.toml").write_text(TABLE, encoding="utf-8")
    later = page("add-a-procedure").declaration().body.replace("2026-01-01", "2027-01-01", 1)
    (pack / "procedures/dangerous_tree.toml").write_text(later, encoding="utf-8")
    with catalogue.using([pack]):
        yield world()


def procedure(town: World, topic: str, *, site_kind: str = "") -> str | None:
    found = route(topic, town.grid.path, site_kind=site_kind, day=AT.date())
    return found.procedure if found else None


def test_a_row_for_a_topic_fits_the_narrower_ones(town: World) -> None:
    assert procedure(town, "bins") == "incident"


def test_what_a_topic_says_itself_goes_before_rows_for_broader_ones(town: World) -> None:
    assert procedure(town, "boat") == "request"


def test_a_topic_inherits_what_the_nearest_broader_one_says(town: World) -> None:
    assert procedure(town, "raft") == "request"


def test_a_row_for_the_very_topic_goes_before_what_it_says_itself(town: World) -> None:
    assert procedure(town, "boat", site_kind="factory") == "hazard"
    assert procedure(town, "raft", site_kind="factory") == "hazard"


def test_a_topic_of_which_nobody_says_anything_waits_for_a_person(town: World) -> None:
    assert procedure(town, "kite") is None
    assert procedure(town, "nonsense") is None


def test_the_department_is_the_one_whose_duty_it_is(town: World) -> None:
    found = route("boat", town.grid.path, day=AT.date())
    assert found is not None
    assert found.lead == town.enforcement.pk


def test_a_retired_department_is_never_suggested_and_the_one_with_the_duty_takes_its_place(town: World) -> None:
    for office in (town.market, town.fire):
        departments.retire(office, by=None, at=AT)
    found = route("bins", town.grid.path, day=AT.date())
    assert found is not None
    assert (found.lead, found.assisting, found.retired) == (
        town.enforcement.pk, (town.housing.pk,), (town.market.pk,)
    )  # fmt: skip


def test_where_all_who_would_answer_are_retired_nobody_is_suggested_and_the_reason_is_told(town: World) -> None:
    case = opened(town, topic="bins")
    done(town, case, town.triage, "register", after=timedelta(minutes=10))
    for office in (town.market, town.enforcement):
        departments.retire(office, by=None, at=AT)
    found = route("bins", town.grid.path, day=AT.date())
    assert found is not None
    assert (found.lead, found.retired) == (None, (town.market.pk, town.enforcement.pk))
    for language, words in (
        ("zh", "应由市场局、执法局主办，但已停用"),
        ("en", "would be Market, Enforcement, now retired"),
    ):
        page = at_desk(town.dispatcher, language).get(reverse("case_act", args=[case.number, "dispatch"]))
        assert words in page.content.decode()


def test_a_retired_department_is_named_beside_the_proposal_for_a_report(town: World) -> None:
    departments.retire(town.market, by=None, at=AT)
    form = catalogue.current().get(CHANNELS, "officer_form")
    message = {"client_id": "1", "topic": "bins", "description": "说明", "area": town.grid.code}
    report = reports.receive(form, message, by=town.grid_worker, at=AT).report
    assert report is not None
    told = Caller(town.triage).get(f"/reports/{report.pk}/proposal").json
    assert told["lead"]["key"] == "enforcement"
    assert [each["key"] for each in told["retired"]] == ["market"]


def test_a_report_whose_procedure_is_not_in_force_yet_waits_and_holds_nobody_up(town: World) -> None:
    form = catalogue.current().get(CHANNELS, "officer_form")
    for number, topic in enumerate(("moon", "boat")):
        message = {"client_id": str(number), "topic": topic, "description": "说明", "area": town.grid.code}
        reports.receive(form, message, by=town.grid_worker, at=AT)
    followers.drain(at=AT)
    assert [case.topic for case in Case.objects.all()] == ["boat"]
    assert [report.topic for report in triage.waiting(town.reach(town.triage))] == ["moon"]
