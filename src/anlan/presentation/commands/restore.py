"""`anlan restore`: a backup into an empty database, proven by the ledger."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from anlan.kernel.text import Text
from anlan.presentation import restoring
from anlan.presentation.commands.serve import prepare

OTHER_KEY = Text(
    zh="注意：这里的密钥与备份时不同，上报人等个人信息读不出来；"
    "请把原来的 ANLAN_SECRET_KEY（或数据文件夹里的 secret 文件）拿过来。",
    en="Note: the secret key here is not the one of the backup, so personal data cannot be read; "
    "bring over the old ANLAN_SECRET_KEY (or the file `secret` of the data folder).",
)
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="anlan backup 做出的文件 / A file that anlan backup made")],
    data_url: Annotated[str, typer.Option(help="恢复到这个数据库 / Restore into this database")] = "",
) -> None:
    """把备份恢复到一个空的数据库（SQLite 或 PostgreSQL 都可以），并验证台账；有任何不对就什么都不恢复。

    Restore a backup into an empty database, SQLite or PostgreSQL alike, and verify the ledger; if anything is wrong
    nothing is restored.
    """
    if data_url and data_url != os.environ.get("ANLAN_DATABASE_URL"):
        raise typer.Exit(_elsewhere(file, data_url))
    prepare()
    manifest, verdict = restoring.restore(file)
    rows = sum(table.rows for table in manifest.tables)
    typer.echo(f"已恢复 {rows} 行、文件 {len(manifest.media)} 个（备份于 {manifest.made_at}）。")
    typer.echo(f"Restored {rows} rows and {len(manifest.media)} files (backed up at {manifest.made_at}).")
    typer.echo(f"封存 {verdict.seals} 批，事件 {verdict.events} 条，尚未封存 {verdict.unsealed} 条")
    typer.echo(f"{verdict.seals} seals, {verdict.events} events sealed, {verdict.unsealed} not yet")
    typer.echo("台账完好。 / The ledger is whole.")
    if restoring.kept_under_another_key(manifest):
        typer.echo(OTHER_KEY.zh, err=True)
        typer.echo(OTHER_KEY.en, err=True)


def _elsewhere(file: Path, data_url: str) -> int:
    """The same command in a process of its own, for the database is chosen as a process starts."""
    command = [sys.executable, "-m", "anlan.presentation.commands.main", "restore", str(file)]
    return subprocess.run(command, env=os.environ | {"ANLAN_DATABASE_URL": data_url}, check=False).returncode
