"""The addresses of the desk. The case screens keep theirs in `case_urls`, each room in its own `urls`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from anlan.presentation.web import (
    areas,
    asking,
    devices_coverage,
    devices_page,
    facts_page,
    signin,
    sites,
    switch,
)

FRAME: list[URLPattern | URLResolver] = [
    path("", switch.home, name="home"),
    path("search/", switch.search, name="search"),
    path("suggest/<slug:kind>/", asking.suggest, name="suggest"),
    path("sign-in/", signin.sign_in, name="sign_in"),
    path("sign-out/", signin.sign_out, name="sign_out"),
    path("language/", signin.language, name="language"),
    path("me/", signin.me, name="me"),
    path("me/password/", signin.password, name="password"),
]
PLACES: list[URLPattern | URLResolver] = [
    path("sites/", sites.index, name="sites"),
    path("sites/add/", sites.add, name="site_add"),
    path("sites/<slug:code>/", sites.one, name="site"),
    path("sites/<slug:code>/sign/", sites.sign, name="site_qr"),
    path("sites/<slug:code>/change/", sites.change, name="site_change"),
    path("sites/<slug:code>/close/", sites.close, name="site_close"),
    path("areas/", areas.index, name="areas"),
    path("areas/switch/", switch.area_switch, name="area_switch"),
    path("areas/<slug:code>/", areas.one, name="area"),
    path("areas/<slug:code>/add/", areas.add, name="area_add"),
    path("areas/<slug:code>/rename/", areas.rename, name="area_rename"),
    path("areas/<slug:code>/boundary/", areas.boundary, name="area_boundary"),
    path("areas/<slug:code>/move/", areas.move, name="area_move"),
    path("areas/<slug:code>/close/", areas.close, name="area_close"),
]
DEVICES: list[URLPattern | URLResolver] = [
    path("devices/", devices_page.index, name="devices"),
    path("devices/add/", devices_page.add, name="device_add"),
    path("devices/coverage/", devices_coverage.cover, name="coverage"),
    path("devices/of/<str:code>/", devices_page.one, name="device"),
    path("devices/of/<str:code>/change/", devices_page.change, name="device_change"),
    path("devices/of/<str:code>/retire/", devices_page.retire, name="device_retire"),
    path("devices/of/<str:code>/secret/", devices_page.secret, name="device_secret"),
]
FACTS: list[URLPattern | URLResolver] = [
    path("facts/", facts_page.index, name="facts"),
    path("facts/<slug:key>/", facts_page.one, name="fact_table"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    *FRAME,
    *PLACES,
    *DEVICES,
    *FACTS,
    path("", include("anlan.presentation.web.settings.urls")),
    path("r/", include("anlan.presentation.web.resident.urls")),
    path("index/", include("anlan.presentation.web.index.urls")),
    path("", include("anlan.presentation.web.case_urls")),
]
