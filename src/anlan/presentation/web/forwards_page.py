"""Cases passed on to other systems: how far each is there, and those that wait for somebody to decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.casework import cases, forwards
from anlan.casework.models import Forward
from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, NotPermitted, needs
from anlan.presentation.saying import say
from anlan.presentation.web.case_rows import headline
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, Filter, Filters, page_of, table

TITLE = Text(zh="转送", en="Passed on")
STATES = (
    ("unclear", Text(zh="不知对方收下没有，等人核实", en="Unclear whether taken: somebody must ask")),
    ("refused", Text(zh="没有送成，等人处理", en="Not taken: somebody must decide")),
    ("waiting", Text(zh="等待发送", en="To be sent")),
    ("sending", Text(zh="正在发送或核实", en="Being sent or looked for")),
    ("token", Text(zh="已送达，等待编号", en="Sent, waiting for its number")),
    ("open", Text(zh="对方在办", en="Being dealt with there")),
    ("closing", Text(zh="对方已办结，等待登记", en="Closed there, to be noted here")),
    ("closed", Text(zh="对方已办结", en="Closed there")),
    ("given_up", Text(zh="不再转送", en="Given up")),
)
TO = Text(zh="转给", en="To")
HOW = Text(zh="情况", en="How it stands")
FOUND = Text(zh="对方已经收下，记下编号", en="They have it: write down their number")
AGAIN = Text(zh="对方没有收到，再送一次", en="They do not have it: send it again")
GIVE_UP = Text(zh="不再转送", en="Do not pass it on")
DONE = {
    "found": Text(zh="已记下对方编号", en="Their number is written down"),
    "again": Text(zh="稍后会再送一次", en="It will be sent again"),
    "give_up": Text(zh="不再转送这个事项", en="It is not passed on any more"),
}


def title_of(target: str) -> Text:
    """What the other side is called; its key when no file declares it any more."""
    declared = forwards.all_forwardings().get(target)
    return declared.title if declared else Text(zh=target, en=target)


def trouble(forward: Forward) -> Text | None:
    """What stands in the way."""
    return Text(zh=forward.trouble_zh, en=forward.trouble_en) if forward.trouble_zh else None


COLUMNS = (
    Column(Text(zh="事项", en="Case"), lambda row: headline(row.case), sub=lambda row: row.case.number),
    Column(TO, lambda row: title_of(row.target), sub=lambda row: row.number),
    Column(HOW, lambda row: dict(STATES)[row.state], sub=trouble),
    Column(Text(zh="最近变化", en="Last change"), lambda row: row.changed_at),
)


def visible(request: Asked) -> QuerySet[Forward]:
    """The forwards of the cases this person may see."""
    return Forward.objects.filter(case__in=cases.visible(request.reach)).select_related("case")


@needs("quarantine.see")
def index(request: Asked) -> HttpResponse:
    """What was passed on; first of all, what waits for a person."""
    targets = [(key, declared.title) for key, declared in forwards.all_forwardings().items()]
    bar = Filters.of(
        request,
        [
            Filter("state", HOW, choices=STATES, apply=lambda rows, v: rows.filter(state=v)),
            Filter("target", TO, choices=targets, apply=lambda rows, v: rows.filter(target=v)),
        ],
    )
    rows = bar.narrow(visible(request))
    if not bar.values():
        rows = rows.exclude(state__in=("closed", "given_up"))
    page = page_of(rows, request, order=("-changed_at", "-pk"))
    empty = Empty(
        Text(zh="没有在转送的事项", en="Nothing is being passed on"),
        Text(
            zh="在规则里写好转送（forwarding）后，落到对方的事项会自动送去，进展列在这里。",
            en="Once one is declared, cases that fall to the other side go there by themselves; they are listed here.",
        ),
    )
    shown = table(
        page.items, COLUMNS, caption=TITLE, url=lambda row: reverse("forward", args=[row.pk]), empty=empty, page=page,
        drawer=True, quiet_caption=True,
    )  # fmt: skip
    lead = Text(
        zh="送到别的系统办理的事项。送没送到说不清的，由人核实后再定。",
        en="Cases that other systems deal with. Where it is unclear whether one was taken, somebody asks and decides.",
    )
    waiting = visible(request).filter(state__in=forwards.FOR_A_PERSON).count()
    said = {"title": TITLE, "lead": lead, "table": shown, "filters": bar, "waiting": waiting}
    return render(request, "cases/forwards.html", said)


@needs("quarantine.see")
def one(request: Asked, forward_id: UUID) -> HttpResponse:
    """One of them; where it waits for a person, what they may decide."""
    found = visible(request).filter(pk=forward_id).first()
    if found is None:
        raise NotFound
    forms = _forms(found)
    if request.method == "POST":
        if not request.reach.covers("quarantine.mend", area_path=found.case.area_path):
            raise NotPermitted
        done = _decide(request, found, forms)
        if done is not None:
            return done
    may = request.reach.may("quarantine.mend") and found.state in forwards.FOR_A_PERSON
    said = {
        "title": Text(zh="转送的事项", en="A case passed on"), "forward": found, "facts": _facts(found), "may": may,
        "trouble": trouble(found), "state": dict(STATES)[found.state], "to": title_of(found.target),
        "forms": list(forms.values()),
        "case_url": reverse("case", args=[found.case.number]), "what": headline(found.case),
        "crumbs": [(TITLE, reverse("forwards")), (Text(zh="转送的事项", en="A case passed on"), "")],
    }  # fmt: skip
    return render(request, "cases/forward.html", said, status=422 if request.method == "POST" else 200)


def _facts(found: Forward) -> list[tuple[Text, Any]]:
    told = [
        (Text(zh="转送号", en="Our reference"), found.reference),
        (Text(zh="对方编号", en="Their number"), found.number),
        (Text(zh="对方说", en="They say"), found.told),
        (Text(zh="发出", en="Sent"), found.sent_at),
        (Text(zh="下一次", en="Next"), found.next_at),
    ]
    return [(label, value) for label, value in told if value]


def _forms(found: Forward) -> dict[str, Form]:
    number = Ask("number", Text(zh="对方编号", en="Their number"), longest=200)
    forms = {
        "found": Form([number], verb=FOUND, hidden={"decide": "found"}, prefix="found-"),
        "again": Form([], verb=AGAIN, hidden={"decide": "again"}, prefix="again-"),
        "give_up": Form([], verb=GIVE_UP, hidden={"decide": "give_up"}, danger=True, prefix="give-"),
    }
    return {key: form for key, form in forms.items() if key != "found" or not found.number}


def _decide(request: Asked, found: Forward, forms: dict[str, Form]) -> HttpResponse | None:
    decided = request.POST.get("decide", "")
    if decided not in forms:
        return None

    def deed(answers: dict[str, Any]) -> bool:
        if decided == "found":
            forwards.found_there(found, answers["number"], by=request.user, at=request.at)
        elif decided == "again":
            forwards.send_again(found, by=request.user, at=request.at)
        else:
            forwards.give_up(found, by=request.user, at=request.at)
        return True

    if forms[decided].carry_out(request, deed) is None:
        return None
    messages.success(request, say(DONE[decided]))
    return redirect("forwards")
