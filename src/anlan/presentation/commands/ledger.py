"""`anlan ledger`: proves that what happened was not touched afterwards."""

from __future__ import annotations

import typer

from anlan.ledger import seal

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """台账：验证封存的事件没有被改动。

    The ledger: prove that sealed events were not touched.
    """


@app.command()
def verify() -> None:
    """重新计算每一批封存，指出被改动、删除或插入的事件；有问题时退出码为 1。

    Compute every seal again and name what was changed, removed or inserted; exit code 1 if anything was.
    """
    verdict = seal.verify()
    for finding in verdict.findings:
        where = f"#{finding.batch}" if finding.seq is None else f"#{finding.batch} · {finding.seq}"
        typer.echo(f"{where}  {finding.what.zh} / {finding.what.en}")
    typer.echo(f"封存 {verdict.seals} 批，事件 {verdict.events} 条 / {verdict.seals} seals, {verdict.events} events")
    if not verdict.ok:
        typer.echo("台账被改动过。 / The ledger was touched.")
        raise typer.Exit(1)
    typer.echo("台账完好。 / The ledger is whole.")
