"""Counting on Spark: the same passes as DuckDB's, written in Spark's dialect, run by a cluster.

`master` is Spark's own word for where: `spark://host:7077`, or `local-cluster[2,1,1024]` (workers, cores and memory of
each) for processes of this machine that talk as a cluster does. What is asked for is read as Arrow.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import util
from pathlib import Path
from shutil import which
from typing import Any, Final

from sqlglot import exp

from anlan.facts.store import Store, open_store
from anlan.index.counting.duckdb_engine import tables_in
from anlan.kernel.text import Refusal

_USUAL: Final[dict[str, str]] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_HERE: Final[dict[str, str]] = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
}
"""What else holds for processes of this machine alone."""


class NoSpark(Refusal):
    """Spark cannot be started here."""


class Spark:
    """Tables of a folder of facts that every worker can read, or Arrow tables, in a Spark session."""

    name = "spark"

    def __init__(self, session: Any) -> None:
        self._session = session

    def rows(self, select: exp.Select) -> Any:
        """The answer to a query, as an Arrow table."""
        return self._session.sql(select.sql("spark")).toArrow()

    def has(self, table: str) -> bool:
        """Whether there is a table of this name."""
        return bool(self._session.catalog.tableExists(table))

    def add(self, table: str, rows: Any) -> None:
        """An Arrow table under a name."""
        self._session.createDataFrame(rows).createOrReplaceTempView(table)

    def read(self, folder: str, names: list[str]) -> None:
        """The named tables of a folder of facts."""
        for name in names:
            self._session.read.parquet(f"{folder}/{name}").createOrReplaceTempView(name)


@contextmanager
def session(master: str, settings: Mapping[str, str] | None = None) -> Iterator[Any]:
    """A Spark session on a cluster, stopped at the end. Raises NoSpark."""
    here = _HERE if master.startswith("local") else {}
    started = _started(master, {**_USUAL, **here, **(settings or {})})
    try:
        yield started
    finally:
        started.stop()


@contextmanager
def over_folder(folder: Path, master: str, settings: Mapping[str, str] | None = None) -> Iterator[Spark]:
    """The tables in a folder of facts: every sub-folder that holds Parquet."""
    with session(master, settings) as started:
        engine = Spark(started)
        engine.read(folder.resolve().as_uri(), sorted(tables_in(open_store(folder))))
        yield engine


@contextmanager
def over_store(store: Store, master: str) -> Iterator[Spark]:
    """The tables where facts lie: a folder that every worker sees, or a bucket (its keys are Hadoop's own settings)."""
    if store.local:
        with over_folder(Path(store.path("")), master) as engine:
            yield engine
        return
    with session(master) as started:
        engine = Spark(started)
        engine.read(f"s3a://{store.path('').rstrip('/')}", sorted(tables_in(store)))
        yield engine


@contextmanager
def over_tables(tables: Mapping[str, Any], started: Any) -> Iterator[Spark]:
    """Arrow tables by name, in a session that was started."""
    engine = Spark(started)
    for name, rows in tables.items():
        engine.add(name, rows)
    try:
        yield engine
    finally:
        for name in tables:
            started.catalog.dropTempView(name)


def _started(master: str, settings: Mapping[str, str]) -> Any:
    if util.find_spec("pyspark") is None:
        raise NoSpark(
            "没有安装 Spark。请执行：pip install 'anlan[spark]'", "Spark is missing: pip install 'anlan[spark]'"
        )
    if not which("java") and not os.environ.get("JAVA_HOME"):
        raise NoSpark(
            "Spark 要用 Java 17 或更新版本，这里没有。请安装 openjdk-17-jre-headless，或用 --engine duckdb。",
            "Spark needs Java 17 or newer, and there is none. Install openjdk-17-jre-headless or use --engine duckdb.",
        )
    import pyspark  # noqa: PLC0415 - an extra that few have
    from py4j.protocol import Py4JError  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    running = SparkSession.getActiveSession()
    if running is not None and running.sparkContext.master != master:
        raise NoSpark(
            f"本进程里已有连到 {running.sparkContext.master} 的 Spark，请先停掉它。",
            f"This process already has Spark on {running.sparkContext.master}; stop that first.",
        )
    # The workers of a local cluster are started from here; a real one has its own.
    os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
    builder = SparkSession.builder.appName("anlan").master(master)
    for key, value in settings.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except (Py4JError, OSError) as error:
        said = str(error).strip().splitlines()[-1][:200]
        raise NoSpark(f"Spark（{master}）起不来：{said}", f"Spark ({master}) cannot be started: {said}") from error
