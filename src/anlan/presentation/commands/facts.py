"""`anlan facts`: the ledger as flat tables in Parquet: exported, proven whole, listed."""

from __future__ import annotations

from time import perf_counter
from typing import Annotated, Final

import typer
from django.utils import timezone

from anlan.facts import manifest
from anlan.facts.manifest import Change, Run
from anlan.facts.store import Store
from anlan.facts.table import TABLES
from anlan.facts.verify import NothingThere, verify
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.presentation import facts, followers

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Place = Annotated[
    str,
    typer.Option(
        "--to",
        help="文件夹，或 s3://桶/文件夹?endpoint_override=主机:端口&scheme=http；不写用 ANLAN_FACTS / "
        "A folder, or s3://bucket/folder?endpoint_override=host:port&scheme=http; else ANLAN_FACTS",
    ),
]
WHY: Final[dict[str, Text]] = {
    "first": Text(zh="首次导出", en="the first export"),
    "asked": Text(zh="要求重新导出", en="it was asked for"),
    "declared": Text(zh="事实表、类别、渠道或程序有变", en="tables, topics, channels or the program changed"),
    "calendar": Text(zh="有辖区改用了别的工作日历", en="an area was given another calendar"),
    "ledger": Text(zh="台账不是上次的那一本（可能恢复过备份）", en="this is another ledger (a backup was restored?)"),
}


@app.callback()
def tables() -> None:
    """事实表：把台账导出为 Parquet，供任何工具读取。

    Facts: the ledger as Parquet, for any tool to read.
    """


@app.command("export")
def export_(
    to: Place = "",
    anew: Annotated[bool, typer.Option("--anew", help="全部重新导出 / Write everything anew")] = False,
) -> None:
    """导出新的事件；晚到和更正的事件会重写所涉月份，并逐月说明。

    Export what is new. Late and corrected events restate the months they touch; each is told.
    """
    store, began = facts.store(to), perf_counter()
    followers.drain(at=timezone.now())
    run = facts.export(store, at=timezone.now(), anew=anew)
    if run is None:
        typer.echo(f"没有新的变化 / Nothing has changed: {store.shown}")
        return
    for line in _told(store, run):
        typer.echo(line)
    typer.echo(f"用时 {perf_counter() - began:.1f} 秒 / {perf_counter() - began:.1f} s")


def _told(store: Store, run: Run) -> list[str]:
    now = manifest.read(store)
    held = {} if now is None else now.tables
    lines = []
    if run.whole:
        why = WHY[run.why]
        lines.append(f"全部重新导出：{why.zh} / Everything was written anew: {why.en}")
        lines += [f"  {key}: {each.rows} 行 rows, {len(each.files)} 个文件 files" for key, each in held.items()]
    for change in run.months:
        lines.append(_line(change))
    lines.append(f"{store.shown}，截至 {run.cut_off} / up to {run.cut_off}")
    return lines


def _line(change: Change) -> str:
    mark = "重述 restated" if change.late else "更新 updated"
    kinds = "，".join(f"{kind} {count}" for kind, count in change.kinds.items())
    counts = f"+{change.added} −{change.removed} ±{change.changed}"
    return f"  {change.table} {change.month}: {mark} {counts}" + (f" ({kinds})" if kinds else "")


@app.command("verify")
def verify_(to: Place = "") -> None:
    """逐个文件核对：缺少、损坏、被改动、未完成的都会指出。

    Compare every file with what was exported: what is missing, damaged, changed or unfinished is told.
    """
    store = facts.store(to)
    verdict = verify(store)
    for finding in verdict.findings:
        typer.echo(finding.zh, err=True)
        typer.echo(finding.en, err=True)
    if not verdict.ok:
        raise typer.Exit(1)
    typer.echo(f"{verdict.files} 个文件、{verdict.rows} 行，完好 / {verdict.files} files, {verdict.rows} rows, whole")


@app.command("list")
def list_(to: Place = "") -> None:
    """列出事实表：行数、月份、截至何时。

    List the tables: rows, months, and how far they reach.
    """
    store = facts.store(to)
    now = manifest.read(store)
    if now is None:
        raise NothingThere(
            f"{store.shown} 里没有事实表。请先执行 anlan facts export。",
            f"No facts lie in {store.shown}. Run anlan facts export first.",
        )
    declared = catalogue.current().all(TABLES)
    for key, held in now.tables.items():
        title = declared[key].title if key in declared else Text(zh=key, en=key)
        typer.echo(f"{key:<12}{held.rows:>12}  {len(held.files):>4}  {title.zh} / {title.en}")
    sealed = f"，封存 {now.seal.number} {now.seal.chain_sha256[:16]}…" if now.seal else ""
    typer.echo(f"{store.shown}，截至 {now.cut_off}{sealed} / up to {now.cut_off}")
