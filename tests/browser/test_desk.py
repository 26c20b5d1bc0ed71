"""The desk by keyboard, and without scripts: nobody is left at the door for want of a mouse or of JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from person import Person
from site_served import Visit

HERE = "[data-row].here"


def rows(person: Person) -> int:
    return person.page.locator("main [data-row]").count()


def chosen(person: Person) -> str:
    """The words of the row that is chosen, of which there is one."""
    expect(person.page.locator(HERE)).to_have_count(1)
    return person.page.locator(HERE).inner_text()


def test_a_slash_goes_to_the_search_and_finds_a_case(visit: Visit) -> None:
    person = visit("dispatcher")
    person.go("/cases/")
    number = person.page.locator("main [data-row]").first.inner_text()
    found = re.search(r"SJ-\d{8}-\d{4}", number)
    assert found
    person.page.keyboard.press("/")
    expect(person.page.locator("#search")).to_be_focused()
    assert person.page.locator("#search").input_value() == ""
    person.page.keyboard.type(found[0])
    person.page.keyboard.press("Enter")
    expect(person.page.locator("main")).to_contain_text(found[0])


def test_j_and_k_move_through_the_rows_and_enter_opens_the_one_chosen(visit: Visit) -> None:
    person = visit("dispatcher")
    person.go("/cases/")
    assert rows(person) > 3
    person.page.keyboard.press("j")
    first = chosen(person)
    person.page.keyboard.press("j")
    second = chosen(person)
    assert first != second
    person.page.keyboard.press("k")
    assert chosen(person) == first
    person.page.keyboard.press("k")
    assert chosen(person) == first
    number = re.search(r"SJ-\d{8}-\d{4}", first)
    assert number
    person.page.keyboard.press("Enter")
    drawer = person.page.locator("#drawer")
    expect(drawer).to_be_visible()
    expect(drawer.locator(".case-line")).to_be_visible()
    expect(drawer).to_contain_text(number[0])
    expect(drawer).to_be_focused()
    assert "/cases/?" in f"{person.page.url}?"
    person.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(person.page.locator(f"{HERE} a.lead")).to_be_focused()
    assert chosen(person) == first


def test_on_a_phone_enter_opens_the_case_as_a_page(visit: Visit) -> None:
    person = visit("dispatcher", width=390, height=844)
    person.go("/cases/")
    person.page.keyboard.press("j")
    person.page.keyboard.press("Enter")
    person.page.wait_for_url(re.compile(r"/cases/SJ-"))
    expect(person.page.locator("h1.case-line")).to_be_visible()


@pytest.mark.parametrize(("lang", "title"), [("zh", "键盘快捷键"), ("en", "Keyboard shortcuts")])
def test_a_question_mark_shows_the_keys_and_escape_takes_them_away(visit: Visit, lang: str, title: str) -> None:
    person = visit("grid_worker", lang=lang)
    person.go("/inbox/")
    person.page.keyboard.press("?")
    sheet = person.page.locator("#help")
    expect(sheet).to_be_visible()
    expect(sheet).to_contain_text(title)
    person.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_keys_typed_into_a_field_are_only_letters(visit: Visit) -> None:
    person = visit("grid_worker")
    person.go("/report/")
    field = person.page.get_by_label("情况")
    field.click()
    person.page.keyboard.type("jk/?ax")
    assert field.input_value() == "jk/?ax"
    expect(person.page.locator("#help")).to_be_hidden()


def test_the_first_tab_leads_past_the_menu(visit: Visit) -> None:
    person = visit("dispatcher")
    person.go("/cases/")
    person.page.keyboard.press("Tab")
    expect(person.page.locator("a.skip")).to_be_focused()
    expect(person.page.locator("a.skip")).to_be_in_viewport()
    person.page.keyboard.press("Enter")
    expect(person.page.locator("main")).to_be_focused()


def test_a_grid_worker_without_scripts_signs_in_reports_and_adds_a_note(visit: Visit) -> None:
    person = visit("grid_worker", width=390, height=844, scripts=False)
    person.go("/report/")
    person.page.get_by_label("情况").fill("窨井盖缺了一角")
    person.page.locator("select[name=topic]").select_option("manhole")
    person.button("上报").click()
    person.link("看这个事项").click()
    assert re.search(r"/cases/SJ-\d{8}-\d{4}/$", person.page.url)
    person.page.locator("#acts").get_by_role("link", name="补充说明", exact=True).click()
    person.page.wait_for_url(re.compile(r"/acts/note/$"))
    person.page.locator("[name=note]").fill("已放锥桶围住")
    person.button("补充说明").click()
    expect(person.page.locator(".note.good")).to_contain_text("已办理：补充说明")
    expect(person.page.locator(".timeline")).to_contain_text("已放锥桶围住")


def test_without_scripts_a_form_that_was_left_empty_says_what_is_missing(visit: Visit) -> None:
    person = visit("grid_worker", scripts=False)
    person.expected = {422}
    person.go("/report/")
    person.page.get_by_label("地址").fill("幸福里 12 号")
    person.button("上报").click()
    expect(person.page.locator(".wrong")).to_contain_text("请填写这一项")
    assert person.page.get_by_label("地址").input_value() == "幸福里 12 号"


def test_the_language_is_switched_where_one_stands(visit: Visit) -> None:
    person = visit("dispatcher")
    person.go("/cases/?state=open")
    person.page.get_by_role("button", name="Switch to English").click()
    expect(person.page.locator("h1")).to_have_text("Cases")
    assert person.page.url.endswith("/cases/?state=open")
    assert person.page.locator("html").get_attribute("lang") == "en"


def test_somebody_quicker_is_told_of_on_the_page_and_what_was_typed_is_not_lost_in_silence(visit: Visit) -> None:
    triage, dispatcher = visit("triage"), visit("dispatcher")
    triage.go("/cases/?step=collected")
    path = triage.page.locator("main a.lead").first.get_attribute("href")
    assert path
    triage.go(f"{path}acts/register/")
    dispatcher.go(f"{path}acts/register/")
    triage.button("立案").click()
    expect(triage.page.locator(".note.good")).to_contain_text("已办理：立案")
    dispatcher.expected = {409}
    dispatcher.button("立案").click()
    expect(dispatcher.page.locator("main")).to_contain_text("白洁已于")
    expect(dispatcher.page.locator("main")).to_contain_text("您的操作没有执行")
    expect(dispatcher.page.locator("#acts").get_by_role("link", name="派遣", exact=True)).to_be_visible()
