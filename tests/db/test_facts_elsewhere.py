"""Facts in a bucket that speaks S3 are the same files, and anybody's tools read them without Anlan."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pandas as pd
import pytest
from moto.server import ThreadedMotoServer
from pyarrow.fs import S3FileSystem

from anlan.facts import manifest
from anlan.facts.export import export
from anlan.facts.store import NoStore, open_store
from anlan.facts.verify import verify
from chance import lived
from exported import Facts
from howto import page
from world import World, world

READ = """
import sys
import duckdb, pandas
folder = sys.argv[1]
rows = duckdb.sql(f"SELECT month, count(*) FROM read_parquet('{folder}/cases/*/*.parquet') GROUP BY 1 ORDER BY 1")
print(rows.fetchall())
print(sorted(pandas.read_parquet(f"{folder}/cases").groupby("month", observed=True).size().items()))
print(sorted(module for module in sys.modules if module.startswith("anlan")))
"""


@pytest.fixture
def town() -> World:
    return world()


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts(tmp_path / "facts", tmp_path / "aside")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket on a server of its own."""
    for name, value in {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "x"}.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # What one server of this process holds the next one holds, too.
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    there = f"endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    S3FileSystem(endpoint_override=f"{host}:{port}", scheme="http", region="us-east-1",
                 allow_bucket_creation=True).create_dir("town")  # fmt: skip
    yield f"s3://town/facts?{there}"
    server.stop()


def test_a_bucket_holds_the_same_files_as_a_folder_from_run_to_run(town: World, facts: Facts, bucket: str) -> None:
    there = open_store(bucket)
    for seed in (21, 22):
        lived(town, seed, count=6)
        facts.export(town.at)
        run = export(there, aside=facts.aside, at=town.at)
        assert run is not None
        assert verify(there).ok
        held = manifest.read(there)
        assert held is not None
        assert held == manifest.read(facts.store)
        assert {name: there.read(name) for name in held.files} == facts.files()
    assert [name for name in there.names() if name.startswith(".next")] == []
    assert export(there, aside=facts.aside, at=town.at) is None


def test_a_file_that_is_gone_from_a_bucket_is_missed(town: World, facts: Facts, bucket: str) -> None:
    lived(town, 23, count=3)
    there = open_store(bucket)
    export(there, aside=facts.aside, at=town.at)
    there.delete(next(name for name in there.names() if name.startswith("steps/")))
    [finding] = verify(there).findings
    assert "is missing in s3://town/facts" in finding.en
    assert "secret" not in finding.en


def test_a_bucket_that_is_not_there_is_said_in_a_sentence(town: World, facts: Facts, bucket: str) -> None:
    gone = open_store(bucket.replace("//town", "//gone"))
    with pytest.raises(NoStore, match="s3://gone/facts, cannot be used"):
        export(gone, aside=facts.aside, at=town.at)
    with pytest.raises(NoStore, match="s3://town/x is not understood") as refused:
        open_store("s3://me:word@town/x?no_such=1")
    assert "word" not in str(refused.value)


def test_duckdb_and_pandas_read_it_without_anlan(town: World, facts: Facts) -> None:
    lived(town, 24, count=12)
    facts.export(town.at)
    script = facts.folder.with_name("read.py")
    script.write_text(READ)
    said = subprocess.run(
        [sys.executable, "-I", str(script), str(facts.folder)], env={"PATH": os.environ["PATH"]}, text=True,
        capture_output=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    wanted = facts.ask("SELECT month, count(*) FROM cases GROUP BY month ORDER BY month")
    assert wanted
    assert said == [str(wanted), str(wanted), "[]"]
    steps = pd.read_parquet(facts.folder / "steps")
    assert str(steps["at"].dtype) == "datetime64[us]"
    assert steps["photos"].dtype == "int64"


def test_the_lines_of_the_page_on_reading_work(town: World, facts: Facts) -> None:
    lived(town, 25, count=6)
    facts.export(town.at)
    lines = [block.body for block in page("read-the-facts").blocks if block.language == "python"]
    assert len(lines) == 4
    for each in lines:
        if "pyspark" not in each:
            folder = facts.folder.parent
            subprocess.run([sys.executable, "-c", each], cwd=folder, check=True, capture_output=True)
