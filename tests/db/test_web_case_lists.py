"""Lists of cases: filters as addresses, pages by key, few questions to the database, files without surprises."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from anlan.casework.models import Case
from anlan.kernel.ids import new_id
from anlan.kernel.text import Text
from anlan.presentation import followers
from anlan.presentation.web.case_export import MOST, Out, cell, lines
from anlan.presentation.web.lists import PAGE_SIZE
from desk import at_desk, dispatched, done, file_of, opened, text
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


def listed(client: Client, query: str = "") -> list[str]:
    """The numbers of the cases on a page, in order."""
    shown = text(client.get(reverse("cases") + query))
    return [part.split("<")[0] for part in shown.split('<span class="sub">')[1:] if part.startswith(("SJ-", "YH-"))]


def asked(client: Client, address: str) -> int:
    """How many queries the page asks once the register has been read."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_most_pressing_case_stands_first_and_those_that_stand_still_last(town: World) -> None:
    late = opened(town)
    hung = dispatched(town)
    done(town, hung, town.department_lead, "hang", reason="产权不清", review_on="2026-12-30")
    later = opened(town, at=town.at + timedelta(days=3))
    assert listed(at_desk(town.triage)) == [late.number, later.number, hung.number]


def test_each_filter_narrows_and_its_state_is_an_address(town: World) -> None:
    here = opened(town)
    there = opened(town, area=town.west_grid, topic="parking", title="西一村 · 违法停车", address="西一村")
    led = dispatched(town)
    client = at_desk(town.triage)
    assert listed(client, f"?area={town.west.code}") == [there.number]
    assert listed(client, "?topic=parking") == [there.number]
    assert set(listed(client, "?topic=fire")) == {here.number, led.number}
    assert listed(client, "?department=housing") == [led.number]
    assert set(listed(client, "?department=-")) == {here.number, there.number}
    assert listed(client, "?step=dispatched") == [led.number]
    assert listed(client, f"?q={led.number}") == [led.number]
    assert listed(client, "?q=西一村") == [there.number]
    assert len(listed(client, "?light=late")) == 3
    assert listed(client, "?light=hung") == []
    assert listed(client, "?since=2026-03-07") == []
    assert len(listed(client, "?since=2026-03-06&until=2026-03-06")) == 3
    assert listed(client, "?state=closed") == []


def test_my_turn_is_what_my_post_owns(town: World) -> None:
    waiting, led = opened(town), dispatched(town)
    assert listed(at_desk(town.triage), "?mine=act") == [waiting.number]
    assert listed(at_desk(town.handler), "?mine=act") == [led.number]
    assert listed(at_desk(town.other_handler), "?mine=act") == []
    assert len(listed(at_desk(town.grid_worker), "?mine=opened")) == 2


def test_the_handler_of_another_department_sees_nothing_of_it(town: World) -> None:
    dispatched(town)
    assert listed(at_desk(town.other_handler)) == []
    assert listed(at_desk(town.outsider), "?state=all") == []


def test_pages_go_forward_and_back_by_key_and_lose_nothing(town: World) -> None:
    every = _many(town, due=PAGE_SIZE + 3, still=PAGE_SIZE + 2)
    client = at_desk(town.triage)
    seen, query, pages = [], "", 0
    while pages < 9:
        answer = client.get(reverse("cases") + query)
        page = answer.context["table"].page
        seen += [case.number for case in page.items]
        pages += 1
        if not page.after:
            break
        query = f"?after={page.after}"
    assert sorted(seen) == sorted(every)
    assert len(seen) == len(set(seen))
    back = client.get(f"{reverse('cases')}?before={page.before}").context["table"].page
    assert back.items


def _many(town: World, *, due: int, still: int) -> list[str]:
    made = [opened(town, at=town.at + timedelta(minutes=count)).number for count in range(due + still)]
    Case.objects.filter(number__in=made[due:]).update(due_at=None, warn_at=None, paused=True, hung=True)
    return made


def test_a_list_asks_as_much_for_eleven_cases_as_for_one(town: World) -> None:
    client = at_desk(town.triage)
    dispatched(town)
    one = asked(client, reverse("cases"))
    for count in range(10):
        dispatched(town, at=town.at + timedelta(minutes=count))
    assert asked(client, reverse("cases")) == one
    assert one <= 12


def test_a_later_page_asks_no_more_than_the_first(town: World) -> None:
    client = at_desk(town.triage)
    for count in range(120):
        opened(town, at=town.at + timedelta(minutes=count))
    address = f"{reverse('cases')}?light=late&area={town.county.code}"
    first = asked(client, address)
    after = client.get(address).context["table"].page.after
    assert asked(client, f"{address}&after={after}") <= first <= 12


