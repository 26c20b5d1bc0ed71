"""An index before those whose it is not: drafts, steps, other trees, and a hand on the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

import both_counties
import index_town
from anlan.index.editions import edition
from anlan.index.editions.edition import Edition
from anlan.places import officers
from anlan.places.models import Officer
from anlan.presentation import publishing
from both_counties import AFTER
from calling import Caller, token_of
from desk import at_desk, opened, text
from index_town import EDITION, INDEX, PATHS, PERIOD, line, publish
from world import World, world

HOME = reverse("index_edition", kwargs=EDITION)
THEIRS = ["330199/", "330199/330199001/"]
MARCH = {"period": "2026-03", "number": "1"}


@pytest.fixture
def town(data: Path) -> World:
    """The small town before anything was published."""
    (data / "index").mkdir(parents=True, exist_ok=True)
    return world()


@pytest.fixture
def drafted(settings: Any, tmp_path: Path) -> Iterator[World]:
    """The town in April with a draft of March that the analyst made, as work over both counties."""
    with both_counties.with_facts_of_march(settings, tmp_path) as made:
        publishing.draft("small", "2026-03", by=made.analyst, reach=made.reach(made.analyst), at=AFTER)
        yield made


def act(client: Client, deed: str, **data: Any) -> Any:
    return client.post(reverse("index_edition_act", args=["small"]), {"deed": deed, **data}, follow=True)


def march() -> Edition:
    return edition.find(publishing.root(), "small", "2026-03", 1)


def posted(town: World, who: Officer, role: str, area: Any) -> Officer:
    officers.post(who, role=role, area=area, by=None, at=town.at)
    return who


# ---------------------------------------------------------------- what is not published


def test_a_draft_is_not_seen_by_those_who_draft_elsewhere(town: World, data: Path) -> None:
    publish(data / "index", PATHS, PERIOD, state="draft")
    here = posted(town, town.grid_worker, "analyst", town.east)
    there = town.outsider
    for who in (here, there, town.area_lead):
        assert at_desk(who).get(HOME).status_code == 404
        assert Caller(who).get(f"/index/{INDEX}/{PERIOD}/ranks").status == 404
        assert Caller(who).get(f"/index/{INDEX}/editions").status == 404
    shown = at_desk(here).get(reverse("index_editions", args=[INDEX]))
    assert shown.context["shown"] == []
    assert at_desk(posted(town, town.area_lead, "area_lead", town.county)).get(HOME).status_code == 200


def test_a_later_draft_is_not_even_hinted_at(town: World, data: Path) -> None:
    publish(data / "index", PATHS, PERIOD)
    publish(data / "index", PATHS, PERIOD, seed=9, state="draft")
    page = at_desk(town.dispatcher).get(HOME)
    assert page.context["state"] is None
    assert not any("edition=" in row.url for row in page.context["table"].rows)
    assert at_desk(town.dispatcher).get(f"{HOME}?edition=2").status_code == 404
    assert Caller(town.dispatcher).get(f"/index/{INDEX}/{PERIOD}/ranks", edition=2).status == 404
    assert "有更新的版本" in text(at_desk(town.analyst).get(f"{HOME}?edition=1"))


def test_what_was_published_and_withdrawn_stays_with_its_reason_and_a_withdrawn_draft_does_not(
    town: World, data: Path
) -> None:
    for state in ("published", "draft"):
        made = publish(data / "index", PATHS, PERIOD, state=state, seed=len(state))
        edition.move(made, "withdrawn", by=None, at=index_town.NOW, why="人口数用错了")
    listed = at_desk(town.dispatcher).get(reverse("index_editions", args=[INDEX])).context["shown"]
    assert [each.manifest.number for each in listed] == [1]
    page = at_desk(town.dispatcher).get(listed[0].url)
    assert "撤回的原因：人口数用错了" in text(page)
    assert at_desk(town.dispatcher).get(f"{HOME}?edition=2").status_code == 404
    assert len(at_desk(town.analyst).get(reverse("index_editions", args=[INDEX])).context["shown"]) == 2


# ---------------------------------------------------------------- another tree in the same index


def test_of_an_index_of_two_counties_each_sees_its_own(town: World, data: Path) -> None:
    publish(data / "index", [*PATHS, *THEIRS], PERIOD)
    ours, theirs = at_desk(town.analyst), at_desk(town.outsider)
    for client, own, hidden in ((ours, "东镇", "邻镇"), (theirs, "邻镇", "东镇")):
        pages = [HOME, *(reverse(each, kwargs=EDITION) for each in ("index_sure", "index_audit", "index_scenario"))]
        said = "".join(text(client.get(address)) for address in pages)
        assert own in said
        assert hidden not in said
    for address in (f"{HOME}?area={town.east.code}", reverse("index_area", kwargs=EDITION | {"code": town.east.code})):
        assert theirs.get(address).status_code == 404
    rows = Caller(town.outsider).get(f"/index/{INDEX}/{PERIOD}/ranks").json["rows"]
    assert {row["area"] for row in rows} == {"330199", "330199001"}


def test_the_home_of_the_index_opens_on_one_that_tells_of_ones_own_area(town: World, data: Path) -> None:
    publish(data / "index", [*PATHS, *THEIRS], "2026-01")
    other = publish(data / "index", PATHS, PERIOD)
    (data / "index/another").mkdir()
    other.folder.parent.rename(data / "index/another" / PERIOD)
    assert at_desk(town.outsider).get(reverse("index")).context["sight"].edition.manifest.period == "2026-01"


# ---------------------------------------------------------------- the cases in why


def test_why_names_a_case_only_to_those_who_may_see_it(town: World, data: Path) -> None:
    case = opened(town)
    why = json.dumps([{"id": str(case.pk), "area": town.grid.path, "points": -1.5}])
    publish(data / "index", PATHS, PERIOD, lines=(line(town.east.path, -1.5) | {"why": why},))
    told = {}
    for who in (town.supervisor, town.other_handler):
        [found] = Caller(who).get(f"/index/{INDEX}/{PERIOD}/areas/{town.east.code}").json["lines"]
        told[who.pk] = found["why"][0]
    assert told[town.supervisor.pk]["id"] == str(case.pk)
    assert told[town.other_handler.pk] == {"id": None, "area": town.grid.path, "points": -1.5}


# ---------------------------------------------------------------- steps


def test_a_step_from_another_site_is_refused(drafted: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(drafted.supervisor)
    for deed in ("signed", "draft", "withdrawn", "replay"):
        assert act(client, deed, why="x", **MARCH).status_code == 403, deed
    assert march().manifest.state == "draft"
    assert at_desk(drafted.supervisor).get(reverse("index_edition_act", args=["small"]), MARCH).status_code == 405


def test_a_step_on_an_edition_one_may_not_see_finds_none(drafted: World) -> None:
    here = posted(drafted, drafted.grid_worker, "analyst", drafted.east)
    lead = posted(drafted, drafted.scene_officer, "area_lead", drafted.east)
    for who, deed in ((here, "replay"), (lead, "signed"), (lead, "withdrawn"), (drafted.dispatcher, "replay")):
        assert act(at_desk(who), deed, why="x", **MARCH).status_code == 404, deed
    assert march().manifest.state == "draft"


def rewritten(**changed: Any) -> Edition:
    """The draft with its manifest changed by hand."""
    path = march().folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    return march()


def test_who_drafted_does_not_sign_although_the_file_says_that_somebody_else_did(drafted: World) -> None:
    for county in (drafted.county, drafted.neighbour):
        posted(drafted, drafted.analyst, "supervisor", county)
    reach = drafted.reach(drafted.analyst)
    for name in (None, drafted.supervisor.pk):
        with pytest.raises(publishing.SamePerson):
            publishing.move(rewritten(made_by=name), "signed", by=drafted.analyst, reach=reach, at=AFTER)


def test_what_was_never_signed_is_not_published_although_the_file_says_that_it_was(drafted: World) -> None:
    found = rewritten(state="signed", signed={"by": drafted.supervisor.pk, "at": AFTER.isoformat()})
    with pytest.raises(publishing.Unlike, match="台账里没有这一步"):
        publishing.move(found, "published", by=drafted.area_lead, reach=drafted.reach(drafted.area_lead), at=AFTER)


# ---------------------------------------------------------------- tokens


def test_a_token_sees_of_an_index_no_more_than_it_was_given(town: World, data: Path) -> None:
    publish(data / "index", PATHS, "2026-01")
    publish(data / "index", PATHS, PERIOD, state="draft")
    narrow, figures = (Caller(token=token_of(town.analyst, [each])) for each in ("cases.see", "statistics.see"))
    for path in ("", f"/{INDEX}/editions", f"/{INDEX}/2026-01/ranks", f"/{INDEX}/2026-01/areas/{town.east.code}"):
        assert narrow.get(f"/index{path}").status == 403
        assert figures.get(f"/index{path}").status == 200
    assert figures.get(f"/index/{INDEX}/{PERIOD}/ranks").status == 404
    drafting = Caller(token=token_of(town.analyst, ["statistics.see", "index.draft"]))
    assert drafting.get(f"/index/{INDEX}/{PERIOD}/ranks").status == 200
