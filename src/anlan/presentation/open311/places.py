"""Whether a point lies in this jurisdiction, and in which of its areas; and the photos of what was fixed there."""

from __future__ import annotations

from django.http import FileResponse
from django.http.response import HttpResponseBase

from anlan.casework import public
from anlan.intake import location, photos
from anlan.intake.models import Photo
from anlan.places import tree
from anlan.places.areas import ancestors
from anlan.places.record import day_of
from anlan.presentation.open311 import requests
from anlan.presentation.open311.asked import NotThere, Wrong, point
from anlan.presentation.open311.frame import Answer, Call
from anlan.presentation.open311.shapes import NAMED

A_DAY = 86_400


def locate(call: Call) -> Answer:
    """Whether reports about this point can be sent here, and which area they would go to."""
    where = point(call.words)
    if where is None:
        raise Wrong("请给出 lat 和 long。", "lat and long were not provided.", field="lat")
    [around] = location.tree(at=call.at).around([where], nearest_m=call.channel.nearest_m, below=call.area_path())
    inside = around is not None and around.path.startswith(call.area_path())
    paths = reversed(ancestors(around.path)) if around is not None and inside else ()
    areas = [area for path in paths for area in tree.together(day_of(call.at), paths=[path], most=1)]
    named = [area.name_zh if call.language == "zh" else area.name_en for area in areas if area.level in NAMED]
    return "location", {
        "lat": where[1],
        "long": where[0],
        "jurisdiction_id": call.here.jurisdiction_id or None,
        "inside": inside,
        "area": ", ".join(named) or None,
    }


def photo(call: Call, number: str, place: str) -> HttpResponseBase:
    """One photo of the fix: the only photos that everybody may see."""
    receipt = requests.find(call, number)
    assert receipt.report is not None  # what has a number has a report
    [known] = public.known([receipt.report])
    if known.sensitive or not place.isascii() or not place.isdigit() or not 1 <= int(place[:4]) <= len(known.photos):
        raise NotThere("没有这张照片。", "There is no such photo.")
    found = Photo.objects.get(pk=known.photos[int(place[:4]) - 1])
    response = FileResponse(photos.path(found).open("rb"), content_type=found.mime)
    response.headers["Cache-Control"] = f"public, max-age={A_DAY}"
    return response
