"""Behind an index at the browser: two people bring an edition out, pages can be read, and a card fits one sheet."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import index_town
from index_served import INDEX, Published
from looking import DESK, LANGUAGES, PHONE, looked_at
from person import Person
from site_served import Site

MONTHS: list[str] = []
DRAWN = f"/index/{index_town.INDEX}/{index_town.PERIOD}"


@pytest.fixture(scope="module")
def town(index_site: Site, published: Published) -> Site:
    """The town with two published months of a small index, and two of the sample set with drawn figures."""
    MONTHS[:] = published.months
    index_town.two_months(index_site.installation.data / "index")
    return index_site


@pytest.fixture
def come(town: Site, browser: Browser) -> Iterator[Callable[..., Person]]:
    """Gives people of the cast their own browsers, in which nothing may go wrong."""
    people: list[Person] = []

    def visit(who: str, **how: object) -> Person:
        people.append(Person(browser, town.url, town.town, who, **how))  # type: ignore[arg-type]
        return people[-1]

    yield visit
    wrong = [problem for person in people for problem in person.problems]
    for person in people:
        person.leave()
    assert wrong == []


def look(person: Person, name: str) -> None:
    """A picture of the page for whoever wants to see it."""
    if folder := os.environ.get("ANLAN_PICTURES"):
        person.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_one_drafts_another_signs_and_a_third_publishes(come: Callable[..., Person]) -> None:
    drafter, signer, publisher = (come(who) for who in ("analyst", "supervisor", "area_lead"))
    editions = f"/index/{INDEX}/editions/"
    drafter.go(editions)
    drafter.button("起草一版").click()
    drafter.page.locator("dialog input[name=period]").fill(MONTHS[-1])
    look(drafter, "editions-draft")
    drafter.page.locator("dialog").get_by_role("button", name="起草一版").click()
    expect(drafter.page.get_by_text("第 2 版已起草，请另一个人复核签发")).to_be_visible()
    expect(drafter.page.get_by_role("button", name=re.compile("^签发"))).to_have_count(0)
    signer.go(editions)
    signer.page.get_by_role("button", name=re.compile("^签发")).click()
    expect(signer.page.get_by_text("已签发，等待发布。")).to_be_visible()
    expect(signer.page.get_by_role("button", name=re.compile("^发布"))).to_have_count(0)
    publisher.go(editions)
    publisher.page.get_by_role("button", name=re.compile("^发布")).click()
    expect(publisher.page.get_by_text("已发布，所有看统计的人都能看到。")).to_be_visible()
    look(publisher, "editions-published")
    publisher.page.get_by_role("button", name=re.compile("^重放核对")).first.click()
    expect(publisher.page.get_by_text("每一位都相同")).to_be_visible()


def addresses(town: Site) -> dict[str, str]:
    """Every page behind an index, of figures that are true and of many that are drawn."""
    county, east = town.town.areas["甲县"], town.town.areas["东镇"]
    true = f"/index/{INDEX}/{MONTHS[-1]}"
    return {
        "indicator": f"{true}/indicators/prompt/?area={county}",
        "cases": f"{true}/indicators/prompt/cases/?area={east}",
        "card-true": f"{true}/cards/{east}/", "integrity": f"{true}/integrity/?area={east}",
        "signal": f"{true}/integrity/?area={east}&signal=closed_at_the_deadline",
        "editions": f"/index/{INDEX}/editions/", "indicator-drawn": f"{DRAWN}/indicators/D1-04/?area={county}",
        "card": f"{DRAWN}/cards/{east}/", "card-department": f"{DRAWN}/cards/department-fire/",
        "audit": f"{DRAWN}/audit/", "sure": f"{DRAWN}/sure/?peer=village", "integrity-none": f"{DRAWN}/integrity/",
    }  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_behind_an_index_is_accessible_and_fits(town: Site, come: Callable[..., Person], lang: str) -> None:
    person = come("analyst", lang=lang)
    wrong: list[str] = []
    for name, path in addresses(town).items():
        person.go(path)
        for width, height in (DESK, PHONE) if "ANLAN_PICTURES" in os.environ else ():
            person.page.set_viewport_size({"width": width, "height": height})
            look(person, f"{name}-{lang}-{width}")
        wrong += looked_at(person, lang)
    assert wrong == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_scorecard_prints_on_one_sheet(town: Site, come: Callable[..., Person], tmp_path: Path, lang: str) -> None:
    person = come("analyst", lang=lang)
    folder = Path(os.environ.get("ANLAN_PICTURES", tmp_path))
    for name in ("card", "card-department", "card-true"):
        person.go(addresses(town)[name])
        made = person.page.pdf(path=folder / f"{name}-{lang}.pdf", format="A4", print_background=True)
        assert len(re.findall(rb"/Type\s*/Page\b", made)) == 1, name
