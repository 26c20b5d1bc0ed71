"""The work on an upload, a part of its rows at a time: looked at first, received later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from anlan.intake import imports
from anlan.intake import message as messages
from anlan.intake.files import headings
from anlan.intake.models import Upload, UploadRow
from anlan.intake.uploading import table as upload_table
from anlan.intake.uploading.layout import Plan, plans
from anlan.intake.uploading.listing import Sites
from anlan.intake.uploading.outside import Statistics
from anlan.intake.uploading.targets import AreaNames, Messages, Reports, Taking, Target, Verdict
from anlan.kernel.text import Refusal, Text
from anlan.ledger import personal
from anlan.ledger.models import Personal
from anlan.places.scope import Reach, reach_of

PART: Final = 2000
"""Rows in one turn: about a second's work."""
KEPT_DAYS: Final = 90
"""How long the personal cells of a row that waits to be mended are kept."""


class NotNow(Refusal):
    """The upload is not where this could be done."""

    status = 409


def plan_of(upload: Upload) -> Plan:
    """The layout an upload is taken for."""
    found = plans().get(upload.layout)
    if found is None:
        raise NotNow("还没有选定这是什么表。", "It is not chosen yet what kind of table this is.", field="layout")
    return found


def reset(upload: Upload) -> None:
    """The counts before anything was looked at."""
    upload.done = upload.good = upload.repeated = upload.changed = upload.bad = upload.left_out = 0
    upload.notes = []


def waiting() -> UUID | None:
    """The upload that has been waiting longest for its next rows to be checked or received."""
    found = Upload.objects.filter(state__in=("checking", "receiving")).order_by("uploaded_at", "pk")
    return found.values_list("pk", flat=True).first()


def advance(*, at: datetime) -> int:
    """The next rows of the upload that waits longest; how many rows that was."""
    upload = waiting()
    return go_on(upload, at=at) if upload else 0


