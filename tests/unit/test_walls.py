"""The walls of the house: size, names, layers, the clock at the edge. Each wall is shown to stop a bad example."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/anlan"
PURE = "The engine and the vocabulary of procedures are pure"
DRAWERS = {"utils", "util", "common", "core", "helpers", "helper", "misc", "services", "service", "managers", "mixins"}
# Areas that exist. Names that are also ordinary words (三明, 中山, 东方) are left out.
REAL_PLACES = """
北京市 天津市 上海市 重庆市 河北省 山西省 辽宁省 吉林省 黑龙江 江苏省 浙江 安徽省 福建省 江西省 山东省 河南省
湖北省 湖南省 广东 海南省 四川 贵州省 云南省 陕西省 甘肃 青海省 台湾省 内蒙古 广西 西藏 宁夏 新疆 香港 澳门
石家庄 太原 沈阳 大连 长春 哈尔滨 南京 无锡 徐州 苏州 南通 扬州 杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山
台州 丽水 合肥 芜湖 福州 厦门 泉州 南昌 赣州 济南 青岛 烟台 潍坊 郑州 洛阳 武汉 宜昌 长沙 株洲 广州 深圳 珠海
佛山 东莞 惠州 南宁 桂林 海口 成都 绵阳 贵阳 遵义 昆明 拉萨 西安 兰州 西宁 银川 乌鲁木齐 乐清 永康 义乌 东阳
兰溪 武义 古山 Zhejiang Jinhua Hangzhou Ningbo Wenzhou Beijing Guangdong Shenzhen Chicago Illinois
""".split()


def python_files(*folders: str) -> list[Path]:
    return [p for f in folders for p in sorted((ROOT / f).rglob("*.py")) if "migrations" not in p.parts]


def long_functions(source: str, *, limit: int = 40) -> list[str]:
    """Names of the functions of more than `limit` lines, with their length."""
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    sizes = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    return [f"{name} ({size})" for name, size in sizes.items() if size > limit]


def is_long(source: str, *, limit: int = 400) -> bool:
    return source.count("\n") > limit


def drawers(paths: list[Path]) -> list[Path]:
    """Modules and packages whose name says nothing."""
    return [p for p in paths if DRAWERS & {p.stem, *p.parts}]


def mocks(source: str) -> bool:
    return re.search(r"unittest\.mock|from unittest import mock|monkeypatch\.setattr", source) is not None


def strings(value: Any) -> Iterator[str]:
    """Every name a town declares: texts under name-like keys, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"name", "title", "zh", "en"} or key.startswith("name_"):
                yield from [inner] if isinstance(inner, str) else strings(inner)
            else:
                yield from strings(inner) if isinstance(inner, dict | list) else ()
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner) if isinstance(inner, dict | list) else ()


def town_names(file: str) -> set[str]:
    """The names of a town's areas and departments that are nobody else's words: no numbers, not too short."""
    town = tomllib.loads(file)
    found = set(strings({k: town.get(k, []) for k in ("areas", "departments")}))
    return {n for n in found if not re.search(r"[0-9一二三四五六七八九十]", n) and len(n) >= (7 if n.isascii() else 3)}


def names_in(text: str, names: set[str]) -> list[str]:
    """Those of `names` that stand in `text`; the title of a law cited as `source` or `basis` decides nothing."""
    uncited = re.sub(r"^\s*(source|basis)\s*=.*$", "", text, flags=re.MULTILINE)
    return sorted(n for n in names if n in uncited)


def ruff(source: str, *, name: str) -> str:
    """What the linter says of `source` if it stood at `name`."""
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "--stdin-filename", name, "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False, cwd=ROOT).stdout


def lint_imports(folder: Path) -> str:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    command += ["--no-logo", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder).stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package's modules to spoil."""
    shutil.copytree(SOURCE, tmp_path / "anlan", ignore=shutil.ignore_patterns("static", "__pycache__", "*.toml"))
    return tmp_path


def test_no_function_is_longer_than_forty_lines() -> None:
    files = python_files("src", "tests", "benchmarks", "assets")
    found = {str(p.relative_to(ROOT)): long_functions(p.read_text("utf-8")) for p in files}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_function_of_forty_one_lines_is_found() -> None:
    body = "    x = 1\n"
    assert long_functions("def fits():\n" + body * 39) == []
    assert long_functions("def too_long():\n" + body * 40) == ["too_long (41)"]


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    files = python_files("src", "tests", "benchmarks", "assets")
    assert [str(p.relative_to(ROOT)) for p in files if is_long(p.read_text("utf-8"))] == []


def test_a_module_of_four_hundred_and_one_lines_is_found() -> None:
    assert not is_long("x = 1\n" * 400)
    assert is_long("x = 1\n" * 401)


