"""Every page of the desk, as it is for three people: nothing that axe finds, nothing too wide, nothing gone wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from furnished import Furniture
from looking import LANGUAGES, ON_POSTGRES, looked_at
from site_served import Site, Visit

ONLY_POSTED = {
    "sign_out", "language", "case_bulk", "notices_read", "site_close", "department_retire", "duty_end", "post_end",
    "officer_password", "token_revoke", "case_reporter", "resident_answer", "upload_row", "hook", "client_change",
    "subscriber_change", "device_retire", "device_secret", "resident_watch", "resident_watch_stop",
    "index_edition_act",
}  # fmt: skip


def addresses(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for each in found:
        if isinstance(each, URLPattern):
            yield each
        elif not each.namespace:
            yield from addresses(each.url_patterns)


FORWARD = """
import django; django.setup()
from django.utils import timezone
from anlan.casework.models import Case, Forward
from anlan.kernel.ids import new_id
at, told = timezone.now(), dict(trouble_zh="不知道对方收下没有", trouble_en="whether it was taken is not known")
print(Forward.objects.create(
    id=new_id(), case=Case.objects.first(), target="elsewhere", reference="ABCDEFGH", state="unclear", made_at=at,
    changed_at=at, **told,
).pk)
"""


@pytest.fixture(scope="session")
def furniture(site: Site) -> Furniture:
    made = Furniture(site.url, site.town)
    made.arguments["forward"] = [{"forward_id": site.installation.python("-c", FORWARD).stdout.strip()}]
    return made


def paths(furniture: Furniture) -> list[tuple[str, str]]:
    """Every address of the site with its name; one that nobody says how to open is a failure."""
    found = []
    for pattern in addresses(get_resolver().url_patterns):
        name = str(pattern.name)
        # What is under /open311 is answered to programs.
        if name in ONLY_POSTED or name.startswith("open311_"):
            continue
        wanted: list[dict[str, Any]] = furniture.arguments.get(name, [] if pattern.pattern.converters else [{}])
        assert wanted, f"say in tests/furnished.py what to open '{name}' with"
        found += [(name, reverse(name, kwargs=arguments)) for arguments in wanted]
    return found


# Who may open most sees every page in both languages; the others, what is drawn otherwise for them.
@pytest.mark.parametrize(
    ("who", "lang"), [("administrator", "zh"), ("administrator", "en"), ("dispatcher", "en"), ("grid_worker", "zh")]
)
def test_every_page_is_accessible_fits_the_screen_and_asks_nobody_else(
    visit: Visit, furniture: Furniture, who: str, lang: str
) -> None:
    person = visit(who, lang=lang)
    person.expected = {403, 404, 409}
    wrong: list[str] = []
    opened = 0
    refused: set[int] = set()
    for name, path in paths(furniture):
        answer = person.context.request.get(path)
        if answer.status not in (200, 403, 404, 409):
            wrong.append(f"{name} {path}: {answer.status}")
        elif answer.status in refused and not path.startswith("/r/"):
            # One refusal of the desk looks like another.
            continue
        elif answer.text().lstrip().lower().startswith("<!doctype html"):
            person.go(path)
            wrong += looked_at(person, lang)
            opened += answer.status == 200
            refused |= {answer.status} & {403, 404}
    assert wrong == []
    assert opened >= 15


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_door_is_accessible_to_a_stranger_even_when_the_password_is_wrong(visit: Visit, lang: str) -> None:
    stranger = visit(lang=lang)
    stranger.expected = {401, 403, 422}
    stranger.go("/sign-in/")
    assert looked_at(stranger, lang) == []
    stranger.page.locator("input[name=username]").fill("nobody")
    stranger.page.locator("input[name=password]").fill("wrong wrong wrong")
    stranger.page.locator("main form.form-a button[type=submit]").click()
    stranger.page.locator("[role=alert], .wrong").first.wait_for()
    assert looked_at(stranger, lang) == []


def test_a_page_with_faults_would_be_found(visit: Visit) -> None:
    """The test of the tests: an input without a label, words too pale and a page too wide."""
    stranger = visit()
    stranger.go("/sign-in/")
    spoil = "<input type=text><p class=pale>pale</p><p class=wide>wide</p>"
    stranger.page.locator("main").evaluate("(main, html) => main.insertAdjacentHTML('beforeend', html)", spoil)
    stranger.page.evaluate(
        "() => { const style = (what) => document.querySelector(what).style;"
        " style('.pale').color = '#ddd'; style('.wide').width = '5000px'; }"
    )
    wrong = " ".join(looked_at(stranger, "zh"))
    assert "label" in wrong
    assert "color-contrast" in wrong
    assert ON_POSTGRES or "px too wide" in wrong


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_opens_on_a_page_is_accessible_too(visit: Visit, furniture: Furniture, lang: str) -> None:
    """The keys, the drawer, the menus of the header, the form of an act: empty, and with what is wrong beside it."""
    person = visit("dispatcher", lang=lang)
    person.expected = {422}
    path = reverse("case", kwargs=furniture.arguments["case"][0])
    wrong: list[str] = []
    person.go("/cases/")
    person.page.keyboard.press("?")
    person.page.locator("#help").wait_for()
    wrong += looked_at(person, lang)
    person.page.keyboard.press("Escape")
    person.page.locator(".person > button").click()
    wrong += looked_at(person, lang)
    person.go("/cases/")
    person.page.locator("main a.lead").first.click()
    person.page.locator("#drawer .case-line").wait_for()
    wrong += looked_at(person, lang)
    person.go(path)
    person.page.locator("#acts a.btn-primary").click()
    person.page.locator("#act-here form").wait_for()
    wrong += looked_at(person, lang)
    person.go(f"{path}acts/refuse_extension/")
    person.page.locator("main form.form-a button[type=submit]").click()
    person.page.locator(".wrong").first.wait_for()
    wrong += looked_at(person, lang)
    assert wrong == []
