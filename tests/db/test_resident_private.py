"""Who reported is nowhere that the party complained of, or who deals with the case, can look: all of it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from anlan.casework.models import Case
from anlan.intake import tracking, watches
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.ledger import personal
from anlan.ledger.models import Event, Personal
from anlan.presentation import followers, telling
from anlan.presentation.mail_server import mail_server
from anlan.presentation.sending import Unreachable
from asking import Things, api_calls, things, undone, web_names
from calling import Caller
from desk import at_desk, hidden, jpeg, text
from serving import free_port

NAME, PHONE = "只此一名", "13800007777"
MAIL, HOOK = "zhiciyiming@example.org", "https://192.88.98.1/zhiciyiming"
SECRETS = (NAME, PHONE, PHONE[3:], MAIL, HOOK, MAIL[:11])
WATCHED = ("handler", "landlord", "department_lead")


@pytest.fixture
def of(media: Path, settings: LazySettings) -> Things:
    settings.MAIL_SERVER = mail_server(f"smtp://127.0.0.1:{free_port()}?tls=none")
    return things()


def report(**more: str) -> Report:
    """A resident tells, with their name and number, of a house whose landlord has an account."""
    told = {
        "client_id": str(new_id()), "topic": "fire_exit", "description": "三楼堆物", "site": "house1", "seen": "1",
        "reporter_name": NAME, "reporter_phone": PHONE, **more,
    }  # fmt: skip
    client = Client()
    answer = client.post(reverse("resident"), {**told, "photos": [jpeg("a.jpg")]})
    assert answer.status_code == 302, text(answer)
    found = tracking.find(client.cookies["told"].value)
    assert found is not None
    watched(found)
    return found


def watched(told: Report) -> None:
    """The reporter asks to be told of its progress by letters, and at a web address."""
    for address, status in ((MAIL, 302), (HOOK, 200)):
        answer = Client().post(reverse("resident_watch", args=[tracking.issue(told)]), {"address": address})
        assert answer.status_code == status, text(answer)
    for watch in told.watches.all():
        watches.confirm(watch, channel=catalogue.current().get(CHANNELS, "resident"), at=timezone.now())


def nobody(url: str, body: bytes, said: Mapping[str, str]) -> tuple[int, bytes]:
    raise Unreachable("没有", "nobody")


def dealt_with(of: Things, case: Case) -> None:
    """The case with its whole history, so that every page has something to show."""
    town = of.town
    for who, act, data in (
        ("triage", "register", {}),
        ("dispatcher", "dispatch", {"department": town.housing.pk, "officer": town.handler.pk}),
        ("handler", "accept", {}),
        ("handler", "fix", {"result": "已清空", "photos": [jpeg("after.jpg")]}),
    ):
        client = at_desk(getattr(town, who))
        shown = text(client.get(reverse("case_act", args=[case.number, act])))
        sent = {"key": hidden(shown, "key"), "rev": hidden(shown, "rev"), **data}
        answer = client.post(reverse("case_act", args=[case.number, act]), sent)
        assert answer.status_code == 302, text(answer)
    followers.drain(at=timezone.now())


def addresses(of: Things, resolver: Any = None) -> Iterator[tuple[str, str]]:
    kwargs = web_names(of)
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield str(pattern.name), reverse(str(pattern.name), kwargs=kwargs.get(str(pattern.name)))
        elif isinstance(pattern, URLResolver) and pattern.namespace != "api":
            yield from addresses(of, pattern)


def read(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return str(body.decode(errors="replace")) if b"\x00" not in body[:200] else str(body)


def everything(of: Things, who: str) -> dict[str, str]:
    """All that somebody gets to read: every page, asked and sent to, every answer of the API, every export."""
    client, found = at_desk(getattr(of.town, who)), {}
    for name, address in addresses(of):
        for query in ("", "?state=all", f"?q={PHONE}", f"?q={NAME}"):
            with undone():
                found[f"{name} {query}"] = read(client.get(address + query))
        with undone():
            found[f"{name} sent"] = read(client.post(address, {"reason": "tell"}))
        client.force_login(getattr(of.town, who))
    caller = Caller(getattr(of.town, who))
    for name, call in api_calls(of).items():
        with undone():
            answer = caller.send(call.method, call.path, call.body) if call.method != "GET" else caller.get(call.path)
            found[f"api {name}"] = answer.content.decode(errors="replace")
        for form in ("csv", "jsonl", "xlsx") if name.startswith("export") else ():
            with undone():
                found[f"api {name} {form}"] = str(caller.get(call.path, form=form).content)
    return found


@pytest.mark.parametrize("who", WATCHED)
def test_the_contact_is_nowhere_that_handler_or_party_can_look(of: Things, who: str) -> None:
    told = report()
    case = Case.objects.get(case_reports__report=told)
    assert case.party == of.town.party
    dealt_with(of, case)
    photo = told.photos.get()
    here = replace(of, case=case, report=told, photo=photo)
    found = everything(here, who)
    seen = [place for place, words in found.items() if case.number in words or case.title in words]
    assert len(seen) >= 12, f"{who} sees too little for this to prove anything: {seen}"
    assert any(place.startswith("case_reports") and "三楼堆物" in found[place] for place in seen)
    asked = {place for place, words in found.items() for secret in SECRETS if secret in words}
    # What somebody types into a search box stands in the box: that is theirs, not ours.
    echoes = {place for place in asked if "?q=" in place}
    assert asked == echoes
    for place in echoes:
        query = place.split("?q=")[1]
        others = [secret for secret in SECRETS if secret not in query]
        assert not [secret for secret in others if secret in found[place]], place


def test_no_event_and_no_table_but_the_sealed_one_knows_the_contact(of: Things) -> None:
    dealt_with(of, Case.objects.get(case_reports__report=report()))
    for model in apps.get_models():
        rows = str(list(model._default_manager.values()))
        assert not [secret for secret in SECRETS if secret in rows], model.__name__
    assert Event.objects.filter(kind="report.received").exists()


def test_nothing_of_it_is_written_into_a_log(of: Things, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        report()
        report(description="写" * 3000, told_at="1900-01-01")
        Client().post(reverse("resident"), {"reporter_phone": PHONE, "reporter_name": NAME})
        dealt_with(of, Case.objects.order_by("opened_at")[0])
        # Nobody listens there: what goes wrong is logged, and says no address.
        assert telling.turn(at=timezone.now(), post=nobody) == 0
    assert "信件" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_the_code_that_opens_a_report_is_written_into_no_log(of: Things, caplog: pytest.LogCaptureFixture) -> None:
    code = tracking.issue(report())
    client = Client()
    client.get(reverse("resident"))
    with caplog.at_level("DEBUG"):
        assert client.post(reverse("resident_answer", args=[code]), {}).status_code == 422
        for letter in tracking.LETTERS[:11]:
            client.get(reverse("resident_status", args=[f"ABCDEFGHJKL{letter}"]))
        assert client.get(reverse("resident_status", args=[code])).status_code == 429
    assert code not in caplog.text


def contact(of: Things, who: str, told: Report, reason: str = "verify") -> tuple[int, str]:
    case = Case.objects.get(case_reports__report=told)
    address = reverse("case_reporter", args=[case.number, told.pk])
    answer = at_desk(getattr(of.town, who)).post(address, {"reason": reason})
    return answer.status_code, text(answer)


def test_the_department_may_call_when_the_reporter_agreed_and_the_party_never(of: Things) -> None:
    for share in ("", "yes"):
        told = report(may_share=share)
        dealt_with(of, Case.objects.get(case_reports__report=told))
        status, words = contact(of, "handler", told)
        assert (PHONE in words) == (share == "yes")
        assert status == (200 if share else 403)
        for who in ("landlord", "other_handler", "analyst", "dispatcher", "administrator"):
            status, words = contact(of, who, told)
            assert status in (403, 404), who
            assert PHONE not in words
        assert PHONE in contact(of, "triage", told)[1]
    assert {event.data["reason"] for event in Event.objects.filter(kind="reporter.read")} == {"verify"}


def test_the_contact_is_erased_on_its_day_and_the_page_of_the_report_goes_on(of: Things) -> None:
    told = report()
    kept = Personal.objects.get(reports=told)
    days = catalogue.current().get(CHANNELS, "resident").personal_days
    at = timezone.now() + timedelta(days=days + 2)
    assert personal.erase_due(at=at) >= 1
    kept.refresh_from_db()
    assert kept.sealed is None
    status, words = contact(of, "triage", told)
    assert status == 200
    assert "已按期限清除" in words
