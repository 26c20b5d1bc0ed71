"""The addresses of an index."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from anlan.presentation.web import index_area, index_compare, index_home, index_scenario

EDITION = "<slug:index>/<str:period>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("anlan.presentation.web.index_deep_urls")),
    path("", index_home.index, name="index"),
    path("<slug:index>/compare/", index_compare.compare, name="index_compare"),
    path(f"{EDITION}/", index_home.index_edition, name="index_edition"),
    path(f"{EDITION}/areas/<slug:code>/", index_area.area, name="index_area"),
    path(f"{EDITION}/scenario/", index_scenario.scenario_page, name="index_scenario"),
]
