"""A file on its way in: what it is taken for, its columns, its broken cells mended in place, and receiving the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from anlan.intake.files import headings
from anlan.intake.models import Upload, UploadRow
from anlan.intake.uploading import table as upload_table
from anlan.intake.uploading import uploads
from anlan.intake.uploading import work as upload_work
from anlan.intake.uploading.guess import Guess
from anlan.intake.uploading.layout import Plan
from anlan.kernel.text import Refusal, Text
from anlan.presentation import layout_files
from anlan.presentation.permissions import NotFound, NotPermitted, needs
from anlan.presentation.saying import say
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.forms import Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.imports_page import ACTION, STATES, TITLE, layout_title, layouts_for
from anlan.presentation.web.lists import page_of

ROWS = 20
LONGEST = 4000
SHOWN = 3
FEW_COLUMNS = 6
AREA = Text(zh="没写辖区的行算在", en="Rows that name no area belong to")
NOT_READ = Text(zh="不读这一列", en="not read")


def find(request: Asked, upload_id: UUID) -> Upload:
    """One of one's own uploads; raises `NotFound`."""
    found = uploads.visible(request.user).select_related("batch", "area").filter(pk=upload_id).first()
    if found is None or found.state == "dropped":
        raise NotFound
    return found


@needs(ACTION)
def upload(request: Asked, upload_id: UUID) -> HttpResponse:
    """Where a file stands, and the next thing to do with it."""
    found = find(request, upload_id)
    if request.method == "POST":
        deeds = {"check": _check, "again": _again, "receive": _receive, "drop": _drop}
        deed = deeds.get(request.POST.get("do", ""))
        if deed is not None:
            return deed(request, found)
    return _page(request, found)


def _page(request: Asked, found: Upload, problem: Text | None = None) -> HttpResponse:
    said: dict[str, Any] = {
        "title": found.file_name, "upload": found, "state": STATES[found.state], "problem": problem,
        "layout": layout_title(found.layout), "crumbs": [(TITLE, reverse("imports")), (found.file_name, "")],
        "notes": [(Text(zh=note["zh"], en=note["en"]), note) for note in found.notes],
    }  # fmt: skip
    status = 422 if problem else 200
    if found.state == "mapping":
        return render(request, "cases/upload_columns.html", said | _columns(request, found), status=status)
    if found.state in ("checked", "done"):
        said |= _grid(request, found)
    part = request.headers.get("HX-Target") == "upload-here"
    return render(request, "cases/upload_part.html" if part else "cases/upload.html", said, status=status)


# ---------------------------------------------------------------- which column is what


@dataclass(frozen=True, slots=True)
class Seen:
    """One column of the file: its heading, some of its cells, and the field it is read as."""

    number: int
    name: str
    cells: Sequence[str]
    field: str
    sure: int


def _columns(request: Asked, found: Upload) -> dict[str, Any]:
    known = layouts_for(request)
    asked, sheet = request.GET.get("layout", ""), request.GET.get("sheet", "")
    file = upload_table.file_of(found)
    guesses: list[Guess] = []
    if asked in known or sheet in file.names:
        guesses = uploads.take_for(
            found, sheet=sheet if sheet in file.names else found.sheet, layout=asked if asked in known else ""
        )
    if found.layout not in known:
        found.layout, found.columns = "", {}
    plan = known.get(found.layout)
    rows = upload_table.grid_of(found).rows
    fields = {number: field for field, number in found.columns.items()}
    best = next((guess for guess in guesses if guess.plan.key == found.layout), None)
    seen = [
        Seen(
            number, name, _some(rows, found.below, number), fields.get(number, ""), _sure(best, fields.get(number, ""))
        )
        for number, name in enumerate(headings.unalike(found.headings))
    ]
    return {
        "plan": plan, "plans": known.values(), "seen": seen, "sheets": file.shown, "hidden": sorted(file.hidden),
        "choices": _choices(plan), "missing": _missing(plan, found), "form": _area_form(request, plan, found),
        "basis": plan.basis if plan else None, "rows_below": found.total,
        "template_url": reverse("layout_template", args=[plan.key]) if plan else "",
    }  # fmt: skip


def _some(rows: Sequence[Sequence[str]], below: int, number: int) -> list[str]:
    found = (row[number].strip() for row in rows[below : below + 60] if number < len(row))
    return [cell[:40] for cell in found if cell][:SHOWN]


def _sure(guess: Guess | None, field: str) -> int:
    return round(guess.sure.get(field, 0) * 100) if guess and field else 0


