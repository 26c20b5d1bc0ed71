"""`anlan index draft, sign, publish, withdraw, editions, replay`: what is published of an index, and by whom."""

from __future__ import annotations

from typing import Annotated

import typer
from django.utils import timezone

from anlan.index.editions import edition, replaying
from anlan.index.editions.edition import STATES, Edition, State
from anlan.kernel.text import Refusal
from anlan.places.models import Officer
from anlan.places.scope import Reach, reach_of
from anlan.presentation import publishing
from anlan.presentation.permissions import NotPermitted

Index = Annotated[str, typer.Argument(help="指数 / The index")]
Period = Annotated[str, typer.Option("--period", help="期间，如 2026-10 / A period such as 2026-10")]
Number = Annotated[int | None, typer.Option("--number", help="第几版；不写为最后一版 / Which edition; else the last")]
By = Annotated[str, typer.Option("--as", help="由谁办理（用户名）/ Who does it (user name)")]


def register(app: typer.Typer) -> None:
    """Put these commands beside the others of `anlan index`."""
    for name, command in (
        ("draft", draft), ("sign", sign), ("publish", publish), ("withdraw", withdraw), ("editions", editions),
        ("replay", replay),
    ):  # fmt: skip
        app.command(name)(command)


def draft(index: Index, period: Period, officer: By) -> None:
    """从现有事实算出一期，存为草稿；同一期再起草就是新的一版，旧版不动。

    Work a period out from the facts there are and keep it as a draft; the old editions stay as they are.
    """
    who, reach = _officer(officer, "index.draft")
    made = publishing.draft(index, period, by=who, reach=reach, at=timezone.now())
    said = made.manifest
    _tell(made)
    if said.corrects is not None:
        areas, files = len(said.changes), len(said.restated)
        typer.echo(f"与第 {said.corrects} 版相比，{areas} 个辖区的得分或名次有变，{files} 个事实文件有变")
        typer.echo(
            f"against #{said.corrects}: {areas} areas have another score or place, {files} files of facts differ"
        )
    for change in said.changes[:20]:
        typer.echo(f"  {change.area_path}: {_points(change.before)} → {_points(change.after)}")


def sign(index: Index, period: Period, officer: By, number: Number = None) -> None:
    """复核并签发：先从存下的事实和声明重算一遍，逐位相同才签；起草人不能签自己的。

    Look at a draft and sign it: it is worked out again first and must come out the same; not by who drafted it.
    """
    _move(index, period, number, "signed", officer)


def publish(index: Index, period: Period, officer: By, number: Number = None) -> None:
    """发布已签发的一版。

    Publish an edition that was signed.
    """
    _move(index, period, number, "published", officer)


def withdraw(
    index: Index, period: Period, officer: By,
    why: Annotated[str, typer.Option(help="原因 / Why")], number: Number = None,
) -> None:  # fmt: skip
    """撤回一版；文件保留，注明原因。

    Withdraw an edition; it stays where it is, with the reason.
    """
    if not why.strip():
        raise Refusal("撤回要写明原因（--why）。", "Say why it is withdrawn (--why).", field="why")
    _move(index, period, number, "withdrawn", officer, why=why)


def editions(index: Annotated[str, typer.Argument(help="指数；不写则全部 / An index; else all")] = "") -> None:
    """列出各期各版：状态、截至何时、结果的摘要。

    List every edition: its state, how far its facts reach, the digest of its result.
    """
    found = list(edition.every(publishing.root(), index))
    if not found:
        raise edition.NoEdition(index or "*")
    for each in found:
        _tell(each)


def replay(
    index: Index, period: Annotated[str, typer.Argument(help="期间 / The period")],
    number: Annotated[int | None, typer.Argument(help="第几版 / Which edition")] = None,
) -> None:  # fmt: skip
    """只用一版自己存下的事实和声明重算，逐位比较；有不同时指出第一处，退出码为 1。

    Work an edition out from nothing but what it keeps and compare every bit; exit code 1 where one differs.
    """
    found = edition.find(publishing.root(), index, period, number)
    again = replaying.replay(found)
    for one in again.differences:
        typer.echo(f"{one.table}.parquet {one.row} {one.column}: {one.kept} ≠ {one.found}", err=True)
    if not again.same:
        typer.echo(f"{found.name} 重算的结果不同 / worked out again, {found.name} differs", err=True)
        raise typer.Exit(1)
    typer.echo(f"{found.name} 重算逐位相同 / worked out again, every bit is the same: {again.result_sha256}")


def _move(index: str, period: str, number: int | None, state: State, officer: str, *, why: str = "") -> None:
    who, reach = _officer(officer, publishing.ACTIONS[state])
    found = edition.find(publishing.root(), index, period, number)
    _tell(publishing.move(found, state, by=who, reach=reach, at=timezone.now(), why=why))


def _officer(name: str, action: str) -> tuple[Officer, Reach]:
    who = Officer.objects.filter(username=name.strip().lower(), is_active=True).first()
    if who is None:
        raise Refusal(f"没有用户“{name}”。", f"There is no user '{name}'.")
    reach = reach_of(who, at=timezone.now())
    if not reach.may(action):
        raise NotPermitted
    return who, reach


def _tell(found: Edition) -> None:
    said, state = found.manifest, STATES[found.manifest.state]
    reached = timezone.localtime(said.facts.cut_off).strftime("%Y-%m-%d %H:%M")
    typer.echo(f"{found.name:<32}{state.zh} {state.en:<12}{reached}  {said.result_sha256[:16]}")


def _points(score: float | None) -> str:
    return "—" if score is None else f"{score:.4f}"
