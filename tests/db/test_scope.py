"""Who may see and do what, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from anlan.kernel.text import Text
from anlan.places import areas, officers
from anlan.places.models import Area, Department, Officer, Post, Site
from anlan.places.role import ACTIONS, all_roles
from anlan.places.scope import Hold, NotCertified, Reach, posts_of, reach_of, under, within
from world import AT, CERTIFIED, FOUNDED, SHANGHAI, World, world


@pytest.fixture
def town() -> World:
    return world()


def hold(**changed: Any) -> Hold:
    plain = Hold(
        role="dispatcher",
        reach="area",
        path="1/2/",
        actions=frozenset({"cases.see"}),
        area_actions=frozenset(),
        department=None,
        party=None,
        compels=False,
        lapsed_on=None,
        certificate="",
    )
    return replace(plain, **changed)


def test_a_subtree_is_the_area_and_all_below_it_and_nothing_beside_it(town: World) -> None:
    found = set(Area.objects.filter(under(town.east.path, "path")).values_list("path", flat=True))
    everything = Area.objects.values_list("path", flat=True)
    assert found == {path for path in everything if path.startswith(town.east.path)}
    assert town.west.path not in found


def test_a_subtree_ends_before_a_sibling_whose_code_goes_on_like_its_own() -> None:
    for code in ("33", "330", "3300", "33a", "34"):
        areas.create(code, level="county", name=Text(zh=code, en=code), parent=None, valid_from=FOUNDED, by=None, at=AT)
    assert list(Area.objects.filter(under("33/", "path")).values_list("code", flat=True)) == ["33"]
    assert list(Area.objects.filter(under("330/", "path")).values_list("code", flat=True)) == ["330"]


def test_the_range_of_a_subtree_is_answered_by_the_index_on_the_path(town: World) -> None:
    plan = Site.objects.filter(under(town.east.path), kind="shopfront").explain()
    assert "site_area_kind" in plan or "Seq Scan" in plan  # PostgreSQL reads three rows without an index


def test_subtrees_inside_others_are_asked_once() -> None:
    assert within(["1/2/", "1/", "1/3/", "1/2/4/"]) == under("1/")
    assert within(["1/", "10/"]) == under("1/") | under("10/")


def test_every_role_is_declared_with_its_words() -> None:
    roles = all_roles()
    assert set(roles) == {
        "police_officer",
        "grid_worker",
        "volunteer",
        "inspector",
        "triage",
        "dispatcher",
        "handler",
        "department_lead",
        "area_lead",
        "supervisor",
        "analyst",
        "administrator",
        "party",
    }
    for role in roles.values():
        assert role.title.zh
        assert role.title.en
        assert role.summary.zh
        assert role.summary.en


def test_only_certified_roles_compel_and_grid_workers_and_volunteers_do_not() -> None:
    assert {key for key, role in all_roles().items() if role.compels} == {"inspector"}
    assert all(role.certified for role in all_roles().values() if role.compels)


def test_the_party_complained_of_and_the_administrator_never_learn_who_reported() -> None:
    assert {key for key, role in all_roles().items() if role.sees_reporter} == {"triage", "supervisor"}


def test_a_dispatcher_reaches_the_whole_county_and_a_grid_worker_only_the_grid(town: World) -> None:
    dispatcher, worker = town.reach(town.dispatcher), town.reach(town.grid_worker)
    assert dispatcher.covers("cases.act", area_path=town.west_grid.path)
    assert worker.covers("cases.see", area_path=town.grid.path)
    assert not worker.covers("cases.see", area_path=town.next_grid.path)
    assert not worker.covers("cases.bulk", area_path=town.grid.path)


def test_a_handler_reaches_only_what_the_department_leads_or_assists(town: World) -> None:
    reach = town.reach(town.handler)
    mine, other = town.housing.pk, town.market.pk
    assert reach.covers("cases.act", area_path=town.grid.path, departments={mine, other})
    assert not reach.covers("cases.act", area_path=town.grid.path, departments={other})
    assert not reach.covers("cases.act", area_path=town.grid.path)
    assert not reach.covers("cases.act", area_path=town.neighbour_grid.path, departments={mine})


def test_a_handler_sees_the_sites_of_the_whole_county(town: World) -> None:
    found = Site.objects.filter(town.reach(town.handler).q("sites.see"))
    assert set(found) == {town.site, town.shop}


def test_a_volunteer_reaches_only_what_is_their_own(town: World) -> None:
    reach = town.reach(town.volunteer)
    assert reach.covers("cases.see", area_path=town.grid.path, owners=(town.volunteer.pk,))
    assert not reach.covers("cases.see", area_path=town.grid.path, owners=(town.grid_worker.pk, None))
    assert reach.covers("reports.receive", area_path=town.grid.path)
    assert not reach.covers("reports.receive", area_path=town.west_grid.path)


def test_a_landlord_reaches_only_what_concerns_the_party(town: World) -> None:
    reach = town.reach(town.landlord)
    assert set(Site.objects.filter(reach.q("sites.see", party="operator"))) == {town.site}
    assert reach.covers("cases.see", area_path=town.grid.path, party=town.party.pk)
    assert not reach.covers("cases.see", area_path=town.grid.path, party=None)
    assert reach.parties() == {town.party.pk}


def test_the_outsider_holds_every_role_next_door_and_reaches_nothing_here(town: World) -> None:
    reach = town.reach(town.outsider)
    everybody = [officer.pk for officer in town.cast().values()]
    for action, area in product(ACTIONS, (town.county, town.east, town.grid)):
        assert not reach.covers(
            action,
            area_path=area.path,
            departments={town.housing.pk, town.neighbour_department.pk},
            owners=[town.outsider.pk, *everybody],
            party=town.neighbour_party.pk,
        )
    assert reach.roles_at(town.grid.path) == frozenset()
    assert set(Site.objects.filter(reach.q("sites.see", party="operator"))) == {town.neighbour_site}


def test_what_a_list_shows_is_what_a_page_allows_for_every_role(town: World) -> None:
    sites = list(Site.objects.all())
    for officer in [*town.cast().values(), town.outsider]:
        reach = town.reach(officer)
        for action in ACTIONS:
            shown = set(Site.objects.filter(reach.q(action, party="operator")))
            covered = {site for site in sites if reach.covers(action, area_path=site.area_path, party=site.operator_id)}
            assert shown == covered, (officer.username, action)


def test_a_reach_whose_column_is_not_given_shows_nothing(town: World) -> None:
    reach = town.reach(town.handler)
    assert not Site.objects.filter(reach.q("cases.see")).exists()
    assert not Site.objects.filter(town.reach(town.landlord).q("sites.see")).exists()
    assert not Site.objects.filter(town.reach(town.volunteer).q("cases.see")).exists()


def test_columns_may_be_conditions_where_a_thing_has_several(town: World) -> None:
    found = Department.objects.filter(
        town.reach(town.handler).q("cases.see", area="area__path", department=lambda ids: Q(pk__in=ids))
    )
    assert list(found) == [town.housing]
    mine = Officer.objects.filter(
        town.reach(town.volunteer).q("cases.see", area="posts__area__path", owner=lambda officer: Q(pk=officer))
    )
    assert list(mine) == [town.volunteer]


def test_roles_at_a_place_count_a_department_only_on_its_own_things(town: World) -> None:
    reach = town.reach(town.handler)
    assert reach.roles_at(town.grid.path) == {"handler"}
    assert reach.roles_at(town.grid.path, departments={town.housing.pk}) == {"handler"}
    assert reach.roles_at(town.grid.path, departments={town.market.pk}) == frozenset()
    assert reach.departments() == {town.housing.pk}


def test_an_action_nobody_declared_is_a_mistake_and_not_a_refusal(town: World) -> None:
    with pytest.raises(LookupError, match=r"case\.see"):
        town.reach(town.dispatcher).may("case.see")


def test_a_token_narrows_and_never_widens(town: World) -> None:
    reach = reach_of(town.handler, at=AT, actions=["cases.see", "officers.edit"])
    assert reach.may("cases.see")
    assert not reach.may("cases.act")
    assert not reach.may("officers.edit")


def test_a_post_counts_from_its_first_day_to_the_day_before_its_last(town: World) -> None:
    first, end = date(2026, 3, 10), date(2026, 3, 12)
    officers.post(town.analyst, "triage", town.county, valid_from=first, valid_to=end, by=None, at=AT)
    by_day = {day: "triage" in roles_on(town, day) for day in range(9, 13)}
    assert by_day == {9: False, 10: True, 11: True, 12: False}


def roles_on(town: World, day: int) -> set[str]:
    noon = datetime(2026, 3, day, 12, tzinfo=SHANGHAI)
    return {post.role for post in posts_of(town.analyst, at=noon)}


def test_the_day_is_the_towns_own_and_not_that_of_greenwich(town: World) -> None:
    officers.post(town.analyst, "triage", town.county, valid_from=date(2026, 3, 10), by=None, at=AT)
    just_after_midnight = datetime(2026, 3, 10, 0, 30, tzinfo=SHANGHAI)
    assert reach_of(town.analyst, at=just_after_midnight).may("reports.receive")
    assert not reach_of(town.analyst, at=just_after_midnight - timedelta(hours=1)).may("reports.receive")


def test_who_has_left_may_do_nothing(town: World) -> None:
    officers.change(town.dispatcher, is_active=False, by=town.administrator, at=AT)
    assert not town.reach(town.dispatcher).may("cases.see")


def test_a_lapsed_certificate_lets_its_holder_only_look_and_says_so(town: World) -> None:
    after = datetime(2031, 1, 1, 9, tzinfo=SHANGHAI)
    last_day = datetime(2030, 12, 31, 18, tzinfo=SHANGHAI)
    valid, lapsed = town.reach(town.inspector, at=last_day), town.reach(town.inspector, at=after)
    assert valid.compels(town.grid.path)
    assert valid.roles_at(town.grid.path) == {"inspector"}
    valid.check_certified(town.grid.path)
    assert lapsed.may("cases.see")
    assert not lapsed.may("cases.act")
    assert not lapsed.may("sites.edit")
    assert not lapsed.compels(town.grid.path)
    assert lapsed.roles_at(town.grid.path) == frozenset()
    with pytest.raises(NotCertified) as refused:
        lapsed.check_certified(town.grid.path)
    assert "ZF-0001" in refused.value.text.zh
    assert "2030-12-31" in refused.value.text.en


def test_a_certified_role_without_any_certificate_gives_nothing_to_do(town: World) -> None:
    Post.objects.filter(officer=town.inspector).update(certificate_no="", certificate_until=None)
    assert not town.reach(town.inspector).may("cases.act")


def test_a_reach_is_read_once_and_pure_from_then_on(
    town: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    town.reach(town.outsider)
    with django_assert_num_queries(1):  # the look at the register's stamp
        reach = town.reach(town.outsider)
        reach.covers("cases.see", area_path=town.grid.path)
        reach.q("cases.see", department="lead", owner="opened_by", party="party")
        reach.areas("cases.see")


def test_the_areas_of_an_action_are_the_outermost_ones(town: World) -> None:
    officers.post(town.dispatcher, "grid_worker", town.grid, by=None, at=AT)
    assert town.reach(town.dispatcher).areas("cases.see") == [town.county.path]
    assert town.reach(town.grid_worker).areas("cases.bulk") == []


PATHS = st.lists(st.sampled_from(["1", "12", "2", "2a", "0"]), min_size=1, max_size=4).map(
    lambda codes: "/".join(codes) + "/"
)
HOLDS = st.builds(
    hold,
    reach=st.sampled_from(["area", "department", "own", "party"]),
    path=PATHS,
    actions=st.sampled_from([frozenset(), frozenset({"cases.see"})]),
    area_actions=st.sampled_from([frozenset(), frozenset({"cases.see"})]),
    department=st.sampled_from([None, 1, 2]),
    party=st.sampled_from([None, 1, 2]),
)


@given(holds=st.lists(HOLDS, max_size=4), path=PATHS, department=st.sampled_from([1, 2, 3]))
def test_nothing_outside_the_subtrees_of_ones_posts_is_ever_allowed(
    holds: list[Hold], path: str, department: int
) -> None:
    reach = Reach(7, holds)
    allowed = reach.covers("cases.see", area_path=path, departments={department}, owners=(7,), party=1)
    assert not allowed or any(path.startswith(held.path) for held in holds)


def test_every_certified_role_in_the_cast_has_its_certificate(town: World) -> None:
    certified = [key for key, role in all_roles().items() if role.certified]
    posts = Post.objects.filter(role__in=certified)
    assert {post.certificate_no for post in posts} == {CERTIFIED["certificate_no"]}
