"""The pages of an index in a town whose edition was really made: from a red figure to a photo of a case, and looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from index_served import INDEX, Published
from looking import LANGUAGES, looked_at
from person import Person
from site_served import Site

CLICKS = 5


@pytest.fixture
def months(published: Published) -> list[str]:
    """The published months of the town that is served."""
    return published.months


@pytest.fixture
def town(index_site: Site) -> Site:
    """The small town with two published months of a small index, served."""
    return index_site


@pytest.fixture
def lead(town: Site, browser: Browser) -> Iterator[Person]:
    """The county's lead at a browser in which nothing may go wrong."""
    person = Person(browser, town.url, town.town, "area_lead")
    yield person
    wrong = person.problems
    person.leave()
    assert wrong == []


class Clicks:
    """What somebody clicks, counted."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, what: Locator) -> None:
        what.click()
        self.done += 1


def test_from_a_red_figure_on_the_index_home_to_the_photo_of_a_case_behind_it(lead: Person, months: list[str]) -> None:
    click = Clicks()
    lead.go("/index/")
    red = lead.page.locator(".lost a").filter(has=lead.page.locator(".band-red")).first
    expect(red).to_contain_text("消防隐患按期处置率")
    click(red)
    expect(lead.page).to_have_url(re.compile(f"/index/{INDEX}/{months[-1]}/indicators/prompt/"))
    click(lead.page.locator(".page-acts a.btn-primary"))
    case = lead.page.locator("main table.rows a.lead").first
    expect(case).to_be_visible()
    click(case)
    photo = lead.page.locator(".pair img").first
    expect(photo).to_be_visible()
    loaded = "(img) => img.complete && img.naturalWidth > 0"
    lead.page.wait_for_function(loaded, arg=photo.element_handle())
    assert click.done <= CLICKS


def test_what_to_fix_first_is_the_open_case_with_what_closing_it_gives(
    lead: Person, town: Site, months: list[str]
) -> None:
    lead.go(f"/index/{INDEX}/{months[-1]}/areas/{town.town.areas['东镇']}/")
    first = lead.page.locator("#first table.rows tbody tr")
    expect(first).to_have_count(1)
    expect(first).to_contain_text("仍在办")
    expect(first).to_contain_text("期末已超期")
    assert float(re.findall(r"\+(\d\.\d{3})", first.inner_text())[0]) > 0
    first.locator("a.lead").click()
    expect(lead.page.locator("#drawer .case-line")).to_be_visible()


def addresses(site: Site, months: list[str]) -> list[str]:
    """Every page of the index in its ways of being asked."""
    edition, east = f"/index/{INDEX}/{months[-1]}", site.town.areas["东镇"]
    pair = f"?a={east}@{months[-1]}&b={site.town.areas['西镇']}@{months[-1]}"
    return [
        "/index/", f"{edition}/?area={east}", f"/index/{INDEX}/{months[0]}/", f"{edition}/areas/{east}/",
        f"{edition}/areas/{site.town.areas['甲县']}/", f"/index/{INDEX}/compare/", f"/index/{INDEX}/compare/{pair}",
        f"{edition}/scenario/?node=D&weight=20", f"{edition}/indicators/prompt/?area={east}",
        f"{edition}/indicators/prompt/cases/?area={east}",
    ]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_of_an_index_is_accessible_and_fits(lead: Person, town: Site, months: list[str], lang: str) -> None:
    wrong: list[str] = []
    lead.speak(lang)
    for address in addresses(town, months):
        lead.go(address)
        wrong += looked_at(lead, lang)
    assert wrong == []


def test_a_weight_that_cannot_be_is_told_beside_its_field(lead: Person, months: list[str]) -> None:
    lead.expected = {422}
    lead.go(f"/index/{INDEX}/{months[-1]}/scenario/")
    lead.page.get_by_label("它占总分的百分之几").fill("150")
    lead.button("试算").click()
    expect(lead.page.get_by_role("alert")).to_contain_text("权重要大于等于 0%")
    assert looked_at(lead, "zh") == []


def test_the_keyboard_reaches_every_area_on_the_map_and_the_charts_say_what_they_show(lead: Person) -> None:
    lead.go("/index/")
    for chart in lead.page.locator("[data-chart]").all():
        words = chart.get_attribute("aria-label") or ""
        assert len(words) > 5
        twin = chart.locator("xpath=..").locator("details")
        twin.locator("summary").click()
        expect(twin.locator("table")).to_be_visible()
    link = lead.page.locator("svg.map a").first
    link.focus()
    lead.page.keyboard.press("Enter")
    expect(lead.page).to_have_url(re.compile("/areas/"))


def test_on_paper_no_button_and_every_figure(lead: Person) -> None:
    lead.go("/index/")
    lead.page.emulate_media(media="print")
    expect(lead.page.locator("table.rows").first).to_be_visible()
    expect(lead.page.locator(".page-acts")).to_be_hidden()
