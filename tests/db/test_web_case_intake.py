"""Reporting, taking up reports, importing a ledger, mending what could not be read: as people do it at the desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from anlan.casework.models import Case, CaseReport, Notice
from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Batch, Quarantined, Report
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.ledger.models import Event
from desk import at_desk, dispatched, hidden, jpeg, opened, text
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def told(town: World, **more: str) -> Report:
    """A report whose topic nobody knows yet, so that it waits."""
    message = {"client_id": str(new_id()), "description": "楼道里停着电动车", "area": town.grid.code, **more}
    channel = catalogue.current().get(CHANNELS, "officer_form")
    report = reports.receive(channel, message, by=town.volunteer, at=town.at).report
    assert report is not None
    return report


def test_a_report_sent_twice_is_one_report_and_one_case(town: World, media: Path) -> None:
    client = at_desk(town.grid_worker)
    form = text(client.get(reverse("report")))
    sent = {"client_id": hidden(form, "client_id"), "description": "三楼楼道堆物", "topic": "fire_exit"}
    answers = [client.post(reverse("report"), {**sent, "photos": [jpeg("a.jpg"), jpeg("b.jpg")]}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {302}
    report, case = Report.objects.get(), Case.objects.get()
    assert case.opened_by == town.grid_worker
    assert report.photos.count() == case.case_photos.count() == 2
    assert case.number in text(client.get(answers[0].headers["Location"]))


def test_a_report_without_words_is_not_sent_and_nothing_typed_is_lost(town: World) -> None:
    client = at_desk(town.grid_worker)
    answer = client.post(reverse("report"), {"description": "", "address": "东一村 12 号", "reporter_phone": "123"})
    assert answer.status_code == 422
    assert 'value="东一村 12 号"' in text(answer)
    assert not Report.objects.exists()


def test_a_scanned_sign_fills_in_the_site(town: World) -> None:
    shown = text(at_desk(town.grid_worker).get(reverse("report"), {"site": town.site.code}))
    assert f'value="{town.site.code}"' in shown
    assert town.site.name in shown


def test_a_report_outside_ones_own_area_is_refused(town: World) -> None:
    sent = {"client_id": str(new_id()), "description": "x", "site": town.neighbour_site.code}
    answer = at_desk(town.grid_worker).post(reverse("report"), sent)
    assert answer.status_code == 422
    assert not Report.objects.exists()


def test_a_report_nobody_could_sort_waits_in_triage_and_in_the_inbox(town: World) -> None:
    report = told(town)
    client = at_desk(town.triage)
    assert "楼道里停着电动车" in text(client.get(reverse("triage")))
    assert reverse("triage_one", args=[report.pk]) in text(client.get(reverse("inbox")))
    assert "楼道里停着电动车" not in text(at_desk(town.outsider).get(reverse("triage")))


def take_up(client: Client, report: Report, **data: str) -> int:
    return client.post(reverse("triage_one", args=[report.pk]), data).status_code


def test_triage_accepts_with_a_topic_and_a_procedure(town: World) -> None:
    report = told(town)
    assert take_up(at_desk(town.triage), report, do="accept", topic="electrical", procedure="incident") == 302
    assert Case.objects.get().topic == "electrical"


def test_triage_attaches_to_the_case_that_is_about_the_same_place(town: World) -> None:
    case = opened(town)
    report = told(town, address=case.address)
    client = at_desk(town.triage)
    shown = text(client.get(reverse("triage_one", args=[report.pk])))
    assert "可能是同一件事" in shown
    assert f'value="{case.number}"' in shown
    assert take_up(client, report, do="attach", case=case.number) == 302
    assert CaseReport.objects.get(report=report).case == case


def test_triage_refuses_with_a_reason_and_the_refusal_has_a_number(town: World) -> None:
    report = told(town)
    client = at_desk(town.triage)
    assert take_up(client, report, do="refuse", reason="") == 422
    assert take_up(client, report, do="refuse", reason="不属于受理范围") == 302
    case = Case.objects.get()
    assert (case.outcome, case.step) == ("refused", "not_accepted")


def test_a_volunteer_may_look_at_their_own_report_but_not_take_it_up(town: World) -> None:
    report = told(town)
    client = at_desk(town.volunteer)
    assert take_up(client, report, do="accept", topic="electrical", procedure="incident") == 422
    assert not Case.objects.exists()


def test_who_reported_is_told_to_triage_only_and_the_reading_is_recorded(town: World) -> None:
    report = told(town, reporter_name="王女士", reporter_phone="13800000000", topic="fire_exit")
    at_desk(town.triage).post(
        reverse("triage_one", args=[report.pk]), {"do": "accept", "topic": "fire_exit", "procedure": "incident"}
    )
    case = Case.objects.get()
    address = reverse("case_reporter", args=[case.number, report.pk])
    for officer in (town.handler, town.dispatcher, town.landlord, town.analyst):
        assert at_desk(officer).post(address, {"reason": "tell"}).status_code in (403, 404)
        assert "13800000000" not in text(at_desk(officer).get(reverse("case_reports", args=[case.number])))
    assert not Event.objects.filter(kind="reporter.read").exists()
    assert at_desk(town.triage).post(address).status_code == 422, "nobody reads it without saying what for"
    assert not Event.objects.filter(kind="reporter.read").exists()
    assert "13800000000" in text(at_desk(town.triage).post(address, {"reason": "call_back"}))
    read = Event.objects.get(kind="reporter.read")
    assert read.data["reason"] == "call_back"
    assert (read.subject, read.by) == (report.pk, town.triage.pk)
    assert "13800000000" not in str(read.data)


LEDGER = (
    "编号,时间,类别,描述,地址,网格编码\n"
    "A-1,2026-03-01,消防通道,堵了,东一村 1 号,330101001001001\n"
    "A-2,2026年13月1日,消防通道,堵了,东一村 2 号,330101001001001\n"
    "A-1,2026-03-01,消防通道,堵了,东一村 1 号,330101001001001\n"
)


def imported(town: World, media: Path, content: bytes = LEDGER.encode("gb18030")) -> Batch:
    client = at_desk(town.triage)
    sent = {"channel": "sheet_general", "file": SimpleUploadedFile("台账.csv", content)}
    begun = client.post(reverse("imports"), sent)
    assert begun.status_code == 302
    fields = ("number", "told_at", "topic", "description", "address", "area")
    columns = {f"c{place}": field for place, field in enumerate(fields)}
    client.post(begun.headers["Location"], {"do": "check", "layout": "sheet_general", "sheet": "台账.csv", **columns})
    client.post(begun.headers["Location"], {"do": "receive"})
    return Batch.objects.get()


def test_a_ledger_in_gbk_is_received_and_what_could_not_be_read_is_held(town: World, media: Path) -> None:
    batch = imported(town, media)
    assert (batch.rows, batch.received, batch.repeated, batch.quarantined) == (3, 1, 1, 1)
    assert batch.finished_at is not None
    shown = text(at_desk(town.triage).get(reverse("batch", args=[batch.pk])))
    assert "列“时间”" in shown
    assert not list((media.parent / "imports").iterdir())


def test_a_file_that_cannot_be_read_at_all_is_refused_beside_its_field(town: World, media: Path) -> None:
    sent = {"channel": "sheet_general", "file": SimpleUploadedFile("x.csv.gz", b"\x1f\x8b\x08truncated")}
    answer = at_desk(town.triage).post(reverse("imports"), sent)
    assert answer.status_code == 422
    assert 'id="id-file-wrong"' in text(answer)
    assert not Batch.objects.exists()


def test_a_held_row_is_mended_in_its_cell_and_sent_again(town: World, media: Path) -> None:
    batch = imported(town, media)
    held = Quarantined.objects.get()
    client = at_desk(town.triage)
    assert "2026年13月1日" in text(client.get(f"{reverse('quarantine')}?batch={batch.pk}"))
    shown = text(client.get(reverse("held", args=[held.pk])))
    cells = {f"c{place}": value for place, value in enumerate(held.raw.values())}
    when = next(key for key, value in cells.items() if value == "2026年13月1日")
    assert f'id="mend-{when}-wrong"' in shown
    still = client.post(reverse("held", args=[held.pk]), {**cells, when: "2026年14月1日"})
    assert still.status_code == 422
    assert client.post(reverse("held", args=[held.pk]), {**cells, when: "2026年3月1日"}).status_code == 302
    held.refresh_from_db()
    assert held.state == "mended"
    assert Report.objects.filter(message_id="A-2").exists()


def test_a_held_row_is_discarded_only_with_a_reason(town: World, media: Path) -> None:
    imported(town, media)
    held = Quarantined.objects.get()
    client = at_desk(town.triage)
    address = reverse("held", args=[held.pk])
    assert client.post(address, {"discard": "1", "reason": ""}).status_code == 422
    assert client.post(address, {"discard": "1", "reason": "测试数据"}).status_code == 302
    held.refresh_from_db()
    assert held.state == "discarded"
    assert at_desk(town.dispatcher).post(address, {"discard": "1", "reason": "x"}).status_code == 403


def test_a_notice_is_read_when_it_is_opened(town: World) -> None:
    case = dispatched(town)
    notice = Notice.objects.create(
        id=new_id(), officer=town.handler, case=case, kind="dispatched", event=new_id(), at=town.at,
        text_zh=f"{case.number} 派遣", text_en=f"{case.number} dispatched",
    )  # fmt: skip
    client = at_desk(town.handler)
    assert "is-unread" in text(client.get(reverse("notices")))
    opened_at = client.get(reverse("notice_open", args=[notice.pk]))
    assert opened_at.headers["Location"] == reverse("case", args=[case.number])
    assert "is-unread" not in text(client.get(reverse("notices")))
    assert at_desk(town.triage).get(reverse("notice_open", args=[notice.pk])).status_code == 404


def test_the_board_counts_what_the_lists_show(town: World) -> None:
    for count in range(3):
        opened(town, at=town.at + timedelta(minutes=count))
    opened(town, area=town.west_grid)
    client = at_desk(town.triage)
    board = client.get(reverse("board"))
    tiles = {cell["key"]: cell for cell in board.context["tiles"]}
    assert tiles["late"]["value"] == tiles["open"]["value"] == 4
    by_name = {line.name: line.cells[0]["value"] for line in board.context["areas"]}
    assert by_name == {"东镇": 3, "西镇": 1}
    assert len(client.get(tiles["late"]["url"]).context["table"].rows) == 4
    assert at_desk(town.outsider).get(f"{reverse('board')}?area={town.east.code}").status_code == 404
