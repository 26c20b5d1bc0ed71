"""Who is told what about a case, once each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anlan.casework import cases, clocks, notices
from anlan.casework.cases import Doing, Opening
from anlan.casework.models import Case, Notice
from anlan.intake.models import Photo
from anlan.kernel.ids import new_id
from anlan.ledger.events import NewEvent, append
from anlan.ledger.models import Event
from anlan.places import officers
from anlan.places.models import Officer
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


class Story:
    """One case, acted on ten minutes apart, inside every time limit; `told` says whom the notices reached."""

    def __init__(self, town: World, *, procedure: str = "incident", **more: Any) -> None:
        self.town, self.at, self.read = town, town.at, 0
        opening = Opening(procedure=procedure, area=town.grid, title="东一村 12 号 · 疏散通道被占", **more)
        self.case = cases.open_case(opening, by=town.grid_worker, at=town.at)

    def do(self, by: Officer, act: str, *, photos: tuple[Photo, ...] = (), **data: Any) -> Story:
        self.at += timedelta(minutes=10)
        doing = Doing(act, data, photos=photos)
        self.case = cases.act(self.case.pk, doing, by=by, reach=self.town.reach(by), at=self.at)
        return self

    def to_housing(self) -> Story:
        self.do(self.town.triage, "register").do(self.town.dispatcher, "dispatch", department=self.town.housing.pk)
        return self

    def told(self) -> dict[str, set[str]]:
        """Who was told since the last time, by kind."""
        fresh = list(Event.objects.filter(seq__gt=self.read).order_by("seq"))
        self.read = fresh[-1].seq if fresh else self.read
        notices.tell(fresh)
        found: dict[str, set[str]] = {}
        for notice in Notice.objects.filter(event__in=[event.id for event in fresh]).select_related("officer"):
            found.setdefault(notice.kind, set()).add(notice.officer.name)
        return found


def names(*people: Officer) -> set[str]:
    return {officer.name for officer in people}


def photo(town: World) -> Photo:
    return Photo.objects.create(
        id=new_id(), digest="0" * 64, mime="image/jpeg", size=1, width=1, height=1, stage="after", by=town.handler,
        added_at=town.at,
    )  # fmt: skip


def test_a_dispatch_tells_the_department_that_got_it(town: World) -> None:
    assert Story(town).to_housing().told() == {"dispatched": names(town.handler, town.department_lead)}


def test_a_named_handler_is_told_with_the_lead_and_nobody_else_of_the_department(town: World) -> None:
    colleague = officers.create("tongshi", name="同事", by=None, at=town.at)
    officers.post(
        colleague, "handler", town.county, department=town.housing, valid_from=date(2024, 1, 1), by=None, at=town.at
    )
    story = Story(town).do(town.triage, "register")
    story.do(town.dispatcher, "dispatch", department=town.housing.pk, officer=town.handler.pk)
    assert story.told() == {"dispatched": names(town.handler, town.department_lead)}


def test_assisting_departments_are_told_what_they_are_asked(town: World) -> None:
    story = Story(town).do(town.triage, "register")
    story.do(town.dispatcher, "dispatch", department=town.housing.pk, assisting=[town.market.pk], task="一并检查")
    assert story.told()["assist"] == names(town.other_handler)


def test_a_return_tells_the_dispatchers(town: World) -> None:
    story = Story(town).to_housing()
    story.told()
    assert story.do(town.handler, "return", reason="不归我们管").told() == {"returned": names(town.dispatcher)}


def test_asking_for_more_time_tells_those_who_may_grant_it_and_the_decision_those_who_work(town: World) -> None:
    story = Story(town).to_housing()
    story.told()
    story.do(town.handler, "ask_extension", length=2, reason="要订购闭门器")
    assert story.told() == {"extension_asked": names(town.dispatcher, town.area_lead)}
    story.do(town.dispatcher, "grant_extension")
    assert story.told() == {"extension_decided": names(town.handler, town.department_lead)}


def test_rework_tells_the_department_and_the_end_tells_whoever_opened_it(town: World) -> None:
    story = Story(town).to_housing().do(town.handler, "fix", photos=(photo(town),), result="已清空")
    story.told()
    story.do(town.grid_worker, "rework", reason="二楼还有杂物")
    assert story.told() == {"rework": names(town.handler, town.department_lead)}
    story.do(town.handler, "fix", photos=(photo(town),), result="已清空").do(town.supervisor, "verify")
    story.told()
    assert story.do(town.triage, "close").told() == {"closed": names(town.grid_worker)}


def test_a_rung_tells_the_roles_it_names_and_a_raised_one_those_above(town: World) -> None:
    story = Story(town).to_housing()
    story.told()
    due = story.case.due_at
    assert due is not None
    clocks.sweep(at=due - timedelta(minutes=1))
    assert story.told() == {"due_soon": names(town.handler)}
    clocks.sweep(at=due)
    assert story.told() == {"overdue": names(town.handler, town.department_lead, town.dispatcher)}
    clocks.sweep(at=due + timedelta(days=1, hours=20))
    assert story.told() == {}, "the rung after it comes a working day later, and that was a weekend"
    clocks.sweep(at=due + timedelta(days=4))
    assert story.told() == {"overdue": names(town.department_lead, town.area_lead)}
    clocks.sweep(at=due + timedelta(days=6))
    assert story.told()["overdue"] == names(town.supervisor), "the township's lead is below the county"


def test_a_role_held_by_area_is_told_to_its_nearest_holders(town: World) -> None:
    nearer = officers.create("jin", name="近调", by=None, at=town.at)
    officers.post(nearer, "dispatcher", town.east, valid_from=date(2024, 1, 1), by=None, at=town.at)
    story = Story(town).to_housing()
    story.told()
    assert story.do(town.handler, "return", reason="不归我们管").told() == {"returned": {"近调"}}


def test_nobody_is_told_what_they_did_or_after_they_have_left(town: World) -> None:
    story = Story(town).to_housing()
    officers.unpost(town.department_lead.posts.get(), by=None, at=town.at)
    assert story.told() == {"dispatched": names(town.handler)}
    story.do(town.handler, "return", reason="不归我们管")
    story.told()
    story.do(town.dispatcher, "void", reason="重复")
    assert story.told() == {"closed": names(town.grid_worker)}


def test_an_inspector_is_told_of_a_hazard_that_nobody_has_yet(town: World) -> None:
    Story(town, procedure="hazard", topic="fire_exit")
    story = Story(town, procedure="hazard", topic="fire_exit", party=town.party)
    story.told()
    clocks.sweep(at=town.at + timedelta(days=7))
    assert story.told() == {"overdue": names(town.inspector, town.supervisor)}


def test_the_party_is_told_of_the_deadline_and_never_who_reported(town: World) -> None:
    story = Story(town, procedure="hazard", topic="fire_exit", party=town.party, site=town.site)
    story.do(town.inspector, "order", department=town.fire.pk, deadline="2026-03-16", demand="清空疏散通道")
    story.told()
    clocks.sweep(at=datetime.fromisoformat("2026-03-15T12:00:00+08:00"))
    assert town.landlord.name in story.told()["due_soon"]
    told = Notice.objects.get(officer=town.landlord)
    assert story.case.number in told.text_zh
    assert "整改期限即将到期，期限 03-16" in told.text_zh
    assert "due 03-16" in told.text_en
    assert town.grid_worker.name not in told.text_zh + told.text_en


def test_the_same_events_again_tell_nobody(town: World) -> None:
    story = Story(town).to_housing()
    story.told()
    before = Notice.objects.count()
    notices.tell(list(Event.objects.all()))
    assert Notice.objects.count() == before == 2


def test_an_old_ledger_played_again_is_not_news(town: World) -> None:
    case = Story(town).case
    data: Mapping[str, Any] = {"act": "dispatch", "to": "dispatched", "fields": {"department": town.housing.pk}}
    for days, told in ((8, 0), (1, 2)):
        written = town.at + timedelta(days=days)
        new = NewEvent("case.moved", case.pk, by=town.dispatcher.pk, at=town.at, recorded_at=written, data=data)
        event = append(new)
        notices.tell([event])
        assert Notice.objects.filter(event=event.id).count() == told


def test_a_long_title_is_cut_and_the_deadline_is_not(town: World) -> None:
    story = Story(town).to_housing()
    Case.objects.filter(pk=story.case.pk).update(title="长" * 200, number="S" * 40)
    story.told()
    told = Notice.objects.filter(kind="dispatched")[0]
    assert len(told.text_zh) <= 300
    assert "派遣，期限" in told.text_zh


def test_a_batch_takes_the_same_queries_for_one_case_as_for_many(town: World) -> None:
    def queries(stories: int) -> int:
        for _ in range(stories):
            Story(town).to_housing()
        events = list(Event.objects.filter(kind="case.moved"))
        with CaptureQueriesContext(connection) as found:
            notices.tell(events)
        return len(found)

    assert queries(1) == queries(11) == 3
