"""Looking again at cases drawn by lot: the list to take along, what was found of each, and what it says of them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from anlan.casework import rechecks
from anlan.casework.cases import NoCase
from anlan.casework.draft import load
from anlan.casework.models import Case
from anlan.casework.rechecks import Finding
from anlan.index.rulebook.integrity import Fixed
from anlan.kernel.ids import new_id
from anlan.kernel.text import Refusal, Text
from anlan.places import register
from anlan.places.models import Officer
from anlan.presentation import rechecking
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.rechecking import Draw
from anlan.presentation.saying import name, say
from anlan.presentation.web import case_export
from anlan.presentation.web.case_act import client_key
from anlan.presentation.web.case_export import Out
from anlan.presentation.web.case_rows import AREA, LEAD, WHAT, headline, lead_of, lean, named
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index.asked import Named, Sight, find
from anlan.presentation.web.index.cases import seen
from anlan.presentation.web.index.trust import PAGES
from anlan.presentation.web.lists import Column, Empty, Table, table

TITLE: Final = Text(zh="复查", en="Look again")
LOT: Final = Text(zh="签号", en="Lot")
STATE: Final = Text(zh="复查结果", en="What was found")
NEXT: Final = Text(zh="办理", en="Next")
WAITS: Final = Text(zh="还没有看", en="not looked at yet")
IS: Final[dict[bool, Text]] = {
    True: Text(zh="整改属实", en="fixed"),
    False: Text(zh="没有整改好", en="not fixed"),
}
RECORD: Final = Text(zh="记录", en="Record")
CORRECT: Final = Text(zh="更正", en="Correct")
REOPEN: Final = Text(zh="去重新办理", en="Reopen it")
NOTHING_FIXED: Final = Empty(
    Text(zh="这一期没有报称整改完的事项", en="Nothing was told as fixed in this period"),
    Text(zh="有了整改结案的事项，这里会抽出一批，请人到现场再看一遍。",
         en="Once cases are closed as fixed, some are drawn here to be looked at again."),
)  # fmt: skip
NONE_SEEN: Final = Empty(
    Text(zh="抽到的事项都不在您的辖区和职责之内", en="None of the cases drawn lies within your reach"),
    Text(zh="抽签结果大家一样；事项只向辖区和职责之内的人打开。",
         en="The draw is the same for everybody; a case opens only to those within whose area or duties it lies."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """A case that was drawn: its lot, what stands of it, by whom, and whether the one who looks may record it."""

    lot: int
    case: Case
    found: Finding | None
    by: str
    may: bool
    reopening: str


def panel(request: Asked, sight: Sight, here: Named) -> dict[str, Any]:
    """What the page of signals shows of the draw: the cases, what was found of each, and the true rate of fixes."""
    try:
        size, problem = rechecking.size_of(request.GET.get("size", "")), None
        drawn = rechecking.draw(sight.edition, here.path, size)
    except Refusal as refusal:
        problem, drawn = refusal.text, rechecking.draw(sight.edition, here.path)
    if not drawn.of:
        return {"sample": None, "nothing_fixed": NOTHING_FIXED}
    found = drawn.found()
    rows = _rows(request, drawn, found)
    again = {"size": request.GET["size"]} if request.GET.get("size") and problem is None else {}
    files = {kind: sight.url("index_recheck_list", kind, area=here.code, **again) for kind in ("csv", "xlsx")}
    return {
        "sample": _table(sight, here, drawn, rows, again), "of": drawn.of, "drawn": len(drawn.cases),
        "seed": drawn.seed, "left": len(drawn.cases) - len(found), "rate": said_of(drawn.rate(found)),
        "code": here.code, "edition": sight.said.get("edition", ""), "size": len(drawn.cases), "problem": problem,
        "files": files if rows and request.reach.may("cases.export") else {},
    }  # fmt: skip


def _rows(request: Asked, drawn: Draw, found: Mapping[UUID, Finding], action: str = "cases.see") -> list[Drawn]:
    """Those of the draw on which this person may do `action`, in the order of their lots."""
    ids = [str(each) for each in drawn.cases]
    mine = seen(request.reach, ids, action)
    may = set(seen(request.reach, ids, rechecks.ACTION)) if request.reach.may(rechecks.ACTION) else set()
    held = {case.pk: case for case in named(list(lean(Case.objects.filter(pk__in=mine))))}
    people = register.current().rows(Officer.objects.all(), [each.by for each in found.values()])
    rows = []
    for lot, pk in enumerate(drawn.cases, 1):
        if pk in held:
            said, case = found.get(pk), held[pk]
            by = people[said.by].name if said is not None and said.by in people else ""
            reopening = rechecks.reopening(case) if said is not None and not said.fixed else ""
            rows.append(Drawn(lot, case, said, by, pk in may, reopening))
    return rows


def _table(sight: Sight, here: Named, drawn: Draw, rows: Sequence[Drawn], again: Mapping[str, str]) -> Table:
    columns = [
        Column(WHAT, lambda row: headline(row.case), sub=lambda row: row.case.number),
        Column(LOT, lambda row: row.lot, css="num"),
        Column(STATE, _state, sub=_note),
        Column(LEAD, lambda row: lead_of(row.case)),
        Column(AREA, lambda row: row.case.area, sub=lambda row: row.case.address),
    ]
    if any(row.may or row.reopening for row in rows):
        columns.append(Column(NEXT, lambda row: _next(sight, here, row, again), css="no-print"))
    many, mine = len(drawn.cases), len(rows)
    caption = Text(zh=f"抽到 {many} 件", en=f"{many} drawn")
    if mine < many:
        caption = Text(zh=f"{caption.zh}，您能看到其中 {mine:,} 件", en=f"{caption.en}, of which you may see {mine:,}")
    return table(
        rows, columns, caption=caption, url=lambda row: reverse("case", args=[row.case.number]), drawer=True,
        empty=NONE_SEEN,
    )  # fmt: skip


def _state(row: Drawn) -> SafeString:
    if row.found is None:
        return format_html('<span class="light light-none">{}</span>', say(WAITS))
    css = "ok" if row.found.fixed else "late"
    return format_html('<span class="light light-{}">{}</span>', css, say(IS[row.found.fixed]))


def _note(row: Drawn) -> Text | None:
    """Who looked, when, what they saw, and whether it was corrected."""
    if row.found is None:
        return None
    day, times, note = f"{timezone.localtime(row.found.at):%Y-%m-%d}", row.found.times, row.found.note
    zh, en = f"{row.by} {day}", f"{row.by} {day}"
    if times > 1:
        zh, en = f"{zh}，第 {times} 次记录", f"{en}, recorded {times} times"
    return Text(zh=f"{zh}：{note}" if note else zh, en=f"{en}: {note}" if note else en)


def _next(sight: Sight, here: Named, row: Drawn, again: Mapping[str, str]) -> SafeString | str:
    links = []
    if row.may:
        url = sight.url("index_recheck", str(row.case.pk), area=here.code, **again)
        links.append((url, CORRECT if row.found else RECORD))
    if row.reopening:
        links.append((reverse("case_act", args=[row.case.number, row.reopening]), REOPEN))
    one = '<a href="{}">{}<span class="visually-hidden"> {}</span></a>'
    drawn = format_html_join(" · ", one, ((url, say(words), row.case.number) for url, words in links))
    return format_html("<span>{}</span>", drawn) if drawn else "–"


def percent(share: float) -> str:
    """A share as it is written."""
    return f"{share * 100:.1f}%"


def said_of(found: Fixed | None) -> Text | None:
    """The true rate in a sentence; None while nobody has looked."""
    if found is None:
        return None
    share, low, high = percent(found.share), percent(found.low), percent(found.high)
    return Text(
        zh=f"真正整改好的约 {share}，九成把握在 {low} 到 {high} 之间（{found.of} 件中复查 {found.looked} 件，"
        f"{found.fixed} 件属实）。",
        en=f"About {share} are truly fixed; between {low} and {high} with 90% confidence ({found.looked} of {found.of} "
        f"were looked at again, {found.fixed} were fixed).",
    )


# ---------------------------------------------------------------- the list to take along


def outs() -> Sequence[Out]:
    """The columns of the list."""
    return (
        Out(LOT, lambda row: row.lot, 6),
        Out(Text(zh="编号", en="Number"), lambda row: row.case.number, 20),
        Out(WHAT, lambda row: headline(row.case), 40),
        Out(AREA, lambda row: name(row.case.area)),
        Out(Text(zh="地址", en="Address"), lambda row: row.case.address, 30),
        Out(LEAD, lambda row: lead_of(row.case), 20),
        Out(Text(zh="办结时间", en="Closed"), lambda row: row.case.closed_at, 17),
        Out(STATE, lambda row: IS[row.found.fixed] if row.found else WAITS),
        Out(Text(zh="现场看到", en="Found there"), lambda row: row.found.note if row.found else "", 40),
        Out(Text(zh="复查人", en="Looked at by"), lambda row: row.by),
        Out(Text(zh="复查时间", en="Looked at"), lambda row: row.found.at if row.found else None, 17),
    )


@needs("cases.export")
def index_recheck_list(request: Asked, index: str, period: str, kind: str) -> HttpResponseBase:
    """The draw as a file, as far as this person may take cases out."""
    if kind not in ("csv", "xlsx"):
        raise NotFound
    sight, here, drawn = _asked(request, index, period)
    rows = _rows(request, drawn, drawn.found(), "cases.export")
    file = f"recheck-{sight.index}-{sight.period.name}-{here.code}.{kind}"
    return (case_export.text if kind == "csv" else case_export.excel)(file, outs(), rows)


def _asked(request: Asked, index: str, period: str) -> tuple[Sight, Named, Draw]:
    """The edition, the area and the draw that an address is about. Raises NotFound."""
    sight = find(request, index, period)
    here = sight.scope(request)
    if here is None:
        raise NotFound
    try:
        return sight, here, rechecking.draw(
            sight.edition, here.path, rechecking.size_of(request.GET.get("size", ""))
        )  # fmt: skip
    except Refusal as refusal:
        raise NotFound from refusal


# ---------------------------------------------------------------- what was found


@needs(rechecks.ACTION)
def index_recheck(request: Asked, index: str, period: str, case_id: UUID) -> HttpResponseBase:
    """Write down what was found of one case that was drawn; the last record stands, and all of them are kept."""
    sight, here, drawn = _asked(request, index, period)
    [row] = _one(request, drawn, case_id)
    back = sight.url("index_integrity", area=here.code, **_again(request))
    form = _form(request, row, back)
    hindered = rechecks.bar(load(Case.objects.get(pk=case_id)), by=request.user, reach=request.reach)
    if request.method == "POST" and hindered is None:
        done = form.carry_out(request, lambda answers: _record(request, drawn, case_id, answers))
        if done is not None:
            messages.success(request, say(Text(zh=f"已记录 {done.number}。", en=f"{done.number} is recorded.")))
            return redirect(back)
    said = {
        "title": TITLE, "row": row, "case": row.case, "headline": headline(row.case), "form": form, "sight": sight,
        "hindered": hindered.text if hindered else None, "back": back, "state": _state(row), "note": _note(row),
        "crumbs": sight.crumbs((PAGES["index_integrity"], back), (TITLE, "")),
    }  # fmt: skip
    status = 403 if hindered else 422 if request.method == "POST" else 200
    return render(request, "index/recheck.html", said, status=status)


def _again(request: Asked) -> dict[str, str]:
    return {"size": request.GET["size"]} if request.GET.get("size") else {}


def _one(request: Asked, drawn: Draw, case_id: UUID) -> list[Drawn]:
    """The row of one case of the draw. Raises NotFound where it was not drawn, or is not this person's to record."""
    found = [row for row in _rows(request, drawn, drawn.found()) if row.case.pk == case_id and row.may]
    if not found:
        raise NotFound
    return found


def _form(request: Asked, row: Drawn, back: str) -> Form:
    asks = [
        Ask("fixed", Text(zh="现场看到的是", en="On the spot it was"), "radio",
            choices=[("yes", IS[True]), ("no", IS[False])]),
        Ask("note", Text(zh="现场看到什么", en="What was found"), "longtext", required=False,
            hint=Text(zh="没有整改好的必须写。不要写人名和电话。",
                      en="Needed where it is not fixed. Write no names and no phones.")),
    ]  # fmt: skip
    hidden = {"key": request.POST.get("key") or str(new_id())}
    return Form(asks, CORRECT if row.found else RECORD, action=request.get_full_path(), cancel=back, hidden=hidden)


def _record(request: Asked, drawn: Draw, case_id: UUID, answers: dict[str, Any]) -> Case:
    try:
        return rechecks.record(
            case_id, drawn.edition, fixed=answers["fixed"] == "yes", note=answers["note"] or "", by=request.user,
            reach=request.reach, at=request.at, key=client_key(request, request.POST.get("key", "")),
        )  # fmt: skip
    except NoCase as refusal:
        raise NotFound from refusal
