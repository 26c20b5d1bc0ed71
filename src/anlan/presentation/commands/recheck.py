"""`anlan index recheck`: the cases of an edition that are looked at again, drawn by lot, and what was found of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from django.utils import translation

from anlan.casework.models import Case
from anlan.index.editions import edition, loaded
from anlan.index.editions.edition import Edition
from anlan.kernel.text import Refusal
from anlan.places.models import Officer
from anlan.presentation import publishing, rechecking
from anlan.presentation.rechecking import Draw
from anlan.presentation.saying import say
from anlan.presentation.web.case_export import lines
from anlan.presentation.web.case_rows import headline
from anlan.presentation.web.index import recheck as index_recheck
from anlan.presentation.web.index.recheck import IS, WAITS, Drawn


class NoArea(Refusal):
    """The edition has no such area."""


def recheck(
    index: Annotated[str, typer.Argument(help="指数 / The index")],
    period: Annotated[str, typer.Argument(help="期间，如 2026-10 / A period such as 2026-10")],
    area: Annotated[str, typer.Option(help="辖区代码；不写为最上级 / Code of an area; else the topmost")] = "",
    size: Annotated[int, typer.Option(help="抽几件 / How many to draw")] = rechecking.SIZE,
    number: Annotated[int | None, typer.Option(help="第几版；不写为最后一版 / Which edition; else the last")] = None,
    file: Annotated[Path | None, typer.Option("--csv", help="写成 CSV 文件 / Write a CSV file")] = None,
) -> None:
    """从报称整改完的事项里抽签，列出要到现场再看的，和已经看过的结果；谁来抽都一样。

    Draw, of the cases told as fixed, those to be looked at again, with what was found so far; everybody draws the same.
    """
    found = edition.find(publishing.root(), index, period, number)
    drawn = rechecking.draw(found, _path(found, area), size)
    rows = _rows(drawn)
    for row in rows:
        state = IS[row.found.fixed] if row.found else WAITS
        typer.echo(f"{row.lot:>4}  {row.case.number}  {state.zh} / {state.en}  {headline(row.case).zh}")
    typer.echo(f"{found.name}：{drawn.of} 件中抽 {len(rows)} 件，种子 {drawn.seed}")
    typer.echo(f"{found.name}: {len(rows)} of {drawn.of} drawn, seed {drawn.seed}")
    rate = index_recheck.said_of(drawn.rate(drawn.found()))
    if rate is not None:
        typer.echo(rate.zh)
        typer.echo(rate.en)
    if file is not None:
        _write(file, rows)


def _path(found: Edition, code: str) -> str:
    paths = loaded.scores(found).paths
    if not code:
        return min(paths, key=lambda path: (path.count("/"), path))
    for path in paths:
        if f"/{path}".endswith(f"/{code}/"):
            return path
    raise NoArea(
        f"{found.name} 里没有代码为“{code}”的辖区。代码见“辖区”页面。",
        f"{found.name} has no area with the code “{code}”. Codes stand on the page of areas.",
        field="area",
    )


def _rows(drawn: Draw) -> list[Drawn]:
    said = drawn.found()
    held = Case.objects.select_related("area", "lead", "handler").in_bulk(drawn.cases)
    people = Officer.objects.in_bulk([each.by for each in said.values() if each.by is not None])
    rows = []
    for lot, pk in enumerate(drawn.cases, 1):
        found = said.get(pk)
        by = people[found.by].name if found is not None and found.by in people else ""
        if pk in held:
            rows.append(Drawn(lot, held[pk], found, by, may=False, reopening=""))
    return rows


def _write(file: Path, rows: Sequence[Drawn]) -> None:
    outs = index_recheck.outs()
    with translation.override("zh-hans"), file.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow([say(out.title) for out in outs])
        writer.writerows(lines(outs, rows))
