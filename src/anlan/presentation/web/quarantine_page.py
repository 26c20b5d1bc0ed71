"""Messages nobody could understand: the reasons, the cells to mend, sent again or set aside with a reason."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.casework import triage
from anlan.intake import quarantine
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Batch, Quarantined
from anlan.intake.reports import NotUnderstood, Received
from anlan.kernel import catalogue
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, NotPermitted, needs
from anlan.presentation.saying import say
from anlan.presentation.web.case_reports import channel_title
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, Filter, Filters, page_of, table

TITLE = Text(zh="没读懂的来件", en="Held messages")
STATES = (
    ("held", Text(zh="等待改正", en="To be mended")),
    ("mended", Text(zh="已改正", en="Mended")),
    ("discarded", Text(zh="已作废", en="Discarded")),
)
FROM = Text(zh="来源", en="From")
LONGEST = 4000


def reasons_of(held: Quarantined) -> list[Text]:
    """Why it could not be taken, in sentences."""
    return [Text(zh=reason["zh"], en=reason["en"]) for reason in held.reasons]


def _first(held: Quarantined) -> Text:
    reasons = reasons_of(held)
    more = len(reasons) - 1
    if not more:
        return reasons[0]
    return Text(zh=f"{reasons[0].zh}（另有 {more} 处）", en=f"{reasons[0].en} (and {more} more)")


def _where(held: Quarantined) -> Text:
    row = held.row_no
    return Text(zh=f"第 {row} 行", en=f"row {row}") if row is not None else Text(zh="单条", en="one message")


COLUMNS = (
    Column(Text(zh="原因", en="Why"), _first),
    Column(FROM, lambda held: channel_title(held.channel), sub=_where),
    Column(Text(zh="文件", en="File"), lambda held: held.batch.file_name if held.batch else None),
    Column(Text(zh="收到", en="Came"), lambda held: held.held_at),
)


def _filters(request: Asked) -> Filters:
    channels = [(key, channel.title) for key, channel in catalogue.current().all(CHANNELS).items()]
    return Filters.of(
        request,
        [
            Filter("state", Text(zh="状态", en="State"), choices=STATES, apply=lambda rows, v: rows.filter(state=v)),
            Filter("channel", FROM, choices=channels, apply=lambda rows, v: rows.filter(channel=v)),
        ],
        keep=("batch",),
    )


@needs("quarantine.see")
def index(request: Asked) -> HttpResponse:
    """The messages held, newest first; those of one file with `?batch=`."""
    bar = _filters(request)
    rows = bar.narrow(quarantine.visible(request.reach)).select_related("batch")
    if "state" not in bar.values():
        rows = rows.filter(state="held")
    batch = _batch(request)
    if batch is not None:
        rows = rows.filter(batch=batch)
    page = page_of(rows, request, order=("-held_at", "-pk"))
    empty = Empty(
        Text(zh="没有等待改正的来件", en="Nothing to mend"),
        Text(
            zh="读不懂的行会原样留在这里，写明原因；改好就能重送，一条也不会丢。",
            en="Rows that could not be read are kept here as they came, with the reason; mend one and send it again.",
        ),
    )
    shown = table(
        page.items, COLUMNS, caption=TITLE, url=lambda held: reverse("held", args=[held.pk]), empty=empty, page=page,
        drawer=True, quiet_caption=True,
    )  # fmt: skip
    return render(request, "cases/quarantine.html", {"title": TITLE, "table": shown, "filters": bar, "batch": batch})


def _batch(request: Asked) -> Batch | None:
    try:
        return Batch.objects.filter(pk=UUID(request.GET.get("batch", ""))).first()
    except ValueError:
        return None


@needs("quarantine.see")
def held(request: Asked, held_id: UUID) -> HttpResponse:
    """One message: every cell as it came, with what is wrong beside it; mended and sent again, or discarded."""
    found = quarantine.visible(request.reach).select_related("batch", "report").filter(pk=held_id).first()
    if found is None:
        raise NotFound
    may_mend = request.reach.may("quarantine.mend") and found.state == "held"
    mending, discarding = _mending(found), _discarding()
    if request.method == "POST":
        if not request.reach.covers("quarantine.mend", area_path=found.area_path):
            raise NotPermitted
        done = _discard(request, found, discarding) if "discard" in request.POST else _mend(request, found, mending)
        if done is not None:
            return done
    said = {
        "title": Text(zh="改正来件", en="Mend a message"), "held": found, "reasons": reasons_of(found),
        "where": _where(found), "channel": channel_title(found.channel), "may_mend": may_mend, "mending": mending,
        "discarding": discarding, "facts": [(Text(zh=k, en=k), v) for k, v in found.raw.items()],
        "crumbs": [(TITLE, reverse("quarantine")), (Text(zh="改正来件", en="Mend a message"), "")],
        "state": dict(STATES)[found.state],
    }  # fmt: skip
    return render(request, "cases/held.html", said, status=422 if request.method == "POST" else 200)


def _mending(found: Quarantined) -> Form:
    """A field for every cell, under the column's own name; what is wrong stands beside its cell."""
    wrong = {reason.get("column", ""): Text(zh=reason["zh"], en=reason["en"]) for reason in found.reasons}
    fields = []
    for place, (column, value) in enumerate(found.raw.items()):
        kind = "longtext" if len(value) > 80 else "text"
        ask = Ask(f"c{place}", Text(zh=column, en=column), kind, required=False, value=value, longest=LONGEST)
        ask.error = wrong.get(column)
        fields.append(ask)
    return Form(fields, verb=Text(zh="改好重送", en="Send it again"), prefix="mend-")


def _discarding() -> Form:
    reason = Ask("reason", Text(zh="作废的理由", en="Why it is discarded"), "longtext")
    return Form([reason], verb=Text(zh="作废", en="Discard"), hidden={"discard": "1"}, danger=True, prefix="discard-")


def _mend(request: Asked, found: Quarantined, form: Form) -> HttpResponse | None:
    columns = list(found.raw)

    def deed(answers: dict[str, Any]) -> Received:
        changes = {columns[int(key[1:])]: value or "" for key, value in answers.items()}
        return quarantine.mend(found, changes, by=request.user, at=request.at, reach=request.reach)

    try:
        received = deed(form.read(request) or {})
    except NotUnderstood as still:
        _blame(form, columns, still)
        return None
    case = triage.take(received.report, by=request.user, at=request.at) if received.report else None
    named = f"：{case.number}" if case else ""
    messages.success(request, say(Text(zh=f"已改好收下{named}", en=f"Taken in{named.replace('：', ': ')}")))
    return redirect("quarantine")


def _blame(form: Form, columns: list[str], still: NotUnderstood) -> None:
    """What is still wrong, beside its cell or above the form."""
    beside = dict(zip(columns, form.fields, strict=True))
    above: list[Text] = []
    for reason in still.reasons:
        if reason.column in beside:
            beside[reason.column].error = reason.text
        else:
            above.append(reason.text)
    if above:
        form.problem = Text(zh="\n".join(text.zh for text in above), en="\n".join(text.en for text in above))


def _discard(request: Asked, found: Quarantined, form: Form) -> HttpResponse | None:
    gone = form.carry_out(
        request, lambda a: quarantine.discard(found, reason=a["reason"], by=request.user, at=request.at)
    )
    if gone is None:
        return None
    said = Text(zh="已作废，原文和理由都保留。", en="Discarded; what it said and why are kept.")
    messages.success(request, say(said))
    return redirect("quarantine")
