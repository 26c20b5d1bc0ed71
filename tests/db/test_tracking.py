"""The resident's code, and how often a device or an address may do what is open to everybody."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.test import override_settings

from anlan.intake import reports, throttle, tracking
from anlan.intake.channel import CHANNELS, Channel, Limit
from anlan.intake.models import Attempt, Quarantined, Report, Tracking
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def resident() -> Channel:
    return catalogue.current().get(CHANNELS, "resident")


def told(town: World, **more: str) -> Report:
    message = {"client_id": str(new_id()), "description": "路灯不亮", "area": town.grid.code, **more}
    report = reports.receive(resident(), message, by=None, at=town.at).report
    assert report is not None
    return report


def test_a_code_has_sixty_bits_in_letters_that_nobody_misreads(town: World) -> None:
    codes = {tracking.issue(told(town)) for _ in range(20)}
    assert len(codes) == 20
    assert len(tracking.LETTERS) == len(set(tracking.LETTERS)) == 32
    assert not set("0O1I") & set(tracking.LETTERS)
    assert all(len(code) == 12 and set(code) <= set(tracking.LETTERS) for code in codes)
    assert len(set("".join(codes))) > 25


def test_the_same_report_has_the_same_code_whenever_it_is_asked_for(town: World) -> None:
    report = told(town)
    assert tracking.issue(report) == tracking.issue(report)
    assert Tracking.objects.count() == 1


def test_the_code_is_not_kept_but_finds_its_report_however_it_is_typed(town: World) -> None:
    report = told(town)
    code = tracking.issue(report)
    assert code not in str(list(Tracking.objects.values()))
    typed = (
        code,
        code.lower(),
        tracking.shown(code),
        f" {code[:4]} {code[4:]} ",
        code.replace(code[:4], f"{code[:4]}－"),
    )
    for each in typed:
        assert tracking.find(each) == report
    for wrong in ("", code[:-1], f"{code}2", "0" * 12, "x" * 5000, "\x00" * 12, "甲" * 12):
        assert tracking.find(wrong) is None


def test_a_new_secret_key_loses_no_code(town: World) -> None:
    report = told(town)
    code = tracking.issue(report)
    with override_settings(SECRET_KEY="another, as long as it takes", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert tracking.issue(report) == code
        assert tracking.find(code) == report


def test_what_is_personal_is_kept_apart_and_for_as_long_as_the_channel_says(town: World) -> None:
    report = told(town, reporter_phone="13800001111", may_share="yes")
    assert report.reporter is not None
    assert (report.reporter.keep_until - town.at.date()).days == resident().personal_days
    assert "13800001111" not in str(report.raw)
    assert b"13800001111" not in bytes(report.reporter.sealed or b"")


def test_a_report_nobody_can_read_is_refused_and_not_held(town: World) -> None:
    with pytest.raises(Refusal):
        reports.receive(resident(), {"description": "路灯不亮"}, by=None, at=town.at)
    assert not Report.objects.exists()
    assert not Quarantined.objects.exists()


# ---------------------------------------------------------------- how often

DEVICE = {"device": "phone-1", "address": "10.0.0.1"}


def tries(town: World, times: int, by: dict[str, str], *, at: datetime | None = None, what: str = "report") -> int:
    """How many of so many tries at one moment get through."""
    through = 0
    for _ in range(times):
        try:
            throttle.count(resident(), what, by=by, at=at or town.at)
            through += 1
        except throttle.TooOften:
            continue
    return through


def test_a_device_is_held_to_what_the_channel_says_and_let_go_when_the_time_is_over(town: World) -> None:
    assert tries(town, 12, DEVICE) == 8
    assert tries(town, 1, {"device": "phone-2", "address": "10.0.0.1"}) == 1
    assert tries(town, 1, DEVICE, what="answer") == 1
    assert tries(town, 1, DEVICE, at=town.at + timedelta(minutes=60)) == 1


def test_whoever_throws_the_cookie_away_is_held_by_the_address(town: World) -> None:
    assert sum(tries(town, 1, {"device": f"d{n}", "address": "10.0.0.2"}) for n in range(70)) == 60
    assert tries(town, 1, {"device": "d", "address": "10.0.0.3"}) == 1


def test_the_refusal_says_when_to_come_back(town: World) -> None:
    tries(town, 8, DEVICE)
    with pytest.raises(throttle.TooOften) as refused:
        throttle.count(resident(), "report", by=DEVICE, at=town.at)
    assert refused.value.status == 429
    assert town.at < refused.value.until <= town.at + timedelta(hours=1)
    assert "11:00" in refused.value.text.zh
    assert "11:00" in refused.value.text.en


def test_looking_whether_one_may_counts_nothing(town: World) -> None:
    for _ in range(30):
        throttle.check(resident(), "report", by=DEVICE, at=town.at)
    assert tries(town, 9, DEVICE) == 8
    with pytest.raises(throttle.TooOften):
        throttle.check(resident(), "report", by=DEVICE, at=town.at)


def test_what_was_counted_names_nobody_and_is_forgotten(town: World) -> None:
    tries(town, 3, DEVICE)
    kept = str(list(Attempt.objects.values()))
    assert "phone-1" not in kept
    assert "10.0.0.1" not in kept
    assert throttle.forget(at=town.at) == 0
    assert throttle.forget(at=town.at + timedelta(hours=2)) == 2
    assert not Attempt.objects.exists()


def test_who_has_done_it_as_often_as_one_may_is_told_so_before_trying(town: World) -> None:
    tries(town, 7, DEVICE)
    throttle.check(resident(), "report", by=DEVICE, at=town.at)
    tries(town, 1, DEVICE)
    with pytest.raises(throttle.TooOften):
        throttle.check(resident(), "report", by=DEVICE, at=town.at)


def test_whoever_is_held_by_two_limits_is_told_when_both_are_over(town: World) -> None:
    declared = resident()
    assert declared.public is not None
    limits = tuple(Limit(what="report", by="device", most=1, minutes=minutes) for minutes in (60, 1440))
    channel = declared.model_copy(update={"public": declared.public.model_copy(update={"limits": limits})})
    throttle.count(channel, "report", by=DEVICE, at=town.at)
    for again in (throttle.count, throttle.check):
        with pytest.raises(throttle.TooOften) as refused:
            again(channel, "report", by=DEVICE, at=town.at)
        assert refused.value.until == max(Attempt.objects.values_list("until", flat=True))
