"""The same act on many cases: chosen in the list, asked once, done one by one, and told one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from anlan.casework import acts, cases
from anlan.casework.cases import Doing, visible
from anlan.casework.draft import Draft, pasts, plan_of
from anlan.casework.engine import stand
from anlan.casework.models import Case
from anlan.casework.procedure import Act
from anlan.kernel.text import Refusal, Text
from anlan.ledger.models import Event
from anlan.places import holidays
from anlan.presentation.permissions import needs
from anlan.presentation.web.act_forms import ActForm
from anlan.presentation.web.case_act import client_key, kept, place_of
from anlan.presentation.web.case_rows import headline
from anlan.presentation.web.case_view import CaseView
from anlan.presentation.web.frame import Asked

TITLE = Text(zh="一起办理", en="Act on many cases")
MOST = 100


class NothingChosen(Refusal):
    """No case was chosen, or none that this person may act on together with others."""


@needs("cases.bulk")
def case_bulk(request: Asked) -> HttpResponse:
    """First the acts that every case chosen has in common, then the form of one of them, then what became of each."""
    if request.method != "POST":
        return redirect("cases")
    chosen = _chosen(request)
    drafts = _drafts(chosen)
    common = _common(request, drafts)
    key = request.POST.get("act", "")
    said: dict[str, Any] = {
        "title": TITLE, "chosen": [(case, headline(case)) for case in chosen], "common": common,
        "crumbs": [(Text(zh="事项", en="Cases"), reverse("cases")), (TITLE, "")],
    }  # fmt: skip
    if key not in common:
        return render(request, "cases/bulk.html", said)
    form = ActForm(request, common[key], drafts)
    form.form.action, form.form.cancel = reverse("case_bulk"), reverse("cases")
    form.form.hidden.pop("rev")
    said |= {"form": form.form, "act": common[key], "act_key": key}
    if "key" not in request.POST:
        return render(request, "cases/bulk.html", said)
    form.form.hidden["key"] = request.POST["key"]
    outcomes = form.form.carry_out(request, lambda answers: _done(request, chosen, key, form, answers))
    if outcomes is None:
        return render(request, "cases/bulk.html", said, status=422)
    return render(request, "cases/bulk_done.html", said | _told(chosen, outcomes))


def _chosen(request: Asked) -> list[Case]:
    ids = [found for raw in request.POST.getlist("pick")[:MOST] if (found := _uuid(raw)) is not None]
    rows = visible(request.reach, "cases.bulk").filter(pk__in=ids).select_related("area", "lead", "handler", "site")
    chosen = list(rows.order_by("due_at", "pk"))
    if not chosen:
        raise NothingChosen(
            "没有选中可以一起办理的事项。请回到列表勾选。",
            "No case that you may act on was chosen. Go back to the list and choose some.",
        )
    return chosen


def _uuid(raw: str) -> UUID | None:
    try:
        return UUID(raw)
    except ValueError:
        return None


def _drafts(chosen: Iterable[Case]) -> list[Draft]:
    """Where each case stands; the histories are read with one query."""
    calendars = holidays.calendars()
    told: dict[UUID, list[Event]] = {}
    for event in Event.objects.filter(subject__in=[case.pk for case in chosen]).order_by("seq"):
        told.setdefault(event.subject, []).append(event)
    drafts = []
    for case in chosen:
        plan, calendar = plan_of(case), calendars(case.area_path)
        drafts.append(Draft(case, plan, calendar, stand(plan, pasts(told.get(case.pk, ())), calendar), set()))
    return drafts


def _common(request: Asked, drafts: list[Draft]) -> dict[str, Act]:
    """The acts open to this person on every one of the cases, that make sense for many at once."""
    common: dict[str, Act] | None = None
    for draft in drafts:
        view = CaseView.of(request, draft)
        offered = dict(acts.offers(draft.plan, draft.now, view.actor)) if view.covers("cases.act") else {}
        found = {key: act for key, act in offered.items() if act.effect not in ("merge", "split")}
        common = found if common is None else {k: act for k, act in common.items() if found.get(k) == act}
    return common or {}


def _done(request: Asked, chosen: list[Case], key: str, form: ActForm, answers: dict[str, Any]) -> list[cases.Outcome]:
    stage = form.act.photos.stage if form.act.photos else "after"
    brought = kept(request, answers.get("photos") or (), stage=stage)
    doing = Doing(key, form.data(answers), brought, place_of(request), None, client_key(request, request.POST["key"]))
    return cases.act_many([case.pk for case in chosen], doing, by=request.user, reach=request.reach, at=request.at)


def _told(chosen: list[Case], outcomes: list[cases.Outcome]) -> dict[str, Any]:
    named = {case.pk: case for case in chosen}
    done = [(named[each.case_id], headline(named[each.case_id])) for each in outcomes if each.refusal is None]
    refused = [
        (named[each.case_id], headline(named[each.case_id]), each.refusal.text)
        for each in outcomes
        if each.refusal is not None
    ]
    return {"done": done, "refused": refused}
