"""Finding one's way: the first page, the area switcher and the search box."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render

from anlan.kernel.text import Text
from anlan.places import areas
from anlan.places.models import Area, Site
from anlan.places.record import day_of
from anlan.places.scope import within
from anlan.presentation.permissions import SIGNED_IN, needs
from anlan.presentation.web.case_search import exact, found_cases
from anlan.presentation.web.frame import MENU, Asked, words_for
from anlan.presentation.web.signin import path_only, safe_next

MOST = 20


@needs(SIGNED_IN)
def home(request: Asked) -> HttpResponse:
    """The first word of the menu that this person may use."""
    words = words_for(request, MENU)
    return redirect(words[0].url if words else "me")


@needs(SIGNED_IN)
def area_switch(request: Asked) -> HttpResponse:
    """The areas within reach, around the one chosen now: the way up and the next level down."""
    to = path_only(safe_next(request, request.GET.get("to", "")))
    paths = request.reach.areas("areas.see")
    today = areas.at_day(day_of(request.at))
    mine = list(today.filter(path__in=paths))
    here = request.area if request.area and any(request.area.path.startswith(path) for path in paths) else None
    up = [
        area
        for area in (today.filter(path__in=areas.ancestors(here.path)) if here else mine)
        if any(area.path.startswith(path) for path in paths)
    ]
    below = today.filter(parent_id__in=[here.pk] if here else [area.pk for area in mine])
    said = {"to": to, "up": up, "below": list(below[:200]), "here": here}
    return render(request, "parts/area_switch.html", said)


@needs(SIGNED_IN)
def search(request: Asked) -> HttpResponse:
    """Cases, sites and areas by number, name or address, within reach; a case's own number opens it at once."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    case = exact(request, text)
    if case is not None:
        return redirect("case", case.number)
    said = {
        "searched": text,
        "cases": found_cases(request, text),
        "sites": _sites(request, text) if text and request.reach.may("sites.see") else [],
        "areas": _areas(request, text) if text and request.reach.may("areas.see") else [],
        "title": Text(zh="搜索", en="Search"),
    }
    return render(request, "search.html", said)


def _sites(request: Asked, text: str) -> list[Site]:
    mine = Site.objects.filter(request.reach.q("sites.see", party="operator"))
    named = mine.filter(Q(name__icontains=text) | Q(address__icontains=text) | Q(code=text))
    return list(named.select_related("area").order_by("name", "pk")[:MOST])


def _areas(request: Asked, text: str) -> list[Area]:
    mine = areas.at_day(day_of(request.at)).filter(within(request.reach.areas("areas.see"), "path"))
    named = mine.filter(Q(name_zh__icontains=text) | Q(name_en__icontains=text) | Q(code=text))
    return list(named.order_by("path")[:MOST])
