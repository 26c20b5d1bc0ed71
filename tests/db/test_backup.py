"""Backup and restore: from either database to the other and back, taken while others write, refused when damaged."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import postgres
from installation import Installation, Installations
from postgres import Server

ROOT = Path(__file__).parent.parent

FILL = """
import django; django.setup()
from datetime import timedelta
from django.db import transaction
from django.conf import settings
from anlan.casework import cases
from anlan.casework.cases import Doing, Opening
from anlan.intake import photos, reports
from anlan.intake.channel import CHANNELS
from anlan.kernel import catalogue
from anlan.ledger import seal
from anlan.presentation import followers
from calling import picture
from world import world
town = world()
channel = catalogue.current().get(CHANNELS, "api")
body = {"id": "m-1", "topic": "fire_exit", "description": "三楼“堆物”\\n第二行", "area": town.grid.code,
        "reporter_name": "王某", "reporter_phone": "138", "lon": 122.01, "lat": 27.01}
reports.receive(channel, body, by=town.triage, at=town.at)
reports.receive(channel, {**body, "id": "m-2", "topic": "none"}, by=town.triage, at=town.at)
photo = photos.keep(picture(), "a.jpg", stage="before", by=town.triage, at=town.at)
case = cases.open_case(
    Opening(procedure="incident", area=town.grid, title="楼道堆物", topic="fire_exit"), by=town.grid_worker,
    at=town.at)
cases.act(case.pk, Doing("register", {}, photos=(photo,), key="k-1"), by=town.triage, reach=town.reach(town.triage),
          at=town.at + timedelta(hours=1))
followers.drain(at=town.at + timedelta(hours=2))
seal.seal(at=town.at + timedelta(hours=2))
with transaction.atomic():
    cases.open_case(
        Opening(procedure="incident", area=town.grid, title="未封存", topic="fire_exit"), by=town.grid_worker,
        at=town.at)
"""

CONTENTS = """
import django; django.setup()
import json
from django.db import models
from anlan.ledger import personal
from anlan.ledger.models import Personal
from anlan.presentation import archive
from anlan.presentation.restoring import CARRIED
said = {}
for model in archive.kept_models():
    columns = [name for name in archive.columns_of(model) if name not in CARRIED.get(model._meta.label, ())]
    rows = models.QuerySet(model).order_by("pk").values_list(*columns)
    writers = [archive._encoder(model._meta.get_field(name)) for name in columns]
    said[model._meta.label] = [
        [value if value is None else write(value) for write, value in zip(writers, row)] for row in rows]
said["read"] = [personal.read(row.pk) for row in Personal.objects.all()]
said["media"] = archive.media_files(__import__("pathlib").Path(__import__("django.conf").conf.settings.MEDIA_ROOT))
print(json.dumps(said, sort_keys=True))
"""

GO_ON_BELOW = """
from datetime import timedelta
from anlan.casework import cases
from anlan.casework.cases import Doing
from anlan.casework.models import Case
from anlan.ledger import seal
from anlan.ledger.models import Event
from anlan.places import officers
from anlan.places.models import Officer
from anlan.places.scope import reach_of
from anlan.presentation import followers
from world import AT
at = AT + timedelta(days=1)
before = Event.objects.order_by("-seq").first().seq
triage = Officer.objects.get(username="baijie")
cases.act(Case.objects.get(title="未封存").pk, Doing("register", {}), by=triage, reach=reach_of(triage, at=at), at=at)
officers.create("xinren", name="新人", by=None, at=at)
assert Event.objects.filter(seq__gt=before).count() >= 2
assert followers.drain(at=at) and seal.seal(at=at) and seal.verify().ok
print(json.dumps(said, sort_keys=True))
"""

RESTORE_ALL = """
import django; django.setup()
import json
from pathlib import Path
from anlan.kernel.text import Refusal
from anlan.presentation import restoring
said = {{}}
for name in {names}:
    try:
        restoring.restore(Path({folder!r}) / (name + ".tar.gz"))
    except Refusal as refusal:
        said[name] = refusal.text.en
print(json.dumps(said))
"""

WRITE = """
import django; django.setup()
import sys
from anlan.places import officers
from anlan.places.departments import create
from anlan.kernel.text import Text
from anlan.places.models import Area
from world import AT
area = Area.objects.order_by("path").first()
for number in range(100_000):
    create(f"made{number}", name=Text(zh="局", en="Office"), area=area, by=None, at=AT)
    print(number, flush=True)
