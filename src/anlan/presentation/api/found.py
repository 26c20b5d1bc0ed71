"""Things a request names, found only within the caller's reach: what lies outside does not exist for them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from anlan.intake.models import Photo
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.places import areas, tree
from anlan.places.models import Area, Department, Officer, Party, Post, Site
from anlan.places.record import day_of
from anlan.places.scope import Reach, within
from anlan.presentation.web.frame import Asked


class Unknown(Refusal):
    """What was named does not exist, or lies outside the caller's area or duties."""

    status = 404

    def __init__(self, value: object, field: str) -> None:
        super().__init__(
            f"没有找到“{value}”：它可能不存在，也可能不在您的辖区或职责之内。请核对。",
            f"'{value}' was not found: it may not exist, or it lies outside your area or duties. Check it.",
            field=field,
        )


def areas_within(request: Asked, action: str) -> QuerySet[Area]:
    """The areas of today in which the caller may do `action`."""
    return areas.at_day(day_of(request.at)).filter(within(request.reach.areas(action), "path"))


def area(request: Asked, code: str, action: str, *, field: str = "area") -> Area:
    found = tree.of_day(code, day_of(request.at))
    if found is None or not any(found.path.startswith(path) for path in request.reach.areas(action)):
        raise Unknown(code, field)
    return found


def sites_within(reach: Reach, action: str) -> QuerySet[Site]:
    return Site.objects.filter(reach.q(action, party="operator")).select_related("area", "operator")


def site(request: Asked, code: str, action: str, *, field: str = "site") -> Site:
    found = sites_within(request.reach, action).filter(code=code).first()
    if found is None:
        raise Unknown(code, field)
    return found


def parties_within(reach: Reach, action: str) -> QuerySet[Party]:
    """Parties in the caller's area; one that stands for a party sees that one."""
    mine = reach.q(action, area="area__path", party="pk")
    return Party.objects.filter(mine).select_related("area")


def party(request: Asked, pk: int, action: str, *, field: str = "party") -> Party:
    found = parties_within(request.reach, action).filter(pk=pk).first()
    if found is None:
        raise Unknown(pk, field)
    return found


def departments_within(reach: Reach, action: str) -> QuerySet[Department]:
    """Departments in the caller's area, and those above it, which answer for it too."""
    paths = reach.areas(action)
    above = {one for path in paths for one in areas.ancestors(path)}
    answering = within(paths, "area__path") | Q(area__path__in=above)
    return Department.objects.filter(answering).select_related("area")


def department(request: Asked, key: str, action: str, *, field: str = "department") -> Department:
    found = departments_within(request.reach, action).filter(key=key).first()
    if found is None:
        raise Unknown(key, field)
    return found


def own_department(request: Asked, key: str, action: str) -> Department:
    """The department, if it lies in the caller's own area and so is theirs to change."""
    found = department(request, key, action)
    if not request.reach.covers(action, area_path=found.area.path):
        raise Unknown(key, "department")
    return found


def officers_within(reach: Reach, action: str) -> QuerySet[Officer]:
    """Officers who hold or held a post in the caller's area; whoever may edit sees those too who have had none yet."""
    mine = Q(pk__in=Post.objects.filter(within(reach.areas(action), "area__path")).values("officer"))
    if reach.may("officers.edit"):
        mine |= ~Q(pk__in=Post.objects.values("officer"))
    return Officer.objects.filter(mine)


def officer(request: Asked, pk: int, action: str, *, field: str = "officer") -> Officer:
    found = officers_within(request.reach, action).filter(pk=pk).first()
    if found is None:
        raise Unknown(pk, field)
    return found


def own_officer(request: Asked, pk: int, action: str) -> Officer:
    """The officer, if every post of theirs lies in the caller's reach: nobody rises by taking over somebody higher."""
    found = officer(request, pk, action)
    if not request.reach.administers(found, action, at=request.at):
        raise Refusal(
            "此人在您的辖区之外还有岗位，请由上级管理员办理。",
            "This officer holds posts outside your area; ask the administrator above you.",
            field="officer",
        )
    return found


def photos(request: Asked, ids: list[UUID], *, case: UUID | None = None) -> tuple[Photo, ...]:
    """The caller's own uploads by id, in that order: not yet used, or used in this very case (a repeated act)."""
    if not ids:
        return ()
    free = Q(case_photos__isnull=True, report__isnull=True)
    mine = Photo.objects.filter(free | Q(case_photos__case=case), by=request.user, pk__in=ids).distinct()
    known = {photo.pk: photo for photo in mine}
    for one in ids:
        if one not in known:
            raise Unknown(one, "photos")
    return tuple(known[one] for one in dict.fromkeys(ids))


def topic(key: str, *, field: str = "topic") -> str:
    if key not in catalogue.current().all(TOPICS):
        raise Refusal(f"没有类别“{key}”。", f"There is no topic '{key}'.", field=field)
    return key
