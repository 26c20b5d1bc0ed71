"""Finding one's way: the first page, the area switcher and the search box."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render

from anlan.kernel.text import Text
from anlan.places import areas
from anlan.places.models import Area, Site
from anlan.places.record import day_of
from anlan.places.scope import within
from anlan.presentation.permissions import SIGNED_IN, needs
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
    """Sites and areas by name, code or address, within reach."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    found_sites: list[Site] = []
    found_areas: list[Area] = []
    if text and request.reach.may("sites.see"):
        mine = Site.objects.filter(request.reach.q("sites.see", party="operator"))
        named = mine.filter(name__icontains=text) | mine.filter(address__icontains=text) | mine.filter(code=text)
        found_sites = list(named.select_related("area").order_by("name", "pk")[:MOST])
    if text and request.reach.may("areas.see"):
        mine_areas = areas.at_day(day_of(request.at)).filter(within(request.reach.areas("areas.see"), "path"))
        named_areas = (
            mine_areas.filter(name_zh__icontains=text)
            | mine_areas.filter(name_en__icontains=text)
            | mine_areas.filter(code=text)
        )
        found_areas = list(named_areas.order_by("path")[:MOST])
    said = {"searched": text, "sites": found_sites, "areas": found_areas, "title": Text(zh="搜索", en="Search")}
    return render(request, "search.html", said)
