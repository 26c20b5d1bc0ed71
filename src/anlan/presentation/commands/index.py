"""`anlan index`: indices and their indicators: listed, checked, and worked out from the facts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any
from unicodedata import east_asian_width

import pyarrow.parquet as pq
import typer
from django.conf import settings

from anlan.facts.store import Store, open_store
from anlan.facts.table import TABLES
from anlan.index.counting import cells, coverage, duckdb_engine, period, run, spark_engine, upkeep
from anlan.index.counting.cells import Kept
from anlan.index.counting.indicator import INDICATORS, Indicator
from anlan.index.counting.run import Counted
from anlan.index.scoring.panel import WORDS, Panel, Status
from anlan.index.scoring.spec import INDICES
from anlan.kernel import catalogue
from anlan.kernel.catalogue import DeclarationError
from anlan.kernel.text import Refusal, Text
from anlan.presentation import index_checks
from anlan.presentation.commands import editions, recheck

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
editions.register(app)
app.command("recheck")(recheck.recheck)


class NoIndicators(Refusal):
    """Nothing is declared that could be counted for an index."""


class BadEngine(Refusal):
    """There is no engine of this name."""


@app.callback()
def indices() -> None:
    """指数：列出、检查、从事实表计算。

    Indices: list them, check them, work them out from the facts.
    """


@app.command("list")
def list_() -> None:
    """列出指数，各有多少指标、按什么期间计。

    List the indices, how many indicators each has, and for which periods.
    """
    declared = catalogue.current().all(INDICATORS).values()
    for key, spec in sorted(catalogue.current().all(INDICES).items()):
        count = sum(indicator.index == key for indicator in declared) + len(spec.columns)
        unit = period.KINDS[spec.period]
        typer.echo(f"{key:<20}{count:>5}  {unit.zh}/{unit.en:<9}  {spec.title.zh} / {spec.title.en}")


@app.command("check")
def check(index: Annotated[str, typer.Argument(help="指数；不写则全部 / An index; all without")] = "") -> None:
    """检查指数及其指标、规则：键、表、列、条件是否成立，示例是否算得出；有错时逐条指出，退出码为 2。

    Check an index, its indicators and rules: keys, tables, columns and conditions, and that examples come out; exit
    code 2 if not.
    """
    known = catalogue.current()
    if index:
        known.get(INDICES, index)
    if found := index_checks.problems(known, index):
        raise DeclarationError(found)
    checked = sum(index in {"", each.index} for each in known.all(INDICATORS).values())
    typer.echo(f"{checked} 个指标，全部成立 / {checked} indicators, all in order")


@app.command("run")
def run_(
    index: Annotated[str, typer.Argument(help="指数；写 - 计不属于指数的指标 / An index; - for indicators of none")],
    asked: Annotated[str, typer.Option("--period", help="期间，如 2026-10 / A period such as 2026-10")],
    engine: Annotated[
        str, typer.Option(help="duckdb、spark://主机:端口 或 local-cluster[2,1,1024] / duckdb, spark://host:port …")
    ] = "duckdb",
    facts: Annotated[str, typer.Option(help="事实表存放处 / Where the facts lie")] = "",
    to: Annotated[Path | None, typer.Option(help="写到哪个文件夹 / Into which folder")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="不用上次留下的计数 / Without what was kept last time")] = False,
) -> None:
    """从事实表算出一期的全部指标值，写成 values.parquet，并列出最上级辖区的结果。

    DuckDB 数过的留着，下次只数新导出的变动；Spark 每次全部数。

    Work out every indicator of a period from the facts, write values.parquet, and show those of the topmost area. What
    DuckDB counted is kept, so that the next time only what was exported since is counted; Spark counts everything.
    """
    began = perf_counter()
    index_checks.refuse(catalogue.current(), "" if index == "-" else index)
    indicators = _declared("" if index == "-" else index)
    tables, month = catalogue.current().all(TABLES), period.read(asked)
    with ExitStack() as stack:
        counting = _engine(engine, store := open_store(facts or str(settings.FACTS)), stack)
        kept = None if anew or engine != "duckdb" else stack.enter_context(_kept(index, store))
        if kept:
            counted, _ = upkeep.counted(indicators, counting, [month], tables, store=store, kept=kept)
        else:
            counted = run.count(indicators, counting, [month], tables)
        if spec := catalogue.current().all(INDICES).get(index):
            counted = replace(counted, panel=coverage.hold(spec, indicators, counted, counting, tables, [month]))
    folder = to or settings.DATA / "index" / "runs" / (index if index != "-" else "none") / asked
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(run.table_of(counted.panel), folder / "values.parquet")
    for line in _shown(indicators, counted):
        typer.echo(line)
    areas, took = len(counted.panel.units), f"{perf_counter() - began:.1f}"
    typer.echo(f"{len(indicators)} 个指标 × {areas} 个辖区，{engine}，{took} 秒：{folder / 'values.parquet'}")
    typer.echo(f"{len(indicators)} indicators × {areas} areas, {engine}, {took} s: {folder / 'values.parquet'}")


def _kept(index: str, store: Store) -> AbstractContextManager[Kept | None]:
    """What was counted for an index of these facts before, unless somebody else is using it."""
    name = hashlib.sha256(f"{index} {store.shown}".encode()).hexdigest()[:16]
    return cells.opened(settings.DATA / "index" / "cells" / name)


def _declared(index: str) -> list[Indicator]:
    if index:
        catalogue.current().get(INDICES, index)
    found = [each for each in catalogue.current().all(INDICATORS).values() if each.index == index]
    if not found:
        raise NoIndicators(
            f"指数“{index}”没有从事实表计算的指标。请在 indicators 文件夹里声明，index 写“{index}”。",
            f"The index “{index}” has no indicators counted from facts. Declare some in a folder `indicators`, "
            f'with index = "{index}".',
        )
    return sorted(found, key=lambda each: (each.order, each.key))


def _engine(name: str, store: Store, stack: ExitStack) -> Any:
    if name == "duckdb":
        return stack.enter_context(duckdb_engine.over_store(store))
    if name.startswith(("spark://", "local-cluster[", "local[", "yarn", "k8s://")):
        return stack.enter_context(spark_engine.over_store(store, name))
    raise BadEngine(
        f"没有“{name}”这种引擎。可写 duckdb、spark://主机:端口、local-cluster[2,1,1024]。",
        f"There is no engine “{name}”. Write duckdb, spark://host:port or local-cluster[2,1,1024].",
    )


def _shown(indicators: list[Indicator], counted: Counted) -> Iterator[str]:
    panel = counted.panel
    yield _row("指标 indicator", "分子 above", "分母 below", "值 value", "单位 unit", "")
    for number, indicator in enumerate(indicators):
        cells = _cells(panel, number)
        yield _row(f"{indicator.key} {indicator.title.zh}", *cells[:3], indicator.unit.zh, cells[3])


def _cells(panel: Panel, number: int) -> tuple[str, str, str, str]:
    """What is said of an indicator in the topmost area of a panel of one period."""
    if not panel.units:
        return "", "", "", ""
    said = [
        "" if array is None else f"{array[0, 0, number]:,.4g}".replace("nan", "—")
        for array in (panel.numerator, panel.denominator, panel.value)
    ]
    status = Status(int(panel.status[0, 0, number]))
    words = Text(zh="", en="") if status == Status.PRESENT else WORDS[status]
    return said[0], said[1], said[2], f"{words.zh} {words.en}".strip()


def _row(name: str, above: str, below: str, value: str, unit: str, status: str) -> str:
    wide = sum(east_asian_width(letter) in "WF" for letter in name)
    return f"{name:<{max(44 - wide, 1)}}{above:>14}{below:>14}{value:>14}  {unit}  {status}".rstrip()