def test_no_module_is_a_drawer() -> None:
    assert drawers([p.relative_to(ROOT) for p in python_files("src", "tests", "benchmarks")]) == []


def test_a_drawer_is_found_as_module_and_as_package() -> None:
    bad = [Path("src/anlan/places/utils.py"), Path("src/anlan/common/tree.py")]
    assert drawers([*bad, Path("src/anlan/places/areas.py")]) == bad


def test_no_test_mocks() -> None:
    files = [p for p in python_files("tests", "benchmarks") if p != Path(__file__)]
    assert [str(p.relative_to(ROOT)) for p in files if mocks(p.read_text("utf-8"))] == []


def test_a_mock_is_found() -> None:
    assert mocks("from unittest.mock import patch\n")
    assert not mocks("from anlan.places import areas\n")


def test_nothing_is_deleted_in_passing() -> None:
    assert [p for p in python_files("src") if "models.CASCADE" in p.read_text("utf-8")] == []


def test_no_place_or_department_is_named_in_the_source() -> None:
    towns = [p.read_text("utf-8") for p in ROOT.glob("packs/*/towns/*.toml")]
    names = set(REAL_PLACES).union(*map(town_names, towns))
    files = [*sorted(SOURCE.rglob("*.py")), *sorted(SOURCE.rglob("*.toml"))]
    found = {str(p.relative_to(ROOT)): names_in(p.read_text("utf-8"), names) for p in files}
    assert {path: named for path, named in found.items() if named} == {}


def test_a_place_a_department_and_a_real_city_are_found() -> None:
    town = """
        areas = [{name = {zh = "某某县", en = "Somewhere"}, areas = [{name_zh = "第一网格", name_en = "G"}]}]
        departments = [{key = "d", name_zh = "某某住建局", name_en = "Housing"}]
    """
    names = town_names(town)
    assert names == {"某某县", "Somewhere", "某某住建局", "Housing"}
    assert names_in('if area == "某某县": ...', names) == ["某某县"]
    assert names_in("send_to('某某住建局')", names) == ["某某住建局"]
    assert names_in("# as in 金华", set(REAL_PLACES)) == ["金华"]
    assert names_in('source = "浙江省社会治安综合治理条例 §9"', set(REAL_PLACES)) == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("from datetime import datetime\nstart = datetime.now(None)\n", "TID251"),
        ("from datetime import date\nday = date.today()\n", "TID251"),
        ("import time\nstart = time.time()\n", "TID251"),
        ("from django.utils import timezone\nstart = timezone.now()\n", "TID251"),
        ("from django.http import HttpResponse\nanswer = HttpResponse()\n", "TID251"),
        ("from django.db.models.signals import post_save\n", "TID251"),
        ("def f(x):\n    return x\n", "ANN001"),
        ("x = 1  # TODO later\n", "FIX002"),
        ("try:\n    x = 1\nexcept Exception:\n    pass\n", "BLE001"),
    ],
)
def test_the_linter_stops(line: str, code: str) -> None:
    assert code in ruff(line, name="src/anlan/casework/somewhere.py")


def test_the_clock_and_http_are_allowed_at_the_edge() -> None:
    edge = "from django.http import HttpResponse\nfrom django.utils import timezone\nat = timezone.now()\n"
    assert "TID251" not in ruff(edge, name="src/anlan/presentation/web/somewhere.py")


def test_the_layers_hold() -> None:
    said = lint_imports(ROOT / "src")
    assert "0 broken" in said, said


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("ledger/bad.py", "from anlan.places import models", "Each layer imports only what stands below it"),
        ("stray/__init__.py", "", "Each layer imports only what stands below it"),
        ("kernel/bad.py", "def f() -> None:\n    import django", "Kernel and index know no web framework"),
        ("index/bad.py", "from anlan.casework import models", "Kernel and index know no web framework"),
        (
            "casework/engine.py",
            "from anlan.casework import models",
            "The engine and the vocabulary of procedures are pure",
        ),
        ("intake/sensors/gb26875_states.py", "from anlan.intake import models", "The codec of alarm frames is pure"),
        ("ledger/apps.py", "def f() -> None:\n    from anlan.ledger import bad", "No cycle between siblings"),
    ],
)
def test_a_wrong_import_is_stopped(copy: Path, file: str, line: str, contract: str) -> None:
    (copy / "anlan/ledger/bad.py").write_text("import anlan.ledger.apps\n")
    (copy / "anlan" / file).parent.mkdir(exist_ok=True)
    with (copy / "anlan" / file).open("a", encoding="utf-8") as spoiled:
        spoiled.write(f"\n{line}\n")
    assert f"{contract} BROKEN" in lint_imports(copy)
