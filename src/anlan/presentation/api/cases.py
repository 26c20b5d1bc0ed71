"""Cases: the list, one, its timeline, what may be done, and doing it, one by one or many at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Schema, Status

from anlan.casework import cases, triage
from anlan.casework.cases import Doing, NoCase, Opening
from anlan.casework.models import Case
from anlan.casework.procedure import Act
from anlan.casework.timeline import timeline as lines_of
from anlan.intake.models import Report
from anlan.kernel.text import Refusal
from anlan.ledger import events
from anlan.presentation.api import case_shapes, found
from anlan.presentation.api.case_shapes import SHOWN, CaseFilters, CaseRow, CaseWhole, Deed, Deeds, NewCase
from anlan.presentation.api.frame import Noun, client_key, written
from anlan.presentation.api.shapes import Listing, Words, one_page, told, words
from anlan.presentation.web.case_rows import lean, named
from anlan.presentation.web.frame import Asked

router = Noun("cases")


class Offer(Schema):
    """An act the caller may do now, with what it asks for."""

    key: str
    title: Words
    fields: list[dict[str, Any]]
    photos: dict[str, Any] | None
    place: str


class Line(Schema):
    """One line of a case's history."""

    id: UUID
    at: Any
    kind: str
    title: Words
    by: Words
    office: Words | None
    said: list[dict[str, Words]]
    photos: list[UUID]


class Became(Schema):
    """What became of one case of a bulk act."""

    case: UUID
    done: bool
    step: str
    error: dict[str, str] | None


@router.get("", response=Listing[CaseRow])
def list_(request: Asked, given: Query[CaseFilters]) -> Any:
    """The cases within reach, newest first or by deadline."""
    query, order = case_shapes.ordered(case_shapes.narrowed(request, given), given)
    page = one_page(request, lean(query, "site_id", "site__code"), given, order=order)
    shown = replace(page, items=named(page.items))
    # `row` says just what `CaseRow` has: reading fifty of them back to make sure would be a quarter of the time.
    said = told(shown, lambda case: case_shapes.row(case, now=request.at))
    return HttpResponse(written(said), content_type="application/json; charset=utf-8")


@router.post("", response={200: CaseWhole, 201: CaseWhole})
def open_(request: Asked, given: NewCase) -> Any:
    """Open a case for a report that waits, or for something seen."""
    found.topic(given.topic)
    opened = _for_report(request, given, given.report) if given.report else _anew(request, given)
    return Status(201, case_shapes.whole(_again(opened.pk), now=request.at))


def _for_report(request: Asked, given: NewCase, report_id: UUID) -> Case:
    mine = request.reach.q("reports.see", owner="by")
    report = Report.objects.select_related("area", "site", "site__operator").filter(mine, pk=report_id).first()
    if report is None:
        raise found.Unknown(report_id, "report")
    _check_may_open(request, report.area_path)
    return triage.accept(report, procedure=given.procedure, topic=given.topic, by=request.user, at=request.at)


def _anew(request: Asked, given: NewCase) -> Case:
    site = found.site(request, given.site, "sites.see") if given.site else None
    area = site.area if site and not given.area else found.area(request, given.area, "cases.act")
    _check_may_open(request, area.path)
    if not given.title.strip():
        raise Refusal("请写明事由。", "Say in one line what it is about.", field="title")
    opening = Opening(
        procedure=given.procedure,
        area=area,
        title=given.title.strip(),
        topic=given.topic,
        description=given.description,
        address=given.address or (site.address if site else ""),
        site=site,
        party=site.operator if site else None,
        lon=given.lon if given.lon is not None else site.lon if site else None,
        lat=given.lat if given.lat is not None else site.lat if site else None,
        channel="api",
    )
    return cases.open_case(opening, by=request.user, at=request.at, key=client_key(request, given.key))


def _check_may_open(request: Asked, path: str) -> None:
    """A case is opened by whoever could act on it once it is there."""
    own = (request.user.pk,)
    if not request.reach.covers("cases.act", area_path=path, departments=request.reach.departments(), owners=own):
        raise found.Unknown(path, "area")


