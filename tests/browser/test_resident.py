"""A resident with a cheap phone and a bad network: what they send arrives once, and their page shows its end."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect

from person import Person
from site_served import Pictures, Site, Visit

PHONE = {"width": 390, "height": 844}
HERE = {"longitude": 122.0612, "latitude": 27.0133, "accuracy": 12}
SECRET = "13900008888"
SMALL = 60_000
"""Bytes for the form with everything it needs, before anything is compressed."""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A photo as telephones take them: much larger than it need be, and lying on its side."""
    file = tmp_path / "large.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.effect_noise((3000, 2000), 60).convert("RGB").save(file, "JPEG", exif=exif)
    return file


def resident(visit: Visit, **how: Any) -> Person:
    """Somebody without an account, standing at a place."""
    person = visit("", **{**PHONE, **how})
    person.context.grant_permissions(["geolocation"])
    person.context.set_geolocation(HERE)  # type: ignore[arg-type]
    return person


def api(site: Site, who: str, path: str, **body: Any) -> Any:
    """What the API answers to an officer."""
    with httpx.Client(base_url=f"{site.url}/api/v1", headers=site.town.bearer(who), timeout=30) as http:
        answer = http.post(path, json=body) if body else http.get(path)
        assert answer.is_success, answer.text
        return answer.json()


def arrived(site: Site, words: str) -> list[Any]:
    """The reports that tell this."""
    return list(api(site, "triage", f"/reports?limit=200&q={words}")["items"])


def written(person: Person, words: str, photo: Path) -> None:
    """The form filled in: a photo, the position, the topic, some words, a number."""
    page = person.page
    person.go("/r/")
    page.locator("#photos").set_input_files(str(photo))
    expect(page.locator(".shot img")).to_have_count(1)
    person.button("用我的位置").click()
    expect(page.locator("#spot")).to_contain_text("已记下您的位置")
    page.locator(".kinds").get_by_text("消防通道与疏散", exact=True).click()
    page.get_by_label("说几句").fill(words)
    page.get_by_text("留个联系方式").click()
    page.get_by_label("电话").fill(SECRET)


def sent(person: Person) -> None:
    """Press send; once more where somebody has reported something close by and it is none of theirs."""
    person.page.wait_for_load_state("networkidle")
    close = person.page.locator("#near fieldset").count()
    person.button("发送").click()
    if close:
        expect(person.page.locator("#state")).to_contain_text("附近已有人报过")
        person.button("发送").click()


def test_what_is_sent_without_a_network_arrives_once_and_is_followed_to_its_end(
    site: Site, visit: Visit, pictures: Pictures, large: Path
) -> None:
    person, words = resident(visit), "三楼通道堆满旧家具"
    written(person, words, large)
    person.page.wait_for_load_state("networkidle")
    person.context.set_offline(True)
    sent(person)
    expect(person.page.locator("#state")).to_contain_text("现在没有网络")
    assert arrived(site, words) == []
    person.context.set_offline(False)
    person.page.wait_for_url("**/r/sent/")
    code = person.page.locator("#code").inner_text()
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){2}", code)
    person.go("/r/")
    person.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    person.page.wait_for_timeout(500)
    [report] = arrived(site, words)
    the_photo_came_small_and_upright(site, report)
    follow(site, person, code, report, pictures)


def the_photo_came_small_and_upright(site: Site, report: Any) -> None:
    [photo] = api(site, "triage", f"/reports/{report['id']}")["photos"]
    with httpx.Client(headers=site.town.bearer("triage")) as http:
        picture = Image.open(io.BytesIO(http.get(f"{site.url}/api/v1/photos/{photo}").content))
    assert max(picture.size) == 1600
    assert picture.height > picture.width, "the photo lies on its side"


def follow(site: Site, person: Person, code: str, report: Any, pictures: Pictures) -> None:
    """The officers do their work; after each step the resident looks."""
    [case] = api(site, "triage", f"/reports/{report['id']}")["cases"]
    shown = pictures("green").read_bytes()
    with httpx.Client(headers=site.town.bearer("handler"), timeout=30) as http:
        kept = http.post(f"{site.url}/api/v1/photos", files={"file": ("a.jpg", shown)}, data={"stage": "after"}).json()
    housing = {"department": site.town.departments["housing"]}
    page, told = f"/r/{code}/", []
    for who, act, data, photos in (
        ("triage", "register", {}, []),
        ("dispatcher", "dispatch", housing, []),
        ("handler", "fix", {"result": "家具已清走"}, [kept["id"]]),
        ("triage", "verify", {}, []),
        ("dispatcher", "close", {}, []),
    ):
        person.go(page)
        told.append(person.page.locator("#progress").inner_text())
        expect(person.page.locator("main")).to_contain_text("承诺期限")
        api(site, who, f"/cases/{case}/acts", act=act, data=data, photos=photos)
    person.go(page)
    assert told[0] == "已收到，正在核对是否属实、该谁管。"
    assert len(set(told)) == len(told)
    expect(person.page.locator("#progress")).to_have_text("已整改并经他人核查属实，事项办结。谢谢您。")
    fix = person.page.locator(".fix img")
    expect(fix).to_have_count(1)
    assert fix.evaluate("each => each.decode().then(() => each.naturalWidth)") > 0
    person.page.get_by_text("基本满意", exact=True).click()
    person.button("提交评价").click()
    expect(person.page.locator("#answered")).to_contain_text("基本满意")
    assert SECRET not in person.page.content()


