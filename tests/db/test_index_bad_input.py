"""What is wrong with an index is told by each command in the same words, with file and key; nothing comes of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import both_counties
from anlan.index.counting.indicator import INDICATORS
from anlan.index.editions import edition
from anlan.index.scoring.spec import INDICES
from anlan.intake.uploading import uploads
from anlan.intake.uploading import work as upload_work
from anlan.kernel import catalogue
from anlan.places import officers
from anlan.places.models import Area
from anlan.presentation import facts, followers, publishing
from anlan.presentation.commands.main import app
from both_counties import AFTER
from index_pack import pack
from world import World

pytestmark = pytest.mark.django_db
CALLS = """
key = "calls"
index = "small"
parent = "H"
title = { zh = "警情", en = "Calls" }
summary = { zh = "百名居民警情", en = "Calls per hundred residents" }
unit = { zh = "%", en = "%" }
better = "down"
standing = "statistics"
basis = { source = "x", mark = "U", checked_on = 2026-11-22 }
numerator = { table = "statistics", measure = "given", where = "figure = '警情'" }
denominator = { table = "statistics", measure = "given", where = "figure = '常住人口'", carry = 24 }
per = 100
score = { method = "goalposts", low = 10.0, high = 0.0 }
"""
ASKED = '[coverage]\nfigures = { township = 1.0 }\nover_nothing = "refuse"\n[ranking]'


@pytest.fixture
def town(settings: Any, media: Path, tmp_path: Path) -> Iterator[World]:
    made = both_counties.town(settings, tmp_path)
    officers.post(made.administrator, role="administrator", area=made.neighbour, by=None, at=made.at)
    with catalogue.using([]):  # which every command leaves as it wishes
        yield made


def changed(folder: Path, file: str, old: str, new: str) -> Path:
    """The small index with one thing changed in one of its files."""
    path = pack(folder / "pack") / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder / "pack"


def said(*command: str) -> str:
    """What a command says that refuses."""
    answer = CliRunner().invoke(app, list(command))
    assert answer.exit_code == 2, answer.output
    assert "Traceback" not in answer.output
    return answer.output


def exported(town: World) -> None:
    followers.drain(at=AFTER)
    facts.export(facts.store(), at=AFTER)


INDEX, CURED, RULES = "indices/small.toml", "indicators/cured.toml", "rules/small_rules.toml"


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "zh", "en"),
    [
        (CURED, 'denominator = { table = "cases"', 'denominator = { table = "caes"', "denominator.table",
         "没有事实表“caes”，是否想写“cases”？", "There is no fact table “caes”; did you mean “cases”?"),
        (INDEX, '{ key = "H",', '{ key = "H", parent = "H",', "heads[0].parent", "上级绕成了圈：H → H", "in a circle"),
        (INDEX, "[ranking]", 'weights = { use = "no", sets = { no = { H = 0, T = 0 } } }\n[ranking]', "weights",
         "“small”各下级的权重之和为 0", "The weights under “small” sum to 0"),
        (CURED, "outcome = 'cured'", "reverse(outcome) = 'x'", "numerator.where", "这里不能写“REVERSE(outcome)”",
         "“REVERSE(outcome)” cannot stand here"),
        (CURED, 'parent = "H"', 'parent = "Hazards"', "parent", "没有指标类“Hazards”", "There is no head “Hazards”"),
        (CURED, 'index = "small"', 'index = "smal"', "index", "没有指数“smal”", "no index “smal”; did you mean"),
        (INDEX, "[ranking]", "coverage = { tables = { caes = 0.5 } }\n[ranking]", "coverage.tables",
         "没有事实表“caes”", "no fact table “caes”"),
        (INDEX, "[ranking]", "coverage = { figures = { town = 0.5 } }\n[ranking]", "coverage.figures",
         "没有这一级辖区“town”", "no level of area “town”"),
        (INDEX, 'by = ["level"]', 'by = ["levle"]', "ranking.peers[0].by", "没有辖区属性“levle”", "no label of areas"),
        (RULES, 'band = "red"', 'band = "rad"', "consequences.0.band", "没有等级“rad”", "There is no band “rad”"),
        (RULES, 'levels = ["township"]', 'levels = ["town"]', "rules.1.levels", "没有这一级辖区“town”", "no level"),
    ],
)  # fmt: skip
def test_every_command_names_the_file_and_the_key_that_is_wrong(
    town: World, tmp_path: Path, file: str, old: str, new: str, key: str, zh: str, en: str
) -> None:
    exported(town)
    wrong = changed(tmp_path, file, old, new)
    told = [said("check", "--pack", str(wrong))]
    with catalogue.using([wrong]):
        told += [said("index", "check", "small")]
        told += [said("index", "run", "small", "--period", "2026-03")]
        told += [said("index", "draft", "small", "--period", "2026-03", "--as", town.analyst.username)]
    for each in told:
        assert f"pack/{file}: {key}：" in each
        assert f"pack/{file}: {key}: " in each
        assert zh in each
        assert en in each
    assert len(set(told)) == 1
    assert list(edition.every(publishing.root())) == []


def test_an_example_that_comes_out_otherwise_is_told_by_both_checks(town: World, tmp_path: Path) -> None:
    example = 'examples = [{ period = "2026-10", rows = [{ area_path = "1/", valid = true }], value = 50.0 }]\nscore ='
    wrong = changed(tmp_path, CURED, "score =", example)
    one = said("check", "--pack", str(wrong))
    with catalogue.using([wrong]):
        other = said("index", "check", "small")
    assert "pack/indicators/cured.toml: examples[0].value: These rows give" in one
    assert one == other


# ---------------------------------------------------------------- figures


@pytest.fixture
def counted(town: World, tmp_path: Path) -> Iterator[World]:
    """The small index with an indicator of figures from outside, which asks whether they came from every town."""
    made = changed(tmp_path, INDEX, "[ranking]", ASKED)
    (made / "indicators/calls.toml").write_text(CALLS, encoding="utf-8")
    with catalogue.using([made]) as known:
        assert "calls" in known.all(INDICATORS)
        assert known.get(INDICES, "small").coverage.figures == {"township": 1.0}
        yield town


def give(town: World, figures: dict[Area, float], figure: str, period: str) -> None:
    """Figures by the wizard, a file for each county, into the facts."""
    for county in (town.county, town.neighbour):
        _give(
            town,
            county,
            {area: value for area, value in figures.items() if area.parent_id == county.pk},
            figure,
            period,
        )
    exported(town)


def _give(town: World, county: Area, figures: dict[Area, float], figure: str, period: str) -> None:
    out = io.StringIO()
    rows = [[figure, area.code, period, value, "个", "公报"] for area, value in figures.items()]
    csv.writer(out).writerows([["指标", "辖区", "期间", "数值", "单位", "来源"], *rows])
    by, at = town.administrator, town.at + timedelta(days=30)
    upload = uploads.begin(out.getvalue().encode(), name="统计.csv", layout="figures", by=by, at=at)
    upload = uploads.check(upload, columns=upload.columns, area=county, by=by, at=at)
    while upload_work.go_on(upload.pk, at=at):
        pass
    upload.refresh_from_db()
    assert (upload.good, upload.bad) == (len(rows), 0)
    upload = uploads.receive(upload, at=at)
    while upload_work.go_on(upload.pk, at=at):
        pass


def towns() -> list[Area]:
    return list(Area.objects.filter(level="township").order_by("path"))


def test_half_a_month_publishes_nothing_and_the_rest_of_it_does(counted: World) -> None:
    whole = towns()
    assert len(whole) == 3
    give(counted, dict.fromkeys(whole, 1000.0), "常住人口", "2025")
    give(counted, dict.fromkeys(whole[:2], 20.0), "警情", "2026-03")
    asked = ("index", "draft", "small", "--period", "2026-03", "--as", counted.analyst.username)
    for each in (said(*asked), said("index", "run", "small", "--period", "2026-03")):
        assert (
            "small: coverage.figures.township：2026-03 的统计数只到了一部分：calls.numerator（figure = '警情'）" in each
        )
        assert (
            "township 一级 3 个辖区中只有 2 个有数（67%），少于声明的 100%，缺 邻镇 330199/330199001/。请补报" in each
        )
        assert "2 of 3 areas of the level township have one (67%), fewer than the 100% declared; lacking: Lin" in each
    assert list(edition.every(publishing.root())) == []
    give(counted, {whole[2]: 30.0}, "警情", "2026-03")
    answer = CliRunner().invoke(app, list(asked))
    assert answer.exit_code == 0, answer.output
    [made] = edition.every(publishing.root())
    values = {row["area_path"]: row["value"] for row in made.values(indicator="calls").to_pylist()}
    assert [values[area.path] for area in whole] == [2.0, 2.0, 3.0]


def test_calls_of_a_town_of_nobody_publish_nothing(counted: World) -> None:
    whole = towns()
    give(counted, {whole[0]: 0.0, whole[1]: 1000.0, whole[2]: 1000.0}, "常住人口", "2025")
    give(counted, dict.fromkeys(whole, 20.0), "警情", "2026-03")
    each = said("index", "draft", "small", "--period", "2026-03", "--as", counted.analyst.username)
    assert f"calls.denominator（figure = '常住人口'）：{whole[0].name_zh} {whole[0].path} 2026-03 的分母是 0" in each
    assert "and the numerator 20: they cannot be divided. Correct the figures first." in each
    assert list(edition.every(publishing.root())) == []
