"""What was pushed to me of police calls, each with its clock: to open one is to receive it, a form answers it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.casework import calls, cases, pushes
from anlan.casework.models import Call, Case, Push
from anlan.kernel.text import Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import say
from anlan.presentation.web import lights, words
from anlan.presentation.web.case_rows import topic_title
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, Filter, Filters, page_of, table

TITLE = Text(zh="推送", en="Pushes")
ANSWER = Text(zh="答复", en="Answer")
WAITING = Q(answered_at=None)
STATES: dict[str, tuple[Text, Q]] = {
    "waiting": (Text(zh="等我答复", en="To answer"), WAITING),
    "late": (Text(zh="已超时", en="Late"), WAITING & Q(late_at__isnull=False)),
    "answered": (Text(zh="已答复", en="Answered"), ~WAITING),
}
RESOLVED = (("yes", Text(zh="已化解", en="Settled")), ("no", Text(zh="还没有化解", en="Not settled yet")))
SETTLED = {True: RESOLVED[0][1], False: RESOLVED[1][1], None: None}
ANSWERED = lights.Light("ok", Text(zh="已答复", en="Answered"))


def light_of(push: Push, *, now: datetime) -> lights.Light:
    """The light of a push: answered, late or in time."""
    if push.answered_at is not None:
        return ANSWERED if push.answered_at <= push.due_at else lights.LATE
    return lights.LATE if push.due_at < now else lights.ON_TIME


def where(call: Call) -> str:
    """Where a call came from, in words."""
    report = call.report
    return report.site.name if report.site else report.address or report.area.name_zh


@needs("pushes.answer")
def index(request: Asked) -> HttpResponse:
    """My pushes, the most pressing first; those answered with `?state=answered`."""
    state = Filter(
        "state", Text(zh="状态", en="State"), choices=[(key, title) for key, (title, _) in STATES.items()],
        apply=lambda rows, v: rows.filter(STATES[v][1]),
    )  # fmt: skip
    bar = Filters.of(request, [state])
    rows = bar.narrow(pushes.mine(request.user))
    if not state.value:
        rows = rows.filter(WAITING)
    page = page_of(rows, request, order=("due_at", "pk"))
    columns = (
        Column(Text(zh="地点和警情", en="Where and what"), lambda p: where(p.call), sub=_what),
        Column(Text(zh="推送", en="Push"), pushes.title_of),
        Column(Text(zh="推送时间", en="Pushed"), lambda p: p.pushed_at),
        Column(Text(zh="期限", en="Due"), lambda p: _left(p, request.at)),
        Column(Text(zh="状态", en="State"), lambda p: light_of(p, now=request.at)),
    )
    empty = Empty(
        Text(zh="没有等您答复的推送", en="No push to answer"),
        Text(
            zh="警情推送给您时会出现在这里：打开就算签收，处理后写明结果。",
            en="Pushes of police calls come here. Opening one receives it; answer once it is dealt with.",
        ),
    )
    shown = table(
        page.items, columns, caption=TITLE, url=lambda p: reverse("push", args=[p.pk]), page=page, empty=empty,
        light=lambda p: light_of(p, now=request.at), quiet_caption=True,
    )  # fmt: skip
    lead = Text(
        zh="一起警情推送给现场、责任、平台三方，各自签收、各自答复。",
        en="One call goes to three: on scene, responsible and platform. Each receives and answers for itself.",
    )
    return render(request, "settings/list.html", {"title": TITLE, "lead": lead, "table": shown, "filters": bar})


def _what(push: Push) -> str:
    report = push.call.report
    return f"{say(topic_title(report.topic))} · {report.description[:40]}"


def _left(push: Push, now: datetime) -> Text:
    if push.answered_at is not None:
        return words.moment(push.answered_at, now=now)
    return words.time_left(push.due_at, now=now)


def waiting(request: Asked) -> list[Push]:
    """A few of the pushes that wait for this person, for the inbox."""
    if not request.reach.may("pushes.answer"):
        return []
    return list(pushes.mine(request.user).filter(WAITING).order_by("due_at", "pk")[:6])


@needs("pushes.answer")
def push(request: Asked, push_id: UUID) -> HttpResponse:
    """One push to me: looking at it receives it, the form answers it."""
    found = pushes.find(push_id, request.user)
    if found.received_at is None:
        pushes.receive(push_id, by=request.user, at=request.at)
    form = _form()
    if request.method == "POST":
        done = form.carry_out(
            request,
            lambda a: pushes.answer(
                push_id, a["text"], resolved=a["resolved"] == "yes", by=request.user, at=request.at
            ),
        )
        if done is not None:
            messages.success(request, say(Text(zh="已答复。", en="Answered.")))
            return redirect("push", push_id=push_id)
    found = pushes.find(push_id, request.user)
    return render(request, "cases/push.html", said_of(request, found, form), status=_status(request, found))


def _status(request: Asked, found: Push) -> int:
    if request.method != "POST":
        return 200
    return 409 if found.answered_at is not None else 422


def _form() -> Form:
    return Form(
        [
            Ask("text", Text(zh="怎么处理的", en="What was done"), "longtext"),
            Ask("resolved", Text(zh="矛盾化解了吗", en="Is it settled"), "radio", choices=RESOLVED),
        ],
        ANSWER,
    )


def said_of(request: Asked, found: Push, form: Form) -> dict[str, Any]:
    """Everything the page of a push shows."""
    report, each = found.call.report, pushes.declared_of(found)
    case = found.call.case
    sees = case is not None and cases.covers(case, request.reach, "cases.see")
    return {
        "title": pushes.title_of(found), "push": found, "form": form, "light": light_of(found, now=request.at),
        "left": _left(found, request.at), "where": where(found.call), "case": case if sees else None,
        "purpose": each.purpose if each else None, "report": report, "linked": linked_of(request, found.call),
        "settled": SETTLED[found.resolved],
        "facts": [
            (Text(zh="类别", en="Topic"), topic_title(report.topic)),
            (Text(zh="报警时间", en="Called"), report.told_at),
            (Text(zh="地址", en="Address"), report.address),
            (Text(zh="辖区", en="Area"), report.area),
            (Text(zh="推送时间", en="Pushed"), found.pushed_at),
            (Text(zh="签收", en="Received"), found.received_at),
        ],
        "crumbs": [(TITLE, reverse("pushes")), (pushes.title_of(found), "")],
    }  # fmt: skip


def linked_of(request: Asked, call: Call) -> list[tuple[Call, bool]]:
    """The calls of one place, when there are several, each with whether this person may see its case."""
    found = list(calls.row_of(call))
    if len(found) < 2:
        return []
    ids = [each.case_id for each in found if each.case_id]
    seen = set(cases.visible(request.reach).filter(pk__in=ids).values_list("pk", flat=True))
    return [(each, each.case_id in seen) for each in found]


def panel(request: Asked, case: Case) -> dict[str, Any]:
    """What a case's page says of the calls it answers: their pushes, and the calls linked with them."""
    sent = pushes.of_case(case)
    if not sent:
        return {"pushes": [], "linked": []}
    call = Call.objects.filter(case=case).order_by("told_at", "pk").first()
    return {
        "pushes": [
            (each, pushes.title_of(each), light_of(each, now=request.at), [to.officer for to in each.to.all()],
             SETTLED[each.resolved])
            for each in sent
        ],
        "linked": linked_of(request, call) if call is not None else [],
    }  # fmt: skip
