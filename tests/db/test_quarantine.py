"""Quarantine: mended and sent again, or discarded with a reason; the original stays as told."""

from __future__ import annotations

import pytest

from anlan.intake import quarantine, reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Quarantined, Report
from anlan.intake.quarantine import NoReason, Settled
from anlan.intake.reports import NotUnderstood, Received
from anlan.kernel import catalogue
from anlan.ledger import events, personal
from world import World, world

BAD = {
    "id": "a-1",
    "told_at": "2026年13月1日",
    "topic": "gas_leak",
    "description": "漏气",
    "area": "330101001001001",
    "reporter_phone": "13800000000",
}


@pytest.fixture
def town() -> World:
    return world()


def send(town: World, message: dict[str, str]) -> Received:
    return reports.receive(catalogue.current().get(CHANNELS, "api"), message, by=town.triage, at=town.at)


@pytest.fixture
def held(town: World) -> Quarantined:
    received = send(town, BAD)
    assert received.held is not None
    return received.held


def test_a_mended_message_becomes_a_report_and_the_original_stays(town: World, held: Quarantined) -> None:
    received = quarantine.mend(held, {"told_at": "2026-03-01"}, by=town.triage, at=town.at)
    assert received.report is not None
    assert received.report.raw["told_at"] == "2026-03-01"
    after = Quarantined.objects.get()
    assert (after.state, after.report, after.settled_at) == ("mended", received.report, town.at)
    assert after.raw["told_at"] == "2026年13月1日"
    assert [event.kind for event in events.history(held.pk)] == ["report.held", "report.mended"]


def test_the_reporter_goes_along_when_a_message_is_mended(town: World, held: Quarantined) -> None:
    received = quarantine.mend(held, {"told_at": "2026-03-01"}, by=town.triage, at=town.at)
    assert received.report is not None
    assert received.report.reporter_id is not None
    assert personal.read(received.report.reporter_id) == {"reporter_phone": "13800000000"}
    assert "138" not in str(held.raw)


def test_a_message_mended_badly_is_told_so_and_waits_on(town: World, held: Quarantined) -> None:
    with pytest.raises(NotUnderstood, match="第 14 月不存在"):
        quarantine.mend(held, {"told_at": "2026年14月1日"}, by=town.triage, at=town.at)
    assert Quarantined.objects.get().state == "held"
    assert not Report.objects.exists()


def test_a_message_sent_again_unchanged_is_told_its_reasons_again(town: World, held: Quarantined) -> None:
    with pytest.raises(NotUnderstood, match="第 13 月不存在"):
        quarantine.mend(held, {}, by=town.triage, at=town.at)
    assert Quarantined.objects.count() == 1


def test_a_number_that_was_taken_is_mended_by_another_number(town: World) -> None:
    good = {**BAD, "told_at": "2026-03-01"}
    send(town, good)
    other = send(town, {**good, "description": "别的事"})
    assert other.held is not None
    received = quarantine.mend(other.held, {"id": "a-1b"}, by=town.triage, at=town.at)
    assert received.report is not None
    assert received.report.message_id == "a-1b"
    assert Report.objects.count() == 2


def test_the_original_sent_once_more_after_mending_adds_nothing(town: World, held: Quarantined) -> None:
    mended = quarantine.mend(held, {"told_at": "2026-03-01"}, by=town.triage, at=town.at)
    again = send(town, BAD)
    assert again.repeated
    assert again.report == mended.report
    assert (Report.objects.count(), Quarantined.objects.count()) == (1, 1)


def test_a_message_is_settled_once(town: World, held: Quarantined) -> None:
    quarantine.mend(held, {"told_at": "2026-03-01"}, by=town.triage, at=town.at)
    with pytest.raises(Settled, match="已经补正"):
        quarantine.mend(held, {"told_at": "2026-03-02"}, by=town.triage, at=town.at)
    with pytest.raises(Settled, match="already"):
        quarantine.discard(held, reason="重复", by=town.triage, at=town.at)


def test_a_discarded_message_stays_and_stays_discarded(town: World, held: Quarantined) -> None:
    quarantine.discard(held, reason="测试数据", by=town.triage, at=town.at)
    after = Quarantined.objects.get()
    assert (after.state, after.report) == ("discarded", None)
    assert events.history(held.pk)[-1].data["reason"] == "测试数据"
    again = send(town, BAD)
    assert again.repeated
    assert again.report is None
    assert Quarantined.objects.count() == 1


def test_nothing_is_discarded_without_a_reason(town: World, held: Quarantined) -> None:
    with pytest.raises(NoReason):
        quarantine.discard(held, reason=" ", by=town.triage, at=town.at)


def test_the_outsider_sees_no_message_of_this_town(town: World, held: Quarantined) -> None:
    assert list(quarantine.visible(town.reach(town.triage))) == [held]
    assert not quarantine.visible(town.reach(town.outsider)).exists()


def test_what_was_discarded_stays_so_though_the_channel_would_take_it_now(town: World) -> None:
    api = catalogue.current().get(CHANNELS, "api")
    elsewhere = {"id": "a-2", "topic": "gas_leak", "description": "漏气", "area": town.neighbour.code}
    narrow = api.model_copy(update={"area_default": town.county.code})
    received = reports.receive(narrow, elsewhere, by=town.triage, at=town.at)
    assert received.report is None, "a channel of one county takes nothing for another"
    assert received.held is not None
    quarantine.discard(received.held, reason="外县的事", by=town.triage, at=town.at)
    again = reports.receive(api, elsewhere, by=town.triage, at=town.at)
    assert (again.report, again.held, again.repeated) == (None, Quarantined.objects.get(), True)
    assert not Report.objects.exists()
