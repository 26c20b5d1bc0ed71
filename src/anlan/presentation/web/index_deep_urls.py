"""The addresses of an index's pages behind the first: indicators and their cases, scorecards, trust, editions."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anlan.presentation.web import index_cases, index_indicator

EDITION = "<slug:index>/<str:period>"
INDICATOR = f"{EDITION}/indicators/<str:key>"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{INDICATOR}/", index_indicator.indicator, name="index_indicator"),
    path(f"{INDICATOR}/cases/", index_cases.index_cases, name="index_cases"),
]
