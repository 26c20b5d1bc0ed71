"""The main job, by real clicks: from a report on the form to a case that somebody else has proven closed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from audit import audit
from person import Person
from site_served import Pictures, Site, Visit

COUNTED = dict.fromkeys(
    ("reported", "valid", "registered", "dispatched", "to_handle", "handled", "handled_in_time", "to_close", "closed",
     "closed_in_time", "reworked", "reworks", "returned", "extended", "opened", "finished"), 1,
)  # fmt: skip
PUBLIC = {
    "collected": "已收到，正在核对是否属实、该谁管。",
    "registered": "已立案，正在派给负责的部门。",
    "dispatched": "已派给负责的部门，等待处置。",
    "returned": "正在重新确定负责的部门。",
    "handling": "负责的部门正在处置。",
    "fed_back": "部门反馈已经整改，正在安排别人现场核查。",
    "verified": "现场核查已通过，正在办理结案。",
    "closed": "已整改并经他人核查属实，事项办结。谢谢您。",
}
STEPS = (
    "collected", "registered", "dispatched", "returned", "dispatched", "handling", "handling", "handling", "fed_back",
    "handling", "fed_back", "verified", "closed",
)  # fmt: skip


class Course:
    """The case on its way: who acts on it and what each step tells the reporter."""

    def __init__(self, reporter: Person, triage: Person) -> None:
        self.reporter, self.triage = reporter, triage
        self.report = ""
        self.number = ""
        self.told: list[str] = []
        self.expected: list[tuple[str, str]] = []

    @property
    def address(self) -> str:
        return f"/cases/{self.number}/"

    def act(self, person: Person, verb: str, fill: Callable[[Person], None] | None = None) -> None:
        """Open the case, choose the act, fill in its form, send it; then see what the reporter is told."""
        person.go(self.address)
        choose(person, verb)
        form = person.page.locator("#act-here form.form-a")
        expect(form).to_be_visible()
        if fill:
            fill(person)
        form.get_by_role("button", name=verb, exact=True).click()
        expect(person.page.locator(".note.good")).to_contain_text(f"已办理：{verb}")
        self.expected.append((person.town.names[person.who], verb))
        self.listen()

    def listen(self) -> None:
        """What the reporter reads now on the page of their report; whoever may open the case reads the same there."""
        self.reporter.go(self.report)
        self.told.append(self.reporter.page.locator("#progress").inner_text().strip())
        self.reporter.go(self.address)
        self.reporter.page.get_by_text("全部信息").click()
        words = self.reporter.page.locator("p", has_text="上报人看到的进展：").inner_text()
        assert words.partition("：")[2].strip() == self.told[-1]


def choose(person: Person, verb: str) -> None:
    """Press the act's button, unfolding the rarer ones where it is among them."""
    link = person.page.locator("#acts").get_by_role("link", name=verb, exact=True)
    if not link.is_visible():
        person.page.locator("#acts summary").click()
    link.click()


def offered(person: Person, address: str) -> list[str]:
    """The acts offered to somebody on the page of the case."""
    person.go(address)
    return [text.strip() for text in person.page.locator("#acts a.btn").all_text_contents()]


