"""The data dictionary: made from the declarations, open to those who may see figures, and its lines of code work."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from anlan.facts.table import PRIVACY, TABLES
from anlan.kernel import catalogue
from anlan.places.models import Officer
from chance import lived
from exported import Facts
from world import World, world


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def facts(tmp_path: Path, settings: LazySettings) -> Facts:
    settings.FACTS = str(tmp_path / "facts")
    return Facts(tmp_path / "facts", tmp_path / "aside")


def page(officer: Officer, name: str, *given: str, language: str = "zh") -> tuple[int, str]:
    client = Client()
    client.force_login(officer)
    client.cookies["language"] = language
    answer = client.get(reverse(name, args=given))
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return answer.status_code, " ".join(html.unescape(words).split())


def test_the_list_names_every_table_and_how_much_of_it_there_is(town: World, facts: Facts) -> None:
    status, before = page(town.analyst, "facts")
    assert status == 200
    assert "还没有导出" in before
    lived(town, 31, count=7)
    facts.export(town.at)
    _, after = page(town.analyst, "facts")
    for table in catalogue.current().all(TABLES).values():
        assert f"{table.title.zh} {table.key}" in after
    assert "还没有导出" not in after
    assert re.search(r"事项 cases 一个事项 \d+ 7 2026-03 至", after)


def test_a_page_tells_every_column_with_its_meaning_type_privacy_and_events(town: World, facts: Facts) -> None:
    lived(town, 32, count=3)
    facts.export(town.at)
    for table in catalogue.current().all(TABLES).values():
        status, said = page(town.analyst, "fact_table", table.key)
        assert status == 200
        for column in table.columns:
            assert f"{column.title.zh} {column.key}" in said
            assert PRIVACY[column.privacy].zh in said
        assert table.summary.zh in said
        assert str(facts.folder / table.key) in said


def test_what_nobody_declared_and_nobody_may_see_is_refused(town: World, facts: Facts) -> None:
    assert page(town.analyst, "fact_table", "people")[0] == 404
    assert page(town.volunteer, "facts")[0] == 403
    assert page(town.volunteer, "fact_table", "cases")[0] == 403


def test_a_list_that_is_damaged_is_told_on_the_page(town: World, facts: Facts) -> None:
    facts.export(town.at)
    (facts.folder / "manifest.json").write_text("{")
    status, said = page(town.analyst, "facts")
    assert status == 200
    assert "manifest.json 看不懂" in said


@pytest.mark.parametrize("tool", ["DuckDB", "pandas"])
def test_the_lines_that_a_page_gives_open_the_table(town: World, facts: Facts, tool: str, tmp_path: Path) -> None:
    lived(town, 33, count=4)
    facts.export(town.at)
    for key in ("cases", "sites"):
        client = Client()
        client.force_login(town.analyst)
        content: Any = client.get(reverse("fact_table", args=[key])).content.decode()
        [lines] = re.findall(rf'aria-label="{tool}">(.*?)</pre>', content, re.DOTALL)
        script = tmp_path / "read.py"
        script.write_text(html.unescape(lines) + "\nassert len(rows) > 0\n")
        subprocess.run([sys.executable, "-I", str(script)], check=True, capture_output=True)
