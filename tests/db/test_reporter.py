"""What whoever reported may do without an account: be one of several, read what happened, say if it is good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anlan.casework import cases, course, nearby, reporter, triage
from anlan.casework.acts import Missing, NotAllowed, NotNow
from anlan.casework.cases import Doing
from anlan.casework.draft import load
from anlan.casework.models import Case, CaseReport
from anlan.casework.timeline import timeline
from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.ledger.events import history
from anlan.ledger.models import Event
from desk import done, kept
from world import World, world

HOUR = timedelta(hours=1)


@pytest.fixture
def town() -> World:
    return world()


def told(town: World, **more: str) -> Report:
    values = {
        "client_id": str(new_id()),
        "description": "通道被占",
        "topic": "fire_exit",
        "lon": "122.02",
        "lat": "27.02",
    }
    channel = catalogue.current().get(CHANNELS, "resident")
    report = reports.receive(channel, {**values, **more}, by=None, at=town.at).report
    assert report is not None
    return report


def taken(town: World, report: Report) -> Case:
    case = triage.take(report, by=None, at=town.at)
    assert case is not None
    return case


def closed(town: World, case: Case, *, after: timedelta = HOUR) -> Case:
    """The incident brought to its end, from where it was registered or collected."""
    case.refresh_from_db()
    if case.step == "collected":
        done(town, case, town.triage, "register", after=after)
    done(town, case, town.dispatcher, "dispatch", after=after, department=town.housing.pk)
    done(town, case, town.handler, "fix", after=after, result="通道已清空")
    done(town, case, town.grid_worker, "verify", after=after)
    return done(town, case, town.dispatcher, "close", after=after)


# ---------------------------------------------------------------- is it one of these?


def test_open_cases_nearby_are_found_nearest_first_and_those_far_away_are_not(town: World) -> None:
    far = taken(town, told(town, lon="122.0209"))
    here = taken(town, told(town, lon="122.0202"))
    taken(town, told(town, lon="122.04"))
    found = nearby.near("fire_exit", area_path=town.grid.path, point=(122.02, 27.02), within_m=150)
    assert [each.case for each in found] == [here, far]
    assert [round(each.metres or 0, -1) for each in found] == [20, 90]


def test_at_most_five_are_shown_and_none_of_another_kind_or_closed_or_that_nobody_reported(town: World) -> None:
    for _ in range(7):
        taken(town, told(town))
    found = nearby.near("fire_equipment", area_path=town.grid.path, point=(122.02, 27.02), within_m=150)
    assert len(found) == 5
    assert nearby.near("waste", area_path=town.grid.path, point=(122.02, 27.02), within_m=150) == []
    Case.objects.update(reports_count=0)
    assert nearby.near("fire_exit", area_path=town.grid.path, point=(122.02, 27.02), within_m=150) == []


def test_nobody_learns_of_a_quarrel_next_door(town: World) -> None:
    triage.accept(told(town, topic="dispute"), procedure="incident", topic="dispute", by=None, at=town.at)
    for topic in ("dispute", "", "other", "fire_exit"):
        assert nearby.near(topic, area_path=town.grid.path, point=(122.02, 27.02), within_m=500) == []


def test_what_lies_across_a_boundary_is_found_too(town: World) -> None:
    case = taken(town, told(town, lon="122.0501"))
    assert case.area == town.next_grid
    found = nearby.near("fire_exit", area_path=town.grid.path, point=(122.0499, 27.02), within_m=150)
    assert [each.case for each in found] == [case]


def test_the_same_address_is_enough_without_a_point(town: World) -> None:
    case = taken(town, told(town, lon="", lat="", address="东一村 12 号", area=town.grid.code))
    found = nearby.near("fire_exit", area_path=town.grid.path, point=None, address=" 东一村 12 号 ", within_m=150)
    assert [(each.case, each.metres) for each in found] == [(case, None)]
    assert nearby.near("fire_exit", area_path=town.grid.path, point=None, within_m=150) == []


def test_who_joins_is_counted_and_their_photo_is_seen_with_the_case(town: World) -> None:
    case = taken(town, told(town))
    second = told(town)
    photo = kept(town, "before", by=town.triage, at=town.at)
    second.photos.add(photo)
    assert triage.join(second, case.pk, at=town.at) == case
    case.refresh_from_db()
    assert case.reports_count == 2
    assert case.case_photos.filter(photo=photo).exists()
    assert reporter.answering(second) == case
    assert triage.join(second, case.pk, at=town.at) is None


def test_who_would_join_a_case_that_is_closed_meanwhile_gets_their_own(town: World) -> None:
    case = closed(town, taken(town, told(town)))
    second = told(town)
    assert triage.join(second, case.pk, at=town.at) is None
    assert not CaseReport.objects.filter(report=second).exists()


# ---------------------------------------------------------------- what they read


def test_the_reporter_reads_each_step_in_plain_words_with_the_photos_of_the_fix_and_no_name(town: World) -> None:
    case = taken(town, told(town))
    closed(town, case)
    events = history(case.pk)
    draft = load(Case.objects.get(pk=case.pk))
    lines = course.passed(draft, events)
    assert [line.text for line in lines] == [
        draft.plan.procedure.steps[step].public
        for step in ("collected", "registered", "dispatched", "fed_back", "verified", "closed")
    ]
    fix = lines[3]
    assert [value for _, value in fix.said] == ["通道已清空"]
    assert len(fix.photos) == 1
    assert not any(officer.name in str(lines) for officer in town.cast().values())


def test_the_reporter_reads_what_comes_next_and_the_promised_date(town: World) -> None:
    draft = load(taken(town, told(town)))
    following = course.following(draft)
    assert following is not None
    assert following.zh == "核实后立案"
    [promised] = course.dates(draft)
    assert (promised.kind, promised.title.zh) == ("promised", "全程时限")
    assert promised.due_at == draft.now.clock("whole").due_at
    assert course.office(draft) is not None


def test_a_date_that_has_not_begun_to_run_says_from_when_it_will(town: World) -> None:
    case = triage.accept(told(town, topic="streetlight"), procedure="request", topic="streetlight", by=None, at=town.at)
    [promised] = course.dates(load(case))
    assert (promised.due_at, promised.length.n, promised.from_step.zh) == (None, 5, "办理中")


def test_rework_and_more_time_are_told_openly(town: World) -> None:
    case = taken(town, told(town))
    done(town, case, town.triage, "register")
    done(town, case, town.dispatcher, "dispatch", department=town.housing.pk)
    done(town, case, town.handler, "ask_extension", length=2, reason="订货")
    done(town, case, town.dispatcher, "grant_extension")
    done(town, case, town.handler, "fix", result="已清")
    done(town, case, town.grid_worker, "rework", reason="二楼还有")
    said = " ".join(line.text.zh for line in course.passed(load(Case.objects.get(pk=case.pk)), history(case.pk)))
    assert "已获同意" in said
    assert "还没有整改到位" in said
    assert "二楼还有" not in said


# ---------------------------------------------------------------- what they say of it


def test_a_satisfied_reporter_is_recorded_once_and_the_case_stays_closed(town: World) -> None:
    report = told(town)
    case = closed(town, taken(town, report))
    reporter.answer(report, case, "satisfied", at=town.at + 2 * HOUR)
    case.refresh_from_db()
    assert case.step == "closed"
    event = Event.objects.get(key=f"reporter:{report.pk}:0")
    assert (event.by, event.data["fields"]) == (None, {"satisfaction": "satisfied"})
    with pytest.raises(reporter.Answered):
        reporter.answer(report, case, "dissatisfied", reason="又堵了", at=town.at + 3 * HOUR)


def test_a_dissatisfied_reporter_reopens_it_once_with_a_reason(town: World) -> None:
    report = told(town)
    case = closed(town, taken(town, report))
    with pytest.raises(Missing):
        reporter.answer(report, case, "dissatisfied", reason="  ", at=town.at + 2 * HOUR)
    reporter.answer(report, case, "dissatisfied", reason="又堵了，电话 138 0000 1111", at=town.at + 2 * HOUR)
    case.refresh_from_db()
    assert (case.step, case.outcome, case.closed_at) == ("registered", "", None)
    reason = Event.objects.get(key=f"reporter:{report.pk}:0").data["fields"]["reason"]
    assert reason == "又堵了，电话 ＊＊＊"
    closed(town, case, after=3 * HOUR)
    reporter.answer(report, case, "dissatisfied", reason="还是不行", at=town.at + 5 * HOUR)
    case.refresh_from_db()
    assert case.step == "closed", "it is reopened once and no more"
    assert Event.objects.get(key=f"reporter:{report.pk}:1").data["fields"]["satisfaction"] == "dissatisfied"


def test_nobody_answers_before_the_end(town: World) -> None:
    report = told(town)
    with pytest.raises(NotNow):
        reporter.answer(report, taken(town, report), "satisfied", at=town.at + HOUR)


def test_each_of_those_who_reported_answers_for_themselves(town: World) -> None:
    first, second = told(town), told(town)
    case = taken(town, first)
    triage.join(second, case.pk, at=town.at)
    closed(town, case)
    reporter.answer(first, case, "satisfied", at=town.at + 2 * HOUR)
    reporter.answer(second, case, "fairly", at=town.at + 2 * HOUR)
    assert Event.objects.filter(key__startswith="reporter:").count() == 2


def test_a_request_is_closed_by_its_reporters_rating_and_others_are_heard_after(town: World) -> None:
    first, second = told(town, topic="streetlight"), told(town, topic="streetlight")
    case = taken(town, first)
    triage.join(second, case.pk, at=town.at)
    done(town, case, town.triage, "assign", department=town.housing.pk)
    done(town, case, town.handler, "answer", answer="周四修好")
    reporter.answer(first, case, "satisfied", at=town.at + 2 * HOUR)
    case.refresh_from_db()
    assert (case.step, case.outcome) == ("closed", "answered")
    reporter.answer(second, case, "dissatisfied", reason="还没亮", at=town.at + 3 * HOUR)
    case.refresh_from_db()
    assert (case.step, case.reworks) == ("assigned", 1)


def test_a_reporter_does_nothing_but_answer_and_officers_stay_officers(town: World) -> None:
    report = told(town)
    case = taken(town, report)
    draft = load(case)
    offered = reporter.offer(draft, report)
    assert (offered.rates, offered.objects) == ("", "")
    for act in ("register", "close", "void"):
        with pytest.raises((NotNow, NotAllowed)):
            cases.perform(
                draft, Doing(act, {}), by=None, who=reporter._REPORTER, reach=town.reach(town.outsider), at=town.at,
                recorded_at=town.at,
            )  # fmt: skip


def test_the_timeline_says_the_reporter_and_names_nobody(town: World) -> None:
    report = told(town)
    case = closed(town, taken(town, report))
    reporter.answer(report, case, "dissatisfied", reason="又堵了", at=town.at + 2 * HOUR)
    last = timeline(Case.objects.get(pk=case.pk))[-1]
    assert (last.by.zh, last.office) == ("上报人", None)


def test_whose_case_was_merged_follows_the_other(town: World) -> None:
    first, second = told(town), told(town)
    case, other = taken(town, first), taken(town, second)
    doing = Doing("merge", {"case": other.number})
    cases.act(case.pk, doing, by=town.triage, reach=town.reach(town.triage), at=town.at + HOUR)
    assert reporter.answering(first) == other


@pytest.mark.parametrize(
    ("text", "kept_"),
    [
        ("我的电话13800001111，谢谢", "我的电话＊＊＊，谢谢"),
        ("330102199001011234", "＊＊＊"),
        ("0571-8888 6666", "＊＊＊"),
        ("12 幢 301 室，2026-03-06 又堵了 120 厘米", "12 幢 301 室，2026-03-06 又堵了 120 厘米"),
    ],
)
def test_numbers_by_which_somebody_is_known_do_not_enter_the_ledger(text: str, kept_: str) -> None:
    assert reporter.masked(text) == kept_
