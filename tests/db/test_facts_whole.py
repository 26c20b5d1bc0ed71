"""Facts are whole or said not to be: damaged, missing, doubled, half put in place, or of another ledger."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from typer.testing import CliRunner

from anlan.casework import cases
from anlan.casework.cases import Opening
from anlan.facts import manifest
from anlan.facts.export import DECLARED, LEDGER, waiting
from anlan.facts.lock import Busy, alone
from anlan.facts.manifest import BadManifest
from anlan.facts.placing import Damaged
from anlan.facts.verify import NothingThere, verify
from anlan.kernel import catalogue
from anlan.kernel.catalogue import PACKAGE
from anlan.ledger import seal
from anlan.ledger.models import Event
from anlan.presentation import facts as following
from anlan.presentation import followers
from anlan.presentation.commands.main import app
from exported import Facts
from installation import Installation
from settled import settle
from world import World, world

KILLED = Path(__file__).with_name("killed_export.py")


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts(tmp_path / "facts", tmp_path / "aside")


def opened(town: World, topic: str = "manhole") -> None:
    cases.open_case(Opening("incident", town.grid, "事项", topic=topic), by=town.triage, at=town.at)


def cases_file(facts: Facts) -> Path:
    [file] = facts.folder.glob("cases/*/part-0.parquet")
    return file


def cut(facts: Facts) -> None:
    file = cases_file(facts)
    file.write_bytes(file.read_bytes()[:-100])


def flip(facts: Facts) -> None:
    file = cases_file(facts)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def remove(facts: Facts) -> None:
    cases_file(facts).unlink()


def double(facts: Facts) -> None:
    other = facts.folder / "cases/month=2020-01/part-0.parquet"
    other.parent.mkdir()
    shutil.copy(cases_file(facts), other)


@pytest.mark.parametrize(
    ("harm", "zh", "en"),
    [(cut, "与导出时不同", "is not what was exported"), (flip, "与导出时不同", "is not what was exported"),
     (remove, "缺少", "is missing"), (double, "多出", "was not exported")],
)  # fmt: skip
def test_what_is_not_whole_is_found_and_named(
    town: World, facts: Facts, harm: Callable[[Facts], None], zh: str, en: str
) -> None:
    opened(town)
    facts.export(town.at)
    assert verify(facts.store).ok
    harm(facts)
    [finding] = verify(facts.store).findings
    assert zh in finding.zh
    assert en in finding.en
    assert "cases/month=20" in finding.en


@pytest.mark.parametrize("harm", [cut, flip, remove])
def test_nothing_is_counted_on_from_a_damaged_file_and_anew_mends_it(
    town: World, facts: Facts, harm: Callable[[Facts], None]
) -> None:
    opened(town)
    facts.export(town.at)
    harm(facts)
    opened(town, "fire_exit")
    with pytest.raises(Damaged, match="--anew"):
        facts.export(town.at)
    facts.export(town.at, anew=True)
    assert verify(facts.store).ok
    assert facts.column("SELECT count(*) FROM cases") == [2]


def test_a_list_that_cannot_be_read_is_said_to_be(town: World, facts: Facts) -> None:
    opened(town)
    with pytest.raises(NothingThere):
        verify(facts.store)
    facts.export(town.at)
    (facts.folder / manifest.NAME).write_text('{"format": 1')
    for use in (lambda: verify(facts.store), lambda: facts.export(town.at)):
        with pytest.raises(BadManifest, match="--anew"):
            use()


def test_two_exports_do_not_run_at_once(town: World, facts: Facts) -> None:
    with alone(facts.aside, "here"), pytest.raises(Busy):
        facts.export(town.at)
    assert facts.export(town.at) is not None


def test_what_is_declared_otherwise_is_exported_anew(town: World, facts: Facts, tmp_path: Path) -> None:
    opened(town)
    facts.export(town.at)
    pack = tmp_path / "pack"
    table = pack / "tables/cases.toml"
    table.parent.mkdir(parents=True)
    told = (PACKAGE / "facts/tables/cases.toml").read_text("utf-8")
    table.write_text(told.replace("repeat_days = 180", "repeat_days = 90"), encoding="utf-8")
    with catalogue.using([*catalogue.current().roots, pack]):
        run = facts.export(town.at)
    assert run is not None
    assert (run.whole, run.why) == (True, DECLARED)


def test_another_ledger_under_the_same_facts_is_exported_anew(town: World, facts: Facts) -> None:
    opened(town)
    seal.seal(at=town.at)
    facts.export(town.at)
    now = manifest.read(facts.store)
    assert now is not None
    assert now.seal is not None
    other = now.model_copy(update={"seal": now.seal.model_copy(update={"chain_sha256": "00" * 32})})
    manifest.write(facts.store, other)
    run = facts.export(town.at)
    assert run is not None
    assert (run.whole, run.why) == (True, LEDGER)
    assert facts.export(town.at) is None


def test_an_export_that_is_killed_anywhere_leaves_what_lay_there_or_what_the_next_one_completes(
    installation: Installation,
) -> None:
    folder, kept = installation.data / "facts", installation.data / "kept"
    settle(installation, cases=30)
    installation.python(str(KILLED), str(folder), "0")
    facts = Facts(folder, installation.data / "aside")
    before = facts.files()
    shutil.copytree(folder, kept)
    installation.python(str(KILLED), "more", "12")
    touches = int(installation.python(str(KILLED), str(folder), "0").stdout)
    after = facts.files()
    assert before.keys() < after.keys()
    # Half of the touches write aside, the other half put in place; between them lies the list.
    for number, stands in ((1, True), (touches // 3, True), (touches // 2 + 3, False), (touches - 1, False)):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        assert installation.python(str(KILLED), str(folder), str(number), check=False).returncode == -signal.SIGKILL
        verdict = verify(facts.store)
        assert verdict.ok == stands
        assert not stands or facts.files() == before
        assert stands or "中断" in verdict.findings[0].zh
        installation.python(str(KILLED), str(folder), "0")
        assert verify(facts.store).ok
        assert facts.files() == after


def test_the_command_exports_verifies_and_lists(installation: Installation) -> None:
    settle(installation, cases=6)
    said = installation.anlan("facts", "export").stdout
    assert "首次导出" in said
    assert "cases: 6 行 rows" in said
    assert "没有新的变化" in installation.anlan("facts", "export").stdout
    assert "完好" in installation.anlan("facts", "verify").stdout
    assert "事项 / Cases" in installation.anlan("facts", "list").stdout
    next(installation.data.glob("facts/steps/*/part-0.parquet")).unlink()
    bad = installation.anlan("facts", "verify", check=False)
    assert bad.returncode == 1
    assert "缺少 steps/month=" in bad.stderr
    assert "is missing" in bad.stderr
    assert settings.FACTS.endswith("facts")


def test_the_background_loop_exports_what_is_cheap_and_leaves_the_rest_to_the_command(
    town: World, tmp_path: Path, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA, settings.FACTS, settings.FACTS_EVERY = tmp_path, str(tmp_path / "facts"), 15
    opened(town)
    followers.drain(at=town.at)
    assert waiting(following.store(), most=10_000) == Event.objects.count()
    assert waiting(following.store(), most=3) == 4
    assert following.turn(at=town.at, most=3) == 0
    assert "anlan facts export" in caplog.text
    assert not (tmp_path / "facts").exists()
    assert following.turn(at=town.at) == 1
    opened(town, "fire_exit")
    followers.drain(at=town.at)
    with alone(tmp_path / "facts-aside", "here"):
        assert following.turn(at=town.at) == 0
    assert following.turn(at=town.at, most=10) > 0
    assert following.turn(at=town.at) == 0
    settings.FACTS_EVERY = 0
    opened(town, "manhole")
    assert following.turn(at=town.at) == 0
    assert verify(following.store()).ok


def test_a_place_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for place in ("ftp://somewhere/x", str(blocked / "below")):
        said = CliRunner().invoke(app, ["facts", "export", "--to", place])
        assert said.exit_code == 2
        assert said.output.strip()
        assert "Traceback" not in said.output


def test_of_runs_that_need_not_be_kept_the_last_is(town: World, facts: Facts) -> None:
    for number in range(3):
        cases.open_case(Opening("incident", town.grid, f"事项 {number}", topic="manhole"), by=town.triage, at=town.at)
        facts.export(town.at, keep=0)
    kept = manifest.read(facts.store)
    assert kept is not None
    assert [run.number for run in kept.runs] == [3]
