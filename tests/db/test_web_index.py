"""The pages of an index: places no surer than they are, every figure leading on, and nothing for those it is not for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from anlan.places.models import Area
from desk import at_desk, text
from index_town import INDEX, months
from world import World, world

MONTH = "2026-02"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[World]:
    """The small town with two published months."""
    made, before = world(), settings.DATA
    settings.DATA = tmp_path
    paths = sorted(Area.objects.filter(path__startswith="330101/").values_list("path", flat=True))
    months(tmp_path / "index", paths, "2026-01", MONTH)
    yield made
    settings.DATA = before


def test_the_index_opens_on_the_last_month(town: World) -> None:
    page = at_desk(town.analyst).get(reverse("index"))
    assert page.status_code == 200
    assert "2026 年 2 月" in text(page)
    assert page.context["group"].key == "towns"
    assert [row.label for row in page.context["table"].rows]
    assert reverse("index_edition", args=[INDEX, MONTH])
