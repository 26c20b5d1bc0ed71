"""`anlan likeness`: what makes two reports one thing, learned from what the town itself merged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from anlan.casework import merges
from anlan.intake import learning, likeness
from anlan.intake.likeness import NAMES, Likeness
from anlan.kernel.text import Refusal

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

DAYS = 400
"""How far back is looked unless a day is given."""


class FileThere(Refusal):
    """There is a file of that name already."""


@app.callback()
def main() -> None:
    """相似判断：什么样的两条上报是同一件事。

    Likeness: what makes two reports one thing.
    """


@app.command()
def learn(
    out: Annotated[Path, typer.Option(help="写到哪个文件 / Which file to write")],
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="从哪一天起 / From which day on")] = None,
    most: Annotated[int, typer.Option(min=1, help="最多看多少条上报 / How many reports at most")] = 20_000,
) -> None:
    """按本地并案的情况学习权重，写成声明文件；放进包的 likeness 文件夹、重新启动后生效。

    Learn the weights from what was merged here, and write them as a declaration; it is in force once it lies in the
    folder likeness of a pack and the server was started again.
    """
    if out.exists():
        raise FileThere(f"{out} 已经存在，请换一个文件名。", f"{out} exists already; choose another name.")
    start = timezone.make_aware(since) if since else timezone.now() - timedelta(days=DAYS)
    before = likeness.in_use()
    after = learning.learn(merges.pairs(since=start, most=most), before, until=timezone.localdate())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(learning.written(after), encoding="utf-8")
    for line in _lines(before, after):
        typer.echo(line)
    typer.echo(out)


def _lines(before: Likeness, after: Likeness) -> Iterator[str]:
    assert after.learned is not None
    pairs, same = after.learned.pairs, after.learned.same
    yield f"{pairs} 对，其中 {same} 对是同一件 / {pairs} pairs, {same} of them one thing"
    for name in NAMES:
        yield f"{name:<14}{getattr(before.weights, name):>9.4f} → {getattr(after.weights, name):.4f}"
    yield f"{'threshold':<14}{before.threshold:>9.4f} → {after.threshold:.4f}"
