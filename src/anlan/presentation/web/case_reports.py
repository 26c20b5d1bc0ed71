"""The reports a case answers, as told; who told them only for those who may know, and each reading is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.casework.models import CaseReport
from anlan.intake.channel import CHANNELS, Channel
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.ledger import events, personal
from anlan.ledger.events import NewEvent
from anlan.presentation.permissions import NotFound, NotPermitted, needs
from anlan.presentation.web.case_rows import headline, topic_title
from anlan.presentation.web.case_view import CaseView
from anlan.presentation.web.frame import Asked

READ = "reporter.read"
MOST = 200
LABELS = {
    "reporter_name": Text(zh="上报人", en="Name"),
    "reporter_phone": Text(zh="电话", en="Telephone"),
    "may_share": Text(zh="同意办理部门直接联系", en="The department may call, too"),
    "rest": Text(zh="来件的其余内容", en="What else the message held"),
}
WHY = {
    "verify": Text(zh="核实情况", en="To ask what exactly is wrong"),
    "tell": Text(zh="告知办理结果", en="To tell the result"),
    "call_back": Text(zh="回访满意度", en="To ask whether they are satisfied"),
    "protect": Text(zh="保护上报人", en="To protect the reporter"),
}
"""What somebody may want a reporter's contact for; which it was is written into the ledger."""
LATER = {
    "pressed": Text(zh="催办", en="Pressed for"),
    "added": Text(zh="补充", en="Added"),
    "withdrawn": Text(zh="撤单", en="Withdrawn"),
}
YES = Text(zh="是", en="yes")
GONE = Text(zh="联系方式已按期限清除。", en="The contact has been erased, as its term is over.")


class NoReason(Refusal):
    """Nobody reads a reporter's contact without saying what for."""

    status = 422

    def __init__(self) -> None:
        super().__init__(
            "请先选择查看联系方式的用途：用途会和这次查看一起记录。",
            "First choose what you need the contact for: it is recorded with your reading.",
            field="reason",
        )


@dataclass(frozen=True, slots=True)
class Later:
    """What the sender said of it later."""

    word: Text
    text: str
    told_at: Any


@dataclass(frozen=True, slots=True)
class Told:
    """One report as the page shows it; `contact_url` only for those who may learn who told it."""

    report: Report
    channel: Text
    topic: Text
    joined_at: Any
    contact_url: str
    later: list[Later]


@needs("cases.see")
def case_reports(request: Asked, number: str) -> HttpResponse:
    """The reports of a case, oldest first."""
    view = CaseView.find(request, number)
    joined = (
        CaseReport.objects.filter(case=view.case)
        .select_related("report", "report__area")
        .prefetch_related("report__additions")
    )
    told = [
        Told(
            each.report, channel_title(each.report.channel), topic_title(each.report.topic), each.joined_at,
            reverse("case_reporter", args=[number, each.report_id]) if may_know(view, each.report) else "",
            [Later(LATER[added.kind], added.text, added.told_at) for added in each.report.additions.all()],
        )
        for each in joined.order_by("joined_at", "pk")[:MOST]
    ]  # fmt: skip
    said = {"title": Text(zh="上报原文", en="Reports as told"), "view": view, "case": view.case, "told": told}
    said["why"] = list(WHY.items())
    said["crumbs"] = [(headline(view.case), reverse("case", args=[number])), (said["title"], "")]
    inline = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
    return render(request, "cases/reports_part.html" if inline else "cases/reports.html", said)


def channel_title(key: str) -> Text:
    """The words of a channel; its key when no file declares it any more."""
    channels: dict[str, Channel] = dict(catalogue.current().all(CHANNELS))
    return channels[key].title if key in channels else Text(zh=key, en=key)


def may_know(view: CaseView, report: Report) -> bool:
    """Whether this person may learn who told `report`: by their role; never as the party complained of, and as somebody
    who deals with the case only when the reporter agreed."""
    reach, case = view.request.reach, view.case
    if report.reporter_id is None or (case.party_id is not None and case.party_id in reach.parties()):
        return False
    if case.handler_id == reach.officer or not view.involved.isdisjoint(reach.departments()):
        return (personal.read(report.reporter_id) or {}).get("may_share") == "yes"
    return view.covers("reporter.see")


@needs("cases.see")
def case_reporter(request: Asked, number: str, report_id: UUID) -> HttpResponse:
    """Who reported, told to one who may know; that they read it, and what for, is written into the ledger first."""
    view = CaseView.find(request, number)
    if request.method != "POST":
        return redirect("case_reports", number=number)
    joined = CaseReport.objects.filter(case=view.case, report=report_id).select_related("report").first()
    if joined is None or joined.report.reporter_id is None:
        raise NotFound
    if not may_know(view, joined.report):
        raise NotPermitted
    why = request.POST.get("reason", "")
    if why not in WHY:
        raise NoReason
    with transaction.atomic():
        read = NewEvent(
            READ, joined.report_id, by=request.user.pk, at=request.at, recorded_at=request.at,
            area_path=view.case.area_path, data={"case": str(view.case.pk), "reason": why},
        )  # fmt: skip
        events.append(read)
        fields = personal.read(joined.report.reporter_id)
    told = {**(fields or {}), **({"may_share": YES} if (fields or {}).get("may_share") == "yes" else {})}
    facts = [(LABELS.get(key, Text(zh=key, en=key)), value) for key, value in told.items()]
    said = {
        "title": Text(zh="上报人联系方式", en="The reporter's contact"), "facts": facts,
        "view": view, "case": view.case,
        "gone": GONE if fields is None else None,
        "crumbs": [(headline(view.case), reverse("case", args=[number])), (Text(zh="上报人", en="Reporter"), "")],
    }  # fmt: skip
    fragment = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
    return render(request, "cases/reporter_part.html" if fragment else "cases/reporter.html", said)
