"""Importing a ledger: a file for a declared channel, taken in by parts that can be left and come back to."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.intake import imports, reports, sheets
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.models import Batch, Quarantined, Report
from anlan.intake.sheets import Sheet
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.web.case_reports import channel_title
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, page_of, table

ACTION = "imports.run"
TITLE = Text(zh="导入台账", en="Import a ledger")
PART = 2_000
"""Rows received in one request: about a second's work."""
EXAMINED = 5_000

_read: dict[str, Sheet] = {}
"""The file last worked on, so that each part need not read it anew."""


class NoFile(Refusal):
    """There is no file, or not one that can be taken."""


def _counts(batch: Batch) -> Text:
    zh = f"收下 {batch.received}，重复 {batch.repeated}，没读懂 {batch.quarantined}"
    return Text(zh=zh, en=f"{batch.received} received, {batch.repeated} repeated, {batch.quarantined} held")


COLUMNS = (
    Column(Text(zh="文件", en="File"), lambda b: b.file_name, sub=lambda b: channel_title(b.channel)),
    Column(Text(zh="行数", en="Rows"), lambda b: b.rows, css="num"),
    Column(Text(zh="结果", en="Result"), _counts),
    Column(Text(zh="开始", en="Started"), lambda b: b.started_at),
    Column(Text(zh="完成", en="Finished"), lambda b: b.finished_at or Text(zh="还没完成", en="not yet")),
)


def sheet_channels() -> dict[str, Channel]:
    """The channels that read files."""
    return {key: channel for key, channel in catalogue.current().all(CHANNELS).items() if channel.kind == "sheet"}


def within(request: Asked) -> QuerySet[Batch]:
    """One's own files, and those that brought something into one's area."""
    here = request.reach.q(ACTION)
    told = Report.objects.filter(here, batch=OuterRef("pk"))
    held = Quarantined.objects.filter(here, batch=OuterRef("pk"))
    return Batch.objects.filter(Q(by=request.user) | Exists(told) | Exists(held))


def _form() -> Form:
    channels = sheet_channels()
    first = next(iter(channels), "")
    summary = channels[first].summary if first else None
    hint = Text(zh="CSV（可压缩为 gz）或 Excel（xlsx），最大 64 MB。", en="CSV, gz or Excel (xlsx), at most 64 MB.")
    return Form(
        [
            Ask("channel", Text(zh="台账格式", en="Kind of ledger"), "choice",
                choices=[(key, channel.title) for key, channel in channels.items()], value=first, hint=summary),
            Ask("file", Text(zh="文件", en="File"), "file", hint=hint),
        ],
        verb=Text(zh="开始导入", en="Begin the import"),
    )  # fmt: skip


@needs(ACTION)
def index(request: Asked) -> HttpResponse:
    """Choose a file; below, what became of the files before."""
    form = _form()
    if request.method == "POST":
        batch = form.carry_out(request, lambda answers: begin(request, answers["channel"]))
        if batch is not None:
            return redirect("batch", batch_id=batch.pk)
    page = page_of(within(request), request, order=("-started_at", "-pk"))
    empty = Empty(
        Text(zh="还没有导入过文件", en="No file yet"),
        Text(
            zh="选好格式和文件就可以开始；同一份文件再导一次不会重复。",
            en="Choose the kind and the file; the same file again adds nothing.",
        ),
    )
    shown = table(
        page.items, COLUMNS, caption=Text(zh="导入过的文件", en="Files imported"), empty=empty, page=page,
        url=lambda batch: reverse("batch", args=[batch.pk]),
    )  # fmt: skip
    said = {"title": TITLE, "form": form, "table": shown}
    return render(request, "cases/imports.html", said, status=422 if request.method == "POST" else 200)


def begin(request: Asked, key: str) -> Batch:
    """Read the file whole, or refuse it whole; its rows are taken in by parts from then on."""
    upload = request.FILES.get("file")
    if upload is None:
        raise NoFile("请选择要导入的文件。", "Choose the file to import.", field="file")
    content = upload.read()
    channel = sheet_channels()[key]
    try:
        sheet = sheets.read(content, channel, name=upload.name or "")
    except sheets.Unusable as unusable:
        raise NoFile(unusable.text.zh, unusable.text.en, field="file") from unusable
    batch = imports.start(channel, sheet, by=request.user, at=request.at)
    kept = _file(batch)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content)
    kept.chmod(0o600)
    _remember(str(batch.pk), sheet)
    return batch


def _file(batch: Batch) -> Path:
    """Where a file waits until all of it is received."""
    return Path(settings.MEDIA_ROOT).parent / "imports" / f"{batch.pk}.part"


def _remember(key: str, sheet: Sheet) -> Sheet:
    _read.clear()
    _read[key] = sheet
    return sheet


def _sheet(batch: Batch) -> Sheet:
    known = _read.get(str(batch.pk))
    if known is not None:
        return known
    try:
        content = _file(batch).read_bytes()
    except OSError:
        raise NoFile(
            "这份文件已经不在服务器上，请重新上传；已收下的行不会重复。",
            "The file is no longer on the server. Upload it again; rows received before are not repeated.",
        ) from None
    return _remember(str(batch.pk), sheets.read(content, sheet_channels()[batch.channel], name=batch.file_name))


@needs(ACTION)
def batch(request: Asked, batch_id: UUID) -> HttpResponse:
    """One file: how far it is, and what became of its rows. POST takes in the next part."""
    found = within(request).filter(pk=batch_id).first()
    if found is None:
        raise NotFound
    if request.method == "POST" and found.finished_at is None and found.by_id == request.user.pk:
        advance(request, found)
        if request.headers.get("HX-Request") != "true":
            return redirect("batch", batch_id=found.pk)
    said: dict[str, Any] = {
        "title": found.file_name, "batch": found, "channel": channel_title(found.channel), "counts": _counts(found),
        "crumbs": [(TITLE, reverse("imports")), (Text(zh=found.file_name, en=found.file_name), "")],
    }  # fmt: skip
    if found.finished_at is None:
        said["total"] = len(_sheet(found)) if found.by_id == request.user.pk else None
    else:
        said["reasons"] = reasons_of(found)
    part = request.headers.get("HX-Request") == "true"
    return render(request, "cases/batch_part.html" if part else "cases/batch.html", said)


def advance(request: Asked, found: Batch) -> None:
    """Receive the next rows; the last part says that the file is through."""
    sheet = _sheet(found)
    rows = list(islice(sheet.rows(), found.rows, found.rows + PART))
    channel = sheet_channels()[found.channel]
    done = reports.receive_many(channel, rows, by=request.user, batch=found, at=request.at, reach=request.reach)
    imports.count(found, done)
    if len(rows) < PART:
        imports.close(found, at=request.at)
        _file(found).unlink(missing_ok=True)
        _read.clear()


def reasons_of(found: Batch) -> list[tuple[str, int]]:
    """By column, how many rows could not be read because of it."""
    held = Quarantined.objects.filter(batch=found).values_list("reasons", flat=True)[:EXAMINED]
    counted = Counter(reason.get("column") or "—" for reasons in held for reason in reasons)
    return counted.most_common()
