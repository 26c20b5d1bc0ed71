"""Uploads: a file people have, taken for a layout, checked row by row, mended in place, and received."""

from __future__ import annotations

from collections.abc import Mapping as Mapped
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from anlan.intake import message as messages
from anlan.intake import quarantine
from anlan.intake.files import headings, sheets
from anlan.intake.files.workbook import BadWorkbook
from anlan.intake.models import Batch, Mapping, Upload, UploadRow
from anlan.intake.reports import NotUnderstood
from anlan.intake.uploading import guess
from anlan.intake.uploading import table as upload_table
from anlan.intake.uploading.guess import Guess
from anlan.intake.uploading.layout import Plan, plans
from anlan.intake.uploading.targets import Taking, Target, Verdict
from anlan.intake.uploading.work import KEPT_DAYS, NotNow, Work, Works, plan_of, reset, target_of, whole
from anlan.kernel.ids import new_id
from anlan.ledger import personal
from anlan.places.models import Area, Officer
from anlan.places.scope import Reach

AT_ONCE: Final = 2000
"""A file with at most so many rows is checked and received while somebody waits."""
_LONGEST_NAME = 200
_AT_A_TIME = 50


def begin(content: bytes, *, name: str, layout: str, by: Officer, at: datetime) -> Upload:
    """Take a file in, or refuse it whole: look at its first sheet, and guess what it is (or take `layout` for it)."""
    file = sheets.open_file(content, name=name)
    upload = Upload(
        id=new_id(), file_name=(name or "–").replace("\x00", "")[-_LONGEST_NAME:], digest=file.digest, by=by,
        uploaded_at=at, sheet=file.shown[0],
    )  # fmt: skip
    grid = file.grid(upload.sheet)
    upload_table.keep(upload.pk, content)
    upload_table.remember(upload.pk, upload.sheet, grid)
    try:
        take_for(upload, sheet=upload.sheet, layout=layout)
    except (sheets.Unusable, BadWorkbook):
        upload_table.forget(upload.pk)
        raise
    upload.save(force_insert=True)
    return upload


def take_for(upload: Upload, *, sheet: str, layout: str = "") -> list[Guess]:
    """Choose a sheet, and the layout it is taken for ("" = the likeliest); what was said last time of the same headings
    is said again. Gives the guesses; the upload is not saved.
    """
    upload.sheet = sheet
    grid = upload_table.grid_of(upload)
    known = plans()
    offered = {layout: known[layout]} if layout in known else known
    found = guess.best(grid, offered)
    best = found[0] if found else None
    place = best.headings if best else next(headings.candidates(grid), None)
    if place is None:
        raise sheets.Unusable("这张表是空的。", "This sheet is empty.")
    upload.layout = layout if layout in known else best.plan.key if best else ""
    upload.below, upload.headings = place.below, list(headings.unalike(place.names))
    upload.columns = dict(best.columns) if best else {}
    upload.total = len(grid.rows) - place.below
    before = Mapping.objects.filter(headings=guess.fingerprint(place.names)).first()
    if before and before.layout in known and layout in ("", before.layout):
        upload.layout, upload.columns = before.layout, dict(before.columns)
    return found


@transaction.atomic
def check(upload: Upload, *, columns: Mapped[str, int], area: Area | None, by: Officer, at: datetime) -> Upload:
    """Let the rows be checked with each field read from its column, from 0; what was found before is forgotten."""
    current = _held(upload.pk, "mapping", "checked", "failed")
    current.layout, current.sheet, current.below = upload.layout, upload.sheet, upload.below
    current.headings, current.total = upload.headings, upload.total
    plan = plan_of(current)
    _refuse_columns(plan, columns, len(current.headings))
    current.columns, current.area, current.state = dict(columns), area, "checking"
    UploadRow.objects.filter(upload=current).delete()
    reset(current)
    current.save()
    Mapping.objects.update_or_create(
        headings=guess.fingerprint(current.headings),
        defaults={"layout": plan.key, "columns": dict(columns), "by": by, "at": at},
    )
    Works.drop(current.pk)
    if current.total > AT_ONCE:
        upload_table.let_go()
    return current


def _refuse_columns(plan: Plan, columns: Mapped[str, int], width: int) -> None:
    missing = [
        plan.heading(field)
        for field, column in plan.columns.items()
        if column.required and not column.default and field not in columns
    ]
    if missing:
        raise NotNow(
            f"还没有指定这些必填的列：{'、'.join(missing)}。",
            f"These columns must be there and are not chosen yet: {', '.join(missing)}.",
            field="columns",
        )
    if len(set(columns.values())) < len(columns) or any(not 0 <= n < width for n in columns.values()):
        raise NotNow("同一列不能当两种内容读。", "One column cannot be read as two things.", field="columns")


def _held(pk: UUID, *states: str) -> Upload:
    upload = Upload.objects.select_for_update().get(pk=pk)
    if upload.state not in states:
        raise NotNow(
            "这份文件现在不能这样做：请刷新页面，看看它到了哪一步。",
            "This cannot be done with the file now: reload the page to see where it stands.",
        )
    return upload


@transaction.atomic
def reopen(upload: Upload) -> Upload:
    """Back to where the columns are chosen; what was found in the rows is forgotten when they are checked again."""
    current = _held(upload.pk, "checked", "failed")
    current.state = "mapping"
    current.save(update_fields=["state"])
    return current


