"""The addresses of Open311, as clients write them: with a slash too many, or one at the end."""

from __future__ import annotations

import re

from django.urls import URLPattern, URLResolver, re_path

from anlan.presentation.open311 import bulk, discovery, offered, places, posting, requests, updates
from anlan.presentation.open311.asked import NotThere, Wrong
from anlan.presentation.open311.frame import Answer, Call, endpoint

BASE = r"^open311/+v2/+"
END = r"\.(?P<form>[^/.]*)/*$"
KNOWN = re.compile(r"/*v2/+(discovery|services|requests|tokens|location|servicerequestupdates)(/[^/]+)?/*")


def nothing(call: Call, rest: str) -> Answer:
    """An address that is none, or one that does not say in which form it wants to be answered."""
    if KNOWN.fullmatch(rest):
        raise Wrong("地址请以 .xml 或 .json 结尾。", "End the address with .xml or .json.")
    raise NotThere("没有这个地址。", "There is nothing at this address.")


urlpatterns: list[URLPattern | URLResolver] = [
    re_path(
        rf"^open311/+(?:v2/+)?discovery{END}",
        endpoint(get=discovery.discovery, anywhere=True),
        name="open311_discovery",
    ),
    re_path(rf"{BASE}services{END}", endpoint(get=offered.every), name="open311_services"),
    re_path(rf"{BASE}services/+(?P<code>[^/]+){END}", endpoint(get=offered.definition), name="open311_service"),
    re_path(rf"{BASE}requests{END}", endpoint(get=requests.every, post=posting.create), name="open311_requests"),
    re_path(rf"{BASE}requests/+(?P<number>[^/]+){END}", endpoint(get=requests.one), name="open311_request"),
    re_path(rf"{BASE}tokens/+(?P<token>[^/]+){END}", endpoint(get=requests.by_token), name="open311_token"),
    re_path(rf"{BASE}location{END}", endpoint(get=places.locate), name="open311_location"),
    re_path(
        rf"{BASE}servicerequestupdates{END}", endpoint(get=updates.every, post=updates.create), name="open311_updates"
    ),
    re_path(
        rf"{BASE}photos/+(?P<number>[^/]+)/+(?P<place>[^/.]+)\.jpg$", endpoint(get=places.photo), name="open311_photo"
    ),
    re_path(r"^(?:open311/+)?GeoReport/+bulk(?:\.csv)?/*$", endpoint(get=bulk.bulk), name="open311_bulk"),
    re_path(r"^open311/(?P<rest>.*)$", endpoint(get=nothing, post=nothing, anywhere=True), name="open311_nothing"),
]
