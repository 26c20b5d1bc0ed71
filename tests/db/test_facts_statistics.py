"""Figures from outside: every version, areas that stand no longer, and a month of which half has come."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from anlan.facts.coverage import NoPeriod, coverage
from anlan.intake.models import Statistic, Upload, UploadRow
from anlan.intake.uploading import outside, uploads
from anlan.intake.uploading import work as upload_work
from anlan.kernel.periods import first_day, is_period, last_day
from anlan.kernel.text import Text
from anlan.places import areas
from exported import Facts, again, months
from world import World, world

HEAD = ["指标", "辖区", "期间", "数值", "单位", "来源"]


@pytest.fixture
def town(media: Path) -> World:
    return world()


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts(tmp_path / "facts", tmp_path / "aside")


def received(town: World, *rows: Sequence[Any], days: int = 0) -> Upload:
    """Figures through the wizard, so many days after the world began."""
    out = io.StringIO()
    csv.writer(out).writerows([HEAD, *([*row, "人", "公报"] for row in rows)])
    by, at = town.administrator, town.at + timedelta(days=days)
    upload = uploads.begin(out.getvalue().encode("gb18030"), name="统计.csv", layout="figures", by=by, at=at)
    upload = uploads.check(upload, columns=upload.columns, area=town.county, by=by, at=at)
    for _ in range(2):
        while upload_work.go_on(upload.pk, at=at):
            pass
        upload.refresh_from_db()
        if upload.state == "checked":
            upload = uploads.receive(upload, at=at)
    return upload


def reason(upload: Upload) -> dict[str, str]:
    [row] = UploadRow.objects.filter(upload=upload)
    [found] = row.reasons
    assert isinstance(found, dict)
    return found


# ---------------------------------------------------------------- versions


def test_every_version_of_a_figure_is_there_and_one_is_current(town: World, facts: Facts) -> None:
    received(town, ["常住人口", "东镇", "2025", 31000], ["常住人口", "西镇", "2025", 22000])
    facts.export(town.at)
    received(town, ["常住人口", "东镇", "2025", 32000])
    run = facts.export(town.at)
    assert months(run, "statistics") == ["2025-12"]
    asked = """SELECT figure, area_path, period, period_date, value, unit, source, version, current FROM statistics
        ORDER BY area_path, version"""
    assert facts.ask(asked) == [
        ("常住人口", town.east.path, "2025", date(2025, 12, 31), 31000.0, "人", "公报", 1, False),
        ("常住人口", town.east.path, "2025", date(2025, 12, 31), 32000.0, "人", "公报", 2, True),
        ("常住人口", town.west.path, "2025", date(2025, 12, 31), 22000.0, "人", "公报", 1, True),
    ]
    outside.withdraw(Statistic.objects.get(version=2), reason="看错了", by=town.administrator, at=town.at)
    facts.export(town.at)
    assert facts.column(f"SELECT value FROM statistics WHERE area_path = '{town.east.path}' AND current") == [31000.0]  # noqa: S608
    assert again(facts, town.at, "fresh").files() == facts.files()


def test_a_figure_of_an_area_that_was_renamed_is_corrected_and_not_doubled(town: World) -> None:
    received(town, ["常住人口", town.east.code, "2025", 31000])
    areas.rename(town.east, Text(zh="东街道", en="East Street"), day=town.at.date(), by=None, at=town.at)
    received(town, ["常住人口", town.east.code, "2025", 32000], days=1)
    versions = Statistic.objects.filter(figure="常住人口").order_by("version").values_list("version", "is_current")
    assert list(versions) == [(1, False), (2, True)]


# ---------------------------------------------------------------- areas that stand no longer


def closed(town: World, *, days: int) -> date:
    """The neighbouring village goes into the village; with it began a new one beside it."""
    at = town.at + timedelta(days=days)
    [grid] = areas.children(town.other_village, at.date())
    areas.close(grid, day=at.date(), by=None, at=at, into=town.grid)
    areas.create(
        "330101001009", level="village", name=Text(zh="东新村", en="East New"), parent=town.east,
        valid_from=at.date(), by=None, at=at,
    )  # fmt: skip
    areas.close(town.other_village, day=at.date(), by=None, at=at, into=town.village)
    return at.date()


@pytest.mark.parametrize("named", ["东二村", "330101001002"])
def test_a_figure_of_an_area_that_was_split_names_what_took_its_place_and_waits(town: World, named: str) -> None:
    day = closed(town, days=10)
    upload = received(town, ["常住人口", named, "2026", 800], ["常住人口", "西镇", "2026", 900], days=20)
    assert (upload.good, upload.bad) == (1, 1)
    said = reason(upload)
    assert f"东二村（330101001002）自 {day} 起已撤销，2026 已没有这个辖区：请改报东一村、东新村的数。" in said["zh"]
    assert (
        f"East Two (330101001002) ended on {day} and is no area for 2026: give the figure of East One, East New."
        in (said["en"])
    )
    assert UploadRow.objects.get(upload=upload).cells["数值"] == "800"


def test_a_figure_of_a_time_when_the_area_stood_is_taken_under_the_path_it_had(town: World, facts: Facts) -> None:
    closed(town, days=10)
    upload = received(town, ["常住人口", "东二村", "2025", 790], ["常住人口", "东二村", "2026-02", 800], days=20)
    assert (upload.good, upload.bad) == (2, 0)
    facts.export(town.at)
    assert facts.ask("SELECT area_path, period FROM statistics ORDER BY period") == [
        (town.other_village.path, "2025"), (town.other_village.path, "2026-02"),
    ]  # fmt: skip


def test_a_name_that_no_area_ever_had_is_refused_as_before(town: World) -> None:
    assert "没有这个辖区" in reason(received(town, ["常住人口", "没有的村", "2026", 800]))["zh"]


# ---------------------------------------------------------------- half a month


def test_a_month_of_which_half_has_come_can_be_told(town: World, facts: Facts) -> None:
    received(town, ["警情", "东镇", "2026-02", 3], ["警情", "甲县", "2026-02", 5])
    facts.export(town.at)
    county, township = coverage(facts.folder, "警情", "2026-02")
    assert (county.level, county.whole, county.having) == ("county", False, (town.county.path,))
    assert (township.level, township.having) == ("township", (town.east.path,))
    assert township.missing == (town.west.path, f"{town.neighbour.path}330199001/")
    assert township.sentence == Text(
        zh="“警情”2026-02 缺 2 个辖区（西镇、邻镇）。请补导后再用。",
        en="'警情' for 2026-02 lacks 2 areas (West Town, Lin Town). Import these first.",
    )
    received(town, ["警情", "西镇", "2026-02", 2])
    facts.export(town.at)
    assert [each.missing for each in coverage(facts.folder, "警情", "2026-02")][1] == (
        f"{town.neighbour.path}330199001/",
    )
    within = coverage(facts.folder, "警情", "2026-02", within=town.county.path)
    assert all(each.whole for each in within)
    assert "齐全" in within[1].sentence.zh
    assert coverage(facts.folder, "警情", "2026-01") == []
    assert coverage(facts.folder, "没有的数", "2026-02") == []
    with pytest.raises(NoPeriod):
        coverage(facts.folder, "警情", "上个月")


def test_periods_begin_and_end_on_their_days() -> None:
    assert [last_day(period) for period in ("2026", "2026-Q1", "2028-02", "2026-12")] == [
        date(2026, 12, 31), date(2026, 3, 31), date(2028, 2, 29), date(2026, 12, 31),
    ]  # fmt: skip
    assert [first_day(period) for period in ("2026", "2026-Q3", "2026-11")] == [
        date(2026, 1, 1), date(2026, 7, 1), date(2026, 11, 1),
    ]  # fmt: skip
    assert [is_period(told) for told in ("2026-Q4", "2026-Q5", "2026-13", "26")] == [True, False, False, False]
