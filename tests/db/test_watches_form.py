"""The form by which a reporter subscribes, the links in letters, and the mail server that sends them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from anlan.intake import watches
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Watch
from anlan.kernel import catalogue
from anlan.presentation.mail_server import mail_server
from desk import text
from resident import page, reported
from watching import MINE, MailBox, asked, mail_box, told
from world import World, world


@pytest.fixture
def town(media: Path) -> World:
    return world(timezone.now() - timedelta(days=2))


@pytest.fixture
def box(settings: LazySettings) -> Iterator[MailBox]:
    with mail_box() as made:
        settings.MAIL_SERVER = mail_server(made.url)
        yield made


def test_without_a_mail_server_only_a_web_address_is_offered_and_the_page_says_so(
    town: World, settings: LazySettings
) -> None:
    settings.MAIL_SERVER = None
    code, _ = reported()
    shown = page(code)
    assert "本站没有开通邮件：请记下上面的编号" in shown
    assert "<details><summary>让程序接收进展（一般用不着）</summary>" in shown
    answer = asked(code)
    assert answer.status_code == 422
    assert "本站没有开通邮件，只能填" in text(answer)
    assert "<details open>" in text(answer)
    assert MINE in text(answer)
    assert not Watch.objects.exists()


@pytest.mark.parametrize(
    "address",
    ["", "me", "me@", "a@b.cn\r\nBcc: c@d.cn", "x" * 300 + "@example.org", "http://example.org/in", "https://",
     "https://u:p@example.org/", "https://example.org/ a", "https://example.org/\r\nX: y", "https://[::1", "\x00",
     "https://例.cn/钩子", "https://127.0.0.1/in", "https://10.0.0.8/", "https://[::1]/", "https://169.254.169.254/",
     "https://localhost/", "https://no.such.host.invalid/", "ftp://example.org/", "https://example.org:99999/"],
)  # fmt: skip
def test_what_is_no_address_for_this_is_refused_in_both_languages_and_kept_in_the_form(
    town: World, box: MailBox, address: str
) -> None:
    code, _ = reported()
    client = Client()
    answer = asked(code, address, client)
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    client.cookies["lang"] = "en"
    assert 'id="watch-wrong" role="alert"' in text(asked(code, address, client))
    assert not Watch.objects.exists()


def test_a_report_has_three_watches_at_most_each_address_once_and_one_that_ends_makes_room(
    town: World, box: MailBox
) -> None:
    code, _ = reported()
    for name in ("a", "b", "c"):
        assert asked(code, f"{name}@example.org").status_code == 302
    assert "最多订阅 3 处" in text(asked(code, "d@example.org"))
    shown = page(code)
    assert "a***@example.org" in shown
    assert "a@example.org" not in shown
    first = Watch.objects.order_by("asked_at")[0]
    assert Client().post(reverse("resident_watch_stop", args=[code, first.pk])).status_code == 302
    assert "已经订阅过了" in text(asked(code, "B@example.org"))
    assert asked(code, "d@example.org").status_code == 302


def test_nobody_ends_the_watch_of_another_report(town: World, box: MailBox) -> None:
    code, _ = reported()
    other, _ = reported(description="别的事", lon="122.031")
    assert asked(code).status_code == 302
    answer = Client().post(reverse("resident_watch_stop", args=[other, Watch.objects.get().pk]))
    assert answer.status_code == 404
    assert Watch.objects.get().stopped_at is None


def test_asking_is_counted_by_device_and_by_whoever_would_be_written_to(town: World, box: MailBox) -> None:
    code, _ = reported()
    limits = {limit.by: limit.most for limit in _limits() if limit.what == "watch"}
    assert set(limits) == {"device", "address", "recipient"}
    for _ in range(limits["recipient"]):
        assert asked(code, client=Client(REMOTE_ADDR="192.0.2.7")).status_code in (302, 422)
    assert asked(code, client=Client(REMOTE_ADDR="192.0.2.8")).status_code == 429
    client = Client(REMOTE_ADDR="192.0.2.9")
    client.get(reverse("resident_find"))
    found = [asked(code, f"{number}@example.org", client).status_code for number in range(limits["device"] + 1)]
    assert found[-1] == 429


def _limits() -> Any:
    public = catalogue.current().get(CHANNELS, "resident").public
    assert public is not None
    return public.limits


@pytest.mark.parametrize("name", ["resident_watch_confirm", "resident_watch_end"])
def test_a_link_that_was_not_made_here_or_for_something_else_opens_nothing(
    town: World, box: MailBox, name: str
) -> None:
    code, _ = reported()
    assert asked(code).status_code == 302
    watch = Watch.objects.get()
    wrong = watches.token(watch, "stop" if name == "resident_watch_confirm" else "confirm")
    for token in ("x", watch.pk.hex, wrong, "~", f"{watch.pk.hex}~"):
        for answer in (Client().get(reverse(name, args=[token])), Client().post(reverse(name, args=[token]))):
            assert answer.status_code == 404
            assert "链接无效" in text(answer)
    watch.refresh_from_db()
    assert (watch.confirmed_at, watch.stopped_at) == (None, None)


def test_links_name_the_site_as_it_is_declared_whatever_host_was_asked(
    town: World, box: MailBox, settings: LazySettings
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.org", "https://anlan.example.org"]
    code, _ = reported()
    assert asked(code).status_code == 302
    told()
    assert "https://anlan.example.org/r/watch/confirm/" in box.words(0)
    assert "testserver" not in box.words(0)


# ---------------------------------------------------------------- the mail server's address


def test_the_mail_server_is_read_from_one_address() -> None:
    assert mail_server("") is None
    found = mail_server("smtp://me%40x.org:p%2Fw@mail.x.org")
    assert found is not None
    assert (found.host, found.port, found.user, found.password) == ("mail.x.org", 587, "me@x.org", "p/w")
    assert (found.tls, found.sender) == ("starttls", "me@x.org")
    other = mail_server("smtp://relay:2525?tls=none&from=a@b.org")
    assert other is not None
    assert (other.port, other.tls, other.sender, other.options["use_tls"]) == (2525, "none", "a@b.org", False)
    secure = mail_server("smtps://relay")
    assert secure is not None
    assert (secure.port, secure.options["use_ssl"]) == (465, True)


@pytest.mark.parametrize(
    "url", ["mail.x.org", "http://x.org", "smtp://", "smtp://x?tls=maybe", "smtp://x:port", "smtp://x?from=me",
            "smtp://me:secret@x?tsl=none", "smtp://x?from=a@b%0d%0aBcc:c@d"],
)  # fmt: skip
def test_a_mail_server_that_cannot_be_understood_stops_the_start_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        mail_server(url)
    assert "ANLAN_EMAIL_URL" in str(raised.value)
    assert "secret" not in str(raised.value)
