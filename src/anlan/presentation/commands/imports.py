"""`anlan import`: a table through the one door, with a table of what became of every row."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from django.conf import settings
from django.utils import timezone

from anlan.casework import replay
from anlan.casework.replay import Replayed
from anlan.intake import imports, reports
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.door import ReceivedRow
from anlan.intake.files import sheets
from anlan.intake.files.sheets import Sheet
from anlan.intake.models import Batch
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.places import officers, towns
from anlan.places.models import Officer
from anlan.presentation import checks
from anlan.presentation.commands.serve import prepare

app = typer.Typer(add_completion=False, rich_markup_mode=None)
T = TypeVar("T")

MACHINE = "import"
_AT_ONCE = 5000
_NAMED = 8


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV（可 .gz）或 xlsx / A CSV (may be .gz) or xlsx file")],
    channel: Annotated[str, typer.Option(help="渠道的键 / Key of the channel")],
    replaying: Annotated[
        bool, typer.Option("--replay", help="按文件里的历史重放办理过程 / Play the history in the file again")
    ] = False,
    pack: Annotated[list[Path] | None, typer.Option(help="用到的包，可重复 / A pack that is used; repeatable")] = None,
    officer: Annotated[str, typer.Option("--as", help="以谁的名义 / On whose behalf (user name)")] = "",
) -> None:
    """导入一份表格：每一行成为一条上报，或带着原因待核；重复导入不会多出任何东西。

    Import a table: every row becomes a report or is held with its reason; importing it again adds nothing. With --pack
    the pack is used for this import; serve it with the same ANLAN_PACKS afterwards.
    """
    catalogue.use([*settings.PACKS, *(path.resolve() for path in pack or [])])
    checks.refuse_problems(catalogue.current())
    declared = _channel(channel)
    sheet = sheets.read(_content(file), declared, name=file.name)
    prepare()
    at = timezone.now()
    if declared.town:
        towns.load(towns.town(declared.town), by=None, at=at)
    by = _officer(officer, at)
    batch, rows = _receive(declared, sheet, by, at)
    for line in told(declared, batch, rows):
        typer.echo(line)
    if replaying:
        played = replay.replay(declared, rows, by=by, recorded_at=at, progress=_progress)
        for line in replayed(played):
            typer.echo(line)


def _channel(key: str) -> Channel:
    known = {name: each for name, each in catalogue.current().all(CHANNELS).items() if each.kind == "sheet"}
    if key not in known:
        raise Refusal(
            f"没有表格渠道“{key}”；可用：{'、'.join(sorted(known))}。渠道在某个包里时，请加 --pack。",
            f"There is no channel '{key}' for tables; there are: {', '.join(sorted(known))}. "
            "If it is in a pack, add --pack.",
        )
    return known[key]


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise Refusal(f"没有文件 {file}。", f"There is no file {file}.")
    if file.stat().st_size > sheets.LARGEST_FILE:
        most = sheets.LARGEST_FILE >> 20
        raise Refusal(f"{file} 超过 {most} MB，请分成几个文件。", f"{file} is larger than {most} MB; split it.")
    return file.read_bytes()


def _officer(username: str, at: datetime) -> Officer:
    """Who imports: the person named, else the machine of that name, which holds no post and never signs in."""
    known = Officer.objects.filter(username=username.strip().lower() or MACHINE).first()
    if known is None and username:
        raise Refusal(f"没有用户“{username}”。", f"There is no user '{username}'.")
    return known or officers.create(MACHINE, name="导入 Import", is_machine=True, by=None, at=at)


def _receive(channel: Channel, sheet: Sheet, by: Officer, at: datetime) -> tuple[Batch, list[ReceivedRow]]:
    batch = imports.start(channel, sheet, by=by, at=at)
    done: list[ReceivedRow] = []
    for part in _parts(sheet.rows(), _AT_ONCE):
        done += reports.receive_many(channel, part, by=by, batch=batch, at=at)
        _progress(len(done), len(sheet))
    return imports.finish(batch, done, at=at), done


def _parts(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(rows)
    while part := list(islice(left, size)):
        yield part


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{done} / {of}", err=True, nl=done >= of)


# ---------------------------------------------------------------- what became of the rows


def told(channel: Channel, batch: Batch, rows: Sequence[ReceivedRow]) -> Iterator[str]:
    """What became of every row, by reason, with the numbers of the rows."""
    yield f"{batch.file_name}  {batch.channel}"
    yield _line(batch.rows, Text(zh="行", en="rows"))
    yield _line(batch.received, Text(zh="成为上报", en="became reports"))
    yield _line(batch.repeated, Text(zh="以前收到过，没有重复", en="had come before; nothing was added"))
    yield _line(batch.quarantined, Text(zh="待核（原文保留，可补正）", en="held in quarantine, to be mended"))
    held = (
        (row.row_no, reason.text) for row in rows if not row.repeated and row.report is None for reason in row.reasons
    )
    for reason, numbers in _by_reason(held):
        yield _line(len(numbers), reason, numbers)
    noted = ((row.row_no, note) for row in rows if row.report is not None for note in notes_of(row))
    remarks = _by_reason((*noted, *_without_a_point(channel, rows)))
    if remarks:
        yield _line(len({number for _, numbers in remarks for number in numbers}), TAKEN_WITH_NOTES)
    for remark, numbers in remarks:
        yield _line(len(numbers), remark, numbers)


NO_POINT = Text(zh="没有坐标：按没有坐标登记。", en="without coordinates: taken without a point.")
TAKEN_WITH_NOTES = Text(zh="收下的行里带有说明", en="of the rows taken carry a note")


def _without_a_point(channel: Channel, rows: Sequence[ReceivedRow]) -> Iterator[tuple[int | None, Text]]:
    if "lon" in channel.columns:
        yield from ((row.row_no, NO_POINT) for row in rows if row.place and row.report and row.place.lon is None)


def notes_of(row: ReceivedRow) -> tuple[Text, ...]:
    """What was set aside in order to take a row."""
    return (row.told.notes if row.told else ()) + (row.place.notes if row.place else ())


def _by_reason(found: Iterable[tuple[int | None, Text]]) -> list[tuple[Text, list[int]]]:
    """The reasons without their row numbers and cells, the most frequent first, each with its rows."""
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, text in found:
        rows[_general(text.zh), _general(text.en)].append(number or 0)
    ordered = sorted(rows.items(), key=lambda item: -len(item[1]))
    return [(Text(zh=zh, en=en), numbers) for (zh, en), numbers in ordered]


def _general(sentence: str) -> str:
    """A sentence about one row as one about its kind."""
    plain = re.sub(r"^(第 \d+ 行|Row \d+[,:] ?)", "", sentence)
    plain = re.sub(r"(写的是|says) ?“[^”]*”", r"\1 “…”", plain)
    return re.sub(r"(编号|the number) \S+ ", r"\1 … ", plain).strip()


def _line(count: int, text: Text, rows: Sequence[int] = ()) -> str:
    where = ""
    if rows:
        shown = ", ".join(str(number) for number in rows[:_NAMED])
        where = f"  [{shown}{', …' if len(rows) > _NAMED else ''}]"
    return f"{count:>9,}  {'  ' if rows else ''}{text.zh} / {text.en}{where}"


def replayed(result: Replayed) -> Iterator[str]:
    """What the replay did."""
    yield ""
    yield _line(result.opened, Text(zh="立为事项", en="cases opened"))
    yield _line(result.already, Text(zh="以前已办完，没有再动", en="were finished before and left alone"))
    for act, count in result.acts.most_common():
        yield _line(count, Text(zh=f"办理“{act}”", en=f"acts '{act}'"))
    yield _line(result.merged, Text(zh="并入同一地点更早的事项", en="merged into an earlier case at the same place"))
    yield _line(result.rungs, Text(zh="次到期提醒", en="rungs of the ladder rung"))
    yield _line(result.open_still, Text(zh="仍在办理", en="still open"))
    yield _line(result.unrouted, Text(zh="没有对应的流程，等待受理", en="have no route and wait in triage"))
    for (zh, en), count in result.refused.most_common():
        yield _line(count, Text(zh=f"没有办成：{zh}", en=f"not done: {en}"))
    yield _line(result.events, Text(zh="条事件", en="events"))