def test_one_who_closes_the_page_finds_it_sent_when_they_come_back(site: Site, visit: Visit, large: Path) -> None:
    person, words = resident(visit), "楼梯间停满电动车"
    written(person, words, large)
    person.page.wait_for_load_state("networkidle")
    person.context.set_offline(True)
    sent(person)
    expect(person.page.locator("#state")).to_contain_text("现在没有网络")
    person.page.goto("about:blank")
    person.context.set_offline(False)
    person.go("/r/")
    person.page.wait_for_url("**/r/sent/")
    assert len(arrived(site, words)) == 1


def test_three_taps_are_enough(site: Site, visit: Visit, pictures: Pictures) -> None:
    person, before = resident(visit), len(arrived(site, ""))
    person.go("/r/")
    person.page.locator("#photos").set_input_files(str(pictures("purple")))
    person.button("用我的位置").click()
    expect(person.page.locator("#spot")).to_contain_text("已记下您的位置")
    sent(person)
    person.page.wait_for_url("**/r/sent/")
    assert len(arrived(site, "")) == before + 1


def test_a_draft_is_there_again_and_the_words_choose_the_topic(visit: Visit) -> None:
    person = resident(visit)
    person.go("/r/")
    person.page.get_by_label("说几句").fill("路灯不亮，晚上看不见")
    person.page.get_by_label("说几句").blur()
    assert person.page.locator("input[name=topic]:checked").get_attribute("value") == "streetlight"
    person.page.wait_for_timeout(600)
    person.go("/r/find/")
    person.go("/r/")
    expect(person.page.get_by_label("说几句")).to_have_value("路灯不亮，晚上看不见")
    expect(person.page.locator("#state")).to_contain_text("找回")


def test_who_stands_beside_an_open_case_is_asked_and_may_join_it(site: Site, visit: Visit, pictures: Pictures) -> None:
    first = resident(visit)
    written(first, "单元门口被占", pictures("navy"))
    sent(first)
    first.page.wait_for_url("**/r/sent/")
    second = resident(visit)
    written(second, "门口又堵上了", pictures("teal"))
    near = second.page.locator("#near fieldset")
    expect(near).to_contain_text("附近已有人报过")
    near.locator("label", has_text="消防通道").first.click()
    second.button("发送").click()
    second.page.wait_for_url("**/r/sent/")
    [report] = arrived(site, "门口又堵上了")
    [case] = api(site, "triage", f"/reports/{report['id']}")["cases"]
    assert len(api(site, "triage", f"/cases/{case}")["reports"]) >= 2


def test_a_pin_on_the_map_is_a_place(visit: Visit) -> None:
    person = resident(visit)
    person.go("/r/")
    person.button("在地图上点").click()
    chart = person.page.locator("#map-svg")
    expect(chart).to_be_visible()
    chart.locator("path").first.click()
    expect(person.page.locator("#spot")).to_contain_text("已在地图上标出")
    lon = float(person.page.locator("input[name=lon]").input_value())
    lat = float(person.page.locator("input[name=lat]").input_value())
    assert 122.0 < lon < 123.1
    assert 27.0 < lat < 27.1


def test_without_a_script_it_is_a_plain_form(site: Site, visit: Visit, pictures: Pictures) -> None:
    # Like nothing that other tests tell of in the same town: it would be asked whether it is that.
    person, words = resident(visit, scripts=False), "河边护栏少了一截"
    person.go("/r/")
    person.page.locator("#photos").set_input_files(str(pictures("olive")))
    person.page.locator("#description").fill(words)
    person.page.locator("#address").fill("南河沿 77 号")
    person.page.locator("summary", has_text="选村").click()
    person.page.locator("#area").select_option(site.town.areas["东一村"])
    person.page.locator("button[type=submit].main").click()
    assert urlsplit(person.page.url).path == "/r/sent/"
    [report] = arrived(site, words)
    assert len(api(site, "triage", f"/reports/{report['id']}")["photos"]) == 1


def test_the_form_is_light_enough_for_a_bad_network(visit: Visit) -> None:
    person, sizes = resident(visit), {}
    person.page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    person.go("/r/")
    person.page.wait_for_load_state("networkidle")
    assert any("public.js" in url for url in sizes)
    assert not any("vendor" in url for url in sizes)
    assert sum(sizes.values()) < SMALL, sizes
