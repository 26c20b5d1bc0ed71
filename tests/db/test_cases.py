"""A case from report to proven fix, by the verbs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from anlan.casework import cases, clocks, engine, triage
from anlan.casework.acts import Missing, NotAllowed, NotNow
from anlan.casework.cases import Doing, NoCase, Opening, Stale
from anlan.casework.draft import CACHES, carry, load
from anlan.casework.models import Case, CaseReport, Unit
from anlan.casework.timeline import timeline
from anlan.intake.models import Photo
from anlan.kernel.ids import new_id
from anlan.ledger.events import AlreadyRecorded
from anlan.ledger.models import Event
from anlan.places import holidays
from anlan.places.models import Officer
from anlan.places.officers import post
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def opened(town: World, **more: Any) -> Case:
    values: dict[str, Any] = {
        "procedure": "incident",
        "area": town.grid,
        "title": "东一村 12 号 · 疏散通道被占",
        "topic": "fire_exit",
    }
    return cases.open_case(Opening(**(values | more)), by=town.grid_worker, at=town.at)


def photo(town: World, stage: str = "after") -> Photo:
    return Photo.objects.create(
        id=new_id(), digest="0" * 64, mime="image/jpeg", size=1, width=1, height=1, stage=stage, by=town.handler,
        added_at=town.at,
    )  # fmt: skip


class Hands:
    """Acts in turn, an hour apart, starting in working hours."""

    def __init__(self, town: World, case: Case) -> None:
        self.town, self.case, self.at = town, case, town.at

    def do(self, by: Officer, act: str, *, photos: tuple[Photo, ...] = (), hours: float = 1, **data: Any) -> Case:
        self.at += timedelta(hours=hours)
        doing = Doing(act, data, photos=photos)
        self.case = cases.act(self.case.pk, doing, by=by, reach=self.town.reach(by), at=self.at)
        return self.case


def whole_course(town: World) -> Hands:
    hands = Hands(town, opened(town))
    hands.do(town.triage, "register")
    hands.do(town.dispatcher, "dispatch", department=town.housing.pk, officer=town.handler.pk)
    hands.do(town.handler, "return", reason="消防通道归消防队管")
    hands.do(town.dispatcher, "dispatch", department=town.market.pk, assisting=[town.fire.pk], task="一并检查店面")
    return hands


def test_a_case_goes_from_report_to_proven_fix_with_a_return_an_extension_and_a_rework(town: World) -> None:
    hands = whole_course(town)
    lead = town.other_handler
    hands.do(lead, "accept")
    hands.do(lead, "ask_extension", length=2, reason="要订购闭门器")
    with pytest.raises(NotAllowed):
        hands.do(lead, "grant_extension")
    hands.do(town.dispatcher, "grant_extension")
    hands.do(lead, "fix", photos=(photo(town), photo(town)), result="已清空")
    with pytest.raises(NotAllowed):
        hands.do(lead, "verify")
    hands.do(town.grid_worker, "rework", reason="二楼还有杂物")
    hands.do(lead, "fix", photos=(photo(town),), result="二楼已清空")
    hands.do(town.grid_worker, "verify")
    case = hands.do(town.dispatcher, "close")
    assert (case.step, case.outcome) == ("closed", "cured")
    assert (case.returns, case.extensions, case.reworks) == (1, 1, 1)
    acts_done = [
        event.data["act"] for event in Event.objects.filter(subject=case.pk, kind="case.moved").order_by("seq")
    ]
    assert acts_done == [
        "register", "dispatch", "return", "dispatch", "accept", "ask_extension", "grant_extension", "fix", "rework",
        "fix", "verify", "close",
    ]  # fmt: skip
    lines = timeline(case)
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert sum(len(line.photos) for line in lines) == 3


def test_the_caches_of_a_case_are_what_its_history_says(town: World) -> None:
    case = Case.objects.get(pk=whole_course(town).case.pk)
    kept = {name: getattr(case, name) for name in CACHES}
    draft = load(case)
    carry(case, draft.plan, draft.now, draft.calendar)
    assert {name: getattr(case, name) for name in CACHES} == kept


def test_the_same_act_sent_twice_is_one_act(town: World) -> None:
    case = opened(town)
    for _ in range(2):
        cases.act(
            case.pk, Doing("register", {}, key="phone-1"), by=town.triage, reach=town.reach(town.triage), at=town.at
        )
    assert Event.objects.filter(subject=case.pk, kind="case.moved").count() == 1


def test_the_key_of_one_case_cannot_be_used_for_another(town: World) -> None:
    reach = town.reach(town.triage)
    cases.act(opened(town).pk, Doing("register", {}, key="phone-1"), by=town.triage, reach=reach, at=town.at)
    with pytest.raises(AlreadyRecorded):
        cases.act(opened(town).pk, Doing("register", {}, key="phone-1"), by=town.triage, reach=reach, at=town.at)


def test_who_acts_on_what_they_no_longer_see_is_told_what_happened(town: World) -> None:
    case = opened(town)
    seen = case.rev
    cases.act(case.pk, Doing("register", {}, rev=seen), by=town.triage, reach=town.reach(town.triage), at=town.at)
    reach = town.reach(town.triage)
    with pytest.raises(Stale) as told:
        cases.act(case.pk, Doing("refuse", {"reason": "重复"}, rev=seen), by=town.triage, reach=reach, at=town.at)
    assert town.triage.name in told.value.text.zh
    assert "立案" in told.value.text.zh


def test_the_outsider_finds_no_such_case(town: World) -> None:
    case = opened(town)
    reach = town.reach(town.outsider)
    with pytest.raises(NoCase):
        cases.find(case.pk, reach)
    with pytest.raises(NoCase):
        cases.act(case.pk, Doing("register", {}), by=town.outsider, reach=reach, at=town.at)
    assert not cases.visible(reach).exists()


@pytest.mark.parametrize(
    ("act", "data", "refusal"),
    [
        ("refuse", {}, Missing),
        ("register", {"colour": "red"}, Missing),
        ("close", {}, NotNow),
        ("dance", {}, NotNow),
        ("merge", {"case": "SJ-0"}, Missing),
    ],
)
def test_what_cannot_be_done_is_refused_in_both_languages_and_changes_nothing(
    town: World, act: str, data: dict[str, Any], refusal: type[Exception]
) -> None:
    case = opened(town)
    with pytest.raises(refusal) as told:
        cases.act(case.pk, Doing(act, data), by=town.triage, reach=town.reach(town.triage), at=town.at)
    assert told.value.text.zh  # type: ignore[attr-defined]
    assert told.value.text.en  # type: ignore[attr-defined]
    assert Event.objects.filter(subject=case.pk).count() == 1


def test_an_act_on_a_closed_case_says_that_it_is_closed(town: World) -> None:
    case = opened(town)
    reach = town.reach(town.triage)
    cases.act(case.pk, Doing("refuse", {"reason": "不属受理范围"}), by=town.triage, reach=reach, at=town.at)
    with pytest.raises(NotNow) as told:
        cases.act(case.pk, Doing("register", {}), by=town.triage, reach=reach, at=town.at)
    assert "已经办结" in told.value.text.zh


def test_merging_keeps_both_cases_and_all_their_reports(town: World) -> None:
    first, second = opened(town), opened(town)
    reach = town.reach(town.triage)
    case = cases.act(second.pk, Doing("merge", {"case": first.number}), by=town.triage, reach=reach, at=town.at)
    assert (case.outcome, case.merged_into_id) == ("merged", first.pk)
    with pytest.raises(Missing):
        cases.act(first.pk, Doing("merge", {"case": second.number}), by=town.triage, reach=reach, at=town.at)


def test_a_case_split_in_two_leaves_both_open(town: World) -> None:
    case = opened(town)
    data = {"topic": "electrical", "title": "飞线充电"}
    cases.act(case.pk, Doing("split", data), by=town.triage, reach=town.reach(town.triage), at=town.at)
    part = Case.objects.get(split_from=case.pk)
    assert (part.topic, part.title, part.step) == ("electrical", "飞线充电", "collected")


def test_an_assisting_unit_has_its_own_clock(town: World) -> None:
    hands = whole_course(town)
    unit = Unit.objects.get(case=hands.case)
    assert unit.department == town.fire
    assert unit.due_at is not None
    assert load(hands.case).now.assisting[town.fire.pk].due_at == unit.due_at


def test_a_department_that_assisted_is_asked_anew_when_the_case_is_dispatched_again(town: World) -> None:
    post(town.analyst, "handler", town.county, department=town.fire, by=None, at=town.at)
    hands = whole_course(town)
    first = Unit.objects.get(case=hands.case)
    hands.do(town.analyst, "assisted", result="店面已查")
    hands.do(town.other_handler, "return", reason="店面不归市场局管")
    data: dict[str, Any] = {
        "department": town.housing.pk,
        "assisting": [town.fire.pk, town.market.pk],
        "task": "再查二楼",
    }
    hands.do(town.dispatcher, "dispatch", hours=72, **data)
    again = Unit.objects.get(case=hands.case, department=town.fire)
    assert (again.asked_at, again.task, again.done_at) == (hands.at, "再查二楼", None)
    assert first.due_at is not None
    assert again.due_at is not None
    assert again.due_at > first.due_at
    part = load(hands.case).now.assisting[town.fire.pk]
    assert (part.asked_at, part.due_at, part.done_at) == (again.asked_at, again.due_at, None)
    told = Event.objects.filter(subject=hands.case.pk).order_by("seq").last()
    assert told is not None
    assert set(told.data["assisting"]) == {str(town.fire.pk), str(town.market.pk)}
    hands.do(town.analyst, "assisted", result="二楼已查")
    assert Unit.objects.get(case=hands.case, department=town.fire).done_at == hands.at


def test_a_department_that_still_owes_its_part_keeps_its_day_when_it_is_asked_again(town: World) -> None:
    hands = whole_course(town)
    first = Unit.objects.get(case=hands.case)
    hands.do(town.dispatcher, "assist", hours=24, assisting=[town.fire.pk], task="再查二楼")
    again = Unit.objects.get(case=hands.case)
    assert (again.asked_at, again.due_at, again.task) == (first.asked_at, first.due_at, first.task)


def test_a_hung_case_keeps_its_remaining_time(town: World) -> None:
    hands = Hands(town, opened(town, topic="waste"))
    hands.do(town.triage, "register")
    case = hands.do(town.dispatcher, "dispatch", department=town.housing.pk)
    due = load(case).now.clock("handle").due_at
    assert due is not None
    case = hands.do(town.department_lead, "hang", reason="等待配件", review_on="2026-03-20")
    assert (case.hung, case.paused, case.due_at) == (True, True, None)
    case = hands.do(town.department_lead, "resume", hours=24 * 7)
    assert case.step == "dispatched"
    later = load(case).now.clock("handle").due_at
    assert later == due + timedelta(days=7)


def test_a_case_that_ends_while_it_hangs_hangs_no_more(town: World) -> None:
    hands = Hands(town, opened(town))
    hands.do(town.triage, "register")
    hands.do(town.dispatcher, "dispatch", department=town.housing.pk)
    hands.do(town.department_lead, "hang", reason="等待配件", review_on="2026-03-20")
    case = hands.do(town.supervisor, "void", reason="重复登记")
    assert (case.outcome, case.hung) == ("void", False)


def test_a_request_for_more_time_ends_with_the_return_of_the_case(town: World) -> None:
    hands = Hands(town, opened(town))
    hands.do(town.triage, "register")
    hands.do(town.dispatcher, "dispatch", department=town.housing.pk)
    hands.do(town.handler, "ask_extension", length=2, reason="要订购闭门器")
    hands.do(town.handler, "return", reason="不归住建局管")
    hands.do(town.dispatcher, "dispatch", department=town.market.pk)
    with pytest.raises(NotNow):
        hands.do(town.dispatcher, "grant_extension")
    hands.do(town.other_handler, "ask_extension", length=1, reason="人手不够")
    assert hands.do(town.dispatcher, "grant_extension").extensions == 1


def test_the_sweep_rings_each_rung_once_however_often_it_runs(town: World) -> None:
    case = opened(town)
    later = town.at + timedelta(days=10)
    assert clocks.sweep(at=later) == 1
    assert clocks.sweep(at=later) == 0
    [rang] = Event.objects.filter(subject=case.pk, kind="case.rang")
    assert rang.at == load(case).now.clock("register").due_at


def test_an_act_after_the_deadline_writes_the_rungs_the_sweep_missed_first(town: World) -> None:
    hands = Hands(town, opened(town))
    hands.do(town.triage, "register", hours=24 * 5)
    kinds = list(Event.objects.filter(subject=hands.case.pk).order_by("seq").values_list("kind", flat=True))
    assert kinds == ["case.opened", "case.rang", "case.moved"]


def test_many_cases_at_once_write_the_same_events_as_one_by_one(town: World) -> None:
    single, many = opened(town), [opened(town), opened(town)]
    reach = town.reach(town.triage)
    cases.act(single.pk, Doing("register", {}), by=town.triage, reach=reach, at=town.at)
    gone = new_id()
    done = cases.act_many([c.pk for c in many] + [gone], Doing("register", {}), by=town.triage, reach=reach, at=town.at)
    assert [o.refusal is None for o in done] == [True, True, False]
    written = [_bare(case.pk) for case in [single, *many]]
    assert written[0] == written[1] == written[2]


def _bare(case_id: UUID) -> list[tuple[str, int | None, datetime, Any]]:
    return list(Event.objects.filter(subject=case_id).order_by("seq").values_list("kind", "by", "at", "data"))


def test_a_clock_that_runs_backwards_never_puts_an_act_before_the_last_one(town: World) -> None:
    hands = Hands(town, opened(town))
    hands.do(town.triage, "register", hours=2)
    case = hands.do(town.dispatcher, "dispatch", hours=-5, department=town.housing.pk)
    moments = list(Event.objects.filter(subject=case.pk).order_by("seq").values_list("at", flat=True))
    assert moments == sorted(moments)
    assert Event.objects.filter(subject=case.pk, device_at__isnull=False).count() == 1


def test_numbers_are_given_once_each_in_turn(town: World) -> None:
    numbers = [opened(town).number for _ in range(3)]
    assert numbers == ["SJ-20260306-0001", "SJ-20260306-0002", "SJ-20260306-0003"]


def test_the_engine_reads_history_from_the_ledger_as_the_verbs_left_it(town: World) -> None:
    hands = whole_course(town)
    draft = load(hands.case)
    events = Event.objects.filter(subject=hands.case.pk).order_by("seq")
    again = engine.stand(draft.plan, [engine.Past(e.kind, e.at, e.by, e.data) for e in events], draft.calendar)
    assert again == draft.now


def test_a_report_the_table_knows_becomes_a_case_and_twice_the_same_one(town: World) -> None:
    from anlan.intake import reports
    from anlan.intake.channel import CHANNELS
    from anlan.kernel import catalogue

    channel = catalogue.current().get(CHANNELS, "officer_form")
    message = {"topic": "fire_exit", "description": "通道堆满纸箱", "site": town.site.code}
    report = reports.receive(channel, message, by=town.grid_worker, at=town.at).report
    assert report is not None
    case = triage.take(report, by=town.grid_worker, at=town.at)
    assert case is not None
    assert triage.take(report, by=town.grid_worker, at=town.at) == case
    assert CaseReport.objects.get(report=report).case == case
    assert case.title == f"{town.site.name} · 占用疏散通道" or town.site.name in case.title


def test_a_notice_of_days_off_moves_the_deadlines_of_open_cases_at_the_next_sweep(town: World) -> None:
    case = Case.objects.get(pk=opened(town).pk)
    due = case.due_at
    assert due is not None
    day = holidays.calendar_at(case.area_path).local_date(due)
    holidays.load("china", {day: False}, "放假通知（虚构）", by=None, at=town.at)
    clocks.follow(list(Event.objects.filter(kind="calendar.loaded")))
    assert clocks.sweep(at=town.at + timedelta(minutes=1)) == 0
    case.refresh_from_db()
    draft = load(Case.objects.get(pk=case.pk))
    assert case.due_at == draft.now.clock(case.clock).due_at
    assert case.due_at is not None
    assert case.due_at > due
    assert clocks.sweep(at=due + timedelta(minutes=1)) == 0
