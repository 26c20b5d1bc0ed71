"""What lies damaged on a disk, or is in the way there, is told by each command in sentences that name it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from anlan.facts.store import NoStore, open_store
from anlan.kernel import catalogue
from anlan.presentation.commands.main import app
from exported import Facts
from index_pack import invented, lay, pack
from world import World, world

pytestmark = pytest.mark.django_db
RUN = ("index", "run", "small", "--period", "2026-10")
MONTH = "cases/month=2026-09/part-0.parquet"


def refused(*command: str) -> str:
    """What a command says that refuses."""
    answer = CliRunner().invoke(app, list(command))
    assert answer.exit_code == 2, answer.output
    assert isinstance(answer.exception, SystemExit)
    return answer.output


def cut(path: Path) -> None:
    """The first bytes of a file and no more, as after a power cut."""
    path.write_bytes(path.read_bytes()[:50])


def a_folder(path: Path) -> None:
    """A folder where a file should be."""
    path.unlink(missing_ok=True)
    (path / "inside").mkdir(parents=True)


def a_file(path: Path) -> None:
    """A file where a folder should be."""
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")


# ---------------------------------------------------------------- exporting


@pytest.fixture
def town(settings: Any, tmp_path: Path) -> World:
    settings.DATA = tmp_path
    settings.FACTS = str(tmp_path / "facts")
    return world()


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (a_file, "facts-aside"),
        (a_folder, "facts-aside/lock"),
        (a_file, "facts-aside/spool"),
        (a_file, "facts"),
        (a_file, "facts/cases"),
        (a_folder, "facts/areas/part-0.parquet"),
        (a_folder, "facts/manifest.json"),
    ],
)
def test_what_is_in_the_way_of_an_export_is_named(
    town: World, tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    damage(tmp_path / name)
    assert str(tmp_path / name) in refused("facts", "export", "--anew")


def test_a_file_that_cannot_be_put_in_place_is_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write("one", b"1")
    a_folder(tmp_path / "two")
    a_file(tmp_path / "three")
    for target in ("two", "three/one"):
        with pytest.raises(NoStore, match=r"cannot be used.*(two|three)'"):
            store.move("one", target)
    assert store.read("one") == b"1"


def test_a_full_disk_is_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to("/dev/full")
    with pytest.raises(NoStore, match="No space left"):
        open_store(tmp_path).write("file", b"1")


def test_facts_that_another_version_listed_are_not_taken_for_damaged(town: World, tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts", tmp_path / "facts-aside")
    facts.export(town.at)
    book = facts.folder / "manifest.json"
    book.write_text(book.read_text().replace('"format": 1,', '"format": 2, "unheard": "of",'))
    for command in ("export", "list", "verify"):
        said = refused("facts", command)
        assert "另一版本" in said
        assert "format 2; this one writes 1" in said
        assert "--anew" in said
    assert CliRunner().invoke(app, ["facts", "export", "--anew"]).exit_code == 0
    assert CliRunner().invoke(app, ["facts", "verify"]).exit_code == 0


# ---------------------------------------------------------------- counting


@pytest.fixture
def counted(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A folder of facts that a small index was counted from."""
    settings.DATA, settings.FACTS = tmp_path / "data", str(tmp_path / "facts")
    folder = lay(tmp_path / "facts", cases=invented(1))
    (folder / "manifest.json").write_text('{"runs": [{"number": 1, "until": [1, 1]}], "tables": {}}')
    with catalogue.using([pack(tmp_path / "pack")]):
        assert CliRunner().invoke(app, list(RUN)).exit_code == 0
        yield folder


@pytest.mark.parametrize("name", [MONTH, "areas/part-0.parquet"])
def test_a_cut_file_of_facts_is_told_with_what_finds_and_mends_it(counted: Path, name: str) -> None:
    cut(counted / name)
    said = refused(*RUN, "--anew")
    assert name in said
    assert "anlan facts verify" in said
    assert "anlan facts export --anew" in said


def test_facts_that_lack_a_column_are_told_by_its_name(counted: Path) -> None:
    for path in counted.glob("cases/*/*.parquet"):
        pq.write_table(pq.ParquetFile(path).read().drop_columns(["outcome"]), path)
    assert '"outcome"' in refused(*RUN, "--anew")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe"])
def test_a_list_of_exports_that_cannot_be_read_is_told(counted: Path, content: bytes) -> None:
    (counted / "manifest.json").write_bytes(content)
    assert "manifest.json" in refused(*RUN)


@pytest.mark.parametrize("name", ["cells.json", "leaves.json", "*/*.arrow", "*/*..*/of.json", "*/*..*/sums.npy"])
def test_what_was_kept_and_is_damaged_can_be_deleted_and_is_counted_anew(
    counted: Path, tmp_path: Path, name: str
) -> None:
    kept = next((tmp_path / "data/index/cells").iterdir())
    values = tmp_path / "data/index/runs/small/2026-10/values.parquet"
    before = values.read_bytes()
    for path in kept.glob(name):
        path.write_bytes(path.read_bytes()[:10])
    said = refused(*RUN)
    assert f"Delete the folder {kept}" in said
    shutil.rmtree(kept)
    assert CliRunner().invoke(app, list(RUN)).exit_code == 0
    assert values.read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "name"),
    [(a_file, "index/runs"), (a_folder, "index/runs/small/2026-10/values.parquet"), (a_file, "index/cells")],
)
def test_what_is_in_the_way_of_an_answer_is_named(
    counted: Path, tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    damage(tmp_path / "data" / name)
    assert str(tmp_path / "data" / name) in refused(*RUN)


def test_a_name_that_is_too_long_for_a_folder_is_told(counted: Path) -> None:
    assert "File name too long" in refused(*RUN, "--facts", "a" * 300)
