"""The addresses of an index."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from anlan.presentation.web.index import area, compare, home, scenario

EDITION = "<slug:index>/<str:period>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("anlan.presentation.web.index.deep_urls")),
    path("", home.index, name="index"),
    path("<slug:index>/compare/", compare.compare, name="index_compare"),
    path(f"{EDITION}/", home.index_edition, name="index_edition"),
    path(f"{EDITION}/areas/<slug:code>/", area.area, name="index_area"),
    path(f"{EDITION}/scenario/", scenario.scenario_page, name="index_scenario"),
]
