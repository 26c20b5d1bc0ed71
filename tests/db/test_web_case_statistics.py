"""Statistics at the desk: the declared rates, the finding as a title, and the cases behind every figure."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from anlan.casework import counters
from anlan.casework.models import Case
from desk import at_desk, dispatched, done, fed_back, file_of, opened, text
from world import World, world

DAYS = "?from=2026-03-01&to=2026-03-31"


@pytest.fixture
def town() -> World:
    """A town with two cases closed in time in the east, and one that is late in the west."""
    made = world()
    for count in range(2):
        case = fed_back(made, at=made.at + timedelta(minutes=count))
        done(made, case, made.triage, "verify", after=timedelta(minutes=70))
        done(made, case, made.dispatcher, "close", after=timedelta(minutes=80))
    late = dispatched(made, area=made.west_grid)
    done(made, late, made.handler, "accept", after=timedelta(days=40))
    counters.count_cases(Case.objects.values_list("pk", flat=True))
    return made


def test_the_rates_are_those_of_the_cases(town: World) -> None:
    shown = at_desk(town.analyst).get(reverse("statistics") + DAYS).context["sheet"]
    rates = {row.name: row.rates["inTimeDisposeRate"] for row in shown.rows}
    assert (rates["东镇"].numerator, rates["东镇"].denominator) == (2, 2)
    assert (rates["西镇"].numerator, rates["西镇"].denominator) == (0, 1)
    assert shown.whole.rates["inTimeDisposeRate"].denominator == 3
    assert shown.whole.took.percentile(0.5) == 0


def test_the_title_of_the_chart_is_the_finding(town: World) -> None:
    chart = at_desk(town.analyst).get(reverse("statistics") + DAYS).context["chart"]
    assert chart.title.zh == "按期处置率整体 66.7%：东镇最好（100.0%），西镇垫底（0.0%）"
    assert chart.said["labels"] == ["东镇", "西镇"]
    assert chart.said["series"][0]["values"] == [100.0, 0.0]


def test_a_figure_leads_to_the_cases_behind_it(town: World) -> None:
    client = at_desk(town.analyst)
    row = next(r for r in client.get(reverse("statistics") + DAYS).context["sheet"].rows if r.name == "东镇")
    assert len(client.get(row.url).context["table"].rows) == row.sums["opened"] == 2


def links(page: str) -> list[tuple[str, str]]:
    """Every link to a counted list on the page, with the number that stands in it."""
    found = re.findall(r'<a href="([^"]*counted=[^"]*)">([^<]*)</a>', page)
    return [(html.unescape(address), words) for address, words in found]


@pytest.mark.parametrize("by", ["area", "department"])
def test_every_number_leads_to_exactly_the_cases_that_were_counted_in_it(town: World, by: str) -> None:
    returned = dispatched(town)
    done(town, returned, town.handler, "return", after=timedelta(minutes=30), reason="不归住建局管")
    done(town, returned, town.dispatcher, "dispatch", after=timedelta(minutes=40), department=town.market.pk)
    reworked = fed_back(town)
    done(town, reworked, town.triage, "rework", after=timedelta(minutes=70), reason="还有杂物")
    gone = opened(town)
    done(town, gone, town.supervisor, "void", after=timedelta(minutes=5), reason="重复登记")
    before = opened(town, at=town.at - timedelta(days=30))
    done(town, before, town.triage, "refuse", after=timedelta(days=30), reason="不属受理范围")
    counters.count_cases(Case.objects.values_list("pk", flat=True))
    client = at_desk(town.analyst)
    page = text(client.get(f"{reverse('statistics')}{DAYS}&by={by}"))
    shown = client.get(f"{reverse('statistics')}{DAYS}&by={by}").context["sheet"]
    numbers = {
        (row.url, key): number
        for row in [*shown.rows, shown.whole]
        for rate in shown.shares
        for key, number in (
            (rate.key, row.rates[rate.key].numerator),
            (f"{rate.key}.of", row.rates[rate.key].denominator),
        )
    } | {(row.url, key): row.sums[key] for row in [*shown.rows, shown.whole] for key in ("opened", "finished")}
    asked = dict(links(page))
    assert {key for (url, key), number in numbers.items() if number} == {a.split("counted=")[1] for a in asked}
    for address, words in asked.items():
        url, _, key = address.partition("&counted=")
        rows = client.get(address).context["table"].rows
        assert len(rows) == numbers[url, key] > 0, (address, words)
    assert any(key == "finished" and number for (_, key), number in numbers.items())


def test_what_is_counted_in_something_unknown_is_the_whole_period(town: World) -> None:
    client = at_desk(town.analyst)
    for query in ("&counted=nonsense", "&counted=", "&counted=finished&since=x"):
        assert client.get(f"{reverse('cases')}?state=all&since=2026-03-01&until=2026-03-31{query}").status_code == 200


def test_by_department_and_as_a_file(town: World) -> None:
    client = at_desk(town.analyst)
    shown = client.get(f"{reverse('statistics')}{DAYS}&by=department").context["sheet"]
    assert [row.name for row in shown.rows] == ["住建局"]
    book = load_workbook(io.BytesIO(file_of(client.get(reverse("statistics_export") + DAYS))))
    assert [line[0].value for line in book.active.iter_rows(min_row=2)] == ["东镇", "西镇", "甲县"]


def test_pages_of_counts_ask_little(town: World) -> None:
    client = at_desk(town.analyst)
    for name in ("statistics", "board"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"{reverse(name)}{DAYS}&area={town.county.code}").status_code == 200
        assert len(queries) <= 12, name


def test_a_period_that_makes_no_sense_is_thirty_days(town: World) -> None:
    client = at_desk(town.analyst)
    for query in ("?from=x", "?from=2026-02-30&to=2026-01-01", "?period=never"):
        assert client.get(reverse("statistics") + query).context["sheet"].days.key == "month"


@pytest.mark.parametrize("address", ["/figures/", "/figures/calls/"])
def test_two_dates_the_wrong_way_round_are_the_days_between_them(town: World, address: str) -> None:
    shown = text(at_desk(town.analyst).get(f"{address}?from=2026-03-31&to=2026-03-01"))
    assert "2026-03-01 至 2026-03-31" in shown


def test_who_may_not_see_statistics_does_not(town: World) -> None:
    assert at_desk(town.grid_worker).get(reverse("board")).status_code == 403
    assert "没有权限" in text(at_desk(town.grid_worker).get(reverse("statistics")))