def _choices(plan: Plan | None) -> list[tuple[str, str]]:
    """The fields of a layout, with a star on those that must be there."""
    if plan is None:
        return []
    return [
        (field, f"{column.names[0]}{' *' if column.required and not column.default else ''}")
        for field, column in plan.columns.items()
    ]


def _missing(plan: Plan | None, found: Upload) -> list[str]:
    if plan is None:
        return []
    return [
        column.names[0]
        for field, column in plan.columns.items()
        if column.required and not column.default and field not in found.columns
    ]


def _area_form(request: Asked, plan: Plan | None, found: Upload) -> Form:
    action = plan.action if plan else ACTION
    hint = Text(zh="可不填：按您的岗位所在辖区。", en="May be left: then it is the area of your post.")
    ask = ask_for(request, "area", "area", AREA, action=action, required=False, hint=hint, value=found.area)
    return Form([ask], Text(zh="检查", en="Check"))


def _check(request: Asked, found: Upload) -> HttpResponse:
    """Confirm the columns; a short file is checked while one waits."""
    known = layouts_for(request)
    key, sheet = request.POST.get("layout", ""), request.POST.get("sheet", "")
    if key not in known or sheet not in upload_table.file_of(found).names:
        return _page(request, found, Text(zh="请先选定这是什么表。", en="Choose first what kind of table this is."))
    uploads.take_for(found, sheet=sheet, layout=key)
    width = len(found.headings)
    chosen = [(request.POST.get(f"c{number}", ""), number) for number in range(width)]
    told = [field for field, _ in chosen if field in known[key].columns]
    columns = {field: number for field, number in chosen if field in known[key].columns}
    twice = sorted({known[key].heading(field) for field in told if told.count(field) > 1})
    found.columns = columns
    form = _area_form(request, known[key], found)
    answers = form.read(request)
    if twice:
        return _page(
            request, found,
            Text(zh=f"「{'、'.join(twice)}」选了不止一列。", en=f"More than one column is read as {', '.join(twice)}."),
        )  # fmt: skip
    if answers is None:
        return _page(request, found, form.fields[0].error)
    try:
        uploads.check(found, columns=columns, area=answers["area"], by=request.user, at=request.at)
    except Refusal as refusal:
        return _page(request, found, refusal.text)
    _while_waiting(request, found)
    return redirect("upload", upload_id=found.pk)


def _while_waiting(request: Asked, found: Upload) -> None:
    """A short file is done at once; a long one is left to the background loops."""
    if found.total <= uploads.AT_ONCE:
        while upload_work.go_on(found.pk, at=request.at):
            pass


def _again(request: Asked, found: Upload) -> HttpResponse:
    """Back to the columns."""
    uploads.reopen(found)
    return redirect("upload", upload_id=found.pk)


def _receive(request: Asked, found: Upload) -> HttpResponse:
    """Receive the good rows; the others stay."""
    uploads.receive(found, at=request.at)
    _while_waiting(request, found)
    return redirect("upload", upload_id=found.pk)


def _drop(request: Asked, found: Upload) -> HttpResponse:
    uploads.drop(found, at=request.at)
    said = Text(zh="已放弃，什么也没有收下。", en="Given up; nothing of it was received.")
    messages.success(request, say(said))
    return redirect("imports")


# ---------------------------------------------------------------- the broken cells