# ---------------------------------------------------------------- mending and receiving


@transaction.atomic
def receive(upload: Upload, *, at: datetime) -> Upload:
    """Let the good rows be received; the bad ones are kept, to be mended later."""
    current = _held(upload.pk, "checked")
    current.batch = Batch.objects.create(
        id=new_id(), channel=current.layout, file_name=current.file_name, digest=current.digest, by=current.by,
        started_at=at,
    )  # fmt: skip
    current.state = "receiving"
    reset(current)
    current.save()
    Works.drop(current.pk)
    return current


def mend(
    upload: Upload, row_no: int, changes: Mapped[str, str], *, by: Officer, reach: Reach, at: datetime
) -> UploadRow:
    """Change cells of a row that waits (by heading) and check it again; once the file was received, take it at once.

    The row's reasons are what is still wrong with it; none: it is good.
    """
    with transaction.atomic():
        current = _held(upload.pk, "checked", "done")
        row = UploadRow.objects.select_for_update().get(upload=current, row_no=row_no)
        if row.state == "taken":
            raise NotNow("这一行已经收下了。", "This row was received already.")
        work = Work(current, at, reach)
        _change(row, changes, work, at)
        message = work.placed(whole(row))
        taking = Taking(by, at, reach, current.batch)
        [verdict] = target_of(work.plan, taking).look([(row_no, message)])
        row.reasons = [reason.as_data() for reason in verdict.reasons]
        if current.state == "done" and verdict.kind != "bad" and not verdict.reasons:
            _take(row, message, target_of(work.plan, taking), by=by, reach=reach, at=at)
        elif current.state == "checked":
            _recount(current, row, verdict)
        row.save()
        return row


def _change(row: UploadRow, changes: Mapped[str, str], work: Work, at: datetime) -> None:
    apart = work.personal()
    allowed = set(work.messages.columns()) | {work.messages.area_key}
    told = messages.as_told({key: value for key, value in changes.items() if key in allowed})
    closed = {key: value for key, value in told.items() if key in apart}
    row.cells = {**row.cells, **{key: value for key, value in told.items() if key not in apart}}
    if closed:
        before = personal.read(row.personal_id) if row.personal_id else None
        keep_until = (at + timedelta(days=KEPT_DAYS)).date()
        row.personal = personal.keep("upload.row", {**(before or {}), **closed}, keep_until=keep_until, at=at)


def _recount(upload: Upload, row: UploadRow, verdict: Verdict) -> None:
    """The counts of the check with this row as it is now."""
    was = row.kind if row.state == "waiting" else "good"
    row.state = "waiting" if verdict.kind in ("bad", "changed") and verdict.reasons else "mended"
    row.kind = verdict.kind if verdict.kind in ("bad", "changed") else row.kind
    now = row.kind if row.state == "waiting" else "good"
    if was != now:
        setattr(upload, was, getattr(upload, was) - 1)
        setattr(upload, now, getattr(upload, now) + 1)
        upload.save(update_fields=["good", "bad", "changed"])


def _take(
    row: UploadRow, message: Mapped[str, str], target: Target, *, by: Officer, reach: Reach, at: datetime
) -> None:
    """Receive a row of a file that was received before; the one held in its place is settled."""
    if row.held is not None and row.held.state == "held":
        told = {key: value for key, value in message.items() if row.held.raw.get(key) != value}
        try:
            quarantine.mend(row.held, told, by=by, at=at, reach=reach)
        except NotUnderstood as still:
            row.reasons = [reason.as_data() for reason in still.reasons]
            return
    else:
        target.take([(row.row_no, message)])
    row.state = "taken"
    if row.upload.batch is not None:
        batch = row.upload.batch
        batch.received, batch.quarantined = batch.received + 1, batch.quarantined - 1
        batch.save(update_fields=["received", "quarantined"])


def visible(by: Officer) -> QuerySet[Upload]:
    """One's own uploads: a file on its way is nobody else's yet."""
    return Upload.objects.filter(by=by)


def to_mend(upload: Upload) -> QuerySet[UploadRow]:
    """The rows somebody must still look at, in the file's order."""
    settled = Q(held__state__in=("mended", "discarded"))
    return UploadRow.objects.filter(upload=upload, state="waiting").exclude(settled).order_by("row_no")


@transaction.atomic
def drop(upload: Upload, *, at: datetime) -> Upload:
    """Give an upload up before it is received; nothing of it was taken."""
    current = _held(upload.pk, "mapping", "checking", "checked", "failed")
    current.state, current.settled_at = "dropped", at
    current.save(update_fields=["state", "settled_at"])
    UploadRow.objects.filter(upload=current).delete()
    upload_table.forget(current.pk)
    return current


def forget_old(*, at: datetime) -> int:
    """Give up uploads nobody went on with for `KEPT_DAYS` days, for a file may hold personal cells; gives how many."""
    old = Upload.objects.filter(
        state__in=("mapping", "checked", "failed"), uploaded_at__lt=at - timedelta(days=KEPT_DAYS)
    )
    found = list(old.order_by("uploaded_at")[:_AT_A_TIME])
    for upload in found:
        drop(upload, at=at)
    return len(found)
