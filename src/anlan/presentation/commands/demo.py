"""`anlan demo`: an invented town with ninety days behind it, served at once."""

from __future__ import annotations

from typing import Annotated

import typer
from django.utils import timezone

from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.places.town import TOWNS
from anlan.presentation import checks
from anlan.presentation.commands import serve

app = typer.Typer(add_completion=False, rich_markup_mode=None)
NO_TOWN = Refusal(
    "没有找到演示县城的包。请在源码目录里执行 make demo，或先设 ANLAN_PACKS 指向 packs/qinglan。",
    "The demo town's pack is not here. Run make demo in the source folder, or set ANLAN_PACKS to packs/qinglan.",
)


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口 / Port")] = 8000,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="建好后打开网站 / Serve it once built")] = True,
) -> None:
    """建一座虚构的演示县城（已建过则直接打开），打印登录名并打开网站；只有本机能访问。

    Build the invented demo town unless it is there, print the sign-ins and serve it, on this machine alone.
    """
    from anlan.presentation.demo import town  # noqa: PLC0415 # the other commands need no demo town

    if town.TOWN not in catalogue.current().all(TOWNS):
        raise NO_TOWN
    checks.refuse_problems(catalogue.current())
    serve.prepare()
    town.build(at=timezone.now(), say=typer.echo)
    if serving:
        serve.run(host="127.0.0.1", port=port, workers=1, work=True)
