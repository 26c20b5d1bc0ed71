"""Acting on a case: the declared form, what became of it, and what is said when somebody else was quicker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render

from anlan.casework import acts, cases
from anlan.casework.cases import Doing, Stale
from anlan.casework.models import Case
from anlan.casework.procedure import Act
from anlan.intake import photos
from anlan.intake.models import Photo
from anlan.kernel.text import Refusal, Text
from anlan.presentation.permissions import needs
from anlan.presentation.saying import say
from anlan.presentation.web.act_forms import ActForm
from anlan.presentation.web.alike import NONE, Alike, same_as
from anlan.presentation.web.case_rows import headline
from anlan.presentation.web.case_view import CaseView
from anlan.presentation.web.errors import status_of
from anlan.presentation.web.frame import Asked

INLINE = "act-here"
MOST_PHOTOS = 12


class TooMany(Refusal):
    """More photos at once than one act can show."""


@needs("cases.act")
def case_act(request: Asked, number: str, act: str) -> HttpResponse:
    """The form of one act, inline or as a page; sent, it is done and the case is shown as it then stands."""
    view = CaseView.find(request, number)
    if request.method == "POST":
        return _done(request, view, act)
    offer = next((each for each in view.offers if each.key == act), None)
    if offer is None:
        return _cannot(request, view, _why(view, act))
    form = ActForm(request, offer.act, [view.draft]).at(number, act)
    near = same_as(view.case, request) if offer.act.effect == "merge" else NONE
    form.form.fill({field.key: near.first for field in offer.act.fields if field.type == "case"})
    return _asked(request, view, offer.act, form, near)


def _why(view: CaseView, key: str) -> Refusal:
    """Why this act is not among those offered."""
    try:
        acts.examine(view.draft.plan, view.now, key, view.actor, {}, 99, placed=True)
    except Refusal as refusal:
        return refusal
    return acts.NotAllowed("您可以查看这个事项，但不能办理。", "You may look at this case but not act on it.")


def _asked(
    request: Asked, view: CaseView, act: Act, form: ActForm, near: Alike = NONE, *, status: int = 200
) -> HttpResponse:
    inline = request.headers.get("HX-Target") == INLINE
    said = {
        "title": act.title, "view": view, "case": view.case, "act": act, "form": form.form, "alike": near,
        "crumbs": [(headline(view.case), form.form.cancel), (act.title, "")],
    }  # fmt: skip
    return render(request, "cases/act_form.html" if inline else "cases/act.html", said, status=status)


def _done(request: Asked, view: CaseView, key: str) -> HttpResponse:
    act = view.draft.plan.acts.get(key)
    if act is None:
        return _cannot(request, view, _why(view, key))
    rev = _number(request.POST.get("rev", ""))
    form = ActForm(request, act, [view.draft], stale=rev).at(view.case.number, key)
    form.form.hidden["key"] = request.POST.get("key") or form.form.hidden["key"]
    try:
        done = form.form.carry_out(request, lambda answers: _perform(request, view, key, form, answers, rev))
    except _Elsewhere as elsewhere:
        return _cannot(request, view, elsewhere.refusal)
    if done is None:
        return _asked(request, view, act, form, status=422)
    messages.success(request, say(Text(zh=f"已办理：{act.title.zh}", en=f"Done: {act.title.en}")))
    return _onwards(request, done)


def _onwards(request: Asked, case: Case) -> HttpResponse:
    """To the case as it now stands; to the inbox where one's own act has put it out of one's reach (a return)."""
    return redirect("case", number=case.number) if cases.covers(case, request.reach, "cases.see") else redirect("inbox")


class _Elsewhere(Exception):
    """A refusal that no change in the form can mend: the case itself has moved on, or is not this person's to do."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def _perform(request: Asked, view: CaseView, key: str, form: ActForm, answers: dict[str, Any], rev: int | None) -> Case:
    try:
        with transaction.atomic():
            brought = kept(request, answers.get("photos") or (), stage=_stage(form.act))
            doing = Doing(
                key, form.data(answers), brought, place_of(request), rev,
                client_key(request, request.POST.get("key", "")),
            )  # fmt: skip
            return cases.act(view.case.pk, doing, by=request.user, reach=request.reach, at=request.at)
    except (Stale, acts.NotNow, acts.NotAllowed) as refusal:
        raise _Elsewhere(refusal) from refusal


def _stage(act: Act) -> str:
    return act.photos.stage if act.photos else "after"


def kept(request: Asked, uploads: Sequence[Any], *, stage: str) -> tuple[Photo, ...]:
    """The uploaded photos, kept; raises what is wrong with the first that is no photo."""
    if len(uploads) > MOST_PHOTOS:
        raise TooMany(
            f"一次最多 {MOST_PHOTOS} 张照片，您选了 {len(uploads)} 张。请分几次上传。",
            f"At most {MOST_PHOTOS} photos at once; you chose {len(uploads)}. Send them in parts.",
            field="photos",
        )
    at, by = request.at, request.user
    return tuple(photos.keep(each.read(), each.name or "photo", stage=stage, by=by, at=at) for each in uploads)


def place_of(request: Asked) -> tuple[float, float] | None:
    """Where the person stands, when their device told it."""
    try:
        lon, lat = float(request.POST.get("lon", "")), float(request.POST.get("lat", ""))
    except ValueError:
        return None
    return (lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 else None


def client_key(request: Asked, given: str) -> str | None:
    """The client's own id for what it sends, made this person's; None when it gave none."""
    clean = "".join(letter for letter in given if letter.isalnum() or letter == "-")[:64]
    return f"web:{request.user.pk}:{clean}" if clean else None


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _cannot(request: Asked, view: CaseView, refusal: Refusal) -> HttpResponse:
    """What stands in the way, with the case as it stands now and what may be done instead."""
    fresh = CaseView.find(request, view.case.number)
    inline = request.headers.get("HX-Target") == INLINE
    said = {"title": headline(fresh.case), "view": fresh, "case": fresh.case, "text": refusal.text}
    template = "cases/moved_on_part.html" if inline else "cases/moved_on.html"
    return render(request, template, said, status=status_of(refusal))