@router.post("/acts", response=list[Became])
def act_many(request: Asked, given: Deeds) -> Any:
    """The same act on many cases, each by itself; what one refuses does not hold up the others."""
    bulk = cases.visible(request.reach, "cases.bulk").filter(pk__in=given.cases)
    mine = set(bulk.values_list("pk", flat=True))
    key = client_key(request, given.key)
    doing = Doing(given.act, given.data, key=key, device_at=given.device_at)
    wanted = [case_id for case_id in dict.fromkeys(given.cases) if case_id in mine]
    done = cases.act_many(wanted, doing, by=request.user, reach=request.reach, at=request.at)
    became = {each.case_id: _became(each.case_id, each.case, each.refusal) for each in done}
    return [became.get(case_id) or _left(key, case_id) for case_id in dict.fromkeys(given.cases)]


def _left(key: str | None, case_id: UUID) -> dict[str, Any]:
    """A case out of reach: done by this very deed before, or not there for the caller."""
    if _did(f"{key}:{case_id}" if key else None, case_id):
        return _became(case_id, _again(case_id), None)
    return _became(case_id, None, NoCase())


def _became(case_id: UUID, case: Case | None, refusal: Refusal | None) -> dict[str, Any]:
    error = {"zh": refusal.text.zh, "en": refusal.text.en, "field": refusal.field} if refusal else None
    return {"case": case_id, "done": case is not None, "step": case.step if case else "", "error": error}


@router.get("/{case_id}", response=CaseWhole)
def one(request: Asked, case_id: UUID) -> Any:
    """One case as it stands."""
    return case_shapes.whole(_one(request, case_id), now=request.at)


def _one(request: Asked, case_id: UUID) -> Case:
    case = cases.visible(request.reach).select_related(*SHOWN).filter(pk=case_id).first()
    if case is None:
        raise NoCase
    return case


def _again(case_id: UUID) -> Case:
    """The case as the caller's own deed left it, which may be out of their reach by now."""
    return Case.objects.select_related(*SHOWN).get(pk=case_id)


def _did(key: str | None, case_id: UUID) -> bool:
    """Whether the caller did this very deed before: told as done again, even if the case has left their reach since."""
    known = events.find(key) if key else None
    return known is not None and known.subject == case_id


@router.get("/{case_id}/timeline", response=list[Line])
def timeline(request: Asked, case_id: UUID) -> Any:
    """Everything that happened to a case, in order: who, when, with which words and photos."""
    return [
        {
            "id": line.id,
            "at": line.at,
            "kind": line.kind,
            "title": words(line.title),
            "by": words(line.by),
            "office": words(line.office) if line.office else None,
            "said": [{"label": words(each.label), "value": words(each.value)} for each in line.said],
            "photos": list(line.photos),
        }
        for line in lines_of(_one(request, case_id))
    ]


@router.get("/{case_id}/acts", response=list[Offer])
def offers(request: Asked, case_id: UUID) -> Any:
    """What the caller may do to a case now, with the fields, photos and place each act asks for."""
    case = _one(request, case_id)
    return [_offer(key, act) for key, act in cases.allowed(case, by=request.user, reach=request.reach)]


def _offer(key: str, act: Act) -> dict[str, Any]:
    return {
        "key": key,
        "title": words(act.title),
        "fields": [field.model_dump(mode="json") for field in act.fields],
        "photos": act.photos.model_dump() if act.photos else None,
        "place": act.place,
    }


@router.post("/{case_id}/acts", response=CaseWhole)
def act(request: Asked, case_id: UUID, given: Deed) -> Any:
    """Do it, or be told what stands in the way.

    The same key twice is one act; with `rev`, a case that has moved on since is told.
    """
    if (given.lon is None) != (given.lat is None):
        raise Refusal("经度和纬度要一起给出。", "Give longitude and latitude together.", field="lon")
    place = (given.lon, given.lat) if given.lon is not None and given.lat is not None else None
    key = client_key(request, given.key)
    if _did(key, case_id):
        return case_shapes.whole(_again(case_id), now=request.at)
    _one(request, case_id)
    doing = Doing(
        given.act,
        given.data,
        photos=found.photos(request, given.photos, case=case_id),
        place=place,
        rev=given.rev,
        key=key,
        device_at=given.device_at,
    )
    cases.act(case_id, doing, by=request.user, reach=request.reach, at=request.at)
    return case_shapes.whole(_again(case_id), now=request.at)
