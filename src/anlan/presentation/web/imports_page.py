"""Importing lists and ledgers: choose a file, see those on their way, and what became of those before."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.casework import undoing
from anlan.intake.files import sheets
from anlan.intake.models import Batch, Quarantined, Report, Upload
from anlan.intake.uploading import uploads
from anlan.intake.uploading.layout import Plan, plans
from anlan.intake.uploading.work import KEPT_DAYS
from anlan.kernel.text import Refusal, Text
from anlan.presentation.layout_files import ASKED
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import say
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, page_of, table

ACTION = "imports.run"
TITLE = Text(zh="导入表格", en="Import a table")
EXAMINED = 5_000
ON_THEIR_WAY = 20
STATES = {
    "mapping": Text(zh="待确认各列", en="columns to be confirmed"),
    "checking": Text(zh="正在检查", en="being checked"),
    "checked": Text(zh="已检查，待收下", en="checked, to be received"),
    "receiving": Text(zh="正在收下", en="being received"),
    "done": Text(zh="已收下", en="received"),
    "failed": Text(zh="没能读完", en="could not be read"),
    "dropped": Text(zh="已放弃", en="given up"),
}


class NoFile(Refusal):
    """There is no file, or not one that can be taken."""


def layouts_for(request: Asked) -> dict[str, Plan]:
    """The layouts whose rows the one who asks may bring in somewhere."""
    return {key: plan for key, plan in plans().items() if request.reach.may(plan.action)}


def layout_title(key: str) -> Text:
    """The words of a layout; its key when no file declares it any more."""
    known = plans()
    return known[key].title if key in known else Text(zh=key or "–", en=key or "–")


def _counts(batch: Batch) -> Text:
    zh = f"收下 {batch.received}，重复 {batch.repeated}，没收下 {batch.quarantined}"
    return Text(zh=zh, en=f"{batch.received} received, {batch.repeated} repeated, {batch.quarantined} not taken")


COLUMNS = (
    Column(Text(zh="文件", en="File"), lambda b: b.file_name, sub=lambda b: layout_title(b.channel)),
    Column(Text(zh="行数", en="Rows"), lambda b: b.rows, css="num"),
    Column(Text(zh="结果", en="Result"), _counts),
    Column(Text(zh="开始", en="Started"), lambda b: b.started_at),
    Column(Text(zh="完成", en="Finished"), lambda b: b.finished_at or Text(zh="还没完成", en="not yet")),
)
WAITING = (
    Column(Text(zh="文件", en="File"), lambda u: u.file_name, sub=lambda u: layout_title(u.layout)),
    Column(Text(zh="到哪一步", en="Where it stands"), lambda u: STATES[u.state]),
    Column(Text(zh="待改正", en="To mend"), lambda u: u.bad, css="num"),
    Column(Text(zh="上传", en="Uploaded"), lambda u: u.uploaded_at),
)


def within(request: Asked) -> QuerySet[Batch]:
    """One's own files, and those that brought something into one's area."""
    here = request.reach.q(ACTION)
    told = Report.objects.filter(here, batch=OuterRef("pk"))
    held = Quarantined.objects.filter(here, batch=OuterRef("pk"))
    return Batch.objects.filter(Q(by=request.user) | Exists(told) | Exists(held))


def _form(request: Asked) -> Form:
    hint = Text(
        zh="Excel（xlsx、xls）或 CSV，最大 64 MB。标题行、合并单元格、合计行都能认；公式、宏和加密的文件不收。",
        en="Excel (xlsx, xls) or CSV, at most 64 MB. Titles, merged cells and totals are understood; formulas, macros "
        "and locked files are not taken.",
    )
    auto = Text(zh="不选也行：会按表头自动识别。", en="May be left: it is recognised by its headings.")
    return Form(
        [
            Ask("file", Text(zh="文件", en="File"), "file", hint=hint),
            Ask("channel", Text(zh="这是什么表", en="What kind of table"), "choice", required=False,
                choices=[(key, plan.title) for key, plan in layouts_for(request).items()], hint=auto),
        ],
        verb=Text(zh="上传并识别", en="Upload and recognise"),
    )  # fmt: skip


@needs(ACTION)
def index(request: Asked) -> HttpResponse:
    """Choose a file; below, those on their way, and what became of those before."""
    form = _form(request)
    if request.method == "POST":
        upload = form.carry_out(request, lambda answers: begin(request, answers["channel"] or ""))
        if upload is not None:
            return redirect("upload", upload_id=upload.pk)
    page = page_of(within(request), request, order=("-started_at", "-pk"))
    empty = Empty(
        Text(zh="还没有导入过文件", en="No file yet"),
        Text(
            zh="上传一份表格就可以开始；同一份文件再导一次不会重复。",
            en="Upload a table to begin; the same file again adds nothing.",
        ),
    )
    shown = table(
        page.items, COLUMNS, caption=Text(zh="导入过的文件", en="Files imported"), empty=empty, page=page,
        url=lambda batch: reverse("batch", args=[batch.pk]),
    )  # fmt: skip
    open_ = uploads.visible(request.user).exclude(state__in=("done", "dropped")).order_by("-uploaded_at")
    caption = Text(
        zh=f"还没收下的文件（{KEPT_DAYS} 天没有继续的会删去）",
        en=f"Files on their way (given up when nobody goes on for {KEPT_DAYS} days)",
    )
    waiting = table(
        open_[:ON_THEIR_WAY], WAITING, caption=caption,
        url=lambda upload: reverse("upload", args=[upload.pk]),
    )  # fmt: skip
    layouts = [(plan, request.reach.may(ASKED[plan.target])) for plan in layouts_for(request).values()]
    said = {"title": TITLE, "form": form, "table": shown, "waiting": waiting, "layouts": layouts}
    return render(request, "cases/imports.html", said, status=422 if request.method == "POST" else 200)


def begin(request: Asked, key: str) -> Upload:
    """Take the file in, or refuse it whole."""
    given = request.FILES.get("file")
    if given is None:
        raise NoFile("请选择要导入的文件。", "Choose the file to import.", field="file")
    if (given.size or 0) > sheets.LARGEST_FILE:
        most = sheets.LARGEST_FILE >> 20
        raise NoFile(
            f"文件最多 {most} MB：请分成几个文件。", f"At most {most} MB are taken: split the file.", field="file"
        )
    try:
        return uploads.begin(given.read(), name=given.name or "", layout=key, by=request.user, at=request.at)
    except Refusal as refusal:
        raise NoFile(refusal.text.zh, refusal.text.en, field="file") from refusal


@needs(ACTION)
def batch(request: Asked, batch_id: UUID) -> HttpResponse:
    """One file: who brought it, when, and what became of its rows."""
    found = within(request).select_related("by").filter(pk=batch_id).first()
    if found is None:
        raise NotFound
    form = _undoing() if found.by_id == request.user.pk and undoing.may_be_undone(found) else None
    if request.method == "POST" and form is not None:
        done = form.carry_out(
            request, lambda told: undoing.undo(found, reason=told["reason"], by=request.user, at=request.at)
        )
        if done is not None:
            messages.success(request, say(Text(zh=f"已撤回 {done} 条。", en=f"{done} withdrawn.")))
            return redirect("batch", batch_id=found.pk)
    upload = uploads.visible(request.user).filter(batch=found).first()
    said: dict[str, Any] = {
        "title": found.file_name, "batch": found, "channel": layout_title(found.channel), "counts": _counts(found),
        "crumbs": [(TITLE, reverse("imports")), (Text(zh=found.file_name, en=found.file_name), "")],
        "reasons": reasons_of(found), "upload": upload, "held_url": _held_url(request, found),
        "undoing": form,
        "upload_url": reverse("upload", args=[upload.pk]) if upload else "",
    }  # fmt: skip
    return render(request, "cases/batch.html", said, status=422 if form is not None and form.fields[0].error else 200)


def _undoing() -> Form:
    why = Ask("reason", Text(zh="撤回的理由", en="Why it is withdrawn"), "longtext")
    return Form([why], verb=Text(zh="整批撤回", en="Withdraw it whole"), danger=True, prefix="undo-")


def _held_url(request: Asked, found: Batch) -> str:
    """Where the rows of it that wait are mended, for who may see them."""
    waits = request.reach.may("quarantine.see") and Quarantined.objects.filter(batch=found, state="held").exists()
    return f"{reverse('quarantine')}?batch={found.pk}" if waits else ""


def reasons_of(found: Batch) -> list[tuple[str, int]]:
    """By column, how many rows could not be read because of it."""
    held = Quarantined.objects.filter(batch=found, state="held").values_list("reasons", flat=True)[:EXAMINED]
    counted = Counter(reason.get("column") or "—" for reasons in held for reason in reasons)
    return counted.most_common()
