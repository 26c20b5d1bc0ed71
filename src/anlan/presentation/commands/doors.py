"""`anlan doors`: which way in or out is stuck, at a glance."""

from __future__ import annotations

from datetime import timedelta

import typer
from django.utils import timezone

from anlan.intake.doors import Door
from anlan.presentation import doors as status

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doors() -> None:
    """列出每个渠道和后台循环：最近来件、数量、待核、延迟；有积压或该来不来的，退出码为 1。

    List each channel and loop: its last message, how many, what is held, how late; exit code 1 if any is stuck.
    """
    groups = status.every(at=timezone.now())
    for title, group in groups:
        typer.echo(f"{title.zh} / {title.en}")
        for door in group:
            typer.echo(_line(door))
            if door.says is not None:
                typer.echo(f"      {door.says.zh}\n      {door.says.en}")
    if not status.are_well(groups):
        raise typer.Exit(1)


def _line(door: Door) -> str:
    word = status.WORDS[door.state]
    last = timezone.localtime(door.last_at).strftime("%Y-%m-%d %H:%M:%S") if door.last_at else "–"
    if ":" in door.key:
        return f"  {door.key:<22}{last:<21}未了 open {door.held:<8}{word.zh} / {word.en}"
    counts = f"1 h {door.hour:<7}24 h {door.day:<8}平日 usual {door.usual:<9.1f}待核 held {door.held:<6}"
    return f"  {door.key:<22}{last:<21}{counts}迟 delay {_span(door.delay):<8}{word.zh} / {word.en}"


def _span(span: timedelta | None) -> str:
    return "–" if span is None else f"{round(span.total_seconds())} s"
