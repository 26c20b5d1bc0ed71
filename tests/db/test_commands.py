"""The command line says what it did, and refuses in sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from anlan.kernel import catalogue
from anlan.places.models import Officer
from anlan.presentation import checks
from anlan.presentation.commands.main import COMMANDS, app

LOOP = """
key = "loop"
edition = "1"
effective_from = 2026-01-01
prefix = "L"
first = "here"
title = { zh = "环", en = "Loop" }
summary = { zh = "没有出口", en = "No way out" }

[steps.here]
title = { zh = "此处", en = "Here" }
public = { zh = "此处", en = "Here" }
stage = "intake"
owner = { roles = ["triage"] }

[acts.stay]
title = { zh = "原地", en = "Stay" }
steps = ["here"]
to = "here"
who = { roles = ["triage"] }

[clocks.handle]
title = { zh = "时限", en = "Limit" }
runs = ["here"]
length = { n = 1, unit = "working_days" }
basis = { source = "–", mark = "U", checked_on = 2026-11-22 }
"""


def anlan(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "pack/procedures").mkdir(parents=True)
    return tmp_path / "pack"


def test_help_lists_every_command_in_both_languages() -> None:
    said = anlan("--help").output
    for name, command in COMMANDS.items():
        assert name in said
        assert command.help.zh in said
        assert command.help.en in said


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_every_command_explains_itself(name: str) -> None:
    result = anlan(name, "--help")
    assert result.exit_code == 0
    assert "：" in result.output or "。" in result.output


def test_a_misspelt_command_is_told_the_right_one() -> None:
    result = anlan("chek")
    assert result.exit_code == 2
    assert "是否想写“check”？" in result.output
    assert "Did you mean “check”?" in result.output


def test_everything_shipped_is_well_declared() -> None:
    result = anlan("check")
    assert result.exit_code == 0, result.output
    assert "全部通过" in result.output


def test_every_kind_of_declaration_is_read_at_the_start() -> None:
    sources = Path(checks.__file__).parents[1].rglob("*.py")
    made = {folder for path in sources for folder in re.findall(r"= Kind\(\"(\w+)\"", path.read_text("utf-8"))}
    assert made == {kind.folder for kind in checks.KINDS}


def test_a_procedure_without_exit_is_refused_with_its_file_in_both_languages(pack: Path) -> None:
    (pack / "procedures/loop.toml").write_text(LOOP, encoding="utf-8")
    with catalogue.using([]):
        result = anlan("check", "--pack", str(pack))
    assert result.exit_code == 2
    assert "loop.toml" in result.output
    assert "Traceback" not in result.output


def test_a_misspelt_key_is_refused_with_the_likely_one(pack: Path) -> None:
    (pack / "procedures/loop.toml").write_text(LOOP.replace("prefix", "prefx"), encoding="utf-8")
    with catalogue.using([]):
        result = anlan("check", "--pack", str(pack))
    assert result.exit_code == 2
    assert "prefx" in result.output
    assert "prefix" in result.output


def test_an_unknown_role_is_refused_where_it_stands(pack: Path) -> None:
    (pack / "procedures/loop.toml").write_text(LOOP.replace('["triage"]', '["trage"]'), encoding="utf-8")
    with catalogue.using([]):
        result = anlan("check", "--pack", str(pack))
    assert "acts.stay.who" in result.output
    assert "There is no role “trage”; did you mean “triage”?" in result.output


def test_schemas_are_written_for_editors(tmp_path: Path) -> None:
    with catalogue.using([]):
        assert anlan("check", "--schemas", str(tmp_path)).exit_code == 0
    assert (tmp_path / "procedures.schema.json").exists()


def test_a_procedure_is_shown_in_words_and_drawn(tmp_path: Path) -> None:
    assert "结案" in anlan("procedure", "show", "incident").output
    assert anlan("procedure", "show", "incident", "--svg", str(tmp_path / "incident.svg")).exit_code == 0
    assert (tmp_path / "incident.svg").read_text("utf-8").startswith("<svg")


def test_an_unknown_procedure_is_refused_in_a_sentence() -> None:
    result = anlan("procedure", "show", "incidnt")
    assert result.exit_code == 2
    assert "incidnt" in result.output


def test_a_person_is_added_listed_and_given_another_password() -> None:
    assert anlan("user", "add", "lan", "--name", "岚", "--password", "calm-water-42").exit_code == 0
    assert "岚" in anlan("user", "list").output
    assert anlan("user", "passwd", "lan", typed="still-water-43\nstill-water-43\n").exit_code == 0
    officer = Officer.objects.get(username="lan")
    assert officer.check_password("still-water-43")
    assert officer.must_change_password


def test_a_weak_password_and_an_unknown_area_add_nobody() -> None:
    weak = anlan("user", "add", "lan", "--name", "岚", "--password", "12345678")
    nowhere = anlan(
        "user", "add", "lan", "--name", "岚", "--password", "calm-water-42", "--role", "analyst", "--area", "9"
    )
    assert (weak.exit_code, nowhere.exit_code) == (2, 2)
    assert not Officer.objects.exists()


def test_an_untouched_ledger_is_whole() -> None:
    anlan("user", "add", "lan", "--name", "岚", "--password", "calm-water-42")
    assert anlan("work", "--once").exit_code == 0
    result = anlan("ledger", "verify")
    assert result.exit_code == 0, result.output
    assert "台账完好" in result.output


def test_a_town_nobody_declares_is_refused() -> None:
    result = anlan("town", "load", "nowhere")
    assert result.exit_code == 2
    assert "nowhere" in result.output


@pytest.mark.parametrize(
    ("typed", "zh", "en"),
    [
        ("--nope", "没有选项 --nope", "No such option: --nope"),
        ("user add x --nam 甲", "没有选项 --nam（是否想写 --name", "No such option: --nam"),
        ("user nope", "没有“nope”这条命令", "No such command 'nope'"),
        ("backup", "缺少参数 file", "Missing argument"),
        ("export cases x.csv", "缺少选项 --as", "Missing option '--as'"),
        ("serve --port x", "--port 的值不对：应是整数", "Invalid value for '--port'"),
        ("serve --port", "选项 --port 后面要有值", "Option '--port' requires an argument"),
        ("work --once=3", "选项 --once 后面不能带值", "Option '--once' does not take a value"),
        ("user add x --certificate-until 2026", "--certificate-until 的值不对：应是日期", "Invalid value"),
        ("ledger verify more words", "多写了参数：", "Got unexpected extra argument"),
    ],
)
def test_what_is_typed_wrong_is_told_in_both_languages(typed: str, zh: str, en: str) -> None:
    done = anlan(*typed.split())
    assert done.exit_code == 2
    first, second = done.stderr.strip().splitlines()
    assert zh in first
    assert en in second
    assert "--help" in first
    assert "--help" in second


def test_a_command_without_words_shows_its_help() -> None:
    for words in ([], ["user"]):
        assert "--help" in anlan(*words).output
        assert "不对" not in anlan(*words).output
