"""Every address of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from anlan.presentation.api import root
from anlan.presentation.web import hooks

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include(root.urls())),
    path("", include("anlan.presentation.open311.urls")),
    path("hooks/<slug:client>", hooks.hook, name="hook"),
    path("", include("anlan.presentation.web.urls")),
]

handler400 = "anlan.presentation.web.errors.bad_request"
handler403 = "anlan.presentation.web.errors.forbidden"
handler404 = "anlan.presentation.web.errors.not_found"
handler500 = "anlan.presentation.web.errors.server_error"