def write(**fields: str) -> Callable[[Person], None]:
    """Fills in the fields of an act's form: words typed, choices made by their words."""

    def fill(person: Person) -> None:
        for name, value in fields.items():
            field = person.page.locator(f"#act-here [name={name}]")
            if field.evaluate("each => each.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value)

    return fill


def fixed(words: str, *photos: Path) -> Callable[[Person], None]:
    def fill(person: Person) -> None:
        write(result=words)(person)
        person.page.locator("#act-here input[type=file]").set_input_files([str(photo) for photo in photos])

    return fill


def report(person: Person, photo: Path) -> str:
    """Somebody tells of a blocked fire exit, on the form, with a photo; the address of what they sent."""
    person.go("/inbox/")
    person.link("上报").first.click()
    person.page.get_by_label("情况").fill("二楼疏散通道堆满纸箱，常闭门关不上")
    person.page.get_by_label("地址").fill("幸福里 12 号")
    person.page.locator("input[type=file]").set_input_files(str(photo))
    person.button("上报").click()
    expect(person.page.get_by_role("heading", name="已收到，等待受理")).to_be_visible()
    expect(person.page.locator("main")).to_contain_text("1 张照片")
    return urlsplit(person.page.url).path


def take_up(person: Person) -> str:
    """Triage finds the report in the queue and opens a case; its number."""
    person.go("/triage/")
    person.page.locator("a.lead", has_text="幸福里 12 号").click()
    form = person.page.locator("[data-key=a] form")
    expect(person.page.locator(".case-told")).to_contain_text("二楼疏散通道堆满纸箱")
    assert form.locator("[name=topic]").evaluate("each => each.selectedOptions[0].text").strip() == "消防通道与疏散"
    form.get_by_role("button", name="受理立案").click()
    note = person.page.locator(".note.good")
    expect(note).to_contain_text("已受理：SJ-")
    found = re.search(r"SJ-\d{8}-\d{4}", note.inner_text())
    assert found
    return found[0]


@pytest.fixture
def before(site: Site) -> dict[str, int]:
    """The counts before anything was reported."""
    audit(site.installation)
    return counts(site)


@pytest.fixture
def course(before: dict[str, int], visit: Visit, pictures: Pictures) -> Course:
    """A case reported and taken up."""
    course = Course(visit("grid_worker"), visit("triage"))
    course.report = report(course.reporter, pictures("grey"))
    course.number = take_up(course.triage)
    course.expected.append(("白洁", "收到并登记（采集）"))
    course.listen()
    return course


def test_a_report_becomes_a_case_that_somebody_else_has_proven_closed(
    site: Site, before: dict[str, int], course: Course, visit: Visit, pictures: Pictures
) -> None:
    dispatcher, handler, wrong = visit("dispatcher"), visit("handler"), visit("other_handler")
    course.act(course.triage, "立案")
    course.act(dispatcher, "派遣", write(department="市场局"))
    course.act(wrong, "退回", write(reason="疏散通道不归市场局管，应由住建局负责"))
    course.act(dispatcher, "派遣", write(department="住建局", officer="住建局 · 丁办"))
    course.act(handler, "签收")
    course.act(handler, "申请延期", write(length="2", reason="闭门器要订货"))
    course.act(dispatcher, "同意延期", write(note="同意延长两个工作日"))
    assert "申请延期" not in offered(handler, course.address)
    course.act(handler, "整改完成", fixed("纸箱已清走", pictures("green"), pictures("lime")))
    the_fixer_cannot_verify(handler, course)
    course.act(course.reporter, "核查不符（返工）", write(reason="闭门器仍然关不上"))
    course.act(handler, "整改完成", fixed("闭门器已更换", pictures("teal")))
    course.act(course.reporter, "核查属实", write(note="现场看过，门能关上"))
    course.act(dispatcher, "结案")
    assert course.told == [PUBLIC[step] for step in STEPS]
    everything_is_on_the_page_in_order(dispatcher, course)
    the_outsider_finds_nothing(visit("outsider"), [course.triage, dispatcher, handler, wrong, course.reporter])
    the_counters_equal_the_history(site, before)


def the_fixer_cannot_verify(handler: Person, course: Course) -> None:
    assert not {"核查属实", "核查不符（返工）", "结案"} & set(offered(handler, course.address))
    handler.expected.add(403)
    for act in ("verify", "rework"):
        handler.go(f"{course.address}acts/{act}/")
        expect(handler.page.locator("main")).to_contain_text("不能办理这一步")
        assert handler.page.locator("form.form-a").count() == 0
    handler.expected.clear()


def everything_is_on_the_page_in_order(person: Person, course: Course) -> None:
    person.go(course.address)
    lines = list(reversed(person.reads(".timeline > li > p:first-child")))
    assert len(lines) == len(course.expected)
    for line, (name, title) in zip(lines, course.expected, strict=True):
        assert line.startswith(name), line
        assert line.endswith(title), line
    said = " ".join(person.reads(".timeline blockquote"))
    for words in ("应由住建局负责", "闭门器要订货", "同意延长两个工作日", "闭门器仍然关不上", "现场看过，门能关上"):
        assert words in said
    expect(person.page.locator("#case-line")).to_contain_text("结案")
    photos = person.page.locator(".case-photos img")
    assert photos.count() == 1 + 3
    for place in range(photos.count()):
        photos.nth(place).scroll_into_view_if_needed()
        # A photo that is shown has its own pixels.
        expect(photos.nth(place)).to_have_js_property("complete", value=True)
        assert photos.nth(place).evaluate("each => each.naturalWidth") > 0


def the_outsider_finds_nothing(outsider: Person, others: list[Person]) -> None:
    """Every address anybody has visited, asked for by somebody who holds every role, but in another county."""
    asked = {urlsplit(address).path for person in others for address in person.asked}
    theirs = re.compile(r"^/(cases/SJ-|photos/|report/.|triage/.)")
    visited = sorted(path for path in asked if theirs.match(path))
    assert {path.split("/")[1] for path in visited} == {"cases", "photos", "report", "triage"}
    assert any("/acts/" in path for path in visited)
    for path in visited:
        answer = outsider.context.request.get(path)
        assert answer.status == 404, f"{path}: {answer.status}"
        assert "没有" in answer.text() or "找不到" in answer.text()
        assert "纸箱" not in answer.text()


def counts(site: Site) -> dict[str, int]:
    """What the desk says of the county, all topics and departments together."""
    asked = {"day_from": "2026-01-01", "day_to": "2030-01-01"}
    answer = httpx.get(f"{site.url}/api/v1/statistics", params=asked, headers=site.town.bearer("analyst"), timeout=30)
    return dict(answer.json()["rows"][0]["counts"])


def the_counters_equal_the_history(site: Site, before: dict[str, int]) -> None:
    found = audit(site.installation)
    assert (found.caches, found.tallies, found.twice) == ([], [], [])
    after = counts(site)
    added = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert added == COUNTED
