"""Which cases a report may repeat: by place and time, the likeliest first, with why; nothing merges by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from anlan.casework import cases, neighbours, triage
from anlan.casework.cases import Doing
from anlan.casework.models import Case, CasePhoto, CaseReport
from anlan.casework.neighbours import Neighbour
from anlan.intake import likeness, photo_print, reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Photo, Report
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from calling import Caller
from desk import at_desk, dispatched, done, opened, text
from world import World, world

ADDRESS = "东一村 12 号"
POINT: dict[str, Any] = {"lon": 122.01, "lat": 27.01}


@pytest.fixture
def town() -> World:
    return world()


def told(town: World, *, at: datetime | None = None, photos: tuple[Photo, ...] = (), **more: Any) -> Report:
    """A report of the day after, that waits, for nobody knows its topic yet."""
    message = {"client_id": str(new_id()), "description": "楼道里停着车", "area": town.grid.code, **more}
    channel = catalogue.current().get(CHANNELS, "officer_form")
    at = at or town.at + timedelta(days=1)
    report = reports.receive(channel, message, by=town.volunteer, at=at, photos=photos).report
    assert report is not None
    return report


def near(report: Report) -> list[Neighbour]:
    return neighbours.likely(report, Case.objects.all())


def closed(town: World, **more: Any) -> Case:
    """A case that was fixed and closed within two hours."""
    case = dispatched(town, **more)
    done(town, case, town.handler, "fix", after=timedelta(minutes=50), result="通道已清空")
    done(town, case, town.supervisor, "verify", after=timedelta(minutes=90))
    done(town, case, town.triage, "close", after=timedelta(minutes=100))
    return Case.objects.get(pk=case.pk)


def looking(case: Case, print_: int, by: Any, at: datetime) -> Photo:
    """A photo with that print, shown with the case as what was wrong."""
    photo = kept_with(print_, by, at)
    CasePhoto.objects.create(case=case, photo=photo, event=new_id())
    return photo


def kept_with(print_: int, by: Any, at: datetime) -> Photo:
    return Photo.objects.create(
        id=new_id(), digest="0" * 64, mime="image/jpeg", size=1, width=1, height=1, stage="before", by=by, added_at=at,
        look=photo_print.to_column(print_),
    )  # fmt: skip


def test_the_open_case_of_the_same_address_is_likely_and_says_why(town: World) -> None:
    case = opened(town)
    [found] = near(told(town, address=ADDRESS))
    assert (found.case, found.likely, found.open) == (case.pk, True, True)
    assert found.score > 0.5
    assert found.why.zh.startswith("同一地址，1 天前，仍在办理")
    assert found.why.en.startswith("same address, 1 day apart, still open")


def test_an_address_without_the_blanks_is_found_too(town: World) -> None:
    case = opened(town, address="东一村12号")
    assert [found.case for found in near(told(town, address=ADDRESS))] == [case.pk]


def test_the_site_counts_whatever_the_address_says(town: World) -> None:
    case = opened(town, site=town.site, address="")
    [found] = near(told(town, site=town.site.code))
    assert found.case == case.pk
    assert found.why.zh.startswith("同一场所")


def test_the_nearer_comes_first_and_what_is_over_a_hundred_metres_away_not_at_all(town: World) -> None:
    spots = {"next": 0.00005, "close": 0.0003, "far": 0.0015}
    known = {name: opened(town, address="", lon=122.01, lat=27.01 + by) for name, by in spots.items()}
    found = near(told(town, **POINT))
    assert [each.case for each in found] == [known["next"].pk, known["close"].pk]
    assert found[0].why.en.startswith("6 m away")


def test_the_same_words_for_a_place_in_another_village_are_another_place(town: World) -> None:
    opened(town, address="村口", area=town.west_grid)
    here = opened(town, address="村口")
    assert [found.case for found in near(told(town, address="村口"))] == [here.pk]


def test_a_case_that_was_just_closed_is_shown_but_not_one_closed_last_week(town: World) -> None:
    case = closed(town, address=ADDRESS)
    assert case.closed_at is not None
    [found] = near(told(town, address=ADDRESS, at=case.closed_at + timedelta(minutes=5)))
    assert (found.case, found.open, found.likely) == (case.pk, False, True)
    assert "刚刚办结" in found.why.zh
    assert near(told(town, address=ADDRESS, at=case.closed_at + timedelta(days=7))) == []


def test_a_case_closed_since_the_report_was_told_says_so(town: World) -> None:
    case = closed(town, address=ADDRESS)
    [found] = near(told(town, address=ADDRESS, at=case.opened_at + timedelta(minutes=30)))
    assert not found.open
    assert "上报时仍在办理，现已办结" in found.why.zh
    assert "still open when told and closed since" in found.why.en


def test_a_case_is_as_fresh_as_the_last_that_was_told_of_it(town: World) -> None:
    case = opened(town)
    late = town.at + timedelta(days=6)
    assert not near(told(town, address=ADDRESS, at=late))[0].likely
    again = told(town, address=ADDRESS, at=town.at + timedelta(days=5))
    triage.attach(again, case, reach=town.reach(town.triage), at=town.at + timedelta(days=5))
    assert near(told(town, address=ADDRESS, at=late))[0].likely


def test_a_case_merged_into_another_is_not_suggested_beside_it(town: World) -> None:
    case, other = opened(town), opened(town)
    at = town.at + timedelta(hours=1)
    merging = Doing("merge", {"case": str(case.pk)})
    cases.act(other.pk, merging, by=town.triage, reach=town.reach(town.triage), at=at)
    assert [found.case for found in near(told(town, address=ADDRESS))] == [case.pk]


def test_photos_that_look_alike_make_it_likely_long_after(town: World) -> None:
    one, two = opened(town), opened(town)
    looking(one, 2**64 - 1, town.grid_worker, town.at)
    looking(two, 0b1010 << 40, town.grid_worker, town.at)
    photo = kept_with(2**64 - 4, town.volunteer, town.at)
    found = near(told(town, address=ADDRESS, at=town.at + timedelta(days=20), photos=(photo,)))
    assert [(each.case, each.likely) for each in found] == [(one.pk, True), (two.pk, False)]
    assert "照片相似" in found[0].why.zh
    assert "照片相似" not in found[1].why.zh


def test_a_report_without_any_place_is_near_nothing_and_asks_nothing(town: World) -> None:
    opened(town)
    report = told(town)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert near(report) == []
    assert len(asked) == 0


@pytest.mark.parametrize("many", [1, 11])
def test_however_many_there_are_it_takes_four_queries(town: World, many: int) -> None:
    for _ in range(many):
        opened(town)
    report = told(town, address=ADDRESS, photos=(kept_with(5, town.volunteer, town.at),), **POINT)
    with CaptureQueriesContext(connection) as asked:
        assert len(near(report)) == many
    # The cases, what was told of them last, the report's photos and theirs.
    assert len(asked) == 4


def test_of_very_many_the_last_opened_are_looked_at(town: World) -> None:
    known = [opened(town, at=town.at + timedelta(minutes=number)).pk for number in (2, 0, 3, 1)]
    rows = neighbours.candidates(told(town, address=ADDRESS), Case.objects.all(), likeness.in_use())
    assert [row["pk"] for row in rows] == [known[place] for place in (2, 0, 3, 1)]
    assert rows.query.high_mark == neighbours.MOST


def test_they_are_found_by_the_indexes_of_place(town: World) -> None:
    report = told(town, address=ADDRESS, site=town.site.code, **POINT)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = neighbours.candidates(report, Case.objects.all(), likeness.in_use()).explain()
    assert "case_point" in plan
    # PostgreSQL, in a table as small as this, may go by the village instead.
    assert "case_address" in plan or (connection.vendor == "postgresql" and "case_area_opened" in plan)
    assert "case_opened" not in plan


# ---------------------------------------------------------------- at the desk and by the API


def test_triage_shows_the_likely_ones_first_with_the_reason_and_the_others_apart(town: World) -> None:
    likely = opened(town)
    old = opened(town, at=town.at - timedelta(days=20))
    report = told(town, address=ADDRESS)
    page = text(at_desk(town.triage).get(reverse("triage_one", args=[report.pk])))
    heads = [page.index(words) for words in ("可能是同一件事", likely.number, "附近的其他事项", old.number)]
    assert heads == sorted(heads)
    assert "同一地址，1 天前，仍在办理" in page
    assert f'value="{likely.number}"' in page
    page = text(at_desk(town.triage, "en").get(reverse("triage_one", args=[report.pk])))
    assert "same address, 1 day apart, still open" in page
    assert "Other cases nearby" in page


def test_a_closed_case_is_suggested_but_not_written_into_the_form(town: World) -> None:
    case = closed(town, address=ADDRESS)
    assert case.closed_at is not None
    report = told(town, address=ADDRESS, at=case.closed_at + timedelta(minutes=5))
    page = text(at_desk(town.triage).get(reverse("triage_one", args=[report.pk])))
    assert case.number in page
    assert f'value="{case.number}"' not in page


def test_who_merges_is_shown_the_likely_ones_and_the_first_is_written_into_the_form(town: World) -> None:
    first = opened(town)
    again = told(town, address=ADDRESS)
    second = triage.accept(again, procedure="incident", topic="fire_exit", by=town.triage, at=again.told_at)
    page = text(at_desk(town.triage).get(reverse("case_act", args=[second.number, "merge"])))
    assert "可能是同一件事" in page
    assert "同一地址，1 天前，仍在办理" in page
    assert f'value="{first.number}"' in page
    assert "可能是同一件事" not in text(at_desk(town.triage).get(reverse("case_act", args=[second.number, "register"])))
    # One that nobody reported has nothing to compare.
    assert "可能是同一件事" not in text(at_desk(town.triage).get(reverse("case_act", args=[first.number, "merge"])))


def test_nothing_is_merged_by_itself(town: World) -> None:
    opened(town)
    report = told(town, address=ADDRESS)
    at_desk(town.triage).get(reverse("triage_one", args=[report.pk]))
    assert not CaseReport.objects.filter(report=report).exists()


def test_who_may_not_see_the_case_is_not_told_of_it(town: World) -> None:
    case = opened(town)
    report = told(town, address=ADDRESS)
    page = text(at_desk(town.volunteer).get(reverse("triage_one", args=[report.pk])))
    assert case.number not in page
    seen = neighbours.likely(report, cases.visible(town.reach(town.outsider)))
    assert seen == []


@pytest.fixture
def desk(town: World) -> Caller:
    return Caller(town.triage)


def test_the_proposal_of_the_api_names_them_with_score_and_reason(town: World, desk: Caller) -> None:
    case = opened(town)
    report = told(town, address=ADDRESS)
    said = desk.get(f"/reports/{report.pk}/proposal").json
    [found] = said["alike"]
    assert (found["case"], found["number"], found["likely"], found["open"]) == (str(case.pk), case.number, True, True)
    assert 0.5 < found["score"] <= 1
    assert found["why"]["en"].startswith("same address, 1 day apart, still open")
    assert Caller(town.volunteer).get(f"/reports/{report.pk}/proposal").json["alike"] == []
