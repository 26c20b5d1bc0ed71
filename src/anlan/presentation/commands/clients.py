"""`anlan clients`: the systems that post to machine channels, each with its own secret."""

from __future__ import annotations

from typing import Annotated

import typer
from django.utils import timezone

from anlan.intake import clients as verbs
from anlan.intake import hooks
from anlan.intake.models import Client
from anlan.places import areas

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="名称，写在网址里 / Name, as in the address")]


@app.callback()
def clients() -> None:
    """接入方：登记、换密钥、停用、列出。

    Machines that post: add, rotate the secret, stop, list.
    """


@app.command()
def add(
    name: Name,
    channel: Annotated[str, typer.Option(help="渠道 / Channel")],
    area: Annotated[str, typer.Option(help="可以上报的辖区的编码 / Code of the area it may report in")],
    title: Annotated[str, typer.Option(help="对方系统的名字 / What the other system is called")] = "",
) -> None:
    """登记一个接入方；密钥只显示这一次。

    Register a client; its secret is shown this once.
    """
    at = timezone.now()
    where = areas.find(area, timezone.localdate(at))
    client, secret = verbs.register(name, title=title, channel=channel, area=where, by=None, at=at)
    typer.echo(f"网址 / Address: /hooks/{client.name}")
    typer.echo(f"密钥 / Secret: {secret}")


@app.command()
def rotate(name: Name) -> None:
    """换一把密钥；旧的再用七天。

    A new secret; the old one holds for seven more days.
    """
    secret = verbs.rotate(verbs.find(name), by=None, at=timezone.now())
    typer.echo(f"密钥 / Secret: {secret}")


@app.command()
def stop(name: Name) -> None:
    """停用一个接入方。

    Shut the door for a client.
    """
    verbs.set_active(verbs.find(name), False, by=None, at=timezone.now())
    typer.echo(f"已停用 {name} / {name} stopped")


@app.command()
def start(name: Name) -> None:
    """恢复一个接入方。

    Open the door for a client again.
    """
    verbs.set_active(verbs.find(name), True, by=None, at=timezone.now())
    typer.echo(f"已恢复 {name} / {name} may post again")


@app.command("list")
def list_() -> None:
    """列出接入方和计数。

    List the clients with what was counted.
    """
    known = list(Client.objects.order_by("name"))
    counted = hooks.counts([client.name for client in known])
    for client in known:
        said = "  ".join(f"{kind} {number}" for kind, number in sorted(counted[client.name].items()))
        state = "" if client.is_active else "  停用 stopped"
        typer.echo(f"{client.name:<24}{client.channel:<20}{client.area_path}{state}  {said}")
