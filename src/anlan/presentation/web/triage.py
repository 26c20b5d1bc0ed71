"""受理: reports that no case answers yet; accepted, attached to a case, or refused, by keyboard if one likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.casework import cases, triage
from anlan.casework.acts import NotAllowed
from anlan.casework.cases import Doing, visible
from anlan.casework.models import Case
from anlan.casework.procedure import PROCEDURES, in_force
from anlan.casework.routing import Route, route
from anlan.intake.models import Report
from anlan.intake.topic_model import Hearing, hearing
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.places.models import Department
from anlan.places.record import day_of
from anlan.places.scope import under
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import say
from anlan.presentation.web.act_forms import topic_choices
from anlan.presentation.web.alike import Alike, alike
from anlan.presentation.web.case_reports import channel_title
from anlan.presentation.web.case_rows import topic_title
from anlan.presentation.web.case_view import shot
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, page_of, table
from anlan.presentation.web.topics_heard import Heard, heard

TITLE = Text(zh="受理", en="Triage")
OTHER = "other"
ACCEPT = Text(zh="受理立案", en="Accept")
ATTACH = Text(zh="并入事项", en="Attach")
REFUSE = Text(zh="不予受理", en="Do not accept")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is suggested for a report: topic, procedure, who would lead, and the topics that its words may mean."""

    topic: str
    procedure: str
    lead: Department | None
    heard: Sequence[Heard]

    @property
    def title(self) -> Text:
        return topic_title(self.topic)


class NoSuchCase(Refusal):
    """The case to attach to does not exist for this person."""


class CannotRefuse(Refusal):
    """The procedure has no act by which this person may refuse."""


def topic_of(report: Report, heard: Hearing) -> str:
    """The report's topic, or the one its words most likely mean."""
    if report.topic and report.topic != OTHER:
        return report.topic
    first = next(iter(heard.suggest(words_of(report))), None)
    return first.topic if first else report.topic


def words_of(report: Report) -> str:
    """What was told, and where: an address says a lamp post, too."""
    return f"{report.description} {report.address}".strip()


def suggestion(report: Report, request: Asked) -> Suggestion:
    """The topic in the words, the procedure the table gives for it, and the department that would lead."""
    listening = hearing()
    topic = topic_of(report, listening)
    kind = report.site.kind if report.site else ""
    found: Route | None = route(topic, report.area_path, site_kind=kind, day=day_of(request.at)) if topic else None
    lead = Department.objects.filter(pk=found.lead).first() if found and found.lead else None
    return Suggestion(topic, found.procedure if found else "", lead, heard(listening, words_of(report)))


def _columns(listening: Hearing) -> tuple[Column, ...]:
    where, told = Text(zh="地点", en="Where"), Text(zh="情况", en="What was told")
    return (
        Column(where, lambda r: r.site.name if r.site else r.address or r.area, sub=lambda r: r.area),
        Column(told, lambda r: r.description[:120]),
        Column(Text(zh="像是", en="Looks like"), lambda r: topic_title(topic_of(r, listening))),
        Column(Text(zh="来源", en="From"), lambda r: channel_title(r.channel), sub=lambda r: r.told_at),
    )


@needs("reports.see")
def index(request: Asked) -> HttpResponse:
    """The reports waiting, oldest first."""
    rows = triage.waiting(request.reach).select_related("area", "site")
    if request.area:
        rows = rows.filter(under(request.area.path))
    page = page_of(rows, request, order=("told_at", "pk"))
    empty = Empty(
        Text(zh="没有等待受理的上报", en="No report is waiting"),
        Text(
            zh="分流表认得的上报会直接立案；认不得的排在这里，由人来定。",
            en="Reports the routing table knows become cases at once; the rest wait here for a person.",
        ),
    )
    shown = table(
        page.items, _columns(hearing()), caption=TITLE, url=lambda report: reverse("triage_one", args=[report.pk]),
        empty=empty, page=page, drawer=True, quiet_caption=True,
    )  # fmt: skip
    said = {"title": TITLE, "table": shown, "links": _links(request)}
    return render(request, "cases/triage.html", said)


def _links(request: Asked) -> list[tuple[Text, str]]:
    links = [
        (Text(zh="没读懂的来件", en="Held messages"), "quarantine", "quarantine.see"),
        (Text(zh="导入台账", en="Import a ledger"), "imports", "imports.run"),
    ]
    return [(words, reverse(name)) for words, name, action in links if request.reach.may(action)]


@needs("reports.see")
def one(request: Asked, report_id: UUID) -> HttpResponse:
    """One report with what is suggested, and the three things that can become of it."""
    report = _find(request, report_id)
    known = Case.objects.filter(case_reports__report=report).first()
    near = alike(report, request)
    forms = _forms(request, report, near)
    if request.method == "POST" and known is None:
        form = forms.get(request.POST.get("do", ""))
        case = form.carry_out(request, lambda a: DEEDS[request.POST["do"]](request, report, a)) if form else None
        if case is not None:
            return _next(request, case)
    status = 422 if request.method == "POST" else 200
    said = _said(request, report, known, forms) | {"alike": near}
    return render(request, "cases/triage_one.html", said, status=status)


