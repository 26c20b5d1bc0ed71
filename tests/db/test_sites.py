"""Sites and the parties who answer for them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from anlan.kernel.text import Refusal
from anlan.ledger import personal
from anlan.ledger.events import history
from anlan.ledger.models import Event
from anlan.places import parties, sites
from anlan.places.models import Site
from anlan.places.record import subject_of
from anlan.places.site_kind import all_kinds
from world import AT, World, world


@pytest.fixture
def town() -> World:
    return world()


def make(town: World, **changed: Any) -> Site:
    plain: dict[str, Any] = {"name": "小饭馆", "kind": "restaurant", "area": town.grid, "by": None, "at": AT}
    return sites.create(**{**plain, **changed})


def test_a_site_without_a_code_is_given_one_that_is_its_own(town: World) -> None:
    codes = {make(town).code for _ in range(5)}
    assert len(codes) == 5
    assert all(len(code) == 10 and set(code) <= set(sites.LETTERS) for code in codes)


def test_a_site_is_found_by_the_code_on_its_sign(town: World) -> None:
    assert sites.find(" house1 ") == town.site
    with pytest.raises(sites.NoSite, match="house2"):
        sites.find("house2")


def test_a_site_that_cannot_be_is_refused_with_the_field(town: World) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"name": "  "}, "name"),
        ({"code": "house1"}, "code"),
        ({"lon": 122.0}, "lon"),
        ({"lon": 222.0, "lat": 27.0}, "lon"),
        ({"kind": "restuarant"}, "key"),
    ]
    for changed, field in wrong:
        with pytest.raises(Refusal) as refused:
            make(town, **changed)
        assert refused.value.field == field


def test_a_site_moves_with_its_area_and_the_ledger_says_what_changed(town: World) -> None:
    sites.change(town.site, area=town.next_grid, name="东一村老房", by=town.administrator, at=AT)
    assert Site.objects.get(pk=town.site.pk).area_path == town.next_grid.path
    assert history(subject_of(town.site))[-1].data == {"fields": ["area", "name"]}


def test_changing_nothing_records_nothing(town: World) -> None:
    sites.change(town.site, name=town.site.name, by=None, at=AT)
    assert len(history(subject_of(town.site))) == 1


def test_a_closed_site_keeps_its_history(town: World) -> None:
    sites.close(town.site, by=town.administrator, at=AT)
    assert not sites.find("house1").is_active


def test_every_kind_of_site_has_its_words() -> None:
    kinds = all_kinds()
    assert {"rental_house", "shopfront", "village_house", "mixed_use", "high_rise"} <= set(kinds)
    assert all(kind.title.zh and kind.title.en for kind in kinds.values())


def test_a_contact_is_kept_apart_and_encrypted(town: World) -> None:
    made = parties.create(
        kind="landlord",
        name="甲房东",
        area=town.village,
        contact={"phone": "13000000000"},
        keep_until=date(2027, 1, 1),
        by=None,
        at=AT,
    )
    assert made.contact is not None
    assert personal.read(made.contact) == {"phone": "13000000000"}
    told = json.dumps(list(Event.objects.values_list("data", flat=True)), ensure_ascii=False)
    assert "13000000000" not in told
    assert "甲房东" not in told


def test_a_contact_without_an_end_an_unknown_kind_and_no_name_are_refused(town: World) -> None:
    plain: dict[str, Any] = {"kind": "landlord", "name": "甲", "area": town.village, "by": None, "at": AT}
    for changed, field in (
        ({"contact": {"phone": "1"}}, "keep_until"),
        ({"kind": "x"}, "kind"),
        ({"name": ""}, "name"),
    ):
        with pytest.raises(parties.PartyRefused) as refused:
            parties.create(**{**plain, **changed})
        assert refused.value.field == field


def test_correcting_a_party_names_only_the_fields(town: World) -> None:
    parties.change(town.party, name="新房东", official_code="91330", by=town.administrator, at=AT)
    parties.change(town.party, name="新房东", by=town.administrator, at=AT)
    told = history(subject_of(town.party))
    assert [event.kind for event in told] == ["party.created", "party.changed"]
    assert told[-1].data == {"fields": ["name", "official_code"]}