def go_on(pk: UUID, *, at: datetime) -> int:
    """Check or receive the next rows of one upload; how many that was, 0 when nothing was left to do."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update(of=("self",)).select_related("by", "batch", "area").get(pk=pk)
        if upload.state not in ("checking", "receiving"):
            return 0
        try:
            with transaction.atomic():
                return _part(upload, at)
        except Refusal as refusal:
            upload.refresh_from_db()
            Works.drop(pk)
            upload.state, upload.settled_at = "failed", at
            upload.notes = [{"zh": refusal.text.zh, "en": refusal.text.en, "rows": 0}]
            upload.save()
            return 1


def _part(upload: Upload, at: datetime) -> int:
    work = Works.of(upload, at)
    rows, read = work.rows(upload)
    receiving = upload.state == "receiving"
    verdicts = work.target.take(rows) if receiving else work.target.look(rows)
    for verdict in verdicts:
        setattr(upload, verdict.kind, getattr(upload, verdict.kind) + 1)
    _keep_rows(upload, work, [each for each in verdicts if each.kind in ("bad", "changed")], at)
    upload.done += read
    if upload.done >= upload.total:
        _finish(upload, at)
    upload.save()
    return read or 1


def _finish(upload: Upload, at: datetime) -> None:
    Works.drop(upload.pk)
    if upload.state == "checking":
        upload.state = "checked"
        return
    upload.state, upload.settled_at = "done", at
    batch = upload.batch
    assert batch is not None
    taken = upload.good + (upload.changed if plan_of(upload).target != "reports" else 0)
    batch.rows = upload.good + upload.repeated + upload.changed + upload.bad
    batch.received, batch.repeated, batch.quarantined = taken, upload.repeated, batch.rows - taken - upload.repeated
    imports.close(batch, at=at)
    upload_table.forget(upload.pk)


def _keep_rows(upload: Upload, work: Work, found: Sequence[Verdict], at: datetime) -> None:
    """Keeps the rows somebody must look at; what is personal in them is kept apart and encrypted."""
    known = {row.row_no: row for row in UploadRow.objects.filter(upload=upload, row_no__in=[v.row_no for v in found])}
    apart = work.personal()
    keep_until = (at + timedelta(days=KEPT_DAYS)).date()
    new: list[UploadRow] = []
    kept: list[Personal] = []
    for verdict in found:
        row = known.get(verdict.row_no)
        if row is not None:
            row.held_id = verdict.held
            if upload.state == "receiving" and verdict.kind == "changed" and verdict.held is None:
                row.state = "taken"
            row.save(update_fields=["held", "state"])
            continue
        open_, closed = messages.part(work.told[verdict.row_no], {column: column for column in apart})
        locked = personal.make("upload.row", closed, keep_until=keep_until, at=at) if closed else None
        kept += [locked] if locked else []
        new.append(
            UploadRow(
                upload=upload, row_no=verdict.row_no, kind=verdict.kind, cells=messages.as_told(open_),
                personal=locked, reasons=[reason.as_data() for reason in verdict.reasons],
                before=dict(verdict.before) if verdict.before is not None else None, held_id=verdict.held,
            )
        )  # fmt: skip
    Personal.objects.bulk_create(kept)
    UploadRow.objects.bulk_create(new)


class Work:
    """What one upload needs from part to part: its table, its messages, where its rows go."""

    def __init__(self, upload: Upload, at: datetime, reach: Reach) -> None:
        self.key = (upload.pk, upload.state)
        self.plan = plan_of(upload)
        self.messages = upload_table.Messages(upload, self.plan)
        self.areas = AreaNames.on(at)
        self.told: dict[int, Mapping[str, str]] = {}
        self.area = upload.area.code if upload.area else ""
        batch = upload.batch if upload.state != "checking" else None
        self.target = target_of(self.plan, Taking(upload.by, at, reach, batch))

    def rows(self, upload: Upload) -> tuple[Messages, int]:
        """The next rows as messages, mended where they were mended; and how many rows of the sheet that was."""
        start = upload.done
        found: list[tuple[int, Mapping[str, str]]] = []
        mended = _mended(upload, upload.below + start + 1, upload.below + start + PART)
        read, self.told = 0, {}
        for row in upload_table.rows_of(upload, upload_table.grid_of(upload), start, PART):
            read += 1
            message = mended.get(row.number) or self.messages.of(row.cells)
            why = row.left_out or self.messages.is_over(message)
            if why is None:
                self.told[row.number] = message
                found.append((row.number, self.placed(message)))
            elif why is not headings.BLANK:
                upload.left_out += 1
                _note(upload, why, row.number)
        return found, read

    def placed(self, message: Mapping[str, str]) -> Mapping[str, str]:
        """The message with its area's code in the place of its name, or the upload's own area where it names none."""
        key = self.messages.area_key
        if key:
            told = message.get(key, "").strip() or self.area
            if told:
                return {**message, key: self.areas.code(told)}
        return message

    def personal(self) -> set[str]:
        """The headings whose cells are personal."""
        return {key for key, field in self.messages.fields.items() if self.plan.columns[field].personal}


class Works:
    """The work last done, so that each part need not prepare anew."""

    last: Work | None = None

    @classmethod
    def of(cls, upload: Upload, at: datetime) -> Work:
        if cls.last is None or cls.last.key != (upload.pk, upload.state) or upload.done == 0:
            cls.last = Work(upload, at, reach_of(upload.by, at=at))
        return cls.last

    @classmethod
    def drop(cls, pk: UUID) -> None:
        if cls.last is not None and cls.last.key[0] == pk:
            cls.last = None


def target_of(plan: Plan, taking: Taking) -> Target:
    """Where rows of a layout go."""
    kinds: dict[str, type[Reports | Sites | Statistics]] = {
        "reports": Reports, "sites": Sites, "statistics": Statistics,
    }  # fmt: skip
    return kinds[plan.target](plan, taking)


def _mended(upload: Upload, first: int, last: int) -> dict[int, dict[str, str]]:
    """Rows that were mended before they were received, whole."""
    rows = UploadRow.objects.filter(upload=upload, state="mended", row_no__gte=first, row_no__lte=last)
    return {row.row_no: whole(row) for row in rows}


def whole(row: UploadRow) -> dict[str, str]:
    """All cells of a row, the personal ones too while they are kept."""
    apart = personal.read(row.personal_id) if row.personal_id else None
    return {**row.cells, **(apart or {})}


def _note(upload: Upload, why: Text, row_no: int) -> None:
    for note in upload.notes:
        if note["zh"] == why.zh:
            note["rows"] += 1
            if len(note["at"]) < 8:
                note["at"].append(row_no)
            return
    upload.notes.append({"zh": why.zh, "en": why.en, "rows": 1, "at": [row_no]})