def _said(request: Asked, report: Report, known: Case | None, forms: dict[str, Form]) -> dict[str, Any]:
    return {
        "title": Text(zh="受理上报", en="Take up a report"), "report": report, "known": known, "forms": forms,
        "may_act": request.reach.covers("cases.act", area_path=report.area_path) and known is None,
        "suggestion": suggestion(report, request), "channel": channel_title(report.channel),
        "photos": [shot(photo) for photo in report.photos.all()],
        "crumbs": [(TITLE, reverse("triage")), (Text(zh="受理上报", en="Take up a report"), "")],
    }  # fmt: skip


def _find(request: Asked, report_id: UUID) -> Report:
    seen = Report.objects.filter(request.reach.q("reports.see", owner="by"), pk=report_id)
    report = seen.select_related("area", "site", "site__operator").first()
    if report is None:
        raise NotFound
    return report


def _forms(request: Asked, report: Report, near: Alike) -> dict[str, Form]:
    guess = suggestion(report, request)
    in_use = {p.key: p.title for p in catalogue.current().all(PROCEDURES).values()}
    here = reverse("triage_one", args=[report.pk])
    number = Text(zh="事项编号", en="Case number")
    reason = Ask("reason", Text(zh="不予受理的原因", en="Why it is not accepted"), "longtext")
    accept = [
        Ask("topic", Text(zh="类别", en="Topic"), "choice", choices=topic_choices(), value=guess.topic),
        Ask("procedure", Text(zh="办理程序", en="Procedure"), "radio", choices=list(in_use.items()),
            value=guess.procedure or "incident"),
    ]  # fmt: skip
    attach = [Ask("case", number, value=near.first)]
    return {
        "accept": Form(accept, verb=ACCEPT, action=here, hidden={"do": "accept"}, prefix="accept-"),
        "attach": Form(attach, verb=ATTACH, action=here, hidden={"do": "attach"}, prefix="attach-"),
        "refuse": Form([reason], verb=REFUSE, action=here, hidden={"do": "refuse"}, danger=True, prefix="refuse-"),
    }


def _may_act(request: Asked, report: Report) -> None:
    if not request.reach.covers("cases.act", area_path=report.area_path):
        raise NotAllowed("您可以查看这条上报，但不能受理。", "You may look at this report but not take it up.")


def _accept(request: Asked, report: Report, answers: dict[str, Any]) -> Case:
    _may_act(request, report)
    return triage.accept(report, procedure=answers["procedure"], topic=answers["topic"], by=request.user, at=request.at)


def _attach(request: Asked, report: Report, answers: dict[str, Any]) -> Case:
    _may_act(request, report)
    case = visible(request.reach).filter(number=answers["case"].strip().upper()).first()
    if case is None:
        raise NoSuchCase(
            "没有这个编号的事项，或不在您的辖区。请核对编号。",
            "There is no such case in your area. Check the number.",
            field="case",
        )
    return triage.attach(report, case, reach=request.reach, at=request.at)


def _refuse(request: Asked, report: Report, answers: dict[str, Any]) -> Case:
    """Opened and refused in one go, so that the refusal has a number, a reason, and is counted."""
    _may_act(request, report)
    key = suggestion(report, request).procedure or "incident"
    declared = in_force(key, day_of(request.at))
    ends = {name for name, step in declared.steps.items() if step.outcome == "refused"}
    refusing = [name for name, act in declared.acts.items() if act.to in ends and declared.first in act.steps]
    with transaction.atomic():
        case = triage.accept(report, procedure=key, topic=report.topic or OTHER, by=request.user, at=request.at)
        offered = {name for name, _ in cases.allowed(case, by=request.user, reach=request.reach)}
        act = next((name for name in refusing if name in offered), None)
        if act is None:
            raise CannotRefuse(
                "按这个办理程序，您的岗位不能不予受理；请先受理，再交有权限的岗位。",
                "Under this procedure your post may not refuse it; accept it and hand it to one that may.",
            )
        doing = Doing(act, {"reason": answers["reason"]}, key=f"refuse:{report.pk}")
        return cases.act(case.pk, doing, by=request.user, reach=request.reach, at=request.at)


DEEDS = {"accept": _accept, "attach": _attach, "refuse": _refuse}


def _next(request: Asked, case: Case) -> HttpResponse:
    """On to the next report that waits, or back to the queue when none does."""
    done = {"accept": "已受理", "attach": "已并入", "refuse": "已不予受理"}[request.POST["do"]]
    said = {"accept": "Accepted as", "attach": "Attached to", "refuse": "Not accepted:"}[request.POST["do"]]
    messages.success(request, say(Text(zh=f"{done}：{case.number}", en=f"{said} {case.number}")))
    following = triage.waiting(request.reach).values_list("pk", flat=True).first()
    return redirect("triage_one", report_id=following) if following else redirect("triage")
