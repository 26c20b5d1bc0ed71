"""`anlan export`: lists as files, within somebody's reach."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from anlan.kernel.text import Refusal
from anlan.places.models import Officer
from anlan.places.scope import reach_of
from anlan.presentation import exports

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="cases、reports 或 events / cases, reports or events")],
    file: Annotated[
        Path, typer.Argument(help="写到这个文件，后缀定格式：.csv .xlsx .jsonl / The file; its ending is the format")
    ],
    officer: Annotated[str, typer.Option("--as", help="以此人的权限范围 / Within this person's reach (user name)")],
) -> None:
    """导出事项、上报或事件为 CSV、Excel 或 JSON；只包括 --as 此人看得到的。

    Export cases, reports or events as CSV, Excel or JSON lines: what the person given by --as may see, and no more.
    """
    wanted, form = exports.find(what), file.suffix.lstrip(".")
    if form not in exports.FORMATS:
        raise Refusal(
            f"不认识后缀“{file.suffix}”；可用：.csv、.xlsx、.jsonl。",
            f"There is no format '{file.suffix}'; use .csv, .xlsx or .jsonl.",
        )
    who = Officer.objects.filter(username=officer.strip().lower(), is_active=True).first()
    if who is None:
        raise Refusal(f"没有用户“{officer}”。", f"There is no user '{officer}'.")
    query = wanted.rows(reach_of(who, at=timezone.now()))
    with file.open("wb") as out:
        for piece in exports.write(wanted, exports.read(query), form):
            out.write(piece)
    count = min(query.count(), exports.MOST_ROWS)
    typer.echo(f"已导出 {count} 行 / {count} rows exported: {file}")
