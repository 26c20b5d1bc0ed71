"""What devices tell, in the database: once each, through the one door, one case a group, at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.db import DatabaseError, connection, transaction

from anlan.casework import alarms as cases_of
from anlan.casework import cases
from anlan.casework.cases import Doing
from anlan.casework.models import Case, DeviceCase, Notice
from anlan.casework.timeline import timeline
from anlan.intake import quarantine
from anlan.intake.models import Device, Ear, Episode, Quarantined, Report, Signal, Stray
from anlan.intake.sensors import devices, signals, strays
from anlan.intake.sensors.readings import Reading
from anlan.intake.sensors.roster import Roster
from anlan.intake.sensors.signals import Heard
from anlan.ledger.models import Event
from anlan.presentation import followers
from anlan.presentation.hearing import Hearing
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def hearing() -> Hearing:
    return Hearing("mqtt")


def registered(town: World, code: str = "s-1", **more: Any) -> Device:
    given: dict[str, Any] = {"model": "smoke_nb", "site": town.site, **more}
    return devices.register(code=code, by=None, at=town.at, **given)


def said(event: str, seq: int, *, code: str = "s-1", **more: Any) -> tuple[str, bytes]:
    return code, orjson.dumps({"event": event, "seq": seq, **more})


def later(town: World, minutes: float) -> datetime:
    return town.at + timedelta(minutes=minutes)


# ---------------------------------------------------------------- alarms


def test_an_alarm_is_a_case_and_told_to_those_on_duty_in_the_transaction_that_keeps_it(
    town: World, hearing: Hearing
) -> None:
    device = registered(town, name="二层东走廊")
    hearing.json([said("fire", 1)], at=town.at)
    case = Case.objects.get()
    assert (case.procedure, case.step, case.topic, case.site_id) == (
        "fire_alarm", "alarmed", "fire_alarm", town.site.pk
    )  # fmt: skip
    assert case.title == "东一村出租房 · 感烟探测器报警：二层东走廊"
    assert case.due_at == town.at + timedelta(minutes=3)
    told = Notice.objects.filter(case=case)
    assert {notice.officer_id for notice in told} == {town.dispatcher.pk, town.triage.pk}
    device.refresh_from_db()
    assert (device.alarm, device.alarms, device.heard_at) == ("alarm", 1, town.at)
    followers.drain(at=town.at)
    assert (Case.objects.count(), Notice.objects.count()) == (1, 2)


def test_the_same_message_again_is_kept_once(town: World, hearing: Hearing) -> None:
    registered(town)
    told = [said("fire", 1, ts=int(town.at.timestamp())), said("heartbeat", 2)]
    hearing.json([*told, told[0]], at=town.at)
    hearing.json(told, at=later(town, 1))
    Hearing("mqtt").json([*told, said("heartbeat", 3)], at=later(town, 2))
    assert Signal.objects.count() == 3
    assert (Case.objects.count(), Report.objects.count(), Episode.objects.count()) == (1, 1, 1)


def test_an_alarm_of_a_device_that_counts_from_one_again_is_not_taken_for_a_repeat(
    town: World, hearing: Hearing
) -> None:
    registered(town)
    hearing.json([said("fire", 1)], at=town.at)
    hearing.json([said("fire", 1)], at=later(town, 60 * 24))
    assert Episode.objects.filter(trouble="alarm").count() == 2


def test_the_same_number_with_another_content_is_another_message(town: World, hearing: Hearing) -> None:
    registered(town)
    hearing.json([said("heartbeat", 1, ts=1772762400)], at=town.at)
    hearing.json([said("heartbeat", 1, ts=1772762460)], at=later(town, 1))
    assert Signal.objects.count() == 2


def test_a_test_opens_nothing_and_tells_nobody(town: World, hearing: Hearing) -> None:
    registered(town)
    hearing.json([said("test", 1)], at=town.at)
    followers.drain(at=town.at)
    assert (Case.objects.count(), Report.objects.count(), Notice.objects.count()) == (0, 0, 0)
    assert Device.objects.get().test_at == town.at
    hearing.json([said("fire", 2)], at=later(town, 1))
    assert Case.objects.count() == 1


def test_a_thousand_alarms_of_one_panel_are_one_case_with_a_thousand_witnesses(
    town: World, hearing: Hearing, django_assert_max_num_queries: Any
) -> None:
    panel = registered(town, "panel", model="gb_panel", address="77")
    Device.objects.bulk_create([
        Device(code=f"p-{n}", model="smoke_nb", site=town.site, area=town.grid, area_path=town.grid.path, panel=panel,
               address=str(n)) for n in range(1000)
    ])  # fmt: skip
    with django_assert_max_num_queries(120):
        hearing.json([said("fire", 1, code=f"p-{n}") for n in range(1000)], at=town.at)
    case = Case.objects.get()
    assert case.reports_count == Report.objects.count() == 1000
    group = DeviceCase.objects.get()
    assert (group.devices, group.flood_at) == (1000, town.at)
    assert Event.objects.filter(subject=case.pk).count() == 2
    assert "999 台设备" in timeline(case)[-1].title.zh
    assert "批量报警" in timeline(case)[-1].title.zh
    assert Notice.objects.count() == 2


def test_a_storm_is_one_case_a_site_and_panel_and_a_real_alarm_in_it_is_told_at_once(
    town: World, hearing: Hearing
) -> None:
    panels = [registered(town, f"panel-{n}", model="gb_panel", address=str(n)) for n in range(5)]
    Device.objects.bulk_create([
        Device(code=f"p-{panel.code}-{n}", model="smoke_nb", site=town.site, area=town.grid, area_path=town.grid.path,
               panel=panel, address=str(n)) for panel in panels for n in range(400)
    ])  # fmt: skip
    registered(town, "real", site=town.shop)
    storm = [said("fire", 1, code=f"p-{panel.code}-{n}") for n in range(400) for panel in panels]
    for start in range(0, len(storm), 250):
        batch = storm[start : start + 250]
        if start == 1000:
            batch.insert(100, said("fire", 1, code="real"))
        hearing.json(batch, at=town.at + timedelta(seconds=start / 250))
        if start == 1000:
            assert Notice.objects.filter(case__site=town.shop).count() == 2
    cases_ = Case.objects.filter(procedure="fire_alarm")
    assert sorted(cases_.values_list("reports_count", flat=True)) == [1, 400, 400, 400, 400, 400]
    assert DeviceCase.objects.exclude(flood_at=None).count() == 5
    assert Notice.objects.count() == 12


def test_another_site_or_a_later_hour_is_another_case(town: World, hearing: Hearing) -> None:
    registered(town)
    registered(town, "s-2")
    registered(town, "s-3", site=town.shop)
    hearing.json([said("fire", 1)], at=town.at)
    hearing.json([said("fire", 1, code="s-2"), said("fire", 1, code="s-3")], at=later(town, 5))
    assert sorted(Case.objects.values_list("site__code", "reports_count")) == [("house1", 2), ("shop1", 1)]
    registered(town, "s-4")
    hearing.json([said("fire", 1, code="s-4")], at=later(town, 60))
    assert Case.objects.filter(site=town.site).count() == 2


def test_another_sort_of_device_that_joins_is_told_again(town: World, hearing: Hearing) -> None:
    registered(town)
    registered(town, "e-1", model="electrical")
    hearing.json([said("fire", 1)], at=town.at)
    before = Notice.objects.count()
    hearing.json([("e-1", b'{"seq": 1, "leak": 900}')], at=later(town, 1))
    assert Case.objects.get().reports_count == 2
    assert Notice.objects.count() == before + 2
    assert "电气火灾监测" in Notice.objects.order_by("-at", "-id")[0].text_zh


def test_a_false_alarm_is_counted_against_its_devices_and_wolf_is_cried_three_times(
    town: World, hearing: Hearing
) -> None:
    registered(town)
    for day in range(3):
        moment = later(town, day * 60 * 24)
        hearing.json([said("fire", day)], at=moment)
        case = Case.objects.filter(procedure="fire_alarm", closed_at=None).get()
        doing = Doing("false_alarm", {"reason": "炒菜油烟"})
        cases.act(case.pk, doing, by=town.dispatcher, reach=town.reach(town.dispatcher), at=moment)
        followers.drain(at=moment)
    device = Device.objects.get()
    assert (device.alarms, device.false_alarms) == (3, 3)
    assert set(Episode.objects.filter(trouble="alarm").values_list("verdict", flat=True)) == {"false"}
    upkeep = Case.objects.get(procedure="device_upkeep")
    assert "多次误报" in upkeep.title
    followers.drain(at=later(town, 9999))
    assert Device.objects.get().false_alarms == 3


def test_alarms_whose_listener_opened_no_case_get_one_from_the_follower_grouped_all_the_same(town: World) -> None:
    roster = Roster()
    for number in range(3):
        registered(town, f"s-{number}")
    reading = Reading("alarm", 1, None, None, 7)
    with transaction.atomic():
        taken = signals.take(
            [Heard(known, reading, "") for known in roster.by_code(["s-0", "s-1", "s-2"]).values() if known],
            at=town.at,
        )
    assert (taken.new, len(taken.reports), Case.objects.count()) == (3, 3, 0)
    followers.drain(at=town.at)
    assert Case.objects.get().reports_count == 3
    assert cases_of.answer(taken.reports, at=town.at) == []


# ---------------------------------------------------------------- upkeep


def test_what_is_to_be_mended_is_one_case_a_panel_or_a_grid(town: World, hearing: Hearing) -> None:
    for number in range(3):
        registered(town, f"s-{number}")
    registered(town, "w-1", model="water_pressure", site=town.shop)
    hearing.json([said("fault", 1, code=f"s-{n}") for n in range(3)], at=town.at)
    hearing.json([said("low_battery", 2, code="s-0"), ("w-1", b'{"seq": 1, "p": 0.01}')], at=later(town, 1))
    found = Case.objects.order_by("area_path").values_list("procedure", "area_path", "reports_count")
    assert list(found) == [
        ("device_upkeep", town.grid.path, 4), ("device_upkeep", town.next_grid.path, 1)
    ]  # fmt: skip
    assert Notice.objects.count() == 0


def test_a_device_that_is_not_heard_is_silent_and_back_when_it_speaks(town: World, hearing: Hearing) -> None:
    registered(town)
    hearing.json([said("heartbeat", 1)], at=town.at)
    hearing.be_there(at=later(town, 2 * 1440 - 1))
    assert cases_of.sweep(at=later(town, 2 * 1440 - 1)) == 0
    hearing.be_there(at=later(town, 2 * 1440))
    assert cases_of.sweep(at=later(town, 2 * 1440)) == 0, "nobody listened for two days but for a moment"
    Ear.objects.update(heard_until=later(town, 9 * 1440))
    assert cases_of.sweep(at=later(town, 9 * 1440)) == 1
    assert Device.objects.get().silent_at is not None
    assert Case.objects.get().title.endswith("感烟探测器失联")
    Hearing("mqtt").json([said("heartbeat", 2)], at=later(town, 9 * 1440 + 1))
    assert Device.objects.get().silent_at is None
    assert Episode.objects.get().ended_at == later(town, 9 * 1440 + 1)


def test_an_alarm_that_is_over_ends_by_itself(town: World, hearing: Hearing) -> None:
    registered(town)
    hearing.json([said("fire", 1)], at=town.at)
    hearing.json([said("fire_over", 2)], at=later(town, 5))
    cases_of.sweep(at=later(town, 14))
    assert Device.objects.get().alarm == "alarm"
    cases_of.sweep(at=later(town, 16))
    assert Device.objects.get().alarm == ""
    assert Episode.objects.get().ended_at == later(town, 15)
    assert Case.objects.get().closed_at is None, "a person closes it"


# ---------------------------------------------------------------- what cannot be used


def test_what_cannot_be_used_is_held_with_a_sentence_and_counted(town: World, hearing: Hearing) -> None:
    registered(town)
    gone = registered(town, "old")
    devices.retire(gone, by=None, at=town.at)
    told = [
        ("nobody", b"{}"),
        ("s-1", b"\x00\xff no json"),
        ("s-1", b"[1]"),
        said("dancing", 1),
        said("fire", 9, code="old"),
    ]
    hearing.json([*told, said("fire", 2)], at=town.at)
    assert Signal.objects.count() == 1
    held = Quarantined.objects.order_by("held_at", "id")
    assert sorted(each.reasons[0]["field"] for each in held) == ["json", "json", "kind", "retired", "unknown"]
    assert all(each.reasons[0]["zh"] and each.reasons[0]["en"] for each in held)
    hearing.json(told, at=town.at)
    assert Quarantined.objects.count() == 5
    counted = dict(Stray.objects.exclude(reason="kept").values_list("reason", "count"))
    assert counted == {"unknown": 2, "retired": 2, "kind": 2, "json": 4}


def test_a_flood_of_rubbish_fills_no_disk_and_is_counted_to_the_last(town: World, hearing: Hearing) -> None:
    for batch in range(5):
        hearing.json([("nobody", b"%d" % n) for n in range(batch * 100, batch * 100 + 100)], at=town.at)
    assert Quarantined.objects.count() == strays.OF_ONE
    assert Stray.objects.get(reason="unknown").count == 500


def test_senders_without_number_are_counted_together(town: World, hearing: Hearing) -> None:
    for batch in range(4):
        hearing.json([(f"x{batch}-{n}", b"x") for n in range(600)], at=town.at)
    rows = Stray.objects.exclude(reason="kept")
    assert sum(rows.values_list("count", flat=True)) == 2400
    assert rows.count() <= strays.SENDERS + 601
    assert Quarantined.objects.count() == strays.OF_ALL


def test_a_held_message_becomes_a_report_when_a_person_sends_it_on(town: World, hearing: Hearing) -> None:
    hearing.json([("nobody", b'{"event": "fire"}')], at=town.at)
    held = Quarantined.objects.get()
    mended = quarantine.mend(held, {"area": town.grid.code, "topic": "fire_alarm"}, by=town.triage, at=town.at)
    assert mended.report is not None
    assert (mended.report.area_id, mended.report.topic) == (town.grid.pk, "fire_alarm")


def test_a_message_no_database_keeps_is_held_and_the_others_are_kept(town: World, hearing: Hearing) -> None:
    registered(town)
    hearing.json(
        [
            said("fire", 2**62),
            said("heartbeat", -5, note="\x00"),
            ("s-1", b'{"event": "heartbeat", "seq": ' + b"9" * 30 + b"}"),
        ],
        at=town.at,
    )
    assert Signal.objects.count() == 3
    assert Case.objects.count() == 1


def test_nothing_is_kept_when_the_end_of_the_batch_fails(town: World, hearing: Hearing) -> None:
    registered(town)
    rename = "ALTER TABLE {} RENAME TO {}"
    with connection.cursor() as cursor:
        cursor.execute(rename.format("casework_devicecase", "gone"))
    with pytest.raises(DatabaseError):
        hearing.json([said("fire", 1)], at=town.at)
    with connection.cursor() as cursor:
        cursor.execute(rename.format("gone", "casework_devicecase"))
    assert Signal.objects.count() == 0
    hearing.json([said("fire", 1)], at=town.at)
    assert Case.objects.count() == 1


def test_moments_are_kept_as_the_device_tells_them_and_as_we_heard_them(town: World, hearing: Hearing) -> None:
    registered(town)
    hearing.json([said("heartbeat", 1, ts="2026-03-06T01:00:00Z")], at=town.at)
    signal = Signal.objects.get()
    assert (signal.at, signal.received_at) == (datetime(2026, 3, 6, 1, tzinfo=UTC), town.at)
