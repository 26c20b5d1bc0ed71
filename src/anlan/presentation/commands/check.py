"""`anlan check`: everything a pack declares is valid, and every key it names exists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings

from anlan.kernel.catalogue import DeclarationError, export_schemas, kinds, use
from anlan.presentation import checks

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def check(
    pack: Annotated[list[Path] | None, typer.Option(help="要检查的包，可重复 / A pack to check; repeatable")] = None,
    schemas: Annotated[Path | None, typer.Option(help="把 JSON Schema 写到此文件夹 / Write JSON Schemas here")] = None,
) -> None:
    """检查全部声明文件：能否读懂、键是否存在、流程能否走通。

    Check everything that is declared: it can be read, every key it names exists, every procedure can be walked.
    """
    catalogue = use([*settings.PACKS, *(path.resolve() for path in pack or [])])
    found = checks.problems(catalogue)
    if found:
        raise DeclarationError(found)
    for kind in kinds():
        typer.echo(f"{kind.folder:<14}{len(catalogue.all(kind))}")
    if schemas:
        for written in export_schemas(schemas):
            typer.echo(written)
    typer.echo("全部通过。 / All is well.")
