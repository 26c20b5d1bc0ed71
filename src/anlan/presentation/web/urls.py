"""The addresses of the desk. The case screens keep theirs in `case_urls`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from anlan.presentation.web import signin, switch

urlpatterns: list[URLPattern | URLResolver] = [
    path("", switch.home, name="home"),
    path("search/", switch.search, name="search"),
    path("areas/switch/", switch.area_switch, name="area_switch"),
    path("sign-in/", signin.sign_in, name="sign_in"),
    path("sign-out/", signin.sign_out, name="sign_out"),
    path("language/", signin.language, name="language"),
    path("me/", signin.me, name="me"),
    path("me/password/", signin.password, name="password"),
    path("", include("anlan.presentation.web.case_urls")),
]
