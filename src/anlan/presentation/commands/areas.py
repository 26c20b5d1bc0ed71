"""`anlan areas`: tells where the boundaries of areas do not fit together."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer
from django.utils import timezone

from anlan.places import areas as tree
from anlan.places import seams
from anlan.places.models import Area
from anlan.presentation.commands.serve import prepare

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def areas() -> None:
    """辖区：检查下级辖区的边界是否重叠、有无空隙。

    Areas: find where the boundaries of the areas below overlap or leave holes.
    """


@app.command()
def check(
    area: Annotated[str, typer.Argument(help="辖区编码；不写则检查全部 / Code of the area; all without")] = "",
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="哪一天；不写则今天 / Day; today")] = None,
) -> None:
    """列出同级辖区边界的重叠和空隙：面积，和其中的一点；有问题时退出码为 1。

    List the overlaps and holes of sibling boundaries, with their size and a point in each; exit code 1 if any.
    """
    prepare()
    on = day.date() if day else timezone.localdate()
    wrong = [each for each in ([tree.find(area, on)] if area else _parents(on)) if not _fits(each, seams.fit(each, on))]
    if wrong:
        typer.echo(f"{len(wrong)} 个辖区的下级边界不吻合。 / In {len(wrong)} areas the boundaries below do not fit.")
        raise typer.Exit(1)
    typer.echo("边界全部吻合。 / All boundaries fit.")


def _parents(day: date) -> list[Area]:
    """The areas that have others below them."""
    found = list(tree.at_day(day).defer("boundary"))
    above = {path for area in found for path in tree.ancestors(area.path)[:-1]}
    return [area for area in found if area.path in above]


def _fits(area: Area, found: seams.Fit) -> bool:
    if not found.ok:
        typer.echo(f"{area.code}  {area.name_zh} · {area.name_en}")
    for shared in found.overlaps:
        size = f"{shared.square_metres:,.0f} m²  {shared.lon:.6f},{shared.lat:.6f}"
        typer.echo(f"  重叠 overlap  {shared.one} + {shared.other}  {size}")
    for hole in found.holes:
        typer.echo(f"  空隙 hole     {hole.square_metres:,.0f} m²  {hole.lon:.6f},{hole.lat:.6f}")
    for code in found.undrawn:
        typer.echo(f"  没有边界 no boundary  {code}")
    return found.ok
