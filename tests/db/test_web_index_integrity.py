"""Whether a score can be trusted: signals beside it, the cases they point at, and a sample drawn by lot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

import index_deep
from anlan.index import edition, integrity
from desk import at_desk, opened, text
from world import World, world


@pytest.fixture
def town(data: Path) -> World:
    """A published March of six hazards; in the east everything is fixed too fast."""
    made = world()
    march = [opened(made, at=made.at + timedelta(minutes=count)) for count in range(5)]
    march.append(opened(made, area=made.west_grid, at=made.at))
    signals = {made.county.path: ("watch", 0.6), made.east.path: ("raised", 0.9), made.west.path: ("quiet", 0.2)}
    now = index_deep.written(data, made, "2026-03", march, late=march[:2], signals=signals)
    index_deep.out(now, signed_by=made.supervisor.pk, published_by=made.area_lead.pk)
    return made


def shown(town: World, who: str = "analyst", **query: str) -> Any:
    return at_desk(getattr(town, who)).get(reverse("index_integrity", args=["peace", "2026-03"]), query)


def test_a_signal_says_how_sure_it_is_and_what_to_look_at(town: World) -> None:
    answer = shown(town, area=town.east.code)
    [read] = answer.context["reads"]
    assert (read.raised, read.share, read.interval, read.counts) == ("raised", "90.0%", "80.0%~100.0%", "9/10")
    assert answer.context["finding"].zh == "1 个信号中 1 个异常：整改过快"
    for words in ("异常，请核查", "到现场看几件。", "从不计入得分", "未核验"):
        assert words in text(answer), words


def test_the_areas_below_stand_with_what_is_unusual_first(town: World) -> None:
    answer = shown(town, area=town.county.code)
    assert answer.context["finding"].zh == "1 个信号中 1 个偏高，数量还不足以断定"
    assert [row.cells[0].value for row in answer.context["below"].rows] == ["东镇", "西镇"]
    assert "异常，请核查" in str(answer.context["below"].rows[0].cells[1].value)


def test_a_signal_opens_onto_its_cases_within_reach(town: World) -> None:
    answer = shown(town, area=town.county.code, signal="fixed_fast")
    assert len(answer.context["table"].rows) == 4
    lead = shown(town, "area_lead", area=town.county.code, signal="fixed_fast")
    assert lead.context["table"].caption.zh == "4 件事项，您能看到其中 3 件"
    assert shown(town, signal="nothing").status_code == 404


def test_the_sample_is_drawn_by_a_lot_that_anybody_draws_again(town: World, data: Path) -> None:
    answer = shown(town, area=town.county.code)
    made = edition.find(data / "index", "peace", "2026-03").manifest
    assert answer.context["seed"] == integrity.seed_of("peace", "2026-03", made.result_sha256)
    assert answer.context["of"] == answer.context["drawn"] == 6
    assert len(answer.context["sample"].rows) == 6
    assert len(shown(town, "area_lead", area=town.county.code).context["sample"].rows) == 5


def test_so_many_looks_give_the_true_rate_with_its_interval(town: World) -> None:
    answer = shown(town, area=town.county.code, looked="4", fixed="3")
    found = integrity.fixed(3, 4, 6)
    assert f"约 75.0%，九成把握在 {found.low * 100:.1f}% 到 {found.high * 100:.1f}% 之间" in text(answer)
    for looked, fixed in (("3", "4"), ("x", "1"), ("9", "1")):
        assert "核实数不能多于抽查数" in text(shown(town, area=town.county.code, looked=looked, fixed=fixed))


def test_who_may_not_see_figures_sees_none(town: World) -> None:
    assert shown(town, "grid_worker").status_code == 403
    assert shown(town, "outsider").status_code == 404
