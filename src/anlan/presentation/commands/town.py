"""`anlan town`: brings a declared town into the tables, as often as its file changes."""

from __future__ import annotations

from typing import Annotated

import typer
from django.utils import timezone

from anlan.kernel.catalogue import current
from anlan.places import towns
from anlan.presentation.commands.serve import prepare

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def town() -> None:
    """城镇：列出声明的，装入数据库。

    Towns: list what is declared, load one.
    """


@app.command("list")
def list_() -> None:
    """列出声明的城镇（ANLAN_PACKS 里的包）。

    List the towns that are declared, in the packs of ANLAN_PACKS.
    """
    for key, declared in sorted(current().all(towns.TOWNS).items()):
        typer.echo(f"{key:<24}{declared.title.zh} · {declared.title.en}")


@app.command()
def load(key: Annotated[str, typer.Argument(help="城镇的键 / Key of the town")]) -> None:
    """把城镇的区域、部门、人员、职责和场所装入数据库；文件改了再装一次，只改变改过的。

    Load a town's areas, departments, officers, duties and sites; loading it again changes only what the file changed.
    """
    prepare()
    done = towns.load(towns.town(key), by=None, at=timezone.now())
    typer.echo(f"新增 {done.created}，更新 {done.changed}，不变 {done.unchanged}")
    typer.echo(f"{done.created} added, {done.changed} changed, {done.unchanged} unchanged")
