"""The same definitions on Spark, on a cluster of processes, give the values that DuckDB gives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyarrow import dataset
from sqlglot import exp

from anlan.index.counting import duckdb_engine, period, spark_engine
from anlan.index.counting.run import Engine, count
from anlan.index.scoring.panel import Panel
from engine_cases import PLAIN
from invented_facts import TABLES, cases, statistics, tables

FACTS = tables(cases(2000, seed=8), statistics(seed=9))
INDICATORS = [plain.indicator for plain in PLAIN]
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """One cluster for all: two workers, two processes besides this one's."""
    with spark_engine.session("local-cluster[2,1,1024]", {"spark.sql.shuffle.partitions": "2"}) as started:
        yield started


@pytest.fixture
def engine(engine_name: str, session: Any) -> Iterator[duckdb_engine.DuckDB | spark_engine.Spark]:
    if engine_name == "spark":
        yield spark_engine.Spark(session)
    else:
        with duckdb_engine.over_tables({}) as made:
            yield made


def counted(engine: Engine, *names: str) -> Panel:
    return count(INDICATORS, engine, [period.read(name) for name in names], TABLES).panel


def same(one: Panel, other: Panel) -> None:
    assert one.units == other.units
    np.testing.assert_array_equal(one.status, other.status)
    for name in ("value", "numerator", "denominator"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("names", [("2026-02", "2026-09", "2025-Q3"), ("2026-03-01",)], ids=" ".join)
def test_every_value_is_that_of_duckdb(names: tuple[str, ...], session: Any, tmp_path: Path) -> None:
    for name, rows in FACTS.items():
        (tmp_path / name).mkdir()
        pq.write_table(rows, tmp_path / name / "part-0.parquet")
    spark = spark_engine.Spark(session)
    spark.read(tmp_path.as_uri(), list(FACTS))
    with duckdb_engine.over_folder(tmp_path) as duckdb:
        same(counted(spark, *names), counted(duckdb, *names))


@pytest.mark.parametrize("engine_name", ["duckdb", "spark"])
def test_a_table_in_memory_is_counted(engine_name: str, engine: Any) -> None:
    engine.add("areas", FACTS["areas"])
    found = engine.rows(exp.select(exp.Count(this=exp.Star()).as_("n")).from_("areas"))
    assert found["n"].to_pylist() == [16]
    assert engine.has("areas")
    assert not engine.has("cases_of_nobody")


@pytest.mark.never(["spark"], raises=Exception, reason="an Arrow data set lives in this process, the workers do not")
@pytest.mark.parametrize("engine_name", ["duckdb", "spark"])
def test_files_known_to_this_process_alone_are_counted(engine_name: str, engine: Any, tmp_path: Path) -> None:
    pq.write_table(FACTS["areas"], tmp_path / "part-0.parquet")
    engine.add("told", dataset.dataset(tmp_path, format="parquet"))
    found = engine.rows(exp.select(exp.Count(this=exp.Star()).as_("n")).from_("told"))
    assert found["n"].to_pylist() == [16]


@pytest.mark.notyet(["spark"], raises=Exception, reason="the package of Spark has no reader of buckets (hadoop-aws)")
@pytest.mark.parametrize("engine_name", ["spark"])
def test_a_bucket_is_read(engine_name: str, engine: Any) -> None:
    engine.read("s3a://nobody/facts", ["cases"])


def test_a_second_cluster_in_one_process_is_refused_in_a_sentence(session: Any) -> None:
    with pytest.raises(spark_engine.NoSpark) as refused, spark_engine.session("spark://elsewhere:7077"):
        pass
    assert f"已有连到 {session.sparkContext.master} 的 Spark" in refused.value.text.zh
    assert "stop that first" in refused.value.text.en


def test_a_cluster_that_cannot_be_is_told_at_the_terminal_in_a_sentence() -> None:
    command = ["-m", "anlan.presentation.commands.main", "index", "run", "peace_sample", "--period", "2026-10"]
    done = subprocess.run(
        [sys.executable, *command, "--engine", "local-cluster[two]"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "起不来" in done.stderr
    assert "cannot be started" in done.stderr
    assert "Traceback" not in done.stderr
