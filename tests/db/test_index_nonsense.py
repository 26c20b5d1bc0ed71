"""Nonsense in every address and parameter of an index's pages and of its API: an answer in words, never a failure.

`test_never_500` does this for every page of an empty desk; here there is a published index that the values could reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from calling import ROOT
from desk import at_desk
from index_town import EDITION, INDEX, PERIOD
from world import World, world

CODE, KEY = "330101001", "D1-01"
TEXTS = (
    "a\x00b", "9" * 40, "9" * 5000, "-1", "1e400", "nan", "²", "٣", "2026-02-30", "a" * 3000, "../../manifest.json",
    "..", "%2e%2e%2f", "<script>alert(1)</script>", "'; drop table x --", "*", "[", "\ud7ff\uffff", "330199001", "\\",
)  # fmt: skip
FIRST = ("area", "edition", "file", "signal", "a", "b")
"""What a page asks before all else: where it is not found nothing more is looked at."""
ASKED = (
    "after", "before", "figure", "fixed", "index", "looked", "node", "of", "only", "part", "peer", "period", "when",
    "weight", "size",
)  # fmt: skip
NAMES = (
    "..", "%2e%2e", "..%2f..", "%00", "x%00y", "%ff", "%0a", "*", "**", "[", "%3F", "a" * 300, "9" * 5000, "-",
    "2026-13", "9999-12", "0000-01", "0001", "99999-01", "2026-Q5", "%5c", ".aside-x", "2026-02%20", "%C2%B2",
)  # fmt: skip


@pytest.fixture
def town(editions: Path, settings: Any) -> World:
    """The small town with two published months."""
    settings.DATA = editions
    return world()


def pages() -> list[str]:
    """Every page that tells of an index, of facts, or of figures from outside."""
    area, indicator = EDITION | {"code": CODE}, EDITION | {"key": KEY}
    whole = ("index_edition", "index_scenario", "index_audit", "index_sure", "index_integrity")
    return [
        *(reverse(each) for each in ("index", "facts", "given")), reverse("fact_table", args=["cases"]),
        *(reverse(each, kwargs=EDITION) for each in whole),
        *(reverse(each, kwargs=area) for each in ("index_area", "index_card")),
        *(reverse(each, kwargs=indicator) for each in ("index_indicator", "index_cases")),
        *(reverse(each, args=[INDEX]) for each in ("index_compare", "index_editions")),
        reverse("index_card", kwargs=EDITION | {"code": "department-fire"}),
        reverse("index_recheck_list", kwargs=EDITION | {"kind": "csv"}),
    ]  # fmt: skip


def asked(client: Client, address: str, query: dict[str, Any] | None = None) -> int:
    response: Any = client.get(address, query or {})
    if response.streaming:
        b"".join(response.streaming_content)
    return int(response.status_code)


def named() -> Iterator[str]:
    """Addresses of an index with one name in them that is none."""
    for bad in NAMES:
        yield from (
            f"/index/{bad}/", f"/index/{bad}/{PERIOD}/", f"/index/{INDEX}/{bad}/", f"/index/{bad}/editions/",
            f"/index/{bad}/compare/", f"/index/{INDEX}/{PERIOD}/areas/{bad}/", f"/index/{INDEX}/{bad}/areas/{CODE}/",
            f"/index/{INDEX}/{PERIOD}/cards/{bad}/", f"/index/{INDEX}/{PERIOD}/cards/department-{bad}/",
            f"/index/{INDEX}/{PERIOD}/indicators/{bad}/", f"/index/{INDEX}/{PERIOD}/indicators/{bad}/cases/",
            f"/index/{INDEX}/{bad}/indicators/{KEY}/cases/", f"/index/{INDEX}/{bad}/audit/",
            f"/index/{INDEX}/compare/?a={CODE}@{bad}&b={bad}@{PERIOD}", f"/facts/{bad}/", f"/figures/given/{bad}/",
        )  # fmt: skip


def test_no_page_of_an_index_fails_on_nonsense_that_is_asked_of_it(town: World) -> None:
    client, wrong, texts = at_desk(town.analyst), [], cycle(TEXTS)
    client.raise_request_exception = False
    for address in pages():
        assert asked(client, address) == 200, address
        for query in [dict.fromkeys(ASKED, next(texts)) for _ in range(3)] + [{name: next(texts)} for name in FIRST]:
            status = asked(client, address, query)
            wrong += [(address, str(query)[:200], status)] if status >= 500 else []
    assert wrong == []


def test_no_name_in_an_address_leads_out_of_the_editions_or_into_a_failure(town: World) -> None:
    client, wrong = at_desk(town.analyst), []
    client.raise_request_exception = False
    for address in named():
        status = asked(client, address)
        if status != 404 and not (status == 200 and "compare" in address):
            wrong.append((address[:120], status))
    assert wrong == []


def test_no_name_in_the_api_of_an_index_fails_or_stands_for_others(town: World) -> None:
    client, wrong = at_desk(town.analyst), []
    client.raise_request_exception = False
    for bad in NAMES:
        for path in (
            f"{bad}/editions", f"{bad}/indicators/{KEY}", f"{INDEX}/indicators/{bad}", f"{bad}/{PERIOD}/ranks",
            f"{INDEX}/{bad}/ranks", f"{INDEX}/{PERIOD}/areas/{bad}", f"{bad}/{PERIOD}/areas/{CODE}",
        ):  # fmt: skip
            status = asked(client, f"{ROOT}/index/{path}")
            if status != 404:
                wrong.append((path[:120], status))
    assert wrong == []


def test_no_parameter_of_the_api_of_an_index_fails(town: World) -> None:
    client, wrong = at_desk(town.analyst), []
    client.raise_request_exception = False
    for path in (f"{INDEX}/{PERIOD}/ranks", f"{INDEX}/{PERIOD}/areas/{CODE}", f"{INDEX}/editions"):
        for name in ("edition", "peer", "limit", "offset"):
            for text in TEXTS:
                status = asked(client, f"{ROOT}/index/{path}", {name: text})
                wrong += [(path, name, text[:40], status)] if status >= 500 else []
    assert wrong == []
