"""Whoever reported may be told of its progress: by letters they confirmed, or at a web address that echoed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from anlan.casework.models import Case
from anlan.intake import reports, watches
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report, Telling, Watch
from anlan.kernel import catalogue
from anlan.ledger import follow, personal
from anlan.ledger.models import Event, Personal
from anlan.presentation import followers, telling
from anlan.presentation.mail_server import mail_server
from desk import text
from resident import do, page, reported, to_the_end
from serving import free_port
from watching import MINE, Listener, MailBox, asked, confirmed, listened, listening, mail_box, told
from world import World, world

MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(media: Path) -> World:
    return world(timezone.now() - timedelta(days=2))


@pytest.fixture
def box(settings: LazySettings) -> Iterator[MailBox]:
    with mail_box() as made:
        settings.MAIL_SERVER = mail_server(made.url)
        yield made


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    with listening(tmp_path) as made:
        monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
        yield made


# ---------------------------------------------------------------- letters


def test_nothing_is_sent_before_the_button_of_the_first_letter_is_pressed(town: World, box: MailBox) -> None:
    code, _ = reported()
    assert asked(code).status_code == 302
    do(town, Case.objects.get(), "triage", "register")
    assert told() == 1
    to, letter = box.letters[0]
    assert to == [MINE]
    assert "确认" in letter["Subject"]
    # Programs that look at letters open every link: that alone must not subscribe anybody.
    assert "确认订阅" in text(Client().get(box.link(0, "confirm")))
    assert told() == 0
    assert Watch.objects.get().confirmed_at is None
    assert Client().post(box.link(0, "confirm")).status_code == 200
    assert told() == 0
    do(town, Case.objects.get(), "dispatcher", "dispatch", department=town.housing.pk)
    assert told() == 1


def test_a_case_is_followed_to_its_end_in_plain_words_of_both_languages_without_a_name(
    town: World, box: MailBox
) -> None:
    code, report = reported()
    case = Case.objects.get()
    watch = confirmed(box, code)
    to_the_end(town, case)
    while told():
        pass
    news = [str(letter["Subject"]).strip() for _, letter in box.letters[1:]]
    assert len(news) >= 4
    assert news[-1] == f"您上报的事已办结 {case.number} / Your report {case.number}: Closed"
    words = "\n".join(box.words(place) for place in range(len(box.letters)))
    assert "已整改并经他人核查属实，事项办结。谢谢您。" in words
    assert "通道已清空" in words
    assert "http://testserver/r/find/" in words
    assert "Thank you" in words
    assert code not in words
    assert str(report.description) not in words
    assert not [each.name for each in town.cast().values() if each.name in words]
    watch.refresh_from_db()
    assert watch.told_event == Telling.objects.order_by("-pk")[0].event
    assert len({letter["Message-ID"] for _, letter in box.letters}) == len(box.letters)


def test_what_the_reporter_has_done_again_is_told_with_the_numbers_in_it_hidden(town: World, box: MailBox) -> None:
    code, _ = reported()
    to_the_end(town, Case.objects.get())
    confirmed(box, code)
    given = {"satisfaction": "dissatisfied", "reason": "又堵了，请打 13800007777"}
    assert Client().post(reverse("resident_answer", args=[code]), given).status_code == 302
    assert told() == 1
    assert "上报人不满意，已重新办理" in box.words(-1)
    assert "13800007777" not in box.words(-1)


def test_every_letter_ends_it_by_one_button_and_by_the_mail_programs_own(town: World, box: MailBox) -> None:
    code, _ = reported()
    watch = confirmed(box, code)
    letter = box.letters[0][1]
    stop = box.link(0, "stop")
    assert letter["List-Unsubscribe"].strip() == f"<http://testserver{stop}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "取消订阅" in text(Client().get(stop))
    watch.refresh_from_db()
    assert watch.stopped_at is None
    # A mail program has no form of ours.
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(stop, {"List-Unsubscribe": "One-Click"}).status_code == 200
    to_the_end(town, Case.objects.get())
    assert told() == 0
    assert len(box.letters) == 1
    assert "已取消" in text(Client().get(stop))
    assert Client().get(box.link(0, "confirm")).status_code == 404
    assert personal.erase_due(at=timezone.now()) == 1
    assert watches.where_of(watch) is None


def test_letters_wait_while_the_mail_server_is_away_and_arrive_in_order(town: World, box: MailBox) -> None:
    code, _ = reported()
    confirmed(box, code)
    box.down()
    case, start = Case.objects.get(), timezone.now()
    do(town, case, "triage", "register")
    do(town, case, "dispatcher", "dispatch", department=town.housing.pk)
    for minute in range(30):
        assert told(at=start + minute * MINUTE + MINUTE / 2) == 0
    first, second = Telling.objects.filter(state="waiting").order_by("pk")
    assert 3 <= first.attempts <= 5
    assert second.attempts == 0
    assert "还没送到" in page(code)
    box.up()
    assert told(at=start + timedelta(hours=2)) == 2
    assert first.text_zh in box.words(-2)
    assert second.text_zh in box.words(-1)
    assert "还没送到" not in page(code)


@pytest.mark.parametrize(("answer", "dead"), [("550 no such user", True), ("450 try later", False)])
def test_a_mail_box_that_refuses_is_given_up_in_sight_and_one_that_is_full_is_tried_again(
    town: World, box: MailBox, answer: str, dead: bool
) -> None:
    code, _ = reported()
    box.answer = answer
    assert asked(code).status_code == 302
    told()
    assert Telling.objects.get().state == ("dead" if dead else "waiting")
    assert ("已放弃" in page(code)) == dead
    assert ("还没送到" in page(code)) != dead


def test_what_nobody_confirms_in_two_days_is_void_and_erased(town: World, box: MailBox) -> None:
    code, _ = reported()
    assert asked(code).status_code == 302
    later = timezone.now() + timedelta(days=2, minutes=1)
    assert told(at=later) == 0
    assert box.letters == []
    assert Telling.objects.get().state == "dead"
    assert watches.standing(Report.objects.get(), at=later) == []
    link = reverse("resident_watch_confirm", args=[watches.token(Watch.objects.get(), "confirm")])
    Watch.objects.update(asked_at=timezone.now() - timedelta(days=2, minutes=1))
    assert Client().post(link).status_code == 404
    assert personal.erase_due(at=later + timedelta(days=1)) == 1


def test_the_address_is_erased_with_the_reporters_other_data_and_then_nothing_is_sent(
    town: World, box: MailBox
) -> None:
    code, report = reported(reporter_phone="13800007777")
    watch = confirmed(box, code)
    report.refresh_from_db()
    kept = Personal.objects.get(pk=watch.address_id)
    assert report.reporter is not None
    assert kept.keep_until == report.reporter.keep_until
    assert MINE.encode() not in bytes(kept.sealed or b"")
    personal.erase_due(at=timezone.now() + timedelta(days=400))
    do(town, Case.objects.get(), "triage", "register")
    told()
    assert len(box.letters) == 1
    watch.refresh_from_db()
    assert watch.stopped_at is not None


def test_the_same_event_read_twice_is_told_once(town: World, box: MailBox) -> None:
    code, _ = reported()
    confirmed(box, code)
    do(town, Case.objects.get(), "triage", "register")
    assert told() == 1
    follow.rewind("watches")
    assert told() == 0


def test_a_report_that_is_withdrawn_is_told(town: World, box: MailBox) -> None:
    code, report = reported(topic=None)
    confirmed(box, code)
    reports.withdraw(Report.objects.get(pk=report.pk), reason="弄错了", by=None, at=timezone.now())
    assert told() == 1
    assert "已经撤回" in box.words(-1)


# ---------------------------------------------------------------- web addresses


def test_a_web_address_is_told_signed_once_it_echoed_what_it_was_sent(town: World, listener: Listener) -> None:
    code, report = reported()
    watch, secret = listened(listener, report, at=timezone.now())
    listener.echoes = False
    assert told() == 0
    assert "没有原样返回" in page(code)
    case = Case.objects.get()
    do(town, case, "triage", "register")
    listener.echoes = True
    assert told(at=timezone.now() + 3 * MINUTE) == 1
    watch.refresh_from_db()
    assert watch.confirmed_at is not None
    Watch.objects.update(confirmed_at=timezone.now())
    to_the_end(town, case)
    while told():
        pass
    kinds = [body["kind"] for body in listener.bodies]
    assert kinds[:2] == ["confirm", "confirm"]
    assert kinds[-1] == "closed"
    last = listener.bodies[-1]
    assert last["number"] == case.number
    assert last["text"]["zh"].startswith("已整改并经他人核查属实")
    assert all(listener.is_signed(place, secret) for place in range(len(kinds)))
    assert not listener.is_signed(0, "another")
    sent = b"".join(body for _, body in listener.got).decode()
    assert not [each.name for each in town.cast().values() if each.name in sent]
    assert code not in sent


def test_the_secret_is_shown_once_and_nowhere_else(town: World) -> None:
    code, _ = reported()
    # A literal address of documentation: nobody is asked for a name, and nobody is called.
    answer = asked(code, "https://192.88.98.1/in")
    assert answer.status_code == 200
    where = watches.where_of(Watch.objects.get())
    assert where is not None
    assert where.secret in text(answer)
    assert where.secret not in page(code)
    assert "192.88.98.1" in page(code)
    assert where.secret not in str(list(Telling.objects.values())) + str(list(Event.objects.values()))


def test_a_web_address_that_is_down_is_told_all_of_it_in_order_when_it_is_back(town: World, listener: Listener) -> None:
    code, report = reported()
    listened(listener, report, at=timezone.now())
    assert told() == 1
    Watch.objects.update(confirmed_at=timezone.now())
    listener.down()
    case, start = Case.objects.get(), timezone.now()
    do(town, case, "triage", "register")
    do(town, case, "dispatcher", "dispatch", department=town.housing.pk)
    for minute in (1, 2, 9, 30):
        assert told(at=start + minute * MINUTE) == 0
    assert "连不上对方" in page(code)
    listener.up()
    assert [told(at=start + timedelta(hours=3)) for _ in range(3)] == [1, 1, 0]
    assert [body["event"] for body in listener.bodies[1:]] == [
        str(each) for each in Telling.objects.exclude(kind="confirm").order_by("pk").values_list("event", flat=True)
    ]


def test_what_cannot_be_told_for_three_days_is_given_up_in_sight(town: World, listener: Listener) -> None:
    code, report = reported()
    listened(listener, report, at=timezone.now())
    assert told() == 1
    Watch.objects.update(confirmed_at=timezone.now())
    listener.status = 503
    do(town, Case.objects.get(), "triage", "register")
    told(at=timezone.now() + MINUTE)
    told(at=timezone.now() + timedelta(days=3, hours=1))
    assert Telling.objects.get(kind="moved").state == "dead"
    assert "已放弃：对方答复 503" in page(code)


def test_one_that_answers_byte_by_byte_holds_up_nobody_for_long(town: World, listener: Listener) -> None:
    _, report = reported()
    listened(listener, report, at=timezone.now())
    listener.dawdles = 0.2
    begun = timezone.now()
    assert told() == 0
    assert timezone.now() - begun < timedelta(seconds=6)
    assert Watch.objects.get().confirmed_at is None


def test_one_that_dawdles_and_one_that_is_down_hold_up_no_other(town: World, listener: Listener) -> None:
    channel = catalogue.current().get(CHANNELS, "resident")
    for number in range(3):
        _, report = reported(description=f"第 {number} 处", lon=f"122.0{number}1")
        for place in range(2):
            url = f"{listener.url}/{number}/{place}" if number else f"https://localhost:{free_port()}/{place}"
            watches.ask(report, "webhook", url, origin="http://testserver", channel=channel, at=timezone.now())
    listener.dawdles = 0.015
    begun = timezone.now()
    assert told() == 4
    # One after the other they would take four times as long as one of them.
    assert timezone.now() - begun < timedelta(seconds=4)
    assert Telling.objects.filter(state="waiting", attempts=1).count() == 2


def test_an_address_that_has_become_an_internal_one_is_not_called(town: World, listener: Listener) -> None:
    _, report = reported()
    listened(listener, report, at=timezone.now())
    followers.drain(at=timezone.now())
    assert telling.turn(at=timezone.now()) == 0
    assert listener.got == []
    assert "内部网络" in Telling.objects.get().error_zh