def test_an_inbox_asks_as_much_for_eleven_cases_as_for_one(town: World) -> None:
    client = at_desk(town.triage)
    opened(town)
    one = asked(client, reverse("inbox"))
    for count in range(10):
        opened(town, at=town.at + timedelta(minutes=count))
    assert asked(client, reverse("inbox")) == one
    assert one <= 14


def test_the_inbox_says_what_is_late_and_what_waits_on_others(town: World) -> None:
    mine = opened(town)
    shown = text(at_desk(town.triage).get(reverse("inbox")))
    assert 'id="g-late"' in shown
    assert mine.number in shown.split('id="g-late"')[1]
    theirs = text(at_desk(town.grid_worker).get(reverse("inbox")))
    assert mine.number in theirs.split('id="g-others"')[1]
    assert 'id="g-late"' not in theirs


def test_an_assisting_department_has_its_part_in_the_inbox_until_it_is_done(town: World) -> None:
    case = dispatched(town)
    done(town, case, town.dispatcher, "assist", assisting=[town.market.pk], task="核对证照", after=timedelta(hours=2))
    assert case.number in text(at_desk(town.other_handler).get(reverse("inbox")))
    done(town, case, town.other_handler, "assisted", result="已核对", after=timedelta(hours=3))
    assert 'id="g-late"' not in text(at_desk(town.other_handler).get(reverse("inbox")))


def test_nothing_in_a_file_begins_a_formula(town: World) -> None:
    opened(town, title="=1+2 · 消防通道与疏散", address="+86 号")
    client = at_desk(town.triage)
    book = load_workbook(io.BytesIO(file_of(client.get(reverse("case_export", args=["xlsx"])))))
    values = [each.value for each in next(book.active.iter_rows(min_row=2))]
    assert "'=1+2 · 消防通道与疏散" in values
    assert "'+86 号" in values
    lines = list(csv.reader(io.StringIO(file_of(client.get(reverse("case_export", args=["csv"]))).decode("utf-8-sig"))))
    assert lines[0][:2] == ["编号", "事项"]
    assert "'=1+2 · 消防通道与疏散" in lines[1]
    assert cell(-3) == -3


def test_a_file_in_english_says_so_to_its_last_row(town: World) -> None:
    dispatched(town)
    sent = file_of(at_desk(town.triage, "en").get(reverse("case_export", args=["csv"]))).decode("utf-8-sig")
    assert "Number" in sent
    assert "Housing" in sent


def test_a_list_that_is_too_long_for_a_file_is_cut_with_a_sentence() -> None:
    sent = list(lines([Out(Text(zh="数", en="Number"), lambda row: row)], range(MOST + 5)))
    assert sent[-2] == [MOST - 1]
    assert sent[-1] == ["只导出了前 50000 行；请用筛选缩小范围后分次导出。"]


def test_many_cases_are_acted_on_at_once_each_for_itself(town: World) -> None:
    chosen = [opened(town, at=town.at + timedelta(minutes=count)) for count in range(3)]
    picks = [str(case.pk) for case in chosen]
    client = at_desk(town.triage)
    asked_first = text(client.post(reverse("case_bulk"), {"pick": picks}))
    assert 'value="register"' in asked_first
    assert 'value="dispatch"' not in asked_first
    done_by_another = done(town, chosen[0], town.dispatcher, "decline", reason="重复")
    answer = text(client.post(reverse("case_bulk"), {"pick": picks[1:], "act": "register", "key": str(new_id())}))
    assert "已办理 2 件" in answer
    assert set(Case.objects.values_list("step", flat=True)) == {"registered", done_by_another.step}


def test_search_by_number_opens_the_case_and_by_words_lists_it(town: World) -> None:
    case = opened(town)
    client = at_desk(town.triage)
    whole = client.get(reverse("search"), {"q": case.number.lower()})
    assert whole.headers["Location"] == reverse("case", args=[case.number])
    assert case.number in text(client.get(reverse("search"), {"q": case.number[:11]}))
    assert case.number in text(client.get(reverse("search"), {"q": "东一村 12"}))
    assert "没有找到" in text(at_desk(town.outsider).get(reverse("search"), {"q": case.number}))


def test_who_is_asked_for_more_time_has_it_in_the_inbox_until_it_is_decided(town: World) -> None:
    case = dispatched(town)
    done(town, case, town.handler, "ask_extension", length=2.0, reason="订购闭门器", after=timedelta(hours=2))
    followers.drain(at=town.at + timedelta(hours=3))
    client = at_desk(town.dispatcher)
    assert case.number in listed(client, "?mine=act")
    done(town, case, town.dispatcher, "grant_extension", after=timedelta(hours=4))
    followers.drain(at=town.at + timedelta(hours=5))
    assert case.number not in listed(client, "?mine=act")
