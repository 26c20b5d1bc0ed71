"""上报: a place, a topic, some words, photos; sent, it is a report and, where the table knows, a case."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.casework import triage
from anlan.casework.cases import visible
from anlan.casework.draft import plan_of
from anlan.casework.models import Case
from anlan.intake import reports
from anlan.intake.channel import CHANNELS
from anlan.intake.models import Report
from anlan.kernel import catalogue
from anlan.kernel.ids import new_id
from anlan.kernel.text import Text
from anlan.places.models import Site
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.web.act_forms import topic_choices
from anlan.presentation.web.asking import ask_for
from anlan.presentation.web.case_act import kept, place_of
from anlan.presentation.web.case_view import shot
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.reporting import number_of

CHANNEL = "officer_form"
ACTION = "reports.receive"
TITLE = Text(zh="上报", en="Report")
FOLDED = ("reporter_name", "reporter_phone")


@needs(ACTION)
def report(request: Asked) -> HttpResponse:
    """The form; sent twice by a nervous finger it is still one report."""
    form = _form(request)
    if request.method == "POST":
        form.hidden["client_id"] = number_of(request.POST.get("client_id", "")) or form.hidden["client_id"]
        received = form.carry_out(request, lambda answers: receive(request, form.hidden["client_id"], answers))
        if received is not None:
            return redirect("report_sent", report_id=received.pk)
    said = {
        "title": TITLE, "form": form, "main": [f for f in form.fields if f.key not in FOLDED],
        "folded": [f for f in form.fields if f.key in FOLDED],
        "site": _site(request), "hear": reverse("topics_heard"), "lon": request.POST.get("lon", ""),
        "lat": request.POST.get("lat", ""),
    }  # fmt: skip
    return render(request, "cases/report.html", said, status=422 if request.method == "POST" else 200)


def _site(request: Asked) -> Site | None:
    """The site whose sign was scanned, if it lies within reach."""
    code = request.GET.get("site", "")
    if not code or not request.reach.may("sites.see"):
        return None
    seen = Site.objects.filter(request.reach.q("sites.see", party="operator"), is_active=True)
    return seen.select_related("area").filter(code=code).first()


def _form(request: Asked) -> Form:
    site = _site(request)
    words = Text(zh="发生了什么、有多严重、碍着谁了。", en="What is wrong, how bad it is, who is in danger.")
    code = Text(zh="场所牌上的编号；扫码进来会自动填好。", en="The code on the site's sign; scanning it fills this in.")
    unsure = Text(zh="拿不准可以不选，受理员会核对。", en="Leave it open if you are not sure; triage will check it.")
    by_post = Text(zh="不选就用定位或您的岗位所在辖区。", en="Left open, your position or your post says where.")
    fields = [
        Ask("description", Text(zh="情况", en="What is wrong"), "longtext", hint=words),
        Ask("photos", Text(zh="照片", en="Photos"), "photos", required=False),
        Ask("topic", Text(zh="类别", en="Topic"), "choice", required=False, choices=topic_choices(), hint=unsure),
        Ask("address", Text(zh="地址", en="Address"), required=False, value=site.address if site else None),
        Ask("site", Text(zh="场所编号", en="Site code"), required=False, hint=code, value=site.code if site else None),
        ask_for(request, "area", "area", Text(zh="辖区", en="Area"), action=ACTION, required=False, hint=by_post,
                value=site.area if site else None),
        Ask("reporter_name", Text(zh="上报人", en="Name"), required=False),
        Ask("reporter_phone", Text(zh="联系电话", en="Telephone"), required=False),
    ]  # fmt: skip
    return Form(fields, verb=Text(zh="上报", en="Send the report"), hidden={"client_id": str(new_id())})


def receive(request: Asked, client_id: str, answers: dict[str, Any]) -> Report:
    """Take the report in through the one door, and open its case at once where the table knows which."""
    told = {key: value for key, value in answers.items() if value not in (None, "") and key not in ("photos", "area")}
    if answers.get("area") is not None:
        told["area"] = answers["area"].code
    place = place_of(request)
    if place is not None:
        told["lon"], told["lat"] = (f"{value:.6f}" for value in place)
    channel = catalogue.current().get(CHANNELS, CHANNEL)
    message = {"client_id": f"{request.user.pk}-{client_id}", **told}
    with transaction.atomic():
        known = Report.objects.filter(channel=CHANNEL, message_id=message["client_id"]).first()
        if known is not None:
            return known
        photos = kept(request, answers.get("photos") or (), stage="before")
        received = reports.receive(channel, message, by=request.user, at=request.at, photos=photos, reach=request.reach)
        assert received.report is not None  # a form is understood or refused
        triage.take(received.report, by=request.user, at=request.at)
        return received.report


@needs(ACTION)
def report_sent(request: Asked, report_id: UUID) -> HttpResponse:
    """What became of a report one has sent, and what happens next."""
    told = Report.objects.select_related("area").filter(pk=report_id, by=request.user).first()
    if told is None:
        raise NotFound
    case = Case.objects.filter(case_reports__report=told).first()
    may_see = case is not None and request.reach.may("cases.see") and visible(request.reach).filter(pk=case.pk).exists()
    said = {
        "title": Text(zh="已经收到", en="Received"), "told": told, "case": case,
        "case_url": reverse("case", args=[case.number]) if case is not None and may_see else "",
        "public": plan_of(case).procedure.steps[case.step].public if case is not None else None,
        "photos": [shot(photo) for photo in told.photos.all()],
    }  # fmt: skip
    return render(request, "cases/report_sent.html", said)