"""


@pytest.fixture(scope="module")
def server() -> Server:
    """The PostgreSQL server the tests run on, or one for this module."""
    socket = os.environ.get("ANLAN_TEST_SOCKET")
    return Server(socket=socket) if socket else postgres.start()


@dataclass(frozen=True, slots=True)
class Filled:
    """An installation with something of everything in it, a backup of it, and what it held then."""

    here: Installation
    backup: Path
    said: str
    contents: dict[str, Any]


@pytest.fixture(scope="module")
def filled(installations: Installations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    here = installations.make()
    here.python("-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{FILL}")
    file = tmp_path_factory.mktemp("backup") / "whole.tar.gz"
    said = here.anlan("backup", str(file)).stdout
    held = json.loads(run(here, CONTENTS))
    yield Filled(here, file, said, held)
    installations.remove(here)


@pytest.fixture
def empties(server: Server, tmp_path: Path) -> Iterator[dict[str, Installation]]:
    """An empty installation on each of the two databases."""
    name = f"anlan_restored_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    server.drop(name)
    made = {}
    for kind in ("sqlite", "postgresql"):
        data = tmp_path / kind
        data.mkdir()
        url = f"sqlite:///{data / 'anlan.sqlite3'}" if kind == "sqlite" else server.create(name)
        made[kind] = Installation(data=data, url=url)
    yield made
    server.drop(name)


def run(installation: Installation, script: str) -> str:
    """The last line that a script says inside the installation."""
    lines = installation.python("-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{script}").stdout
    return lines.strip().splitlines()[-1]


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The sentence, in both languages, with which a command was refused."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 2, done.stderr
    return done.stderr


def test_a_backup_goes_to_the_other_database_and_back_and_nothing_is_lost(
    filled: Filled, empties: dict[str, Installation], tmp_path: Path
) -> None:
    assert "Head of the ledger" in filled.said
    assert filled.backup.stat().st_mode & 0o077 == 0
    assert filled.contents["read"][0]["reporter_phone"] == "138"
    assert len(filled.contents["media"]) == 2
    back = empties.pop(filled.here.vendor)
    [other] = empties.values()
    restored = other.anlan("restore", str(filled.backup))
    assert "台账完好" in restored.stdout
    assert restored.stderr == ""
    other.anlan("backup", str(tmp_path / "back.tar.gz"))
    assert "台账完好" in other.anlan("restore", str(tmp_path / "back.tar.gz"), "--data-url", back.url).stdout
    # `--data-url` chooses the database; the photos went to the data folder of the process.
    assert json.loads(run(other, CONTENTS + GO_ON_BELOW)) == filled.contents
    assert json.loads(run(Installation(other.data, back.url), CONTENTS + GO_ON_BELOW)) == filled.contents
    assert "台账完好" in other.anlan("ledger", "verify").stdout


def test_a_backup_taken_while_others_write_is_of_one_moment(
    filled: Filled, empties: dict[str, Installation], tmp_path: Path
) -> None:
    writer = filled.here.start("-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{WRITE}")
    assert writer.stdout is not None
    try:
        first = [writer.stdout.readline() for _ in range(5)]
        done = filled.here.anlan("backup", str(tmp_path / "b.tar.gz"))
        later = [writer.stdout.readline() for _ in range(5)]
    finally:
        writer.kill()
        writer.communicate()
    assert all(line.strip().isdigit() for line in first + later), first + later
    assert "Backed up" in done.stdout
    there = empties["sqlite"]
    there.anlan("restore", str(tmp_path / "b.tar.gz"))
    found = json.loads(run(there, CONTENTS))
    made = [row for row in found["places.Department"] if row[1].startswith("made")]
    told = [row for row in found["ledger.Event"] if "department.created" in row and "made" in json.dumps(row)]
    assert len(made) == len(told) >= 5


def test_nothing_is_restored_over_what_is_there_and_no_backup_overwritten(filled: Filled) -> None:
    before = filled.backup.read_bytes()
    assert "not empty" in refused(filled.here.anlan("restore", str(filled.backup), check=False))
    assert "--force" in refused(filled.here.anlan("backup", str(filled.backup), check=False))
    assert filled.backup.read_bytes() == before


def test_a_damaged_or_foreign_archive_is_refused_with_a_sentence(
    filled: Filled, empties: dict[str, Installation], tmp_path: Path
) -> None:
    there, expected = empties["sqlite"], {}
    there.python("-m", "django", "migrate", "--skip-checks", "--verbosity", "0")
    for name, content, word in _spoiled(filled.backup):
        (tmp_path / f"{name}.tar.gz").write_bytes(content)
        expected[name] = word
    said = json.loads(run(there, RESTORE_ALL.format(folder=str(tmp_path), names=[*expected, "none"])))
    for name, word in expected.items():
        assert word in said[name], name
    assert "no file" in said["none"]
    there.anlan("restore", str(filled.backup))


def _spoiled(whole: Path) -> Iterator[tuple[str, bytes, str]]:
    content = whole.read_bytes()
    yield "cut", content[: len(content) // 2], "damaged"
    yield "text", b"this is no archive", "no backup"
    yield "empty", b"", "no backup"
    yield "gzip", gzip.compress(b"nothing"), "no backup"
    yield "foreign", _packed({"readme.txt": b"hello"}), "no backup"
    members = _members(whole)
    table = "tables/places_department.jsonl"
    changed = members[table].replace("住建局".encode(), "别的局".encode())
    yield "changed", _packed(members | {table: changed}), "changed or damaged"
    yield "missing", _packed({name: data for name, data in members.items() if name != table}), "missing"
    yield "more", _packed(members | {"tables/more.jsonl": b"[]"}), "manifest"
    manifest = json.loads(members["manifest.json"])
    climbing = manifest | {"media": [{"name": "media/../../x", "size": 0, "sha256": ""}]}
    yield "climbing", _packed(members | {"manifest.json": json.dumps(climbing).encode()}), "no backup gives"
    older = manifest | {"migrations": manifest["migrations"][:-1]}
    yield "older", _packed(members | {"manifest.json": json.dumps(older).encode()}), "other tables"
    yield "touched", _touched(members, manifest), "ledger"


def _touched(members: dict[str, bytes], manifest: dict[str, Any]) -> bytes:
    """A backup whose digests all fit, made by somebody who changed one event."""
    name = "tables/ledger_event.jsonl"
    changed = members[name].replace("住建局".encode(), "别的局".encode(), 1)
    table = next(each for each in manifest["tables"] if each["file"]["name"] == name)
    table["file"] |= {"size": len(changed), "sha256": hashlib.sha256(changed).hexdigest()}
    return _packed(members | {name: changed, "manifest.json": json.dumps(manifest).encode()})


def _members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {entry.name: (tar.extractfile(entry) or io.BytesIO()).read() for entry in tar}


def _packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def test_another_secret_key_is_told(
    filled: Filled, empties: dict[str, Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANLAN_SECRET_KEY", "another key")
    assert "secret key" in empties["sqlite"].anlan("restore", str(filled.backup)).stderr


def test_lists_are_exported_within_the_reach_of_the_person_named(filled: Filled, tmp_path: Path) -> None:
    file = tmp_path / "cases.xlsx"
    cases = len(filled.contents["casework.Case"])
    assert f" {cases} rows" in filled.here.anlan("export", "cases", str(file), "--as", "baijie").stdout
    assert file.read_bytes()[:2] == b"PK"
    assert " 0 rows" in filled.here.anlan("export", "cases", str(tmp_path / "none.csv"), "--as", "wairen").stdout
    for what, name, who in (("nothing", "x.csv", "baijie"), ("cases", "x.pdf", "baijie"), ("cases", "x.csv", "nobody")):
        refused(filled.here.anlan("export", what, str(tmp_path / name), "--as", who, check=False))


def test_a_table_is_imported_and_what_became_of_every_row_is_told(filled: Filled, tmp_path: Path) -> None:
    file = tmp_path / "台账.csv"
    rows = [
        "编号,时间,类别,描述,网格编码",
        "A-1,2026年3月2日,违停,占道停车,330101001001001",
        "A-2,2026年13月1日,违停,占道,",
    ]
    file.write_bytes("\n".join(rows).encode("gb18030"))
    command = ("import", str(file), "--channel", "sheet_general", "--as", "baijie")
    said = filled.here.anlan(*command).stdout
    assert "1  成为上报" in said
    assert "[3]" in said
    again = filled.here.anlan(*command, "--replay", check=False)
    assert "2  以前收到过" in again.stdout
    assert "replay" in refused(again)
    assert "no channel" in refused(filled.here.anlan("import", str(file), "--channel", "nothing", check=False))
