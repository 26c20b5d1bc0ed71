"""`anlan procedure`: what a procedure says, and its drawing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from anlan.casework import checker, draw
from anlan.casework.procedure import PROCEDURES, Procedure, in_force, of
from anlan.kernel.catalogue import current
from anlan.kernel.text import Refusal

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="键，可带版本：incident 或 incident@2026.1 / Key, with or without edition")]


@app.callback()
def procedure() -> None:
    """流程：列出、查看、画图。

    Procedures: list, show, draw.
    """


@app.command("list")
def list_() -> None:
    """列出全部流程及版本。

    List every procedure with its editions.
    """
    for identity, declared in sorted(current().all(PROCEDURES).items()):
        typer.echo(f"{identity:<24}{declared.effective_from}  {declared.title.zh} · {declared.title.en}")


@app.command()
def show(
    key: Key,
    svg: Annotated[Path | None, typer.Option(help="把图写到这个文件 / Write the drawing to this file")] = None,
) -> None:
    """查看一部流程的步骤、动作和时限，或用 --svg 画成图。

    Show the steps, acts and clocks of a procedure, or draw it with --svg.
    """
    declared = _find(key)
    wrong = checker.check(declared)
    if wrong:
        raise Refusal("\n".join(w.zh for w in wrong), "\n".join(w.en for w in wrong))
    if svg:
        svg.write_text(draw.svg(declared), encoding="utf-8")
        typer.echo(svg)
        return
    for line in _lines(declared):
        typer.echo(line)


def _find(key: str) -> Procedure:
    name, _, edition = key.partition("@")
    return of(name, edition) if edition else in_force(name, timezone.localdate())


def _lines(p: Procedure) -> Iterator[str]:
    yield f"{p.title.zh} · {p.title.en}  ({p.identity}, {p.effective_from})"
    yield p.summary.zh
    yield p.summary.en
    for key, step in p.steps.items():
        yield ""
        yield f"{key}  {step.title.zh} · {step.title.en}" + (f"  [{step.outcome}]" if step.final else "")
        for name, act in p.acts.items():
            if key in act.steps:
                yield f"    {name} → {act.to or key}  {act.title.zh} · {act.title.en}  ({', '.join(act.who.roles)})"
    yield ""
    for key, clock in p.clocks.items():
        length = f"{clock.length.n:g} {clock.length.unit}"
        yield f"{key}  {clock.title.zh} · {clock.title.en}  {length}  {', '.join(clock.runs)}"
