"""`anlan town`: brings a declared town into the tables, as often as its file changes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from django.utils import timezone

from anlan.intake.topic import TOPICS, lineage
from anlan.kernel.catalogue import current
from anlan.kernel.text import Refusal
from anlan.places import areas, duties, holidays, towns
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
    """把城镇的辖区、部门、人员、职责和场所装入数据库；文件改了再装一次，只改变改过的。

    Load a town's areas, departments, officers, duties and sites; loading it again changes only what the file changed.
    """
    prepare()
    done = towns.load(towns.town(key), by=None, at=timezone.now())
    typer.echo(f"新增 {done.created}，更新 {done.changed}，不变 {done.unchanged}")
    typer.echo(f"{done.created} added, {done.changed} changed, {done.unchanged} unchanged")


@app.command()
def responsible(
    area: Annotated[str, typer.Argument(help="辖区编码 / Code of the area")],
    topic: Annotated[str, typer.Option(help="类别的键；不写则问全部事项 / Key of the topic; none asks for all")] = "",
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="哪一天；不写则今天 / Day; today")] = None,
) -> None:
    """这件事、在这里、今天，由谁负责：部门、责任人、副手。

    Who is responsible for this, here, today: department, officer, deputy.
    """
    prepare()
    topics = current().all(TOPICS)
    if topic:
        current().get(TOPICS, topic)
    on = day.date() if day else timezone.localdate()
    place = areas.find(area, on)
    on = on if day else holidays.calendar_at(place.path).local_date(timezone.now())
    found = duties.responsible(lineage(topics, topic) if topic else "", place.path, day=on)
    if found is None:
        raise Refusal(
            f"{on}，{place.name_zh}没有部门负责这件事。请在城镇文件的 [[duties]] 里写明。",
            f"On {on} no department in {place.name_en} answers for it. Say who does in [[duties]] of the town's file.",
        )
    typer.echo(f"{found.department.key:<24}{found.department.name_zh} · {found.department.name_en}")
    for who, zh, en in ((found.officer, "责任人", "officer"), (found.deputy, "副手", "deputy")):
        if who is not None:
            typer.echo(f"{who.username:<24}{who.name}  {zh} · {en}")