@dataclass(frozen=True, slots=True)
class Box:
    """One cell in the grid."""

    name: str
    place: int
    value: str
    wrong: Text | None
    was: str
    choices: Sequence[str]
    private: bool
    first: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row in the grid: its cells, what is wrong with it as a whole, and where its mending is sent."""

    row: UploadRow
    boxes: Sequence[Box]
    above: Sequence[Text]
    url: str


def _grid(request: Asked, found: Upload) -> dict[str, Any]:
    table = upload_table.Messages(found, upload_work.plan_of(found))
    page = page_of(uploads.to_mend(found), request, order=("row_no",), size=ROWS)
    every = request.GET.get("all") == "1"
    names = _names(table, page.items, every=every)
    lines = [_line(found, row, table, names) for row in page.items]
    target = upload_work.plan_of(found).target
    return {
        "lines": lines, "names": names, "page": page, "every": every, "waiting": uploads.to_mend(found).exists(),
        "bad_url": reverse("upload_bad", args=[found.pk]), "target": target,
        "more_columns": len(table.columns()) > len(names) or every,
        "batch_url": reverse("batch", args=[found.batch_id]) if found.batch_id else "",
    }  # fmt: skip


def _names(table: upload_table.Messages, rows: Sequence[UploadRow], *, every: bool) -> list[str]:
    """The columns shown: those in which something is wrong, after the first ones; or all of them."""
    known = table.columns()
    if table.area_key and table.area_key not in known:
        known = [*known, table.area_key]
    if every or len(known) <= FEW_COLUMNS:
        return known
    wrong = {reason["column"] for row in rows for reason in row.reasons}
    changed = {
        name for row in rows if row.before for name in known if row.before.get(name, "") != row.cells.get(name, "")
    }
    return [name for name in known if name in wrong | changed | _first(table)]


def _first(table: upload_table.Messages) -> set[str]:
    """The columns by which somebody knows a row again."""
    known = table.columns()
    told = [key for key, field in table.fields.items() if field in ("description", "name", "address")]
    return {*known[:1], *told[:1]} if told else set(known[:3])


def brief(why: Text) -> Text:
    """A reason as it is said at its cell, where row, column and content are in sight."""
    zh = re.split("”：|是空的：", why.zh, maxsplit=1)[-1]
    en = re.split("”: | is blank: ", why.en, maxsplit=1)[-1]
    return Text(zh=zh, en=en[:1].upper() + en[1:])


def _line(found: Upload, row: UploadRow, table: upload_table.Messages, names: Sequence[str]) -> Line:
    wrong = layout_files.reasons_by_column(row)
    boxes, first = [], _first(table)
    for place, name in enumerate(names):
        column = table.plan.columns.get(table.fields.get(name, "") or ("area" if name == table.area_key else ""))
        private = column is not None and column.personal
        was = str((row.before or {}).get(name, ""))
        value = row.cells.get(name, "")
        chosen = layout_files.choices(column) if column and name in wrong else ()
        why = brief(wrong[name]) if name in wrong else None
        boxes.append(Box(name, place, value, why, was if was != value else "", chosen, private, name in first))
    above = [text for column, text in wrong.items() if column not in names]
    return Line(row, boxes, above, reverse("upload_row", args=[found.pk, row.row_no]))


@require_POST
@needs(ACTION)
def upload_row(request: Asked, upload_id: UUID, row_no: int) -> HttpResponse:
    """Change cells of one row and look at it again."""
    found = find(request, upload_id)
    if not UploadRow.objects.filter(upload=found, row_no=row_no).exists():
        raise NotFound
    row = uploads.mend(found, row_no, _changes(request.POST), by=request.user, reach=request.reach, at=request.at)
    if request.headers.get("HX-Request") != "true":
        return redirect("upload", upload_id=found.pk)
    found.refresh_from_db()
    table = upload_table.Messages(found, upload_work.plan_of(found))
    names = [name[5:] for name in request.POST.getlist("names") if name.startswith("name-")] or table.columns()
    said = {"upload": found, "line": _line(found, row, table, names), "swapped": True}
    return render(request, "cases/upload_line.html", said)


def _changes(given: Mapping[str, Any]) -> dict[str, str]:
    """The cells by heading: a box is called "cell-" and its heading."""
    return {key[5:]: str(given[key])[:LONGEST] for key in given if key.startswith("cell-")}


@needs(ACTION)
def upload_bad(request: Asked, upload_id: UUID) -> HttpResponse:
    """The rows that wait, as a file to be mended in a spreadsheet and sent again."""
    found = find(request, upload_id)
    if found.state not in ("checked", "done"):
        raise NotFound
    table = upload_table.Messages(found, upload_work.plan_of(found))
    rows = uploads.to_mend(found)[: layout_files.MOST].iterator(chunk_size=500)
    return layout_files_response(layout_files.bad_rows(table.columns(), rows), "rows-to-mend.xlsx")


def layout_files_response(content: bytes, name: str) -> HttpResponse:
    """A workbook to be kept."""
    answer = HttpResponse(content, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@needs(ACTION)
def layout_template(request: Asked, key: str) -> HttpResponse:
    """An empty table in a layout, to be filled in."""
    return layout_files_response(layout_files.template(_plan(request, key)), f"{key}.xlsx")


@needs(ACTION)
def layout_export(request: Asked, key: str) -> HttpResponse:
    """What was received in a layout, in its own columns: imported again it adds nothing."""
    plan = _plan(request, key)
    if not request.reach.may(layout_files.ASKED[plan.target]):
        raise NotPermitted
    return layout_files_response(layout_files.export(plan, request.reach), f"{key}-export.xlsx")


def _plan(request: Asked, key: str) -> Plan:
    plan = layouts_for(request).get(key)
    if plan is None:
        raise NotFound
    return plan
