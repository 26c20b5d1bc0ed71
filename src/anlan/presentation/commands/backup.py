"""`anlan backup`: the whole installation in one file, taken while it serves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from anlan.kernel.text import Refusal
from anlan.ledger import seal
from anlan.presentation import archive

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="备份文件，如 anlan-2026-11-22.tar.gz / The file to write")],
    force: Annotated[
        bool, typer.Option("--force", help="文件已存在时覆盖 / Overwrite the file if it is there")
    ] = False,
) -> None:
    """备份全部数据和照片到一个文件；不必停止服务，内容是同一时刻的。

    Back up all data and photos into one file; it is consistent while serving. Keep the secret key (ANLAN_SECRET_KEY or
    the file `secret` in the data folder) apart from it: without the key nobody can read personal data, you included.
    """
    if file.exists() and not force:
        raise Refusal(f"{file} 已存在；要覆盖请加 --force。", f"{file} is there already; --force overwrites it.")
    if not file.parent.is_dir():
        raise Refusal(f"没有文件夹 {file.parent}。", f"There is no folder {file.parent}.")
    at = timezone.now()
    seal.seal(at=at)  # so that whoever restores it can prove every event in it
    manifest = archive.save(file, at=at)
    rows, events = sum(table.rows for table in manifest.tables), manifest.rows("ledger.Event")
    typer.echo(f"已备份 {rows} 行（其中事件 {events} 条）、文件 {len(manifest.media)} 个：{file}")
    typer.echo(f"Backed up {rows} rows ({events} of them events) and {len(manifest.media)} files: {file}")
    if manifest.head:
        typer.echo(f"台账链头，请另行记下 / Head of the ledger, to be noted elsewhere: {manifest.head}")
