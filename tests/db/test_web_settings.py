"""The settings: parties, departments, duties, people, keys, the calendar and what is declared."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from anlan.kernel import catalogue
from anlan.places import holidays, officers, tokens
from anlan.places.models import Department, Duty, Holiday, Officer, Party, Post, Token
from anlan.presentation.web.settings.system import days_from
from world import AT, World, world


@pytest.fixture
def town() -> World:
    return world()


def at_desk(officer: Officer) -> Client:
    client = Client()
    client.force_login(officer)
    return client


def today() -> date:
    return timezone.localdate()


@pytest.mark.parametrize(
    "name",
    [
        "settings", "parties", "party_add", "departments", "department_add", "duties", "duty_add", "responsible",
        "officers", "officer_add", "roles", "tokens", "token_issue", "calendar", "declared",
    ],
)  # fmt: skip
def test_every_page_of_the_settings_opens_for_the_administrator(town: World, name: str) -> None:
    assert at_desk(town.administrator).get(reverse(name)).status_code == 200


def test_the_settings_show_only_what_one_may_open(town: World) -> None:
    words = at_desk(town.grid_worker).get(reverse("settings")).content.decode()
    assert reverse("areas") in words
    assert reverse("tokens") not in words
    assert reverse("officers") not in words


def test_the_outsider_sees_none_of_the_rows(town: World) -> None:
    client = at_desk(town.outsider)
    for name, thing in (("party", town.party), ("department", town.housing), ("officer", town.dispatcher)):
        assert client.get(reverse(name, args=[thing.pk])).status_code == 404
        assert client.get(reverse(f"{name}_change", args=[thing.pk])).status_code == 404
    assert "住建局" not in re.sub("邻县住建局", "", client.get(reverse("departments")).content.decode())


def test_a_party_is_added_and_its_contact_is_never_in_the_page(town: World) -> None:
    client = at_desk(town.administrator)
    answers = {
        "kind": "enterprise", "name": "新企业", "area": town.east.code, "official_code": "",
        "contact": "李四", "phone": "13800000000", "keep_until": "2030-01-01",
    }  # fmt: skip
    assert client.post(reverse("party_add"), answers).status_code == 302
    party = Party.objects.get(name="新企业")
    assert party.contact is not None
    assert "13800000000" not in client.get(reverse("party", args=[party.pk])).content.decode()
    refused = client.post(reverse("party_add"), answers | {"name": "另一家", "keep_until": ""})
    assert "请写明保存到哪一天" in refused.content.decode()


def test_a_department_is_added_renamed_and_retired(town: World) -> None:
    client = at_desk(town.administrator)
    answers = {"key": "water", "zh": "水利局", "en": "Water", "area": town.county.code, "parent": ""}
    assert client.post(reverse("department_add"), answers).status_code == 302
    water = Department.objects.get(key="water")
    assert client.post(reverse("department_change", args=[water.pk]), answers | {"zh": "水务局"}).status_code == 302
    assert Department.objects.get(pk=water.pk).name_zh == "水务局"
    client.post(reverse("department_retire", args=[water.pk]))
    assert not Department.objects.get(pk=water.pk).is_active
    again = client.post(reverse("department_add"), answers)
    assert "已在使用" in again.content.decode()


def test_who_answers_here_today_is_one_question(town: World) -> None:
    client = at_desk(town.administrator)
    answers = {
        "topic": "fire_exit", "area": town.east.code, "department": town.fire.key, "officer": town.inspector.username,
        "deputy": "", "valid_from": today().isoformat(), "valid_to": "",
    }  # fmt: skip
    assert client.post(reverse("duty_add"), answers).status_code == 302
    asked = {"area": town.grid.code, "topic": "fire_exit", "day": today().isoformat()}
    words = client.get(reverse("responsible"), asked).content.decode()
    assert "消防队" in words
    assert town.inspector.name in words
    duty = Duty.objects.get(topic="fire_exit", area=town.east)
    client.post(reverse("duty_end", args=[duty.pk]))
    duty.refresh_from_db()
    assert duty.valid_to == today()


def test_an_officer_is_entered_given_a_post_and_a_first_password(town: World) -> None:
    client = at_desk(town.administrator)
    entered = client.post(
        reverse("officer_add"), {"username": "new.one", "name": "新人", "phone": "", "language": "zh"}
    )
    officer = Officer.objects.get(username="new.one")
    assert entered.headers["Location"] == reverse("officer", args=[officer.pk])
    answers = {"role": "dispatcher", "area": town.county.code, "valid_from": today().isoformat()}
    assert client.post(reverse("post_add", args=[officer.pk]), answers).status_code == 302
    shown = client.post(reverse("officer_password", args=[officer.pk])).content.decode()
    found = re.search(r'class="secret">([^<]+)<', shown)
    assert found is not None
    officer.refresh_from_db()
    assert officer.check_password(found[1])
    assert officer.must_change_password


def test_an_officer_with_many_posts_is_listed_once(town: World) -> None:
    for area in (town.east, town.west, town.village):
        officers.post(town.dispatcher, "dispatcher", area, by=None, at=AT)
    rows = at_desk(town.administrator).get(reverse("officers")).context["table"].rows
    assert len({row.key for row in rows}) == len(rows)


def test_an_inspector_without_a_certificate_gets_no_post(town: World) -> None:
    answers = {"role": "inspector", "area": town.county.code, "department": town.fire.key}
    answers["valid_from"] = today().isoformat()
    answer = at_desk(town.administrator).post(reverse("post_add", args=[town.dispatcher.pk]), answers)
    assert answer.status_code == 422
    assert "要有执法证号和有效期" in answer.content.decode()


def test_nobody_changes_an_officer_whose_posts_reach_beyond_their_own(town: World) -> None:
    clerk = officers.create("clerk", name="镇管理员", by=None, at=AT)
    officers.post(clerk, "administrator", town.east, by=None, at=AT)
    officers.post(town.dispatcher, "dispatcher", town.east, by=None, at=AT)
    client = at_desk(clerk)
    assert client.get(reverse("officer", args=[town.dispatcher.pk])).status_code == 200
    assert client.post(reverse("officer_password", args=[town.dispatcher.pk])).status_code == 404
    assert client.get(reverse("officer_change", args=[town.dispatcher.pk])).status_code == 404
    assert client.get(reverse("post_add", args=[town.dispatcher.pk])).status_code == 404
    held = Post.objects.filter(officer=town.dispatcher, area=town.county)
    assert client.post(reverse("post_end", args=[held[0].pk])).status_code == 404
    answers = {"name": "x", "officer": town.dispatcher.username, "actions": ["cases.see"]}
    assert client.post(reverse("token_issue"), answers).status_code == 422


def test_a_post_is_ended_today(town: World) -> None:
    held = Post.objects.get(officer=town.dispatcher)
    at_desk(town.administrator).post(reverse("post_end", args=[held.pk]))
    held.refresh_from_db()
    assert held.valid_to == today()


def test_a_key_is_shown_once_opens_what_it_may_and_is_revoked(town: World) -> None:
    client = at_desk(town.administrator)
    system = officers.create("smoke", name="烟感平台", is_machine=True, by=None, at=town.at)
    officers.post(system, "grid_worker", town.county, by=None, at=town.at)
    answers = {"name": "烟感平台", "officer": system.username, "actions": ["reports.receive"], "until": ""}
    shown = client.post(reverse("token_issue"), answers).content.decode()
    found = re.search(r'class="secret">([^<]+)<', shown)
    assert found is not None
    token = Token.objects.get(name="烟感平台")
    assert tokens.read(found[1], at=timezone.now()) == token
    assert found[1] not in client.get(reverse("token", args=[token.pk])).content.decode()
    client.post(reverse("token_revoke", args=[token.pk]))
    assert tokens.read(found[1], at=timezone.now()) is None


def test_a_key_that_has_expired_is_not_issued(town: World) -> None:
    past = (today() - timedelta(days=3)).isoformat()
    answers = {"name": "x", "officer": town.administrator.username, "actions": ["cases.see"], "until": past}
    assert at_desk(town.administrator).post(reverse("token_issue"), answers).status_code == 422


NOTICE = "2031-01-01..2031-01-03 休\n2031-01-05 班"


def test_a_holiday_notice_changes_the_calendar(town: World) -> None:
    Post.objects.filter(officer=town.outsider).delete()
    client = at_desk(town.administrator)
    answers: dict[str, Any] = {"key": "china", "source": "国办发明电〔2030〕1号", "days": NOTICE}
    assert client.post(reverse("notice_load"), answers).status_code == 302
    assert holidays.calendar("china").is_working(date(2031, 1, 5))
    assert Holiday.objects.count() == 4
    words = client.get(reverse("calendar"), {"year": "2031"}).content.decode()
    assert "国办发明电〔2030〕1号" in words


def test_only_who_administers_everybody_here_loads_a_notice(town: World) -> None:
    assert at_desk(town.administrator).get(reverse("notice_load")).status_code == 404


@pytest.mark.parametrize(
    "line", ["2031-01-01", "2031-13-01 休", "2031-01-03..2031-01-01 休", "明天 休", "2031-01-01 也许"]
)
def test_a_line_of_a_notice_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(Exception, match="第 2 行"):
        days_from(f"2031-01-01 休\n{line}")


def test_a_notice_is_read_with_full_spans() -> None:
    assert days_from(NOTICE) == {
        date(2031, 1, 1): False,
        date(2031, 1, 2): False,
        date(2031, 1, 3): False,
        date(2031, 1, 5): True,
    }


def test_a_year_without_its_notice_is_said_to_be_provisional(town: World) -> None:
    client = at_desk(town.dispatcher)
    assert "放假通知还没有录入" in client.get(reverse("calendar"), {"year": str(today().year + 4)}).content.decode()
    assert client.get(reverse("calendar"), {"year": "nonsense", "calendar": "none"}).status_code == 200


def test_everything_declared_has_a_page_that_names_its_file(town: World) -> None:
    client = at_desk(town.dispatcher)
    for kind in catalogue.kinds():
        held = catalogue.current().all(kind)
        if held:
            assert client.get(reverse("declared_kind", args=[kind.folder])).status_code == 200
        for identity in list(held)[:3]:
            answer = client.get(reverse("declaration", args=[kind.folder, identity]))
            assert answer.status_code == 200
            assert f"/{kind.folder}/" in answer.context["file"]


def test_a_rule_that_was_not_checked_says_so(town: World) -> None:
    words = at_desk(town.dispatcher).get(reverse("declared_kind", args=["procedures"])).content.decode()
    assert "未核验" in words


def test_what_is_not_declared_is_not_found(town: World) -> None:
    client = at_desk(town.dispatcher)
    assert client.get(reverse("declared_kind", args=["nothing"])).status_code == 404
    assert client.get(reverse("declaration", args=["procedures", "nothing@1"])).status_code == 404
    assert client.get("/settings/declared/procedures/../../secret/").status_code == 404
