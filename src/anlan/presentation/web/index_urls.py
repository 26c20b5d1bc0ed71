"""The addresses of an index."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anlan.presentation.web import index_home

EDITION = "<slug:index>/<str:period>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", index_home.index, name="index"),
    path(f"{EDITION}/", index_home.index_edition, name="index_edition"),
]
