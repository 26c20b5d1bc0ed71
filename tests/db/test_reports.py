"""The one door, a message at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anlan.intake import reports
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.location import NoTown
from anlan.intake.models import Quarantined, Report
from anlan.intake.reports import NotUnderstood, OutOfReach
from anlan.kernel import catalogue
from anlan.ledger import events, personal
from anlan.places import areas
from world import AT, World, world

FORM = {"client_id": "c-1", "topic": "fire_exit", "description": "三楼楼道堆物", "lon": "122.02", "lat": "27.02"}
TOLD: dict[str, Any] = {"id": "a-1", "topic": "gas_leak", "description": "厨房有燃气味", "area": "330101001001002"}


def channel(key: str) -> Channel:
    return catalogue.current().get(CHANNELS, key)


@pytest.fixture
def town() -> World:
    return world()


def send(town: World, message: dict[str, Any], key: str = "api", **more: Any) -> reports.Received:
    return reports.receive(channel(key), message, **{"by": town.grid_worker, "at": town.at, **more})


def test_a_report_is_kept_exactly_as_told_and_understood(town: World) -> None:
    received = send(town, FORM, "officer_form")
    assert received.report is not None
    report = Report.objects.get(pk=received.report.pk)
    assert report.raw == FORM
    assert (report.topic, report.description, report.area_path) == ("fire_exit", "三楼楼道堆物", town.grid.path)
    assert (report.lon, report.lat, report.told_at, report.by) == (122.02, 27.02, town.at, town.grid_worker)
    assert not received.repeated


def test_the_ledger_says_that_it_was_received_and_not_what_was_told(town: World) -> None:
    received = send(town, FORM, "officer_form")
    assert received.report is not None
    [event] = events.history(received.report.pk)
    assert (event.kind, event.by, event.area_path) == ("report.received", town.grid_worker.pk, town.grid.path)
    assert event.data["message_id"] == "c-1"
    assert "三楼" not in str(event.data)
    assert event.data["digest"] != received.report.digest


def test_the_same_message_twice_is_one_report(town: World) -> None:
    first, second = send(town, TOLD), send(town, dict(reversed(TOLD.items())))
    assert second.repeated
    assert second.report == first.report
    assert Report.objects.count() == 1


def test_one_number_in_two_channels_is_two_reports(town: World) -> None:
    send(town, TOLD)
    send(town, {**FORM, "client_id": "a-1"}, "officer_form")
    assert Report.objects.count() == 2


def test_the_same_number_with_other_words_is_quarantined_and_nothing_is_lost(town: World) -> None:
    first = send(town, TOLD)
    second = send(town, {**TOLD, "description": "别的事"})
    assert second.report is None
    assert second.held is not None
    assert "同号不同文" in second.held.reasons[0]["zh"]
    assert second.held.raw["description"] == "别的事"
    assert first.report is not None
    assert Report.objects.get().description == "厨房有燃气味"


def test_a_message_without_a_number_is_known_again_by_what_it_says(town: World) -> None:
    message = {name: value for name, value in FORM.items() if name != "client_id"}
    first = send(town, message, "officer_form")
    assert not first.repeated
    assert first.report is not None
    assert send(town, message, "officer_form").repeated
    assert first.report.digest not in str(events.history(first.report.pk)[0].data)


def test_the_point_decides_and_the_deepest_area_wins(town: World) -> None:
    received = send(town, {**TOLD, "lon": 122.02, "lat": 27.02})
    assert received.report is not None
    assert received.report.area == town.grid


def test_without_a_point_the_area_code_decides(town: World) -> None:
    received = send(town, TOLD)
    assert received.report is not None
    assert received.report.area == town.next_grid
    assert (received.report.lon, received.report.lat) == (None, None)


def test_a_site_gives_its_area_and_its_point(town: World) -> None:
    received = send(town, {**TOLD, "site": "shop1", "area": ""})
    assert received.report is not None
    assert (received.report.site, received.report.area) == (town.shop, town.next_grid)
    assert (received.report.lon, received.report.lat) == (town.shop.lon, town.shop.lat)


def test_with_neither_the_officers_own_post_decides(town: World) -> None:
    received = send(town, {**TOLD, "area": ""}, by=town.volunteer)
    assert received.report is not None
    assert received.report.area == town.village


def test_a_point_in_no_area_falls_back_with_a_note(town: World) -> None:
    received = send(town, {**TOLD, "lon": 100.0, "lat": 20.0})
    assert received.report is not None
    assert received.report.area == town.next_grid
    assert "不在任何网格" in received.report.notes[0]["zh"]


def test_a_boundary_drawn_anew_is_used_within_a_minute(town: World) -> None:
    send(town, {**TOLD, "lon": 122.07, "lat": 27.02})
    later = town.at + timedelta(minutes=2)
    square = [[122.06, 27.0], [122.1, 27.0], [122.1, 27.05], [122.06, 27.05], [122.06, 27.0]]
    areas.change(town.next_grid, boundary={"type": "Polygon", "coordinates": [square]}, by=None, at=later)
    received = send(town, {**TOLD, "id": "a-2", "area": "", "lon": 122.055, "lat": 27.02}, by=town.triage, at=later)
    assert received.report is not None
    assert received.report.area == town.village


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"topic": "no_such"}, "topic", "没有这个类别，请写成已有的类别名称；这种叫法常用的话，请管理员"),
        ({"description": ""}, "description", "必须填写"),
        ({"area": "999"}, "area", "没有这个编码的辖区"),
        ({"site": "nowhere"}, "site", "没有这个编号的场所"),
        ({"lat": "127"}, "lat", "经纬度写反"),
        ({"told_at": "2026年13月1日"}, "told_at", "第 13 月不存在"),
        ({"told_at": "2027-01-01"}, "told_at", "还没有到"),
    ],
)
def test_what_a_machine_sends_wrong_is_quarantined_with_the_reason(
    town: World, changes: dict[str, str], field: str, said: str
) -> None:
    received = send(town, {**TOLD, **changes})
    assert received.report is None
    assert received.held is not None
    [reason] = [reason for reason in received.held.reasons if reason["field"] == field]
    assert said in reason["zh"]
    assert reason["en"]
    assert Quarantined.objects.get().raw == {**TOLD, **changes}


def test_what_a_person_types_wrong_is_told_at_once_and_nothing_is_kept(town: World) -> None:
    with pytest.raises(NotUnderstood) as refused:
        send(town, {**FORM, "description": " ", "topic": "?"}, "officer_form")
    assert {reason.field for reason in refused.value.reasons} == {"description", "topic"}
    assert not Quarantined.objects.exists()
    assert not Report.objects.exists()


def test_a_bad_message_sent_twice_is_quarantined_once(town: World) -> None:
    bad = {**TOLD, "topic": "no_such"}
    first, second = send(town, bad), send(town, bad)
    assert second.repeated
    assert second.held == first.held
    assert Quarantined.objects.count() == 1


def test_who_reported_is_kept_apart_and_can_be_erased(town: World) -> None:
    received = send(town, {**TOLD, "reporter_name": "王某", "reporter_phone": "13800000000"})
    assert received.report is not None
    assert "王某" not in str(received.report.raw)
    assert received.report.reporter_id is not None
    assert personal.read(received.report.reporter_id) == {"reporter_name": "王某", "reporter_phone": "13800000000"}
    personal.erase_due(at=town.at + timedelta(days=1200))
    assert personal.read(received.report.reporter_id) is None


def test_nobody_reports_into_another_town(town: World) -> None:
    reach = town.reach(town.outsider)
    with pytest.raises(OutOfReach) as refused:
        send(town, TOLD, by=town.outsider, reach=reach)
    assert "不在您可以上报的范围内" in refused.value.text.zh
    assert not Report.objects.exists()
    assert not Quarantined.objects.exists()


def test_an_officer_reports_within_reach(town: World) -> None:
    message = {**FORM, "client_id": "c-9"}
    assert send(town, message, "officer_form", reach=town.reach(town.grid_worker)).report is not None


def test_what_no_database_keeps_is_made_visible(town: World) -> None:
    received = send(town, {**TOLD, "description": "a\x00b\ud800c"})
    assert received.report is not None
    assert received.report.description == "a\u2400b?c"


def test_numbers_and_lists_are_kept_as_written(town: World) -> None:
    received = send(town, {**TOLD, "lon": 122.02, "lat": 27.02, "more": {"x": [1, True, None]}})
    assert received.report is not None
    assert received.report.raw["lon"] == "122.02"
    assert received.report.raw["more"] == '{"x":[1,true,null]}'


def test_a_report_is_withdrawn_once_and_stays(town: World) -> None:
    received = send(town, TOLD)
    assert received.report is not None
    report = reports.withdraw(received.report, reason="误报", by=town.grid_worker, at=town.at)
    assert report.withdrawn_at == town.at
    assert [event.kind for event in events.history(report.pk)] == ["report.received", "report.withdrawn"]
    with pytest.raises(reports.Withdrawn, match="撤回"):
        reports.withdraw(report, reason="再撤", by=town.grid_worker, at=town.at)


def test_without_any_area_nothing_can_be_received() -> None:
    with pytest.raises(NoTown):
        reports.receive(channel("api"), TOLD, by=None, at=AT)
